"""Exercises of notebook 102: logging and files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from classroom.exercises import Wrong, exercise

ADVICE, VERBOSITY = "TRANSFORMERS_NO_ADVISORY_WARNINGS", "TRANSFORMERS_VERBOSITY"


@exercise(
    "102.1",
    "A context manager that keeps the library quiet.",
    hints=[
        "Remember logging.get_verbosity() before you change it.",
        "What if the block raises? `finally` runs in any case.",
        "before = get_verbosity(); set_verbosity_error(); try: yield; finally: set_verbosity(before)",
    ],
)
def quiet(answer: Callable[[], AbstractContextManager[object]]) -> str:
    """A context manager, tried at two levels and with an exception inside."""
    from nanoformers.utils import logging

    if not callable(answer):
        raise Wrong("Give the context manager itself, without calling it.")
    before = logging.get_verbosity()
    try:
        for level in (logging.INFO, logging.WARNING):
            for fails in (False, True):
                _try(answer, level, fails)
    finally:
        logging.set_verbosity(before)
    return "What changes a setting for everybody should put it back, most of all when something fails."


def _try(answer: Callable[[], AbstractContextManager[object]], level: int, fails: bool) -> None:
    from nanoformers.utils import logging

    logging.set_verbosity(level)
    try:
        with answer():
            inside = logging.get_verbosity()
            if fails:
                raise LookupError
    except LookupError:
        pass
    except (AttributeError, TypeError) as error:
        raise Wrong(f"It cannot be used in a `with` statement: {error}.") from error
    else:
        if fails:
            raise Wrong("An exception inside the block disappeared: whoever wrote the block must see it.")
    if inside != logging.ERROR:
        raise Wrong(f"Inside the block the level is {inside}, not {logging.ERROR} (errors only).")
    after = logging.get_verbosity()
    if after != level:
        when = "when the block fails, " if fails else ""
        raise Wrong(f"Before the block the level was {level}; {when}afterwards it is {after}.")


@exercise(
    "102.2",
    "Warnings, but no advice, from outside.",
    hints=[
        "WARNING is what the library says anyway.",
        "Section 2 switched advice off in a running program.",
        f'variables = {{"{ADVICE}": "1"}}',
    ],
)
def no_advice(answer: dict[str, str]) -> str:
    """One environment variable."""
    if not isinstance(answer, dict):
        raise Wrong('Give a dictionary of environment variables: {"NAME": "value"}.')
    if not all(isinstance(value, str) for value in answer.values()):
        raise Wrong("The values of environment variables are text: quote them.")
    if not answer.get(ADVICE):
        if answer.get(VERBOSITY) in ("error", "critical"):
            raise Wrong("That silences warnings as well.")
        raise Wrong("Advice is still written.")
    verbosity = answer.get(VERBOSITY)
    if verbosity not in (None, "warning"):
        raise Wrong(f"{VERBOSITY}={verbosity} changes how much else is written.")
    if len(answer) > 1:
        unneeded = ", ".join(sorted(answer.keys() - {ADVICE}))
        raise Wrong(f"Right, but smaller is possible: {unneeded} can go.")
    return "Any value that is not empty switches it on."
