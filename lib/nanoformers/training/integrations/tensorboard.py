"""Reporting to TensorBoard: event files in a folder.

Mirrors `TensorBoardCallback` of the documentation page `main_classes/callback`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..state import TrainerState
from .reporting import ReportingCallback

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from ..arguments import TrainingArguments

__all__ = ["TensorBoardCallback"]


class TensorBoardCallback(ReportingCallback):
    """Writes the logs as TensorBoard event files; look at them with `tensorboard --logdir <folder>`.

    The folder is that of the environment variable TENSORBOARD_LOGGING_DIR, else `args.logging_dir` (at first
    `<output_dir>/runs/<date>_<host>`). Trials of a search get a sub-folder each, named for the trial.

    Args:
        tb_writer: a `SummaryWriter` to use; it decides on its folder itself, and closing it is up to you.
    """

    package = "tensorboard"
    install = "pip install tensorboard"

    def __init__(self, tb_writer: SummaryWriter | None = None) -> None:
        super().__init__()
        self._given = tb_writer
        self.tb_writer: Any = tb_writer

    def open(self, args: TrainingArguments, state: TrainerState, model: Any) -> None:
        """Create the event file; arguments and configuration go into it as texts."""
        if self._given is None:
            from torch.utils.tensorboard import SummaryWriter

            self.tb_writer = SummaryWriter(log_dir=str(_folder(args, state)))
        self.tb_writer.add_text("args", args.to_json_string())
        config: Any = getattr(model, "config", None)
        if hasattr(config, "to_json_string"):
            self.tb_writer.add_text("model_config", config.to_json_string())

    def write(self, logs: dict[str, Any], state: TrainerState) -> None:
        """Write one scalar (or text) a name at the current step."""
        for name, value in logs.items():
            add = self.tb_writer.add_text if isinstance(value, str) else self.tb_writer.add_scalar
            add(name, value, state.global_step)
        self.tb_writer.flush()

    def close(self) -> None:
        """Close the event file."""
        if self._given is None:
            self.tb_writer.close()
            self.tb_writer = None


def _folder(args: TrainingArguments, state: TrainerState) -> Path:
    folder = Path(os.environ.get("TENSORBOARD_LOGGING_DIR") or str(args.logging_dir)).expanduser()
    return folder / state.trial_name if state.is_hyper_param_search and state.trial_name else folder
