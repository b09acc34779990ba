"""Exact match: the share of predicted texts that equal their reference character for character."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

import datasets
import evaluate

INPUTS = """
Args:
    predictions (list of str): predicted texts.
    references (list of str): expected texts.
    regexes_to_ignore (list of str, optional): patterns whose matches are removed from both sides first.
    ignore_case (bool): True compares in lower case.
    ignore_punctuation (bool): True removes ASCII punctuation from both sides.
    ignore_numbers (bool): True removes the digits 0-9 from both sides.

Returns:
    dict: {"exact_match": float}, between 0 and 1
"""


class ExactMatch(evaluate.Metric):
    """Share of equal texts, after the parts that are to be ignored have been removed."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=__doc__,
            citation="",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(
        self,
        predictions: list[str],
        references: list[str],
        regexes_to_ignore: Sequence[str] | None = None,
        ignore_case: bool = False,
        ignore_punctuation: bool = False,
        ignore_numbers: bool = False,
    ) -> dict[str, float]:
        ignored = (string.punctuation if ignore_punctuation else "") + (
            string.digits if ignore_numbers else ""
        )

        def comparable(text: str) -> str:
            for pattern in regexes_to_ignore or ():
                text = re.sub(pattern, "", text)
            text = text.translate(str.maketrans("", "", ignored))
            return text.lower() if ignore_case else text

        pairs = zip(predictions, references, strict=True)
        hits = sum(comparable(prediction) == comparable(reference) for prediction, reference in pairs)
        return {"exact_match": hits / len(references)}
