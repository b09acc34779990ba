"""What T5 is made of: the feed-forward part, attention, and the block of an encoder or a decoder.

T5 differs from the first transformer in four ways: positions are biases of attention scores, which the first
block learns for all; scores are not scaled; states are normalised before each part, by their root mean square
alone; and no linear layer has a bias.

In the shapes, `b` is the batch, `s` the encoder's sequence, `t` a decoder's, `k` keys (cached ones included),
`d` the width (`d_model`), `nh` the heads and `hd` the width of one (`d_kv`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ...nn.activations import get_activation
from ...nn.attention import attend, merge_heads, split_heads
from ...nn.cache import KeyValueCache
from ...nn.layers import find_pruneable_heads_and_indices, prune_linear_layer
from ...nn.normalization import RMSNorm
from ...nn.packing import Dropout
from ...nn.positions import RelativePositionBias
from ...nn.single_row import Linear
from .configuration import T5Config

__all__ = ["T5Attention", "T5Block", "with_spread"]

Tensor = torch.Tensor


def without_infinities(hidden_states: Tensor) -> Tensor:
    """Keep float16 states, which overflow in training, within that type's range."""
    if hidden_states.dtype != torch.float16:
        return hidden_states
    limit = torch.finfo(torch.float16).max - 1000 * hidden_states.isinf().any()
    return hidden_states.clamp(min=-limit, max=limit)


def with_spread(layer: nn.Linear, spread: float) -> nn.Linear:
    """Let the random weights of a layer have that standard deviation, in place of 1 / sqrt(its inputs)."""
    layer.spread = spread  # type: ignore[assignment]
    return layer


def narrow(wide: Tensor, layer: nn.Linear) -> Tensor:
    """Apply a linear layer in the type of its weight, which may be wider than that of the states."""
    if layer.weight.is_floating_point():  # a quantised one takes what it gets
        wide = wide.to(layer.weight.dtype)
    return layer(wide)


class T5DenseActDense(nn.Module):
    """Each token by itself: widen, activate, narrow."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.wi = Linear(config.d_model, config.d_ff, bias=False)
        self.wo = Linear(config.d_ff, config.d_model, bias=False)
        self.dropout = Dropout(config.dropout_rate)
        self.act = get_activation(config.dense_act_fn)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return narrow(self.dropout(self.act(self.wi(hidden_states))), self.wo)


class T5DenseGatedActDense(nn.Module):
    """The same with a gate ("GLU Variants", https://arxiv.org/abs/2002.05202), as in release 1.1."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.wi_0 = Linear(config.d_model, config.d_ff, bias=False)
        self.wi_1 = Linear(config.d_model, config.d_ff, bias=False)
        self.wo = Linear(config.d_ff, config.d_model, bias=False)
        self.dropout = Dropout(config.dropout_rate)
        self.act = get_activation(config.dense_act_fn)

    def forward(self, hidden_states: Tensor) -> Tensor:
        gated = self.act(self.wi_0(hidden_states)) * self.wi_1(hidden_states)  # (b, s, d_ff)
        return narrow(self.dropout(gated), self.wo)


class T5LayerFF(nn.Module):
    """The feed-forward part and its residual connection."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.DenseReluDense = T5DenseGatedActDense(config) if config.is_gated_act else T5DenseActDense(config)
        self.layer_norm = RMSNorm(config.d_model, eps=config.layer_norm_epsilon)
        self.dropout = Dropout(config.dropout_rate)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return hidden_states + self.dropout(self.DenseReluDense(self.layer_norm(hidden_states)))


class T5Attention(nn.Module):
    """Multi-head attention without scaling, of a sequence to itself or of the decoder to the encoder."""

    def __init__(self, config: T5Config, layer: int, has_relative_attention_bias: bool = False) -> None:
        super().__init__()
        width = config.num_heads * config.d_kv
        self.layer = layer
        self.n_heads = config.num_heads
        self.key_value_proj_dim = config.d_kv
        self.dropout_prob = config.dropout_rate
        self.write_out = config._attn_implementation == "eager"
        # the query's weights are smaller by the square root of hd, in place of scores that are divided by it
        self.q = with_spread(
            Linear(config.d_model, width, bias=False), (config.d_model * config.d_kv) ** -0.5
        )
        self.k = Linear(config.d_model, width, bias=False)
        self.v = Linear(config.d_model, width, bias=False)
        self.o = Linear(width, config.d_model, bias=False)
        if has_relative_attention_bias:
            self.relative_attention_bias = RelativePositionBias(
                config.relative_attention_num_buckets,
                config.num_heads,
                bidirectional=not config.is_decoder,
                max_distance=config.relative_attention_max_distance,
            )
        self.pruned_heads: set[int] = set()
        self.kept_heads: Tensor | None = None  # (nh,) numbers of the heads, once some are pruned

    def prune_heads(self, heads: Sequence[int]) -> None:
        """Remove heads, numbered as before anything was pruned."""
        remaining, index = find_pruneable_heads_and_indices(
            heads, self.n_heads, self.key_value_proj_dim, self.pruned_heads
        )
        if not remaining:
            return
        self.q = prune_linear_layer(self.q, index)
        self.k = prune_linear_layer(self.k, index)
        self.v = prune_linear_layer(self.v, index)
        self.o = prune_linear_layer(self.o, index, dim=1)
        everything = self.n_heads + len(self.pruned_heads)
        self.pruned_heads |= remaining
        self.n_heads -= len(remaining)
        self.kept_heads = torch.tensor([h for h in range(everything) if h not in self.pruned_heads])

    def forward(
        self,
        hidden_states: Tensor,  # (b, t, d)
        bias: Tensor | None = None,  # broadcastable to (b, nh, t, k)
        head_mask: Tensor | None = None,  # (1, nh, 1, 1)
        encoder_hidden_states: Tensor | None = None,  # (b, s, d)
        cache: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return what each token found, (b, t, d), and the weights (b, nh, t, k) where asked for."""
        nh = self.n_heads
        query = split_heads(self.q(hidden_states), nh)  # (b, nh, t, hd)
        kept = cache.encoder(self.layer) if cache is not None and encoder_hidden_states is not None else None
        if kept is not None:
            key, value = kept
        else:
            source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
            key, value = split_heads(self.k(source), nh), split_heads(self.v(source), nh)  # (b, nh, k, hd)
            if cache is not None and encoder_hidden_states is None:
                key, value = cache.update(key, value, self.layer)
            elif cache is not None:
                cache.keep_encoder(key, value, self.layer)
        if self.kept_heads is not None and bias is not None and bias.shape[1] != 1:
            bias = bias[:, self.kept_heads]  # the bias is that of all heads, for all blocks
        context, weights = attend(
            query,
            key,
            value,
            bias=bias,
            dropout=self.dropout_prob if self.training else 0.0,
            scale=1.0,
            head_mask=head_mask,
            need_weights=output_attentions or self.write_out,
        )
        return self.o(merge_heads(context)), weights if output_attentions else None  # (b, t, d)


class T5LayerSelfAttention(nn.Module):
    """Attention of a sequence to itself and its residual connection."""

    def __init__(self, config: T5Config, layer: int, has_relative_attention_bias: bool = False) -> None:
        super().__init__()
        self.SelfAttention = T5Attention(config, layer, has_relative_attention_bias)
        self.layer_norm = RMSNorm(config.d_model, eps=config.layer_norm_epsilon)
        self.dropout = Dropout(config.dropout_rate)

    def forward(
        self,
        hidden_states: Tensor,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        found, weights = self.SelfAttention(
            self.layer_norm(hidden_states), bias, head_mask, None, cache, output_attentions
        )
        return hidden_states + self.dropout(found), weights


class T5LayerCrossAttention(nn.Module):
    """Attention of the decoder to the encoder's states and its residual connection."""

    def __init__(self, config: T5Config, layer: int) -> None:
        super().__init__()
        self.EncDecAttention = T5Attention(config, layer)
        self.layer_norm = RMSNorm(config.d_model, eps=config.layer_norm_epsilon)
        self.dropout = Dropout(config.dropout_rate)

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        found, weights = self.EncDecAttention(
            self.layer_norm(hidden_states), bias, head_mask, encoder_hidden_states, cache, output_attentions
        )
        return hidden_states + self.dropout(found), weights


class T5Block(nn.Module):
    """Attention to itself, in the decoder to the encoder's states, then the feed-forward part."""

    def __init__(self, config: T5Config, layer: int, has_relative_attention_bias: bool = False) -> None:
        super().__init__()
        parts: list[nn.Module] = [T5LayerSelfAttention(config, layer, has_relative_attention_bias)]
        if config.is_decoder:
            parts.append(T5LayerCrossAttention(config, layer))
        parts.append(T5LayerFF(config))
        self.layer = nn.ModuleList(parts)

    def forward(
        self,
        hidden_states: Tensor,  # (b, t, d)
        bias: Tensor | None = None,  # broadcastable to (b, nh, t, k)
        head_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,  # (b, s, d)
        encoder_bias: Tensor | None = None,  # broadcastable to (b, nh, t, s)
        cross_attn_head_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return the next states (b, t, d), and the weights of both attentions where asked for."""
        hidden_states, weights = self.layer[0](hidden_states, bias, head_mask, cache, output_attentions)
        hidden_states = without_infinities(hidden_states)
        cross_weights = None
        if encoder_hidden_states is not None:
            hidden_states, cross_weights = self.layer[1](
                hidden_states,
                encoder_hidden_states,
                encoder_bias,
                cross_attn_head_mask,
                cache,
                output_attentions,
            )
            hidden_states = without_infinities(hidden_states)
        return without_infinities(self.layer[-1](hidden_states)), weights, cross_weights
