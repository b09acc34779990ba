"""Exercises of notebook 70: hyperparameter search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from classroom.exercises import Wrong, exercise

RATES = (1e-4, 1e-2)
ACCUMULATION = [1, 2, 4]
MODELS, SENTENCES, SKILL = 20, 50, 0.7


@exercise(
    "70.1",
    "A space with a learning rate on a logarithmic scale and three choices of accumulation.",
    hints=[
        "A space returns a dictionary; its keys are fields of TrainingArguments.",
        "`trial.suggest_float(name, low, high, log=True)` spreads values evenly over orders of magnitude.",
        'trial.suggest_categorical("gradient_accumulation_steps", [1, 2, 4]) is the second entry.',
    ],
)
def space(answer: Callable[[Any], dict[str, Any]]) -> str:
    """A function of a trial; what it asks of one is looked at."""
    import optuna

    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    try:
        values = answer(trial)
    except (TypeError, ValueError) as error:
        raise Wrong(f"The trial refuses what it is asked: {error}") from error
    if not isinstance(values, dict):
        raise Wrong("A space has to return a dictionary of the values to set.")
    for name in ("learning_rate", "gradient_accumulation_steps"):
        if name not in trial.distributions:
            raise Wrong(f"The trial is never asked for {name}: it would be the same in each trial.")
        if values.get(name) != trial.params[name]:
            raise Wrong(f"The trial is asked for {name}, but its value is not among those returned.")
    rate = trial.distributions["learning_rate"]
    if not isinstance(rate, optuna.distributions.FloatDistribution):
        raise Wrong("A learning rate is a number from a range, not one of a few choices.")
    if (rate.low, rate.high) != RATES:
        raise Wrong(f"The learning rate goes from {rate.low} to {rate.high}, not from 0.0001 to 0.01.")
    if not rate.log:
        raise Wrong("Without log=True, nine of ten trials try a learning rate above 0.001.")
    steps = trial.distributions["gradient_accumulation_steps"]
    choices = list(getattr(steps, "choices", [])) or list(
        range(getattr(steps, "low", 0), getattr(steps, "high", 0) + 1)
    )
    if sorted(choices) != ACCUMULATION:
        raise Wrong(f"The accumulation may be {choices}, and should be one of {ACCUMULATION}.")
    return "Ask on a logarithmic scale for whatever acts by factors: learning rates, weight decay, sizes."


@exercise(
    "70.2",
    "Which of these runs does no other run beat?",
    hints=[
        "Write first when one pair beats another: at least as good in both, better in one.",
        "A pair stays when no pair of the list beats it; a pair does not beat its equal.",
        "return [p for p in points if not any(beats(q, p) for q in points)]",
    ],
)
def front(answer: Callable[[list[tuple[float, float]]], list[tuple[float, float]]]) -> str:
    """A function of (accuracy, cost) pairs, tried on small lists."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    cases = [
        (
            [(0.9, 10), (0.8, 5), (0.7, 7)],
            [(0.9, 10), (0.8, 5)],
            "(0.7, 7) is beaten by (0.8, 5): worse and dearer",
        ),
        ([(0.9, 10), (0.9, 8)], [(0.9, 8)], "equal accuracy for less cost is better"),
        ([(0.9, 8), (0.8, 8)], [(0.9, 8)], "more accuracy for the same cost is better"),
        ([(0.5, 1)], [(0.5, 1)], "a run alone is beaten by nobody"),
        ([(0.6, 3), (0.6, 3)], [(0.6, 3), (0.6, 3)], "of two equal runs neither beats the other"),
    ]
    for points, expected, reason in cases:
        found = [tuple(point) for point in answer(list(points))]
        if sorted(found) != sorted(expected):
            raise Wrong(f"Of {points} the front is {expected} ({reason}); this gives {found}.")
    return "With two goals there is seldom one best run, but always a front."


@exercise(
    "70.3",
    "What does the best of twenty equal models show on 50 sentences?",
    hints=[
        "Each model's number of right answers is binomial: 50 sentences, 0.7 each.",
        "Draw 20 such numbers and take the greatest; do that many times, and take the mean.",
        "np.random.default_rng(0).binomial(50, 0.7, size=(20_000, 20)).max(1).mean() / 50",
    ],
)
def luck(answer: float) -> str:
    """A number, compared with the exact expectation."""
    expected = _expected_best()
    if not isinstance(answer, (int, float)) or isinstance(answer, bool):
        raise Wrong("Give a number between 0 and 1.")
    if abs(answer - SKILL) < 0.005:
        raise Wrong("That is what each of them is worth. The best of twenty was also lucky.")
    if 1 < answer <= 100:
        raise Wrong("Give the accuracy as a share between 0 and 1.")
    if abs(answer - expected) > 0.01:
        side = "much" if answer > expected else "little"
        raise Wrong(f"That is too {side}: simulate 20 models on 50 sentences some thousand times.")
    return f"About {expected:.2f}, for models that are worth {SKILL}: luck looks like skill when many try."


def _expected_best() -> float:
    """The mean of the greatest of several binomial numbers: the sum of P(greatest >= k) over k >= 1."""
    from math import comb

    share = [comb(SENTENCES, k) * SKILL**k * (1 - SKILL) ** (SENTENCES - k) for k in range(SENTENCES + 1)]
    return sum(1 - sum(share[:k]) ** MODELS for k in range(1, SENTENCES + 1)) / SENTENCES
