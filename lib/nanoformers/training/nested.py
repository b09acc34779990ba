"""Tensors and arrays inside lists, tuples and dictionaries: detached, joined, made arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

__all__ = ["find_batch_size", "nested_concat", "nested_detach", "nested_map", "nested_numpify", "on_device"]


def nested_map(function: Callable[[Any], Any], value: Any) -> Any:
    """Apply a function to every leaf, and keep the structure."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(nested_map(function, item) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(nested_map(function, item) for item in value)
    if isinstance(value, Mapping):
        mapped = {name: nested_map(function, item) for name, item in value.items()}
        return mapped if type(value) is dict else type(value)(mapped)  # type: ignore[call-arg]
    return function(value)


def nested_detach(value: Any) -> Any:
    """Detach every tensor."""
    return nested_map(lambda leaf: leaf.detach() if isinstance(leaf, torch.Tensor) else leaf, value)


def on_device(value: Any, device: torch.device) -> Any:
    """Move every tensor to a device; gives the same object back when all are there."""
    if isinstance(value, Mapping) and all(
        isinstance(leaf, torch.Tensor) and leaf.device == device for leaf in value.values()
    ):
        return value
    return nested_map(lambda leaf: leaf.to(device) if isinstance(leaf, torch.Tensor) else leaf, value)


def nested_numpify(value: Any) -> Any:
    """Make every tensor an array; bfloat16, which numpy does not know, becomes float32."""

    def array(leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor):
            return leaf
        leaf = leaf.detach().cpu()
        return (leaf.float() if leaf.dtype == torch.bfloat16 else leaf).numpy()

    return nested_map(array, value)


def nested_concat(values: list[Any], padding_index: float = -100) -> Any:
    """Join structures of equal form along the first dimension, padding the second to the longest.

    Args:
        values: structures of tensors, or of arrays; at least one.
        padding_index: what fills up shorter ones.

    Raises:
        TypeError: structures differ, or a leaf is neither tensor nor array.
        ValueError: lists of other lengths, such as one with an entry for each example.
    """
    first = values[0]
    if any(type(value) is not type(first) for value in values):
        kinds = ", ".join(sorted({type(value).__name__ for value in values}))
        raise TypeError(f"What a model gives must have the same form for each batch; it was {kinds}.")
    if isinstance(first, Mapping):
        joined = {name: nested_concat([value[name] for value in values], padding_index) for name in first}
        return joined if type(first) is dict else type(first)(joined)  # type: ignore[call-arg]
    if isinstance(first, (list, tuple)):
        if any(len(value) != len(first) for value in values):
            raise ValueError(
                f"Batches gave lists of {', '.join(str(len(value)) for value in values)} items, which cannot "
                "be joined item by item: with eval_do_concat_batches=False there is a list with one entry a "
                "batch."
            )
        parts = [nested_concat(list(column), padding_index) for column in zip(*values, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    if isinstance(first, torch.Tensor):
        return _join_tensors([torch.atleast_1d(value) for value in values], padding_index)
    if isinstance(first, np.ndarray):
        return _join_arrays([np.atleast_1d(value) for value in values], padding_index)
    raise TypeError(f"Outputs of type {type(first).__name__} cannot be joined: only tensors and arrays can.")


def _join_tensors(parts: list[torch.Tensor], padding_index: float) -> torch.Tensor:
    if parts[0].dim() == 1 or len({part.shape[1] for part in parts}) == 1:
        return torch.cat(parts)
    rows, width = sum(len(part) for part in parts), max(part.shape[1] for part in parts)
    joined = parts[0].new_full((rows, width, *parts[0].shape[2:]), padding_index)
    start = 0
    for part in parts:
        joined[start : start + len(part), : part.shape[1]] = part
        start += len(part)
    return joined


def _join_arrays(parts: list[np.ndarray], padding_index: float) -> np.ndarray:
    if parts[0].ndim == 1 or len({part.shape[1] for part in parts}) == 1:
        return np.concatenate(parts)
    rows, width = sum(len(part) for part in parts), max(part.shape[1] for part in parts)
    joined = np.full_like(parts[0], padding_index, shape=(rows, width, *parts[0].shape[2:]))
    start = 0
    for part in parts:
        joined[start : start + len(part), : part.shape[1]] = part
        start += len(part)
    return joined


def find_batch_size(value: Any) -> int | None:
    """Return the first dimension of the first tensor or array inside; None where there is none."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return value.shape[0] if value.ndim else None
    items = (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    )
    for item in items:
        size = find_batch_size(item)
        if size is not None:
            return size
    return None
