"""`DataCollatorForWholeWordMask`: masked language modelling that masks all pieces of a word together."""

from __future__ import annotations

import random
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...tokenization.tensors import to_python
from .language_modeling import DataCollatorForLanguageModeling
from .padding import pad_rows, stack_ids, to_framework

__all__ = ["DataCollatorForWholeWordMask"]

_MOST_PREDICTIONS = 512


@dataclass
class DataCollatorForWholeWordMask(DataCollatorForLanguageModeling):
    """Chooses words until `mlm_probability` of the tokens are chosen; the pieces of a word share its fate.

    A piece is a token that begins with `##`, as BERT's tokenizer writes them; with other tokenizers each
    token counts as a word. An example may hold `chinese_ref`, the positions of further pieces. What becomes
    of chosen tokens, and the arguments, are those of `DataCollatorForLanguageModeling`. The batch has
    `input_ids` and `labels`.
    """

    def _collate(self, features: list[Any], kind: str) -> dict[str, Any]:
        self._seed_generator(kind)
        examples = [
            feature if isinstance(feature, Mapping) else {"input_ids": feature} for feature in features
        ]
        rows = [to_python(example["input_ids"]) for example in examples]
        inputs = stack_ids(rows, self.tokenizer, self.pad_to_multiple_of, kind)
        chosen_rows = [
            self._choose_words(row, to_python(example.get("chinese_ref", ())), kind)
            for row, example in zip(rows, examples, strict=True)
        ]
        chosen = pad_rows(chosen_rows, inputs.shape[1], 0, self.tokenizer.padding_side).astype(bool)
        chosen &= ~np.isin(np.asarray(inputs), self.tokenizer.all_special_ids)
        mask = to_framework(chosen, kind)
        labels = inputs.clone() if kind == "pt" else inputs.copy()
        labels[~mask] = -100
        replace = self._torch_replace if kind == "pt" else self._numpy_replace
        return {"input_ids": replace(inputs, mask), "labels": labels}

    def _choose_words(self, ids: list[int], further_pieces: Any, kind: str) -> list[int]:
        """Return 1 for each token of a chosen word and 0 for others."""
        pieces = self._tokens(ids)
        words: list[list[int]] = []
        for position, token in enumerate(pieces):
            if token in ("[CLS]", "[SEP]"):
                continue
            if words and (token.startswith("##") or position in further_pieces):
                words[-1].append(position)
            else:
                words.append([position])
        wanted = min(_MOST_PREDICTIONS, max(1, round(len(ids) * (self.mlm_probability or 0.0))))
        chosen: set[int] = set()
        for word in self._shuffled(words, kind):
            if len(chosen) >= wanted:
                break
            if len(chosen) + len(word) <= wanted:
                chosen.update(word)
        return [int(position in chosen) for position in range(len(ids))]

    def _tokens(self, ids: list[int]) -> list[str]:
        tokens = self.tokenizer.convert_ids_to_tokens(ids)
        if not any("##" in token for token in tokens) and not type(self.tokenizer).__name__.startswith(
            ("Bert", "DistilBert", "Electra")
        ):
            warnings.warn(
                "DataCollatorForWholeWordMask knows the pieces of a word by `##`, which this tokenizer "
                "does not write: every token counts as a word.",
                stacklevel=2,
            )
        return tokens

    def _shuffled(self, words: list[list[int]], kind: str) -> list[list[int]]:
        if self.seed is None:
            random.shuffle(words)
            return words
        if kind == "pt":
            import torch

            return [words[int(i)] for i in torch.randperm(len(words), generator=self.generator)]
        self.generator.shuffle(words)
        return words

    def _random_ids(self, places: np.ndarray) -> np.ndarray:
        """Draw an id for every place, and keep those that are needed: so a seed means what it always did."""
        integers = self.generator.integers if self.generator is not None else np.random.randint
        return integers(0, len(self.tokenizer), size=places.shape, dtype=np.int64)[places]
