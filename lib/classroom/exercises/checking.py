"""`classroom.check` and `classroom.hint`: what a learner calls."""

from __future__ import annotations

import traceback
from typing import Any

from classroom.exercises.recording import record
from classroom.exercises.registry import Exercise, Wrong, find
from classroom.exercises.verdict import Verdict

_attempts: dict[str, int] = {}
_hints_given: dict[str, int] = {}
_TRIES_BEFORE_A_HINT = 2


def check(identifier: str, answer: Any) -> Verdict:
    """Judge `answer` to an exercise: right or wrong, and why. Show the result as the value of the cell.

    A wrong answer is no error: nothing is raised for it, whatever it is. The verdict is true when right, so
    `assert classroom.check("03.1", answer)` works in a script.

    Args:
        identifier: notebook and number, such as "03.1".
        answer: your answer, of the type that the exercise asks for.

    Raises:
        UnknownExerciseError: no exercise has this id.
    """
    verdict = _judge(find(identifier), answer)
    record(verdict)
    return verdict


def hint(identifier: str) -> Verdict:
    """Give the next hint for an exercise; after the last one, the last one again.

    Raises:
        UnknownExerciseError: no exercise has this id.
    """
    exercise = find(identifier)
    given = min(_hints_given.get(identifier, 0), len(exercise.hints) - 1)
    _hints_given[identifier] = given + 1
    left = len(exercise.hints) - given - 1
    if left:
        advice = f"{left} more hint{'s' if left > 1 else ''}: run the cell again."
    else:
        advice = "That was the last hint; the solution is in the folded cell below the exercise."
    return Verdict(identifier, "hint", exercise.hints[given], advice)


def _judge(exercise: Exercise, answer: Any) -> Verdict:
    identifier = exercise.id
    if exercise.is_unfinished(answer):
        return Verdict(
            identifier,
            "open",
            "Put your answer in place of the starter value, and run the cell again.",
            f'Stuck? `classroom.hint("{identifier}")`',
        )
    try:
        praise = exercise.judge(answer)
    except Wrong as reason:
        return _wrong(identifier, str(reason))
    except Exception as error:
        return _wrong(identifier, f"{_unsuitable(answer)} ({_one_line(error)})")
    _attempts.pop(identifier, None)
    return Verdict(identifier, "right", praise)


def _wrong(identifier: str, reason: str) -> Verdict:
    _attempts[identifier] = _attempts.get(identifier, 0) + 1
    wants_help = _attempts[identifier] >= _TRIES_BEFORE_A_HINT
    return Verdict(
        identifier, "wrong", reason, f'Stuck? `classroom.hint("{identifier}")`' if wants_help else ""
    )


def _unsuitable(answer: Any) -> str:
    return f"An answer of type `{type(answer).__name__}` cannot be judged; read again what is asked for."


def _one_line(error: Exception) -> str:
    return traceback.format_exception_only(error)[-1].strip()
