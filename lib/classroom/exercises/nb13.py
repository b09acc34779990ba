"""Exercises of notebook 13: fine-tuning with the Trainer and with a loop of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from classroom.exercises import Wrong, exercise

EXAMPLES, BATCH, ACCUMULATION, EPOCHS = 1000, 16, 2, 3
STEPS = 96
"""63 batches an epoch (the last has 8 examples), two and two together: 32 steps, three times."""


@exercise(
    "13.1",
    "How many optimizer steps: 1,000 examples, batches of 16, gradients of two batches together, 3 epochs?",
    hints=[
        "Batches in an epoch: 1000 / 16 is 62.5, and the last, smaller batch counts too.",
        "One step for two batches; where one is left over at the end of the epoch, it gets a step alone.",
        "ceil(63 / 2) * 3",
    ],
)
def optimizer_steps(answer: int) -> str:
    """A whole number."""
    reasons = {
        189: "That is the number of batches: with two batches a step there are about half as many steps.",
        188: "That looks like 1000 * 3 / 16; batches do not run on from one epoch into the next.",
        187: "That looks like 1000 * 3 / 16; batches do not run on from one epoch into the next.",
        95: "Nearly: an epoch ends with its own last step, so count the steps of one epoch first.",
        94: "Nearly: an epoch ends with its own last step, so count the steps of one epoch first.",
        93: "Nearly: the batch that is left over at the end of each epoch gets a step too.",
        32: "That is one epoch.",
        63: "That is the number of batches in one epoch.",
    }
    if not isinstance(answer, (int, float)) or isinstance(answer, bool):
        raise Wrong("Give a whole number.")
    if answer != STEPS:
        raise Wrong(reasons.get(int(answer), f"{answer:g} it is not. Begin with the batches of one epoch."))
    return "63 batches make 32 steps, three times: the schedule is planned for these 96."


@exercise(
    "13.2",
    "Write the linear schedule: up over the warmup, then down to zero at the end.",
    hints=[
        "Before the end of the warmup the factor is step / warmup, and 0 at step 0.",
        "Afterwards it is what is left of the steps after the warmup: (total - step) / (total - warmup).",
        "def linear(step, warmup, total): return step / warmup if step < warmup else ...",
    ],
)
def linear_schedule(answer: Callable[[int, int, int], float]) -> str:
    """A function of three numbers, compared with the library's schedule."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for warmup, total in ((10, 100), (0, 40), (5, 6)):
        for step in (0, 1, warmup, (warmup + total) // 2, total - 1, total):
            right = _factor(step, warmup, total)
            try:
                found = float(answer(step, warmup, total))
            except ZeroDivisionError as error:
                raise Wrong(
                    f"It divides by zero at step {step} of {total} with a warmup of {warmup}."
                ) from error
            if abs(found - right) > 1e-6:
                raise Wrong(
                    f"At step {step} of {total} with a warmup of {warmup} the factor is {right:.3f}, "
                    f"and this gives {found:.3f}."
                )
    return "The optimizer's learning rate is this factor times `learning_rate`."


@exercise(
    "13.3",
    "Write compute_metrics for stars: how far off on average, and how often at most one star off.",
    hints=[
        "The answer is the class with the greatest logit: `predicted.predictions.argmax(-1)`.",
        "The distance in stars is `abs(answers - predicted.label_ids)`.",
        'return {"stars_off": distance.mean(), "within_one": (distance <= 1).mean()}',
    ],
)
def stars(answer: Callable[[Any], dict[str, float]]) -> str:
    """A function of an EvalPrediction, tried on five reviews."""
    import numpy as np
    from nanoformers import EvalPrediction

    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    labels, chosen = np.array([0, 1, 2, 3, 4]), np.array([0, 2, 0, 3, 1])
    found = answer(EvalPrediction(predictions=np.eye(5)[chosen] * 3 - 1, label_ids=labels))
    if not isinstance(found, dict):
        raise Wrong("The Trainer wants a dictionary: the names of the metrics, and their values.")
    missing = {"stars_off", "within_one"} - found.keys()
    if missing:
        raise Wrong(f"The dictionary has no {' and no '.join(sorted(missing))}.")
    if abs(found["stars_off"]) < 1e-6 or found["stars_off"] < 0:
        raise Wrong("Distances must not cancel each other: take their absolute values.")
    if abs(found["stars_off"] - 6 / 5) > 1e-6:
        raise Wrong(f"The distances are 0, 1, 2, 0 and 3, and this says {found['stars_off']:.2f} on average.")
    if abs(found["within_one"] - 2 / 5) < 1e-6:
        raise Wrong("One star off is still within one.")
    if abs(found["within_one"] - 3 / 5) > 1e-6:
        raise Wrong(f"Three of five are at most one star off, and this says {found['within_one']:.2f}.")
    return "Accuracy calls a four for a five as wrong as a one for a five; these two do not."


def _factor(step: int, warmup: int, total: int) -> float:
    """The factor that the library's schedule has at a step."""
    if step < warmup:
        return step / warmup
    return max(0.0, (total - step) / max(1, total - warmup))
