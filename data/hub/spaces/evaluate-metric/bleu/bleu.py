"""BLEU: how many n-grams of a translation occur in reference translations, with a penalty for short ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import datasets
import evaluate
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

INPUTS = """
Args:
    predictions (list of str): translations by the model.
    references (list of list of str, or list of str): one or more good translations of each sentence;
        their number may differ from sentence to sentence.
    tokenizer (callable, optional): from a text to its list of tokens; the 13a tokenization of mteval by
        default.
    max_order (int): the longest n-gram that counts.
    smooth (bool): True adds one to the matched and to all n-grams of each order (Lin and Och, 2004).

Returns:
    dict: "bleu" (0 to 1), "precisions" (one for each n, 0 to 1), "brevity_penalty", "length_ratio"
        (translation_length / reference_length), "translation_length", "reference_length" (tokens; the
        shortest reference of each sentence counts)

Raises:
    ValueError: the references have no token at all
"""


def split_13a(text: str) -> list[str]:
    """Return the tokens of `text`, as the mteval-v13a script of the WMT evaluations separates them."""
    return Tokenizer13a()(text).split()


def count_ngrams(tokens: list[str], order: int) -> Counter[tuple[str, ...]]:
    """Count the runs of `order` tokens."""
    return Counter(tuple(tokens[start : start + order]) for start in range(len(tokens) - order + 1))


class Bleu(evaluate.Metric):
    """Corpus BLEU on a 0 to 1 scale, with a tokenizer of your choice."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Papineni et al., BLEU: a Method for Automatic Evaluation of Machine Translation, 2002",
            inputs_description=INPUTS,
            # The strict form comes first: a text would also pass for a list of characters.
            features=[
                datasets.Features({"predictions": text, "references": text}),
                datasets.Features({"predictions": text, "references": datasets.Sequence(text)}),
            ],
            reference_urls=["https://aclanthology.org/P02-1040"],
        )

    def _compute(
        self,
        predictions: list[str],
        references: list,
        tokenizer: Callable[[str], list[str]] = split_13a,
        max_order: int = 4,
        smooth: bool = False,
    ) -> dict[str, Any]:
        matched, possible = [0] * max_order, [0] * max_order
        translation_length = reference_length = 0
        for prediction, entry in zip(predictions, references, strict=True):
            candidate = tokenizer(prediction)
            alternatives = [tokenizer(text) for text in ([entry] if isinstance(entry, str) else entry)]
            translation_length += len(candidate)
            reference_length += min(len(tokens) for tokens in alternatives)
            for index in range(max_order):
                found = count_ngrams(candidate, index + 1)
                allowed: Counter[tuple[str, ...]] = Counter()
                for tokens in alternatives:
                    allowed |= count_ngrams(tokens, index + 1)  # the largest count in any one reference
                matched[index] += (found & allowed).total()
                possible[index] += found.total()
        if reference_length == 0:
            raise ValueError("BLEU needs references with at least one token, but they are all empty.")
        extra = 1 if smooth else 0
        precisions = [
            (hits + extra) / (total + extra) if total + extra else 0.0
            for hits, total in zip(matched, possible, strict=True)
        ]
        ratio = translation_length / reference_length
        brevity_penalty = 1.0 if ratio > 1 else math.exp(1 - 1 / ratio) if ratio else 0.0
        mean = math.exp(sum(map(math.log, precisions)) / max_order) if min(precisions) > 0 else 0.0
        return {
            "bleu": brevity_penalty * mean,
            "precisions": precisions,
            "brevity_penalty": brevity_penalty,
            "length_ratio": ratio,
            "translation_length": translation_length,
            "reference_length": reference_length,
        }
