"""seqeval: precision, recall and F1 over whole entities, as found in sequences of BIO-like tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
from seqeval import scheme as schemes
from seqeval.metrics import accuracy_score, classification_report

SCHEMES = ("IOB1", "IOB2", "IOE1", "IOE2", "IOBES", "BILOU")
AVERAGES = ("micro avg", "macro avg", "weighted avg")

INPUTS = """
Args:
    predictions (list of list of str): predicted tags, one list a sentence, such as ["O", "B-PER",
        "I-PER"].
    references (list of list of str): true tags, in the same form.
    suffix (bool): True when the prefix comes last, as in "PER-B".
    scheme (str, optional): the tagging scheme: "IOB1", "IOB2", "IOE1", "IOE2", "IOBES" or "BILOU"; used
        when `mode="strict"`.
    mode (str, optional): "strict" accepts only entities that are well formed in `scheme`; None is as
        lenient as the conlleval script.
    sample_weight (list of float, optional): how much each entity counts.
    zero_division (0, 1 or "warn"): the score where nothing was predicted, or nothing is there; "warn"
        gives 0 and a warning.

Returns:
    dict: for each entity type {"precision", "recall", "f1", "number"} (number: true entities of the
        type), and "overall_precision", "overall_recall", "overall_f1" (over all entities),
        "overall_accuracy" (over tags)
"""


class Seqeval(evaluate.Metric):
    """Scores for sequence labelling, computed by the seqeval library."""

    def _info(self) -> evaluate.MetricInfo:
        tags = datasets.Sequence(datasets.Value("string"))
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Nakayama, seqeval: A Python framework for sequence labeling evaluation, 2018",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": tags, "references": tags}),
            reference_urls=["https://github.com/chakki-works/seqeval"],
        )

    def _compute(
        self,
        predictions: list[list[str]],
        references: list[list[str]],
        suffix: bool = False,
        scheme: str | None = None,
        mode: str | None = None,
        sample_weight: Sequence[float] | None = None,
        zero_division: float | str = "warn",
    ) -> dict[str, Any]:
        if scheme is not None and scheme not in SCHEMES:
            raise ValueError(f"scheme={scheme!r} is not known. Use one of {list(SCHEMES)}, or None.")
        report = classification_report(
            references,
            predictions,
            suffix=suffix,
            output_dict=True,
            scheme=getattr(schemes, scheme) if scheme else None,
            mode=mode,
            sample_weight=sample_weight,
            zero_division=zero_division,
        )
        overall = report["micro avg"]
        scores: dict[str, Any] = {
            kind: {
                "precision": float(row["precision"]),
                "recall": float(row["recall"]),
                "f1": float(row["f1-score"]),
                "number": int(row["support"]),
            }
            for kind, row in report.items()
            if kind not in AVERAGES
        }
        return scores | {
            "overall_precision": float(overall["precision"]),
            "overall_recall": float(overall["recall"]),
            "overall_f1": float(overall["f1-score"]),
            "overall_accuracy": float(accuracy_score(references, predictions)),
        }
