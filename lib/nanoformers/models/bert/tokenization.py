"""The tokenizers of BERT: words and punctuation first, then WordPiece.

Devlin et al. 2018, "BERT: Pre-training of Deep Bidirectional Transformers" (arXiv:1810.04805); WordPiece is
from Schuster and Nakajima 2012, "Japanese and Korean Voice Search".
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from ...tokenization import PreTrainedTokenizer, PreTrainedTokenizerFast
from ...tokenization.files import write_whole
from ...utils import logging

__all__ = ["BasicTokenizer", "BertTokenizer", "BertTokenizerFast", "WordpieceTokenizer", "load_vocab"]

logger = logging.get_logger(__name__)

VOCAB_FILE = "vocab.txt"
LONGEST_WORD = 100  # characters; longer ones become the unknown token
CACHED_WORDS = 2**16

_HAN = (
    (0x4E00, 0x9FFF),  # the main block of Han characters, then extensions A to E and compatibility forms
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class _CharacterTable(dict[int, "str | None"]):
    """A table for `str.translate` that works out a character's replacement when it first meets it."""

    def __init__(self, replacement: Callable[[str], str | None]) -> None:
        super().__init__()
        self.replacement = replacement

    def __missing__(self, code: int) -> str | None:
        value = self[code] = self.replacement(chr(code))
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        return _CharacterTable, (self.replacement,)


def _cleaned(char: str) -> str | None:
    """Drop control characters and the replacement character, make all spaces plain."""
    if char in "\t\n\r":
        return " "
    category = unicodedata.category(char)
    if char == "\ufffd" or category in ("Cc", "Cf", "Cs", "Co"):
        return None
    return " " if category == "Zs" else char


def _cleaned_and_han_apart(char: str) -> str | None:
    """Clean, and put spaces around Han characters (not Hangul or kana, whose words are spaced or long)."""
    if any(first <= ord(char) <= last for first, last in _HAN):
        return f" {char} "
    return _cleaned(char)


def _without_mark(char: str) -> str | None:
    return None if unicodedata.category(char) == "Mn" else char


def _punctuation_apart(char: str) -> str:
    """Put spaces around punctuation, which in ASCII is everything but letters, digits and controls."""
    if char.isascii():
        apart = "!" <= char <= "~" and not char.isalnum()
    else:
        apart = unicodedata.category(char).startswith("P")
    return f" {char} " if apart else char


_CLEAN = _CharacterTable(_cleaned)
_CLEAN_HAN_APART = _CharacterTable(_cleaned_and_han_apart)
_MARKS = _CharacterTable(_without_mark)
_PUNCTUATION = _CharacterTable(_punctuation_apart)


class BasicTokenizer:
    """Cleans a text and splits it into words and punctuation marks.

    Args:
        do_lower_case: lower-case, and strip accents unless `strip_accents` is False.
        never_split: words (between spaces) that are left as they are.
        tokenize_chinese_chars: whether each Han character is a word.
        strip_accents: whether to strip accents; by default when lower-casing.
        do_split_on_punc: whether punctuation marks are words of their own.
    """

    def __init__(
        self,
        do_lower_case: bool = True,
        never_split: Iterable[str] | None = None,
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        do_split_on_punc: bool = True,
    ) -> None:
        self.do_lower_case = do_lower_case
        self.never_split = set(never_split or ())
        self.tokenize_chinese_chars = tokenize_chinese_chars
        self.strip_accents = strip_accents
        self.do_split_on_punc = do_split_on_punc

    def tokenize(self, text: str, never_split: Iterable[str] | None = None) -> list[str]:
        """Return the words and punctuation marks of a text.

        Args:
            text: any text.
            never_split: further words to leave as they are.
        """
        keep = self.never_split.union(never_split or ())
        words: list[str] = []
        for word in self.spaced_words(text):
            words.extend([word] if word in keep else self.split_word(word))
        return words

    def spaced_words(self, text: str) -> list[str]:
        """Clean a text and split it at spaces."""
        return text.translate(_CLEAN_HAN_APART if self.tokenize_chinese_chars else _CLEAN).split()

    def split_word(self, word: str) -> list[str]:
        """Normalise one word without spaces and split off its punctuation marks."""
        ascii_only = word.isascii()
        if not ascii_only:
            word = unicodedata.normalize("NFC", word)
        if self.do_lower_case:
            word = word.replace("Σ", "σ").lower()  # Python would make a final sigma of the last one
        if not ascii_only and (
            self.strip_accents or (self.do_lower_case and self.strip_accents is not False)
        ):
            word = unicodedata.normalize("NFD", word).translate(_MARKS)
        if word.isalnum():
            return [word]
        return word.translate(_PUNCTUATION).split() if self.do_split_on_punc else word.split()


class WordpieceTokenizer:
    """Splits words into the longest pieces that the vocabulary has, from left to right.

    Args:
        vocab: the pieces; those inside a word begin with "##".
        unk_token: stands for a word that cannot be put together.
        max_input_chars_per_word: longer words are unknown.
    """

    def __init__(
        self, vocab: dict[str, int], unk_token: str, max_input_chars_per_word: int = LONGEST_WORD
    ) -> None:
        self.vocab = vocab
        self.unk_token = unk_token
        self.max_input_chars_per_word = max_input_chars_per_word
        self._longest_piece = max(map(len, vocab), default=0)

    def tokenize(self, text: str) -> list[str]:
        """Return the pieces of the words of a text: "unaffable" gives "un", "##aff", "##able"."""
        return [piece for word in text.split() for piece in self.split_word(word)]

    def split_word(self, word: str) -> list[str]:
        """Return the pieces of one word, or the unknown token alone."""
        if word in self.vocab and len(word) <= self.max_input_chars_per_word:
            return [word]
        if len(word) > self.max_input_chars_per_word:
            return [self.unk_token]
        pieces: list[str] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(min(len(word), start + self._longest_piece), start, -1):
                piece = prefix + word[start:end]
                if piece in self.vocab:
                    pieces.append(piece)
                    start = end
                    break
            else:
                return [self.unk_token]
        return pieces


def load_vocab(vocab_file: str | os.PathLike[str]) -> dict[str, int]:
    """Read a vocabulary of one token a line.

    Returns:
        {token: number of its line, from 0}.

    Raises:
        OSError: there is no such file.
        ValueError: it is not text in UTF-8.
    """
    try:
        with Path(vocab_file).open(encoding="utf-8", newline="") as lines:
            tokens = [line.rstrip("\n").rstrip("\r") for line in lines]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{vocab_file} is not a vocabulary in UTF-8 ({error}): one token a line is needed."
        ) from error
    except OSError as error:
        raise OSError(
            f"Can't read a vocabulary file at path '{vocab_file}' ({error.strerror}). To load the vocabulary "
            "of a checkpoint use `from_pretrained(name)`."
        ) from error
    return {token: index for index, token in enumerate(tokens)}


def save_vocab(vocab: dict[str, int], folder: str, filename_prefix: str | None) -> tuple[str]:
    """Write a vocabulary as `load_vocab` reads it; return the path in a tuple."""
    if not Path(folder).is_dir():
        raise NotADirectoryError(f"Vocabulary path ({folder}) should be a directory that exists.")
    path = Path(folder) / (f"{filename_prefix}-{VOCAB_FILE}" if filename_prefix else VOCAB_FILE)
    in_order = sorted(vocab.items(), key=lambda item: item[1])
    if in_order and in_order[-1][1] != len(in_order) - 1:
        logger.warning(
            f"Saving vocabulary to {path}: vocabulary indices are not consecutive, so those after the first "
            "gap will be others when it is read again. Please check that the vocabulary is not corrupted!"
        )
    text = "".join(f"{token}\n" for token, _ in in_order)
    return (write_whole(path, lambda beside: beside.write_bytes(text.encode("utf-8"))),)


class BertTokenizer(PreTrainedTokenizer):
    """BERT's tokenizer in pure Python.

    Args:
        vocab_file: path of vocab.txt.
        do_lower_case: lower-case, and strip accents unless `strip_accents` is False.
        do_basic_tokenize: clean, split off punctuation and so on before WordPiece (see `BasicTokenizer`).
        never_split: words (between spaces) that are left as they are; only with `do_basic_tokenize`.
        unk_token, sep_token, pad_token, cls_token, mask_token: special tokens.
        tokenize_chinese_chars: whether each Han character is a word (no, for Japanese).
        strip_accents: whether to strip accents; by default when lower-casing.
        kwargs: see `PreTrainedTokenizerBase`.

    Raises:
        OSError: there is no vocabulary file.
    """

    vocab_files_names = {"vocab_file": VOCAB_FILE}  # noqa: RUF012

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        do_lower_case: bool = True,
        do_basic_tokenize: bool = True,
        never_split: Iterable[str] | None = None,
        unk_token: Any = "[UNK]",
        sep_token: Any = "[SEP]",
        pad_token: Any = "[PAD]",
        cls_token: Any = "[CLS]",
        mask_token: Any = "[MASK]",
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self.vocab = load_vocab(vocab_file)
        self.ids_to_tokens = {index: token for token, index in self.vocab.items()}
        self.do_basic_tokenize = do_basic_tokenize
        if do_basic_tokenize:
            self.basic_tokenizer = BasicTokenizer(
                do_lower_case, never_split, tokenize_chinese_chars, strip_accents
            )
        self.wordpiece_tokenizer = WordpieceTokenizer(self.vocab, str(unk_token))
        self._pieces: dict[str, list[str]] = {}  # of words met before
        super().__init__(
            do_lower_case=do_lower_case,
            do_basic_tokenize=do_basic_tokenize,
            never_split=None if never_split is None else list(never_split),
            unk_token=unk_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=mask_token,
            tokenize_chinese_chars=tokenize_chinese_chars,
            strip_accents=strip_accents,
            **kwargs,
        )

    @property
    def do_lower_case(self) -> bool:
        """Whether words are lower-cased."""
        return self.do_basic_tokenize and self.basic_tokenizer.do_lower_case

    @property
    def vocab_size(self) -> int:
        """Size of the vocabulary without added tokens."""
        return len(self.vocab)

    def get_vocab(self) -> dict[str, int]:
        """Return {token: id}, added tokens included."""
        return {**self.vocab, **self._added_tokens_encoder}

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        if not self.do_basic_tokenize:
            return self.wordpiece_tokenizer.tokenize(text)
        known = self._pieces
        tokens: list[str] = []
        for word in self.basic_tokenizer.spaced_words(text):
            pieces = known.get(word)
            tokens += self._split_word(word) if pieces is None else pieces
        return tokens

    def _split_word(self, word: str) -> list[str]:
        """Return the pieces of a word, and remember them."""
        if word in self.basic_tokenizer.never_split:
            pieces = [word]
        else:
            split = self.wordpiece_tokenizer.split_word
            pieces = [piece for part in self.basic_tokenizer.split_word(word) for piece in split(part)]
        if len(word) <= LONGEST_WORD:
            if len(self._pieces) >= CACHED_WORDS:
                self._pieces.clear()
            self._pieces[word] = pieces
        return pieces

    def _convert_token_to_id(self, token: str) -> int | None:
        index = self.vocab.get(token)
        return self.vocab.get(self.wordpiece_tokenizer.unk_token) if index is None else index

    def _convert_id_to_token(self, index: int) -> str:
        return self.ids_to_tokens.get(index, self.wordpiece_tokenizer.unk_token)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join pieces to words, and words with spaces."""
        return " ".join(tokens).replace(" ##", "").strip()

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return `[CLS] A [SEP]`, or `[CLS] A [SEP] B [SEP]` for a pair, as ids."""
        cls, sep = [self.cls_token_id], [self.sep_token_id]
        first = cls + list(token_ids_0) + sep
        return first if token_ids_1 is None else first + list(token_ids_1) + sep

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write vocab.txt; return its path in a tuple."""
        return save_vocab(self.vocab, save_directory, filename_prefix)

    def fast_backend(self) -> Tokenizer:
        """Return the `tokenizers.Tokenizer` that splits texts as this tokenizer does.

        Raises:
            ValueError: this one does not split words before WordPiece, or keeps some whole.
        """
        if not self.do_basic_tokenize or self.basic_tokenizer.never_split:
            raise ValueError(
                "A tokenizer with `do_basic_tokenize=False` or `never_split` has no fast counterpart: leave "
                "them out, or use it as it is. Words can be kept whole with `add_tokens`."
            )
        basic = self.basic_tokenizer
        backend = _wordpiece_backend(
            self.vocab,
            unk_token=self.wordpiece_tokenizer.unk_token,
            cls_token=self.cls_token,
            sep_token=self.sep_token,
            prefix="##",
        )
        backend.normalizer = normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=basic.tokenize_chinese_chars,
            strip_accents=basic.strip_accents,
            lowercase=basic.do_lower_case,
        )
        return backend


class BertTokenizerFast(PreTrainedTokenizerFast):
    """BERT's tokenizer in Rust.

    Args:
        vocab_file: path of vocab.txt; needed when there is no `tokenizer_file`.
        tokenizer_file: path of tokenizer.json.
        do_lower_case, tokenize_chinese_chars, strip_accents: as in `BertTokenizer`; they win over what
            tokenizer.json says.
        unk_token, sep_token, pad_token, cls_token, mask_token: special tokens.
        kwargs: `clean_text=True`, `wordpieces_prefix="##"`; see `PreTrainedTokenizerBase` for others.

    Raises:
        OSError: there is no such file.
        ValueError: neither file is given, or it cannot be read.
    """

    vocab_files_names = {"vocab_file": VOCAB_FILE, "tokenizer_file": "tokenizer.json"}  # noqa: RUF012
    slow_tokenizer_class = BertTokenizer

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
        do_lower_case: bool = True,
        unk_token: Any = "[UNK]",
        sep_token: Any = "[SEP]",
        pad_token: Any = "[PAD]",
        cls_token: Any = "[CLS]",
        mask_token: Any = "[MASK]",
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        **kwargs: Any,
    ) -> None:
        backend = kwargs.pop("tokenizer_object", None)
        if backend is None and tokenizer_file is None and vocab_file is not None:
            backend = _wordpiece_backend(
                load_vocab(vocab_file),
                unk_token=str(unk_token),
                cls_token=str(cls_token),
                sep_token=str(sep_token),
                prefix=kwargs.get("wordpieces_prefix", "##"),
            )
        super().__init__(
            tokenizer_object=backend,
            tokenizer_file=tokenizer_file,
            do_lower_case=do_lower_case,
            unk_token=unk_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=mask_token,
            tokenize_chinese_chars=tokenize_chinese_chars,
            strip_accents=strip_accents,
            **kwargs,
        )
        self.do_lower_case = do_lower_case
        if isinstance(self._tokenizer.normalizer, normalizers.BertNormalizer) or backend is not None:
            self._tokenizer.normalizer = normalizers.BertNormalizer(
                clean_text=kwargs.get("clean_text", True),
                handle_chinese_chars=tokenize_chinese_chars,
                strip_accents=strip_accents,
                lowercase=do_lower_case,
            )

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return `[CLS] A [SEP]`, or `[CLS] A [SEP] B [SEP]` for a pair, as ids."""
        cls, sep = [self.cls_token_id], [self.sep_token_id]
        first = cls + list(token_ids_0) + sep
        return first if token_ids_1 is None else first + list(token_ids_1) + sep

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write vocab.txt; return its path in a tuple."""
        vocab = self._tokenizer.get_vocab(with_added_tokens=False)
        return save_vocab(vocab, save_directory, filename_prefix)


def _wordpiece_backend(
    vocab: dict[str, int], *, unk_token: str, cls_token: str, sep_token: str, prefix: str
) -> Tokenizer:
    """Build what `BertTokenizerFast` wraps (but for its normaliser) from a vocabulary."""
    backend = Tokenizer(
        models.WordPiece(
            vocab,
            unk_token=unk_token,
            max_input_chars_per_word=LONGEST_WORD,
            continuing_subword_prefix=prefix,
        )
    )
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece(prefix=prefix)
    if cls_token in vocab and sep_token in vocab:
        backend.post_processor = processors.TemplateProcessing(
            single=f"{cls_token}:0 $A:0 {sep_token}:0",
            pair=f"{cls_token}:0 $A:0 {sep_token}:0 $B:1 {sep_token}:1",
            special_tokens=[(cls_token, vocab[cls_token]), (sep_token, vocab[sep_token])],
        )
    return backend
