"""What all tokenizers have in common: calling them, encoding, padding, decoding.

Mirrors `PreTrainedTokenizerBase` of the documentation pages `main_classes/tokenizer` and
`internal/tokenization_utils`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..utils import logging
from . import preparing
from .encoding import BatchEncoding
from .loading import PretrainedFilesMixin
from .special_tokens import NAMES, tokens_from_json, tokens_to_json
from .strategies import (
    VERY_LARGE_INTEGER,
    LengthPlan,
    PaddingStrategy,
    TensorType,
    TruncationStrategy,
    plan_lengths,
    take_older_spellings,
)
from .tensors import to_python

__all__ = ["EncodingOptions", "PreTrainedTokenizerBase"]

logger = logging.get_logger(__name__)

# Arguments that say where a tokenizer comes from: they are not written to tokenizer_config.json.
_ORIGIN = {"name_or_path", "added_tokens_decoder", "from_slow", "chat_template", "verbose"}


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


class PreTrainedTokenizerBase(PretrainedFilesMixin):
    """Base class of `PreTrainedTokenizer` (pure Python) and `PreTrainedTokenizerFast`.

    Args:
        model_max_length: how many tokens the model takes; a huge number when it has no maximum.
        padding_side, truncation_side: "right" or "left".
        chat_template: template of conversations; kept, saved, and not used here.
        model_input_names: what the tokenizer returns by default; the first is what padding looks at.
        clean_up_tokenization_spaces: whether decoding removes spaces before punctuation and in contractions.
        split_special_tokens: whether special tokens inside a text are split like any other text.
        kwargs: special tokens (`bos_token` ... `additional_special_tokens`); further ones are saved and
            restored with the tokenizer.

    Raises:
        ValueError: a side that is neither "right" nor "left"; an invalid special token.
    """

    model_input_names: Sequence[str] = ("input_ids", "token_type_ids", "attention_mask")
    padding_side: str = "right"
    truncation_side: str = "right"
    is_fast: ClassVar[bool] = False

    def __init__(self, **kwargs: Any) -> None:
        self.name_or_path = kwargs.get("name_or_path", "")
        self.init_kwargs = {
            key: value
            for key, value in kwargs.items()
            if key not in _ORIGIN and key not in NAMES and not key.endswith("_file")
        }
        older_maximum = kwargs.pop("max_len", None)
        maximum = kwargs.pop("model_max_length", None) or older_maximum
        self.model_max_length: int = VERY_LARGE_INTEGER if maximum is None else maximum
        for side in ("padding_side", "truncation_side"):
            value = kwargs.pop(side, getattr(self, side))
            if value not in ("right", "left"):
                raise ValueError(
                    f"{side.replace('_', ' ').capitalize()} should be selected between 'right' and 'left', "
                    f"current value: {value}"
                )
            setattr(self, side, value)
        self.chat_template = kwargs.pop("chat_template", None)
        self.model_input_names = list(kwargs.pop("model_input_names", self.model_input_names))
        self.clean_up_tokenization_spaces: bool = kwargs.pop("clean_up_tokenization_spaces", True)
        self.split_special_tokens: bool = kwargs.pop("split_special_tokens", False)
        self.deprecation_warnings: dict[str, bool] = {}  # {key: True} of what this tokenizer has warned of
        self._in_target_context = False
        super().__init__(**kwargs)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(name_or_path={self.name_or_path!r}, vocab_size={self.vocab_size}, "
            f"model_max_length={self.model_max_length}, is_fast={self.is_fast}, "
            f"padding_side={self.padding_side!r}, truncation_side={self.truncation_side!r}, "
            f"special_tokens={self.special_tokens_map})"
        )

    # What a subclass defines

    @property
    def vocab_size(self) -> int:
        """Size of the vocabulary without added tokens (`len(tokenizer)` counts those too)."""
        raise NotImplementedError(f"{type(self).__name__} does not define vocab_size.")

    def __len__(self) -> int:
        return len(self.get_vocab())

    def get_vocab(self) -> dict[str, int]:
        """Return {token: id}, added tokens included."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_vocab().")

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        """Split a text into tokens, as text."""
        raise NotImplementedError(f"{type(self).__name__} does not define tokenize().")

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """Return how many special tokens are put around a text (or a pair)."""
        raise NotImplementedError(f"{type(self).__name__} does not define num_special_tokens_to_add().")

    def _encode_one(self, text: Any, pair: Any, options: EncodingOptions) -> BatchEncoding:
        raise NotImplementedError(f"{type(self).__name__} does not define _encode_one().")

    def _encode_batch(self, batch: Sequence[Any], options: EncodingOptions) -> BatchEncoding:
        raise NotImplementedError(f"{type(self).__name__} does not define _encode_batch().")

    def _decode(
        self,
        token_ids: list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> str:
        raise NotImplementedError(f"{type(self).__name__} does not define _decode().")

    # Encoding

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
        """Encode a list of texts, or of (text, second text); the arguments are those of calling the "
        "tokenizer.
        """
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
        plan = plan_lengths(self, padding, truncation, max_length, pad_to_multiple_of, verbose)
        return EncodingOptions(lengths=plan, verbose=verbose, others=arguments, **known)

    # From ids

    def prepare_for_model(
        self,
        ids: list[int],
        pair_ids: list[int] | None = None,
        add_special_tokens: bool = True,
        **arguments: Any,
    ) -> BatchEncoding:
        """Turn ids into model inputs: truncate, put special tokens around them, pad.

        Args:
            ids: of the text, without special tokens.
            pair_ids: of the second text, without special tokens.
            add_special_tokens: whether to put special tokens in.
            arguments: those of calling the tokenizer, and `prepend_batch_axis` (whether tensors
                get a leading axis of size 1).
        """
        prepend_batch_axis = arguments.pop("prepend_batch_axis", False)
        options = self._options(add_special_tokens=add_special_tokens, **arguments)
        member = self._prepare(ids, pair_ids, options)
        return self._finish([member], options, single=True, prepend_batch_axis=prepend_batch_axis)

    def _prepare(
        self, ids: list[int], pair_ids: list[int] | None, options: EncodingOptions
    ) -> dict[str, Any]:
        """`prepare_for_model` before padding."""
        return preparing.prepare_for_model(
            self,
            ids,
            pair_ids,
            options.lengths,
            add_special_tokens=options.add_special_tokens,
            stride=options.stride,
            return_token_type_ids=options.return_token_type_ids,
            return_overflowing_tokens=options.return_overflowing_tokens,
            return_special_tokens_mask=options.return_special_tokens_mask,
            verbose=options.verbose,
        )

    def _finish(
        self,
        members: list[dict[str, Any]],
        options: EncodingOptions,
        *,
        single: bool,
        prepend_batch_axis: bool = False,
    ) -> BatchEncoding:
        """Pad prepared members and collect them; a `single` one loses the level of the batch."""
        name = self.model_input_names[0]
        data: dict[str, list[Any]] = {name: []}
        if members:
            data = {key: [member[key] for member in members] for key in members[0]}
            preparing.pad_in_place(self, data, options.lengths, options.return_attention_mask)
        if options.return_length:
            data["length"] = [len(ids) for ids in data[name]]
        result: dict[str, Any] = {key: value[0] for key, value in data.items()} if single else data
        return BatchEncoding(
            result, tensor_type=options.return_tensors, prepend_batch_axis=prepend_batch_axis
        )

    def truncate_sequences(
        self,
        ids: list[int],
        pair_ids: list[int] | None = None,
        num_tokens_to_remove: int = 0,
        truncation_strategy: str | TruncationStrategy = "longest_first",
        stride: int = 0,
    ) -> tuple[list[int], list[int] | None, list[int]]:
        """Remove tokens from a text or pair, at `truncation_side`.

        Returns:
            Both members, and the tokens cut off together with `stride` of those beside them (none for pairs
            truncated longest first).
        """
        strategy = TruncationStrategy(truncation_strategy)
        return preparing.truncate_sequences(
            ids, pair_ids, num_tokens_to_remove, strategy, stride, self.truncation_side
        )

    def pad(
        self,
        encoded_inputs: Any,
        padding: bool | str | PaddingStrategy = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | TensorType | None = None,
        verbose: bool = True,
    ) -> BatchEncoding:
        """Pad what a tokenizer returned, or a list of such things, to one length.

        Args:
            encoded_inputs: {name: ids}, {name: list of ids}, or a list of {name: ids}; arrays and tensors are
                taken too, and given back unless `return_tensors` says otherwise. `input_ids`,
                `attention_mask`, `token_type_ids` and `special_tokens_mask` are padded, others kept.
            padding: as in calling the tokenizer, but True by default.
            max_length: as in calling the tokenizer.
            pad_to_multiple_of: as in calling the tokenizer.
            return_attention_mask: as in calling the tokenizer.
            return_tensors: as in calling the tokenizer; by default, what came in.
            verbose: whether to warn.

        Raises:
            ValueError: there are no `input_ids`, members disagree in number, or there is no padding token.
        """
        if self.is_fast and verbose:
            self.warn_once(
                "Asking-to-pad-a-fast-tokenizer",
                f"You're using a {type(self).__name__} tokenizer: calling it on the texts with `padding=` is "
                "faster than encoding them one by one and then calling `pad`.",
                advice=True,
            )
        return preparing.pad(
            self,
            encoded_inputs,
            padding,
            max_length,
            pad_to_multiple_of,
            return_attention_mask,
            return_tensors,
            verbose,
        )

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Put special tokens around the ids of a text or pair; this class has none to put."""
        return list(token_ids_0) if token_ids_1 is None else list(token_ids_0) + list(token_ids_1)

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return 0 for each token of the first text and 1 for each of the second, special tokens included."""
        first = len(self.build_inputs_with_special_tokens(token_ids_0))
        both = len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))
        return [0] * first + [1] * (both - first if token_ids_1 is not None else 0)

    def get_special_tokens_mask(
        self,
        token_ids_0: list[int],
        token_ids_1: list[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """Return 1 for special tokens and 0 for others.

        Args:
            token_ids_0: ids of a text.
            token_ids_1: ids of the second text of a pair.
            already_has_special_tokens: whether `token_ids_0` is the whole, special tokens included.

        Raises:
            ValueError: a second list together with `already_has_special_tokens`.
        """
        if already_has_special_tokens:
            if token_ids_1 is not None:
                raise ValueError(
                    "You should not supply a second sequence if the provided sequence of ids is already "
                    "formatted with special tokens for the model."
                )
            special = set(self.all_special_ids)
            return [int(token_id in special) for token_id in token_ids_0]
        texts = [None if ids is None else [-1] * len(ids) for ids in (token_ids_0, token_ids_1)]
        marked = self.build_inputs_with_special_tokens(texts[0] or [], texts[1])
        return [int(token_id != -1) for token_id in marked]

    @property
    def max_len_single_sentence(self) -> int:
        """How many tokens of a text fit beside its special tokens."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=False)

    @property
    def max_len_sentences_pair(self) -> int:
        """How many tokens of a pair fit beside its special tokens."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=True)

    # Decoding

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> str:
        """Turn ids back into text.

        Args:
            token_ids: an id, or a list, array or tensor of one dimension.
            skip_special_tokens: whether to leave special tokens out.
            clean_up_tokenization_spaces: whether to remove spaces before punctuation and in contractions;
                by default what the tokenizer's attribute of that name says.
            kwargs: `spaces_between_special_tokens=True` (slow): whether added tokens get spaces around them.
        """
        token_ids = to_python(token_ids)
        if isinstance(token_ids, int):
            token_ids = [token_ids]
        return self._decode(token_ids, skip_special_tokens, clean_up_tokenization_spaces, **kwargs)

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Turn a batch of ids (lists, or an array or tensor of two dimensions) into texts; see `decode`."""
        return [
            self.decode(ids, skip_special_tokens, clean_up_tokenization_spaces, **kwargs)
            for ids in to_python(sequences)
        ]

    @staticmethod
    def clean_up_tokenization(out_string: str) -> str:
        """Remove the spaces that tokenization left before punctuation and in English contractions."""
        for mark in (" .", " ?", " !", " ,"):
            out_string = out_string.replace(mark, mark[1:])
        out_string = out_string.replace(" ' ", "'")
        for ending in (" n't", " 'm", " 's", " 've", " 're"):
            out_string = out_string.replace(ending, ending[1:])
        return out_string

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens to a text."""
        raise NotImplementedError(f"{type(self).__name__} does not define convert_tokens_to_string().")

    # Warnings, targets, older names

    def warn_once(self, key: str, message: str, *, advice: bool = False) -> None:
        """Log a warning, unless this tokenizer has already logged the one of that key."""
        if not self.deprecation_warnings.get(key, False):
            (logger.warning_advice if advice else logger.warning)(message)
            self.deprecation_warnings[key] = True

    def warn_if_too_long(self, length: int, max_length: int | None, verbose: bool) -> None:
        """Warn (once) of a text that the model cannot take and that nobody asked to truncate."""
        if verbose and max_length is None and length > self.model_max_length:
            self.warn_once(
                "sequence-length-is-longer-than-the-specified-maximum",
                "Token indices sequence length is longer than the specified maximum sequence length for this "
                f"model ({length} > {self.model_max_length}). Running this sequence through the model will "
                "result in indexing errors: pass `truncation=True` to cut it.",
            )

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

    @classmethod
    def convert_added_tokens(cls, obj: Any, save: bool = False, add_type_field: bool = True) -> Any:
        """Turn `AddedToken`s inside `obj` into dictionaries (`save=True`), or dictionaries into tokens."""
        return tokens_to_json(obj, with_type=add_type_field) if save else tokens_from_json(obj)


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
