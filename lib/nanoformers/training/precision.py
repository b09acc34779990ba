"""What a model gives in mixed precision, handed out in float32."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from .nested import nested_map

__all__ = ["float32_outputs"]


@contextlib.contextmanager
def float32_outputs(model: nn.Module, autocast: torch.autocast) -> Iterator[None]:
    """Let a model compute in mixed precision and give float32, as with accelerate: numpy has no bfloat16.

    Args:
        model: what is called, with all that is wrapped around it.
        autocast: the mixed precision.
    """
    handle = model.register_forward_hook(lambda module, inputs, outputs: nested_map(_float32, outputs))
    try:
        with autocast:
            yield
    finally:
        handle.remove()


def _float32(leaf: Any) -> Any:
    low = isinstance(leaf, torch.Tensor) and leaf.dtype in (torch.bfloat16, torch.float16)
    return leaf.float() if low else leaf
