"""Attention: the one function by which every model's tokens look at each other."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from .packing import Packing, active_packing

__all__ = ["attend", "merge_heads", "split_heads"]


def split_heads(hidden_states: torch.Tensor, num_heads: int) -> torch.Tensor:
    """Give each head its part of the width: (b, s, nh * hd) -> (b, nh, s, hd), without a copy."""
    batch, length, width = hidden_states.shape
    return hidden_states.view(batch, length, num_heads, width // num_heads).transpose(1, 2)


def merge_heads(context: torch.Tensor) -> torch.Tensor:
    """Put the heads side by side again: (b, nh, s, hd) -> (b, s, nh * hd)."""
    return context.transpose(1, 2).flatten(2)


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    bias: torch.Tensor | None = None,
    is_causal: bool = False,
    dropout: float = 0.0,
    scale: float | None = None,
    head_mask: torch.Tensor | None = None,
    need_weights: bool = False,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Scaled dot-product attention ("Attention Is All You Need", https://arxiv.org/abs/1706.03762).

    PyTorch's fused kernels compute it, except when the weights themselves are asked for or masked by head:
    then the softmax is written out, in the inputs' own precision.

    Args:
        query: (b, nh, q, hd).
        key: (b, nh, k, hd).
        value: (b, nh, k, hd).
        bias: added to the scores before softmax, broadcastable to (b, nh, q, k): masks (see `nn.masks`),
            relative positions.
        is_causal: a query sees the keys up to its own place; only with q == k and no `bias`.
        dropout: probability with which a weight is dropped (0.0 in inference).
        scale: factor of the scores; by default 1 / sqrt(hd).
        head_mask: factor of the weights after softmax, broadcastable to (b, nh, q, k); 0 silences a head.
        need_weights: return the weights too.

    Returns:
        (context (b, nh, q, hd), weights (b, nh, q, k) or None).
    """
    packing = active_packing()
    if packing is not None and packing.holds(query, dim=2):
        return _attend_in_rows(
            packing,
            query,
            key,
            value,
            bias=bias,
            is_causal=is_causal,
            dropout=dropout,
            scale=scale,
            head_mask=head_mask,
            need_weights=need_weights,
        )
    if head_mask is None and not need_weights:
        context = F.scaled_dot_product_attention(
            query, key, value, attn_mask=bias, dropout_p=dropout, is_causal=is_causal, scale=scale
        )
        return context, None

    scores = query @ key.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(future, torch.finfo(scores.dtype).min)
    if bias is not None:
        scores = scores + bias
    weights = F.dropout(scores.softmax(-1), dropout, training=dropout > 0)
    if head_mask is not None:
        weights = weights * head_mask
    return weights @ value, weights


def _attend_in_rows(
    packing: Packing, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Put packed queries, (1, nh, n, hd), and packed keys and values into rows to attend; pack again."""
    nh = query.shape[1]
    query, key, value = (
        split_heads(packing.unpack(merge_heads(part)), nh) if packing.holds(part, dim=2) else part
        for part in (query, key, value)
    )
    context, weights = attend(query, key, value, **options)
    return split_heads(packing.pack(merge_heads(context)), nh), weights
