"""LoRA: "Low-Rank Adaptation of Large Language Models", https://arxiv.org/abs/2106.09685.

A layer y = W x learns y = W x + s B A x, where A (r, in) and B (out, r) are narrow. B begins with zeros, so
that at first nothing changes. Here are LoRA on linear layers and on embeddings, its scale for high ranks
(rsLoRA) and DoRA.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from .config import LoraConfig
from .layers import LayerAdapter, as_base_weight, device_for, dtype_for, sizes_of
from .targets import value_for

__all__ = ["LoraEmbedding", "LoraLinear", "lora_on"]

Tensor = torch.Tensor


def lora_on(layer: nn.Module, name: str, config: LoraConfig) -> LayerAdapter:
    """Make the LoRA of a layer.

    Args:
        layer: a linear layer (`Conv1D` too) or an embedding.
        name: its name in the model, which patterns of ranks are about.
        config: the adapter's.

    Raises:
        ValueError: a rank is none.
    """
    r = value_for(name, config.rank_pattern, config.r)
    alpha = value_for(name, config.alpha_pattern, config.lora_alpha)
    if not isinstance(r, int) or r <= 0:
        raise ValueError(f"`rank_pattern` gives {name} the rank {r!r}; ranks are whole numbers from 1 on.")
    scaling = alpha / math.sqrt(r) if config.use_rslora else alpha / r
    if isinstance(layer, nn.Embedding):
        return LoraEmbedding(layer, r, scaling, config)
    return LoraLinear(layer, r, scaling, config)


class LoraLinear(LayerAdapter):
    """LoRA on a linear layer.

    Args:
        layer: the layer.
        r: the rank.
        scaling: what the product is multiplied by.
        config: the adapter's.

    Attributes:
        lora_A: its weight is (r, in).
        lora_B: its weight is (out, r).
        lora_magnitude_vector: (out,) the lengths that DoRA learns.
    """

    def __init__(self, layer: Any, r: int, scaling: float, config: LoraConfig) -> None:
        super().__init__()
        width_in, width_out = sizes_of(layer)
        kind: dict[str, Any] = {"device": device_for(layer), "dtype": dtype_for(layer.weight)}
        self.scaling = scaling
        self.dropout = nn.Dropout(config.lora_dropout)
        self.lora_A = nn.Linear(width_in, r, bias=False, **kind)
        self.lora_B = nn.Linear(r, width_out, bias=config.lora_bias, **kind)
        if config.init_lora_weights is not False:
            if config.init_lora_weights == "gaussian":
                nn.init.normal_(self.lora_A.weight, std=1 / r)
            nn.init.zeros_(self.lora_B.weight)
            if self.lora_B.bias is not None:
                nn.init.zeros_(self.lora_B.bias)
        self.lora_magnitude_vector: nn.Parameter | None = None
        if config.use_dora:
            with torch.no_grad():
                self.lora_magnitude_vector = nn.Parameter(self._lengths(as_base_weight(layer)))

    def change_output(self, layer: nn.Module, x: Tensor, output: Tensor) -> Tensor:
        """Return W x + s B A x."""
        x = self.dropout(x.to(self.lora_A.weight.dtype))
        change = self.lora_B(self.lora_A(x)) * self.scaling
        if self.lora_magnitude_vector is None:
            return output + change
        return self._in_learned_length(self.lora_magnitude_vector, layer, x, output, change)

    def _in_learned_length(
        self, lengths: Tensor, layer: Any, x: Tensor, output: Tensor, change: Tensor
    ) -> Tensor:
        """Return DoRA's m (W + s B A) x / |W + s B A|, where no gradient goes through the length."""
        weight = as_base_weight(layer)
        factor = lengths / self._lengths(weight).detach()  # (out,)
        if self.training and self.dropout.p > 0:  # `x` lacks what is dropped, and both parts shall
            base = F.linear(x, weight.to(x.dtype))
        else:
            base = output if layer.bias is None else output - layer.bias
        return output + (factor - 1) * base + factor * change

    def delta(self) -> Tensor:
        """Return s B A, (out, in)."""
        return self.lora_B.weight @ self.lora_A.weight * self.scaling

    def _lengths(self, weight: Tensor) -> Tensor:
        """Return the length (out,) of each row of the changed weight."""
        return torch.linalg.norm(weight.to(self.lora_A.weight.dtype) + self.delta().detach(), dim=1)

    def merged(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return W + s B A, and the bias with that of B."""
        weight = weight.to(self.lora_A.weight.dtype)
        factor = torch.ones_like(weight[:, 0])  # (out,)
        if self.lora_magnitude_vector is not None:
            factor = self.lora_magnitude_vector / self._lengths(weight)
        if self.lora_B.bias is not None:
            if bias is None:
                raise ValueError("`lora_bias=True` cannot be merged into a layer that has no bias.")
            bias = bias + self.lora_B.bias * self.scaling * factor
        return (weight + self.delta()) * factor[:, None], bias


class LoraEmbedding(LayerAdapter):
    """LoRA on an embedding: of the matrices, the one of tokens begins with zeros.

    Args:
        layer: the embedding, `weight` (tokens, width).
        r: the rank.
        scaling: what the product is multiplied by.
        config: the adapter's.

    Attributes:
        lora_embedding_A: (r, tokens).
        lora_embedding_B: (width, r).

    Raises:
        ValueError: the configuration asks for what only linear layers have.
    """

    def __init__(self, layer: nn.Embedding, r: int, scaling: float, config: LoraConfig) -> None:
        super().__init__()
        for option in ("lora_bias", "use_dora"):
            if getattr(config, option):
                raise ValueError(f"`{option}` is for linear layers, and this one is an embedding.")
        kind: dict[str, Any] = {"device": device_for(layer), "dtype": dtype_for(layer.weight)}
        tokens, width = layer.weight.shape
        self.scaling = scaling
        first = torch.zeros if config.init_lora_weights is not False else torch.randn
        self.lora_embedding_A = nn.Parameter(first(r, tokens, **kind))
        self.lora_embedding_B = nn.Parameter(torch.randn(width, r, **kind))

    def change_output(self, layer: Any, x: Tensor, output: Tensor) -> Tensor:
        """Return the embeddings and what is learned of them, for tokens `x` (b, s) -> (b, s, width)."""
        own = F.embedding(x, self.lora_embedding_A.t(), padding_idx=layer.padding_idx)  # (b, s, r)
        return output + own @ self.lora_embedding_B.t() * self.scaling

    def merged(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the changed embeddings, (width, tokens)."""
        delta = self.lora_embedding_B @ self.lora_embedding_A * self.scaling
        return weight.to(delta.dtype) + delta, bias
