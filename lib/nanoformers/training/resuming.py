"""What of a checkpoint goes where when a training is taken up again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..adapters.config import CONFIG_NAME as ADAPTER_CONFIG_NAME
from ..checkpoints import find_weights, read_weights
from ..hub import HubOptions
from ..utils import logging
from .checkpoint_folders import PREFIX_CHECKPOINT_DIR, checkpoint_folders
from .columns import base_model
from .loop_state import LoopState
from .rng import read_rng_states
from .state import TrainerState

if TYPE_CHECKING:
    from .trainer import Trainer

__all__ = [
    "find_checkpoint",
    "load_loop_state",
    "load_optimizer",
    "load_rng",
    "load_trainer_state",
    "load_weights",
    "own_file",
]

logger = logging.get_logger(__name__)

TRAINER_STATE_NAME = "trainer_state.json"
SCHEDULER_NAME = "scheduler.pt"
SCALER_NAME = "scaler.pt"


def own_file(trainer: Trainer, stem: str, extension: str) -> str:
    """Return the name of a file that each process has one of."""
    engine = trainer.engine
    rank = f"_{engine.process_index}" if engine.num_processes > 1 else ""
    return f"{stem}{rank}.{extension}"


def find_checkpoint(
    output_dir: Path, resume_from_checkpoint: str | os.PathLike[str] | bool | None
) -> Path | None:
    """Return the checkpoint that `train(resume_from_checkpoint=...)` means.

    Args:
        output_dir: the folder with the checkpoints of the run.
        resume_from_checkpoint: a folder; True for the last one in `output_dir`; None or False for none.

    Raises:
        ValueError: there is no such checkpoint.
    """
    if resume_from_checkpoint is None or resume_from_checkpoint is False:
        return None
    if resume_from_checkpoint is not True:
        folder = Path(resume_from_checkpoint).expanduser()
        if not folder.is_dir():
            raise ValueError(
                f"Can't find a valid checkpoint at {resume_from_checkpoint}: there is no such folder."
            )
        return folder
    folders = checkpoint_folders(output_dir)
    whole = [folder for folder in folders if (folder / TRAINER_STATE_NAME).is_file()]
    if not whole:
        raise ValueError(
            f"No valid checkpoint found in output directory ({output_dir}): one is a folder "
            f"{PREFIX_CHECKPOINT_DIR}-N with {TRAINER_STATE_NAME} in it. It has {_entries(output_dir)}."
        )
    if whole[-1] != folders[-1]:
        logger.warning(f"{folders[-1]} is not whole; {whole[-1]} is the last checkpoint that is.")
    return whole[-1]


def _entries(folder: Path) -> str:
    """Return what a folder has in it, for a message."""
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    return ", ".join(names[:8]) + (" and others" if len(names) > 8 else "") if names else "nothing"


def load_weights(trainer: Trainer, folder: str | os.PathLike[str]) -> None:
    """Give the model the weights of a checkpoint.

    Raises:
        RuntimeError: their names or shapes are not the model's.
        ValueError: there are none in the folder.
    """
    if getattr(trainer.model, "_hf_peft_config_loaded", False):
        if not Path(folder, ADAPTER_CONFIG_NAME).is_file():
            raise ValueError(
                f"Can't find a valid checkpoint at {folder}: the model has an adapter, and there is no "
                f"{ADAPTER_CONFIG_NAME}."
            )
        trainer.model.load_adapter(
            folder, trainer.model.active_adapters()[0], is_trainable=True, hotswap=True
        )
        return
    if base_model(trainer.model) is not trainer.model:  # of the peft library
        trainer.model.load_adapter(str(folder), trainer.model.active_adapter, is_trainable=True)
        return
    if trainer.engine.has_shards(folder):
        trainer.engine.load_model_state(trainer.model_wrapped, folder)
        return
    try:
        files = find_weights(folder, HubOptions(local_files_only=True))
    except OSError as error:
        raise ValueError(f"Can't find a valid checkpoint at {folder}: {error}") from error
    trainer.engine.load_model_state(trainer.model_wrapped, read_weights(files))
    tie = getattr(trainer.model, "tie_weights", None)
    if tie is not None:
        tie()


def load_optimizer(trainer: Trainer, folder: Path) -> None:
    """Load what the optimizer, the schedule and the scaler of gradients hold; warn where it is not there."""
    engine = trainer.engine
    if not (folder / SCHEDULER_NAME).is_file():
        logger.warning(
            f"{folder} has no {SCHEDULER_NAME}: it was saved with save_only_model=True, or is no checkpoint "
            "of a training. The optimizer and the learning rate start anew."
        )
        return
    engine.load_optimizer(folder, trainer.model_wrapped, trainer.optimizer)
    trainer.lr_scheduler.load_state_dict(_read(folder / SCHEDULER_NAME))
    scaler = getattr(engine, "scaler", None)
    if scaler is not None and (folder / SCALER_NAME).is_file():
        scaler.load_state_dict(_read(folder / SCALER_NAME))


def load_trainer_state(trainer: Trainer, folder: Path) -> None:
    """Load `trainer_state.json` if it is there, and give the callbacks what they stored in it."""
    path = folder / TRAINER_STATE_NAME
    if not path.is_file():
        logger.warning(f"{folder} has no {TRAINER_STATE_NAME}: only its weights are used, from step 0 on.")
        return
    state = TrainerState.load_from_json(path)
    if state.best_model_checkpoint is not None and not Path(state.best_model_checkpoint).is_dir():
        beside = folder.with_name(Path(state.best_model_checkpoint).name)  # the whole run may have moved
        state.best_model_checkpoint = str(beside) if beside.is_dir() else None
    state.is_world_process_zero = trainer.engine.is_main_process
    state.is_local_process_zero = trainer.engine.is_local_main_process
    trainer.state = state
    trainer.callback_handler.restore_states(
        state.stateful_callbacks, settings=trainer.args.restore_callback_states_from_checkpoint
    )


def load_loop_state(trainer: Trainer, folder: Path, steps_per_epoch: int | None) -> LoopState:
    """Load the place in the data, or work it out from the number of steps."""
    state, accumulation = trainer.state, trainer.args.gradient_accumulation_steps
    path = folder / own_file(trainer, "loop_state", "pt")
    if path.is_file():
        loop = LoopState(**_read(path))
    else:
        loop = LoopState(last_logged_step=state.global_step)
        if steps_per_epoch:
            loop.epoch, steps = divmod(state.global_step, steps_per_epoch)
            loop.batches = steps * accumulation
    if trainer.args.ignore_data_skip:
        loop.batches = 0
    return loop


def load_rng(trainer: Trainer, folder: Path) -> dict[str, Any] | None:
    """Return the states of the random generators of this process; None, with a warning, without them."""
    path = folder / own_file(trainer, "rng_state", "pth")
    if path.is_file():
        return read_rng_states(path)
    logger.warning(
        f"{folder} has no {path.name}: it was saved with save_only_model=True, or by another number of "
        "processes. Numbers drawn at random will be others than without the interruption."
    )
    return None


def _read(path: Path) -> Any:
    """Read a file of tensors, numbers and lists; no code in it runs."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise OSError(f"{path} is damaged, or not a file of a checkpoint: {error}") from error
