"""Search spaces: those used when none is given, and the forms of the services, read and checked.

Mirrors the search spaces of the documentation page `hpo_train`. Optuna's space is a function that asks the
trial for values; Ray Tune's is a dictionary of its own distributions. SigOpt's and Weights & Biases' are
plain data, which is read here, so that Optuna can search them too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "SearchParameter",
    "default_hp_space_optuna",
    "default_hp_space_ray",
    "default_hp_space_sigopt",
    "default_hp_space_wandb",
    "read_space",
    "suggest",
]


@dataclass(frozen=True)
class SearchParameter:
    """One dimension of a space: a list of choices, or numbers from `low` to `high`.

    Args:
        name: field of `TrainingArguments`.
        choices: the values to choose from; None where it is a range.
        low, high: ends of the range, both included.
        whole: whole numbers only.
        log: spread evenly over orders of magnitude.
        step: distance of the numbers that are tried.
    """

    name: str
    choices: tuple[Any, ...] | None = None
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    log: bool = False
    step: float | None = None

    def suggest(self, trial: Any) -> Any:
        """Ask an `optuna.Trial` for a value."""
        if self.choices is not None:
            return trial.suggest_categorical(self.name, list(self.choices))
        if self.whole:
            return trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, step=self.step, log=self.log)


def suggest(space: Any, trial: Any) -> dict[str, Any]:
    """Return the values of a trial from what `hp_space(trial)` gave: values, or a space of a service."""
    if is_description(space):
        return {parameter.name: parameter.suggest(trial) for parameter in read_space(space)}
    if not isinstance(space, Mapping):
        raise TypeError(
            "hp_space has to return a dictionary from fields of TrainingArguments to values; it returned "
            f"{space!r}."
        )
    return dict(space)


def is_description(space: Any) -> bool:
    """Tell whether this is a space in the form of SigOpt or Weights & Biases."""
    return isinstance(space, list) or (isinstance(space, Mapping) and "parameters" in space)


def read_space(space: Any) -> list[SearchParameter]:
    """Read a space in the form of SigOpt (a list) or of a Weights & Biases sweep (a dictionary).

    Raises:
        ValueError: it is neither, or an entry is not as that service documents it.
    """
    if isinstance(space, list):
        return [_sigopt_parameter(entry) for entry in space]
    if isinstance(space, Mapping) and isinstance(space.get("parameters"), Mapping):
        _check_sweep(space)
        return [_wandb_parameter(name, entry) for name, entry in space["parameters"].items()]
    raise ValueError(
        "A space of SigOpt is a list of dictionaries with `name` and `type`; one of Weights & Biases is a "
        f"dictionary with `method`, `metric` and `parameters`. This is neither: {space!r}"
    )


def _sigopt_parameter(entry: Any) -> SearchParameter:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ValueError(f"A parameter of a SigOpt space is a dictionary with a `name`: {entry!r}")
    name, kind = entry["name"], entry.get("type")
    if kind == "categorical":
        values = entry.get("categorical_values")
        if not isinstance(values, Sequence) or isinstance(values, str) or not values:
            raise ValueError(f"{name}: type categorical needs a list of `categorical_values`.")
        return SearchParameter(name, tuple(v["name"] if isinstance(v, Mapping) else v for v in values))
    if kind not in ("double", "int"):
        raise ValueError(f"{name}: the type {kind!r} is none of double, int, categorical.")
    bounds = entry.get("bounds")
    if not isinstance(bounds, Mapping) or not {"min", "max"} <= bounds.keys():
        raise ValueError(f"{name}: type {kind} needs `bounds` with `min` and `max`.")
    transformation = entry.get("transformation", "none")
    if transformation not in ("none", "log"):
        raise ValueError(f"{name}: the transformation {transformation!r} is none of none, log.")
    return _range(name, bounds["min"], bounds["max"], kind == "int", transformation == "log")


def _check_sweep(space: Mapping[str, Any]) -> None:
    if space.get("method") not in ("grid", "random", "bayes"):
        raise ValueError(f"The method {space.get('method')!r} of a sweep is none of grid, random, bayes.")
    metric = space.get("metric")
    if metric is not None and (not isinstance(metric, Mapping) or "name" not in metric):
        raise ValueError(f"The metric of a sweep is a dictionary with `name` and `goal`: {metric!r}")
    if metric is not None and metric.get("goal", "minimize") not in ("minimize", "maximize"):
        raise ValueError(f"The goal {metric['goal']!r} of a sweep is none of minimize, maximize.")


def _wandb_parameter(name: str, entry: Any) -> SearchParameter:
    if not isinstance(entry, Mapping):
        raise ValueError(f"{name}: a parameter of a sweep is a dictionary: {entry!r}")
    if "value" in entry:
        return SearchParameter(name, (entry["value"],))
    if "values" in entry:
        if not entry["values"]:
            raise ValueError(f"{name}: `values` is empty.")
        return SearchParameter(name, tuple(entry["values"]))
    if not {"min", "max"} <= entry.keys():
        raise ValueError(f"{name}: a parameter of a sweep has `value`, `values`, or `min` and `max`.")
    low, high = entry["min"], entry["max"]
    whole = isinstance(low, int) and isinstance(high, int)
    kind = entry.get("distribution", "int_uniform" if whole else "uniform")
    if kind == "int_uniform":
        return _range(name, low, high, whole=True, log=False)
    if kind == "uniform":
        return _range(name, low, high, whole=False, log=False)
    if kind == "q_uniform":
        return _range(name, low, high, whole=False, log=False, step=float(entry.get("q", 1)))
    if kind == "log_uniform_values":
        return _range(name, low, high, whole=False, log=True)
    if kind == "log_uniform":  # its ends are exponents of e
        return _range(name, math.exp(low), math.exp(high), whole=False, log=True)
    raise ValueError(
        f"{name}: the distribution {kind!r} is not understood here; use one of uniform, int_uniform, "
        "q_uniform, log_uniform, log_uniform_values, or `values`."
    )


def _range(
    name: str, low: Any, high: Any, whole: bool, log: bool, step: float | None = None
) -> SearchParameter:
    if not (isinstance(low, (int, float)) and isinstance(high, (int, float)) and low <= high):
        raise ValueError(
            f"{name}: its range is from {low!r} to {high!r}; both are numbers, the first not greater."
        )
    if log and low <= 0:
        raise ValueError(f"{name}: on a logarithmic scale the range begins above 0, not at {low!r}.")
    return SearchParameter(name, None, low, high, whole, log, step)


def default_hp_space_optuna(trial: Any) -> dict[str, Any]:
    """Return learning rate, epochs, seed and batch size that an `optuna.Trial` proposes."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-6, 1e-4, log=True),
        "num_train_epochs": trial.suggest_int("num_train_epochs", 1, 5),
        "seed": trial.suggest_int("seed", 1, 40),
        "per_device_train_batch_size": trial.suggest_categorical(
            "per_device_train_batch_size", [4, 8, 16, 32, 64]
        ),
    }


def default_hp_space_ray(trial: Any) -> dict[str, Any]:
    """Return the distributions of Ray Tune for learning rate, epochs, seed and batch size."""
    from ray import tune

    return {
        "learning_rate": tune.loguniform(1e-6, 1e-4),
        "num_train_epochs": tune.choice(list(range(1, 6))),
        "seed": tune.uniform(1, 40),
        "per_device_train_batch_size": tune.choice([4, 8, 16, 32, 64]),
    }


def default_hp_space_sigopt(trial: Any) -> list[dict[str, Any]]:
    """Return the same four in the form of SigOpt."""
    return [
        {
            "name": "learning_rate",
            "type": "double",
            "bounds": {"min": 1e-6, "max": 1e-4},
            "transformation": "log",
        },
        {"name": "num_train_epochs", "type": "int", "bounds": {"min": 1, "max": 6}},
        {"name": "seed", "type": "int", "bounds": {"min": 1, "max": 40}},
        {
            "name": "per_device_train_batch_size",
            "type": "categorical",
            "categorical_values": ["4", "8", "16", "32", "64"],
        },
    ]


def default_hp_space_wandb(trial: Any) -> dict[str, Any]:
    """Return the same four as a sweep of Weights & Biases."""
    return {
        "method": "random",
        "metric": {"name": "objective", "goal": "minimize"},
        "parameters": {
            "learning_rate": {"distribution": "uniform", "min": 1e-6, "max": 1e-4},
            "num_train_epochs": {"distribution": "int_uniform", "min": 1, "max": 6},
            "seed": {"distribution": "int_uniform", "min": 1, "max": 40},
            "per_device_train_batch_size": {"values": [4, 8, 16, 32, 64]},
        },
    }
