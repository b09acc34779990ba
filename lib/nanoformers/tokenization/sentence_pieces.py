"""Tokenizers over the `sentencepiece` library, and their models as fast tokenizers.

Kudo and Richardson 2018, "SentencePiece: A simple and language independent subword tokenizer and detokenizer"
(arXiv:1808.06226); the unigram model is from Kudo 2018, "Subword Regularization" (arXiv:1804.10959).
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from .files import write_whole
from .slow import PreTrainedTokenizer

__all__ = ["SPACE", "SentencePieceTokenizer", "model_of_backend", "read_model", "unigram_backend"]

SPACE = "\u2581"  # "▁", how a model writes the space before a word

# Types of pieces and of models, from sentencepiece_model.proto
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED = 1, 2, 3, 4
_UNIGRAM = 1


class SentencePieceTokenizer(PreTrainedTokenizer):
    """Base class of the tokenizers in Python that have a `sentencepiece` model.

    Args:
        vocab_file: path of the model.
        sp_model_kwargs: arguments of `sentencepiece.SentencePieceProcessor`, such as `enable_sampling=True`,
            `nbest_size=-1`, `alpha=0.1` (which split words in a different way each time).
        kwargs: see `PreTrainedTokenizerBase`.

    Attributes:
        sp_model: the `SentencePieceProcessor`.

    Raises:
        OSError: there is no such file.
        ValueError: the file is not a model.
    """

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        sp_model_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.vocab_file = os.fspath(vocab_file)
        self.sp_model_kwargs = sp_model_kwargs or {}
        self._model = read_model(vocab_file)
        self.sp_model = self._processor(self._model)
        saved: dict[int, AddedToken] = kwargs.pop("added_tokens_decoder", {})
        names = {token.content for token in saved.values()}
        own = {index: token for index, token in self._own_tokens().items() if token.content not in names}
        super().__init__(sp_model_kwargs=self.sp_model_kwargs, added_tokens_decoder=own | saved, **kwargs)

    def _own_tokens(self) -> dict[int, AddedToken]:
        """Return {id: token} of the added tokens that the class puts beside the model (for a subclass)."""
        return {}

    def _processor(self, model: bytes) -> sentencepiece.SentencePieceProcessor:
        return sentencepiece.SentencePieceProcessor(model_proto=model, **self.sp_model_kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "sp_model": self.sp_model.serialized_model_proto()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.sp_model = self._processor(state["sp_model"])

    @property
    def vocab_size(self) -> int:
        """Size of the model's vocabulary, without added tokens."""
        return self.sp_model.get_piece_size()

    def get_vocab(self) -> dict[str, int]:
        """Return {token: id}, added tokens included."""
        pieces = {self.sp_model.id_to_piece(index): index for index in range(self.vocab_size)}
        return {**pieces, **self._added_tokens_encoder}

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return self.sp_model.encode(text, out_type=str)

    def _convert_token_to_id(self, token: str) -> int:
        return self.sp_model.piece_to_id(token)

    def _convert_id_to_token(self, index: int) -> str:
        return self.sp_model.id_to_piece(index)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens to a text; special tokens are spelled as they are, apart from words."""
        special = set(self.all_special_tokens)
        text = ""
        run: list[str] = []
        after_special = False
        for token in tokens:
            if token not in special:
                run.append(token)
                after_special = False
                continue
            text += ("" if after_special else " ") + self.sp_model.decode(run) + token
            run = []
            after_special = True
        return (text + self.sp_model.decode(run)).strip()

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write the model as it was read; return its path in a tuple."""
        name = self.vocab_files_names["vocab_file"]
        return (write_model(self._model, save_directory, name, filename_prefix),)


def read_model(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a `sentencepiece` model.

    Raises:
        OSError: there is no such file.
        ValueError: it is not a model.
    """
    try:
        model = Path(path).read_bytes()
    except OSError as error:
        raise OSError(
            f"Can't read a vocabulary file at path '{path}' ({error.strerror}). To load the vocabulary of a "
            "checkpoint use `from_pretrained(name)`."
        ) from error
    try:
        sentencepiece.SentencePieceProcessor(model_proto=model)
    except RuntimeError as error:
        raise ValueError(
            f"{path} is not a model of sentencepiece: download or write it once more."
        ) from error
    return model


def write_model(model: bytes, folder: str, name: str, filename_prefix: str | None) -> str:
    """Write a model into a folder; return the path."""
    if not Path(folder).is_dir():
        raise NotADirectoryError(f"Vocabulary path ({folder}) should be a directory that exists.")
    path = Path(folder) / (f"{filename_prefix}-{name}" if filename_prefix else name)
    return write_whole(path, lambda beside: beside.write_bytes(model))


def without_dummy_prefix(model: bytes) -> bytes:
    """Return a model that does not put a space before each text."""
    parsed = _parse(model)
    parsed.normalizer_spec.add_dummy_prefix = False
    return parsed.SerializeToString()


def unigram_backend(
    model: bytes, more_pieces: Sequence[str] = (), *, prefix_space: str = "always"
) -> Tokenizer:
    """Build the `tokenizers.Tokenizer` that splits texts as a unigram model of `sentencepiece` does.

    Args:
        model: the bytes of the model.
        more_pieces: pieces that come after those of the model, with a score of 0.
        prefix_space: which parts of a text between special tokens get a space: "always", "first" or "never".

    Raises:
        ValueError: the model is not a unigram model.
    """
    parsed = _parse(model)
    if parsed.trainer_spec.model_type != _UNIGRAM:
        raise ValueError(
            "Only unigram models of sentencepiece can be made into a fast tokenizer, and this one is of type "
            f"{parsed.trainer_spec.model_type}: use the tokenizer in Python (`use_fast=False`), or train "
            "with `model_type='unigram'`."
        )
    scores = [(piece.piece, piece.score) for piece in parsed.pieces]
    unknown = next(index for index, piece in enumerate(parsed.pieces) if piece.type == _UNKNOWN)
    backend = Tokenizer(models.Unigram([*scores, *((piece, 0.0) for piece in more_pieces)], unk_id=unknown))
    charsmap = parsed.normalizer_spec.precompiled_charsmap
    steps: list[Any] = [normalizers.Precompiled(charsmap)] if charsmap else []
    if prefix_space == "always":
        spaces = pre_tokenizers.Split(" ", "removed")
        backend.pre_tokenizer = pre_tokenizers.Sequence(
            [spaces, pre_tokenizers.Metaspace(SPACE, prefix_space)]
        )
    else:  # words keep their space, since a part of the text may begin without one
        steps += [normalizers.Replace(Regex(" +$"), ""), normalizers.Replace(Regex(" {2,}"), " ")]
        backend.pre_tokenizer = pre_tokenizers.Metaspace(SPACE, prefix_space)
    if steps:
        backend.normalizer = steps[0] if len(steps) == 1 else normalizers.Sequence(steps)
    backend.decoder = decoders.Metaspace(SPACE, prefix_space)
    backend.add_tokens(
        [
            AddedToken(piece.piece, normalized=False, special=piece.type == _CONTROL)
            for piece in parsed.pieces
            if piece.type in (_CONTROL, _USER_DEFINED)
        ]
    )
    return backend


def model_of_backend(backend: Tokenizer, leave_out: Sequence[str] = ()) -> bytes:
    """Return the `sentencepiece` model of a fast tokenizer: what `unigram_backend` does, undone.

    Args:
        backend: a `tokenizers.Tokenizer` whose algorithm is Unigram, with a precompiled normaliser or none.
        leave_out: pieces at the end of the vocabulary that the slow tokenizer puts there itself.

    Raises:
        ValueError: the algorithm or the normaliser has no counterpart in `sentencepiece`.
    """
    description = json.loads(backend.to_str())
    unigram = description["model"]
    unknown = unigram.get("unk_id")
    if unigram["type"] != "Unigram" or unknown is None:
        raise ValueError(
            f"A tokenizer of type {unigram['type']} {'' if unknown is None else 'with an unknown token '}has "
            "no counterpart in sentencepiece: a Unigram model with an unknown token is needed."
        )
    charsmap = _charsmap(description["normalizer"])
    vocab = list(unigram["vocab"])
    while vocab and vocab[-1][0] in leave_out:
        vocab.pop()
    types = {
        token["content"]: _CONTROL if token["special"] else _USER_DEFINED
        for token in description["added_tokens"]
    }
    model = _protocol().ModelProto()
    for index, (piece, score) in enumerate(vocab):
        kind = _UNKNOWN if index == unknown else types.get(piece, _NORMAL)
        model.pieces.add(piece=piece, score=score, type=kind)
    model.trainer_spec.model_type = _UNIGRAM
    model.trainer_spec.vocab_size = len(vocab)
    model.trainer_spec.unk_id = unknown
    model.trainer_spec.unk_piece = vocab[unknown][0]
    for name in ("pad", "bos", "eos"):
        piece = getattr(model.trainer_spec, f"{name}_piece")
        index = next((i for i, (content, _) in enumerate(vocab) if content == piece), -1)
        setattr(model.trainer_spec, f"{name}_id", index)
    model.normalizer_spec.name = "precompiled" if charsmap else "identity"
    model.normalizer_spec.precompiled_charsmap = charsmap
    return model.SerializeToString()


def _charsmap(normalizer: dict[str, Any] | None) -> bytes:
    """Return the one precompiled table among the steps of a normaliser, beside which only spaces change."""
    steps = [] if normalizer is None else normalizer.get("normalizers", [normalizer])
    tables = [
        base64.b64decode(step["precompiled_charsmap"]) for step in steps if step["type"] == "Precompiled"
    ]
    others = {step["type"] for step in steps} - {"Precompiled", "Strip", "Replace"}
    if others or len(tables) > 1:
        raise ValueError(
            f"The normaliser of this tokenizer ({', '.join(sorted(others)) or 'several tables'}) has no "
            "counterpart in sentencepiece: a precompiled table or none is needed."
        )
    return tables[0] if tables else b""


def _parse(model: bytes) -> Any:
    return _protocol().ModelProto.FromString(model)


def _protocol() -> Any:
    """Return the module that reads and writes models; only conversions need it."""
    from sentencepiece import sentencepiece_model_pb2

    return sentencepiece_model_pb2
