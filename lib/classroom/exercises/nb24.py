"""Exercises of notebook 24: masked language modeling."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from classroom.exercises import Wrong, exercise

_PERPLEXITY = 2**1.5
_WORDS = [None, 0, 0, 0, 1, 2, 2, None]


@exercise(
    "24.1",
    "What is the perplexity of four guesses?",
    hints=[
        "Perplexity is exp of the mean loss, and the loss of a token is -log of its probability.",
        "In powers of two: the losses are 1, 2, 2 and 1 bits. What is their mean?",
        "2 to the power of that mean.",
    ],
)
def four_guesses(answer: float) -> str:
    """A number."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        raise Wrong("The answer is a number.")
    if math.isclose(answer, 8 / 3, rel_tol=0.01):
        raise Wrong("That is one divided by the mean probability. The mean is taken of the losses, the logs.")
    if math.isclose(answer, math.log(_PERPLEXITY), rel_tol=0.01):
        raise Wrong("That is the mean loss. Perplexity is exp of it.")
    if not math.isclose(answer, _PERPLEXITY, rel_tol=0.01):
        raise Wrong(f"Not {answer:g}: take -log of each probability, the mean of those, and exp of that.")
    return "2 ** 1.5, about 2.83: the geometric mean of 2, 4, 4 and 2 words to choose from."


@exercise(
    "24.2",
    "Which places are hidden when whole words are?",
    hints=[
        "Each token has the number of its word: is that number among the chosen?",
        "Special tokens have None, which is never chosen.",
        "def whole_words(word_ids, chosen): return [word in chosen for word in word_ids]",
    ],
)
def hidden_words(answer: Callable[[Sequence[int | None], set[int]], Sequence[bool]]) -> str:
    """A function of word numbers and chosen words, tried on four choices."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for chosen in ({0}, {1, 2}, set(), {0, 1, 2}):
        expected = [word is not None and word in chosen for word in _WORDS]
        found = answer(_WORDS, set(chosen))
        if found is None or [bool(value) for value in found] != expected:
            raise Wrong(f"Words {_WORDS} with {chosen or 'nothing'} chosen: {expected}, not {found}.")
    return "DataCollatorForWholeWordMask does this: a word whose other pieces are there is too easy to guess."
