"""How a script starts: what it logs, its seed, and whether it goes on from an earlier run."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...reproducibility import set_seed
from ...utils import logging as library_logging
from ..checkpoint_folders import get_last_checkpoint

if TYPE_CHECKING:
    from ..arguments import TrainingArguments

__all__ = ["start"]

logger = logging.getLogger(__name__)


def start(args: TrainingArguments) -> str | None:
    """Set the log and the seed up, and return the checkpoint to go on from, or None to begin anew.

    That is `--resume_from_checkpoint`, else the newest one in the output folder, unless
    `--overwrite_output_dir` is given.

    Raises:
        ValueError: the output folder has files of something else.
    """
    newest = _newest(args)
    _log(args)
    set_seed(args.seed)
    if newest is None:
        return args.resume_from_checkpoint if args.do_train else None
    logger.info(
        f"Checkpoint detected, resuming training at {newest}. To avoid this behavior, change "
        "the `--output_dir` or add `--overwrite_output_dir` to train from scratch."
    )
    return newest


def _newest(args: TrainingArguments) -> str | None:
    """Return the newest checkpoint in the output folder, None when another one or none at all is wanted."""
    folder = Path(args.output_dir or ".")
    asks_for_it = args.do_train and args.resume_from_checkpoint is None and not args.overwrite_output_dir
    if not asks_for_it or not folder.is_dir() or not any(folder.iterdir()):
        return None
    newest = get_last_checkpoint(folder)
    if newest is None:
        raise ValueError(
            f"Output directory ({folder}) already exists and is not empty. "
            "Use --overwrite_output_dir to overcome."
        )
    return newest


def _log(args: TrainingArguments) -> None:
    """Let the main process tell what goes on; others, and other libraries, only warn."""
    import datasets

    logging.basicConfig(
        format="%(asctime)s - %(levelname)s - %(name)s - %(message)s",
        datefmt="%m/%d/%Y %H:%M:%S",
        handlers=[logging.StreamHandler(sys.stdout)],
    )
    level = args.get_process_log_level()
    if args.log_level == "passive" and args.should_log:
        level = logging.INFO
    logging.getLogger("nanoformers.training.scripts").setLevel(level)
    library_logging.set_verbosity(level)
    datasets.logging.set_verbosity(max(level, logging.WARNING))
    if args.disable_tqdm:
        datasets.disable_progress_bars()
    logger.warning(
        f"Process rank: {args.process_index} of {args.world_size}, device: {args.device}, "
        f"n_gpu: {args.n_gpu}, 16-bits training: {args.fp16 or args.bf16}"
    )
    logger.info(f"Training/evaluation parameters {args}")
