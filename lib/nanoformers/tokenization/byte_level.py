"""Byte-level byte-pair encoding: how GPT-2, RoBERTa, BART and many later models split text.

Every byte of the text is written as one printable character, so no text is ever unknown; words (with the
space before them) are then put together from those characters by learnt merges.

Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"; the merges are those of Sennrich
et al. 2016, "Neural Machine Translation of Rare Words with Subword Units" (arXiv:1508.07909).
"""

from __future__ import annotations

import functools
import heapq
import itertools
import json
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from .files import read_json, write_whole

__all__ = [
    "BytePairEncoder",
    "bytes_to_unicode",
    "read_merges",
    "read_vocab",
    "save_vocab_and_merges",
    "split_words",
]

CACHED_WORDS = 2**16
LONGEST_CACHED = 100  # characters

Merge = tuple[str, str]


@functools.cache
def bytes_to_unicode() -> dict[int, str]:
    """Return {byte: the character it is written as}.

    Bytes that Latin-1 prints (but for the space, the hard space and the soft hyphen) stand for themselves,
    the 68 others are written as the characters from U+0100 on, in order: a space is "Ġ".
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return {byte: chr(byte if byte in printable else next(others)) for byte in range(256)}


def split_words(text: str) -> list[str]:
    """Split a text into GPT-2's words, which together are the whole text.

    A word is an English contraction's ending, or a run of letters, of digits, or of other characters, each
    with one space before it; or a run of spaces (whose last one goes to the next word).
    """
    return (_ASCII_WORDS if text.isascii() else _all_words()).findall(text)


def _words(letters: str, digits: str, others: str, space: str, no_space: str) -> re.Pattern[str]:
    """Compile an expression that matches words; the first three match runs, the others one character."""
    endings = "'s|'t|'re|'ve|'m|'ll|'d"
    return re.compile(
        rf" ?{letters}|{endings}| ?{digits}| ?{others}|{space}+(?!{no_space})|{space}+",
    )


_ASCII_WORDS = _words("[A-Za-z]+", "[0-9]+", r"[^\t-\r A-Za-z0-9]+", r"[\t-\r ]", r"[^\t-\r ]")


@functools.cache
def _all_words() -> re.Pattern[str]:
    r"""Return the expression for texts with any characters.

    It is written for the standard library, which has no \p{L} and \p{N}: letters are what \w has beside
    digits and "_", and numbers that are no decimal digits (such as "½") are listed. U+001C to U+001F are
    spaces for Python only. Runs in ASCII come first, since they are much quicker to find.
    """
    codes = range(0x20000)  # beyond these there are no such numbers
    listed = re.escape("".join(chr(c) for c in codes if unicodedata.category(chr(c)) in ("Nl", "No")))
    return _words(
        letters=rf"(?:[A-Za-z]+|[^\W\d_{listed}])+",
        digits=rf"(?:[0-9]+|[\d{listed}])+",
        others=rf"(?:[!-/:-@\[-`{{-~]+|[^\w\s{listed}]+|[\x1c-\x1f]+)+",
        space=r"[^\S\x1c-\x1f]",
        no_space=r"[\S\x1c-\x1f]",
    )


class BytePairEncoder:
    """Splits words into the pieces that the merges allow, and remembers the answers.

    Args:
        merges: pairs of pieces to be joined, the most urgent first.
    """

    def __init__(self, merges: Iterable[Merge]) -> None:
        self.ranks: dict[Merge, int] = {merge: rank for rank, merge in enumerate(merges)}
        self._written = bytes_to_unicode()
        self._pieces: dict[str, list[str]] = {}  # of words met before

    def tokenize(self, text: str) -> list[str]:
        """Return the pieces of all words of a text; bytes are written as `bytes_to_unicode` says."""
        known = self._pieces
        tokens: list[str] = []
        for word in split_words(text):
            pieces = known.get(word)
            tokens += self._split_new(word) if pieces is None else pieces
        return tokens

    def _split_new(self, word: str) -> list[str]:
        """Return the pieces of a word, and remember them."""
        written = self._written
        pieces = self.merge([written[byte] for byte in word.encode("utf-8")])
        if len(word) <= LONGEST_CACHED:
            if len(self._pieces) >= CACHED_WORDS:
                self._pieces.clear()
            self._pieces[word] = pieces
        return pieces

    def merge(self, symbols: list[str]) -> list[str]:
        """Join neighbours, the most urgent pair first and from left to right, until no merge applies.

        The work grows with n log n for n symbols: a long text in a script without spaces is one word.
        """
        ranks = self.ranks
        symbols = list(symbols)
        end = len(symbols)
        following = list(range(1, end + 1))  # positions of the neighbours that are left
        preceding = list(range(-1, end - 1))
        waiting = [
            (rank, position, pair)
            for position, pair in enumerate(itertools.pairwise(symbols))
            if (rank := ranks.get(pair)) is not None
        ]
        heapq.heapify(waiting)
        while waiting:
            _, position, pair = heapq.heappop(waiting)
            right = following[position]
            if right == end or (symbols[position], symbols[right]) != pair:
                continue  # one of the two has been joined to something else
            symbols[position] += symbols[right]
            symbols[right] = ""
            following[position] = right = following[right]
            if right < end:
                preceding[right] = position
            left = preceding[position]
            for first, second in ((left, position), (position, right)):
                if first >= 0 and second < end:
                    new = (symbols[first], symbols[second])
                    rank = ranks.get(new)
                    if rank is not None:
                        heapq.heappush(waiting, (rank, first, new))
        return [symbol for symbol in symbols if symbol]


def read_vocab(path: str | os.PathLike[str]) -> dict[str, int]:
    """Read vocab.json, {token: id}.

    Raises:
        OSError: there is no such file.
        ValueError: it is not JSON in UTF-8, or says something else.
    """
    try:
        vocab = read_json(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not isinstance(vocab, dict):
        raise ValueError(f"{path} is not a vocabulary: a JSON object of tokens and their ids is needed.")
    return vocab


def read_merges(path: str | os.PathLike[str]) -> list[Merge]:
    """Read merges.txt: a pair of pieces a line, the most urgent first, below a line that tells the version.

    Raises:
        OSError: there is no such file.
        ValueError: it is not text in UTF-8, or a line is no pair.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a list of merges in UTF-8 ({error}).") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    merges: list[Merge] = []
    for number, line in enumerate(lines, start=1):
        pair = line.rstrip("\r").split(" ")
        if (number == 1 and line.startswith("#version")) or pair == [""]:
            continue
        if len(pair) != 2:
            raise ValueError(f"Line {number} of {path} is {line!r}, and two pieces with a space are needed.")
        merges.append((pair[0], pair[1]))
    return merges


def _unreadable(path: str | os.PathLike[str], error: OSError) -> OSError:
    return OSError(
        f"Can't read a vocabulary file at path '{path}' ({error.strerror}). To load the vocabulary of a "
        "checkpoint use `from_pretrained(name)`."
    )


def save_vocab_and_merges(
    vocab: dict[str, int], merges: Iterable[Merge], folder: str, filename_prefix: str | None
) -> tuple[str, str]:
    """Write vocab.json and merges.txt as `read_vocab` and `read_merges` read them; return the paths."""
    if not Path(folder).is_dir():
        raise NotADirectoryError(f"Vocabulary path ({folder}) should be a directory that exists.")
    prefix = f"{filename_prefix}-" if filename_prefix else ""
    in_order = dict(sorted(vocab.items(), key=lambda item: item[1]))
    vocab_text = json.dumps(in_order, ensure_ascii=False) + "\n"
    merges_text = "#version: 0.2\n" + "".join(f"{first} {second}\n" for first, second in merges)
    vocab_file, merges_file = (
        write_whole(
            Path(folder) / f"{prefix}{name}",
            lambda beside, text=text: beside.write_bytes(text.encode("utf-8")),  # type: ignore[misc]
        )
        for name, text in (("vocab.json", vocab_text), ("merges.txt", merges_text))
    )
    return vocab_file, merges_file
