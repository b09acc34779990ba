"""Checkers of notebook 23: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import math

import pytest
from classroom.exercises import Wrong, check, nb23


class TestFourTokens:
    def test_two_bits_are_four(self):
        assert check("23.1", 4.0)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [(32 / 9, "mean probability"), (2, "mean loss"), (5, "Not 5"), (None, "number")],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb23.four_tokens(answer)


class TestBitsForEachCharacter:
    def test_bits_of_the_whole_text_are_right(self):
        assert check("23.2", lambda loss, tokens, characters: loss * tokens / math.log(2) / characters)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda loss, tokens, characters: loss * tokens / characters, "nats"),
            (lambda loss, tokens, characters: loss / math.log(2), "bits a character"),
            (lambda loss, tokens, characters: None, "not a number"),
            (1.0, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb23.bits_for_each_character(answer)
