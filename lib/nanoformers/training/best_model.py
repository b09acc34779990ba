"""Which model of a run is the best so far, and which checkpoint has it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .checkpoint_folders import step_of

if TYPE_CHECKING:
    from .arguments import TrainingArguments
    from .state import TrainerState

__all__ = ["best_checkpoint", "is_new_best"]


def is_new_best(args: TrainingArguments, state: TrainerState, metrics: dict[str, float]) -> bool:
    """Note the metrics of an evaluation in the state, and tell whether they are the best so far.

    Raises:
        KeyError: `metric_for_best_model` is not among them.
    """
    name = _metric_name(args)
    if name is None:
        return False
    if name not in metrics:
        raise KeyError(
            f"metric_for_best_model={args.metric_for_best_model!r}, but the evaluation has no {name}, only "
            f"{', '.join(metrics)}. Name one of these, or let `compute_metrics` return it."
        )
    value = float(metrics[name])
    if value != value or (state.best_metric is not None and not _is_better(args, value, state.best_metric)):
        return False
    state.best_metric = value
    state.best_global_step = state.global_step
    return True


def best_checkpoint(args: TrainingArguments, state: TrainerState, folders: Iterable[Path]) -> str | None:
    """Return that of these checkpoints whose step was evaluated best; the earlier one when two are equal.

    Evaluations may be more frequent than checkpoints: the best of all may have none.

    Args:
        args: say which metric counts.
        state: its `log_history` says how each step was evaluated.
        folders: checkpoints of this run, by steps.

    Returns:
        A path; the one the state names already when none of the folders was evaluated; or None.
    """
    name = _metric_name(args)
    scores = {entry.get("step"): entry[name] for entry in state.log_history if name in entry}
    best, best_score = None, None
    for folder in folders:
        score = scores.get(step_of(folder))
        if score is None or score != score:  # NaN
            continue
        if best_score is None or _is_better(args, score, best_score):
            best, best_score = str(folder), score
    if best is None and state.best_model_checkpoint and Path(state.best_model_checkpoint).is_dir():
        return state.best_model_checkpoint
    return best


def _metric_name(args: TrainingArguments) -> str | None:
    """Return the metric that says which model is best, as it is called in the logs."""
    name = args.metric_for_best_model
    return name if name is None or name.startswith("eval_") else f"eval_{name}"


def _is_better(args: TrainingArguments, value: float, other: float) -> bool:
    return value > other if args.greater_is_better else value < other
