"""F1: the harmonic mean of precision and recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
from sklearn.metrics import f1_score  # From: scikit-learn

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

Returns:
    dict: {"f1": float}, or an array with one score a class with `average=None`
"""


class F1(evaluate.Metric):
    """F1, computed by scikit-learn; configurations "default" and "multilabel"."""

    def _info(self) -> evaluate.MetricInfo:
        label = datasets.Value("int32")
        column = datasets.Sequence(label) if self.config_name == "multilabel" else label
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Pedregosa et al., Scikit-learn: Machine Learning in Python, JMLR 12, 2011",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": column, "references": column}),
            reference_urls=[
                "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.f1_score.html"
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
    ) -> dict[str, Any]:
        score = f1_score(
            references,
            predictions,
            labels=labels,
            pos_label=pos_label,
            average=average,
            sample_weight=sample_weight,
        )
        return {"f1": score if average is None else float(score)}
