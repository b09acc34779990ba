"""Matthews correlation: the correlation of predicted with true labels, fair to classes of unequal size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np
from sklearn.metrics import matthews_corrcoef  # From: scikit-learn

INPUTS = """
Args:
    predictions (list of int): predicted labels. In the configuration "multilabel": a list of 0s and 1s
        for each example, whose columns are scored one by one.
    references (list of int): true labels, in the same form.
    sample_weight (list of float, optional): how much each example counts.
    average (str, optional): for "multilabel" only: "macro" for the mean over columns, None for one score
        a column.

Returns:
    dict: {"matthews_correlation": float}, or a list with one score a column
"""


class MatthewsCorrelation(evaluate.Metric):
    """Matthews correlation, computed by scikit-learn; configurations "default" and "multilabel"."""

    def _info(self) -> evaluate.MetricInfo:
        label = datasets.Value("int32")
        column = datasets.Sequence(label) if self.config_name == "multilabel" else label
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Matthews, Biochimica et Biophysica Acta 405 (2), 442-451, 1975",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": column, "references": column}),
            reference_urls=[
                "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.matthews_corrcoef.html"
            ],
        )

    def _compute(
        self,
        predictions: list,
        references: list,
        sample_weight: Sequence[float] | None = None,
        average: str | None = None,
    ) -> dict[str, Any]:
        if average not in (None, "macro"):
            raise ValueError(
                f"average={average!r} is not known. Use 'macro' for the mean over columns, or None."
            )
        if self.config_name != "multilabel":
            score = matthews_corrcoef(references, predictions, sample_weight=sample_weight)
            return {"matthews_correlation": float(score)}
        columns = zip(np.transpose(references), np.transpose(predictions), strict=True)
        scores = [float(matthews_corrcoef(*pair, sample_weight=sample_weight)) for pair in columns]
        return {"matthews_correlation": float(np.mean(scores)) if average == "macro" else scores}
