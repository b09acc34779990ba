"""`Trainer`'s step: a batch forward and backward, each part of which a subclass may override."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from ..losses import compute_loss, takes
from ..nested import on_device
from ..precision import float32_outputs
from .data import DataMixin

__all__ = ["StepMixin"]

Inputs = dict[str, Any]


class StepMixin(DataMixin):
    """From the batches of a step to the loss of each and its gradients."""

    # Whether compute_loss has divided by the labels of all batches of a step; None: found out from the model.
    loss_is_scaled_for_ga: bool | None = None
    current_gradient_accumulation_steps = 1

    def get_batch_samples(
        self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device
    ) -> tuple[list[Any], torch.Tensor | None]:
        """Return the next batches, and the number of labels in them where a loss is divided by it.

        Args:
            epoch_iterator: gives the batches.
            num_batches: of one step.
            device: where the number is wanted.
        """
        batches = []
        for _ in range(num_batches):
            batch = next(epoch_iterator, None)
            if batch is None:
                break
            batches.append(batch)
        return batches, self.number_of_labels(batches)

    def number_of_labels(self, batches: list[Any]) -> torch.Tensor | None:
        """Return the number of labels in all processes' batches, if losses are divided by it; else None."""
        if not (self.loss_counting.accepts_loss_kwargs or self.compute_loss_func is not None):
            return None
        count = self.loss_counting.count(batches)
        if count is not None:
            count = count.to(self.args.device)
            if self.args.average_tokens_across_devices and self.args.world_size > 1:
                count = self.engine.gather(count).sum()
        return count

    def loss_is_scaled(self, num_items_in_batch: torch.Tensor | int | None) -> bool:
        """Return whether a loss of `compute_loss` is not to be divided by the number of batches in a step."""
        if self.loss_is_scaled_for_ga is not None:
            return self.loss_is_scaled_for_ga
        if not self._compute_loss_takes_count():
            return False
        counted = self.loss_counting.accepts_loss_kwargs and num_items_in_batch is not None
        return counted or self.compute_loss_func is not None

    def training_step(
        self,
        model: nn.Module,
        inputs: Inputs,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Run a batch forward and backward, and return its loss, detached.

        Args:
            model: the model, wrapped.
            inputs: the batch.
            num_items_in_batch: labels in all batches of the step.
        """
        if not model.training:
            model.train()
        if callable(getattr(self.optimizer, "train", None)):  # schedule-free optimizers
            self.optimizer.train()
        inputs = self._prepare_inputs(inputs)
        with self.compute_loss_context_manager(), self._cache_off:
            loss = self._call_compute_loss(model, inputs, count=num_items_in_batch)
        every = self.args.torch_empty_cache_steps
        if every is not None and self.state.global_step % every == 0 and torch.accelerator.is_available():
            torch.accelerator.empty_cache()
        if self.args.n_gpu > 1:
            loss = loss.mean()
        if not self.loss_is_scaled(num_items_in_batch):
            loss = loss / self.current_gradient_accumulation_steps
        self.engine.backward(loss, model)
        return loss.detach()

    def compute_loss(
        self,
        model: nn.Module,
        inputs: Inputs,
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Return the loss of a batch; override it for a loss of your own.

        Args:
            model: the model, wrapped.
            inputs: the batch.
            return_outputs: return (loss, what the model gave).
            num_items_in_batch: labels in all batches of the step. An overriding method need not take it; its
                loss is a mean, then, which is divided by the number of batches in a step.

        Raises:
            ValueError: the model gave no loss.
        """
        loss, outputs = compute_loss(self, model, inputs, num_items_in_batch)
        return (loss, outputs) if return_outputs else loss

    def _call_compute_loss(
        self, model: nn.Module, inputs: Inputs, return_outputs: bool = False, count: Any = None
    ) -> Any:
        """Call `compute_loss`, whose overriding method may not know of `num_items_in_batch`."""
        if self._compute_loss_takes_count():
            return self.compute_loss(model, inputs, return_outputs, num_items_in_batch=count)
        return self.compute_loss(model, inputs, return_outputs)

    def _compute_loss_takes_count(self) -> bool:
        return type(self).compute_loss is StepMixin.compute_loss or takes(
            self.compute_loss, "num_items_in_batch", or_any=True
        )

    def _call_training_step(self, model: nn.Module, inputs: Inputs, count: Any) -> torch.Tensor:
        """Call `training_step`, whose overriding method may not know of `num_items_in_batch`."""
        if type(self).training_step is StepMixin.training_step or takes(
            self.training_step, "num_items_in_batch", or_any=True
        ):
            return self.training_step(model, inputs, count)
        return self.training_step(model, inputs)

    def compute_loss_context_manager(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context in which a loss is computed: mixed precision, where the arguments ask for it.

        What the model gives is float32 then, wherever anything but its own loss is looked at.
        """
        autocast = self.autocast_smart_context_manager()
        own_loss = type(self).compute_loss is StepMixin.compute_loss and self.compute_loss_func is None
        if not isinstance(autocast, torch.autocast) or (own_loss and self.model_wrapped.training):
            return autocast
        return float32_outputs(self.model_wrapped, autocast)

    def autocast_smart_context_manager(
        self, cache_enabled: bool | None = True
    ) -> contextlib.AbstractContextManager[Any]:
        """Return the context of mixed precision.

        Args:
            cache_enabled: let it keep weights that it has converted.
        """
        context = self.engine.autocast()
        if isinstance(context, torch.autocast) and cache_enabled is not None:
            context._cache_enabled = cache_enabled
        return context

    def _prepare_inputs(self, inputs: Inputs) -> Inputs:
        """Return a batch on this process's device.

        Raises:
            ValueError: it is empty.
        """
        if len(inputs) == 0:
            raise ValueError(
                "The batch received was empty, your model won't be able to train on it. Double-check that "
                "your training dataset contains keys expected by the model: "
                f"{','.join(self.signature_columns)}."
            )
        inputs = on_device(inputs, self.args.device)
        if self.args.past_index >= 0 and self._past is not None:
            inputs["mems"] = self._past
        return inputs
