"""What all tokenizers have in common: their settings, special tokens around texts, padding.

Mirrors `PreTrainedTokenizerBase` of the documentation pages `main_classes/tokenizer` and
`internal/tokenization_utils`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..utils import logging
from . import preparing
from .calling import Calling, EncodingOptions
from .decoding import Decoding
from .encoding import BatchEncoding
from .loading import PretrainedFilesMixin
from .special_tokens import NAMES, tokens_from_json, tokens_to_json
from .strategies import VERY_LARGE_INTEGER, PaddingStrategy, TensorType, TruncationStrategy

__all__ = ["PreTrainedTokenizerBase"]

logger = logging.get_logger(__name__)

# Arguments that say where a tokenizer comes from: they are not written to tokenizer_config.json.
_ORIGIN = {"name_or_path", "added_tokens_decoder", "from_slow", "chat_template", "verbose"}


class PreTrainedTokenizerBase(Calling, Decoding, PretrainedFilesMixin):
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

    # Warnings, older names

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

    @classmethod
    def convert_added_tokens(cls, obj: Any, save: bool = False, add_type_field: bool = True) -> Any:
        """Turn `AddedToken`s inside `obj` into dictionaries (`save=True`), or dictionaries into tokens."""
        return tokens_to_json(obj, with_type=add_type_field) if save else tokens_from_json(obj)
