"""Exercises of notebook 01: the quick tour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from classroom.exercises import Wrong, exercise

CLASSIFIER = "nanoformers/sentiment-bert-tiny"
TEXTS = (
    "The worst hotel I have ever stayed in.",
    "It was fine, I suppose.",
    "It is a nice place.",
    "This movie is boring and far too long, a complete waste of time.",
)


@exercise(
    "01.1",
    "From logits to an answer.",
    hints=[
        "The label belongs to the greatest logit.",
        "The score is that label's share: softmax over all three.",
        "torch.tensor([1.0, 3.0, 2.0]).softmax(-1)",
    ],
)
def from_logits(answer: dict[str, Any]) -> str:
    """{"label": "glad", "score": 0.67}."""
    if not isinstance(answer, dict) or set(answer) != {"label", "score"}:
        raise Wrong('Give a dictionary: {"label": ..., "score": ...}.')
    if answer["label"] != "glad":
        raise Wrong(f"{answer['label']!r} does not have the greatest logit.")
    try:
        score = float(answer["score"])
    except (TypeError, ValueError) as error:
        raise Wrong("The score is a number.") from error
    if abs(score - 0.95) < 0.006:
        raise Wrong("That is the sigmoid of 3.0, which looks at one label alone; here labels compete.")
    if abs(score - 0.5) < 0.006:
        raise Wrong("3.0 of 6.0 would be the share without exponentials: softmax takes exp() first.")
    if abs(score - 0.6652) > 0.006:
        raise Wrong(f"The share of glad is e³ / (e¹ + e³ + e²), which is not {score:.2f}.")
    return "Shares depend on differences only: 101, 103 and 102 would give the same answer."


@exercise(
    "01.2",
    "Which text is the most positive?",
    hints=[
        "A pipeline answers with the likeliest label: a very negative text has a high score as well.",
        "`top_k=None` gives the share of every label.",
        'Take the share of "POSITIVE" for each text, and the text with the greatest.',
    ],
)
def most_positive(answer: Callable[[Sequence[str]], str]) -> str:
    """A function of a list of texts, tried on four."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    texts = list(TEXTS)
    found = answer(texts)
    if found not in texts:
        raise Wrong(f"Return one of the texts; this returned {found!r}.")
    best = max(texts, key=dict(zip(texts, _shares(texts), strict=True)).__getitem__)
    if found == best:
        return "The score says how sure the model is, not how positive the text is."
    raise Wrong(f"It chose {found!r}: the model is sure of that one, and of which label?")


def _shares(texts: list[str]) -> list[float]:
    from nanoformers import pipeline

    answers = pipeline("text-classification", model=CLASSIFIER, top_k=None)(texts)
    return [next(one["score"] for one in answer if one["label"] == "POSITIVE") for answer in answers]
