"""Exercises of notebook 20: sequence classification."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from classroom.exercises import Wrong, exercise

if TYPE_CHECKING:
    import numpy as np

SHARE, HALF_WIDTH = 0.85, 0.01
NEEDED = 4898
"""Sentences for which 1.96 times the standard error of `SHARE` is `HALF_WIDTH`."""


@exercise(
    "20.1",
    "How many test sentences make the 95 % interval of an accuracy of 85 % as narrow as ±1 point?",
    hints=[
        "Half the interval is 1.96 times the root of share * (1 - share) / sentences.",
        "Set that to 0.01, with a share of 0.85, and solve for the number of sentences.",
        "sentences_needed = 1.96**2 * 0.85 * 0.15 / 0.01**2, rounded up",
    ],
)
def sentences_needed(answer: float) -> str:
    """A whole number; what rounding of 1.96 to 2 gives is right too."""
    try:
        number = float(answer)
    except (TypeError, ValueError) as error:
        raise Wrong("Give a number of sentences.") from error
    if NEEDED - 1 <= number <= 5101:
        return "Half the width takes four times the sentences: a narrow interval is dear."
    if abs(number - SHARE * (1 - SHARE) / HALF_WIDTH**2) < 2:
        raise Wrong("That is for one standard error, about 68 %; the 95 % interval is 1.96 of them wide.")
    if 1220 <= number <= 1280:
        raise Wrong("That gives ±2 points. ±1 is the distance from the middle to one end.")
    half = 1.96 * (SHARE * (1 - SHARE) / number) ** 0.5 if number > 0 else float("inf")
    comparison = "wider" if half > HALF_WIDTH else "narrower than asked for"
    raise Wrong(f"With {number:,.0f} sentences the interval is ±{100 * half:.2f} points, {comparison}.")


@exercise(
    "20.2",
    "Which share of the sentences may a model answer, surest first, at a wanted accuracy?",
    hints=[
        "Sort by sureness, surest first: `np.argsort(-sureness)`.",
        "The accuracy of the first k answers is `np.cumsum(right[order])[k - 1] / k`.",
        "Of all k whose accuracy is at least `wanted` take the greatest; there may be none.",
    ],
)
def answered_share(answer: Callable[[np.ndarray, np.ndarray, float], float]) -> str:
    """A function of two arrays and an accuracy, tried on four cases."""
    import numpy as np

    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    right = np.array([1, 1, 0, 1, 0, 0])
    sureness = np.array([0.99, 0.9, 0.8, 0.7, 0.6, 0.55])
    shuffled = np.array([3, 0, 5, 2, 1, 4])
    cases = [
        (sureness, right, 1.0, 2 / 6, "only right answers wanted"),
        (sureness, right, 0.75, 4 / 6, "where the accuracy falls below the goal and comes back"),
        (sureness[shuffled], right[shuffled], 0.75, 4 / 6, "sentences that are in no order"),
        (sureness, right, 0.0, 1.0, "a goal that all answers meet"),
        (sureness, 1 - right, 0.9, 0.0, "a goal that nothing meets"),
    ]
    for sure, hits, wanted, share, what in cases:
        found = float(answer(sure.copy(), hits.copy(), wanted))
        if abs(found - share) > 1e-6:
            if abs(found - share * len(sure)) < 1e-6:
                raise Wrong("That is a number of sentences; divide by how many there are.")
            raise Wrong(f"Tried with {what}: the share is {share:.2f}, and this gives {found:.2f}.")
    return "This curve, not one accuracy, is what a person who shares the work with a model needs."


@exercise(
    "20.3",
    "Write compute_metrics with accuracy and the mean of the classes' F1 scores.",
    hints=[
        "`predicted.predictions` are the logits, `predicted.label_ids` the labels.",
        'The f1 metric takes `average="macro"`: the plain mean over classes.',
        'return {"accuracy": ..., **evaluate.load("f1").compute(..., average="macro")}',
    ],
)
def macro_f1(answer: Callable[[Any], dict[str, float]]) -> str:
    """A function of an EvalPrediction, tried on one where a class is rare."""
    import numpy as np
    from nanoformers import EvalPrediction

    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    labels = np.array([0] * 8 + [1] * 2)
    chosen = np.array([0] * 7 + [1] + [1, 0])
    logits = np.stack([-2.0 * chosen, 2.0 * chosen - 1], axis=1)
    found = answer(EvalPrediction(predictions=logits, label_ids=labels))
    if not isinstance(found, dict):
        raise Wrong("The Trainer wants a dictionary: the names of the metrics, and their values.")
    missing = {"accuracy", "f1"} - found.keys()
    if missing:
        raise Wrong(f"The dictionary has no {' and no '.join(sorted(missing))}.")
    if abs(found["accuracy"] - 0.8) > 1e-6:
        raise Wrong(f"8 of 10 answers are right, and this says {found['accuracy']:.2f}.")
    if abs(found["f1"] - 0.5) < 1e-6:
        raise Wrong("That is the F1 of the class 1 alone; take the mean of both classes.")
    if abs(found["f1"] - 0.8) < 1e-6:
        raise Wrong("That mean weighs each class by its size (or counts all answers): take the plain one.")
    if abs(found["f1"] - 0.6875) > 1e-6:
        raise Wrong(f"The classes' F1 are 0.875 and 0.500, and this says {found['f1']:.3f}.")
    return "Accuracy says 0.80, F1 says 0.69: the rare class is right only every second time."
