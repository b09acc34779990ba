"""Character error rate: the character edits from prediction to reference, per character of the references."""

from __future__ import annotations

import datasets
import evaluate
import jiwer

INPUTS = """
Args:
    predictions (list of str): transcriptions by the model.
    references (list of str): what was really said.
    concatenate_texts (bool): True joins all texts, with nothing between them, before they are aligned, so
        that a character may move from one text to the next; False aligns each text with its own
        reference.

Returns:
    float: substitutions, deletions and insertions over all texts, divided by the characters of all
        references

Raises:
    ValueError: the references have no character at all, so that the rate is not defined
"""


class Cer(evaluate.Metric):
    """Character error rate, aligned by jiwer."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Morris, Maier and Green, From WER and RIL to MER and WIL, Interspeech 2004",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": text, "references": text}),
            reference_urls=["https://jitsi.github.io/jiwer/"],
        )

    def _compute(
        self, predictions: list[str], references: list[str], concatenate_texts: bool = False
    ) -> float:
        if not any(text.strip() for text in references):
            raise ValueError(
                "Every reference is empty, and the character error rate divides by the characters of them. "
                "Leave examples without speech out, or count what was inserted into them separately."
            )
        if concatenate_texts:
            predictions, references = ["".join(predictions)], ["".join(references)]
        return float(jiwer.process_characters(references, predictions).cer)
