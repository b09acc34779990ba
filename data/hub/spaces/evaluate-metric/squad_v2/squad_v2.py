"""SQuAD 2.0: exact match and word overlap (F1) of answers, where some questions have none in the text."""

from __future__ import annotations

import re
import string
from collections import Counter
from typing import Any

import datasets
import evaluate
import numpy as np

INPUTS = """
Args:
    predictions (list of dict): {"id": str, "prediction_text": str, "no_answer_probability": float} for
        each question; the text is empty when the model finds no answer.
    references (list of dict): {"id": str, "answers": {"text": list of str, "answer_start": list of int}}
        for each question, in any order; the lists are empty when there is no answer.
    no_answer_threshold (float): a larger "no_answer_probability" counts as "no answer", whatever the
        text.

Returns:
    dict: "exact", "f1" (0 to 100) and "total" (questions); the same over questions with an answer
        ("HasAns_exact", "HasAns_f1", "HasAns_total") and without ("NoAns_exact", "NoAns_f1",
        "NoAns_total") where there are any; "best_exact", "best_f1": the scores at the best threshold, and
        "best_exact_thresh", "best_f1_thresh"

Raises:
    ValueError: a question of the references has no prediction
"""


def words_of(text: str) -> list[str]:
    """Return the words of an answer in lower case, without punctuation and English articles."""
    text = text.lower().translate(str.maketrans("", "", string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def exact_match(prediction: str, answer: str) -> float:
    """Return 1 when both have the same words in the same order, else 0."""
    return float(words_of(prediction) == words_of(answer))


def word_f1(prediction: str, answer: str) -> float:
    """Return the F1 of the words that both share; where one has none, 1 when the other has none either."""
    predicted, true = Counter(words_of(prediction)), Counter(words_of(answer))
    if not predicted or not true:
        return float(predicted == true)
    return 2 * (predicted & true).total() / (predicted.total() + true.total())


def best_threshold(scores: np.ndarray, gains: np.ndarray, probabilities: np.ndarray) -> tuple[float, float]:
    """Return the best mean score (0 to 100) over all thresholds, and the threshold that gives it.

    Args:
        scores: what each question brings when it counts as "no answer", of shape (questions,).
        gains: how much more (or less) it brings when its text counts.
        probabilities: its `no_answer_probability`.
    """
    order = np.argsort(probabilities, kind="stable")
    totals = scores.sum() + np.concatenate([[0.0], np.cumsum(gains[order])])  # after 0, 1, 2 ... answers
    best = int(totals.argmax())
    threshold = float(probabilities[order[best - 1]]) if best else 0.0
    return 100 * float(totals[best]) / len(scores), threshold


class SquadV2(evaluate.Metric):
    """The scores of SQuAD 2.0."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        answers = datasets.Sequence({"text": text, "answer_start": datasets.Value("int32")})
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Rajpurkar, Jia and Liang, Know What You Don't Know, ACL 2018",
            inputs_description=INPUTS,
            features=datasets.Features(
                {
                    "predictions": {
                        "id": text,
                        "prediction_text": text,
                        "no_answer_probability": datasets.Value("float32"),
                    },
                    "references": {"id": text, "answers": answers},
                }
            ),
            reference_urls=["https://rajpurkar.github.io/SQuAD-explorer", "https://arxiv.org/abs/1806.03822"],
        )

    def _compute(
        self,
        predictions: list[dict[str, Any]],
        references: list[dict[str, Any]],
        no_answer_threshold: float = 1.0,
    ) -> dict[str, float]:
        by_id = {entry["id"]: entry for entry in predictions}
        missing = [entry["id"] for entry in references if entry["id"] not in by_id]
        if missing:
            raise ValueError(
                f"{len(missing)} questions have no prediction with their id, such as {missing[:3]}."
            )
        predicted = [by_id[entry["id"]] for entry in references]
        texts = [entry["prediction_text"] for entry in predicted]
        probabilities = np.array([entry["no_answer_probability"] for entry in predicted])
        answers = [entry["answers"]["text"] for entry in references]
        has_answer = np.array([bool(words) for words in answers])
        says_nothing = probabilities > no_answer_threshold

        results: dict[str, float] = {}
        best: dict[str, float] = {}
        for name, score in (("exact", exact_match), ("f1", word_f1)):
            raw = np.array([best_of(score, text, truth) for text, truth in zip(texts, answers, strict=True)])
            final = np.where(says_nothing, ~has_answer, raw)
            results[name] = 100 * float(final.mean())
            for group, members in (("HasAns", has_answer), ("NoAns", ~has_answer)):
                if members.any():
                    results[f"{group}_{name}"] = 100 * float(final[members].mean())
            silence = (~has_answer).astype(float)
            speech = np.where(has_answer, raw, [float(not text) for text in texts])
            best[f"best_{name}"], best[f"best_{name}_thresh"] = best_threshold(
                silence, speech - silence, probabilities
            )
        results["total"] = len(references)
        for group, members in (("HasAns", has_answer), ("NoAns", ~has_answer)):
            if members.any():
                results[f"{group}_total"] = int(members.sum())
        return results | best


def best_of(score: Any, prediction: str, answers: list[str]) -> float:
    """Return the best score over the answers that have words; without such, over the empty one."""
    return max(score(prediction, answer) for answer in [text for text in answers if words_of(text)] or [""])
