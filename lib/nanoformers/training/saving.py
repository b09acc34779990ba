"""The model, its tokenizer and the arguments, written into a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..checkpoints import write_weights
from ..modeling import PreTrainedModel
from ..utils import logging

if TYPE_CHECKING:
    from .trainer import Trainer

__all__ = ["TRAINING_ARGS_NAME", "save_model"]

logger = logging.get_logger(__name__)

TRAINING_ARGS_NAME = "training_args.bin"


def save_model(trainer: Trainer, output_dir: str | os.PathLike[str], with_weights: bool = True) -> None:
    """Write what `from_pretrained` reads, beside the arguments of training; all processes call it.

    Args:
        trainer: its model, tokenizer (where it has none: that of its collator) and arguments are written.
        output_dir: the folder.
        with_weights: False: all but the weights, of which each process writes its shards.

    Raises:
        OSError: the folder cannot be written.
    """
    args = trainer.args
    state = trainer.engine.model_state(trainer.model_wrapped) if with_weights else None
    if not args.should_save:
        return
    folder = Path(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    if state is not None:
        _save(trainer.model, folder, state, args.save_safetensors)
    elif isinstance(trainer.model, PreTrainedModel):
        trainer.model.config.save_pretrained(folder)
    tokenizer = trainer.processing_class
    if tokenizer is None:
        tokenizer = getattr(trainer.data_collator, "tokenizer", None)
    if hasattr(tokenizer, "save_pretrained"):
        tokenizer.save_pretrained(folder)
    torch.save(args, folder / TRAINING_ARGS_NAME)


def _save(model: Any, folder: Path, state: dict[str, torch.Tensor], safetensors: bool) -> None:
    if hasattr(model, "save_pretrained"):
        options = {"state_dict": state} if isinstance(model, PreTrainedModel) else {}
        model.save_pretrained(folder, safe_serialization=safetensors, **options)
    else:
        logger.info(f"{type(model).__name__} is no PreTrainedModel: only its weights are saved.")
        write_weights(folder, state, safe_serialization=safetensors)
