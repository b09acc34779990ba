"""Where a training run stands, and what it is to do next: two small records that callbacks read and change.

Mirrors `TrainerState` and `TrainerControl` of the documentation page `main_classes/trainer`.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..utils import logging
from ..utils.files import read_json_object, write_text

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = ["ExportableState", "TrainerControl", "TrainerState"]

logger = logging.get_logger(__name__)


class ExportableState:
    """Something whose state is stored in `trainer_state.json`, so that a resumed run goes on with it.

    A subclass gives `state()`; `from_state` builds an object from what that returned.
    """

    def state(self) -> dict[str, dict[str, Any]]:
        """Return `{"args": what the constructor takes, "attributes": what changed since}`, fit for JSON."""
        raise TypeError(f"{type(self).__name__} is an ExportableState and has to define a method `state`.")

    @classmethod
    def from_state(cls, state: dict[str, dict[str, Any]]) -> Any:
        """Build an object from what `state()` returned."""
        instance = cls(**state.get("args", {}))
        for name, value in state.get("attributes", {}).items():
            setattr(instance, name, value)
        return instance


@dataclass
class TrainerState:
    """Where a training run stands. A step is an update of the weights, however many batches it took.

    Args:
        epoch: epochs done, with the part of the one that runs; None before training.
        global_step: steps done.
        max_steps: steps that this training will make.
        logging_steps, eval_steps, save_steps: the intervals in steps (`compute_steps` works out ratios).
        train_batch_size: of one device; it changes under `auto_find_batch_size`.
        num_train_epochs: epochs that this training will make.
        num_input_tokens_seen: tokens of the training batches so far, where they are counted.
        total_flos: floating-point operations so far.
        log_history: everything that was logged, in order.
        best_metric, best_global_step, best_model_checkpoint: value, step and folder of the best model so far.
        is_local_process_zero: this is the main process of its machine.
        is_world_process_zero: this is the main process of all machines.
        is_hyper_param_search: this run is a trial of a search.
        trial_name, trial_params: of that trial.
        stateful_callbacks: objects with a `state()`; they are kept as a dict of class name to stored state.
    """

    epoch: float | None = None
    global_step: int = 0
    max_steps: int = 0
    logging_steps: int = 500
    eval_steps: int = 500
    save_steps: int = 500
    train_batch_size: int | None = None
    num_train_epochs: int = 0
    num_input_tokens_seen: int = 0
    total_flos: float = 0
    log_history: list[dict[str, Any]] = field(default_factory=list)
    best_metric: float | None = None
    best_global_step: int | None = None
    best_model_checkpoint: str | None = None
    is_local_process_zero: bool = True
    is_world_process_zero: bool = True
    is_hyper_param_search: bool = False
    trial_name: str | None = None
    trial_params: dict[str, str | float | int | bool] | None = None
    stateful_callbacks: Any = None

    def __post_init__(self) -> None:
        if self.log_history is None:
            self.log_history = []
        if not isinstance(self.stateful_callbacks, dict):
            self.stateful_callbacks = exported_states(self.stateful_callbacks or ())

    def save_to_json(self, json_path: str | os.PathLike[str]) -> None:
        """Write the state to a file (`trainer_state.json`), whole or not at all."""
        values = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        write_text(json_path, json.dumps(values, indent=2, sort_keys=True, default=_plain) + "\n")

    @classmethod
    def load_from_json(cls, json_path: str | os.PathLike[str]) -> TrainerState:
        """Read a state that this library or the reference library wrote.

        Raises:
            OSError: there is no such file, or it is not a JSON object.
        """
        values = read_json_object(json_path, "trainer state")
        unknown = values.keys() - {entry.name for entry in dataclasses.fields(cls)}
        if unknown:
            logger.warning(f"{json_path} has entries that are not known here: {', '.join(sorted(unknown))}.")
        return cls(**{name: value for name, value in values.items() if name not in unknown})

    def compute_steps(self, args: TrainingArguments, max_steps: int) -> None:
        """Set the intervals in steps; one below 1 in the arguments is a part of `max_steps`."""
        for kind in ("logging", "eval", "save"):
            steps = getattr(args, f"{kind}_steps")
            if steps is not None:
                setattr(self, f"{kind}_steps", math.ceil(max_steps * steps) if steps < 1 else int(steps))


@dataclass
class TrainerControl(ExportableState):
    """What the training loop is to do next. Callbacks set these switches; the loop reads them.

    Args:
        should_training_stop: end the training after this step. It stays set.
        should_epoch_stop: end this epoch after this step; unset when the next begins.
        should_save, should_evaluate, should_log: do so after this step; unset when done.
    """

    should_training_stop: bool = False
    should_epoch_stop: bool = False
    should_save: bool = False
    should_evaluate: bool = False
    should_log: bool = False

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the switches in the form in which a checkpoint stores them."""
        return {"args": dataclasses.asdict(self), "attributes": {}}


def exported_states(objects: Iterable[Any]) -> dict[str, Any]:
    """Return the states by class name; a class that comes more than once has a list of them.

    Raises:
        TypeError: one of the objects is not an `ExportableState`.
    """
    states: dict[str, Any] = {}
    for item in objects:
        if not isinstance(item, ExportableState):
            raise TypeError(
                f"{type(item).__name__} cannot be stored in a checkpoint: only classes that inherit from "
                "`ExportableState` and define `state()` can."
            )
        name, state = type(item).__name__, item.state()
        if name not in states:
            states[name] = state
        elif isinstance(states[name], list):
            states[name].append(state)
        else:
            states[name] = [states[name], state]
    return states


def _plain(value: Any) -> Any:
    """Turn a number of numpy or torch into one of Python, an array into a list."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r} of type {type(value).__name__} cannot be written to trainer_state.json.")
