"""`DataCollatorForLanguageModeling`: labels for masked and for causal language models."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ...tokenization import PreTrainedTokenizerBase
from ...tokenization.tensors import to_python
from .mixin import DataCollatorMixin
from .padding import columns_of, pad_features, pad_rows, stack_ids

__all__ = ["DataCollatorForLanguageModeling"]


@dataclass
class DataCollatorForLanguageModeling(DataCollatorMixin):
    """Pads the inputs, and makes `labels`: of masked tokens with `mlm`, of every token without.

    With `mlm`, each token that is not special is chosen with `mlm_probability`; of the chosen ones a share
    becomes the mask token, a share becomes a random token, the others stay. Labels of all other tokens are
    -100. Examples that carry `special_tokens_mask` save its computation.

    Args:
        tokenizer: gives padding and mask tokens.
        mlm: masked language modelling; False for causal.
        mlm_probability: the share of tokens to predict.
        pad_to_multiple_of: round the length up to a multiple of this.
        return_tensors: "pt" or "np".
        mask_replace_prob: the share of chosen tokens that becomes the mask token.
        random_replace_prob: the share that becomes a random token.
        whole_word_mask: choose whole words, found by `offset_mapping` in the examples; all become masks.
        seed: draw from a generator of the collator's own (in a worker of a `DataLoader`, seed + worker);
            None draws from the global one, so that `set_seed` decides.

    Raises:
        ValueError: there is no mask token, or a probability is out of range.
    """

    tokenizer: PreTrainedTokenizerBase
    mlm: bool = True
    mlm_probability: float | None = 0.15
    pad_to_multiple_of: int | None = None
    return_tensors: str = "pt"
    mask_replace_prob: float = 0.8
    random_replace_prob: float = 0.1
    whole_word_mask: bool = False
    seed: int | None = None
    generator: Any = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.mlm:
            if self.tokenizer.mask_token is None:
                raise ValueError(
                    "This tokenizer does not have a mask token which is necessary for masked language "
                    "modeling. You should pass `mlm=False` to train on causal language modeling instead."
                )
            if self.mlm_probability is None or not 0 <= self.mlm_probability <= 1:
                raise ValueError(f"mlm_probability should be between 0 and 1, not {self.mlm_probability}.")
        elif self.whole_word_mask:
            raise ValueError("Whole word masking can only be used with mlm=True.")
        for name in ("mask_replace_prob", "random_replace_prob"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} should be between 0 and 1, not {getattr(self, name)}.")
        if self.mask_replace_prob + self.random_replace_prob > 1:
            raise ValueError("The sum of mask_replace_prob and random_replace_prob should not exceed 1.")
        if self.whole_word_mask and self.mask_replace_prob < 1:
            warnings.warn(
                "With whole_word_mask every chosen token becomes the mask token: mask_replace_prob is set "
                "to 1 and random_replace_prob to 0.",
                stacklevel=3,
            )
            self.mask_replace_prob, self.random_replace_prob = 1.0, 0.0

    def torch_call(self, features: list[Any]) -> Any:
        """Return a batch of torch tensors; `features` are {name: ids}, or bare rows of ids."""
        return self._collate(features, "pt")

    def numpy_call(self, features: list[Any]) -> Any:
        """Return a batch of numpy arrays; `features` are {name: ids}, or bare rows of ids."""
        return self._collate(features, "np")

    def _collate(self, features: list[Any], kind: str) -> Any:
        self._seed_generator(kind)
        batch, offsets = self._padded(features, kind)
        special = batch.pop("special_tokens_mask", None)
        if self.mlm:
            mask_tokens = self.torch_mask_tokens if kind == "pt" else self.numpy_mask_tokens
            batch["input_ids"], batch["labels"] = mask_tokens(batch["input_ids"], special, offsets)
        else:
            labels = batch["input_ids"].clone() if kind == "pt" else batch["input_ids"].copy()
            if self.tokenizer.pad_token_id is not None:
                labels[labels == self.tokenizer.pad_token_id] = -100
            batch["labels"] = labels
        return batch

    def _padded(self, features: list[Any], kind: str) -> tuple[Any, np.ndarray | None]:
        """Return the padded inputs, and where each token stands in its text (batch, longest, 2)."""
        if not isinstance(features[0], Mapping):
            ids = stack_ids(features, self.tokenizer, self.pad_to_multiple_of, kind)
            return {"input_ids": ids}, None
        offsets = None
        if "offset_mapping" in features[0]:
            offsets = to_python(columns_of(features)["offset_mapping"])
            features = [
                {key: value for key, value in feature.items() if key != "offset_mapping"}
                for feature in features
            ]
        batch = pad_features(
            self.tokenizer, features, pad_to_multiple_of=self.pad_to_multiple_of, return_tensors=kind
        )
        if offsets is None:
            return batch, None
        length, side = batch["input_ids"].shape[1], self.tokenizer.padding_side
        ends = [pad_rows([[pair[at] for pair in row] for row in offsets], length, 0, side) for at in (0, 1)]
        return batch, np.stack(ends, axis=-1)

    def _seed_generator(self, kind: str) -> None:
        """Make the collator's own generator, once a process."""
        if self.seed is None or self.generator is not None:
            return
        worker = torch.utils.data.get_worker_info()
        seed = self.seed + (0 if worker is None else worker.id)
        self.generator = torch.Generator().manual_seed(seed) if kind == "pt" else np.random.default_rng(seed)

    def _not_to_choose(self, labels: Any, special: Any) -> np.ndarray:
        """Return where special tokens stand, as booleans (batch, length)."""
        if special is not None:
            return np.asarray(special).astype(bool)
        return np.isin(np.asarray(labels), self.tokenizer.all_special_ids)

    def torch_mask_tokens(
        self, inputs: torch.Tensor, special_tokens_mask: Any = None, offset_mapping: Any = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return masked inputs (changed in place) and labels, both (batch, length).

        Args:
            inputs: ids.
            special_tokens_mask: 1 for tokens that are never chosen; found by id when it is None.
            offset_mapping: (batch, length, 2), for whole words.
        """
        labels = inputs.clone()
        closed = self._not_to_choose(labels, special_tokens_mask)
        words = None
        if self.whole_word_mask:
            words, closed = _words_of(offset_mapping, closed)
        chances = torch.full(labels.shape, float(self.mlm_probability or 0.0))
        chances.masked_fill_(torch.from_numpy(closed), 0.0)
        chosen = torch.bernoulli(chances, generator=self.generator).bool()
        if words is not None:
            chosen = torch.from_numpy(_whole_words(words, chosen.numpy()))
        labels[~chosen] = -100
        return self._torch_replace(inputs, chosen), labels

    def _torch_replace(self, inputs: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Put mask and random tokens where `chosen` says; the others stay."""
        draw = torch.bernoulli(
            torch.full(inputs.shape, float(self.mask_replace_prob)), generator=self.generator
        )
        masked = draw.bool() & chosen
        inputs[masked] = self.tokenizer.mask_token_id
        if self.mask_replace_prob == 1 or self.random_replace_prob == 0:
            return inputs
        share = self.random_replace_prob / (1 - self.mask_replace_prob)
        draw = torch.bernoulli(torch.full(inputs.shape, share), generator=self.generator)
        swapped = draw.bool() & chosen & ~masked
        anything = torch.randint(
            len(self.tokenizer), inputs.shape, dtype=torch.long, generator=self.generator
        )
        inputs[swapped] = anything[swapped]
        return inputs

    def numpy_mask_tokens(
        self, inputs: np.ndarray, special_tokens_mask: Any = None, offset_mapping: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return masked inputs (changed in place) and labels; see `torch_mask_tokens`."""
        labels = inputs.copy()
        closed = self._not_to_choose(labels, special_tokens_mask)
        words = None
        if self.whole_word_mask:
            words, closed = _words_of(offset_mapping, closed)
        chosen = self._draw(np.where(closed, 0.0, float(self.mlm_probability or 0.0)), labels.shape)
        if words is not None:
            chosen = _whole_words(words, chosen)
        labels[~chosen] = -100
        return self._numpy_replace(inputs, chosen), labels

    def _draw(self, chance: Any, shape: tuple[int, ...]) -> np.ndarray:
        source = self.generator if self.generator is not None else np.random
        return source.binomial(1, chance, size=shape).astype(bool)

    def _numpy_replace(self, inputs: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        masked = self._draw(self.mask_replace_prob, inputs.shape) & chosen
        inputs[masked] = self.tokenizer.mask_token_id
        if self.mask_replace_prob == 1 or self.random_replace_prob == 0:
            return inputs
        share = self.random_replace_prob / (1 - self.mask_replace_prob)
        swapped = self._draw(share, inputs.shape) & chosen & ~masked
        inputs[swapped] = self._random_ids(swapped)
        return inputs

    def _random_ids(self, places: np.ndarray) -> np.ndarray:
        """Draw one id for each place that is True."""
        integers = self.generator.integers if self.generator is not None else np.random.randint
        return integers(0, len(self.tokenizer), size=np.count_nonzero(places), dtype=np.int64)


def _words_of(offsets: np.ndarray | None, special: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each token's word (-1 for special tokens) and whether it is not the first of its word.

    A word begins where a token does not follow the one before without a gap.
    """
    if offsets is None:
        raise ValueError(
            "whole_word_mask finds words by `offset_mapping`, which these examples lack: tokenize with "
            "`return_offsets_mapping=True`."
        )
    before = np.roll(offsets[..., 1], 1, axis=1)
    before[:, 0] = -1
    special_before = np.roll(special, 1, axis=1)
    special_before[:, 0] = False
    begins = ~special & ((offsets[..., 0] != before) | special_before)
    words = np.cumsum(begins, axis=1)
    words[special] = -1
    return words, ~begins


def _whole_words(words: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return where a token's word has a chosen token, (batch, length)."""
    hits = np.zeros((len(words), words.max(initial=0) + 2), dtype=bool)
    rows, columns = np.nonzero(chosen & (words >= 0))
    hits[rows, words[rows, columns]] = True
    return np.take_along_axis(hits, np.where(words < 0, hits.shape[1] - 1, words), axis=1)
