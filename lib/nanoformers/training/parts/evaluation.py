"""`Trainer`'s evaluation and prediction, each part of which a subclass may override."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from .. import measures
from ..batches import has_length
from ..evaluation import EvaluationLoop, prediction_step
from ..outputs import EvalLoopOutput, PredictionOutput
from .record import RecordMixin
from .steps import StepMixin

if TYPE_CHECKING:
    from torch.utils.data import DataLoader, Dataset

__all__ = ["EvaluationMixin"]

Inputs = dict[str, Any]


class EvaluationMixin(StepMixin, RecordMixin):
    """Losses, metrics and predictions."""

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Evaluate, log the metrics and return them: the loss, those of `compute_metrics`, and the speed.

        Args:
            eval_dataset: in place of the Trainer's own; a dictionary of several evaluates each, and its name
                comes into the names of its metrics.
            ignore_keys: outputs of the model that are left out.
            metric_key_prefix: with which the names of metrics begin.

        Raises:
            ValueError: there is no evaluation set, or it is empty.
        """
        own = eval_dataset is None
        dataset = self.eval_dataset if own else eval_dataset
        if isinstance(dataset, dict):
            metrics: dict[str, float] = {}
            for name, part in dataset.items():
                prefix = f"{metric_key_prefix}_{name}"
                metrics.update(self.evaluate(name if own else part, ignore_keys, prefix))
            return metrics
        with self._memory.stage("eval") as memory:
            loader = self.get_eval_dataloader(eval_dataset)
            loop = self.prediction_loop if self.args.use_legacy_prediction_loop else self.evaluation_loop
            output = self._timed(
                loop,
                loader,
                "Evaluation",
                True if self.compute_metrics is None else None,
                ignore_keys,
                metric_key_prefix,
            )
        assert output.metrics is not None
        self._call_log(output.metrics, None)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, output.metrics)
        output.metrics.update(memory)
        return output.metrics

    def predict(
        self,
        test_dataset: Dataset[Any],
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "test",
    ) -> PredictionOutput:
        """Return predictions, labels and metrics; arrays are padded with -100 where lengths differ.

        Args:
            test_dataset: the examples, with or without labels.
            ignore_keys: outputs of the model that are left out.
            metric_key_prefix: with which the names of metrics begin.
        """
        with self._memory.stage("test") as memory:
            loader = self.get_test_dataloader(test_dataset)
            loop = self.prediction_loop if self.args.use_legacy_prediction_loop else self.evaluation_loop
            output = self._timed(loop, loader, "Prediction", None, ignore_keys, metric_key_prefix)
        assert output.metrics is not None
        self.control = self.callback_handler.on_predict(self.args, self.state, self.control, output.metrics)
        output.metrics.update(memory)
        return PredictionOutput(output.predictions, output.label_ids, output.metrics)

    def _timed(
        self,
        loop: Callable[..., EvalLoopOutput],
        loader: Any,
        description: str,
        loss_only: bool | None,
        ignore_keys: list[str] | None,
        prefix: str,
    ) -> EvalLoopOutput:
        """Run an evaluation loop and add its speed to the metrics."""
        started = time.time()
        output = loop(
            loader,
            description=description,
            prediction_loss_only=loss_only,
            ignore_keys=ignore_keys,
            metric_key_prefix=prefix,
        )
        assert output.metrics is not None
        samples = output.num_samples or 0
        steps = -(-samples // (self.args.eval_batch_size * self.args.world_size))
        output.metrics.update(measures.speed_metrics(prefix, started, samples, steps))
        return output

    def evaluation_loop(
        self,
        dataloader: DataLoader[Any],
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Run the model over a loader, join what it gives, and compute the metrics.

        Args:
            dataloader: of the batches, with or without labels.
            description: "Evaluation" or "Prediction", for the log.
            prediction_loss_only: collect no predictions; by default as the arguments say.
            ignore_keys: outputs of the model that are left out.
            metric_key_prefix: with which the names of metrics begin.
        """
        only = self.args.prediction_loss_only if prediction_loss_only is None else prediction_loss_only
        return EvaluationLoop(self, dataloader, description, only, ignore_keys, metric_key_prefix).run()

    def prediction_loop(
        self,
        dataloader: DataLoader[Any],
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Run the model over a loader; the older name of `evaluation_loop`.

        Raises:
            ValueError: the loader has no length, which this method has always needed.
        """
        if not has_length(dataloader):
            raise ValueError("dataloader must implement a working __len__")
        return EvaluationMixin.evaluation_loop(
            self, dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix
        )

    def prediction_step(
        self,
        model: nn.Module,
        inputs: Inputs,
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
    ) -> tuple[torch.Tensor | None, Any, Any]:
        """Run a batch without gradients, and return loss, logits and labels, each of which may be None.

        Args:
            model: the model, wrapped.
            inputs: the batch.
            prediction_loss_only: return the loss alone.
            ignore_keys: outputs of the model that are left out.
        """
        return prediction_step(self, model, inputs, prediction_loss_only, ignore_keys)

    def evaluation_model(self) -> nn.Module:
        """Return the model as it is evaluated outside of training."""
        if (self.args.fsdp or self.args.deepspeed) and self.model_wrapped is self.model:
            self.model_wrapped = self.engine.prepare(self.model)
        return self.model_wrapped
