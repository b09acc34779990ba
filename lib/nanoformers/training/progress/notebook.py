"""Progress in a notebook: a bar, a live table of losses and metrics, and their curves.

Everything is one display that is updated at most every half second. What it shows last is plain HTML with
small pictures: it can be read in JupyterLab, Colab or an exported page without a kernel.

Mirrors `NotebookProgressCallback` of the documented module `utils.notebook`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..choices import IntervalStrategy
from ..state import TrainerControl, TrainerState
from .bars import NotebookProgressBar, NotebookTrainingTracker
from .display import ProgressDisplay, batches_of, is_shown
from .page import html_table, text_table

if TYPE_CHECKING:
    from ..arguments import TrainingArguments

__all__ = ["NotebookProgressBar", "NotebookProgressCallback", "NotebookTrainingTracker"]

NOT_METRICS = ("total_flos", "epoch", "step")
TIMINGS = (
    "runtime",
    "samples_per_second",
    "steps_per_second",
    "model_preparation_time",
    "jit_compilation_time",
)


class NotebookProgressCallback(ProgressDisplay):
    """Shows training, evaluation and prediction in a notebook; the trials of a search share one display."""

    def __init__(self) -> None:
        self.training_tracker: NotebookTrainingTracker | None = None
        self.prediction_bar: NotebookProgressBar | None = None
        self._search_output: Any = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Open the display."""
        self.training_tracker = self.prediction_bar = None
        if not is_shown(args, state):
            return
        tracker = NotebookTrainingTracker(state.max_steps, [_first_column(args), "Training Loss"])
        if state.is_hyper_param_search:
            tracker.prefix = _trial(state)
            tracker.output = self._search_output
        else:
            self._search_output = None
        for entry in state.log_history:  # of the run that is resumed
            _add_points(tracker, entry, entry.get("step", 0))
        self.training_tracker = tracker
        tracker.update(state.global_step, force_update=True)
        if state.is_hyper_param_search:
            self._search_output = tracker.output

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Move the bar."""
        if self.training_tracker is not None:
            self.training_tracker.update(state.global_step, comment=_epochs(state))

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
            tracker = self.training_tracker
            self.prediction_bar = tracker.add_child(batches) if tracker else self._bar(state, batches)
        self.prediction_bar.update(self.prediction_bar.value + 1)

    def _bar(self, state: TrainerState, batches: int) -> NotebookProgressBar:
        """Make the bar of an evaluation outside of training; in a search it takes the place of the trial."""
        if not state.is_hyper_param_search:
            return NotebookProgressBar(batches)
        bar = NotebookProgressBar(batches, prefix=_trial(state))
        bar.output = self._search_output
        return bar

    def on_predict(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """Take the bar of the prediction away."""
        if self.prediction_bar is not None:
            self.prediction_bar.close()
            self.prediction_bar = None

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Add the training loss to the curves, and to the table where no evaluation will do so."""
        tracker = self.training_tracker
        if tracker is None or not logs or "loss" not in logs:
            return
        _add_points(tracker, {"loss": logs["loss"]}, state.global_step)
        if args.eval_strategy == IntervalStrategy.NO:
            tracker.write_line({"Step": state.global_step, "Training Loss": logs["loss"]})

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write a line of metrics; outside of training they take the place of the evaluation's bar."""
        bar, self.prediction_bar = self.prediction_bar, None
        if not is_shown(args, state):
            return
        measured = _metrics(metrics or {})
        tracker = self.training_tracker
        if tracker is None:
            if bar is not None and measured:
                rows = [list(measured), list(measured.values())]
                bar.show(bar.html_code + html_table(rows), text_table(rows))
            return
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        place = state.global_step if _first_column(args) == "Step" else _whole(state.epoch)
        tracker.write_line(
            {_first_column(args): place, "Training Loss": losses[-1] if losses else "No log", **measured}
        )
        _add_points(tracker, metrics or {}, state.global_step)
        tracker.remove_child()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Draw the display for the last time."""
        if self.training_tracker is not None:
            self.training_tracker.child_bar = None
            self.training_tracker.update(state.global_step, force_update=True, comment=_epochs(state))
            self.training_tracker = None

    def abandon(self) -> None:
        """Draw the display for the last time; it stays in its cell."""
        if self.training_tracker is not None:
            self.training_tracker.remove_child()
        self.training_tracker = self.prediction_bar = None


def _first_column(args: TrainingArguments) -> str:
    return "Epoch" if args.eval_strategy == IntervalStrategy.EPOCH else "Step"


def _trial(state: TrainerState) -> str:
    """Which trial of a search this is, and with which values."""
    values = (state.trial_params or {}).items()
    texts = [
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in values
    ]
    return f"{state.trial_name or 'trial'} ({', '.join(texts)}) "


def _whole(number: float | None) -> int | str:
    number = number or 0
    return int(number) if number == int(number) else f"{number:.2f}"


def _epochs(state: TrainerState) -> str:
    endless = state.num_train_epochs == sys.maxsize  # of data without a length
    return f"Epoch {_whole(state.epoch)}" + ("" if endless else f"/{state.num_train_epochs}")


def _metrics(logs: Mapping[str, Any]) -> dict[str, Any]:
    """What an evaluation measured, by readable names: `eval_loss` is Validation Loss, `eval_f1` F1."""
    named: dict[str, Any] = {}
    for key, value in logs.items():
        words = key.split("_")[1:]
        if words == ["loss"]:
            named = {"Validation Loss": value, **named}
        elif key not in NOT_METRICS and words and not key.endswith(TIMINGS):
            named[" ".join(word.capitalize() for word in words)] = value
    return named


def _add_points(tracker: NotebookTrainingTracker, logs: Mapping[str, Any], step: float) -> None:
    """Add what was logged at a step to the curves: the training loss, or what an evaluation measured."""
    if "loss" in logs:
        tracker.add_point("Training Loss", step, logs["loss"])
    for name, value in _metrics({key: logs[key] for key in logs if key.startswith("eval_")}).items():
        if isinstance(value, (int, float)):
            tracker.add_point(name, step, value)
