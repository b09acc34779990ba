"""Precision: the share of the predicted positives that really are positive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
from sklearn.metrics import precision_score  # From: scikit-learn

INPUTS = """
Args:
    predictions (list of int): predicted labels. In the configuration "multilabel": a list of 0s and 1s
        for each example.
    references (list of int): true labels, in the same form.
    labels (list of int, optional): the labels to score, and their order with `average=None`; all by
        default.
    pos_label (int): the positive class, when `average="binary"`.
    average (str or None): "binary" scores `pos_label` alone; "micro" counts over all classes together;
        "macro" is the plain mean over classes; "weighted" weights that mean by the true examples of each
        class; "samples" is the mean over examples (multilabel); None gives one score a class.
    sample_weight (list of float, optional): how much each example counts.
    zero_division (0, 1 or "warn"): the score where a class was never predicted; "warn" gives 0 and a
        warning.

Returns:
    dict: {"precision": float}, or an array with one score a class with `average=None`
"""


class Precision(evaluate.Metric):
    """Precision, computed by scikit-learn; configurations "default" and "multilabel"."""

    def _info(self) -> evaluate.MetricInfo:
        label = datasets.Value("int32")
        column = datasets.Sequence(label) if self.config_name == "multilabel" else label
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Pedregosa et al., Scikit-learn: Machine Learning in Python, JMLR 12, 2011",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": column, "references": column}),
            reference_urls=[
                "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.precision_score.html"
            ],
        )

    def _compute(
        self,
        predictions: list,
        references: list,
        labels: Sequence[int] | None = None,
        pos_label: int = 1,
        average: str | None = "binary",
        sample_weight: Sequence[float] | None = None,
        zero_division: float | str = "warn",
    ) -> dict[str, Any]:
        score = precision_score(
            references,
            predictions,
            labels=labels,
            pos_label=pos_label,
            average=average,
            sample_weight=sample_weight,
            zero_division=zero_division,
        )
        return {"precision": score if average is None else float(score)}
