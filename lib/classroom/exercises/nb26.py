"""Exercises of notebook 26: summarization."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from classroom.exercises import Wrong, exercise

_Measure = Callable[[Sequence[str], Sequence[str]], float]
_PAIRS = {
    "the same": ("max was calm", "max was calm", 1.0),
    "one word changed": ("otto was very calm", "max was very calm", 0.75),
    "the same words in another order": ("calm was max", "max was calm", 1 / 3),
    "words left out": ("max was calm", "max the pig was calm", 0.75),
    "words between": ("max washed a pink box", "max found and washed a box", 8 / 11),
    "nothing in common": ("max", "otto slept", 0.0),
}
_STORY = "max the pig was at the market . he washed a pink box . max was calm"
_SUMMARIES = {
    "a copied sentence": ("he washed a pink box", 0.0),
    "words of the story, joined anew": ("max washed a box", 2 / 3),
    "one word": ("max", 0.0),
    "its own words": ("nobody slept well", 1.0),
}


def _try(answer: _Measure, first: str, second: str) -> float:
    found = answer(first.split(), second.split())
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise Wrong(f"It gives {found!r}, and not a number.")
    return found


@exercise(
    "26.1",
    "Compute ROUGE-L.",
    hints=[
        "Make a table: a row for each word of the candidate, a column for each word of the reference.",
        "Equal words: one more than the cell above and to the left. Else: the greater of above and left.",
        "F1 of length / candidate and length / reference is 2 * length / (candidate + reference).",
    ],
)
def longest_in_order(answer: _Measure) -> str:
    """A function of two lists of words, tried on six pairs."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for name, (candidate, reference, expected) in _PAIRS.items():
        found = _try(answer, candidate, reference)
        if not math.isclose(found, expected, abs_tol=1e-6):
            raise Wrong(f"{name}: {candidate!r} for {reference!r} has {expected:.2f}, not {found:.2f}.")
    return "One word changed of four leaves 0.75, whichever word it is. That is the trouble with it."


@exercise(
    "26.2",
    "How much of a summary is in its own words?",
    hints=[
        "zip(words, words[1:]) gives the pairs of neighbours.",
        "Put the pairs of the story into a set.",
        "Count the summary's pairs that are not in it; divide by the number of the summary's pairs.",
    ],
)
def own_words(answer: _Measure) -> str:
    """A function of two lists of words, tried on four summaries of a story."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for name, (summary, expected) in _SUMMARIES.items():
        found = _try(answer, summary, _STORY)
        if not math.isclose(found, expected, abs_tol=1e-6):
            raise Wrong(f"{name}: {summary!r} of {_STORY!r} has {expected:.2f}, not {found:.2f}.")
    return "A summary that copies is safe and dull; one in its own words may be wrong. Look at both."
