"""Exercises of notebook 95: memory in training."""

from __future__ import annotations

from collections.abc import Callable

from classroom.exercises import Wrong, exercise

_CASES = [
    (1_000_000, 1_000_000, 20_000_000, 4),
    (1_000_000, 3_000_000, 20_000_000, 1),
    (1_000_000, 5_000_000, 20_000_000, 0),
    (2_000_000, 1_000_000, 20_000_000, 0),
]


@exercise(
    "95.1",
    "How many GB do 7 billion weights take in training?",
    hints=[
        "A number in float32 takes 4 bytes. How many numbers does each weight bring with it?",
        "Itself, its gradient, and AdamW's two means.",
        "7 times 16.",
    ],
)
def seven_billion(answer: float) -> str:
    """A number of GB."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        raise Wrong("The answer is a number.")
    reasons = {28: "the weights alone", 56: "weights and gradients, or AdamW alone", 84: "without gradients"}
    if answer in reasons:
        raise Wrong(f"That is {reasons[int(answer)]}.")
    if answer == 126:
        raise Wrong("18 bytes a weight is mixed precision, which has a second copy in half precision.")
    if abs(answer - 112) > 0.5:
        raise Wrong(f"Not {answer:g}: 4 bytes for each number, and four numbers for each weight.")
    return "112 GB, for a checkpoint of 28: which is why people use adapters, shards and 8-bit optimizers."


@exercise(
    "95.2",
    "What is the largest batch that fits?",
    hints=[
        "First the model: 16 bytes for each weight. What is left is for activations.",
        "`//` divides into whole texts.",
        "When the model alone does not fit, what is left is negative: max(0, ...).",
    ],
)
def largest_batch(answer: Callable[[int, int, int], int]) -> str:
    """A function of weights, bytes of activations a text, and bytes of room; tried on four machines."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for weights, each, room, expected in _CASES:
        found = answer(weights, each, room)
        if found != expected:
            raise Wrong(
                f"{weights:,} weights, {each:,} bytes a text, {room:,} bytes: {expected}, not {found}."
            )
    return "`auto_find_batch_size=True` finds it the other way: it tries, and halves what does not fit."
