"""What the displays of a terminal and of a notebook have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..callbacks import TrainerCallback
from ..state import TrainerState

if TYPE_CHECKING:
    from ..arguments import TrainingArguments

__all__ = ["ProgressDisplay", "batches_of", "is_shown"]


class ProgressDisplay(TrainerCallback):
    """A callback that shows how training goes."""

    def abandon(self) -> None:
        """Leave what is shown as it is, for the training was interrupted: what comes next is shown anew."""


def batches_of(dataloader: Any) -> int | None:
    """Number of batches of a loader; None where that is not known in advance."""
    try:
        return len(dataloader)
    except (TypeError, NotImplementedError):  # an iterable data set has no length
        return None


def is_shown(args: TrainingArguments, state: TrainerState) -> bool:
    """Tell whether this process shows how training goes."""
    return state.is_world_process_zero and not args.disable_tqdm
