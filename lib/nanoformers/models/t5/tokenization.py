"""The tokenizers of T5: a unigram model of `sentencepiece`, and sentinels.

Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer"
(arXiv:1910.10683).
"""

from __future__ import annotations

import os
import re
from typing import Any

import sentencepiece
from tokenizers import AddedToken, Tokenizer, processors

from ...tokenization import PreTrainedTokenizerFast
from ...tokenization.sentence_pieces import (
    SPACE,
    SentencePieceTokenizer,
    model_of_backend,
    read_model,
    unigram_backend,
    without_dummy_prefix,
    write_model,
)
from ...utils import logging

__all__ = ["T5Tokenizer", "T5TokenizerFast"]

logger = logging.get_logger(__name__)

VOCAB_FILE = "spiece.model"
_SENTINEL = re.compile(r"<extra_id_(\d+)>")


def _with_sentinels(extra_ids: int, additional_special_tokens: Any) -> list[Any]:
    """Return the additional special tokens with the sentinels among them.

    Raises:
        ValueError: there are some already, and not `extra_ids` of them.
    """
    given = list(additional_special_tokens or ())
    present = [token for token in given if _SENTINEL.fullmatch(str(token))]
    if not present:
        return given + [f"<extra_id_{number}>" for number in range(extra_ids)]
    if extra_ids > 0 and extra_ids != len(present):
        raise ValueError(
            f"Both extra_ids ({extra_ids}) and additional_special_tokens, with {len(present)} sentinels "
            "<extra_id_...> among them, are provided: let the numbers agree, or leave one of the two out."
        )
    return given


def _ending_with(eos_token: Any, backend: Tokenizer) -> processors.TemplateProcessing:
    """Return what puts `eos_token` behind each text."""
    backend.add_special_tokens([eos_token])  # which changes nothing when it is there, as it should be
    eos = str(eos_token)
    return processors.TemplateProcessing(
        single=f"$A {eos}", pair=f"$A {eos} $B {eos}", special_tokens=[(eos, backend.token_to_id(eos))]
    )


class _Sentinels:
    """What both tokenizers of T5 know of sentinels and of special tokens around texts."""

    additional_special_tokens: list[str]
    eos_token_id: Any

    def get_sentinel_tokens(self) -> list[str]:
        """Return `<extra_id_0>` ..., which stand for spans that were taken out of a text."""
        return [token for token in self.additional_special_tokens if _SENTINEL.fullmatch(token)]

    def get_sentinel_token_ids(self) -> list[int]:
        """Return the ids of `get_sentinel_tokens`; the first sentinel has the highest id."""
        return self.convert_tokens_to_ids(self.get_sentinel_tokens())  # type: ignore[attr-defined]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return a zero for each token: T5 does not tell the two texts of a pair apart."""
        return [0] * len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return `A </s>`, or `A </s> B </s>` for a pair, as ids."""
        first = [*token_ids_0, self.eos_token_id]
        return first if token_ids_1 is None else [*first, *token_ids_1, self.eos_token_id]


class T5Tokenizer(_Sentinels, SentencePieceTokenizer):
    """T5's tokenizer over `sentencepiece`.

    Args:
        vocab_file: path of spiece.model.
        eos_token, unk_token, pad_token: special tokens; texts end with `eos_token`.
        extra_ids: how many sentinels `<extra_id_0>` ... there are, after the model's vocabulary.
        additional_special_tokens: further special tokens; those with sentinels among them have all of them.
        sp_model_kwargs: arguments of `sentencepiece.SentencePieceProcessor` (see `SentencePieceTokenizer`).
        legacy: whether a text after a special token begins a new word; None stands for True.
        add_prefix_space: whether a text begins with a space; only without `legacy`.
        kwargs: see `PreTrainedTokenizerBase`.

    Raises:
        OSError: there is no such file.
        ValueError: the file is not a model, or `extra_ids` contradicts `additional_special_tokens`.
    """

    vocab_files_names = {"vocab_file": VOCAB_FILE}  # noqa: RUF012
    model_input_names = ("input_ids", "attention_mask")

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        eos_token: Any = "</s>",
        unk_token: Any = "<unk>",
        pad_token: Any = "<pad>",
        extra_ids: int = 100,
        additional_special_tokens: Any = None,
        sp_model_kwargs: dict[str, Any] | None = None,
        legacy: bool | None = None,
        add_prefix_space: bool = True,
        **kwargs: Any,
    ) -> None:
        if legacy is None:
            logger.warning_once(
                f"{type(self).__name__} follows the first versions (`legacy=True`): a text that follows a "
                "special token begins a new word, as if there were a space. Pass `legacy=False` for the "
                "corrected behaviour if the model was trained with it, or `legacy=True` to say so."
            )
        self.legacy = legacy is not False
        self.add_prefix_space = add_prefix_space
        self.extra_ids = extra_ids
        kwargs.pop("from_slow", None)
        super().__init__(
            vocab_file,
            eos_token=eos_token,
            unk_token=unk_token,
            pad_token=pad_token,
            extra_ids=extra_ids,
            additional_special_tokens=_with_sentinels(extra_ids, additional_special_tokens),
            sp_model_kwargs=sp_model_kwargs,
            legacy=self.legacy,
            add_prefix_space=add_prefix_space,
            **kwargs,
        )

    def _processor(self, model: bytes) -> sentencepiece.SentencePieceProcessor:
        return super()._processor(model if self.legacy else without_dummy_prefix(model))

    def _own_tokens(self) -> dict[int, AddedToken]:
        """Return the sentinels where the model has them, or after its pieces, the first with the last id."""
        pieces = self.sp_model
        size, unknown = pieces.get_piece_size(), pieces.unk_id()
        tokens = {}
        for number in range(self.extra_ids):
            text = f"<extra_id_{number}>"
            index = pieces.piece_to_id(text)
            if index == unknown:
                index = size + self.extra_ids - 1 - number
            tokens[index] = AddedToken(text, lstrip=True, rstrip=True, normalized=False, special=True)
        return tokens

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        """Split a text into tokens, as text; see `PreTrainedTokenizer.tokenize`."""
        if self.legacy or not text:
            return super().tokenize(text, pair, add_special_tokens, **kwargs)
        text = text.replace(SPACE, " ")
        tokens = super().tokenize(SPACE + text if self.add_prefix_space else text, **kwargs)
        if len(tokens) > 1 and tokens[0] == SPACE and tokens[1] in self.all_special_tokens:
            return tokens[1:]
        return tokens

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        if self.legacy or not text.startswith((SPACE, " ")):
            return super()._tokenize(text)
        # sentencepiece drops spaces at the start of a text, so something else is put there, and taken off
        start = super()._tokenize(self.unk_token)
        return super()._tokenize(self.unk_token + text)[len(start) :]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens to a text; special tokens are spelled as they are."""
        if tokens and tokens[0].startswith(SPACE) and self.add_prefix_space:
            tokens = [tokens[0][1:], *tokens[1:]]  # the space that was put before the text
        return super().convert_tokens_to_string(tokens)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return `A </s>`, or `A </s> B </s>` for a pair, as ids; no second `</s>` where one is already."""
        eos = self.eos_token_id
        texts = [ids for ids in (token_ids_0, token_ids_1) if ids is not None]
        return [index for ids in texts for index in (*ids, *([] if ids and ids[-1] == eos else [eos]))]

    def fast_backend(self) -> Tokenizer:
        """Return the `tokenizers.Tokenizer` that splits texts as this tokenizer does."""
        sentinels = [token.content for _, token in sorted(self._own_tokens().items())]
        size = self.vocab_size
        after = [token for token in sentinels if self._added_tokens_encoder[token] >= size]
        prefix_space = ("always" if self.legacy else "first") if self.add_prefix_space else "never"
        backend = unigram_backend(self._model, after, prefix_space=prefix_space)
        backend.post_processor = _ending_with(self.eos_token, backend)
        return backend


class T5TokenizerFast(_Sentinels, PreTrainedTokenizerFast):
    """T5's tokenizer in Rust.

    Args:
        vocab_file: path of spiece.model; needed when there is no `tokenizer_file`.
        tokenizer_file: path of tokenizer.json.
        eos_token, unk_token, pad_token, extra_ids, additional_special_tokens: as in `T5Tokenizer`.
        kwargs: `legacy` and `add_prefix_space`, as in `T5Tokenizer` (they need `vocab_file`); see
            `PreTrainedTokenizerBase` for others.

    Raises:
        OSError: there is no such file.
        ValueError: no file is given, one cannot be read, or `extra_ids` contradicts
            `additional_special_tokens`.
    """

    vocab_files_names = {"vocab_file": VOCAB_FILE, "tokenizer_file": "tokenizer.json"}  # noqa: RUF012
    model_input_names = ("input_ids", "attention_mask")
    slow_tokenizer_class = T5Tokenizer

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
        eos_token: Any = "</s>",
        unk_token: Any = "<unk>",
        pad_token: Any = "<pad>",
        extra_ids: int = 100,
        additional_special_tokens: Any = None,
        **kwargs: Any,
    ) -> None:
        self.extra_ids = extra_ids
        self._model = None if vocab_file is None else read_model(vocab_file)
        kwargs.setdefault("legacy", True)
        super().__init__(
            vocab_file=vocab_file,
            tokenizer_file=tokenizer_file,
            eos_token=eos_token,
            unk_token=unk_token,
            pad_token=pad_token,
            extra_ids=extra_ids,
            additional_special_tokens=_with_sentinels(extra_ids, additional_special_tokens),
            **kwargs,
        )

    def _take_backend(self, kwargs: dict[str, Any]) -> Tokenizer:
        """Build the backend, and give one that was trained elsewhere what T5 needs: sentinels and `</s>`."""
        backend = super()._take_backend(kwargs)
        sentinels = (f"<extra_id_{number}>" for number in reversed(range(self.extra_ids)))
        backend.add_special_tokens([token for token in sentinels if backend.token_to_id(token) is None])
        if backend.post_processor is None:
            backend.post_processor = _ending_with(kwargs["eos_token"], backend)
        return backend

    @property
    def can_save_slow_tokenizer(self) -> bool:
        """Whether a spiece.model can be written: the one that was read, or one made from the tokenizer."""
        try:
            self._slow_model()
        except ValueError:
            return False
        return True

    def _slow_model(self) -> bytes:
        """Return the bytes of spiece.model.

        Raises:
            ValueError: `sentencepiece` has nothing that does what this tokenizer does.
        """
        if self._model is None:
            self._model = model_of_backend(self._tokenizer, leave_out=self.get_sentinel_tokens())
        return self._model

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write spiece.model; return its path in a tuple."""
        return (write_model(self._slow_model(), save_directory, VOCAB_FILE, filename_prefix),)
