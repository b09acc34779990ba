"""Learning-rate schedules: a factor for each step, by which the optimizer's learning rate is multiplied.

Mirrors the documentation page `main_classes/optimizer_schedules`. In each curve `t` is the step (from 0),
`w` the number of warm-up steps and `T` the number of all steps; `p` is the share of the steps after the
warm-up that has passed, (t - w) / (T - w). The warm-up rises in a straight line, t / w.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

from ..utils.enums import ExplicitEnum
from .greedy import get_greedy_schedule

__all__ = [
    "TYPE_TO_SCHEDULER_FUNCTION",
    "SchedulerType",
    "get_constant_schedule",
    "get_constant_schedule_with_warmup",
    "get_cosine_schedule_with_warmup",
    "get_cosine_with_hard_restarts_schedule_with_warmup",
    "get_cosine_with_min_lr_schedule_with_warmup",
    "get_cosine_with_min_lr_schedule_with_warmup_lr_rate",
    "get_inverse_sqrt_schedule",
    "get_linear_schedule_with_warmup",
    "get_polynomial_decay_schedule_with_warmup",
    "get_reduce_on_plateau_schedule",
    "get_scheduler",
    "get_wsd_schedule",
]


class SchedulerType(ExplicitEnum):
    """The names that `get_scheduler` and `TrainingArguments(lr_scheduler_type=...)` know."""

    LINEAR = "linear"
    COSINE = "cosine"
    COSINE_WITH_RESTARTS = "cosine_with_restarts"
    POLYNOMIAL = "polynomial"
    CONSTANT = "constant"
    CONSTANT_WITH_WARMUP = "constant_with_warmup"
    INVERSE_SQRT = "inverse_sqrt"
    REDUCE_ON_PLATEAU = "reduce_lr_on_plateau"
    COSINE_WITH_MIN_LR = "cosine_with_min_lr"
    COSINE_WARMUP_WITH_MIN_LR = "cosine_warmup_with_min_lr"
    WARMUP_STABLE_DECAY = "warmup_stable_decay"
    GREEDY = "greedy"


def _schedule(
    optimizer: Optimizer, num_warmup_steps: float, curve: Callable[[float], float], last_epoch: int
) -> LambdaLR:
    """Return the schedule that warms up and then follows `curve(t)`.

    A partial function is pickled with the schedule and adds nothing to its `state_dict`.
    """
    return LambdaLR(optimizer, partial(_warmed_up, warmup=num_warmup_steps, curve=curve), last_epoch)


def _warmed_up(t: float, *, warmup: float, curve: Callable[[float], float]) -> float:
    return t / max(1, warmup) if t < warmup else curve(t)


def _passed(t: float, warmup: float, total: float) -> float:
    return (t - warmup) / max(1, total - warmup)


def _half_waves(progress: float, cycles: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * float(cycles) * 2.0 * progress))


def _constant(t: float) -> float:
    return 1


def get_constant_schedule(optimizer: Optimizer, last_epoch: int = -1) -> LambdaLR:
    """The optimizer's learning rate, always.

    Args:
        optimizer: its learning rate is the peak of the curve.
        last_epoch: the last step that was done, when training goes on; -1 for a fresh start.
    """
    return LambdaLR(optimizer, _constant, last_epoch)


def get_constant_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, last_epoch: int = -1
) -> LambdaLR:
    """Warm-up, then the optimizer's learning rate.

    Args:
        optimizer: its learning rate is the peak of the curve.
        num_warmup_steps: in how many steps the learning rate rises from 0.
        last_epoch: the last step that was done, when training goes on; -1 for a fresh start.
    """
    return _schedule(optimizer, num_warmup_steps, _constant, last_epoch)


def _line(t: float, *, warmup: int, total: int) -> float:
    return max(0.0, (total - t) / max(1, total - warmup))


def get_linear_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, last_epoch: int = -1
) -> LambdaLR:
    """Warm-up, then a straight line to 0: (T - t) / (T - w).

    Args:
        optimizer: its learning rate is the peak of the curve.
        num_warmup_steps: in how many steps the learning rate rises from 0.
        num_training_steps: all steps, warm-up included.
        last_epoch: the last step that was done, when training goes on; -1 for a fresh start.
    """
    curve = partial(_line, warmup=num_warmup_steps, total=num_training_steps)
    return _schedule(optimizer, num_warmup_steps, curve, last_epoch)


def _wave(t: float, *, warmup: int, total: int, cycles: float, floor: float = 0.0) -> float:
    return max(0.0, _half_waves(_passed(t, warmup, total), cycles) * (1 - floor) + floor)


def get_cosine_schedule_with_warmup(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
) -> LambdaLR:
    """Warm-up, then a cosine: (1 + cos(2 pi c p)) / 2.

    Args:
        optimizer: its learning rate is the peak of the curve.
        num_warmup_steps: in how many steps the learning rate rises from 0.
        num_training_steps: all steps, warm-up included.
        num_cycles: `c`, how many waves; half a wave falls from the peak to 0.
        last_epoch: the last step that was done, when training goes on; -1 for a fresh start.
    """
    curve = partial(_wave, warmup=num_warmup_steps, total=num_training_steps, cycles=num_cycles)
    return _schedule(optimizer, num_warmup_steps, curve, last_epoch)


def _saw(t: float, *, warmup: int, total: int, cycles: int) -> float:
    progress = _passed(t, warmup, total)
    if progress >= 1.0:
        return 0.0
    return max(0.0, 0.5 * (1.0 + math.cos(math.pi * ((float(cycles) * progress) % 1.0))))


def get_cosine_with_hard_restarts_schedule_with_warmup(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: int = 1,
    last_epoch: int = -1,
) -> LambdaLR:
    """Warm-up, then half a cosine from the peak to 0, `num_cycles` times.

    Args:
        optimizer: its learning rate is the peak of the curve.
        num_warmup_steps: in how many steps the learning rate rises from 0.
        num_training_steps: all steps, warm-up included.
        num_cycles: how often the curve falls; each fall but the first starts with a jump.
        last_epoch: the last step that was done, when training goes on; -1 for a fresh start.
    """
    curve = partial(_saw, warmup=num_warmup_steps, total=num_training_steps, cycles=num_cycles)
    return _schedule(optimizer, num_warmup_steps, curve, last_epoch)


def _power(t: float, *, warmup: int, total: int, start: float, end: float, power: float) -> float:
    if t > total:
        return end / start
    rest = 1 - (t - warmup) / max(1, total - warmup)
    return ((start - end) * rest**power + end) / start


def get_polynomial_decay_schedule_with_warmup(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_training_steps: int,
    lr_end: float = 1e-7,
    power: float = 1.0,
    last_epoch: int = -1,
) -> LambdaLR:
    """Warm-up, then (1 - p) ** power, ending at `lr_end` and not at 0.

    Args:
        optimizer: its learning rate is the peak of the curve.
        num_warmup_steps: in how many steps the learning rate rises from 0.
        num_training_steps: all steps, warm-up included.
        lr_end: the last learning rate.
        power: 1 is a straight line, 2 falls fast at first.
        last_epoch: the last step that was done, when training goes on; -1 for a fresh start.

    Raises:
        ValueError: `lr_end` is not below the optimizer's learning rate.
    """
    start = optimizer.defaults["lr"]
    if not start > lr_end:
        raise ValueError(f"lr_end ({lr_end}) must be smaller than initial lr ({start})")
    curve = partial(
        _power, warmup=num_warmup_steps, total=num_training_steps, start=start, end=lr_end, power=power
    )
    return _schedule(optimizer, num_warmup_steps, curve, last_epoch)


def _inverse_root(t: float, *, warmup: int, timescale: int) -> float:
    return 1.0 / math.sqrt((t + timescale - warmup) / timescale)


def get_inverse_sqrt_schedule(
    optimizer: Optimizer, num_warmup_steps: int, timescale: int | None = None, last_epoch: int = -1
) -> LambdaLR:
    """Warm-up, then 1 / sqrt((t + timescale - w) / timescale); there is no last step.

    Args:
        optimizer: its learning rate is the peak of the curve.
        num_warmup_steps: in how many steps the learning rate rises from 0.
        timescale: steps until the curve falls to 1 / sqrt(2); `num_warmup_steps` by default, or 10,000 where
            there is no warm-up.
        last_epoch: the last step that was done, when training goes on; -1 for a fresh start.
    """
    timescale = (num_warmup_steps or 10_000) if timescale is None else timescale
    curve = partial(_inverse_root, warmup=num_warmup_steps, timescale=timescale)
    return _schedule(optimizer, num_warmup_steps, curve, last_epoch)


def get_reduce_on_plateau_schedule(optimizer: Optimizer, **kwargs: Any) -> ReduceLROnPlateau:
    """The optimizer's learning rate, which falls when a metric has stopped getting better.

    Args:
        optimizer: its learning rate is where the schedule starts.
        kwargs: arguments of `torch.optim.lr_scheduler.ReduceLROnPlateau`. Its `step` takes the metric.
    """
    return ReduceLROnPlateau(optimizer, **kwargs)


def _floor(optimizer: Optimizer, min_lr: float | None, min_lr_rate: float | None) -> float:
    """Return the lowest factor, from whichever of the two is given."""
    if min_lr is not None and min_lr_rate is not None:
        raise ValueError("Only one of min_lr or min_lr_rate should be set")
    if min_lr is not None:
        return min_lr / optimizer.defaults["lr"]
    if min_lr_rate is None:
        raise ValueError("One of min_lr or min_lr_rate should be set through the `lr_scheduler_kwargs`")
    return min_lr_rate


def get_cosine_with_min_lr_schedule_with_warmup(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
) -> LambdaLR:
    """Warm-up, then a cosine that ends at a given learning rate.

    Args:
        optimizer: its learning rate is the peak of the curve.
        num_warmup_steps: in how many steps the learning rate rises from 0.
        num_training_steps: all steps, warm-up included.
        num_cycles: how many waves.
        last_epoch: the last step that was done, when training goes on; -1 for a fresh start.
        min_lr: the last learning rate; give this or the next.
        min_lr_rate: the same as a share of the peak.

    Raises:
        ValueError: both or neither of `min_lr` and `min_lr_rate` are given.
    """
    floor = _floor(optimizer, min_lr, min_lr_rate)
    curve = partial(_wave, warmup=num_warmup_steps, total=num_training_steps, cycles=num_cycles, floor=floor)
    return _schedule(optimizer, num_warmup_steps, curve, last_epoch)


def _wave_from(
    t: float, *, warmup: float, total: float, cycles: float, floor: float, start: float | None
) -> float:
    if t < warmup:
        if start is None:
            return (t + 1.0) / max(1.0, warmup)
        return start + (1.0 - start) * t / max(1, warmup - 1)
    progress = (t - warmup + 1.0) / max(1.0, total - warmup)
    return max(0.0, _half_waves(progress, cycles) * (1 - floor) + floor)


def get_cosine_with_min_lr_schedule_with_warmup_lr_rate(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> LambdaLR:
    """A cosine that ends at a given learning rate, after a warm-up that starts above 0.

    Args:
        optimizer: its learning rate is the peak of the curve.
        num_warmup_steps: in how many steps the learning rate rises.
        num_training_steps: all steps, warm-up included.
        num_cycles: how many waves.
        last_epoch: the last step that was done, when training goes on; -1 for a fresh start.
        min_lr: the last learning rate; give this or the next.
        min_lr_rate: the same as a share of the peak.
        warmup_lr_rate: the first learning rate as a share of the peak; 1 / w by default.

    Raises:
        ValueError: both or neither of `min_lr` and `min_lr_rate` are given.
    """
    curve = partial(
        _wave_from,
        warmup=float(num_warmup_steps),
        total=float(num_training_steps),
        cycles=num_cycles,
        floor=_floor(optimizer, min_lr, min_lr_rate),
        start=None if warmup_lr_rate is None else float(warmup_lr_rate),
    )
    return LambdaLR(optimizer, curve, last_epoch)


# Shapes of the rise of `get_wsd_schedule`, from 0 to 1 as progress goes from 0 to 1; its fall reads "cosine"
# with a number of waves.
_RISES: dict[str, Callable[[float], float]] = {
    "linear": lambda progress: progress,
    "cosine": lambda progress: 0.5 * (1.0 - math.cos(math.pi * progress)),
    "1-sqrt": lambda progress: 1.0 - math.sqrt(1.0 - progress),
}
_FALLS: dict[str, Callable[[float, float], float]] = {
    "linear": lambda progress, cycles: 1.0 - progress,
    "cosine": _half_waves,
    "1-sqrt": lambda progress, cycles: 1.0 - math.sqrt(progress),
}


def _plateau(
    t: float, *, warmup: int, stable: int, decay: int, rise: str, fall: str, floor: float, cycles: float
) -> float:
    if t < warmup:
        factor = _RISES[rise](t / max(1, warmup))
    elif t < warmup + stable:
        return 1.0
    elif t < warmup + stable + decay:
        factor = _FALLS[fall]((t - warmup - stable) / max(1, decay), cycles)
    else:
        return floor
    return max(0.0, factor * (1.0 - floor) + floor)


def get_wsd_schedule(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_decay_steps: int,
    num_training_steps: int | None = None,
    num_stable_steps: int | None = None,
    warmup_type: str = "linear",
    decay_type: str = "cosine",
    min_lr_ratio: float = 0,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
) -> LambdaLR:
    """Warm-up, a stable stretch at the peak, then a decay (https://arxiv.org/abs/2404.06395).

    Args:
        optimizer: its learning rate is the peak of the curve.
        num_warmup_steps: steps of the rise, which begins at `min_lr_ratio`.
        num_decay_steps: steps of the decay.
        num_training_steps: all steps; what warm-up and decay leave is the stable stretch.
        num_stable_steps: steps at the peak; stands above `num_training_steps`.
        warmup_type: "linear", "cosine" or "1-sqrt".
        decay_type: the same three.
        min_lr_ratio: the lowest learning rate as a share of the peak.
        num_cycles: how many waves the cosine decay has.
        last_epoch: the last step that was done, when training goes on; -1 for a fresh start.

    Raises:
        ValueError: neither `num_training_steps` nor `num_stable_steps` is given, or a type is unknown.
    """
    if num_stable_steps is not None:
        if num_training_steps is not None:
            warnings.warn(
                "Both num_training_steps and num_stable_steps are specified. num_stable_steps will be used.",
                stacklevel=2,
            )
    elif num_training_steps is not None:
        num_stable_steps = num_training_steps - num_warmup_steps - num_decay_steps
    else:
        raise ValueError("Either num_training_steps or num_stable_steps must be specified.")
    for part, name in (("warmup", warmup_type), ("decay", decay_type)):
        if name not in _RISES:
            raise ValueError(f"Unknown {part} type: {name}, expected 'linear', 'cosine' or '1-sqrt'")
    curve = partial(
        _plateau,
        warmup=num_warmup_steps,
        stable=num_stable_steps,
        decay=num_decay_steps,
        rise=warmup_type,
        fall=decay_type,
        floor=min_lr_ratio,
        cycles=num_cycles,
    )
    return LambdaLR(optimizer, curve, last_epoch)


TYPE_TO_SCHEDULER_FUNCTION: dict[SchedulerType, Callable[..., Any]] = {
    SchedulerType.LINEAR: get_linear_schedule_with_warmup,
    SchedulerType.COSINE: get_cosine_schedule_with_warmup,
    SchedulerType.COSINE_WITH_RESTARTS: get_cosine_with_hard_restarts_schedule_with_warmup,
    SchedulerType.POLYNOMIAL: get_polynomial_decay_schedule_with_warmup,
    SchedulerType.CONSTANT: get_constant_schedule,
    SchedulerType.CONSTANT_WITH_WARMUP: get_constant_schedule_with_warmup,
    SchedulerType.INVERSE_SQRT: get_inverse_sqrt_schedule,
    SchedulerType.REDUCE_ON_PLATEAU: get_reduce_on_plateau_schedule,
    SchedulerType.COSINE_WITH_MIN_LR: get_cosine_with_min_lr_schedule_with_warmup,
    SchedulerType.COSINE_WARMUP_WITH_MIN_LR: get_cosine_with_min_lr_schedule_with_warmup_lr_rate,
    SchedulerType.WARMUP_STABLE_DECAY: get_wsd_schedule,
    SchedulerType.GREEDY: get_greedy_schedule,
}

_WITHOUT_WARMUP = {SchedulerType.CONSTANT, SchedulerType.REDUCE_ON_PLATEAU, SchedulerType.GREEDY}
_WITHOUT_END = {SchedulerType.CONSTANT_WITH_WARMUP, SchedulerType.INVERSE_SQRT}


def get_scheduler(
    name: str | SchedulerType,
    optimizer: Optimizer,
    num_warmup_steps: int | None = None,
    num_training_steps: int | None = None,
    scheduler_specific_kwargs: dict[str, Any] | None = None,
) -> LRScheduler:
    """Return the schedule of a given name.

    Args:
        name: a `SchedulerType` or its value.
        optimizer: whose learning rates are scheduled.
        num_warmup_steps: steps of the warm-up; not needed by "constant", "reduce_lr_on_plateau" and "greedy".
        num_training_steps: all steps; not needed by these, "constant_with_warmup" and "inverse_sqrt".
        scheduler_specific_kwargs: further arguments of the schedule's own function, such as `num_cycles`.

    Raises:
        ValueError: the name is unknown, or a number of steps that this schedule needs is missing.
        TypeError: the schedule has no such argument.
    """
    name = SchedulerType(name)
    schedule = TYPE_TO_SCHEDULER_FUNCTION[name]
    kwargs = scheduler_specific_kwargs or {}
    if name in _WITHOUT_WARMUP:
        return schedule(optimizer, **kwargs)
    if num_warmup_steps is None:
        raise ValueError(f"{name} requires `num_warmup_steps`, please provide that argument.")
    if name in _WITHOUT_END:
        return schedule(optimizer, num_warmup_steps=num_warmup_steps, **kwargs)
    if num_training_steps is None and name is not SchedulerType.WARMUP_STABLE_DECAY:
        raise ValueError(f"{name} requires `num_training_steps`, please provide that argument.")
    return schedule(
        optimizer, num_warmup_steps=num_warmup_steps, num_training_steps=num_training_steps, **kwargs
    )
