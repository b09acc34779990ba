"""Evaluation and prediction: all batches through the model, outputs joined, metrics computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ..utils import logging
from .batches import has_length, num_examples
from .measures import plain_numbers
from .nested import find_batch_size, nested_concat, nested_detach, nested_map, nested_numpify
from .outputs import EvalLoopOutput, EvalPrediction

if TYPE_CHECKING:
    from .parts.evaluation import EvaluationMixin

__all__ = ["Collected", "EvaluationLoop", "prediction_step"]

logger = logging.get_logger(__name__)


class Collected:
    """Outputs of many batches, joined at the end.

    Args:
        join: one structure of arrays; False: a list with one for each batch.
    """

    def __init__(self, join: bool = True) -> None:
        self.join = join
        self._tensors: list[Any] = []
        self._arrays: list[Any] = []

    def add(self, value: Any) -> None:
        """Take the outputs of a batch; None is nothing."""
        if value is not None:
            self._tensors.append(value)

    def to_arrays(self) -> None:
        """Move what is on the device to the CPU."""
        if self._tensors and self.join:
            self._arrays.append(nested_numpify(nested_concat(self._tensors)))
        else:
            self._arrays += [nested_numpify(value) for value in self._tensors]
        self._tensors = []

    def result(self, rows: int | None = None) -> Any:
        """Return everything as arrays, at most `rows` rows; None when there was nothing."""
        self.to_arrays()
        if not self._arrays or not self.join:
            return self._arrays or None
        joined = self._arrays[0] if len(self._arrays) == 1 else nested_concat(self._arrays)
        return joined if rows is None else nested_map(lambda array: array[:rows], joined)


class EvaluationLoop:
    """One run of a model over a loader; `run` does it.

    Args:
        trainer: its model, `prediction_step` and metric functions are used.
        loader: of the batches.
        description: "Evaluation" or "Prediction"; for the log, too.
        prediction_loss_only: collect no predictions.
        ignore_keys: outputs of the model that are left out.
        prefix: of the names of metrics.
    """

    def __init__(
        self,
        trainer: EvaluationMixin,
        loader: Any,
        description: str,
        prediction_loss_only: bool,
        ignore_keys: list[str] | None,
        prefix: str,
    ) -> None:
        self.trainer = trainer
        self.args = trainer.args
        self.loader = loader
        self.description = description
        self.prediction_loss_only = prediction_loss_only
        self.ignore_keys = ignore_keys
        self.prefix = prefix
        self.total = _size(loader, trainer)
        self.losses = Collected()
        join = trainer.args.eval_do_concat_batches
        self.predictions, self.labels, self.inputs = Collected(join), Collected(join), Collected(join)
        self.metrics: dict[str, Any] = {}
        self.seen = 0  # examples so far, of all processes

    def run(self) -> EvalLoopOutput:
        """Go through all batches.

        Raises:
            ValueError: there is none.
        """
        trainer, args = self.trainer, self.args
        model = _prepared(trainer)
        logger.info(f"***** Running {self.description} *****")
        logger.info(f"  Batch size = {args.eval_batch_size}")
        trainer.callback_handler.eval_dataloader = self.loader
        for step, (batch, is_last) in enumerate(_with_last(self.loader), start=1):
            self.seen += self._batch(model, batch, is_last)
            trainer.control = trainer.callback_handler.on_prediction_step(
                args, trainer.state, trainer.control
            )
            if args.eval_accumulation_steps is not None and step % args.eval_accumulation_steps == 0:
                for collected in (self.losses, self.predictions, self.labels, self.inputs):
                    collected.to_arrays()
        if not self.seen:
            raise ValueError(
                f"{self.description}: there is not a single example to go through. Check the data set"
                + (", or set dataloader_drop_last=False." if args.dataloader_drop_last else ".")
            )
        return self._result(self.seen if self.total is None else min(self.total, self.seen))

    def _batch(self, model: nn.Module, batch: Any, is_last: bool) -> int:
        """Run one batch, keep what it gives, and return its number of examples."""
        trainer, args = self.trainer, self.args
        size = find_batch_size(batch) or args.eval_batch_size
        own = size if self.total is None else trainer.engine.rows_not_repeated(self.total, self.seen, size)
        if 0 < own < size:  # the last batch was filled up with examples from the start
            batch = _first_rows(batch, own)
        loss, logits, labels = trainer.prediction_step(
            model, batch, self.prediction_loss_only, ignore_keys=self.ignore_keys
        )
        if loss is not None:
            loss = loss.detach().mean().expand(own)
        if logits is not None and trainer.preprocess_logits_for_metrics is not None:
            logits = trainer.preprocess_logits_for_metrics(logits, labels)
        inputs = None
        if "inputs" in args.include_for_metrics:
            inputs = batch[getattr(trainer.model, "main_input_name", "input_ids")]
        size, (loss, logits, labels, inputs) = self._gathered(own, is_last, (loss, logits, labels, inputs))
        self.losses.add(loss)
        if args.batch_eval_metrics and trainer.compute_metrics is not None:
            if logits is not None and labels is not None:
                prediction = self._prediction(logits, labels, inputs, loss)
                self.metrics = trainer.compute_metrics(prediction, compute_result=is_last)
            if self.description != "Prediction":
                return size
        self.predictions.add(logits)
        self.labels.add(labels)
        self.inputs.add(inputs)
        return size

    def _gathered(self, own: int, is_last: bool, values: tuple[Any, ...]) -> tuple[int, tuple[Any, ...]]:
        """Return what all processes got for their batches, and the number of examples in these.

        Args:
            own: examples of this process's batch that it is the first to see.
            is_last: whether there is no further batch.
            values: what it got.
        """
        engine = self.trainer.engine
        if engine.num_processes == 1:
            return own, values
        own_values = values if own else _first_rows(values, 0)
        if self.args.eval_use_gather_object:
            values = tuple(None if value is None else gather_objects(value) for value in own_values)
        else:
            values = engine.pad_and_gather(own_values)
        size = find_batch_size(values) or own * engine.num_processes
        if is_last and self.total is None:
            size -= engine.repeats(self.loader, size)
            values = _first_rows(values, size)
        return size, values

    def _prediction(self, predictions: Any, labels: Any, inputs: Any, losses: Any) -> EvalPrediction:
        """Return what `compute_metrics` is called with."""
        wanted = "loss" in self.args.include_for_metrics
        return EvalPrediction(predictions, labels, inputs, losses if wanted else None)

    def _result(self, rows: int) -> EvalLoopOutput:
        """Join everything, and compute the metrics."""
        predictions, labels = self.predictions.result(rows), self.labels.result(rows)
        losses, inputs = self.losses.result(rows), self.inputs.result(rows)
        compute = self.trainer.compute_metrics
        wanted = compute is not None and not self.args.batch_eval_metrics
        if compute is not None and wanted and predictions is not None and labels is not None:
            self.metrics = compute(self._prediction(predictions, labels, inputs, losses))
        if not isinstance(self.metrics, dict):
            raise TypeError(
                f"compute_metrics has to return a dictionary {{name: value}}, not {self.metrics!r}."
            )
        metrics = plain_numbers(self.metrics)
        if losses is not None:
            metrics["loss"] = _mean_loss(losses, self.args.logging_nan_inf_filter)
        start = f"{self.prefix}_"
        named = {name if name.startswith(start) else start + name: metrics[name] for name in metrics}
        return EvalLoopOutput(predictions, labels, named, rows)


def _first_rows(value: Any, rows: int) -> Any:
    """Return the first rows of all tensors."""
    return nested_map(
        lambda leaf: leaf[:rows] if isinstance(leaf, torch.Tensor) and leaf.dim() else leaf, value
    )


def gather_objects(value: Any) -> Any:
    """Return what all processes have, joined; unlike tensors, it may have any form that pickle writes."""
    gathered: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(gathered, value)
    return nested_concat(gathered)


def _with_last(batches: Iterable[Any]) -> Iterator[tuple[Any, bool]]:
    """Say of each batch whether it is the last."""
    iterator = iter(batches)
    for batch in iterator:
        for following in iterator:
            yield batch, False
            batch = following
        yield batch, True


def _prepared(trainer: EvaluationMixin) -> nn.Module:
    """Return the model in evaluation mode, in the precision that evaluation has."""
    args = trainer.args
    model = trainer.model_wrapped if trainer.is_in_train else trainer.evaluation_model()
    if not trainer.is_in_train and (args.fp16_full_eval or args.bf16_full_eval):
        model = model.to(device=args.device, dtype=torch.float16 if args.fp16_full_eval else torch.bfloat16)
    model.eval()
    if callable(getattr(trainer.optimizer, "eval", None)):  # schedule-free optimizers
        trainer.optimizer.eval()
    return model


def _size(loader: Any, trainer: EvaluationMixin) -> int | None:
    """Return the number of examples of a loader, where that is known and none is dropped."""
    dataset = getattr(loader, "dataset", None)
    if trainer.args.dataloader_drop_last or dataset is None or not has_length(dataset):
        return None
    return num_examples(loader, trainer.args.eval_batch_size)


def _mean_loss(losses: np.ndarray, finite_only: bool) -> float:
    finite = losses[np.isfinite(losses)] if finite_only else losses
    return float((finite if finite.size else losses).mean())


def prediction_step(
    trainer: EvaluationMixin,
    model: nn.Module,
    inputs: dict[str, Any],
    prediction_loss_only: bool,
    ignore_keys: list[str] | None,
) -> tuple[torch.Tensor | None, Any, Any]:
    """Run the model on a batch; see `Trainer.prediction_step`."""
    names = trainer.label_names
    labelled = bool(names) and all(inputs.get(name) is not None for name in names)
    returns_loss = inputs.get("return_loss")
    without_labels = not names and (trainer.can_return_loss if returns_loss is None else returns_loss)
    inputs = trainer._prepare_inputs(inputs)
    if ignore_keys is None:
        config = getattr(trainer.model, "config", None)
        ignore_keys = getattr(config, "keys_to_ignore_at_inference", ["past_key_values"]) if config else []
    labels = None
    if labelled or without_labels:
        labels = nested_detach(tuple(inputs.get(name) for name in names))  # compute_loss may take them out
        labels = labels[0] if len(labels) == 1 else labels or None
    loss = None
    with torch.no_grad(), trainer.compute_loss_context_manager():
        if labelled or without_labels:
            count = trainer.number_of_labels([inputs])
            loss, outputs = trainer._call_compute_loss(model, inputs, return_outputs=True, count=count)
            loss = loss.detach().mean()
        else:
            outputs = model(**inputs)
    if prediction_loss_only:
        return loss, None, None
    if isinstance(outputs, dict):
        left_out = [*ignore_keys, "loss"] if loss is not None else ignore_keys
        given = {name: value for name, value in outputs.items() if value is not None}
        logits = tuple(value for name, value in given.items() if name not in left_out)
    else:
        logits = tuple(outputs[1:]) if loss is not None else outputs
    logits = nested_detach(logits)
    if isinstance(logits, tuple) and len(logits) == 1:
        logits = logits[0]
    return loss, logits, labels
