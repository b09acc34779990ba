"""Adam with decoupled weight decay, as the Transformers documentation has it.

Mirrors `AdamW` of the documentation page `main_classes/optimizer_schedules`; the paper is "Decoupled Weight
Decay Regularization" (https://arxiv.org/abs/1711.05101). It differs from `torch.optim.AdamW` in three ways:
`eps` is 1e-6 and stands beside the square root before its bias is corrected, the correction can be left out,
and the decay comes after the step.
"""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["AdamW"]


class AdamW(Optimizer):
    """Adam whose weight decay is subtracted from the weights and not added to the gradient.

    Args:
        params: parameters, or dictionaries that define parameter groups.
        lr: learning rate.
        betas: by what the running means of the gradient and of its square are multiplied at each step.
        eps: added to the square root of the second mean.
        weight_decay: the share of a weight, times `lr`, that each step takes away.
        correct_bias: whether the first steps are corrected for means that began at 0 (BERT's own
            TensorFlow code did not).
        no_deprecation_warning: no FutureWarning, which recommends `torch.optim.AdamW`.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        correct_bias: bool = True,
        no_deprecation_warning: bool = False,
    ) -> None:
        if not no_deprecation_warning:
            warnings.warn(
                "This implementation of AdamW is deprecated: use torch.optim.AdamW instead, or set "
                "`no_deprecation_warning=True` to disable this warning",
                FutureWarning,
                stacklevel=2,
            )
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr} - should be >= 0.0")
        for beta in betas:
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter: {beta} - should be in [0.0, 1.0)")
        if eps < 0.0:
            raise ValueError(f"Invalid epsilon value: {eps} - should be >= 0.0")
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "correct_bias": correct_bias,
        }
        super().__init__(params, defaults)

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
            # Parameters of one kind that have made the same number of steps are changed together, but on the
            # CPU each alone: its cache holds one between the operations, and not all.
            alike: dict[tuple[Any, ...], list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                if parameter.grad.is_sparse:
                    raise RuntimeError(
                        "Adam does not support sparse gradients, please consider SparseAdam instead"
                    )
                state = self.state[parameter]
                if not state:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(parameter)
                    state["exp_avg_sq"] = torch.zeros_like(parameter)
                state["step"] += 1
                alone = id(parameter) if parameter.device.type == "cpu" else 0
                alike[state["step"], parameter.dtype, parameter.device, alone].append(parameter)
            for (step, *_), parameters in alike.items():
                self._step_together(group, parameters, step)
        return loss

    def _step_together(self, group: dict[str, Any], parameters: list[Tensor], step: int) -> None:
        """Make step number `step` for parameters of one dtype on one device."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]  # all have one
        means = [self.state[parameter]["exp_avg"] for parameter in parameters]
        squares = [self.state[parameter]["exp_avg_sq"] for parameter in parameters]
        beta1, beta2 = group["betas"]
        torch._foreach_mul_(means, beta1)
        torch._foreach_add_(means, gradients, alpha=1.0 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, gradients, gradients, 1.0 - beta2)
        size = group["lr"]
        if group["correct_bias"]:
            size = size * math.sqrt(1.0 - beta2**step) / (1.0 - beta1**step)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_add_(roots, group["eps"])
        torch._foreach_addcdiv_(parameters, means, roots, -size)
        if group["weight_decay"] > 0.0:
            torch._foreach_add_(parameters, parameters, alpha=-group["lr"] * group["weight_decay"])
