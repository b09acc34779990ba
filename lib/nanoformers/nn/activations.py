"""Activation functions, by the names that configurations use."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F

__all__ = ["ACT2FN", "get_activation"]

Activation = Callable[[torch.Tensor], torch.Tensor]


def gelu_new(x: torch.Tensor) -> torch.Tensor:
    """GELU by its tanh approximation (https://arxiv.org/abs/1606.08415), as GPT-2 was trained with."""
    return F.gelu(x, approximate="tanh")


def gelu_fast(x: torch.Tensor) -> torch.Tensor:
    """The tanh approximation of GELU with its constants rounded, as some checkpoints were trained with."""
    return 0.5 * x * (1.0 + torch.tanh(x * 0.7978845608 * (1.0 + 0.044715 * x * x)))


def gelu_10(x: torch.Tensor) -> torch.Tensor:
    """GELU clipped to [-10, 10], for quantisation (https://arxiv.org/abs/2004.09602)."""
    return F.gelu(x).clamp(-10, 10)


def gelu_accurate(x: torch.Tensor) -> torch.Tensor:
    """The tanh approximation of GELU, written out in full precision of its constant."""
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x.pow(3))))


def quick_gelu(x: torch.Tensor) -> torch.Tensor:
    """The sigmoid approximation of GELU, as CLIP was trained with."""
    return x * torch.sigmoid(1.702 * x)


def laplace(x: torch.Tensor, mu: float = 0.707107, sigma: float = 0.282095) -> torch.Tensor:
    """The Laplace distribution function, MEGA's element-wise attention (https://arxiv.org/abs/2209.10655)."""
    return 0.5 * (1.0 + torch.erf((x - mu) / (sigma * math.sqrt(2.0))))


def relu2(x: torch.Tensor) -> torch.Tensor:
    """The square of ReLU (https://arxiv.org/abs/2109.08668)."""
    return F.relu(x).square()


def linear(x: torch.Tensor) -> torch.Tensor:
    """No activation."""
    return x


class _Activations(dict[str, Activation]):
    def __missing__(self, name: str) -> Activation:
        raise KeyError(f"{name!r} is no activation function; there are {', '.join(sorted(self))}.")


ACT2FN = _Activations(
    gelu=F.gelu,
    gelu_10=gelu_10,
    gelu_accurate=gelu_accurate,
    gelu_fast=gelu_fast,
    gelu_new=gelu_new,
    gelu_python=F.gelu,
    gelu_pytorch_tanh=gelu_new,
    laplace=laplace,
    leaky_relu=partial(F.leaky_relu, negative_slope=0.01),
    linear=linear,
    mish=F.mish,
    quick_gelu=quick_gelu,
    relu=F.relu,
    relu2=relu2,
    relu6=F.relu6,
    sigmoid=torch.sigmoid,
    silu=F.silu,
    swish=F.silu,
    tanh=torch.tanh,
)
"""Name in a configuration -> function of a tensor of any shape, element by element."""


def get_activation(activation: str | Activation) -> Activation:
    """Return the activation function of that name (a function is returned as it is).

    Raises:
        KeyError: there is no such function; the message lists those that there are.
    """
    return ACT2FN[activation] if isinstance(activation, str) else activation
