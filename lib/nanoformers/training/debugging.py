"""`DebugUnderflowOverflow`: where in a model numbers become too large, too small, or none at all.

Mirrors the documentation page `internal/trainer_utils`; `TrainingArguments(debug="underflow_overflow")` turns
it on for a training.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["DebugUnderflowOverflow", "detect_overflow", "get_abs_min_max"]

_INDENT = " " * 17
_HEADER = f"{'abs min':8} {'abs max':8} metadata"


class DebugUnderflowOverflow:
    """Watches every `forward` of a model, and stops at the first weight, input or output with inf or nan.

    After each module's `forward`, a frame is kept: the module's name and class, and the smallest and the
    largest absolute value of its weights, inputs and outputs. When one has inf or nan, the last frames are
    printed; those before the last show where the numbers began to grow (half precision ends at 65,504).
    Batches in `trace_batch_nums` are printed whole instead, and nothing is judged there. All this takes time:
    call `remove` when it is no longer needed.

    Args:
        model: the model to watch.
        max_frames_to_save: how many frames a report has.
        trace_batch_nums: numbers of batches to print, counted from 0.
        abort_after_batch_num: stop after this batch.

    Raises:
        ValueError: from `forward`, when something was detected, or after `abort_after_batch_num`.
    """

    def __init__(
        self,
        model: nn.Module,
        max_frames_to_save: int = 21,
        trace_batch_nums: Sequence[int] | None = None,
        abort_after_batch_num: int | None = None,
    ) -> None:
        self.model = model
        self.trace_batch_nums = list(trace_batch_nums or [])
        self.abort_after_batch_num = abort_after_batch_num
        self.frames: deque[str] = deque(maxlen=max_frames_to_save)
        self.batch_number = 0
        self.detected_overflow = False
        self.module_names = {module: name for name, module in model.named_modules()}
        self._lines = self._batch_header()
        self._hooks = [module.register_forward_hook(self.forward_hook) for module in self.module_names]

    def remove(self) -> None:
        """Watch no longer."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def _batch_header(self) -> list[str]:
        return [f"\n\n{_INDENT} *** Starting batch number={self.batch_number} ***", _HEADER]

    def forward_hook(self, module: nn.Module, inputs: Any, output: Any) -> None:
        """Keep the frame of one `forward`, and judge it."""
        tracing = self.batch_number in self.trace_batch_nums
        self._add_frame(module, inputs, output)
        if tracing:
            print(self.frames.pop())
            self.frames.clear()
        if module is self.model:  # its hook is the last of a batch
            self.batch_number += 1
            self._lines = self._batch_header()
        if self.detected_overflow and not tracing:
            self._report(self.batch_number)
            raise ValueError(
                "DebugUnderflowOverflow: inf/nan detected, aborting as there is no point running further. "
                "Please scroll up above this traceback to see the activation values prior to this event."
            )
        self.detected_overflow = False
        if self.abort_after_batch_num is not None and self.batch_number > self.abort_after_batch_num:
            raise ValueError(
                f"DebugUnderflowOverflow: aborting after {self.batch_number} batches due to "
                f"`abort_after_batch_num={self.abort_after_batch_num}` arg"
            )

    def _add_frame(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self._lines.append(f"{_INDENT} {self.module_names[module]} {type(module).__name__}")
        for name, parameter in module.named_parameters(recurse=False):
            self._add_value(parameter, name)
        for values, name in ((inputs, "input"), (output, "output")):
            for value, path in _leaves(values, name):
                self._add_value(value, path)
        self.frames.append("\n".join(self._lines))
        self._lines = []

    def _add_value(self, value: Any, name: str) -> None:
        if isinstance(value, Tensor):
            self._lines.append(get_abs_min_max(value, name))
            self.detected_overflow |= detect_overflow(value, name)
        else:
            self._lines.append(f"{'None' if value is None else 'not a tensor':>17} {name}")

    def _report(self, batch_number: int) -> None:
        print(f"\nDetected inf/nan during batch_number={batch_number}")
        print(f"Last {len(self.frames)} forward frames:")
        print(_HEADER)
        print("\n".join(self.frames))
        print("\n\n")
        self.frames.clear()


def _leaves(values: Any, name: str) -> Iterator[tuple[Any, str]]:
    """Yield what tuples and dictionaries hold, each with its path."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from _leaves(value, f"{name}[{key}]")
    elif isinstance(values, tuple):
        for index, value in enumerate(values):
            yield from _leaves(value, f"{name}[{index}]")
    else:
        yield values, name


def get_abs_min_max(var: Tensor, ctx: str) -> str:
    """Return the line of a report: the smallest and the largest absolute value, and `ctx`."""
    if var.numel() == 0:
        return f"{'empty':>17} {ctx}"
    magnitudes = (var.int() if var.dtype == torch.bool else var).abs()
    return f"{magnitudes.min():8.2e} {magnitudes.max():8.2e} {ctx}"


def detect_overflow(var: Tensor, ctx: str) -> bool:
    """Return whether a tensor holds nan or inf, and print which.

    Args:
        var: the tensor.
        ctx: what the printed line calls it.
    """
    if not (var.is_floating_point() or var.is_complex()):
        return False
    if torch.isfinite(var).all():
        return False
    for name, found in (("nans", var.isnan().any()), ("infs", var.isinf().any())):
        if found:
            print(f"{ctx} has {name}")
    return True
