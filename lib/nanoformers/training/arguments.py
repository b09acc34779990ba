"""The arguments of training.

Mirrors `TrainingArguments` of the documentation page `main_classes/trainer`. The fields are in
`argument_fields.py`, what they mean together in `argument_checks.py`, what they need in `argument_needs.py`,
the setters in `argument_setters.py`.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import Enum
from typing import Any, ClassVar

import torch

from ..utils import logging
from .accelerator_config import AcceleratorConfig
from .argument_checks import LOG_LEVELS, resolve
from .argument_setters import ArgumentSetters
from .choices import ParallelMode
from .devices import Place, find_place

__all__ = ["TrainingArguments"]

logger = logging.get_logger(__name__)


@dataclass(repr=False)
class TrainingArguments(ArgumentSetters):
    """All arguments of training; `argument_fields.py` says what each one is.

    Args:
        output_dir: folder for checkpoints and results.
        (and some hundred more, by name)

    Raises:
        ValueError: a value that there is not, or two that contradict each other.
        ImportError: an argument needs a package that is not installed.
    """

    _argument_group_name: ClassVar[str] = "training"  # in the help of a script

    def __post_init__(self) -> None:
        self._place: Place | None = None
        resolve(self)

    # Processes and devices

    @property
    def place(self) -> Place:
        """Where this process trains, found when first asked for."""
        if self._place is None:
            self._place = find_place(self)
        return self._place

    @property
    def device(self) -> torch.device:
        """The device of this process."""
        return self.place.device

    @property
    def n_gpu(self) -> int:
        """GPUs that this process uses; 0 on a CPU."""
        return self.place.n_gpu

    @property
    def world_size(self) -> int:
        """Number of processes that train together."""
        return self.place.num_processes

    @property
    def process_index(self) -> int:
        """Which of all processes this one is, from 0."""
        return self.place.process_index

    @property
    def local_process_index(self) -> int:
        """Which of the processes of its machine this one is, from 0."""
        return self.place.local_process_index

    @property
    def parallel_mode(self) -> ParallelMode:
        """How the work is shared among devices."""
        if self.place.state is not None:
            return ParallelMode.DISTRIBUTED
        return ParallelMode.NOT_DISTRIBUTED if self.n_gpu > 1 else ParallelMode.NOT_PARALLEL

    @property
    def distributed_state(self) -> Any:
        """Accelerate's `PartialState`, where there are several processes."""
        return self.place.state

    @property
    def should_log(self) -> bool:
        """Whether this process logs."""
        return (self.local_process_index if self.log_on_each_node else self.process_index) == 0

    @property
    def should_save(self) -> bool:
        """Whether this process writes checkpoints."""
        return (self.local_process_index if self.save_on_each_node else self.process_index) == 0

    @property
    def place_model_on_device(self) -> bool:
        """Whether the Trainer moves the model to the device."""
        return True

    @property
    def ddp_timeout_delta(self) -> timedelta:
        """`ddp_timeout` as a time."""
        return timedelta(seconds=self.ddp_timeout)

    @contextlib.contextmanager
    def main_process_first(self, local: bool = True, desc: str = "work") -> Iterator[None]:
        """Let the main process do something first, such as `datasets.map`; the others then find its result.

        Args:
            local: the main process of each machine; False: of the first machine, where all share a disk.
            desc: what is done, for the log.
        """
        if self.world_size == 1:
            yield
            return
        first = (self.local_process_index if local else self.process_index) == 0
        if not first:
            logger.debug(f"process {self.process_index} waits for {desc}")
            torch.distributed.barrier()
        try:
            yield
        finally:
            if first:
                logger.debug(f"process {self.process_index} has done {desc}")
                torch.distributed.barrier()

    # What follows from the fields

    @property
    def accelerator_settings(self) -> AcceleratorConfig:
        """`accelerator_config` in its final form."""
        return AcceleratorConfig.of(self.accelerator_config)

    @property
    def train_batch_size(self) -> int:
        """Examples that this process takes at once in training."""
        return self.per_device_train_batch_size * max(1, self.n_gpu)

    @property
    def eval_batch_size(self) -> int:
        """Examples that this process takes at once in evaluation."""
        return self.per_device_eval_batch_size * max(1, self.n_gpu)

    @property
    def mixed_precision(self) -> str:
        """How accelerate names the precision: "fp16", "bf16" or "no"."""
        return "fp16" if self.fp16 else "bf16" if self.bf16 else "no"

    def get_warmup_steps(self, num_training_steps: int) -> int:
        """Return the number of steps in which the learning rate grows."""
        if self.warmup_steps >= 1:
            return int(self.warmup_steps)
        return math.ceil(num_training_steps * (self.warmup_steps or self.warmup_ratio))

    def get_process_log_level(self) -> int:
        """Return the verbosity of this process, as Python's `logging` counts it."""
        level = LOG_LEVELS[self.log_level if self.should_log else self.log_level_replica]
        return logging.get_verbosity() if level == -1 else level

    # Other forms

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as values that JSON has; tokens are left out."""
        return {field.name: _plain(field.name, getattr(self, field.name)) for field in fields(self)}

    def to_json_string(self) -> str:
        """Return all fields as JSON; tokens are left out."""
        return json.dumps(self.to_dict(), indent=2)

    def to_sanitized_dict(self) -> dict[str, Any]:
        """Return all fields as numbers, truth values and strings, for loggers that take nothing else."""
        values = self.to_dict() | {
            "train_batch_size": self.train_batch_size,
            "eval_batch_size": self.eval_batch_size,
        }
        return {
            name: value if isinstance(value, (bool, int, float, str)) else str(value)
            for name, value in values.items()
        }

    def __repr__(self) -> str:
        lines = "".join(f"{name}={value!r},\n" for name, value in sorted(self.to_dict().items()))
        return f"{type(self).__name__}(\n{lines})"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_place": None}  # another process has another place


def _plain(name: str, value: Any) -> Any:
    """Return a field's value as JSON has it."""
    if name.endswith("_token"):
        return f"<{name.upper()}>"
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [_plain("", item) for item in value]
    if isinstance(value, dict):
        return {key: _plain("", item) for key, item in value.items()}
    if isinstance(value, AcceleratorConfig):
        return value.to_dict()
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
