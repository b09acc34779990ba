"""What a `Trainer` holds: made by `Trainer.__init__` and `train`, used by every part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from ..arguments import TrainingArguments
    from ..callback_handler import CallbackHandler
    from ..engine import Engine
    from ..losses import LossCounting
    from ..measures import TrainerMemoryTracker
    from ..preparing import CacheOff
    from ..smoothing import LabelSmoother
    from ..state import TrainerControl, TrainerState

__all__ = ["TrainerAttributes"]


class TrainerAttributes:
    """The attributes of a `Trainer`; those that users may read are described there."""

    args: TrainingArguments
    model: Any
    model_wrapped: nn.Module
    is_model_parallel: bool
    place_model_on_device: bool
    processing_class: Any
    data_collator: Callable[[list[Any]], Any]
    train_dataset: Any
    eval_dataset: Any
    compute_metrics: Callable[..., dict[str, Any]] | None
    compute_loss_func: Callable[..., Any] | None
    preprocess_logits_for_metrics: Callable[[Any, Any], Any] | None
    optimizer: Any
    optimizer_cls_and_kwargs: tuple[Any, dict[str, Any]] | None
    lr_scheduler: Any
    label_smoother: LabelSmoother | None
    label_names: list[str]
    can_return_loss: bool
    train_batch_size: int
    is_in_train: bool
    current_flos: float
    state: TrainerState
    control: TrainerControl
    callback_handler: CallbackHandler
    engine: Engine
    loss_counting: LossCounting
    _memory: TrainerMemoryTracker
    _cache_off: CacheOff
    _created_scheduler: bool
    _eval_loaders: dict[str, Any]
    _flos_per_token: float | None
    _past: Any

    def is_local_process_zero(self) -> bool:
        """Return whether this is the main process of its machine."""
        return self.engine.is_local_main_process

    def is_world_process_zero(self) -> bool:
        """Return whether this is the main process of all."""
        return self.engine.is_main_process
