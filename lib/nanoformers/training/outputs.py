"""What `Trainer.train`, `evaluate` and `predict` hand out, and what a metric function gets.

Mirrors the documentation pages `main_classes/trainer` and `internal/trainer_utils`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

__all__ = ["EvalLoopOutput", "EvalPrediction", "PredictionOutput", "TrainOutput"]

Arrays = np.ndarray | tuple[Any, ...]


class EvalPrediction:
    """What `compute_metrics` is called with; it unpacks as `(predictions, label_ids)`.

    Args:
        predictions: what the model gave beside the loss, an array (examples, ...) or a tuple of arrays.
        label_ids: the labels, likewise.
        inputs: the model's main input, where `include_inputs_for_metrics` (or "inputs" in
            `include_for_metrics`) asks for it; a third value then.
        losses: one loss for each example, where "loss" in `include_for_metrics` asks for it; the last value
            then.

    Raises:
        IndexError: an index beyond these values.
    """

    def __init__(
        self,
        predictions: Arrays,
        label_ids: Arrays,
        inputs: Arrays | None = None,
        losses: Arrays | None = None,
    ) -> None:
        self.predictions = predictions
        self.label_ids = label_ids
        self.inputs = inputs
        self.losses = losses
        self._values = (
            predictions,
            label_ids,
            *(value for value in (inputs, losses) if value is not None),
        )

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self._values):
            raise IndexError("tuple index out of range")
        return self._values[index]


class EvalLoopOutput(NamedTuple):
    """Result of `Trainer.evaluation_loop`.

    Attributes:
        predictions: array (examples, ...) or tuple of arrays; None where only the loss was asked for.
        label_ids: the labels, likewise; None without labels.
        metrics: {name: value}, names beginning with the prefix.
        num_samples: number of examples.
    """

    predictions: Arrays | None
    label_ids: Arrays | None
    metrics: dict[str, float] | None
    num_samples: int | None


class PredictionOutput(NamedTuple):
    """Result of `Trainer.predict`: predictions, labels and metrics, see `EvalLoopOutput`."""

    predictions: Arrays | None
    label_ids: Arrays | None
    metrics: dict[str, float] | None


class TrainOutput(NamedTuple):
    """Result of `Trainer.train`.

    Attributes:
        global_step: number of optimizer steps since the beginning, steps before a resumption included.
        training_loss: mean loss over the steps of this run.
        metrics: `train_runtime` in seconds, `train_samples_per_second`, `train_steps_per_second`,
            `total_flos`, `train_loss`, `epoch`.
    """

    global_step: int
    training_loss: float
    metrics: dict[str, float]
