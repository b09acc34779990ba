"""How a batch becomes a loss, and how the losses of several batches make one step.

As in release 5 of the reference library, whose Trainer gives the same losses: a language model's is the sum
over all batches of a step, divided by the number of their labels; any other head's is the sum of the batches'
means. Earlier releases took the mean of these means: `model.accepts_loss_kwargs = False` brings it back.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..modeling import PreTrainedModel
from ..utils import logging
from .columns import base_model, find_labels

if TYPE_CHECKING:
    from .parts.steps import StepMixin

__all__ = ["LossCounting", "compute_loss", "takes"]

logger = logging.get_logger(__name__)

NO_LABEL = -100


def takes(function: Callable[..., Any], name: str, or_any: bool = False) -> bool:
    """Return whether a function has a parameter of that name (or takes any keyword)."""
    parameters = inspect.signature(function).parameters
    return name in parameters or (
        or_any and any(item.kind is item.VAR_KEYWORD for item in parameters.values())
    )


class LossCounting:
    """What there is to know of a model, to divide its losses as the reference library does.

    Args:
        model: the model that is trained.

    Attributes:
        label_names: its arguments that are labels.
        can_return_loss: it gives a loss without labels, as models that compare two inputs do.
        accepts_loss_kwargs: its losses are not divided by the number of batches in a step. Set
            `model.accepts_loss_kwargs = False` for plain means, divided by the number of batches.
        takes_count: its forward takes `num_items_in_batch`, and divides by it.
        is_divided_here: it gives a mean, which `compute_loss` makes a sum divided by the count.
        shifts_labels: the first label of a sequence is no target, and is not counted. (So it is for
            `...ForCausalLM`; for `GPT2LMHeadModel` the reference library counts all.)
    """

    def __init__(self, model: nn.Module) -> None:
        model = base_model(model)
        self.label_names = find_labels(model)
        forward = inspect.signature(model.forward).parameters
        self.can_return_loss = bool("return_loss" in forward and forward["return_loss"].default)
        takes_count = takes(model.forward, "num_items_in_batch", or_any=True)
        ours = isinstance(model, PreTrainedModel)
        self.accepts_loss_kwargs = bool(getattr(model, "accepts_loss_kwargs", takes_count or ours))
        self.takes_count = takes_count and self.accepts_loss_kwargs
        self.is_divided_here = ours and is_causal(model) and self.accepts_loss_kwargs and not takes_count
        self.shifts_labels = type(model).__name__.endswith("ForCausalLM")

    def count(self, batches: list[Any]) -> torch.Tensor | None:
        """Return the number of labels in batches, 0-dim; None where they have none."""
        if not batches or not isinstance(batches[0], Mapping) or "labels" not in batches[0]:
            return None
        total: Any = 0
        for batch in batches:
            labels = batch.get("shift_labels", batch["labels"])
            if not isinstance(labels, torch.Tensor):
                return None
            if self.shifts_labels and "shift_labels" not in batch:
                labels = labels[..., 1:]
            total = total + (labels != NO_LABEL).sum()
        return total


def is_causal(model: nn.Module) -> bool:
    """Return whether a model predicts the next token from those before it."""
    model = base_model(model)
    return type(model).__name__.endswith(("LMHeadModel", "ForCausalLM")) and hasattr(model, "config")


def compute_loss(
    trainer: StepMixin, model: nn.Module, inputs: dict[str, Any], count: torch.Tensor | int | None
) -> tuple[torch.Tensor, Any]:
    """Return the loss of a batch, and what the model gave; see `Trainer.compute_loss`.

    Raises:
        ValueError: the model gave no loss, or one that is not a number.
    """
    counting = trainer.loss_counting
    labels = None
    if trainer.label_smoother is not None or trainer.compute_loss_func is not None:
        labels = inputs.get("labels")
        inputs = {name: value for name, value in inputs.items() if name != "labels"}
    if counting.takes_count and count is not None:
        inputs = {**inputs, "num_items_in_batch": count}
    outputs = model(**inputs)
    if trainer.args.past_index >= 0:
        trainer._past = outputs[trainer.args.past_index]
    if trainer.compute_loss_func is not None:
        loss = trainer.compute_loss_func(outputs, labels, num_items_in_batch=count)
    elif labels is not None and trainer.label_smoother is not None:
        shift = is_causal(trainer.engine.unwrap(model))
        loss = trainer.label_smoother(outputs, labels, shift_labels=shift, num_items_in_batch=count)
    else:
        loss = _own_loss(trainer, outputs, inputs)
        if counting.is_divided_here and count is not None:
            loss = loss * ((inputs["labels"][..., 1:] != NO_LABEL).sum() / count)
    averaged = trainer.args.average_tokens_across_devices and count is not None
    own_function = trainer.compute_loss_func is not None or trainer.label_smoother is not None
    divided = own_function or counting.takes_count or counting.is_divided_here
    if averaged and divided and trainer.args.world_size > 1 and trainer.loss_is_scaled(count):
        loss = loss * trainer.args.world_size  # processes' gradients are averaged, and the count is of all
    return loss, outputs


def _own_loss(trainer: StepMixin, outputs: Any, inputs: dict[str, Any]) -> torch.Tensor:
    """Return the loss that the model gave."""
    if isinstance(outputs, dict):
        loss, given = outputs.get("loss"), ",".join(outputs)
    elif isinstance(outputs, (tuple, list)):
        loss, given = outputs[0], f"a tuple of {len(outputs)}, None first"
    else:
        loss, given = None, f"none: it gave a {type(outputs).__name__}, no dictionary and no tuple"
    if loss is None:
        raise ValueError(
            f"The model did not return a loss from the inputs, only the following keys: {given}. For "
            f"reference, the inputs it received are {','.join(inputs)}. A model gives a "
            "loss when it gets its labels: is there a column `labels` (or `label`) in the data set?"
        )
    if loss.numel() > max(1, trainer.args.n_gpu):  # nn.DataParallel gives one for each GPU
        raise ValueError(
            f"The loss that {type(trainer.model).__name__} gave has the shape {tuple(loss.shape)}; it has to "
            "be one number, as the mean over a batch is."
        )
    return loss
