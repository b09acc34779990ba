"""Scores of answers to questions on a text, compared with computations by hand."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import pytest

Load = Callable[..., Any]


def truth(number: int, *answers: str) -> dict[str, Any]:
    return {"id": str(number), "answers": {"text": list(answers), "answer_start": [0] * len(answers)}}


def guess(number: int, text: str, no_answer: float | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"id": str(number), "prediction_text": text}
    return found if no_answer is None else found | {"no_answer_probability": no_answer}


class TestSquad:
    def test_words_are_counted(self, load_metric: Load) -> None:
        scores = load_metric("squad").compute(
            predictions=[guess(1, "very very big")], references=[truth(1, "very big red")]
        )
        assert scores == {"exact_match": 0.0, "f1": pytest.approx(100 * 2 * 2 / (3 + 3))}

    def test_case_punctuation_and_articles_do_not_count(self, load_metric: Load) -> None:
        scores = load_metric("squad").compute(
            predictions=[guess(1, "The U.S., an ally")], references=[truth(1, "us ally")]
        )
        assert scores == {"exact_match": 100.0, "f1": 100.0}

    def test_the_best_answer_counts_for_each_score(self, load_metric: Load) -> None:
        scores = load_metric("squad").compute(
            predictions=[guess(1, "red"), guess(2, "x")], references=[truth(2, "y"), truth(1, "blue", "red")]
        )
        assert scores == {"exact_match": 50.0, "f1": 50.0}

    def test_an_empty_prediction(self, load_metric: Load) -> None:
        scores = load_metric("squad").compute(predictions=[guess(1, "")], references=[truth(1, "red")])
        assert scores == {"exact_match": 0.0, "f1": 0.0}

    def test_ids_must_meet(self, load_metric: Load) -> None:
        with pytest.raises(ValueError, match="no prediction with their id, such as \\['2'\\]"):
            load_metric("squad").compute(predictions=[guess(1, "red")], references=[truth(2, "red")])

    def test_questions_without_answer_belong_to_squad_v2(self, load_metric: Load) -> None:
        with pytest.raises(ValueError, match="squad_v2"):
            load_metric("squad").compute(predictions=[guess(1, "red")], references=[truth(1)])


class TestSquadV2:
    PREDICTIONS = (
        guess(1, "red ball", 0.1),  # half right: F1 2 * 1 / (2 + 1)
        guess(2, "Paris", 0.6),  # right
        guess(3, "ten", 0.7),  # there is none
        guess(4, "", 0.9),  # rightly silent
    )
    REFERENCES = (truth(1, "red"), truth(2, "Paris", "France"), truth(3), truth(4))

    def compute(self, load_metric: Load, **options: Any) -> dict[str, float]:
        return load_metric("squad_v2").compute(
            predictions=list(self.PREDICTIONS), references=list(self.REFERENCES), **options
        )

    def test_scores_of_both_kinds_of_question(self, load_metric: Load) -> None:
        scores = self.compute(load_metric)
        assert (scores["exact"], scores["total"]) == (50.0, 4)
        assert scores["f1"] == pytest.approx(100 * (2 / 3 + 1 + 0 + 1) / 4)
        assert (scores["HasAns_exact"], scores["HasAns_total"]) == (50.0, 2)
        assert scores["HasAns_f1"] == pytest.approx(100 * (2 / 3 + 1) / 2)
        assert (scores["NoAns_exact"], scores["NoAns_f1"], scores["NoAns_total"]) == (50.0, 50.0, 2)

    def test_a_probability_over_the_threshold_is_no_answer(self, load_metric: Load) -> None:
        scores = self.compute(load_metric, no_answer_threshold=0.5)
        assert (scores["HasAns_exact"], scores["NoAns_exact"]) == (0.0, 100.0)
        assert scores["f1"] == pytest.approx(100 * (2 / 3 + 0 + 1 + 1) / 4)

    def test_best_threshold(self, load_metric: Load) -> None:
        scores = self.compute(load_metric)
        # Answering questions 1 and 2, the least doubtful ones, and no other.
        assert scores["best_exact"] == 100 * (0 + 1 + 1 + 1) / 4
        assert scores["best_f1"] == pytest.approx(100 * (2 / 3 + 1 + 1 + 1) / 4)
        assert scores["best_exact_thresh"] == scores["best_f1_thresh"] == pytest.approx(0.6)

    def test_silence_may_be_best(self, load_metric: Load) -> None:
        scores = load_metric("squad_v2").compute(predictions=[guess(1, "red", 0.2)], references=[truth(1)])
        assert (scores["exact"], scores["best_exact"], scores["best_exact_thresh"]) == (0.0, 100.0, 0.0)

    def test_keys_of_kinds_that_do_not_occur_are_left_out(self, load_metric: Load) -> None:
        scores = load_metric("squad_v2").compute(
            predictions=[guess(1, "red", 0.0)], references=[truth(1, "red")]
        )
        assert {"HasAns_exact", "HasAns_f1", "HasAns_total"} < scores.keys()
        assert not any(name.startswith("NoAns") for name in scores)

    def test_an_answer_of_articles_only_is_an_empty_one(self, load_metric: Load) -> None:
        scores = load_metric("squad_v2").compute(
            predictions=[guess(1, "", 0.0)], references=[truth(1, "the")]
        )
        assert (scores["exact"], scores["f1"]) == (100.0, 100.0)

    def test_ids_must_meet(self, load_metric: Load) -> None:
        with pytest.raises(ValueError, match="no prediction with their id"):
            load_metric("squad_v2").compute(predictions=[guess(1, "red", 0.0)], references=[truth(2, "red")])


def test_both_normalize_answers_in_the_same_way(load_metric: Load) -> None:
    """A metric is one file, so the two cannot share the function; this keeps them equal."""
    first, second = (sys.modules[type(load_metric(name)).__module__] for name in ("squad", "squad_v2"))
    for name in ("words_of", "exact_match"):
        assert inspect.getsource(getattr(first, name)) == inspect.getsource(getattr(second, name))
