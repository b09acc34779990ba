"""Exercises of notebook 22: question answering."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from classroom.exercises import Wrong, exercise

_SCORES = {
    "in order": ([0.0, 3.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0], 3, (1, 2)),
    "one token": ([0.0, 5.0, 0.0], [0.0, 5.0, 0.0], 3, (1, 1)),
    "the best ends cross": ([0.0, 1.0, 4.0], [5.0, 2.0, 0.0], 3, (0, 0)),
    "the best pair is too long": ([4.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 4.0], 2, (0, 1)),
}
_PAIRS = {
    ("red kite", "red kite"): 1.0,
    ("a red kite", "red kite"): 0.8,
    ("kite", "balloon"): 0.0,
    ("red red kite", "red kite"): 0.8,
    ("the", "the the"): 2 / 3,
}


@exercise(
    "22.1",
    "Which pair of places is the best answer?",
    hints=[
        "Two loops: every start, and for each the ends from it on that are near enough.",
        "An answer of n tokens from place i ends at i + n - 1.",
        "max(pairs, key=lambda pair: start[pair[0]] + end[pair[1]]), over the pairs that are allowed.",
    ],
)
def best_of_all_pairs(answer: Callable[[Sequence[float], Sequence[float], int], tuple[int, int]]) -> str:
    """A function of two lists of scores and the greatest length, tried on four texts."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for name, (start, end, longest, expected) in _SCORES.items():
        found = answer(list(start), list(end), longest)
        if found is None or tuple(found) != expected:
            raise Wrong(
                f"{name}: starts {start}, ends {end}, at most {longest} tokens: {expected}, not {found}."
            )
    return "The pipeline does the same, and gives the best few with top_k."


@exercise(
    "22.2",
    "How much of an answer is right?",
    hints=[
        "collections.Counter counts words, and `a & b` keeps what both have, as often as both have it.",
        "F1 is 2 * common / (words found + words of the right answer).",
        "When nothing is common, the answer is 0: there is nothing to divide then.",
    ],
)
def f1_of_words(answer: Callable[[str, str], float]) -> str:
    """A function of two texts, tried on five pairs."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for (found, right), expected in _PAIRS.items():
        value = answer(found, right)
        if not isinstance(value, (int, float)) or abs(value - expected) > 1e-6:
            raise Wrong(f"{found!r} for {right!r} is worth {expected:.2f}, not {value}.")
    return (
        "SQuAD's F1 does this for each question, against the best of its right answers, and takes the mean."
    )
