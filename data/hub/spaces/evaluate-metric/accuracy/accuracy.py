"""Accuracy: the share of predictions that equal their reference."""

from __future__ import annotations

from collections.abc import Sequence

import datasets
import evaluate
from sklearn.metrics import accuracy_score  # From: scikit-learn

INPUTS = """
Args:
    predictions (list of int): predicted labels. In the configuration "multilabel": a list of 0s and 1s
        for each example, and the example counts only when all of them are right.
    references (list of int): true labels, in the same form.
    normalize (bool): True for a share between 0 and 1, False for the number of correct predictions.
    sample_weight (list of float, optional): how much each example counts.

Returns:
    dict: {"accuracy": float}
"""


class Accuracy(evaluate.Metric):
    """Accuracy, computed by scikit-learn; configurations "default" and "multilabel"."""

    def _info(self) -> evaluate.MetricInfo:
        label = datasets.Value("int32")
        column = datasets.Sequence(label) if self.config_name == "multilabel" else label
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Pedregosa et al., Scikit-learn: Machine Learning in Python, JMLR 12, 2011",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": column, "references": column}),
            reference_urls=[
                "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.accuracy_score.html"
            ],
        )

    def _compute(
        self,
        predictions: list,
        references: list,
        normalize: bool = True,
        sample_weight: Sequence[float] | None = None,
    ) -> dict[str, float]:
        score = accuracy_score(references, predictions, normalize=normalize, sample_weight=sample_weight)
        return {"accuracy": float(score)}
