"""Progress bars of training and evaluation in a terminal.

Mirrors `ProgressCallback` of the documentation page `main_classes/trainer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...utils import logging
from ..callbacks import readable_logs
from ..state import TrainerControl, TrainerState
from .display import ProgressDisplay, batches_of, is_shown

if TYPE_CHECKING:
    from ..arguments import TrainingArguments

__all__ = ["ProgressCallback"]


class ProgressCallback(ProgressDisplay):
    """Shows a bar for the training, one below it for each evaluation, and prints the logs above them.

    Args:
        max_str_len: longer texts in the logs are cut to this many characters.
    """

    def __init__(self, max_str_len: int = 100) -> None:
        self.max_str_len = max_str_len
        self.training_bar: Any = None
        self.prediction_bar: Any = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Open the bar, at the step where training goes on."""
        self._close()
        if is_shown(args, state):
            self.training_bar = logging.tqdm(
                total=state.max_steps, initial=state.global_step, dynamic_ncols=True
            )
            self._step = state.global_step

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Move the bar."""
        if self.training_bar is not None:
            self.training_bar.update(state.global_step - self._step)
            self._step = state.global_step

    def on_prediction_step(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        eval_dataloader: Any = None,
        **kwargs: Any,
    ) -> None:
        """Open the bar of an evaluation with its first batch, and move it."""
        batches = batches_of(eval_dataloader)
        if batches is None or not is_shown(args, state):
            return
        if self.prediction_bar is None:
            alone = self.training_bar is None
            self.prediction_bar = logging.tqdm(total=batches, leave=alone, dynamic_ncols=True)
        self.prediction_bar.update(1)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Close the bar of the evaluation."""
        self._close_prediction()

    def on_predict(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """Close the bar of the prediction."""
        self._close_prediction()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Print what is logged above the bar."""
        if self.training_bar is not None and logs is not None:
            self.training_bar.write(
                str({name: self._cut(value) for name, value in readable_logs(logs).items()})
            )

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Close the bars."""
        self._close()

    def abandon(self) -> None:
        """Close the bars where they are."""
        self._close()

    def _cut(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > self.max_str_len:
            return f"{value[: self.max_str_len]}... ({len(value)} characters)"
        return value

    def _close_prediction(self) -> None:
        if self.prediction_bar is not None:
            self.prediction_bar.close()
            self.prediction_bar = None

    def _close(self) -> None:
        self._close_prediction()
        if self.training_bar is not None:
            self.training_bar.close()
            self.training_bar = None
