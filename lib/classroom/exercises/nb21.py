"""Exercises of notebook 21: token classification."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from classroom.exercises import Wrong, exercise

_WORDS = [None, 0, 0, 1, 2, 2, 2, None]
_PIECES = {
    "a name in two pieces, then words": ([1, 0, 7], [-100, 1, 2, 0, 7, 8, 8, -100]),
    "an entity that goes on": ([1, 2, 2], [-100, 1, 2, 2, 2, 2, 2, -100]),
    "no entities": ([0, 0, 0], [-100, 0, 0, 0, 0, 0, 0, -100]),
}
_TAGS = {
    "one word": (["O", "B-PER", "O"], {("PER", 1, 1)}),
    "three words": (["B-OBJ", "I-OBJ", "I-OBJ"], {("OBJ", 0, 2)}),
    "two that touch": (["B-PER", "B-PER", "I-PER"], {("PER", 0, 0), ("PER", 1, 2)}),
    "another type goes on": (["B-PER", "I-LOC"], {("PER", 0, 0), ("LOC", 1, 1)}),
    "an I- without a B-": (["O", "I-LOC", "I-LOC", "O"], {("LOC", 1, 2)}),
    "nothing": (["O", "O"], set()),
}


@exercise(
    "21.1",
    "Give every piece of a word a label.",
    hints=[
        "Go through the word numbers, and remember the one before.",
        "The first piece of a word has its tag. A later piece of a B- tag gets the I- tag: one more.",
        "In names, B- tags are odd: `tag + tag % 2` is the tag that goes on, for O and for I- too.",
    ],
)
def every_piece(answer: Callable[[Sequence[int | None], Sequence[int]], Sequence[int]]) -> str:
    """A function of word numbers and tags, tried on three sentences."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for name, (tags, expected) in _PIECES.items():
        found = answer(_WORDS, tags)
        if found is None or list(found) != expected:
            raise Wrong(f"{name}: words {_WORDS} with tags {tags} give {expected}, not {found}.")
    return "Both rules are in use. A pipeline joins pieces either way, with an aggregation_strategy."


@exercise(
    "21.2",
    "Which entities does a list of tags name?",
    hints=[
        "Keep the type and the start of the entity that is open, if one is.",
        "It ends before an O, before any B-, and before an I- of another type.",
        "Append an 'O' to the tags: then the last entity is closed like any other.",
    ],
)
def whole_entities(answer: Callable[[Sequence[str]], set[tuple[str, int, int]]]) -> str:
    """A function of tags, tried on six lists."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for name, (tags, expected) in _TAGS.items():
        found = answer(list(tags))
        if not isinstance(found, (set, frozenset, list, tuple)) or set(found) != expected:
            raise Wrong(f"{name}: {tags} has {sorted(expected)}, and not {found}.")
    return "F1 is computed on such sets: what both have, what only one of them has."
