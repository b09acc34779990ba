"""Checkers of notebook 70: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import numpy as np
import pytest
from classroom.exercises import Wrong, check, nb70

pytest.importorskip("optuna")


def space(low=1e-4, high=1e-2, log=True, choices=(1, 2, 4)):
    def hp_space(trial):
        return {
            "learning_rate": trial.suggest_float("learning_rate", low, high, log=log),
            "gradient_accumulation_steps": trial.suggest_categorical("gradient_accumulation_steps", choices),
        }

    return hp_space


class TestSpace:
    def test_a_logarithmic_rate_and_three_choices_are_right(self):
        assert check("70.1", space())

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (space(log=False), "nine of ten"),
            (space(high=1e-3), "not from 0.0001 to 0.01"),
            (space(choices=(1, 2, 4, 8)), "should be one of"),
            (lambda trial: {"learning_rate": 1e-3}, "never asked for learning_rate"),
            (lambda trial: space()(trial) and {}, "not among those returned"),
            (lambda trial: [1], "dictionary"),
            (lambda trial: trial.suggest_float("learning_rate"), "refuses"),
            (3, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb70.space(answer)


def beats(one, other):
    return one[0] >= other[0] and one[1] <= other[1] and one != other


class TestFront:
    def test_those_that_nobody_beats_are_right(self):
        assert check("70.2", lambda points: [p for p in points if not any(beats(q, p) for q in points)])

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda points: points, "worse and dearer"),
            (lambda points: [max(points)], "this gives"),
            (
                lambda points: [p for p in points if not any(q[0] > p[0] and q[1] < p[1] for q in points)],
                "equal accuracy",
            ),
            (None, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb70.front(answer)


class TestLuck:
    def test_a_simulation_is_right(self):
        assert check("70.3", np.random.default_rng(0).binomial(50, 0.7, size=(20_000, 20)).max(1).mean() / 50)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (0.7, "lucky"),
            (82, "between 0 and 1"),
            (0.9, "too much"),
            (0.75, "too little"),
            ("0.8", "a number"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb70.luck(answer)
