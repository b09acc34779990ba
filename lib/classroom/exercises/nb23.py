"""Exercises of notebook 23: causal language modeling."""

from __future__ import annotations

import math
from collections.abc import Callable

from classroom.exercises import Wrong, exercise


@exercise(
    "23.1",
    "What is the perplexity of a text of four tokens?",
    hints=[
        "Perplexity is exp of the mean loss; in bits it is 2 to the power of the mean number of bits.",
        "1/2 is one bit, 1/4 two, 1/8 three.",
        "The mean of 1, 3, 2 and 2.",
    ],
)
def four_tokens(answer: float) -> str:
    """A number."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        raise Wrong("The answer is a number.")
    if math.isclose(answer, 32 / 9, rel_tol=0.01):
        raise Wrong("That is one divided by the mean probability. The mean is taken of the losses, the logs.")
    if math.isclose(answer, 2 * math.log(2), rel_tol=0.01) or answer == 2:
        raise Wrong("That is the mean loss. Perplexity is exp of it (or 2 to its power, in bits).")
    if not math.isclose(answer, 4, rel_tol=0.01):
        raise Wrong(f"Not {answer:g}: how many bits is each token worth, and what is the mean of that?")
    return "Two bits a token: as if it had to choose among four each time."


@exercise(
    "23.2",
    "Compare models that have different tokens.",
    hints=[
        "The loss of the whole text is loss * tokens. It does not depend on how the text was cut.",
        "Nats become bits when they are divided by log(2).",
        "def bits_per_character(loss, tokens, characters): return loss * tokens / math.log(2) / ...",
    ],
)
def bits_for_each_character(answer: Callable[[float, int, int], float]) -> str:
    """A function of a loss and two counts, tried on three texts."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for loss, tokens, characters in ((math.log(2), 10, 10), (1.5, 20, 80), (3.0, 20, 40)):
        found, expected = answer(loss, tokens, characters), loss * tokens / math.log(2) / characters
        if not isinstance(found, (int, float)):
            raise Wrong(f"It gives {found!r}, and not a number.")
        if math.isclose(found, expected * math.log(2), rel_tol=1e-6) and found != expected:
            raise Wrong("These are nats. One bit is log(2) nats.")
        if not math.isclose(found, expected, rel_tol=1e-6):
            raise Wrong(
                f"A loss of {loss:.2f} for {tokens} tokens and {characters} characters is {expected:.3f} "
                f"bits a character, not {found:.3f}."
            )
    return "A model with longer tokens makes fewer and harder guesses; this measure does not mind."
