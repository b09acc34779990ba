"""What a search optimises, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ...utils.enums import ExplicitEnum

__all__ = ["BestRun", "HPSearchBackend", "default_compute_objective"]


class HPSearchBackend(ExplicitEnum):
    """The libraries that can propose hyperparameters."""

    OPTUNA = "optuna"
    RAY = "ray"
    SIGOPT = "sigopt"
    WANDB = "wandb"


class BestRun(NamedTuple):
    """The best trial of a search.

    Attributes:
        run_id: of the trial; its folder is `run-<run_id>` inside `output_dir`.
        objective: what the search optimised; a list where there are several objectives.
        hyperparameters: the values of that trial, by field of `TrainingArguments`.
        run_summary: the whole search: an `optuna.Study`, or an `ExperimentAnalysis` of Ray Tune.
    """

    run_id: str
    objective: float | list[float]
    hyperparameters: dict[str, Any]
    run_summary: Any | None = None


_NOT_METRICS = ("_runtime", "_per_second", "_compilation_time", "_preparation_time")


def default_compute_objective(metrics: Mapping[str, float]) -> float:
    """Return the sum of the metrics of an evaluation, or its loss where there are no others.

    Args:
        metrics: what `Trainer.evaluate` returned; times, speeds and the epoch are not counted.
    """
    others = [
        value
        for name, value in metrics.items()
        if name not in ("eval_loss", "epoch") and not name.endswith(_NOT_METRICS)
    ]
    return sum(others) if others else metrics["eval_loss"]
