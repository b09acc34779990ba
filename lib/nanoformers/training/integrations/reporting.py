"""What callbacks that report to a service have in common."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, ClassVar

from ...utils import logging
from ..callbacks import TrainerCallback
from ..state import TrainerControl, TrainerState

if TYPE_CHECKING:
    from ..arguments import TrainingArguments

__all__ = ["ReportingCallback", "rewrite_logs"]

logger = logging.get_logger(__name__)


class ReportingCallback(TrainerCallback):
    """Base of callbacks that send the logs somewhere: a subclass opens, writes and closes.

    Only the main process of all machines reports.

    Raises:
        RuntimeError: the package that it needs is not installed.
    """

    package: ClassVar[str]
    install: ClassVar[str]

    def __init__(self) -> None:
        if not self.is_available():
            raise RuntimeError(
                f"{type(self).__name__} requires {self.package} to be installed. Run `{self.install}`, or "
                'leave it out with report_to="none".'
            )
        self._is_open = False

    @classmethod
    def is_available(cls) -> bool:
        """Tell whether the package is installed."""
        return importlib.util.find_spec(cls.package) is not None

    def open(self, args: TrainingArguments, state: TrainerState, model: Any) -> None:
        """Begin a run: where it goes, and what it was started with."""

    def write(self, logs: dict[str, Any], state: TrainerState) -> None:
        """Send the numbers and texts of one log, named `train/loss`, `eval/accuracy`, ..."""

    def close(self) -> None:
        """End the run."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Begin a run; the one before is closed."""
        if state.is_world_process_zero:
            self._close()
            self._open(args, state, kwargs.get("model"))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Send the logs; an evaluation outside of training begins a run of its own."""
        if not state.is_world_process_zero or logs is None:
            return
        if not self._is_open:
            self._open(args, state, kwargs.get("model"))
        sent = {name: value for name, value in logs.items() if isinstance(value, (int, float, str))}
        for name in logs.keys() - sent.keys():
            logger.warning(
                f"{type(self).__name__} leaves out {name}={logs[name]!r}: it reports numbers and texts."
            )
        self.write(rewrite_logs(sent), state)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """End the run."""
        self._close()

    def _open(self, args: TrainingArguments, state: TrainerState, model: Any) -> None:
        self.open(args, state, model)
        self._is_open = True

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            self.close()


def rewrite_logs(d: dict[str, Any]) -> dict[str, Any]:
    """Name logs by what they come from: `eval_loss` becomes `eval/loss`, `loss` becomes `train/loss`."""
    renamed = {}
    for name, value in d.items():
        split, _, rest = name.partition("_")
        renamed[f"{split}/{rest}" if split in ("eval", "test") and rest else f"train/{name}"] = value
    return renamed
