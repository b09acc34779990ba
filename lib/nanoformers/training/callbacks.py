"""Callbacks: objects that watch a training run at documented events and tell it what to do next.

Mirrors `TrainerCallback` and the callbacks of the documentation page `main_classes/trainer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..utils import logging
from .choices import IntervalStrategy
from .state import ExportableState, TrainerControl, TrainerState

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = [
    "DefaultFlowCallback",
    "EarlyStoppingCallback",
    "PrinterCallback",
    "TrainerCallback",
]

logger = logging.get_logger(__name__)


class TrainerCallback:
    """Base of all callbacks: override the events you care about.

    Each event gets the training arguments, the `TrainerState` and the `TrainerControl`, and by keyword
    `model`, `processing_class` (also as `tokenizer`), `optimizer`, `lr_scheduler`, `train_dataloader` and
    `eval_dataloader`. `on_evaluate` and `on_predict` also get `metrics`, `on_log` gets `logs`. Only `control`
    may be changed; an event that replaces it returns the new one, otherwise it returns nothing.
    """

    def on_init_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that the Trainer has been built."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that training begins."""

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that training is over."""

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that an epoch begins."""

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that an epoch is over."""

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that a step begins; it takes as many batches as gradients are accumulated over."""

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that a batch has been accumulated and the step goes on."""

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that gradients are whole and clipped, before the optimizer uses them."""

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that the optimizer has moved the weights, before the gradients are cleared."""

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that a step is over."""

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that an evaluation is over; `metrics` is its result."""

    def on_predict(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Any,
        **kwargs: Any,
    ) -> TrainerControl | None:
        """Hear that a prediction is over; `metrics` is its result."""

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that a checkpoint has been saved."""

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that something was logged; `logs` holds it."""

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that one batch of an evaluation or prediction is done."""

    def on_push_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl | None:
        """Hear that the model is about to be pushed to the hub."""


class DefaultFlowCallback(TrainerCallback):
    """Decides when to log, evaluate, save and stop, from the strategies and steps of the training arguments.

    After the last step it also evaluates and saves, whatever the interval.
    """

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """Set the switches for strategies that count steps."""
        step, steps = state.global_step, IntervalStrategy.STEPS
        last = step >= state.max_steps
        if (step == 1 and args.logging_first_step) or (
            args.logging_strategy == steps and step % state.logging_steps == 0
        ):
            control.should_log = True
        if args.eval_strategy == steps and step >= args.eval_delay and (last or step % state.eval_steps == 0):
            control.should_evaluate = True
        if args.save_strategy == steps and (last or (state.save_steps > 0 and step % state.save_steps == 0)):
            control.should_save = True
        if last:
            control.should_training_stop = True
        return control

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """Set the switches for strategies that count epochs."""
        epoch = IntervalStrategy.EPOCH
        if args.logging_strategy == epoch:
            control.should_log = True
        if args.eval_strategy == epoch and (state.epoch or 0) >= args.eval_delay:
            control.should_evaluate = True
        if args.save_strategy == epoch:
            control.should_save = True
        return control


class PrinterCallback(TrainerCallback):
    """Prints the logs as they come, floats with four digits; the Trainer uses it where bars are disabled."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Print what is logged, on the main process of each machine."""
        if state.is_local_process_zero and logs is not None:
            print(readable_logs(logs), flush=True)


class EarlyStoppingCallback(TrainerCallback, ExportableState):
    """Stops the training when the metric for the best model has not improved for some evaluations.

    What it has counted is stored in checkpoints: a resumed run stops where the run would have stopped.

    Args:
        early_stopping_patience: evaluations without improvement before the training stops.
        early_stopping_threshold: a change up to this is no improvement.

    Raises:
        ValueError: the patience is below 1, or the threshold negative.
    """

    def __init__(
        self, early_stopping_patience: int = 1, early_stopping_threshold: float | None = 0.0
    ) -> None:
        if early_stopping_patience < 1:
            raise ValueError(
                f"early_stopping_patience={early_stopping_patience}: it counts evaluations, from 1 upwards."
            )
        if early_stopping_threshold is not None and early_stopping_threshold < 0:
            raise ValueError(
                f"early_stopping_threshold={early_stopping_threshold}: how much a metric has to improve, "
                "from 0 upwards."
            )
        self.early_stopping_patience = early_stopping_patience
        self.early_stopping_threshold = early_stopping_threshold or 0.0
        self.early_stopping_patience_counter = 0

    def check_metric_value(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metric_value: float
    ) -> None:
        """Count an evaluation that did not improve on the best one, and start again after one that did."""
        if state.best_metric is None:
            improved = True
        else:
            gain = metric_value - state.best_metric
            improved = (gain if args.greater_is_better else -gain) > self.early_stopping_threshold
        self.early_stopping_patience_counter = 0 if improved else self.early_stopping_patience_counter + 1

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Check that there will be a metric to watch.

        Raises:
            AssertionError: no metric is named, or nothing is evaluated.
        """
        if args.metric_for_best_model is None:
            raise AssertionError(
                "EarlyStoppingCallback requires metric_for_best_model to be defined: the name of a metric "
                'that evaluation returns, for example metric_for_best_model="loss".'
            )
        if args.eval_strategy == IntervalStrategy.NO:
            raise AssertionError(
                'EarlyStoppingCallback requires an evaluation strategy: eval_strategy="steps" or "epoch".'
            )
        if not args.load_best_model_at_end:
            logger.warning(
                "EarlyStoppingCallback without load_best_model_at_end=True: the model you get is the last "
                "one, not the best."
            )

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Compare the metric with the best one so far, and stop the training when patience is at its end."""
        metrics = metrics or {}
        name = str(args.metric_for_best_model)
        name = name if name.startswith("eval_") else f"eval_{name}"
        if name not in metrics:
            logger.warning(
                f"Early stopping is disabled: this evaluation has no {name}, only {', '.join(metrics)}."
            )
            return
        self.check_metric_value(args, state, control, metrics[name])
        if self.early_stopping_patience_counter >= self.early_stopping_patience:
            control.should_training_stop = True

    def state(self) -> dict[str, dict[str, Any]]:
        """Return settings and count in the form in which a checkpoint stores them."""
        return {
            "args": {
                "early_stopping_patience": self.early_stopping_patience,
                "early_stopping_threshold": self.early_stopping_threshold,
            },
            "attributes": {"early_stopping_patience_counter": self.early_stopping_patience_counter},
        }


def readable_logs(logs: dict[str, Any]) -> dict[str, Any]:
    """Round floats to four digits and leave out `total_flos`, which tells a reader nothing."""
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in logs.items()
        if name != "total_flos"
    }
