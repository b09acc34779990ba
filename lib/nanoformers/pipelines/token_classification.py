"""Texts to labelled tokens or entities. Mirrors `TokenClassificationPipeline` of `main_classes/pipelines`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch.utils.data import Dataset

from ..auto.registry import model_classes
from .base import ArgumentHandler, ChunkPipeline
from .entities import AggregationStrategy, Offsets, Tokens, best_of_overlapping, describe_token, group, label


class TokenClassificationArgumentHandler(ArgumentHandler):
    """Joins texts with the offsets of their tokens, where a caller has those."""

    def __call__(
        self,
        inputs: Any,
        offset_mapping: Offsets | Sequence[Offsets] | None = None,
        is_split_into_words: bool = False,
    ) -> Any:
        """Return the inputs of the pipeline.

        Args:
            inputs: a text, a list of texts, a data set or a generator; words in place of a text when
                `is_split_into_words`.
            offset_mapping: for each text, (start, end) of each of its tokens, special ones included.
            is_split_into_words: whether a text is a list of words.

        Raises:
            ValueError: there is no input, or there are more or fewer mappings than texts.
        """
        if isinstance(inputs, Iterator | Dataset):
            return inputs
        if not isinstance(inputs, str | list | tuple) or (not isinstance(inputs, str) and not inputs):
            raise ValueError("At least one input is required.")
        if not isinstance(inputs, str):
            inputs = list(inputs)
            if is_split_into_words and not all(isinstance(item, list) for item in inputs):
                inputs = [inputs]
        if not offset_mapping:
            return inputs
        single = isinstance(inputs, str)
        texts: list[str] = [inputs] if single else inputs
        mappings: Any = [offset_mapping] if isinstance(offset_mapping[0], tuple) else offset_mapping
        if len(mappings) != len(texts):
            raise ValueError(
                "offset_mapping should have the same batch size as the input: "
                f"there are {len(mappings)} mappings for {len(texts)} texts."
            )
        located = [_Located(text, mapping) for text, mapping in zip(texts, mappings, strict=True)]
        return located[0] if single else located


class TokenClassificationPipeline(ChunkPipeline):
    """Label the tokens of a text, or find the entities in it, with a model for token classification.

    Its parameters are given at construction or per call.

    Args:
        aggregation_strategy: see `AggregationStrategy` ("none"); the strategies over words need a fast
            tokenizer.
        ignore_labels: labels that are left out (["O"]), without B- and I- where tokens are grouped.
        stride: read the whole of a text that is longer than the model takes, in pieces that overlap by this
            many tokens; needs a fast tokenizer and a strategy other than "none".
        offset_mapping: (start, end) of each token of a text, or a list of those for a list of texts: for
            tokenizers that cannot say (per call only).
        is_split_into_words: a text is a list of words (fast tokenizers).
        delimiter: what stands between the words (" ") in the text that `start` and `end` refer to.
        grouped_entities: the older spelling; True is "simple", with `ignore_subwords=True` "first".
        ignore_subwords: see `grouped_entities`.

    Example:
        >>> pipeline("ner", aggregation_strategy="simple")("My name is Sarah and I live in London")
        [{'entity_group': 'PER', 'score': ..., 'word': 'Sarah', 'start': 11, 'end': 16}, ...]
    """

    default_argument_handler = TokenClassificationArgumentHandler
    batch_padding_side = "right"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.check_model_type(dict(model_classes("ForTokenClassification")))

    def _sanitize_parameters(
        self,
        ignore_labels: Sequence[str] | None = None,
        grouped_entities: bool | None = None,
        ignore_subwords: bool | None = None,
        aggregation_strategy: str | AggregationStrategy | None = None,
        is_split_into_words: bool | None = None,
        delimiter: str | None = None,
        stride: int | None = None,
    ) -> tuple[dict, dict, dict]:
        if grouped_entities is not None or ignore_subwords is not None:
            aggregation_strategy = _older_spelling(grouped_entities, ignore_subwords)
        preprocess: dict[str, Any] = {}
        postprocess: dict[str, Any] = {}
        if aggregation_strategy is not None:
            strategy = AggregationStrategy(aggregation_strategy)
            if strategy.needs_words and not self.tokenizer.is_fast:
                raise ValueError(
                    "Slow tokenizers cannot handle subwords. Please set the `aggregation_strategy` option "
                    'to `"simple"` or use a fast tokenizer.'
                )
            postprocess["aggregation_strategy"] = strategy
        if ignore_labels is not None:
            postprocess["ignore_labels"] = ignore_labels
        if is_split_into_words is not None:
            preprocess["is_split_into_words"] = is_split_into_words
        if delimiter is not None:
            preprocess["delimiter"] = delimiter
        if stride is not None:
            self._check_stride(stride, postprocess.get("aggregation_strategy"))
            preprocess["stride"] = stride
        return preprocess, {}, postprocess

    def _check_stride(self, stride: int, strategy: AggregationStrategy | None) -> None:
        if stride >= self.tokenizer.model_max_length:
            raise ValueError(
                "`stride` must be less than `tokenizer.model_max_length` (or even lower if the tokenizer "
                f"adds special tokens): it is {stride}, the maximum {self.tokenizer.model_max_length}."
            )
        if strategy is AggregationStrategy.NONE:
            raise ValueError(
                '`stride` was provided to process all the text but `aggregation_strategy="none"`, '
                "please select another one instead."
            )
        if not self.tokenizer.is_fast:
            raise ValueError(
                "`stride` was provided to process all the text but you're using a slow tokenizer. "
                "Please use a fast tokenizer."
            )

    def __call__(
        self, inputs: Any, *, offset_mapping: Any | None = None, num_workers: int | None = None, **kwargs: Any
    ) -> Any:
        """Label one text, a list or a stream of them.

        Args:
            inputs: a text; a list, data set or generator of texts.
            offset_mapping: see the class.
            num_workers: see `Pipeline.__call__`.
            kwargs: see the class and `Pipeline.__call__`.

        Returns:
            For each text a list of dictionaries: "entity" (with a strategy "entity_group"), "score", "word"
            (what the tokens spell; the text itself is at `start:end`), "start" and "end" (characters; None
            when the tokenizer does not know), and without a strategy "index", the token's place.
        """
        in_words = kwargs.get(
            "is_split_into_words", self._preprocess_params.get("is_split_into_words", False)
        )
        inputs = self._args_parser(inputs, offset_mapping, in_words)
        return super().__call__(inputs, num_workers=num_workers, **kwargs)

    def preprocess(
        self,
        sentence: Any,
        is_split_into_words: bool = False,
        delimiter: str = " ",
        stride: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Encode a text, in several pieces when a stride is given."""
        mapping = None
        if isinstance(sentence, _Located):
            sentence, mapping = sentence
        fast = self.tokenizer.is_fast
        if is_split_into_words and not isinstance(sentence, list):
            raise ValueError("When `is_split_into_words=True`, `sentence` must be a list of tokens.")
        if not is_split_into_words and not isinstance(sentence, str):
            raise ValueError("When `is_split_into_words=False`, `sentence` must be an untokenized string.")
        if is_split_into_words and not fast:
            raise ValueError("is_split_into_words=True is only supported with fast tokenizers.")
        in_pieces = {} if stride is None else {"return_overflowing_tokens": True, "stride": stride}
        encoded = self.tokenizer(
            [sentence],
            truncation=self.tokenizer.model_max_length > 0,
            return_special_tokens_mask=True,
            return_offsets_mapping=fast,
            is_split_into_words=is_split_into_words,
            **in_pieces,
        )
        names = [name for name in self.tokenizer.model_input_names if name in encoded]
        for piece, ids in enumerate(encoded["input_ids"]):
            tokens = Tokens(
                text=delimiter.join(sentence) if is_split_into_words else sentence,
                ids=ids,
                words=encoded.encodings[piece].tokens if fast else self.tokenizer.convert_ids_to_tokens(ids),
                special=encoded["special_tokens_mask"][piece],
                offsets=encoded["offset_mapping"][piece] if fast else None,
            )
            if is_split_into_words:
                tokens = tokens.moved(_starts(sentence, delimiter), encoded.word_ids(piece))
            elif mapping is not None:
                tokens = tokens.located(mapping)
            yield {**{name: torch.tensor([encoded[name][piece]]) for name in names}, "tokens": tokens}

    def _forward(self, model_inputs: Mapping[str, Any]) -> dict[str, Any]:
        inputs = {name: value for name, value in model_inputs.items() if name != "tokens"}
        return {"logits": self.model(**inputs)["logits"], "tokens": model_inputs["tokens"]}

    def _row(self, model_outputs: Any, row: int, length: int) -> Any:
        outputs = super()._row(model_outputs, row, length)
        outputs["logits"] = outputs["logits"][:, :length]
        return outputs

    def postprocess(
        self,
        all_outputs: Sequence[Mapping[str, Any]],
        aggregation_strategy: AggregationStrategy = AggregationStrategy.NONE,
        ignore_labels: Sequence[str] | None = None,
    ) -> list[dict[str, Any]]:
        """Turn the logits of each piece of a text, shape (1, s, labels), into tokens or entities."""
        ignored = {"O"} if ignore_labels is None else set(ignore_labels)
        entities: list[dict[str, Any]] = []
        for outputs in all_outputs:
            tokens: Tokens = outputs["tokens"]
            logits = outputs["logits"][0]  # (s, labels)
            units = label(tokens, logits, self.model.config.id2label, aggregation_strategy, self.tokenizer)
            if aggregation_strategy is AggregationStrategy.NONE:
                found = [unit for unit in units if unit.label not in ignored]
                entities += [describe_token(tokens, unit, self.tokenizer) for unit in found]
            else:
                in_words = aggregation_strategy.needs_words
                entities += group(tokens, units, ignored, in_words, self.tokenizer)
        return best_of_overlapping(entities) if len(all_outputs) > 1 else entities


NerPipeline = TokenClassificationPipeline


class _Located(NamedTuple):
    """A text with the (start, end) of its tokens."""

    text: str
    offsets: Offsets


def _starts(words: list[str], delimiter: str) -> list[int]:
    """Return where each word starts in the words joined by a delimiter."""
    starts = [0]
    for word in words[:-1]:
        starts.append(starts[-1] + len(word) + len(delimiter))
    return starts


def _older_spelling(grouped_entities: bool | None, ignore_subwords: bool | None) -> AggregationStrategy:
    """Return the strategy that `grouped_entities` and `ignore_subwords` stood for."""
    if grouped_entities:
        strategy = AggregationStrategy.FIRST if ignore_subwords else AggregationStrategy.SIMPLE
    else:
        strategy = AggregationStrategy.NONE
    for name, value in {"grouped_entities": grouped_entities, "ignore_subwords": ignore_subwords}.items():
        if value is not None:
            warnings.warn(
                f'`{name}` is deprecated: pass `aggregation_strategy="{strategy.value}"` in its place.',
                UserWarning,
                stacklevel=4,
            )
    return strategy
