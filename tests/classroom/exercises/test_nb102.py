"""Checkers of notebook 102: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

from contextlib import contextmanager, suppress

import pytest
from classroom.exercises import Wrong, check, nb102
from nanoformers.utils import logging


@contextmanager
def careful():
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)


@contextmanager
def forgetful():
    logging.set_verbosity_error()
    yield
    logging.set_verbosity_warning()


@contextmanager
def fragile():
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    yield
    logging.set_verbosity(before)


@contextmanager
def swallowing():
    with careful(), suppress(LookupError):
        yield


@contextmanager
def loud():
    yield


class TestQuiet:
    def test_one_that_puts_the_level_back_is_right(self):
        before = logging.get_verbosity()
        assert check("102.1", careful)
        assert logging.get_verbosity() == before

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (forgetful, "Before the block the level was 20; afterwards it is 30"),
            (fragile, "when the block fails"),
            (swallowing, "disappeared"),
            (loud, "not 40"),
            (lambda: None, "with"),
            (40, "without calling it"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb102.quiet(answer)


class TestNoAdvice:
    def test_one_variable_is_right(self):
        assert check("102.2", {nb102.ADVICE: "1"})

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ({nb102.VERBOSITY: "error"}, "silences warnings"),
            ({nb102.VERBOSITY: "warning"}, "still written"),
            ({nb102.ADVICE: "1", nb102.VERBOSITY: "info"}, "changes how much"),
            ({nb102.ADVICE: "1", nb102.VERBOSITY: "warning"}, "can go"),
            ({nb102.ADVICE: 1}, "quote them"),
            (nb102.ADVICE, "dictionary"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb102.no_advice(answer)
