"""Where and in which type a pipeline computes: the documented arguments `device` and `torch_dtype`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..outputs import ModelOutput


def resolve_device(device: int | str | torch.device) -> torch.device:
    """Turn a documented device argument into a torch device that exists on this machine.

    Raises:
        ValueError: there is no such device.
    """
    if isinstance(device, int):
        device = "cpu" if device < 0 else f"cuda:{device}"
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        count = torch.cuda.device_count()
        available = ", ".join(["cpu", *(f"cuda:{ordinal}" for ordinal in range(count))])
        raise ValueError(
            f"device {str(device)!r} unrecognized or not available. This machine has: {available}. "
            'Pass `device="cpu"` (or -1), or leave `device` out.'
        ) from error
    return found


def first_device(device_map: Mapping[str, Any]) -> torch.device:
    """Return where the inputs go when a `device_map` placed the model: the first accelerator, or the CPU."""
    devices = [device for device in device_map.values() if device not in ("cpu", "disk")]
    return resolve_device(devices[0]) if devices else torch.device("cpu")


def resolve_dtype(dtype: str | torch.dtype | None) -> str | torch.dtype | None:
    """Turn "bfloat16" or "torch.bfloat16" into the torch type; leave "auto", None and types as they are.

    Raises:
        ValueError: torch has no such type.
    """
    if dtype is None or dtype == "auto" or isinstance(dtype, torch.dtype):
        return dtype
    found = getattr(torch, dtype.removeprefix("torch."), None)
    if not isinstance(found, torch.dtype):
        raise ValueError(
            f'`torch_dtype` is {dtype!r}; pass a torch type such as torch.bfloat16, its name, or "auto".'
        )
    return found


def to_device(value: Any, device: torch.device) -> Any:
    """Return a nest of mappings, lists and tuples with its tensors on the device."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, list | tuple):
        moved = [to_device(item, device) for item in value]
        return type(value)(*moved) if hasattr(value, "_fields") else type(value)(moved)
    if isinstance(value, Mapping):
        kept = type(value) if isinstance(value, ModelOutput) else dict
        return kept({name: to_device(item, device) for name, item in value.items()})
    return value
