"""A copy of a Trainer that runs trials elsewhere: in another thread, or in a process of Ray."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING

from ..callback_handler import CallbackHandler
from ..callbacks import PrinterCallback
from ..checkpoints import Checkpoints
from ..hub import HubSync
from ..measures import TrainerMemoryTracker
from ..progress import ProgressDisplay
from ..state import TrainerControl, TrainerState

if TYPE_CHECKING:
    from ..trainer import Trainer

__all__ = ["copy_of_trainer"]


def copy_of_trainer(trainer: Trainer) -> Trainer:
    """Return a Trainer with the same data and functions, and with everything that a training changes its own.

    It has no model (each trial makes one) and shows no progress; call `create_accelerator_and_postprocess`
    where it is to run.
    """
    twin = copy.copy(trainer)
    twin.args = copy.copy(trainer.args)
    twin.args.output_dir = str(Path(trainer.args.output_dir or ".").absolute())
    twin.model = twin.model_wrapped = None  # type: ignore[assignment]
    twin.optimizer = twin.lr_scheduler = None
    twin.engine = twin.loss_counting = None  # type: ignore[assignment]
    twin._eval_loaders = {}
    twin._memory = TrainerMemoryTracker(skip_memory_metrics=True)
    twin.state, twin.control = TrainerState(), TrainerControl()
    twin.checkpoints, twin.hub = Checkpoints(twin), HubSync(twin)
    callbacks = [
        copy.copy(callback) for callback in trainer.callback_handler.callbacks if not _shows(callback)
    ]
    twin.callback_handler = CallbackHandler(callbacks, None, trainer.processing_class)
    return twin


def _shows(callback: object) -> bool:
    """Whether a callback prints or draws how training goes."""
    return isinstance(callback, (PrinterCallback, ProgressDisplay))
