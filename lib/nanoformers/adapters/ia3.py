"""(IA)³: "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning".

Paper: https://arxiv.org/abs/2205.05638. A layer learns one factor for each number that comes out of it or, in
the feed-forward part, for each that goes into it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .config import IA3Config
from .layers import LayerAdapter, device_for, dtype_for, sizes_of
from .targets import is_named

__all__ = ["IA3Linear", "ia3_on"]

Tensor = torch.Tensor


def ia3_on(layer: nn.Module, name: str, config: IA3Config) -> IA3Linear:
    """Make the factors of a linear layer; `name` tells whether it is one of `feedforward_modules`."""
    return IA3Linear(layer, is_named(name, config.feedforward_modules), config.init_ia3_weights)


class IA3Linear(LayerAdapter):
    """Factors for what goes into, or comes out of, a linear layer.

    Args:
        layer: the layer.
        is_feedforward: multiply the input.
        with_ones: begin with factors that change nothing.

    Attributes:
        ia3_l: (1, in) or (out, 1) factors.
    """

    def __init__(self, layer: Any, is_feedforward: bool, with_ones: bool) -> None:
        super().__init__()
        width_in, width_out = sizes_of(layer)
        shape = (1, width_in) if is_feedforward else (width_out, 1)
        first = torch.ones if with_ones else torch.randn
        self.is_feedforward = is_feedforward
        self.ia3_l = nn.Parameter(first(shape, device=device_for(layer), dtype=dtype_for(layer.weight)))

    def change_input(self, x: Tensor) -> Tensor:
        """Multiply what goes in."""
        return (x * self.ia3_l.flatten()).to(x.dtype) if self.is_feedforward else x

    def change_output(self, layer: nn.Module, x: Tensor, output: Tensor) -> Tensor:
        """Multiply what comes out."""
        return output if self.is_feedforward else output * self.ia3_l.flatten()

    def merged(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Multiply the columns of a weight, or its rows and the bias."""
        if bias is not None and not self.is_feedforward:
            bias = bias * self.ia3_l.flatten()
        return weight * self.ia3_l, bias
