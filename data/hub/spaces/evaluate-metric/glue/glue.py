"""GLUE: the scores that the General Language Understanding Evaluation reports for each of its tasks."""

from __future__ import annotations

import datasets
import evaluate
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef  # From: scikit-learn

ACCURACY_TASKS = ("sst2", "mnli", "mnli_mismatched", "mnli_matched", "qnli", "rte", "wnli", "hans")
ACCURACY_AND_F1_TASKS = ("mrpc", "qqp")
TASKS = (*ACCURACY_TASKS, *ACCURACY_AND_F1_TASKS, "cola", "stsb")

INPUTS = """
Args:
    predictions (list of int): predicted labels; for the task "stsb" predicted similarities (float).
    references (list of int): true labels; for "stsb" true similarities (float).

Returns:
    dict: the keys depend on the task, which is the configuration name: evaluate.load("glue", "mrpc")
        "cola": "matthews_correlation"
        "stsb": "pearson", "spearmanr"
        "mrpc", "qqp": "accuracy", "f1"
        "sst2", "mnli", "mnli_matched", "mnli_mismatched", "qnli", "rte", "wnli", "hans": "accuracy"
"""


class Glue(evaluate.Metric):
    """The scores of a GLUE task, computed by scikit-learn and SciPy; the task is the configuration."""

    def _info(self) -> evaluate.MetricInfo:
        if self.config_name not in TASKS:
            raise KeyError(
                f"{self.config_name!r} is not a GLUE task. Load the metric with one of {sorted(TASKS)}, "
                'for example evaluate.load("glue", "mrpc").'
            )
        column = datasets.Value("float32" if self.config_name == "stsb" else "int64")
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Wang et al., GLUE: A Multi-Task Benchmark and Analysis Platform, ICLR 2019",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": column, "references": column}),
            reference_urls=["https://gluebenchmark.com", "https://arxiv.org/abs/1804.07461"],
        )

    def _compute(self, predictions: list, references: list) -> dict[str, float]:
        if self.config_name == "cola":
            return {"matthews_correlation": float(matthews_corrcoef(references, predictions))}
        if self.config_name == "stsb":
            return {
                "pearson": float(pearsonr(predictions, references).statistic),
                "spearmanr": float(spearmanr(predictions, references).statistic),
            }
        scores = {"accuracy": float(accuracy_score(references, predictions))}
        if self.config_name in ACCURACY_AND_F1_TASKS:
            scores["f1"] = float(f1_score(references, predictions))
        return scores
