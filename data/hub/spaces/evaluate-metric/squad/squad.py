"""SQuAD: exact match and word overlap (F1) between predicted and true answers to questions on a text."""

from __future__ import annotations

import re
import string
from collections import Counter
from statistics import fmean
from typing import Any

import datasets
import evaluate

INPUTS = """
Args:
    predictions (list of dict): {"id": str, "prediction_text": str} for each question.
    references (list of dict): {"id": str, "answers": {"text": list of str, "answer_start": list of int}}
        for each question, in any order; of several answers the best one counts.

Returns:
    dict: {"exact_match": float, "f1": float}, both between 0 and 100

Raises:
    ValueError: a question of the references has no prediction, or no answer
"""


def words_of(text: str) -> list[str]:
    """Return the words of an answer in lower case, without punctuation and English articles."""
    text = text.lower().translate(str.maketrans("", "", string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def exact_match(prediction: str, answer: str) -> float:
    """Return 1 when both have the same words in the same order, else 0."""
    return float(words_of(prediction) == words_of(answer))


def word_f1(prediction: str, answer: str) -> float:
    """Return the F1 of the words that both share."""
    predicted, true = Counter(words_of(prediction)), Counter(words_of(answer))
    shared = (predicted & true).total()
    return 2 * shared / (predicted.total() + true.total()) if shared else 0.0


class Squad(evaluate.Metric):
    """The two scores of SQuAD 1.1."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        answers = datasets.Sequence({"text": text, "answer_start": datasets.Value("int32")})
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Rajpurkar et al., SQuAD: 100,000+ Questions for Machine Comprehension of Text, 2016",
            inputs_description=INPUTS,
            features=datasets.Features(
                {
                    "predictions": {"id": text, "prediction_text": text},
                    "references": {"id": text, "answers": answers},
                }
            ),
            reference_urls=["https://rajpurkar.github.io/SQuAD-explorer", "https://arxiv.org/abs/1606.05250"],
        )

    def _compute(
        self, predictions: list[dict[str, Any]], references: list[dict[str, Any]]
    ) -> dict[str, float]:
        predicted = {entry["id"]: entry["prediction_text"] for entry in predictions}
        missing = [entry["id"] for entry in references if entry["id"] not in predicted]
        if missing:
            raise ValueError(
                f"{len(missing)} questions have no prediction with their id, such as {missing[:3]}."
            )
        unanswered = [entry["id"] for entry in references if not entry["answers"]["text"]]
        if unanswered:
            raise ValueError(
                f"{len(unanswered)} questions have no answer, such as {unanswered[:3]}. "
                'Use evaluate.load("squad_v2") for data with questions that cannot be answered.'
            )

        def mean_best(score: Any) -> float:
            return 100 * fmean(
                max(score(predicted[entry["id"]], answer) for answer in entry["answers"]["text"])
                for entry in references
            )

        return {"exact_match": mean_best(exact_match), "f1": mean_best(word_f1)}
