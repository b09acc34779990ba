"""Lists of integers to arrays and tensors, and back. torch is imported only when it is asked for."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .strategies import TensorType

__all__ = ["framework_of", "to_python", "to_tensor"]


def to_tensor(value: Any, tensor_type: TensorType) -> Any:
    """Return `value` (nested lists, arrays or tensors of one shape) as an array or tensor.

    Integers become int64, also in an empty list; floats become float32 for torch, as torch does.

    Raises:
        ValueError: the nested lists are ragged, or hold None or text.
    """
    if framework_of(value) is tensor_type:
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"values of type {array.dtype} have no place in a tensor")
    if array.size == 0:
        array = array.astype(np.int64)
    if tensor_type is TensorType.NUMPY:
        return array
    import torch

    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(array) if array.ndim else array)


def framework_of(value: Any) -> TensorType | None:
    """Return which kind of tensor `value` is, or None when it is none. Never imports torch."""
    if isinstance(value, np.ndarray):
        return TensorType.NUMPY
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return TensorType.PYTORCH
    return None


def to_python(value: Any) -> Any:
    """Return nested lists and plain numbers in place of arrays, tensors and array numbers."""
    if isinstance(value, int):
        return value
    if isinstance(value, (list, tuple)):
        if value and type(value[0]) is int:
            return list(value) if all(type(item) is int for item in value) else [to_python(v) for v in value]
        return [to_python(item) for item in value]
    if framework_of(value) is TensorType.PYTORCH:
        return value.detach().cpu().tolist()
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return value
