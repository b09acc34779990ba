"""Adafactor: an optimizer that keeps a row and a column of means where Adam keeps two matrices.

Mirrors `Adafactor` of the documentation page `main_classes/optimizer_schedules`; the paper is "Adafactor:
Adaptive Learning Rates with Sublinear Memory Cost" (https://arxiv.org/abs/1804.04235).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

__all__ = ["Adafactor", "AdafactorSchedule", "get_adafactor_schedule"]

_LOW_PRECISION = (torch.float16, torch.bfloat16)


class Adafactor(Optimizer):
    """Adafactor, with its own learning rate (`relative_step`) or a given one.

    The mean square of a matrix's gradient is kept as the means of its rows and columns, so that a matrix of
    n x m needs n + m numbers; vectors keep all of theirs. Moments and arithmetic are float32 for parameters
    in half precision.

    Args:
        params: parameters, or dictionaries that define parameter groups.
        lr: learning rate; None when `relative_step` makes it.
        eps: what is added to squared gradients, and the least scale of a parameter.
        clip_threshold: the largest root mean square of an update, before the learning rate.
        decay_rate: step `t` keeps 1 - t ** decay_rate of the mean of squares.
        beta1: by what a running mean of updates is multiplied; None keeps none.
        weight_decay: the share of a weight, times the learning rate, that each step takes away.
        scale_parameter: whether the learning rate is multiplied by the parameter's root mean square.
        relative_step: whether the learning rate is min(1e-2, 1 / sqrt(t)).
        warmup_init: whether that is min(1e-6 t, 1 / sqrt(t)).

    Raises:
        ValueError: `lr` together with `relative_step`, or `warmup_init` without it.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | None = None,
        eps: tuple[float, float] = (1e-30, 1e-3),
        clip_threshold: float = 1.0,
        decay_rate: float = -0.8,
        beta1: float | None = None,
        weight_decay: float = 0.0,
        scale_parameter: bool = True,
        relative_step: bool = True,
        warmup_init: bool = False,
    ) -> None:
        if lr is not None and relative_step:
            raise ValueError("Cannot combine manual `lr` and `relative_step=True` options")
        if warmup_init and not relative_step:
            raise ValueError("`warmup_init=True` requires `relative_step=True`")
        defaults = {
            "lr": lr,
            "eps": eps,
            "clip_threshold": clip_threshold,
            "decay_rate": decay_rate,
            "beta1": beta1,
            "weight_decay": weight_decay,
            "scale_parameter": scale_parameter,
            "relative_step": relative_step,
            "warmup_init": warmup_init,
        }
        super().__init__(params, defaults)

    @staticmethod
    def _get_lr(param_group: dict[str, Any], param_state: dict[str, Any]) -> float:
        """Return the learning rate of a parameter's last step."""
        lr = param_group["lr"]
        if param_group["relative_step"]:
            bound = 1e-6 * param_state["step"] if param_group["warmup_init"] else 1e-2
            lr = min(bound, 1.0 / math.sqrt(param_state["step"]))
        if param_group["scale_parameter"]:
            lr = lr * max(param_group["eps"][1], float(param_state["RMS"]))
        return lr

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Change every parameter that has a gradient.

        Args:
            closure: computes the loss and its gradients anew; its loss is returned.

        Raises:
            RuntimeError: a gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_one(group, parameter, parameter.grad)
        return loss

    def _step_one(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor) -> None:
        if gradient.is_sparse:
            raise RuntimeError("Adafactor does not support sparse gradients.")
        if gradient.dtype in _LOW_PRECISION:
            gradient = gradient.float()
        low = parameter.dtype in _LOW_PRECISION
        weight = parameter.float() if low else parameter
        state = self.state[parameter]
        if not state:
            self._begin(state, group, gradient)

        state["step"] += 1
        state["RMS"] = _rms(weight)
        lr = self._get_lr(group, state)
        kept = 1.0 - state["step"] ** group["decay_rate"]
        update = self._normalised(state, gradient, kept, group["eps"][0])
        size = lr / max(1.0, float(_rms(update)) / group["clip_threshold"])

        if group["beta1"] is not None:
            mean = state["exp_avg"]
            mean.mul_(group["beta1"]).add_(update, alpha=(1 - group["beta1"]) * size)
            update, size = mean, 1.0
        if group["weight_decay"] != 0:
            weight.add_(weight, alpha=-group["weight_decay"] * lr)
        weight.add_(update, alpha=-size)
        if low:
            parameter.copy_(weight)

    @staticmethod
    def _begin(state: dict[str, Any], group: dict[str, Any], gradient: Tensor) -> None:
        state["step"] = 0
        if group["beta1"] is not None:
            state["exp_avg"] = torch.zeros_like(gradient)
        if gradient.dim() >= 2:  # (..., n, m): n means of rows, m means of columns
            state["exp_avg_sq_row"] = gradient.new_zeros(gradient.shape[:-1])
            state["exp_avg_sq_col"] = gradient.new_zeros(gradient.shape[:-2] + gradient.shape[-1:])
        else:
            state["exp_avg_sq"] = torch.zeros_like(gradient)
        state["RMS"] = 0

    @staticmethod
    def _normalised(state: dict[str, Any], gradient: Tensor, kept: float, eps: float) -> Tensor:
        """Return the gradient over the root of its mean square, after renewing that mean."""
        square = (gradient * gradient).add_(eps)
        if gradient.dim() < 2:
            mean = state["exp_avg_sq"].mul_(kept).add_(square, alpha=1.0 - kept)
            return mean.rsqrt().mul_(gradient)
        rows = state["exp_avg_sq_row"].mul_(kept).add_(square.mean(dim=-1), alpha=1.0 - kept)
        columns = state["exp_avg_sq_col"].mul_(kept).add_(square.mean(dim=-2), alpha=1.0 - kept)
        row_factor = (rows / rows.mean(dim=-1, keepdim=True)).rsqrt_().unsqueeze(-1)  # (..., n, 1)
        column_factor = columns.unsqueeze(-2).rsqrt()  # (..., 1, m)
        return torch.mul(gradient, row_factor, out=square).mul_(column_factor)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken.

        torch casts what it loads to the parameter's dtype; here the moments of parameters in half precision
        stay float32, so that training goes on as if it had not been interrupted.
        """
        super().load_state_dict(state_dict)
        saved = [index for group in state_dict["param_groups"] for index in group["params"]]
        parameters = [parameter for group in self.param_groups for parameter in group["params"]]
        for index, parameter in zip(saved, parameters, strict=True):
            if parameter.dtype in _LOW_PRECISION:
                for name, value in state_dict["state"].get(index, {}).items():
                    if isinstance(value, Tensor):
                        self.state[parameter][name] = value.to(parameter.device, torch.float32, copy=True)


def _rms(tensor: Tensor) -> Tensor:
    return tensor.norm(2) / tensor.numel() ** 0.5


class AdafactorSchedule(LambdaLR):
    """Shows the learning rates that `Adafactor` makes to whoever asks a schedule for them.

    Its `step` changes nothing. One learning rate for each parameter group: that of its first parameter which
    has made a step; `initial_lr` before the first step.

    Args:
        optimizer: the Adafactor.
        initial_lr: what to show before the first step.
    """

    def __init__(self, optimizer: Adafactor, initial_lr: float = 0.0) -> None:
        for group in optimizer.param_groups:
            group["initial_lr"] = initial_lr
        super().__init__(optimizer, lambda _: initial_lr)
        for group in optimizer.param_groups:
            del group["initial_lr"]

    def get_lr(self) -> list[float | Tensor]:
        """Return the learning rates of the last step."""
        rates: list[float | Tensor] = []
        for group in self.optimizer.param_groups:
            states = (self.optimizer.state.get(parameter) for parameter in group["params"])
            state = next((state for state in states if state), None)
            if state is not None:
                rates.append(Adafactor._get_lr(group, state))
        return rates or list(self.base_lrs)


def get_adafactor_schedule(optimizer: Adafactor, initial_lr: float = 0.0) -> AdafactorSchedule:
    """Return the schedule that shows the learning rates of `optimizer`; see `AdafactorSchedule`."""
    return AdafactorSchedule(optimizer, initial_lr)
