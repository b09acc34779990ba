"""The list of callbacks of a Trainer, called in order.

Mirrors `trainer_callback.CallbackHandler` of the documentation page `internal/trainer_utils`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..utils import logging
from .callbacks import DefaultFlowCallback, TrainerCallback
from .state import ExportableState, TrainerControl, TrainerState, exported_states

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = ["CallbackHandler"]

logger = logging.get_logger(__name__)


def _event(name: str, *switches: str) -> Callable[..., TrainerControl]:
    """Make the method that calls one event of every callback, after it has unset the switches it answers."""

    def call(
        self: CallbackHandler,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> TrainerControl:
        for switch in switches:
            setattr(control, switch, False)
        return self.call_event(name, args, state, control, **kwargs)

    call.__name__ = name
    call.__doc__ = f"Call `{name}` of every callback."
    return call


class CallbackHandler(TrainerCallback):
    """Calls each callback in order, and resets the switches of `TrainerControl` when their time has come.

    Args:
        callbacks: callbacks, or classes of callbacks that need no arguments.
        model, tokenizer, optimizer, lr_scheduler: handed to every event.
        processing_class: today's name of `tokenizer`.
    """

    def __init__(
        self,
        callbacks: Iterable[TrainerCallback | type[TrainerCallback]],
        model: Any,
        tokenizer: Any = None,
        optimizer: Any = None,
        lr_scheduler: Any = None,
        *,
        processing_class: Any = None,
    ) -> None:
        self.callbacks: list[TrainerCallback] = []
        for callback in callbacks:
            self.add_callback(callback)
        self.model = model
        self.processing_class = tokenizer if processing_class is None else processing_class
        self.optimizer = optimizer
        self.lr_scheduler = lr_scheduler
        self.train_dataloader: Any = None
        self.eval_dataloader: Any = None
        if not any(isinstance(callback, DefaultFlowCallback) for callback in self.callbacks):
            logger.warning(
                "Without a `DefaultFlowCallback` nothing tells the Trainer when to log, evaluate, save, stop."
                " Add one before training: trainer.add_callback(DefaultFlowCallback). They are now:\n"
                + self.callback_list
            )

    @property
    def tokenizer(self) -> Any:
        """The documented name of `processing_class`."""
        return self.processing_class

    @tokenizer.setter
    def tokenizer(self, value: Any) -> None:
        self.processing_class = value

    @property
    def callback_list(self) -> str:
        """Names of the callbacks' classes, one a line."""
        return "\n".join(type(callback).__name__ for callback in self.callbacks)

    def add_callback(self, callback: TrainerCallback | type[TrainerCallback]) -> None:
        """Add a callback, or an object of that class; warn when there is already one of the class.

        Raises:
            TypeError: it has none of the events.
        """
        instance = callback() if isinstance(callback, type) else callback
        if not hasattr(instance, "on_train_begin"):
            raise TypeError(f"{instance!r} is no callback: inherit from `TrainerCallback`.")
        if any(type(present) is type(instance) for present in self.callbacks):
            logger.warning(
                f"You are adding a second {type(instance).__name__} to the callbacks. They are now:\n"
                + self.callback_list
            )
        self.callbacks.append(instance)

    def pop_callback(self, callback: TrainerCallback | type[TrainerCallback]) -> TrainerCallback | None:
        """Take out that callback, or the first of that class, and return it; None when there is none."""
        for present in self.callbacks:
            if isinstance(present, callback) if isinstance(callback, type) else present == callback:
                self.callbacks.remove(present)
                return present
        return None

    def remove_callback(self, callback: TrainerCallback | type[TrainerCallback]) -> None:
        """Take out that callback, or the first of that class.

        Raises:
            ValueError: the callback (not a class) is not among them.
        """
        if self.pop_callback(callback) is None and not isinstance(callback, type):
            raise ValueError(f"{callback!r} is not among the callbacks:\n{self.callback_list}")

    def exported_states(self, control: TrainerControl) -> dict[str, Any]:
        """Return what a checkpoint stores of the callbacks that have a `state()`, and of `control`."""
        return exported_states(
            item for item in [*self.callbacks, control] if isinstance(item, ExportableState)
        )

    def restore_states(self, stored: Mapping[str, Any], settings: bool = False) -> None:
        """Let the callbacks go on where a checkpoint left them.

        Args:
            stored: `stateful_callbacks` of the checkpoint's state.
            settings: take what their constructors were given from the checkpoint too, where otherwise a
                callback keeps the settings of this run and gets back only what it had counted.
        """
        states = {name: entry if isinstance(entry, list) else [entry] for name, entry in stored.items()}
        states.pop(TrainerControl.__name__, None)  # its switches belong to the step at which it was stored
        for position, callback in enumerate(self.callbacks):
            entries = states.get(type(callback).__name__, [])
            if entries and isinstance(callback, ExportableState):
                state = entries.pop(0)
                if settings:
                    self.callbacks[position] = callback = type(callback).from_state(state)
                for name, value in state.get("attributes", {}).items():
                    setattr(callback, name, value)
        missing = [name for name, entries in states.items() if entries]
        if missing:
            logger.warning(
                f"The checkpoint has states of callbacks that this Trainer lacks: {', '.join(missing)}. "
                "Pass them to the Trainer (`callbacks=[...]`) to go on with them."
            )

    def call_event(
        self, event: str, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """Call one event of every callback; what one returns (but None) is the `control` from then on."""
        for callback in self.callbacks:
            result = getattr(callback, event)(
                args,
                state,
                control,
                model=self.model,
                tokenizer=self.processing_class,
                processing_class=self.processing_class,
                optimizer=self.optimizer,
                lr_scheduler=self.lr_scheduler,
                train_dataloader=self.train_dataloader,
                eval_dataloader=self.eval_dataloader,
                **kwargs,
            )
            if result is not None:
                control = result
        return control

    on_init_end = _event("on_init_end")
    on_train_begin = _event("on_train_begin", "should_training_stop")
    on_train_end = _event("on_train_end")
    on_epoch_begin = _event("on_epoch_begin", "should_epoch_stop")
    on_epoch_end = _event("on_epoch_end")
    on_step_begin = _event("on_step_begin", "should_log", "should_evaluate", "should_save")
    on_substep_end = _event("on_substep_end")
    on_pre_optimizer_step = _event("on_pre_optimizer_step")
    on_optimizer_step = _event("on_optimizer_step")
    on_step_end = _event("on_step_end")
    on_save = _event("on_save", "should_save")
    on_prediction_step = _event("on_prediction_step")
    on_push_begin = _event("on_push_begin")

    # The documented calls give metrics and logs by position.
    def on_evaluate(  # type: ignore[override]
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Any,
        **kwargs: Any,
    ) -> TrainerControl:
        """Call `on_evaluate` of every callback with the metrics."""
        control.should_evaluate = False
        return self.call_event("on_evaluate", args, state, control, metrics=metrics, **kwargs)

    def on_predict(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Any,
        **kwargs: Any,
    ) -> TrainerControl:
        """Call `on_predict` of every callback with the metrics."""
        return self.call_event("on_predict", args, state, control, metrics=metrics, **kwargs)

    def on_log(  # type: ignore[override]
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any, **kwargs: Any
    ) -> TrainerControl:
        """Call `on_log` of every callback with what is logged."""
        control.should_log = False
        return self.call_event("on_log", args, state, control, logs=logs, **kwargs)
