"""More text for the student, and the word pieces it knows."""

from __future__ import annotations

import random
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from nanoformers import BertTokenizerFast


def words_of(texts: Sequence[str]) -> Counter[str]:
    return Counter(word for text in texts for word in re.findall(r"[a-z']+", text.lower()) if len(word) > 1)


def altered_sentences(texts: Sequence[str], words: list[str], copies: int, rng: random.Random) -> list[str]:
    """Of each sentence `copies` pieces of at least half its length, with up to 30 % of the words replaced."""
    counts = words_of(texts)
    replacements = iter(
        rng.choices(words, [(counts[word] + 1) ** 0.5 for word in words], k=60 * copies * len(texts))
    )
    altered = []
    for text in texts:
        original = text.split()
        for _ in range(copies):
            length = rng.randint((len(original) + 1) // 2, len(original))
            start = rng.randint(0, len(original) - length)
            share = rng.choice([0.0, 0.0, 0.15, 0.3])
            piece = original[start : start + length]
            altered.append(" ".join(next(replacements) if rng.random() < share else word for word in piece))
    return altered


PHRASES = (
    "very {}",
    "so {} !",
    "not {}",
    "not very {}",
    "not {} at all",
    "it was {}",
    "it was not {}",
    "this is n't {}",
    "nothing {} about it",
    "never {}",
    "i {} it",
    "i do not {} it",
    "i did not {} that at all",
    "you don't {} us",
    "they would not {} me",
    "hope they do not {} this",
)


def phrases(valence: dict[str, float], rng: random.Random) -> list[str]:
    """Put each word with a clear feeling into four short phrases, half of which turn it round."""
    felt = [word for word, rating in valence.items() if abs(rating) >= 1]
    return [template.format(word) for word in felt for template in rng.sample(PHRASES, 4)]


def smaller_tokenizer(
    teacher: BertTokenizerFast, texts: Sequence[str], valence: dict[str, float], size: int
) -> BertTokenizerFast:
    """The teacher's tokenizer with `size` of its pieces: frequent ones, and ones with a strong feeling.

    Pieces keep their order. Special tokens come first and single characters are always kept, so that every
    word of Latin letters can still be spelt.
    """
    pieces = sorted(teacher.get_vocab(), key=teacher.get_vocab().get)
    counts = Counter(piece for text in texts for piece in teacher.tokenize(text))
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    usable = [piece for piece in pieces if piece.isascii() and not piece.startswith("[")]
    single = [piece for piece in usable if len(piece.removeprefix("##")) == 1] + ["["]

    def worth(rank: int, piece: str) -> float:
        seen = counts[piece] + 6000 / (rank + 1)  # the teacher's vocabulary begins with common words
        return seen**0.5 * (0.25 + abs(valence.get(piece, 0.3)))

    value = {piece: worth(rank, piece) for rank, piece in enumerate(pieces)}
    rest = sorted(set(usable) - set(single), key=value.__getitem__, reverse=True)
    chosen = {*single, *rest[: size - len(special) - len(single)]}
    with tempfile.TemporaryDirectory() as folder:
        vocab = Path(folder) / "vocab.txt"
        kept = special + [piece for piece in pieces if piece in chosen]
        vocab.write_text("".join(piece + "\n" for piece in kept), encoding="utf-8")
        return BertTokenizerFast(vocab_file=vocab, model_max_length=512)
