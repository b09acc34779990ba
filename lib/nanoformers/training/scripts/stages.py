"""What a script does with its Trainer: train, evaluate, predict, share; each writes its results."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...utils.files import write_text
from .arguments import DataArguments, ModelArguments

if TYPE_CHECKING:
    from datasets import Dataset

    from ..outputs import PredictionOutput
    from ..trainer import Trainer

__all__ = ["evaluate", "predict", "share", "train", "write_predictions"]

Metrics = dict[str, Any]


def train(trainer: Trainer, checkpoint: str | None) -> Metrics:
    """Train, from a checkpoint if there is one; save model and tokenizer; write `train_results.json`."""
    metrics = trainer.train(resume_from_checkpoint=checkpoint).metrics
    trainer.save_model()
    _write(trainer, "train", metrics, trainer.train_dataset)
    trainer.save_state()
    return metrics


def evaluate(
    trainer: Trainer,
    dataset: Dataset,
    *,
    more: Callable[[Metrics], Metrics] | None = None,
    name: str = "eval",
    **settings: Any,
) -> Metrics:
    """Evaluate, and write `eval_results.json`.

    Args:
        trainer: the Trainer.
        dataset: the examples.
        more: what else follows from the metrics, such as a perplexity from the loss.
        name: prefix of the metrics and of the file.
        settings: arguments of `trainer.evaluate` (`max_length`, `num_beams`).
    """
    metrics = trainer.evaluate(dataset, metric_key_prefix=name, **settings)
    metrics |= more(metrics) if more else {}
    _write(trainer, name, metrics, dataset)
    return metrics


def predict(
    trainer: Trainer, dataset: Dataset, *, labels_are_known: bool = True, **settings: Any
) -> PredictionOutput:
    """Predict, and write `predict_results.json`: what the metrics are, where the examples have labels.

    Args:
        trainer: the Trainer.
        dataset: the examples.
        labels_are_known: False where labels only stand in the place of others, and say nothing.
        settings: arguments of `trainer.predict` (`max_length`, `num_beams`).
    """
    if not labels_are_known:
        trainer.compute_metrics = None
    output = trainer.predict(dataset, metric_key_prefix="predict", **settings)
    metrics = dict(output.metrics or {})
    if not labels_are_known:
        metrics.pop("predict_loss", None)
    _write(trainer, "predict", metrics, dataset)
    return output


def _write(trainer: Trainer, split: str, metrics: Metrics, dataset: Any) -> None:
    metrics[f"{split}_samples"] = len(dataset)
    trainer.log_metrics(split, metrics)
    trainer.save_metrics(split, metrics)


def write_predictions(trainer: Trainer, lines: Iterable[str], name: str) -> None:
    """Write one line for each prediction into a file of the output folder, on the main process."""
    if trainer.is_world_process_zero():
        write_text(Path(trainer.args.output_dir or ".") / name, "".join(f"{line}\n" for line in lines))


def share(
    trainer: Trainer, model_args: ModelArguments, data_args: DataArguments, task: str, **card: Any
) -> None:
    """Upload the model with a card when `--push_to_hub` is given; else write the card alone.

    It is the last thing that a script does: several processes part here.

    Args:
        trainer: the Trainer.
        model_args: what it started from.
        data_args: what it learned from.
        task: identifier of the hub, such as "summarization".
        card: further arguments of `Trainer.create_model_card`.
    """
    card["tasks"] = task
    if model_args.model_name_or_path and not Path(model_args.model_name_or_path).is_dir():
        card["finetuned_from"] = model_args.model_name_or_path
    if data_args.dataset_name is not None:
        card["dataset_tags"] = data_args.dataset_name
        card["dataset"] = data_args.dataset_name
        if data_args.dataset_config_name is not None:
            card["dataset_args"] = data_args.dataset_config_name
            card["dataset"] += f" {data_args.dataset_config_name}"
    if trainer.args.push_to_hub:
        trainer.push_to_hub(**card)
    else:
        trainer.create_model_card(**card)
    trainer.end()
