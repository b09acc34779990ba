"""Checkers of notebook 24: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import math

import pytest
from classroom.exercises import Wrong, check, nb24


class TestFourGuesses:
    def test_the_geometric_mean_is_right(self):
        assert check("24.1", 2**1.5)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (8 / 3, "mean probability"),
            (1.5 * math.log(2), "mean loss"),
            (4, "Not 4"),
            ("2.8", "number"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb24.four_guesses(answer)


class TestHiddenWords:
    def test_all_pieces_of_chosen_words_are_right(self):
        assert check("24.2", lambda word_ids, chosen: [word in chosen for word in word_ids])

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda word_ids, chosen: [w in chosen or w is None for w in word_ids], "not"),
            (lambda word_ids, chosen: None, "None"),
            (True, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb24.hidden_words(answer)
