"""Normalisation of states."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["RMSNorm"]


class RMSNorm(nn.RMSNorm):
    """Divide states by their root mean square, then scale each component (https://arxiv.org/abs/1910.07467).

    Neither a mean is subtracted nor a bias added, as in T5 and Llama. The mean square is taken in float32 at
    least, and the result has the weight's type even where the states have a wider one.

    Args:
        width: components of a state.
        eps: added to the mean square.
    """

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__(width, eps=eps)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Normalise the last dimension: (..., width) -> (..., width)."""
        if hidden_states.dtype == self.weight.dtype:
            return super().forward(hidden_states)
        normal = F.rms_norm(hidden_states.float(), self.normalized_shape, eps=self.eps)
        return self.weight * normal.to(self.weight.dtype)
