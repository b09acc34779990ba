"""What a finished training says of itself: results, hyperparameters, versions; for a model card."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arguments import TrainingArguments
    from .state import TrainerState
    from .trainer import Trainer

__all__ = ["final_results", "framework_versions", "hyperparameters", "results_table"]

_NO_RESULT = {
    "runtime",
    "samples_per_second",
    "steps_per_second",
    "jit_compilation_time",
    "model_preparation_time",
}


def _evaluation(entry: dict[str, Any]) -> dict[str, float]:
    """Return the results in one entry of the log, without the prefix `eval_`; empty for other entries."""
    results = {name.removeprefix("eval_"): value for name, value in entry.items() if name.startswith("eval_")}
    return {
        name: value
        for name, value in results.items()
        if isinstance(value, int | float) and not any(name.endswith(end) for end in _NO_RESULT)
    }


def results_table(log_history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each evaluation during training, with the training loss that was logged last.

    Returns:
        Rows {"Training loss", "Epoch", "Step", "Validation loss", and a column for each metric}.
    """
    rows: list[dict[str, Any]] = []
    loss: Any = "not logged"
    for entry in log_history:
        if "train_runtime" in entry:
            break
        loss = entry.get("loss", loss)
        results = _evaluation(entry)
        if not results:
            continue
        row = {"Training loss": loss, "Epoch": entry.get("epoch"), "Step": entry.get("step")}
        if "loss" in results:
            row["Validation loss"] = results.pop("loss")
        results = {name.replace("_", " ").capitalize(): value for name, value in results.items()}
        if rows and rows[-1]["Step"] == row["Step"]:  # several sets are evaluated at one step
            rows[-1] |= results
        else:
            rows.append(row | results)
    return rows


def final_results(state: TrainerState, args: TrainingArguments) -> dict[str, float]:
    """Return the results of the model as it is now: the last evaluation, or that of the best checkpoint.

    Returns:
        {"loss": ..., metric: ...}; empty when there was no evaluation.
    """
    history = state.log_history
    evaluated = [index for index, entry in enumerate(history) if _evaluation(entry)]
    if not evaluated:
        return {}
    ended = [index for index, entry in enumerate(history) if "train_runtime" in entry]
    step = history[evaluated[-1]].get("step")
    if args.load_best_model_at_end and state.best_model_checkpoint and ended and evaluated[-1] < ended[-1]:
        step = int(state.best_model_checkpoint.rpartition("-")[2])
        evaluated = [index for index in evaluated if index < ended[-1]]
    results: dict[str, float] = {}
    for index in evaluated:
        if history[index].get("step") == step:
            results |= _evaluation(history[index])
    return results


def hyperparameters(trainer: Trainer) -> dict[str, Any]:
    """Return what has to be known to train like this again."""
    args, world = trainer.args, trainer.engine.num_processes
    values: dict[str, Any] = {
        "learning_rate": args.learning_rate,
        "train_batch_size": args.train_batch_size,
        "eval_batch_size": args.eval_batch_size,
        "seed": args.seed,
    }
    if world > 1:
        values["num_processes"] = world
    if args.gradient_accumulation_steps > 1:
        values["gradient_accumulation_steps"] = args.gradient_accumulation_steps
    total = args.train_batch_size * world * args.gradient_accumulation_steps
    if total != args.train_batch_size:
        values["total_train_batch_size"] = total
    values["optimizer"] = _optimizer(args)
    values["lr_scheduler_type"] = str(getattr(args.lr_scheduler_type, "value", args.lr_scheduler_type))
    values |= {
        name: getattr(args, name) for name in ("warmup_ratio", "warmup_steps") if getattr(args, name, None)
    }
    if args.max_steps > 0:
        values["training_steps"] = args.max_steps
    else:
        values["num_epochs"] = args.num_train_epochs
    if args.fp16 or args.bf16:
        values["mixed_precision"] = "fp16" if args.fp16 else "bf16"
    if args.label_smoothing_factor:
        values["label_smoothing_factor"] = args.label_smoothing_factor
    return values


def _optimizer(args: TrainingArguments) -> str:
    """Return the optimizer with the settings that matter to it."""
    name = str(getattr(args.optim, "value", args.optim))
    if "adam" in name:
        name += f" (betas {args.adam_beta1} and {args.adam_beta2}, epsilon {args.adam_epsilon}"
        name += f", weight decay {args.weight_decay})" if args.weight_decay else ")"
    return f"{name}, {args.optim_args}" if args.optim_args else name


def framework_versions() -> dict[str, str]:
    """Return the versions of the libraries at work, of those that are installed."""
    from .. import __version__

    versions = {"nanoformers": __version__, "Python": platform.python_version()}
    for title, package in (("PyTorch", "torch"), ("Datasets", "datasets"), ("Tokenizers", "tokenizers")):
        try:
            versions[title] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
