"""Mean absolute error: the mean of the absolute differences between prediction and reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
from sklearn.metrics import mean_absolute_error  # From: scikit-learn

INPUTS = """
Args:
    predictions (list of float): predicted values. In the configuration "multilist": a list of values for
        each example.
    references (list of float): true values, in the same form.
    sample_weight (list of float, optional): how much each example counts.
    multioutput (str or list of float): how the outputs of "multilist" are put together:
        "uniform_average", "raw_values" (one error an output), or a weight for each output.

Returns:
    dict: {"mae": float}, or an array with one error an output with `multioutput="raw_values"`
"""


class Mae(evaluate.Metric):
    """Mean absolute error, computed by scikit-learn; configurations "default" and "multilist"."""

    def _info(self) -> evaluate.MetricInfo:
        value = datasets.Value("float")
        column = datasets.Sequence(value) if self.config_name == "multilist" else value
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Pedregosa et al., Scikit-learn: Machine Learning in Python, JMLR 12, 2011",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": column, "references": column}),
            reference_urls=[
                "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.mean_absolute_error.html"
            ],
        )

    def _compute(
        self,
        predictions: list,
        references: list,
        sample_weight: Sequence[float] | None = None,
        multioutput: str | Sequence[float] = "uniform_average",
    ) -> dict[str, Any]:
        error = mean_absolute_error(
            references, predictions, sample_weight=sample_weight, multioutput=multioutput
        )
        return {"mae": error if multioutput == "raw_values" else float(error)}
