"""Noise on embeddings while training, which makes fine-tuned models better at instructions.

Source: "NEFTune: Noisy Embeddings Improve Instruction Finetuning", https://arxiv.org/abs/2310.05914.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

__all__ = ["noisy_embeddings"]


@contextmanager
def noisy_embeddings(model: Any, alpha: float | None) -> Iterator[None]:
    """Let the input embeddings of a model be noisy in training mode, inside the context.

    Args:
        model: a model with `get_input_embeddings()`.
        alpha: the noise is uniform in +-alpha / sqrt(length * width); None: no noise.

    Raises:
        ValueError: the model has no input embeddings.
    """
    if alpha is None:
        yield
        return
    if not hasattr(model, "get_input_embeddings"):
        raise ValueError(
            f"neftune_noise_alpha needs a model with `get_input_embeddings()`; {type(model).__name__} has "
            "none."
        )

    def add_noise(module: nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        if not module.training:
            return output
        reach = alpha / math.sqrt(output.shape[1] * output.shape[2])
        return output + torch.empty_like(output).uniform_(-reach, reach)

    handle = model.get_input_embeddings().register_forward_hook(add_noise)
    try:
        yield
    finally:
        handle.remove()
