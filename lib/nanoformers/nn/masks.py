"""Attention masks: from the 1s and 0s that a tokenizer gives to what `attend` adds to the scores.

Shapes: `b` batch, `q` queries, `k` keys (the cached ones included).
"""

from __future__ import annotations

import torch

__all__ = ["additive", "attention_bias", "causal", "nothing_hidden"]


def additive(visible: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Turn a mask of 1 (or True, look) and 0 (or False, do not look) into one that is added to scores.

    Hidden places get the lowest finite number rather than minus infinity, so that a row in which everything
    is hidden (a padded query) gives a mean and not NaN.

    Args:
        visible: any shape, boolean, integer or floating; fractions hide in proportion.
        dtype: floating type of the scores.
    """
    lowest = torch.finfo(dtype).min
    if visible.is_floating_point():
        return (1.0 - visible.to(dtype)) * lowest
    bias = torch.zeros(visible.shape, dtype=dtype, device=visible.device)
    return bias.masked_fill_(visible == 0, lowest)


def causal(num_queries: int, num_keys: int, device: torch.device | str | None = None) -> torch.Tensor:
    """Return the boolean mask (q, k) in which each query sees the keys up to its own place.

    The last query stands at the last key: `num_keys - num_queries` keys came before the first.
    """
    ones = torch.ones(num_queries, num_keys, dtype=torch.bool, device=device)
    return ones.tril(num_keys - num_queries)


def nothing_hidden(attention_mask: torch.Tensor | None) -> bool:
    """Tell whether a mask hides nothing, so that attention can do without.

    True only when that is known for free: on the CPU, and outside of tracing and compiling. Elsewhere,
    reading the mask would wait for the device or break the graph.
    """
    if attention_mask is None:
        return True
    if attention_mask.device.type != "cpu" or torch.jit.is_tracing() or torch.compiler.is_compiling():
        return False
    return bool((attention_mask == 1).all())


def attention_bias(
    attention_mask: torch.Tensor | None,
    *,
    num_queries: int,
    num_keys: int,
    dtype: torch.dtype,
    device: torch.device,
    is_decoder: bool = False,
) -> tuple[torch.Tensor | None, bool]:
    """Prepare the `bias` and `is_causal` arguments of `attend` for all layers of a model.

    Args:
        attention_mask: 1 for keys to look at: (b, k); or (b, q, k) and (b, 1 or nh, q, k), which say for each
            query what it sees, the future included; or None for all.
        num_queries: q.
        num_keys: k.
        dtype: floating type of the scores.
        device: where the scores are.
        is_decoder: queries do not see later keys.

    Raises:
        ValueError: the mask has another shape than these.
    """
    if attention_mask is not None:
        dimensions = attention_mask.ndim
        if dimensions not in (2, 3, 4) or attention_mask.shape[-1] != num_keys:
            raise ValueError(
                f"attention_mask has shape {tuple(attention_mask.shape)}; it must be (batch, {num_keys}), "
                f"(batch, {num_queries}, {num_keys}) or (batch, heads, {num_queries}, {num_keys}), where "
                f"{num_keys} counts cached tokens too."
            )
        is_decoder = is_decoder and dimensions == 2
    if nothing_hidden(attention_mask):
        if not is_decoder or num_queries == 1:  # the last token sees all that came before
            return None, False
        if num_queries == num_keys:
            return None, True
        return additive(causal(num_queries, num_keys, device), dtype), False

    assert attention_mask is not None
    if attention_mask.ndim == 2:
        visible = attention_mask[:, None, None, :]
    elif attention_mask.ndim == 3:
        visible = attention_mask[:, None, :, :]
    else:
        visible = attention_mask
    if is_decoder and num_queries > 1:
        visible = (visible != 0) & causal(num_queries, num_keys, visible.device)
    return additive(visible, dtype), False
