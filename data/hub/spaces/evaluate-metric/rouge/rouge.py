"""ROUGE: how many n-grams, or how long a common subsequence, a summary shares with reference summaries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

import datasets
import evaluate
from rouge_score.rouge_scorer import RougeScorer  # From: rouge-score
from rouge_score.tokenizers import Tokenizer  # From: rouge-score

ROUGE_TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")

INPUTS = """
Args:
    predictions (list of str): summaries by the model. For "rougeLsum", separate sentences by a newline.
    references (list of str, or list of list of str): one or more good summaries of each text; of several,
        the one with the best F1 counts.
    rouge_types (list of str, optional): "rouge1" to "rouge9" (n-grams), "rougeL" (longest common
        subsequence) and "rougeLsum" (the same, sentence by sentence); "rouge1", "rouge2", "rougeL",
        "rougeLsum" by default.
    use_aggregator (bool): True for the mean over all texts, False for one score a text.
    use_stemmer (bool): True compares English stems (Porter) in place of words.
    tokenizer (callable, optional): from a text to its list of tokens. The default keeps only a-z and 0-9:
        give one for other languages.

Returns:
    dict: for each type its F1 (0 to 1), a float, or a list of floats with `use_aggregator=False`
"""


class CallableTokenizer(Tokenizer):
    """Makes a plain function a tokenizer of rouge-score."""

    def __init__(self, split: Callable[[str], list[str]]) -> None:
        self._split = split

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of `text`."""
        return self._split(text)


class Rouge(evaluate.Metric):
    """ROUGE F1 scores, computed by the rouge-score library."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Lin, ROUGE: A Package for Automatic Evaluation of Summaries, ACL 2004",
            inputs_description=INPUTS,
            # The strict form comes first: a text would also pass for a list of characters.
            features=[
                datasets.Features({"predictions": text, "references": text}),
                datasets.Features({"predictions": text, "references": datasets.Sequence(text)}),
            ],
            reference_urls=[
                "https://aclanthology.org/W04-1013",
                "https://github.com/google-research/google-research/tree/master/rouge",
            ],
        )

    def _compute(
        self,
        predictions: list[str],
        references: list,
        rouge_types: Sequence[str] | None = None,
        use_aggregator: bool = True,
        use_stemmer: bool = False,
        tokenizer: Callable[[str], list[str]] | None = None,
    ) -> dict[str, float | list[float]]:
        types = list(rouge_types or ROUGE_TYPES)
        split = CallableTokenizer(tokenizer) if tokenizer else None
        scorer = RougeScorer(types, use_stemmer=use_stemmer, tokenizer=split)
        scores: dict[str, list[float]] = {kind: [] for kind in types}
        for prediction, entry in zip(predictions, references, strict=True):
            best = scorer.score_multi([entry] if isinstance(entry, str) else entry, prediction)
            for kind in types:
                scores[kind].append(float(best[kind].fmeasure))
        return {kind: fmean(values) if use_aggregator else values for kind, values in scores.items()}
