"""The tokenizers of GPT-2: byte-level byte-pair encoding.

Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from ...tokenization import BatchEncoding, PreTrainedTokenizer, PreTrainedTokenizerFast
from ...tokenization.byte_level import (
    BytePairEncoder,
    bytes_to_unicode,
    read_merges,
    read_vocab,
    save_vocab_and_merges,
)
from ...tokenization.calling import EncodingOptions

__all__ = ["GPT2Tokenizer", "GPT2TokenizerFast"]

VOCAB_FILES = {"vocab_file": "vocab.json", "merges_file": "merges.txt"}
END_OF_TEXT = "<|endoftext|>"


class GPT2Tokenizer(PreTrainedTokenizer):
    """GPT-2's tokenizer in pure Python. A space belongs to the word after it, and no text is unknown.

    Args:
        vocab_file: path of vocab.json.
        merges_file: path of merges.txt.
        errors: what decoding does with bytes that are no UTF-8, as in `bytes.decode`.
        unk_token, bos_token, eos_token, pad_token: special tokens; GPT-2 has one for all, and none to pad.
        add_prefix_space: put a space before each text, so that its first word is one like all others.
        add_bos_token: put `bos_token` before each text.
        kwargs: see `PreTrainedTokenizerBase`.

    Raises:
        OSError: there is no vocabulary file.
        ValueError: a vocabulary file cannot be read.
    """

    vocab_files_names = VOCAB_FILES
    model_input_names = ("input_ids", "attention_mask")

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        merges_file: str | os.PathLike[str],
        errors: str = "replace",
        unk_token: Any = END_OF_TEXT,
        bos_token: Any = END_OF_TEXT,
        eos_token: Any = END_OF_TEXT,
        pad_token: Any = None,
        add_prefix_space: bool = False,
        add_bos_token: bool = False,
        **kwargs: Any,
    ) -> None:
        self.encoder = read_vocab(vocab_file)
        self.decoder = {index: token for token, index in self.encoder.items()}
        self._merges = BytePairEncoder(read_merges(merges_file))
        self._bytes = {char: byte for byte, char in bytes_to_unicode().items()}
        self.errors = errors
        self.add_prefix_space = add_prefix_space
        self.add_bos_token = add_bos_token
        super().__init__(
            errors=errors,
            unk_token=unk_token,
            bos_token=bos_token,
            eos_token=eos_token,
            pad_token=pad_token,
            add_prefix_space=add_prefix_space,
            add_bos_token=add_bos_token,
            **kwargs,
        )

    @property
    def vocab_size(self) -> int:
        """Size of the vocabulary without added tokens."""
        return len(self.encoder)

    def get_vocab(self) -> dict[str, int]:
        """Return {token: id}, added tokens included."""
        return {**self.encoder, **self._added_tokens_encoder}

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Put a space before the text where that is asked for (`add_prefix_space`), and before each word."""
        add_prefix_space = kwargs.pop("add_prefix_space", self.add_prefix_space)
        return (f" {text}" if is_split_into_words or add_prefix_space else text), kwargs

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return self._merges.tokenize(text)

    def _convert_token_to_id(self, token: str) -> int | None:
        index = self.encoder.get(token)
        return self.encoder.get(str(self._unk_token)) if index is None else index  # type: ignore[attr-defined]

    def _convert_id_to_token(self, index: int) -> str | None:
        return self.decoder.get(index)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Turn the characters of the tokens back into bytes, and these into text."""
        written = self._bytes

        def as_bytes(text: str) -> bytes:
            return bytes(map(written.__getitem__, text))

        try:
            joined = as_bytes("".join(tokens))
        except KeyError:  # an added token has characters that stand for no byte: they stand for themselves
            joined = b"".join(
                as_bytes(token) if written.keys() >= set(token) else token.encode("utf-8") for token in tokens
            )
        return joined.decode("utf-8", errors=self.errors)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return the ids as they are, or with `bos_token` before each text when `add_bos_token` says so."""
        bos = [self.bos_token_id] if self.add_bos_token else []
        first = bos + list(token_ids_0)
        return first if token_ids_1 is None else first + bos + list(token_ids_1)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write vocab.json and merges.txt; return their paths."""
        return save_vocab_and_merges(self.encoder, self._merges.ranks, save_directory, filename_prefix)

    def fast_backend(self) -> Tokenizer:
        """Return the `tokenizers.Tokenizer` that splits texts as this tokenizer does."""
        backend = Tokenizer(models.BPE(vocab=self.encoder, merges=list(self._merges.ranks)))
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=self.add_prefix_space)
        backend.decoder = decoders.ByteLevel()
        if self.add_bos_token:
            bos = self.bos_token
            backend.post_processor = processors.TemplateProcessing(
                single=f"{bos}:0 $A:0",
                pair=f"{bos}:0 $A:0 {bos}:1 $B:1",
                special_tokens=[(bos, self.bos_token_id)],
            )
        else:
            backend.post_processor = processors.ByteLevel(trim_offsets=False)
        return backend


class GPT2TokenizerFast(PreTrainedTokenizerFast):
    """GPT-2's tokenizer in Rust.

    Args:
        vocab_file: path of vocab.json; needed, with `merges_file`, when there is no `tokenizer_file`.
        merges_file: path of merges.txt.
        tokenizer_file: path of tokenizer.json.
        unk_token, bos_token, eos_token: special tokens.
        add_prefix_space: put a space before each text; needed for texts that are split into words.
        kwargs: `add_bos_token` and others, see `GPT2Tokenizer` and `PreTrainedTokenizerBase`.

    Raises:
        OSError: there is no such file.
        ValueError: no file is given, or one cannot be read.
    """

    vocab_files_names = {**VOCAB_FILES, "tokenizer_file": "tokenizer.json"}  # noqa: RUF012
    model_input_names = ("input_ids", "attention_mask")
    slow_tokenizer_class = GPT2Tokenizer

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None = None,
        merges_file: str | os.PathLike[str] | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
        unk_token: Any = END_OF_TEXT,
        bos_token: Any = END_OF_TEXT,
        eos_token: Any = END_OF_TEXT,
        add_prefix_space: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file=vocab_file,
            merges_file=merges_file,
            tokenizer_file=tokenizer_file,
            unk_token=unk_token,
            bos_token=bos_token,
            eos_token=eos_token,
            add_prefix_space=add_prefix_space,
            **kwargs,
        )
        self.add_prefix_space = add_prefix_space
        self.add_bos_token = self._tokenizer.num_special_tokens_to_add(False) > 0  # the file may say so too
        before_words = self._tokenizer.pre_tokenizer
        if isinstance(before_words, pre_tokenizers.ByteLevel):
            before_words.add_prefix_space = add_prefix_space  # what was asked for wins over the file

    def _encode_batch(self, batch: Sequence[Any], options: EncodingOptions) -> BatchEncoding:
        if options.is_split_into_words and not self.add_prefix_space:
            raise ValueError(
                f"You need to instantiate {type(self).__name__} with add_prefix_space=True to use it with "
                "pretokenized inputs (is_split_into_words=True): each word has a space before it."
            )
        return super()._encode_batch(batch, options)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return the ids as they are, or with `bos_token` before each text when `add_bos_token` says so."""
        bos = [self.bos_token_id] if self.add_bos_token else []
        first = bos + list(token_ids_0)
        return first if token_ids_1 is None else first + bos + list(token_ids_1)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write vocab.json and merges.txt; return their paths.

        Raises:
            ValueError: the tokenizer has no merges.
        """
        model = json.loads(self._tokenizer.to_str())["model"]
        if model["type"] != "BPE":
            raise ValueError(
                f"A tokenizer of type {model['type']} is none of GPT-2's, which merge bytes (BPE): load the "
                "checkpoint with AutoTokenizer, which knows its class."
            )
        merges = model["merges"]
        pairs = [tuple(merge.split(" ") if isinstance(merge, str) else merge) for merge in merges]
        vocab = self._tokenizer.get_vocab(with_added_tokens=False)
        return save_vocab_and_merges(vocab, pairs, save_directory, filename_prefix)
