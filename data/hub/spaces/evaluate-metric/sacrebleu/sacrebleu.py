"""SacreBLEU: BLEU from plain text with a fixed tokenization, so that scores can be compared."""

from __future__ import annotations

from typing import Any

import datasets
import evaluate
from sacrebleu.metrics import BLEU

INPUTS = """
Args:
    predictions (list of str): translations by the model, not tokenized.
    references (list of list of str, or list of str): one or more good translations of each sentence;
        every sentence has the same number of them.
    smooth_method (str): what is done where no n-gram matches: "exp" (default), "floor", "add-k" or
        "none".
    smooth_value (float, optional): the value for "floor" (default 0.1) and "add-k" (default 1).
    force (bool): True silences the warning about text that looks tokenized already.
    lowercase (bool): True ignores case.
    tokenize (str, optional): "13a" (the default), "intl", "zh", "ja-mecab", "ko-mecab", "char", "none"
        ...
    use_effective_order (bool): True leaves out n-gram orders that have no match; for single sentences.

Returns:
    dict: "score" (BLEU, 0 to 100), "counts" and "totals" (matched and all n-grams for n = 1 to 4),
        "precisions" (0 to 100), "bp" (brevity penalty), "sys_len" and "ref_len" (tokens)

Raises:
    ValueError: the sentences do not have the same number of references
"""


class Sacrebleu(evaluate.Metric):
    """Corpus BLEU, computed by the sacrebleu library."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Post, A Call for Clarity in Reporting BLEU Scores, WMT 2018",
            inputs_description=INPUTS,
            # The strict form comes first: a text would also pass for a list of characters.
            features=[
                datasets.Features({"predictions": text, "references": text}),
                datasets.Features({"predictions": text, "references": datasets.Sequence(text)}),
            ],
            reference_urls=["https://github.com/mjpost/sacrebleu", "https://aclanthology.org/W18-6319"],
        )

    def _compute(
        self,
        predictions: list[str],
        references: list,
        smooth_method: str = "exp",
        smooth_value: float | None = None,
        force: bool = False,
        lowercase: bool = False,
        tokenize: str | None = None,
        use_effective_order: bool = False,
    ) -> dict[str, Any]:
        alternatives = [[entry] if isinstance(entry, str) else entry for entry in references]
        counts = sorted({len(entry) for entry in alternatives})
        if len(counts) != 1:
            raise ValueError(
                f"Every prediction needs the same number of references, but there are some with {counts}. "
                "Give each sentence the same number, or score the groups one by one."
            )
        bleu = BLEU(
            lowercase=lowercase,
            force=force,
            tokenize=tokenize,
            smooth_method=smooth_method,
            smooth_value=smooth_value,
            effective_order=use_effective_order,
        )
        # sacrebleu takes the first references of all sentences, then the second ones, and so on.
        result = bleu.corpus_score(predictions, [list(column) for column in zip(*alternatives, strict=True)])
        return {
            "score": result.score,
            "counts": result.counts,
            "totals": result.totals,
            "precisions": result.precisions,
            "bp": result.bp,
            "sys_len": result.sys_len,
            "ref_len": result.ref_len,
        }
