"""Linear layers as several architectures have them, without some of their heads, and in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from torch import nn

from .single_row import linear_of_rows

__all__ = [
    "Conv1D",
    "apply_chunking_to_forward",
    "find_pruneable_heads_and_indices",
    "prune_conv1d_layer",
    "prune_layer",
    "prune_linear_layer",
]


LinearLayer = TypeVar("LinearLayer", bound=nn.Linear)


class Conv1D(nn.Module):
    """A linear layer whose weight is stored transposed, as GPT's and GPT-2's checkpoints have it.

    Args:
        nf: width of the output.
        nx: width of the input.

    Attributes:
        weight: (nx, nf), at first from N(0, 0.02).
        bias: (nf,), at first 0.
    """

    def __init__(self, nf: int, nx: int) -> None:
        super().__init__()
        self.nf = nf
        self.weight = nn.Parameter(torch.empty(nx, nf))
        self.bias = nn.Parameter(torch.empty(nf))
        nn.init.normal_(self.weight, std=0.02)
        nn.init.constant_(self.bias, 0.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map the last dimension: (..., nx) -> (..., nf)."""
        return linear_of_rows(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Say the widths."""
        return f"nf={self.nf}, nx={self.weight.shape[0]}"


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


def prune_linear_layer(layer: LinearLayer, index: torch.Tensor, dim: int = 0) -> LinearLayer:
    """Return a linear layer with only some of the outputs (`dim` 0) or inputs (`dim` 1).

    Args:
        layer: the layer, which stays as it is.
        index: (kept,) indices of what stays.
        dim: dimension of the weight (out, in) that `index` is about.
    """
    weight = layer.weight.detach().index_select(dim, index.to(layer.weight.device)).clone()
    pruned = type(layer)(
        weight.shape[1], weight.shape[0], bias=layer.bias is not None, device="meta", dtype=weight.dtype
    )
    pruned.weight = nn.Parameter(weight, requires_grad=layer.weight.requires_grad)
    if layer.bias is not None:
        bias = layer.bias.detach()
        bias = bias.index_select(0, index.to(bias.device)) if dim == 0 else bias
        pruned.bias = nn.Parameter(bias.clone(), requires_grad=layer.bias.requires_grad)
    return pruned


def prune_conv1d_layer(layer: Conv1D, index: torch.Tensor, dim: int = 1) -> Conv1D:
    """Return a `Conv1D` with only some of the inputs (`dim` 0) or outputs (`dim` 1).

    Args:
        layer: the layer, which stays as it is.
        index: (kept,) indices of what stays.
        dim: dimension of the weight (in, out) that `index` is about.
    """
    index = index.to(layer.weight.device)
    weight = layer.weight.detach().index_select(dim, index)
    bias = layer.bias.detach().index_select(0, index) if dim == 1 else layer.bias.detach().clone()
    with torch.device("meta"):
        pruned = Conv1D(weight.shape[1], weight.shape[0])
    pruned.weight = nn.Parameter(weight, requires_grad=layer.weight.requires_grad)
    pruned.bias = nn.Parameter(bias, requires_grad=layer.bias.requires_grad)
    return pruned


def prune_layer(layer: nn.Linear | Conv1D, index: torch.Tensor, dim: int | None = None) -> nn.Linear | Conv1D:
    """Return a linear layer or `Conv1D` with only some of its outputs, or of dimension `dim` of its weight.

    Raises:
        ValueError: the layer is of another class.
    """
    if isinstance(layer, nn.Linear):
        return prune_linear_layer(layer, index, dim=0 if dim is None else dim)
    if isinstance(layer, Conv1D):
        return prune_conv1d_layer(layer, index, dim=1 if dim is None else dim)
    raise ValueError(f"Can't prune layer of class {type(layer)}: it is neither Linear nor Conv1D.")


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
