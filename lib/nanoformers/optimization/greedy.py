"""A learning rate that goes up while the loss gets better and down while it does not.

Follows GreedyLR (https://arxiv.org/abs/2512.14527); its arguments are those of today's Transformers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

__all__ = ["GreedyLR", "get_greedy_schedule"]

_NOT_STATE = {"optimizer"}


class GreedyLR(LRScheduler):
    """Multiply the learning rate by `factor` when the metric stays bad, and divide it when it stays good.

    Args:
        optimizer: whose learning rates change.
        mode: "min" when a lower metric is better, "max" otherwise.
        factor: below 1.
        patience: after how many better (or worse) steps in a row, less one, the learning rate changes.
        threshold: by how much a metric has to be better than the best one.
        threshold_mode: "abs" adds the threshold, "rel" takes it as a share of the best metric.
        cooldown: steps of rest after the learning rate fell.
        warmup: steps of rest after it rose.
        min_lr: the lowest learning rate; one, or one for each parameter group.
        max_lr: the highest.
        eps: smaller changes are not made.
        verbose: print every change.
        smooth: judge by the mean of the last metrics.
        window_size: how many metrics that mean has.
        reset_start: after how many further falls at the lowest learning rate all starts anew.

    Raises:
        ValueError: an argument is out of its range.
        TypeError: `optimizer` is none.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.95,
        patience: int = 10,
        threshold: float = 1e-6,
        threshold_mode: str = "abs",
        cooldown: int = 0,
        warmup: int = 0,
        min_lr: float | Sequence[float] = 1e-3,
        max_lr: float | Sequence[float] = 1.0,
        eps: float = 1e-8,
        verbose: bool = False,
        smooth: bool = False,
        window_size: int = 50,
        reset_start: int = 500,
    ) -> None:
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.optimizer = optimizer
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.factor, self.patience, self.cooldown, self.warmup = factor, patience, cooldown, warmup
        self.min_lrs = self._one_a_group(min_lr, "min_lrs")
        self.max_lrs = self._one_a_group(max_lr, "max_lrs")
        self.eps, self.verbose = eps, verbose
        self.smooth, self.window_size = smooth, window_size
        self.reset_start = self.reset_start_original = reset_start
        self.last_epoch = 0
        self._init_lrs = [group["lr"] for group in optimizer.param_groups]
        self._last_lr = list(self._init_lrs)
        self._forget()

    def _one_a_group(self, value: float | Sequence[float], what: str) -> list[float]:
        groups = len(self.optimizer.param_groups)
        if isinstance(value, (list, tuple)):
            if len(value) != groups:
                raise ValueError(f"expected {groups} {what}, got {len(value)}")
            return list(value)
        return [value] * groups  # type: ignore[list-item]

    def _forget(self) -> None:
        self.best = float("inf") if self.mode == "min" else float("-inf")
        self.num_bad_epochs = self.num_good_epochs = 0
        self.cooldown_counter = self.warmup_counter = 0
        self.recent: list[float] = []

    def step(self, metrics: float, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take note of the metric after a step, and change the learning rate when it is time."""
        current = float(metrics)
        if self.smooth:
            self.recent = list(deque([*self.recent, current], maxlen=self.window_size))
            current = sum(self.recent) / len(self.recent)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.cooldown_counter > 0 or self.warmup_counter > 0:
            if self.cooldown_counter > 0:
                self.cooldown_counter -= 1
            else:
                self.warmup_counter -= 1
            self.num_bad_epochs = self.num_good_epochs = 0
        else:
            self._judge(current)
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _judge(self, current: float) -> None:
        if self.is_better(current, self.best):
            self.best = current
            self.num_bad_epochs, self.num_good_epochs = 0, self.num_good_epochs + 1
        else:
            self.num_bad_epochs, self.num_good_epochs = self.num_bad_epochs + 1, 0
        if self.num_good_epochs > self.patience:
            self._rise()
            self.warmup_counter, self.num_good_epochs = self.warmup, 0
        elif self.num_bad_epochs > self.patience:
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
            self._fall()

    def is_better(self, current: float, best: float) -> bool:
        """Say whether a metric beats the best one by more than the threshold."""
        sign = -1.0 if self.mode == "min" else 1.0
        if self.threshold_mode == "rel":
            bound = best * (1.0 + sign * self.threshold)
        else:
            bound = best + sign * self.threshold
        return current < bound if self.mode == "min" else current > bound

    def _set(self, index: int, value: float, verb: str) -> None:
        group = self.optimizer.param_groups[index]
        if abs(value - group["lr"]) > self.eps:
            group["lr"] = value
            if self.verbose:
                print(f"Epoch {self.last_epoch}: {verb} learning rate of group {index} to {value:.4e}.")

    def _rise(self) -> None:
        for index, (group, bound) in enumerate(zip(self.optimizer.param_groups, self.max_lrs, strict=True)):
            if bound > group["lr"]:
                self._set(index, min(float(group["lr"]) / self.factor, bound), "increasing")
        self.reset_start = self.reset_start_original

    def _fall(self) -> None:
        for index, (group, bound) in enumerate(zip(self.optimizer.param_groups, self.min_lrs, strict=True)):
            if bound < group["lr"]:
                self._set(index, max(float(group["lr"]) * self.factor, bound), "reducing")
        if all(
            group["lr"] <= bound
            for group, bound in zip(self.optimizer.param_groups, self.min_lrs, strict=True)
        ):
            self.reset_start -= 1
            if self.reset_start <= 0:
                self._start_anew()

    def _start_anew(self) -> None:
        for group, lr in zip(self.optimizer.param_groups, self._init_lrs, strict=True):
            group["lr"] = lr
        self._forget()
        self.reset_start = self.reset_start_original
        if self.verbose:
            print("Scheduler reset to initial state.")

    def get_last_lr(self) -> list[float | Tensor]:
        """Return the learning rate of each parameter group."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key not in _NOT_STATE}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken; the learning rates of the optimizer are set too."""
        self.__dict__.update(state_dict)
        for group, lr in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = lr


def get_greedy_schedule(optimizer: Optimizer, **kwargs: Any) -> GreedyLR:
    """Return a `GreedyLR`; `kwargs` are its arguments."""
    return GreedyLR(optimizer, **kwargs)
