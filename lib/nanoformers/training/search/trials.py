"""One trial of a search: a training with some arguments replaced, and what it reports."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any

from ...utils import logging
from ..callbacks import TrainerCallback
from ..state import TrainerControl, TrainerState

if TYPE_CHECKING:
    from ..arguments import TrainingArguments
    from ..trainer import Trainer

__all__ = ["Trial", "arguments_replaced", "cast_values", "report_objective", "run_trial", "trial_name"]

logger = logging.get_logger(__name__)

Objective = float | Sequence[float]


@dataclasses.dataclass
class Trial:
    """A trial as the Trainer sees it.

    Args:
        source: what the back end calls the trial; `model_init` and `hp_name` get it.
        name: of its folder and in reports, `run-3`.
        values: hyperparameters, by field of `TrainingArguments`.
        report: is told the objective and the step after each evaluation; an exception stops the trial.
    """

    source: Any
    name: str
    values: dict[str, Any]
    report: Callable[[Objective, int], None]


def trial_name(trainer: Trainer, source: Any, run_id: Any) -> str:
    """The name of a trial: what `hp_name` says, or `run-<id>`."""
    return str(trainer.hp_name(source)) if trainer.hp_name is not None else f"run-{run_id}"


def run_trial(trainer: Trainer, trial: Trial) -> Objective:
    """Train with the trial's values and return the objective of the last evaluation.

    Without an evaluation during training there is one after it.
    """
    trainer.objective = None
    facts = _TrialFacts(trial)
    trainer.callback_handler.callbacks.insert(0, facts)
    trainer.trial = trial
    try:
        with arguments_replaced(trainer.args, trial.values):
            try:
                trainer.train(trial=trial.source)
                if trainer.objective is None:
                    trainer.objective = trainer.compute_objective(trainer.evaluate())
            except BaseException:  # stopped or failed: bars and event files are closed all the same
                trainer.callback_handler.on_train_end(trainer.args, trainer.state, trainer.control)
                raise
    finally:
        trainer.trial = None
        trainer.callback_handler.callbacks.remove(facts)
    return trainer.objective


def report_objective(trainer: Trainer, metrics: Mapping[str, float]) -> None:
    """Tell the search what an evaluation during a trial found; nothing outside of a trial.

    Raises:
        optuna.TrialPruned: the search stops this trial.
    """
    if trainer.trial is not None:
        trainer.objective = trainer.compute_objective(dict(metrics))
        trainer.trial.report(trainer.objective, trainer.state.global_step)


@contextmanager
def arguments_replaced(args: TrainingArguments, values: Mapping[str, Any]) -> Iterator[None]:
    """Set fields of the arguments, and put the old values back at the end."""
    before = {name: getattr(args, name) for name in values if name in _fields(args)}
    try:
        for name in before:
            setattr(args, name, values[name])
        yield
    finally:
        for name, value in before.items():
            setattr(args, name, value)


def cast_values(args: TrainingArguments, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values, each cast to the type of its field of the arguments; warn of a name that is no field.

    Raises:
        ValueError: a value cannot be cast.
    """
    fields = _fields(args)
    unknown = [name for name in values if name not in fields]
    for name in unknown:
        logger.warning_once(
            f"Trying to set {name} in the hyperparameter search but there is no corresponding field in "
            "`TrainingArguments`. A `model_init` that takes the trial can use it."
        )
    return {
        name: value if name in unknown else _cast(name, value, getattr(args, name), fields[name])
        for name, value in values.items()
    }


def _fields(args: TrainingArguments) -> dict[str, str]:
    """Fields of the arguments, and how each is annotated."""
    return {field.name: str(field.type) for field in dataclasses.fields(args)}


def _cast(name: str, value: Any, old: Any, annotation: str) -> Any:
    """Give a value the type that the field has: "16" and 16.0 are 16 for a batch size."""
    if old is None or isinstance(value, type(old)):
        return value
    kind: Any = float if annotation.startswith("float") else type(old)
    try:
        if kind is bool:
            return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]
        if kind is int and isinstance(value, str):
            return int(float(value))
        return kind(value)
    except (TypeError, ValueError, KeyError) as error:
        choices = ", ".join(str(item.value) for item in kind) if issubclass(kind, Enum) else kind.__name__
        raise ValueError(
            f"hp_space gives {name}={value!r}; TrainingArguments.{name} is {choices}."
        ) from error


class _TrialFacts(TrainerCallback):
    """Writes into the state which trial this is, before the other callbacks look."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Name the trial."""
        state.is_hyper_param_search = True
        state.trial_name = self.trial.name
        state.trial_params = self.trial.values
