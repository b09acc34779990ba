"""What several architectures do to their linear layers: remove heads, and work in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn

__all__ = ["apply_chunking_to_forward", "find_pruneable_heads_and_indices", "prune_linear_layer"]


def find_pruneable_heads_and_indices(
    heads: Iterable[int], n_heads: int, head_size: int, already_pruned_heads: set[int]
) -> tuple[set[int], torch.Tensor]:
    """Find what stays of a layer's width when heads are removed.

    Args:
        heads: heads to remove, numbered as before anything was pruned.
        n_heads: how many heads the layer has now.
        head_size: width of one.
        already_pruned_heads: those removed before.

    Returns:
        (heads that are still there to remove, the indices (kept width,) of what stays).
    """
    remaining = set(heads) - already_pruned_heads
    keep = torch.ones(n_heads, head_size, dtype=torch.bool)
    for head in remaining:
        keep[head - sum(pruned < head for pruned in already_pruned_heads)] = False
    return remaining, keep.flatten().nonzero().squeeze(1)


def prune_linear_layer(layer: nn.Linear, index: torch.Tensor, dim: int = 0) -> nn.Linear:
    """Return a linear layer with only some of the outputs (`dim` 0) or inputs (`dim` 1).

    Args:
        layer: the layer, which stays as it is.
        index: (kept,) indices of what stays.
        dim: dimension of the weight (out, in) that `index` is about.
    """
    weight = layer.weight.detach().index_select(dim, index.to(layer.weight.device)).clone()
    pruned = nn.Linear(
        weight.shape[1], weight.shape[0], bias=layer.bias is not None, device="meta", dtype=weight.dtype
    )
    pruned.weight = nn.Parameter(weight, requires_grad=layer.weight.requires_grad)
    if layer.bias is not None:
        bias = layer.bias.detach()
        bias = bias.index_select(0, index.to(bias.device)) if dim == 0 else bias
        pruned.bias = nn.Parameter(bias.clone(), requires_grad=layer.bias.requires_grad)
    return pruned


def apply_chunking_to_forward(
    forward_fn: Callable[..., torch.Tensor], chunk_size: int, chunk_dim: int, *input_tensors: torch.Tensor
) -> torch.Tensor:
    """Apply a function piece by piece along a dimension that it does not mix: less memory at once.

    Args:
        forward_fn: takes as many tensors as are given.
        chunk_size: length of a piece; 0 for the whole at once.
        chunk_dim: the dimension to cut, of the same length in all tensors and a multiple of `chunk_size`.
        input_tensors: what the function is applied to.

    Raises:
        ValueError: the length is no multiple of `chunk_size`, or differs between the tensors.
    """
    if chunk_size <= 0:
        return forward_fn(*input_tensors)
    lengths = {tensor.shape[chunk_dim] for tensor in input_tensors}
    if len(lengths) != 1:
        raise ValueError(
            f"All input tensors have to be of the same length in dimension {chunk_dim}, not {lengths}."
        )
    length = lengths.pop()
    if length % chunk_size:
        raise ValueError(
            f"The length to be cut, {length}, has to be a multiple of the chunk size {chunk_size}."
        )
    pieces = zip(*(tensor.split(chunk_size, chunk_dim) for tensor in input_tensors), strict=True)
    return torch.cat([forward_fn(*piece) for piece in pieces], dim=chunk_dim)
