"""Exercises of notebook 25: translation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from classroom.exercises import Wrong, exercise

_LABELS = {
    "labels and their end": ([5, 6, 7, 1], [0, 5, 6, 7]),
    "padded labels": ([5, 6, 1, -100, -100], [0, 5, 6, 1, 3]),
    "one label": ([1], [0]),
}
_SENTENCES = {
    "the same sentence": ("a cat sat", "a cat sat", 1.0),
    "the the the the": ("the the the the", "the cat is on the mat", 0.5),
    "another order": ("sat cat a", "a cat sat", 1.0),
    "a shorter one": ("a cat", "a cat sat", 1.0),
    "a longer one": ("a cat sat on it", "a cat sat", 0.6),
    "nothing in common": ("un chat", "a cat", 0.0),
}


@exercise(
    "25.1",
    "What does the decoder read?",
    hints=[
        "It is as long as the labels: one comes in front, one falls off behind.",
        "-100 is no token: the decoder reads `pad` there, and the loss leaves the place out.",
        "[start] + [... for label in labels[:-1]]",
    ],
)
def what_the_decoder_reads(answer: Callable[[Sequence[int], int, int], Sequence[int]]) -> str:
    """A function of labels, a start and a padding token, tried on three lists."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for name, (labels, expected) in _LABELS.items():
        found = answer(list(labels), 0, 3)
        if found is None or list(found) != expected:
            raise Wrong(f"{name}: {labels} with start 0 and padding 3 gives {expected}, not {found}.")
    return "At each place the decoder reads the token before the one that it has to write."


@exercise(
    "25.2",
    "How many words of a translation are right?",
    hints=[
        "Count the words of both with Counter.",
        "`Counter(a) & Counter(b)` keeps the smaller count of each word.",
        "Divide the sum of those by the number of words of the candidate.",
    ],
)
def right_words(answer: Callable[[Sequence[str], Sequence[str]], float]) -> str:
    """A function of two lists of words, tried on six pairs."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for name, (candidate, reference, expected) in _SENTENCES.items():
        found = answer(candidate.split(), reference.split())
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            raise Wrong(f"It gives {found!r}, and not a number.")
        if not math.isclose(found, expected, abs_tol=1e-6):
            raise Wrong(
                f"{name}: {candidate!r} for {reference!r} has a precision of {expected:g}, not {found:g}."
            )
    return "BLEU takes it for runs of 1 to 4 words, their geometric mean, and a penalty for being short."
