"""Which exercises there are, and the function that judges an answer to each."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_IDENTIFIER = re.compile(r"^(?P<notebook>\d{2,3})\.(?P<number>\d+)$")


class UnknownExerciseError(LookupError):
    """No exercise has this id."""


class Wrong(Exception):  # noqa: N818 (reads as what a checker says: `raise Wrong("because ...")`)
    """Raised by a checker; the message tells the learner what is wrong with the answer."""


@dataclass(frozen=True)
class Exercise:
    """One exercise of a notebook.

    Attributes:
        id: notebook and number, such as "03.1".
        question: what is asked, in a line.
        judge: takes the answer; returns the praise that explains why it is right, or raises `Wrong`.
        hints: from a nudge to almost the solution.
        unfinished: the starter values of the exercise cell, for which the verdict is 'not yet'.
    """

    id: str
    question: str
    judge: Callable[[Any], str]
    hints: tuple[str, ...]
    unfinished: tuple[Any, ...] = (None, ...)

    def is_unfinished(self, answer: object) -> bool:
        """Whether `answer` is still the starter value."""
        return any(answer is starter or _equal(answer, starter) for starter in self.unfinished)


_exercises: dict[str, Exercise] = {}


def exercise(
    identifier: str, question: str, *, hints: Sequence[str], unfinished: Sequence[Any] = (None, ...)
) -> Callable[[Callable[[Any], str]], Callable[[Any], str]]:
    """Register the decorated function as the judge of exercise `identifier`.

    Args:
        identifier: notebook and number, such as "03.1".
        question: what is asked, in a line.
        hints: at least one, each telling more than the one before.
        unfinished: the starter values that stand in the exercise cell.

    Raises:
        ValueError: a malformed id, no hint, or an id that another checker has taken.
    """
    if not _IDENTIFIER.match(identifier):
        raise ValueError(f"An exercise id is notebook and number, such as '03.1'; {identifier!r} is not.")
    if not hints:
        raise ValueError(f"Exercise {identifier} needs at least one hint.")

    def register(judge: Callable[[Any], str]) -> Callable[[Any], str]:
        taken = _exercises.get(identifier)
        if taken is not None and (taken.judge.__module__, taken.judge.__qualname__) != (
            judge.__module__,
            judge.__qualname__,
        ):
            raise ValueError(f"Exercise {identifier} is checked already, by {taken.judge.__qualname__}.")
        _exercises[identifier] = Exercise(identifier, question, judge, tuple(hints), tuple(unfinished))
        return judge

    return register


def exercises_of(notebook: str) -> list[Exercise]:
    """Return the exercises of notebook `notebook` (such as "03"), in order."""
    module = f"classroom.exercises.nb{notebook}"
    if importlib.util.find_spec(module) is not None:
        importlib.import_module(module)
    mine = [found for found in _exercises.values() if found.id.partition(".")[0] == notebook]
    return sorted(mine, key=lambda found: int(found.id.partition(".")[2]))


def find(identifier: str) -> Exercise:
    """Return the exercise with this id.

    Raises:
        UnknownExerciseError: there is none; the message names those that the notebook has.
    """
    match = _IDENTIFIER.match(identifier) if isinstance(identifier, str) else None
    if match is None:
        raise UnknownExerciseError(
            f"{identifier!r} is no exercise id. Write the notebook's number, a point and the exercise's "
            "number, in quotes: classroom.check('03.1', answer)."
        )
    known = exercises_of(match["notebook"])
    for candidate in known:
        if candidate.id == identifier:
            return candidate
    ids = [candidate.id for candidate in known]
    close = difflib.get_close_matches(identifier, ids, n=1)
    raise UnknownExerciseError(
        f"There is no exercise {identifier}. "
        + (f"Did you mean {close[0]}? " if close else "")
        + (
            f"Notebook {match['notebook']} has: {', '.join(ids)}."
            if ids
            else f"Notebook {match['notebook']} has none."
        )
    )


def _equal(answer: object, starter: object) -> bool:
    """Compare without the surprises of arrays, which answer `==` with an array."""
    return (
        type(answer) is type(starter)
        and isinstance(answer, (str, int, float, bool, tuple, list, dict, set))
        and (answer == starter)
    )
