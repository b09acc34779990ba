"""Tokenizers that run in Rust, through the `tokenizers` library.

Mirrors `PreTrainedTokenizerFast` of the documentation pages `main_classes/tokenizer` and `fast_tokenizers`.
"""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import Decoder

from .base import PreTrainedTokenizerBase
from .calling import EncodingOptions
from .converting import convert_slow_tokenizer
from .encoding import BatchEncoding
from .files import FULL_TOKENIZER_FILE, write_whole
from .strategies import LengthPlan, PaddingStrategy, TruncationStrategy
from .training import train_like

if TYPE_CHECKING:
    from tokenizers import Encoding
    from typing_extensions import Self

__all__ = ["PreTrainedTokenizerFast"]


class _Turn:
    """A lock of one process; the copy of what has one, pickled or not, has another."""

    def __init__(self) -> None:
        self._lock, self._process = threading.Lock(), os.getpid()

    def __enter__(self) -> None:
        if self._process != os.getpid():  # a fork copies locks as they are, also those that a thread had
            self._lock, self._process = threading.Lock(), os.getpid()
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[type[_Turn], tuple[()]]:
        return _Turn, ()


class PreTrainedTokenizerFast(PreTrainedTokenizerBase):
    """A tokenizer over a `tokenizers.Tokenizer`, which also knows where each token is in the text.

    Args:
        tokenizer_object: the `tokenizers.Tokenizer` to wrap (it is copied).
        tokenizer_file: path of a tokenizer.json, when there is no object.
        kwargs: see `PreTrainedTokenizerBase`. The file does not say which of its tokens pads, masks and so
            on: pass `pad_token=`, `mask_token=` ... as needed.

    Raises:
        ValueError: there is nothing to build the tokenizer from, or the file is not a tokenizer.
    """

    vocab_files_names = {"tokenizer_file": FULL_TOKENIZER_FILE}  # noqa: RUF012
    is_fast = True

    def __init__(self, **kwargs: Any) -> None:
        self._tokenizer = self._take_backend(kwargs)
        self._turn = _Turn()  # the backend is told how to cut before each call: threads take turns
        added_tokens_decoder: dict[int, AddedToken] = kwargs.pop("added_tokens_decoder", {})
        truncation, padding = self._tokenizer.truncation, self._tokenizer.padding
        if truncation is not None:
            kwargs.setdefault("truncation_side", truncation["direction"])
        if padding is not None:
            kwargs.setdefault("padding_side", padding["direction"])
            kwargs.setdefault("pad_token", padding["pad_token"])
        self._tokenizer.no_truncation()  # each call says what it wants
        self._tokenizer.no_padding()
        super().__init__(**kwargs)
        self._tokenizer.encode_special_tokens = self.split_special_tokens
        self._add_missing_tokens(added_tokens_decoder)

    def _take_backend(self, kwargs: dict[str, Any]) -> Tokenizer:
        """Pop what the backend is built from out of `kwargs`, and build it."""
        tokenizer_object = kwargs.pop("tokenizer_object", None)
        tokenizer_file = kwargs.pop("tokenizer_file", None)
        from_slow = kwargs.pop("from_slow", False)
        names = self.vocab_files_names.keys() - {"tokenizer_file"}
        files = {name: kwargs.pop(name) for name in names & kwargs.keys()}
        files = {name: path for name, path in files.items() if path is not None}
        convertible = self.slow_tokenizer_class is not None and files.keys() == names
        if tokenizer_object is not None:
            return copy.deepcopy(tokenizer_object)
        if tokenizer_file is not None and not (from_slow and convertible):
            return _read_tokenizer(tokenizer_file)
        if convertible and self.slow_tokenizer_class is not None:
            return convert_slow_tokenizer(self.slow_tokenizer_class(**files, **kwargs))
        raise ValueError(
            f"Couldn't instantiate the backend tokenizer of {type(self).__name__}: pass "
            "`tokenizer_object=` (a `tokenizers.Tokenizer`), `tokenizer_file=` (the path of a "
            "tokenizer.json), or, in a class that has them, all vocabulary files."
        )

    def _add_missing_tokens(self, added_tokens_decoder: dict[int, AddedToken]) -> None:
        """Add the tokens that the configuration or the arguments name and the backend lacks."""
        known = self.added_tokens_decoder
        missing: list[str | AddedToken] = [
            token
            for index, token in sorted(added_tokens_decoder.items())
            if index not in known or repr(known[index]) != repr(token)
        ]
        names = {token.content for token in known.values()} | {str(token) for token in missing}
        missing += [token for token in self.all_special_tokens_extended if str(token) not in names]
        special = set(self.all_special_tokens)
        run: list[str | AddedToken] = []  # of one kind: added together, and in the order of their ids
        run_is_special = False
        for token in missing:
            is_special = str(token) in special or (isinstance(token, AddedToken) and token.special)
            if run and is_special != run_is_special:
                self._add_tokens(run, special_tokens=run_is_special)
                run = []
            run_is_special = is_special
            run.append(token)
        if run:
            self._add_tokens(run, special_tokens=run_is_special)

    # Vocabulary

    @property
    def backend_tokenizer(self) -> Tokenizer:
        """The `tokenizers.Tokenizer` that does the work."""
        return self._tokenizer

    @property
    def decoder(self) -> Decoder:
        """The decoder of the backend."""
        return self._tokenizer.decoder

    @property
    def can_save_slow_tokenizer(self) -> bool:
        """Whether the files of the slow tokenizer can be written."""
        return self.slow_tokenizer_class is not None

    @property
    def vocab_size(self) -> int:
        """Size of the vocabulary without added tokens."""
        return self._tokenizer.get_vocab_size(with_added_tokens=False)

    def __len__(self) -> int:
        return self._tokenizer.get_vocab_size(with_added_tokens=True)

    def get_vocab(self) -> dict[str, int]:
        """Return {token: id}, added tokens included."""
        return self._tokenizer.get_vocab(with_added_tokens=True)

    @property
    def vocab(self) -> dict[str, int]:
        """{token: id}, added tokens included."""
        return self.get_vocab()

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """{id: AddedToken} of the added tokens, in the order of their ids."""
        return dict(sorted(self._tokenizer.get_added_tokens_decoder().items()))

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """{text: id} of the added tokens, in the order of their ids."""
        return {token.content: index for index, token in self.added_tokens_decoder.items()}

    def get_added_vocab(self) -> dict[str, int]:
        """Return {text: id} of the added tokens."""
        return self.added_tokens_encoder

    def _add_tokens(self, new_tokens: list[str | AddedToken], special_tokens: bool = False) -> int:
        size = len(self)  # the backend counts a token that the vocabulary has already as a new one
        if special_tokens:
            known = set(self.all_special_tokens)
            self._additional_special_tokens += [t for t in dict.fromkeys(new_tokens) if str(t) not in known]
            self._tokenizer.add_special_tokens(new_tokens)
        else:
            self._tokenizer.add_tokens(new_tokens)
        return len(self) - size

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """Return the id of a token, or the ids of a list of tokens (the unknown token's for unknown ones)."""
        if tokens is None:
            return None
        if isinstance(tokens, str):
            index = self._tokenizer.token_to_id(tokens)
            if index is None and self._unk_token is not None:  # type: ignore[attr-defined]
                return self._tokenizer.token_to_id(str(self._unk_token))  # type: ignore[attr-defined]
            return index
        return [self.convert_tokens_to_ids(token) for token in tokens]

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """Return the token of an id, or the tokens of a list of ids, perhaps without special ones."""
        if isinstance(ids, int):
            return self._tokenizer.id_to_token(ids)
        special = set(self.all_special_ids) if skip_special_tokens else ()
        return [self._tokenizer.id_to_token(int(index)) for index in ids if int(index) not in special]

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """Return how many special tokens are put around a text (or a pair)."""
        return self._tokenizer.num_special_tokens_to_add(pair)

    # Encoding

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        """Split a text (or pair) into tokens, as text; the arguments are those of calling the tokenizer."""
        return self.encode_plus(text, pair, add_special_tokens=add_special_tokens, **kwargs).tokens()

    def set_truncation_and_padding(
        self,
        padding_strategy: PaddingStrategy,
        truncation_strategy: TruncationStrategy,
        max_length: int | None,
        stride: int,
        pad_to_multiple_of: int | None,
    ) -> None:
        """Tell the backend how the next texts are truncated and padded."""
        if truncation_strategy is TruncationStrategy.DO_NOT_TRUNCATE or max_length is None:
            if self._tokenizer.truncation is not None:
                self._tokenizer.no_truncation()
        else:
            truncation = {
                "max_length": max_length,
                "stride": stride,
                "strategy": truncation_strategy.value,
                "direction": self.truncation_side,
            }
            if self._tokenizer.truncation != truncation:
                self._tokenizer.enable_truncation(**truncation)
        if padding_strategy is PaddingStrategy.DO_NOT_PAD:
            if self._tokenizer.padding is not None:
                self._tokenizer.no_padding()
        else:
            padding = {
                "length": max_length if padding_strategy is PaddingStrategy.MAX_LENGTH else None,
                "direction": self.padding_side,
                "pad_id": self.pad_token_id,
                "pad_token": self.pad_token,
                "pad_type_id": self.pad_token_type_id,
                "pad_to_multiple_of": pad_to_multiple_of,
            }
            if self._tokenizer.padding != padding:
                self._tokenizer.enable_padding(**padding)

    def _encode_one(self, text: Any, pair: Any, options: EncodingOptions) -> BatchEncoding:
        encoded = self._encode_batch([(text, pair)] if pair is not None else [text], options)
        if options.return_tensors is None and not options.return_overflowing_tokens:
            return BatchEncoding(
                {
                    key: value[0] if value and isinstance(value[0], list) else value
                    for key, value in encoded.items()
                },
                encoded.encodings,
            )
        return encoded

    def _encode_batch(self, batch: Sequence[Any], options: EncodingOptions) -> BatchEncoding:
        if not isinstance(batch, (tuple, list)):
            raise TypeError(f"batch_text_or_text_pairs has to be a list or a tuple (got {type(batch)})")
        split_special = options.others.get("split_special_tokens", self.split_special_tokens)
        if unknown := options.others.keys() - {"split_special_tokens"}:
            raise TypeError(
                f"{type(self).__name__} does not know the arguments {', '.join(sorted(unknown))}; see "
                "`help(tokenizer.__call__)` for those that it takes."
            )
        plan = options.lengths
        with self._turn:
            if self._tokenizer.encode_special_tokens != split_special:
                self._tokenizer.encode_special_tokens = split_special
            self.set_truncation_and_padding(
                plan.padding, plan.truncation, plan.max_length, options.stride, plan.pad_to_multiple_of
            )
            encodings = self._encoded(batch, options)
        members: list[Encoding] = encodings
        if options.return_overflowing_tokens:
            members = [part for encoding in encodings for part in (encoding, *encoding.overflowing)]
        data = self._columns(members, options)
        if options.return_overflowing_tokens:
            data["overflow_to_sample_mapping"] = [
                sample
                for sample, encoding in enumerate(encodings)
                for _ in range(1 + len(encoding.overflowing))
            ]
        if options.verbose and plan.max_length is None:
            for encoding in members:
                self.warn_if_too_long(len(encoding), None, True)
        return BatchEncoding(data, members, tensor_type=options.return_tensors)

    def _encoded(self, batch: Sequence[Any], options: EncodingOptions) -> list[Encoding]:
        try:
            return self._tokenizer.encode_batch(
                batch,
                add_special_tokens=options.add_special_tokens,
                is_pretokenized=options.is_split_into_words,
            )
        except TypeError as error:
            raise TypeError(
                "Texts have to be `str` (of characters that UTF-8 can say: a lone surrogate is none), pairs "
                "of them, or, with `is_split_into_words=True`, lists of words."
            ) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # Rust's, which no module exports
                raise
            raise ValueError(
                f"The tokenizer cannot cut texts to max_length={options.lengths.max_length} with "
                f"stride={options.stride}: the stride has to be smaller than the room for a text beside "
                f"special tokens and its pair ({error})."
            ) from error

    def _columns(self, members: list[Encoding], options: EncodingOptions) -> dict[str, list[Any]]:
        """Take out of the encodings what was asked for."""
        wants_types, wants_mask = options.return_token_type_ids, options.return_attention_mask
        if wants_types is None:
            wants_types = "token_type_ids" in self.model_input_names
        if wants_mask is None:
            wants_mask = "attention_mask" in self.model_input_names
        data: dict[str, list[Any]] = {"input_ids": [encoding.ids for encoding in members]}
        if wants_types:
            data["token_type_ids"] = [encoding.type_ids for encoding in members]
        if wants_mask:
            data["attention_mask"] = [encoding.attention_mask for encoding in members]
        if options.return_special_tokens_mask:
            data["special_tokens_mask"] = [encoding.special_tokens_mask for encoding in members]
        if options.return_offsets_mapping:
            data["offset_mapping"] = [encoding.offsets for encoding in members]
        if options.return_length:
            data["length"] = [len(ids) for ids in data["input_ids"]]
        return data

    # Decoding

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens as the backend's decoder does (with spaces, when it has none)."""
        decoder = self._tokenizer.decoder
        return " ".join(tokens) if decoder is None else decoder.decode(tokens)

    def _decode(
        self,
        token_ids: list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> str:
        text = self._tokenizer.decode(token_ids, skip_special_tokens=skip_special_tokens)
        clean_up = (
            self.clean_up_tokenization_spaces
            if clean_up_tokenization_spaces is None
            else clean_up_tokenization_spaces
        )
        return self.clean_up_tokenization(text) if clean_up else text

    # Saving and training

    def _save_vocabulary_files(
        self, folder: Path, legacy_format: bool | None, filename_prefix: str | None
    ) -> tuple[str, ...]:
        if legacy_format and not self.can_save_slow_tokenizer:
            raise ValueError(
                f"{type(self).__name__} cannot be saved in the older format that `legacy_format=True` asks "
                "for: the vocabulary of its slow tokenizer is not known. Use `legacy_format=None` or False."
            )
        files: tuple[str, ...] = ()
        if legacy_format is not False and self.can_save_slow_tokenizer:
            files += self._save_slow_files(folder, filename_prefix)
        if not legacy_format:
            name = f"{filename_prefix}-{FULL_TOKENIZER_FILE}" if filename_prefix else FULL_TOKENIZER_FILE
            with self._turn:
                self.set_truncation_and_padding(*_NO_LENGTHS)
                files += (write_whole(folder / name, lambda beside: self._tokenizer.save(str(beside))),)
        return files

    def train_new_from_iterator(
        self,
        text_iterator: Iterable[Sequence[str]],
        vocab_size: int,
        length: int | None = None,
        new_special_tokens: list[str | AddedToken] | None = None,
        special_tokens_map: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Train a tokenizer of the same kind (algorithm, normalisation, special tokens) on other texts.

        Args:
            text_iterator: gives texts, or better lists of texts (1,000, say).
            vocab_size: how large the new vocabulary is at most.
            length: how many items the iterator gives, for the progress bar.
            new_special_tokens: further special tokens.
            special_tokens_map: {old text: new text}, to rename special tokens.
            kwargs: arguments of the `tokenizers` trainer.

        Returns:
            A tokenizer of this class.

        Raises:
            ValueError: the algorithm has no trainer.
        """
        renamed = special_tokens_map or {}
        backend = train_like(
            self._tokenizer, text_iterator, vocab_size, length, new_special_tokens or [], renamed, kwargs
        )
        arguments = dict(self.init_kwargs)
        for name, value in self.special_tokens_map_extended.items():
            arguments[name] = (
                [_renamed(t, renamed) for t in value] if isinstance(value, list) else _renamed(value, renamed)
            )
        if new_special_tokens:
            known = {str(token) for token in arguments.get("additional_special_tokens", [])}
            arguments["additional_special_tokens"] = list(arguments.get("additional_special_tokens", [])) + [
                token for token in new_special_tokens if str(token) not in known
            ]
        return type(self)(tokenizer_object=backend, **arguments)


_NO_LENGTHS = (
    *LengthPlan(PaddingStrategy.DO_NOT_PAD, TruncationStrategy.DO_NOT_TRUNCATE, None, None)[:3],
    0,
    None,
)


def _renamed(token: str | AddedToken, names: dict[str, str]) -> str | AddedToken:
    """Return the token under its new name, with the properties it had."""
    new = names.get(str(token))
    if new is None:
        return token
    if isinstance(token, str):
        return new
    return AddedToken(
        new,
        single_word=token.single_word,
        lstrip=token.lstrip,
        rstrip=token.rstrip,
        normalized=token.normalized,
        special=True,
    )


def _read_tokenizer(path: str) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare `Exception`
        if not Path(path).is_file():
            raise OSError(f"There is no tokenizer file {path}: pass the path of a tokenizer.json.") from error
        raise ValueError(
            f"{path} is not a tokenizer.json that the `tokenizers` library can read ({error}): download or "
            "save it once more."
        ) from error
