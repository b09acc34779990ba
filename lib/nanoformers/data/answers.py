"""From the scores of tokens to the words of an answer: the last step of extractive question answering.

A long text is read in overlapping windows ("features"), each with scores for where an answer starts and ends.
The answer to an example is the best span in any of its windows. Mirrors what the documentation's script
`run_qa.py` does after prediction; follows Devlin et al. (2019), section 4.3, for questions without an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Answers", "answers_from_scores"]


@dataclass
class Answers:
    """What was found, by the examples' ids.

    Attributes:
        best: the answer, "" for none.
        candidates: the best spans, each with `text`, `probability`, `start_logit` and `end_logit`.
        null_odds: score of no answer minus that of the best answer; only where there may be none.
    """

    best: dict[str, str]
    candidates: dict[str, list[dict[str, Any]]]
    null_odds: dict[str, float]


def answers_from_scores(
    examples: Iterable[Mapping[str, Any]],
    features: Sequence[Mapping[str, Any]] | Any,
    start_logits: np.ndarray,
    end_logits: np.ndarray,
    *,
    n_best_size: int = 20,
    max_answer_length: int = 30,
    may_have_none: bool = False,
    null_score_diff_threshold: float = 0.0,
) -> Answers:
    """Return the best answers of each example.

    Args:
        examples: rows with `id` and `context`.
        features: one row a window, with `example_id` and `offset_mapping`: for each token its first and last
            character + 1 in the context, None where it is not of the context.
        start_logits: (windows, tokens) how well an answer starts at a token; may be padded on the right.
        end_logits: (windows, tokens) how well it ends there.
        n_best_size: candidates of an example, and starts and ends of a window, that are looked at.
        max_answer_length: the longest answer in tokens.
        may_have_none: whether a question may have no answer, which the first token then stands for.
        null_score_diff_threshold: how much better no answer has to be than the best one.

    Raises:
        ValueError: there are not as many scores as windows.
    """
    if not len(start_logits) == len(end_logits) == len(features):
        raise ValueError(
            f"There are {len(features)} windows, but scores for {len(start_logits)} starts and "
            f"{len(end_logits)} ends: pass the features that the scores were made from."
        )
    windows: dict[str, list[int]] = {}
    for number, feature in enumerate(features):
        windows.setdefault(feature["example_id"], []).append(number)
    found = Answers({}, {}, {})
    for example in examples:
        spans = [
            span
            for number in windows.get(example["id"], [])
            for span in _spans(
                features[number], start_logits[number], end_logits[number], n_best_size, max_answer_length
            )
        ]
        spans.sort(key=lambda span: span.score, reverse=True)
        texts: dict[tuple[int, int], _Span] = {}
        for span in spans[:n_best_size]:
            texts.setdefault((span.first, span.last), span)  # where windows overlap, one is in both
        candidates = [(example["context"][span.first : span.last], span) for span in texts.values()]
        if may_have_none:
            scores = [(start_logits[n][0], end_logits[n][0]) for n in windows.get(example["id"], [])]
            start, end = min(scores, key=sum, default=(0.0, 0.0))
            null = _Span(0, 0, float(start), float(end))
            best = candidates[0][1].score if candidates else -np.inf
            found.null_odds[example["id"]] = null.score - best if candidates else np.inf
            candidates.append(("", null))
            candidates.sort(key=lambda candidate: candidate[1].score, reverse=True)
        found.candidates[example["id"]] = _with_probabilities(candidates)
        texts_found = [text for text, _ in candidates if text]
        none = may_have_none and found.null_odds[example["id"]] > null_score_diff_threshold
        found.best[example["id"]] = "" if none or not texts_found else texts_found[0]
    return found


@dataclass
class _Span:
    """Characters `first:last` of a context, and what the model gave for its start and its end."""

    first: int
    last: int
    start: float
    end: float

    @property
    def score(self) -> float:
        return self.start + self.end


def _spans(
    feature: Mapping[str, Any], start: np.ndarray, end: np.ndarray, n_best_size: int, max_answer_length: int
) -> list[_Span]:
    """Return the spans between a window's likeliest starts and ends, those of them that may be answers."""
    offsets = feature["offset_mapping"]
    length = len(offsets)
    starts = np.argsort(start[:length])[::-1][:n_best_size]
    ends = np.argsort(end[:length])[::-1][:n_best_size]
    return [
        _Span(offsets[i][0], offsets[j][1], float(start[i]), float(end[j]))
        for i in starts
        if offsets[i]
        for j in ends
        if offsets[j] and i <= j < i + max_answer_length
    ]


def _with_probabilities(candidates: list[tuple[str, _Span]]) -> list[dict[str, Any]]:
    """Return candidates as they are written to a file, with the softmax of their scores."""
    if not candidates:
        return []
    scores = np.array([span.score for _, span in candidates])
    weights = np.exp(scores - scores.max())
    return [
        {"text": text, "start_logit": span.start, "end_logit": span.end, "probability": float(probability)}
        for (text, span), probability in zip(candidates, weights / weights.sum(), strict=True)
    ]
