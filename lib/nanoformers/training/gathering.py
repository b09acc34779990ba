"""Tensors of all processes, put together: nested, of equal or of different shapes."""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed

from .nested import nested_map

__all__ = ["gather", "pad_and_gather"]


def gather(nested: Any) -> Any:
    """Return the rows of all processes, in the order of their numbers.

    Args:
        nested: tensors (n, ...) of equal shapes in all processes; a scalar () counts as one row.
    """
    return nested_map(lambda leaf: _gather_equal(leaf) if isinstance(leaf, torch.Tensor) else leaf, nested)


def pad_and_gather(nested: Any, pad_index: int = -100) -> Any:
    """Return the rows of all processes, where sizes may differ: short ones are filled with `pad_index`.

    Args:
        nested: tensors (n, ...), with as many dimensions in each process.
        pad_index: what fills the dimensions after the first.

    Returns:
        Tensors (sum of all n, ...) whose further sizes are the greatest of any process.
    """
    tensors: list[torch.Tensor] = []

    def collect(leaf: Any) -> None:
        if isinstance(leaf, torch.Tensor):
            tensors.append(torch.atleast_1d(leaf))

    nested_map(collect, nested)
    if not tensors:
        return nested
    own = torch.tensor([size for tensor in tensors for size in tensor.shape], device=tensors[0].device)
    sizes = _gather_equal(own[None]).tolist()  # one row a process: a single message for all shapes
    gathered = []
    start = 0
    for tensor in tensors:
        shapes = [row[start : start + tensor.dim()] for row in sizes]
        start += tensor.dim()
        gathered.append(_gather_unequal(tensor, shapes, pad_index))
    results = iter(gathered)
    return nested_map(lambda leaf: next(results) if isinstance(leaf, torch.Tensor) else leaf, nested)


def _gather_equal(tensor: torch.Tensor) -> torch.Tensor:
    rows = torch.atleast_1d(tensor).contiguous()
    pieces = [torch.empty_like(rows) for _ in range(distributed.get_world_size())]
    distributed.all_gather(pieces, rows)
    return torch.cat(pieces)


def _gather_unequal(tensor: torch.Tensor, shapes: list[list[int]], pad_index: int) -> torch.Tensor:
    if all(shape == shapes[0] for shape in shapes):
        return _gather_equal(tensor)
    largest = [max(sizes) for sizes in zip(*shapes, strict=True)]
    padded = tensor.new_full(largest, pad_index)
    padded[tuple(slice(size) for size in tensor.shape)] = tensor
    everything = _gather_equal(padded).split(largest[0])
    return torch.cat([rows[: shape[0]] for rows, shape in zip(everything, shapes, strict=True)])
