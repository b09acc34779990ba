"""A checkpoint when the process is told to end, as cloud machines tell it when they are taken away."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

from ..utils import logging
from .callbacks import TrainerCallback

if TYPE_CHECKING:
    from .arguments import TrainingArguments
    from .state import TrainerControl, TrainerState

__all__ = ["PreemptionCallback"]

logger = logging.get_logger(__name__)


class PreemptionCallback(TrainerCallback):
    """After SIGTERM, saves a checkpoint at the end of the step, and ends the training."""

    def __init__(self) -> None:
        self._told = False
        self._before: Any = None

    def _hear(self, *_: Any) -> None:
        self._told = True

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Listen for the signal; only a program's main thread can."""
        self._told = False
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._hear)
        else:
            logger.warning("enable_jit_checkpoint does nothing here: only the main thread hears signals.")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Save and stop, if the signal has come."""
        if self._told:
            logger.warning(f"Told to end: saving a checkpoint at step {state.global_step}.")
            control.should_save = control.should_training_stop = True

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave the signal to whoever had it before."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
            self._before = None
