"""Calling a tokenizer: one text, a pair, a batch of either, with targets or without.

Mirrors `PreTrainedTokenizerBase.__call__` of the documentation page `main_classes/tokenizer`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .encoding import BatchEncoding
from .strategies import (
    LengthPlan,
    PaddingStrategy,
    TensorType,
    TruncationStrategy,
    plan_lengths,
    take_older_spellings,
)

__all__ = ["Calling", "EncodingOptions"]


@dataclass(frozen=True)
class EncodingOptions:
    """The arguments of one call, resolved (see `PreTrainedTokenizerBase.__call__`)."""

    lengths: LengthPlan
    add_special_tokens: bool = True
    stride: int = 0
    is_split_into_words: bool = False
    return_tensors: str | TensorType | None = None
    return_token_type_ids: bool | None = None
    return_attention_mask: bool | None = None
    return_overflowing_tokens: bool = False
    return_special_tokens_mask: bool = False
    return_offsets_mapping: bool = False
    return_length: bool = False
    verbose: bool = True
    others: dict[str, Any] = field(default_factory=dict)


class Calling:
    """The part of a tokenizer that is called: it sorts out texts and arguments; a subclass encodes."""

    _in_target_context = False

    def _encode_one(self, text: Any, pair: Any, options: EncodingOptions) -> BatchEncoding:
        raise NotImplementedError(f"{type(self).__name__} does not define _encode_one().")

    def _encode_batch(self, batch: Sequence[Any], options: EncodingOptions) -> BatchEncoding:
        raise NotImplementedError(f"{type(self).__name__} does not define _encode_batch().")

    def __call__(
        self,
        text: Any = None,
        text_pair: Any = None,
        text_target: Any = None,
        text_pair_target: Any = None,
        add_special_tokens: bool = True,
        padding: bool | str | PaddingStrategy = False,
        truncation: bool | str | TruncationStrategy | None = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        return_tensors: str | TensorType | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Turn one text, one pair of texts, or a batch of either into model inputs.

        Args:
            text: str, a list of str (a batch; or one text as words, see `is_split_into_words`), or a list of
                lists of words.
            text_pair: the second member of each pair, in the same form.
            text_target: what a sequence-to-sequence model is to answer; its ids are returned as `labels` (or
                alone, when there is no `text`).
            text_pair_target: the second member of each pair of targets.
            add_special_tokens: whether `[CLS]`, `[SEP]` and the like are put in.
            padding: True or "longest" (up to the longest of the batch), "max_length", False or "do_not_pad".
            truncation: True or "longest_first", "only_first", "only_second", False or "do_not_truncate".
            max_length: in tokens; None stands for `model_max_length` where a length is needed.
            stride: tokens that consecutive pieces share, with `return_overflowing_tokens`.
            is_split_into_words: whether a list of str is one text, already split.
            pad_to_multiple_of: round the padded length up to a multiple (8 suits tensor cores).
            return_tensors: "pt", "np", or None for lists.
            return_token_type_ids: by default as `model_input_names` says.
            return_attention_mask: by default as `model_input_names` says.
            return_overflowing_tokens: also return what truncation cut off: as further members with an
                `overflow_to_sample_mapping` (fast), as `overflowing_tokens` (slow).
            return_special_tokens_mask: also return 1 for special tokens and 0 for others.
            return_offsets_mapping: also return (start, end) characters of each token (fast only).
            return_length: also return the number of tokens as `length`.
            verbose: whether to warn.
            kwargs: passed to `tokenize` (slow).

        Returns:
            Lists of int, one level deeper for a batch; tensors are always of shape (batch, tokens).

        Raises:
            ValueError: texts of another type; wrong choices (see `pad_truncation`).
            TypeError: a batch of texts with a single second text.
        """
        if text is None and text_target is None:
            raise ValueError("You need to specify either `text` or `text_target`.")
        arguments = {
            "add_special_tokens": add_special_tokens,
            "padding": padding,
            "truncation": truncation,
            "max_length": max_length,
            "stride": stride,
            "is_split_into_words": is_split_into_words,
            "pad_to_multiple_of": pad_to_multiple_of,
            "return_tensors": return_tensors,
            "return_token_type_ids": return_token_type_ids,
            "return_attention_mask": return_attention_mask,
            "return_overflowing_tokens": return_overflowing_tokens,
            "return_special_tokens_mask": return_special_tokens_mask,
            "return_offsets_mapping": return_offsets_mapping,
            "return_length": return_length,
            "verbose": verbose,
            **kwargs,
        }
        encodings = None
        if text is not None:
            if not self._in_target_context:
                self._switch_to_input_mode()
            encodings = self._encode_texts(text, text_pair, arguments)
        if text_target is None:
            assert encodings is not None
            return encodings
        self._switch_to_target_mode()
        try:
            target_encodings = self._encode_texts(text_target, text_pair_target, arguments)
        finally:
            self._switch_to_input_mode()
        if encodings is None:
            return target_encodings
        encodings["labels"] = target_encodings["input_ids"]
        return encodings

    def _encode_texts(self, text: Any, pair: Any, arguments: dict[str, Any]) -> BatchEncoding:
        """Tell one text from a batch, check the types, and encode."""
        words = arguments["is_split_into_words"]
        for name, value in (("text", text), ("text_pair", pair)):
            if value is not None and not _is_text_input(value):
                raise ValueError(
                    f"{name} input must be of type `str` (single example), `list[str]` (batch or single "
                    "pretokenized example) or `list[list[str]]` (batch of pretokenized examples), got "
                    f"{_describe(value)}."
                )
        batched = (
            isinstance(text, (list, tuple)) and bool(text) and isinstance(text[0], (list, tuple))
            if words
            else isinstance(text, (list, tuple))
        )
        if not batched:
            return self.encode_plus(text, pair, **arguments)
        if isinstance(pair, str):
            raise TypeError(
                "when tokenizing batches of text, `text_pair` must be a list or tuple with the same length "
                "as `text`."
            )
        if pair is not None and len(text) != len(pair):
            raise ValueError(
                f"batch length of `text`: {len(text)} does not match batch length of `text_pair`: "
                f"{len(pair)}."
            )
        batch = list(zip(text, pair, strict=True)) if pair is not None else text
        return self.batch_encode_plus(batch, **arguments)

    def encode(
        self,
        text: Any,
        text_pair: Any = None,
        add_special_tokens: bool = True,
        padding: bool | str | PaddingStrategy = False,
        truncation: bool | str | TruncationStrategy | None = None,
        max_length: int | None = None,
        stride: int = 0,
        return_tensors: str | TensorType | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the `input_ids` of one text (or pair); the arguments are those of calling the tokenizer."""
        encoded = self.encode_plus(
            text,
            text_pair,
            add_special_tokens=add_special_tokens,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            stride=stride,
            return_tensors=return_tensors,
            **kwargs,
        )
        return encoded["input_ids"]

    def encode_plus(
        self, text: Any, text_pair: Any = None, add_special_tokens: bool = True, **arguments: Any
    ) -> BatchEncoding:
        """Encode one text (or pair); the arguments are those of calling the tokenizer."""
        options = self._options(add_special_tokens=add_special_tokens, **arguments)
        return self._encode_one(text, text_pair, options)

    def batch_encode_plus(
        self,
        batch_text_or_text_pairs: Sequence[Any],
        add_special_tokens: bool = True,
        **arguments: Any,
    ) -> BatchEncoding:
        """Encode a list of texts, or of (text, second text); the arguments are those of `__call__`."""
        options = self._options(add_special_tokens=add_special_tokens, **arguments)
        return self._encode_batch(batch_text_or_text_pairs, options)

    def _options(
        self,
        padding: bool | str | PaddingStrategy = False,
        truncation: bool | str | TruncationStrategy | None = None,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        verbose: bool = True,
        **arguments: Any,
    ) -> EncodingOptions:
        padding, truncation = take_older_spellings(arguments, padding, truncation)
        known = {name: arguments.pop(name) for name in _OPTION_NAMES & arguments.keys()}
        plan = plan_lengths(
            self,  # type: ignore[arg-type] # a part of a tokenizer
            padding,
            truncation,
            max_length,
            pad_to_multiple_of,
            verbose,
        )
        return EncodingOptions(lengths=plan, verbose=verbose, others=arguments, **known)

    # Targets, and older names

    def _switch_to_input_mode(self) -> None:
        """Prepare for encoding inputs (tokenizers of translation models choose the language here)."""

    def _switch_to_target_mode(self) -> None:
        """Prepare for encoding targets."""

    @contextmanager
    def as_target_tokenizer(self) -> Iterator[None]:
        """Encode targets inside a `with` block; an older form of `tokenizer(text_target=...)`."""
        warnings.warn(
            "`as_target_tokenizer` is deprecated: pass the targets as `text_target=` to the tokenizer.",
            FutureWarning,
            stacklevel=3,
        )
        self._switch_to_target_mode()
        self._in_target_context = True
        try:
            yield
        finally:
            self._in_target_context = False
            self._switch_to_input_mode()

    def prepare_seq2seq_batch(
        self,
        src_texts: list[str],
        tgt_texts: list[str] | None = None,
        max_length: int | None = None,
        max_target_length: int | None = None,
        padding: bool | str | PaddingStrategy = "longest",
        return_tensors: str | TensorType | None = None,
        truncation: bool | str | TruncationStrategy = True,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Encode texts and targets; an older form of `tokenizer(texts, text_target=targets)`."""
        warnings.warn(
            "`prepare_seq2seq_batch` is deprecated: call the tokenizer with `text=` and `text_target=`.",
            FutureWarning,
            stacklevel=2,
        )
        common = {"padding": padding, "return_tensors": return_tensors, "truncation": truncation, **kwargs}
        inputs = self(src_texts, max_length=max_length, **common)
        if tgt_texts is not None:
            target_length = max_length if max_target_length is None else max_target_length
            inputs["labels"] = self(text_target=tgt_texts, max_length=target_length, **common)["input_ids"]
        return inputs


_OPTION_NAMES = EncodingOptions.__dataclass_fields__.keys() - {"lengths", "verbose", "others"}


def _is_text_input(value: Any) -> bool:
    """Tell whether `value` is str, list of str, or list of lists of str (looking at first members only)."""
    if isinstance(value, str):
        return True
    if not isinstance(value, (list, tuple)):
        return False
    if not value or isinstance(value[0], str):
        return True
    if isinstance(value[0], (list, tuple)):
        return not value[0] or isinstance(value[0][0], str)
    return False


def _describe(value: Any) -> str:
    inner = f" of {type(value[0]).__name__}" if isinstance(value, (list, tuple)) and value else ""
    return f"{type(value).__name__}{inner}"
