"""Exercises of notebook 27: multiple choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from classroom.exercises import Wrong, exercise


def _row(endings: Sequence[str]) -> dict[str, object]:
    columns = {f"ending{number}": ending for number, ending in enumerate(endings)}
    return {"sent1": "Max was on the hill.", "sent2": "He felt", **columns, "label": 0}


_ROWS = {
    "four endings": ["sad.", "calm.", "proud.", "cross."],
    "two endings": ["happy.", "sleepy."],
    "eleven endings": [f"{number} years old." for number in range(11)],
}
_LIKELIHOODS = {
    "the likelier one is likely anyway": ([[-1.0], [-2.0]], [[-1.0], [-6.0]], 1),
    "a longer one is helped in two places": ([[-1.0], [-2.0, -2.0]], [[-4.0], [-4.0, -4.0]], 1),
    "the story makes all less likely": ([[-9.0], [-8.0], [-7.0]], [[-1.0], [-7.0], [-5.0]], 1),
    "only one ending": ([[-3.0, -1.0]], [[-2.0, -5.0]], 0),
}


@exercise(
    "27.1",
    "Make the pairs of texts of a row.",
    hints=[
        "How many endings are there? Count the columns whose names begin with 'ending'.",
        "The second text is `sent2`, a space, and the ending.",
        "Go through `range(number)` and read row[f'ending{i}']: the order is that of the numbers then.",
    ],
)
def pairs_of_a_row(answer: Callable[[Mapping[str, object]], Sequence[tuple[str, str]]]) -> str:
    """A function of a row, tried with four, two and eleven endings."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for name, endings in _ROWS.items():
        expected = [("Max was on the hill.", f"He felt {ending}") for ending in endings]
        found = answer(_row(endings))
        if (
            not isinstance(found, (list, tuple))
            or [tuple(pair) if isinstance(pair, (list, tuple)) else pair for pair in found] != expected
        ):
            raise Wrong(f"{name}: {expected} is wanted, not {found}.")
    return "The model takes any number of choices, as long as all rows of a batch have as many."


@exercise(
    "27.2",
    "Which ending does the story help most?",
    hints=[
        "The log-likelihood of a text is the sum over its tokens.",
        "What the story does for an ending is a difference: with it, less without it.",
        "gains = [sum(a) - sum(b) for a, b in zip(given, alone)], and the place of the greatest.",
    ],
)
def helped_most(answer: Callable[[list[list[float]], list[list[float]]], int]) -> str:
    """A function of two lists of token log-likelihoods, tried on four stories."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for name, (given, alone, expected) in _LIKELIHOODS.items():
        found = answer([list(tokens) for tokens in given], [list(tokens) for tokens in alone])
        if found != expected:
            raise Wrong(
                f"{name}: with the story {given}, without it {alone}: ending {expected}, not {found}."
            )
    return "This is pointwise mutual information: it asks what the story adds, not what is common."
