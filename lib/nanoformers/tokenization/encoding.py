"""What a tokenizer returns: a dictionary of model inputs that can also align tokens with the text.

Mirrors `BatchEncoding`, `CharSpan` and `TokenSpan` of the documentation pages `main_classes/tokenizer` and
`internal/tokenization_utils`.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import ItemsView, KeysView, ValuesView
from typing import TYPE_CHECKING, Any, NamedTuple

from ..utils import logging
from .strategies import TensorType
from .tensors import to_tensor

if TYPE_CHECKING:
    from tokenizers import Encoding

__all__ = ["BatchEncoding", "CharSpan", "TokenSpan"]

logger = logging.get_logger(__name__)


class CharSpan(NamedTuple):
    """Characters `start` up to, not including, `end` of a text."""

    start: int
    end: int


class TokenSpan(NamedTuple):
    """Tokens `start` up to, not including, `end` of an encoding."""

    start: int
    end: int


class BatchEncoding(UserDict):
    """The result of calling a tokenizer: `input_ids`, `attention_mask` and so on, as a dictionary.

    One that comes from a fast tokenizer also answers questions of alignment. Their first argument is the
    index within the batch and may be left out for a batch of one: `char_to_token(6)` is
    `char_to_token(0, 6)`. Indices from the end (negative) are accepted for the batch and for tokens.

    Args:
        data: the model inputs, {name: list (of lists) of int}.
        encoding: the `tokenizers.Encoding` of each member, from a fast tokenizer.
        tensor_type: "pt" or "np" to convert `data` to tensors.
        prepend_batch_axis: whether tensors get a leading axis of size 1.
        n_sequences: how many texts make one member (2 for pairs); by default what the encodings say.

    Raises:
        ValueError: `data` cannot be made into tensors of one shape.
    """

    def __init__(
        self,
        data: dict[str, Any] | None = None,
        encoding: Encoding | list[Encoding] | None = None,
        tensor_type: str | TensorType | None = None,
        prepend_batch_axis: bool = False,
        n_sequences: int | None = None,
    ) -> None:
        super().__init__(data)
        self._encodings = encoding if encoding is None or isinstance(encoding, list) else [encoding]
        if n_sequences is None and self._encodings:
            n_sequences = self._encodings[0].n_sequences
        self._n_sequences = n_sequences
        self.convert_to_tensors(tensor_type=tensor_type, prepend_batch_axis=prepend_batch_axis)

    @property
    def n_sequences(self) -> int | None:
        """How many texts each member was made from: 1, 2 (a pair), or None when that is not known."""
        return self._n_sequences

    @property
    def is_fast(self) -> bool:
        """Whether a fast tokenizer made this, so that the methods of alignment work."""
        return self._encodings is not None

    @property
    def encodings(self) -> list[Encoding] | None:
        """The `tokenizers.Encoding` of each member; None from a tokenizer in pure Python."""
        return self._encodings

    def __getitem__(self, item: int | str | slice) -> Any:
        """Return one entry by name, one member's `Encoding` by index, or a slice of every entry."""
        if isinstance(item, str):
            return self.data[item]
        if isinstance(item, slice):
            return {key: value[item] for key, value in self.data.items()}
        if self._encodings is None:
            raise KeyError(
                f"{item!r}: entries are found by name, and slices of all entries by slice; members by "
                "integer only in what a fast tokenizer returned."
            )
        return self._encodings[item]

    def __getattr__(self, item: str) -> Any:
        try:
            return self.__dict__["data"][item]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no attribute or entry {item!r}") from None

    def __getstate__(self) -> dict[str, Any]:
        return {"data": self.data, "encodings": self._encodings, "n_sequences": self._n_sequences}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.data = state["data"]
        self._encodings = state["encodings"]
        self._n_sequences = state.get("n_sequences")

    def keys(self) -> KeysView[str]:
        """Return the names of the entries."""
        return self.data.keys()

    def values(self) -> ValuesView[Any]:
        """Return the entries."""
        return self.data.values()

    def items(self) -> ItemsView[str, Any]:
        """Return (name, entry) pairs."""
        return self.data.items()

    # One member as a whole

    def tokens(self, batch_index: int = 0) -> list[str]:
        """Return the tokens of one member, as text."""
        return self._fast("tokens()")[batch_index].tokens

    def sequence_ids(self, batch_index: int = 0) -> list[int | None]:
        """Return for each token which text it comes from: 0, 1 (second of a pair), None (special token)."""
        return self._fast("sequence_ids()")[batch_index].sequence_ids

    def word_ids(self, batch_index: int = 0) -> list[int | None]:
        """Return for each token the index of its word, None for special tokens."""
        return self._fast("word_ids()")[batch_index].word_ids

    def words(self, batch_index: int = 0) -> list[int | None]:
        """Return `word_ids(batch_index)`; this is its older name."""
        logger.warning_once("`BatchEncoding.words()` is deprecated: use `BatchEncoding.word_ids()`.")
        return self.word_ids(batch_index)

    # From a token

    def token_to_sequence(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """Return which text of the pair a token comes from (None for a special token)."""
        encoding, index = self._at(
            "token_to_sequence()", batch_or_token_index, token_index, count_tokens=True
        )
        return encoding.token_to_sequence(index)

    def token_to_word(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """Return the index of a token's word (None for a special token)."""
        encoding, index = self._at("token_to_word()", batch_or_token_index, token_index, count_tokens=True)
        return encoding.token_to_word(index)

    def token_to_chars(self, batch_or_token_index: int, token_index: int | None = None) -> CharSpan | None:
        """Return the characters that a token comes from (None for a special token)."""
        encoding, index = self._at("token_to_chars()", batch_or_token_index, token_index, count_tokens=True)
        span = encoding.token_to_chars(index)
        return None if span is None else CharSpan(*span)

    # From a word

    def word_to_tokens(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> TokenSpan | None:
        """Return the tokens of a word of one of the texts (None when it has none)."""
        encoding, index = self._at("word_to_tokens()", batch_or_word_index, word_index)
        span = encoding.word_to_tokens(index, sequence_index)
        return None if span is None else TokenSpan(*span)

    def word_to_chars(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> CharSpan | None:
        """Return the characters of a word of one of the texts (None when there is no such word)."""
        encoding, index = self._at("word_to_chars()", batch_or_word_index, word_index)
        span = encoding.word_to_chars(index, sequence_index)
        return None if span is None else CharSpan(*span)

    # From a character

    def char_to_token(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """Return the index of the token that covers a character (None for a space, say)."""
        encoding, index = self._at("char_to_token()", batch_or_char_index, char_index)
        return encoding.char_to_token(index, sequence_index)

    def char_to_word(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """Return the index of the word that a character belongs to (None for a space, say)."""
        encoding, index = self._at("char_to_word()", batch_or_char_index, char_index)
        return encoding.char_to_word(index, sequence_index)

    # Tensors

    def convert_to_tensors(
        self, tensor_type: str | TensorType | None = None, prepend_batch_axis: bool = False
    ) -> BatchEncoding:
        """Convert every entry in place.

        Args:
            tensor_type: "pt" or "np"; with None nothing happens.
            prepend_batch_axis: whether to add a leading axis of size 1.

        Raises:
            ValueError: an unknown type, or an entry that is not rectangular.
            ImportError: "pt" is asked for and torch is not installed.
        """
        if tensor_type is None:
            return self
        tensor_type = TensorType(tensor_type)
        for key, value in self.data.items():
            try:
                self.data[key] = to_tensor([value] if prepend_batch_axis else value, tensor_type)
            except (ValueError, TypeError) as error:
                if key == "overflowing_tokens":
                    remedy = (
                        "overflowing tokens of different lengths do not fit into a tensor: leave "
                        "`return_tensors` out when you ask for `return_overflowing_tokens=True`"
                    )
                else:
                    remedy = (
                        "activate truncation and padding with `truncation=True` and `padding=True` to get "
                        "members of the same length, and leave text and None out"
                    )
                raise ValueError(f"Unable to create a tensor from `{key}`: {remedy}.") from error
        return self

    def to(self, device: Any, *, non_blocking: bool = False) -> BatchEncoding:
        """Move every tensor to a device (of torch), in place, and return the encoding."""
        self.data = {
            key: value.to(device, non_blocking=non_blocking) if hasattr(value, "to") else value
            for key, value in self.data.items()
        }
        return self

    def _fast(self, what: str) -> list[Encoding]:
        """Return the encodings, or say that `what` needs a fast tokenizer."""
        if self._encodings is None:
            raise ValueError(
                f"{what} is not available when using non-fast tokenizers: use an instance of a "
                "`...TokenizerFast` class, for example `AutoTokenizer.from_pretrained(name, use_fast=True)`."
            )
        return self._encodings

    def _at(
        self, what: str, batch_or_index: int, index: int | None, *, count_tokens: bool = False
    ) -> tuple[Encoding, int]:
        """Sort out (batch index, index) from one or two given numbers; negative ones count from the end."""
        encodings = self._fast(what)
        encoding = encodings[0 if index is None else batch_or_index]
        index = batch_or_index if index is None else index
        if index < 0:
            if not count_tokens:
                raise ValueError(f"{what}: indices of words and characters start from 0, got {index}")
            index += len(encoding)
        return encoding, index
