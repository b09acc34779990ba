"""One row times a matrix: what a step of generation does all day.

Such a step reads every weight once, so memory bounds it; but the matrix-vector products of the BLAS library
behind PyTorch's `linear` reach only a third to a half of what memory gives. Two other kernels of PyTorch come
closer. They are used for a single row in float32, on the CPU, where no gradient is wanted and nothing is
traced or compiled; everything else goes the usual way.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["Linear", "linear_of_rows"]


class Linear(nn.Linear):
    """`torch.nn.Linear`, which computes a single row by oneDNN's inner product rather than by BLAS."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Map the last dimension: (..., in_features) -> (..., out_features)."""
        if _is_single_row(input, self.weight, self.in_features) and _has_inner_product():
            return torch.ops.mkldnn._linear_pointwise(input, self.weight, self.bias, "none", [], "")
        return F.linear(input, self.weight, self.bias)


def linear_of_rows(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Return `x @ weight + bias` for a weight that is stored by input, as GPT-2's are.

    A single row is computed as a weighted sum of the weight's rows, a part of them by each thread.

    Args:
        x: (..., nx).
        weight: (nx, nf).
        bias: (nf,).

    Returns:
        (..., nf).
    """
    width = weight.shape[0]
    if _is_single_row(x, weight, width) and _sums_rows_fast():
        rows, starts = _rows_in_bags(width, torch.get_num_threads())
        # what F.embedding_bag(mode="sum") calls, without its checks, which cost as much as the sum
        parts, *_ = torch.embedding_bag(weight, rows, starts, False, 0, False, x.reshape(width))
        return parts.sum(0).add_(bias).view(*x.shape[:-1], -1)
    return F.linear(x, weight.t(), bias)


def _is_single_row(x: torch.Tensor, weight: torch.Tensor, width: int) -> bool:
    return (
        not torch.is_grad_enabled()
        and not torch.jit.is_tracing()
        and not torch.compiler.is_compiling()
        and x.numel() == width
        and x.dtype is torch.float32
        and weight.dtype is torch.float32
        and x.device.type == "cpu"
        and weight.device.type == "cpu"
        and weight.is_contiguous()
    )


@lru_cache(maxsize=64)
def _rows_in_bags(width: int, threads: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the numbers of a weight's rows, and where the bag of each thread begins."""
    bags = min(width, threads)
    starts = [bag * width // bags for bag in range(bags)]
    return torch.arange(width, device="cpu"), torch.tensor(starts, dtype=torch.long, device="cpu")


@lru_cache(maxsize=1)
def _has_inner_product() -> bool:
    """Tell whether this PyTorch has oneDNN, and the operator that its own compiler calls it by."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


@lru_cache(maxsize=1)
def _sums_rows_fast() -> bool:
    """Tell whether weighted sums of rows are compiled for this processor (by FBGEMM)."""
    return "fbgemm" in torch.backends.quantized.supported_engines
