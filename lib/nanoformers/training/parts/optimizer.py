"""`Trainer`'s optimizer and its schedule: making them, and asking what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ...optimization.schedules import get_scheduler
from ..optimizers import decaying_names, optimizer_class, parameter_groups, watch_embeddings
from ..preparing import optimize_with_ipex
from .attributes import TrainerAttributes

if TYPE_CHECKING:
    from ..arguments import TrainingArguments

__all__ = ["OptimizerMixin"]


class OptimizerMixin(TrainerAttributes):
    """The optimizer and the schedule of its learning rate."""

    def create_optimizer_and_scheduler(self, num_training_steps: int) -> None:
        """Make what `optimizers` did not give; override it, or one of the two it calls."""
        self.create_optimizer()
        self.create_scheduler(num_training_steps=num_training_steps, optimizer=self.optimizer)

    def create_optimizer(self) -> torch.optim.Optimizer:
        """Make the optimizer that the arguments name, with and without weight decay for two groups.

        Raises:
            ValueError: all weights are frozen.
        """
        if self.optimizer is None:
            model = self.model_wrapped if self.args.fsdp else self.model
            if not any(value.requires_grad for value in model.parameters()):
                raise ValueError(
                    "There is nothing to train: all weights of the model are frozen. An adapter is trained "
                    "that was loaded with is_trainable=True or chosen with set_adapter, and is neither "
                    "disabled nor merged."
                )
            names = self.get_decay_parameter_names(model)
            groups = parameter_groups(model, names, self.args.weight_decay)
            cls, kwargs = self.optimizer_cls_and_kwargs or self.get_optimizer_cls_and_kwargs(self.args)
            self.optimizer = cls(groups, **kwargs)
            watch_embeddings(model, self.optimizer)
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Make the schedule of the learning rate that the arguments name."""
        if self.lr_scheduler is None:
            self.lr_scheduler = get_scheduler(
                self.args.lr_scheduler_type,
                optimizer=self.optimizer if optimizer is None else optimizer,
                num_warmup_steps=self.args.get_warmup_steps(num_training_steps),
                num_training_steps=num_training_steps,
                scheduler_specific_kwargs=dict(self.args.lr_scheduler_kwargs or {}),  # type: ignore[arg-type]
            )
            self._created_scheduler = True
        return self.lr_scheduler

    def forget_scheduler(self) -> None:
        """Forget a schedule of an earlier run; a new one may have another length."""
        if self._created_scheduler:
            self.lr_scheduler, self._created_scheduler = None, False

    def get_decay_parameter_names(self, model: nn.Module) -> list[str]:
        """Return the names of the parameters that decay: not biases, nor those of normalisation layers."""
        return decaying_names(model)

    @staticmethod
    def get_optimizer_cls_and_kwargs(args: TrainingArguments) -> tuple[Any, dict[str, Any]]:
        """Return class and arguments of the optimizer that the arguments name; see `optimizers.py`."""
        return optimizer_class(args)

    def get_learning_rates(self) -> list[float]:
        """Return the learning rate of each group of the optimizer.

        Raises:
            ValueError: there is no optimizer yet.
        """
        return [group["lr"] for group in self._groups()]

    def get_num_trainable_parameters(self) -> int:
        """Return the number of parameters that training changes."""
        return sum(value.numel() for value in self.model.parameters() if value.requires_grad)

    def get_optimizer_group(self, param: nn.Parameter | None = None) -> Any:
        """Return the optimizer's group that has a parameter; all groups, without one.

        Raises:
            ValueError: there is no optimizer yet.
        """
        groups = self._groups()
        if param is None:
            return [group["params"] for group in groups]
        return next((group for group in groups if any(value is param for value in group["params"])), None)

    def _groups(self) -> list[dict[str, Any]]:
        if self.optimizer is None:
            raise ValueError(
                "Trainer optimizer is None, please make sure you have setup the optimizer before."
            )
        return self.optimizer.param_groups

    def _get_learning_rate(self) -> float:
        return float(self._groups()[0]["lr"])

    def ipex_optimize_model(self, model: nn.Module, training: bool = False, dtype: Any = None) -> nn.Module:
        """Return the model as Intel's extension for PyTorch runs it.

        Args:
            model: the model.
            training: for training; with the optimizer, then.
            dtype: type of the weights; by default float32, or bfloat16 with `bf16`.

        Raises:
            ImportError: the extension is not installed.
        """
        return optimize_with_ipex(self, model, training, dtype)
