"""Checkers of notebook 20: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import numpy as np
import pytest
from classroom.exercises import Wrong, check, nb20
from sklearn.metrics import f1_score


def coverage(sureness, right, wanted):
    order = np.argsort(-sureness)
    good = np.flatnonzero(np.cumsum(right[order]) / np.arange(1, len(order) + 1) >= wanted)
    return (good[-1] + 1) / len(order) if len(good) else 0.0


def until_the_first_fall(sureness, right, wanted):
    order = np.argsort(-sureness)
    enough = np.cumsum(right[order]) / np.arange(1, len(order) + 1) >= wanted
    return (len(enough) if enough.all() else enough.argmin()) / len(order)


def metrics(average):
    def compute(predicted):
        answers = predicted.predictions.argmax(-1)
        f1 = f1_score(predicted.label_ids, answers, average=average)
        return {"accuracy": (answers == predicted.label_ids).mean(), "f1": f1}

    return compute


class TestSentencesNeeded:
    @pytest.mark.parametrize("answer", [4898, 4899, 5100, np.float64(4898.04)])
    def test_about_4900_is_right(self, answer):
        assert check("20.1", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (1275, "one standard error"),
            (1225, "±2 points"),
            (2000, "wider"),
            (9000, "narrower"),
            ("many", "number"),
            (0, "wider"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb20.sentences_needed(answer)


class TestAnsweredShare:
    def test_the_largest_share_is_right(self):
        assert check("20.2", coverage)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (until_the_first_fall, "comes back"),
            (lambda sureness, right, wanted: coverage(-np.arange(len(right)), right, wanted), "no order"),
            (lambda sureness, right, wanted: 6 * coverage(sureness, right, wanted), "divide"),
            (lambda sureness, right, wanted: 0.5, "gives 0.50"),
            (0.5, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb20.answered_share(answer)


class TestMacroF1:
    def test_the_plain_mean_is_right(self):
        assert check("20.3", metrics("macro"))

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (metrics("binary"), "class 1 alone"),
            (metrics("micro"), "plain one"),
            (metrics("weighted"), "plain one"),
            (lambda predicted: 0.8, "dictionary"),
            (lambda predicted: {"accuracy": 0.8}, "no f1"),
            (lambda predicted: {"accuracy": 0.2, "f1": 0.6875}, "8 of 10"),
            (lambda predicted: {"accuracy": 0.8, "f1": 0.1}, "0.875"),
            (None, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb20.macro_f1(answer)
