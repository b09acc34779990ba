"""GPT-2: "Language Models are Unsupervised Multitask Learners".

Paper: https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf.
Read from top to bottom: attention, feed-forward part, block, the base model; its heads are in `heads.py`.

In the shapes, `b` is the batch, `s` the sequence, `k` the keys (cached ones included), `d` the width
(`n_embd`), `nh` the heads and `hd` the width of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import nn

from ...heads import answer
from ...modeling import PreTrainedModel
from ...nn.activations import get_activation
from ...nn.attention import attend, merge_heads, split_heads
from ...nn.cache import KeyValueCache
from ...nn.inputs import check_length, given_length
from ...nn.layers import Conv1D, find_pruneable_heads_and_indices, prune_conv1d_layer
from ...nn.masks import attention_bias
from ...nn.packing import Dropout, padding_left_out
from ...outputs import BaseModelOutputWithPastAndCrossAttentions
from ...utils import logging
from .configuration import GPT2Config

__all__ = ["GPT2Model", "GPT2PreTrainedModel"]

logger = logging.get_logger(__name__)

Tensor = torch.Tensor
PastKeyValues = KeyValueCache | Sequence[Sequence[Tensor]]


class GPT2Attention(nn.Module):
    """Multi-head attention, of a sequence to what came before, or to an encoder's output."""

    def __init__(self, config: GPT2Config, layer: int, is_cross_attention: bool = False) -> None:
        super().__init__()
        width = config.n_embd
        if width % config.n_head:
            raise ValueError(
                f"`embed_dim` must be divisible by num_heads (got `embed_dim`: {width} and `num_heads`: "
                f"{config.n_head})."
            )
        self.layer = layer
        self.num_heads = config.n_head
        self.head_dim = width // config.n_head
        if is_cross_attention:
            self.c_attn = Conv1D(2 * width, width)  # keys and values, of the encoder's output
            self.q_attn = Conv1D(width, width)
        else:
            self.c_attn = Conv1D(3 * width, width)  # queries, keys and values
        self.c_proj = Conv1D(width, width)
        self.resid_dropout = Dropout(config.resid_pdrop)
        self.dropout_prob = config.attn_pdrop
        self.scale = self.head_dim**-0.5 if config.scale_attn_weights else 1.0
        if config.scale_attn_by_inverse_layer_idx:
            self.scale /= layer + 1
        self.upcast = config.reorder_and_upcast_attn
        self.write_out = config._attn_implementation == "eager"
        self.pruned_heads: set[int] = set()

    def prune_heads(self, heads: Sequence[int]) -> None:
        """Remove heads, numbered as before anything was pruned."""
        remaining, index = find_pruneable_heads_and_indices(
            heads, self.num_heads, self.head_dim, self.pruned_heads
        )
        if not remaining:
            return
        width = self.num_heads * self.head_dim
        self.c_attn = prune_conv1d_layer(self.c_attn, torch.cat([index + i * width for i in range(3)]))
        self.c_proj = prune_conv1d_layer(self.c_proj, index, dim=0)
        self.num_heads -= len(remaining)
        self.pruned_heads |= remaining

    def in_heads(self, projected: Tensor, parts: int) -> tuple[Tensor, ...]:
        """Take apart what lies side by side: (b, s, parts * nh * hd) -> of each (b, nh, s, hd), views."""
        batch, length, _ = projected.shape
        return projected.view(batch, length, parts, self.num_heads, self.head_dim).transpose(1, 3).unbind(2)

    def forward(
        self,
        hidden_states: Tensor,  # (b, s, d)
        bias: Tensor | None = None,  # broadcastable to (b, nh, s, k)
        is_causal: bool = False,
        head_mask: Tensor | None = None,  # (1, nh, 1, 1)
        encoder_hidden_states: Tensor | None = None,  # (b, encoder s, d)
        cache: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        if encoder_hidden_states is None:
            query, key, value = self.in_heads(self.c_attn(hidden_states), 3)
            if cache is not None:
                key, value = cache.update(key, value, self.layer)  # (b, nh, k, hd)
        else:
            query = split_heads(self.q_attn(hidden_states), self.num_heads)
            kept = cache.encoder(self.layer) if cache is not None else None
            key, value = kept or self.in_heads(self.c_attn(encoder_hidden_states), 2)
            if cache is not None and kept is None:
                cache.keep_encoder(key, value, self.layer)
        dtype = query.dtype
        if self.upcast:
            query, key, value = query.float(), key.float(), value.float()
        context, weights = attend(
            query,
            key,
            value,
            bias=bias,
            is_causal=is_causal,
            dropout=self.dropout_prob if self.training else 0.0,
            scale=self.scale,
            head_mask=head_mask,
            need_weights=output_attentions or self.write_out,
        )
        attended = self.resid_dropout(self.c_proj(merge_heads(context).to(dtype)))  # (b, s, d)
        return attended, weights.to(dtype) if weights is not None and output_attentions else None


class GPT2MLP(nn.Module):
    """The feed-forward part: each token by itself."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        inner = 4 * config.n_embd if config.n_inner is None else config.n_inner
        self.c_fc = Conv1D(inner, config.n_embd)
        self.c_proj = Conv1D(config.n_embd, inner)
        self.act = get_activation(config.activation_function)
        self.dropout = Dropout(config.resid_pdrop)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.dropout(self.c_proj(self.act(self.c_fc(hidden_states))))


class GPT2Block(nn.Module):
    """Attention to what came before, perhaps to an encoder's output, then the feed-forward part.

    Each is normalised before, not after, and added to the states.
    """

    def __init__(self, config: GPT2Config, layer: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.attn = GPT2Attention(config, layer)
        self.ln_2 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        if config.add_cross_attention:
            self.crossattention = GPT2Attention(config, layer, is_cross_attention=True)
            self.ln_cross_attn = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = GPT2MLP(config)

    def forward(
        self,
        hidden_states: Tensor,  # (b, s, d)
        bias: Tensor | None = None,
        is_causal: bool = False,
        head_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,  # (b, encoder s, d)
        encoder_bias: Tensor | None = None,
        cache: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        attended, weights = self.attn(
            self.ln_1(hidden_states), bias, is_causal, head_mask, None, cache, output_attentions
        )
        hidden_states = hidden_states + attended
        cross_weights = None
        if encoder_hidden_states is not None:
            attended, cross_weights = self.crossattention(
                self.ln_cross_attn(hidden_states),
                encoder_bias,
                False,
                head_mask,
                encoder_hidden_states,
                cache,
                output_attentions,
            )
            hidden_states = hidden_states + attended
        hidden_states = hidden_states + self.mlp(self.ln_2(hidden_states))
        return hidden_states, weights, cross_weights


class GPT2PreTrainedModel(PreTrainedModel):
    """What all GPT-2s have in common."""

    config_class = GPT2Config
    base_model_prefix = "transformer"
    supports_gradient_checkpointing = True
    _no_split_modules: ClassVar[list[str]] = ["GPT2Block"]
    # causal masks, which older checkpoints carry as buffers
    _keys_to_ignore_on_load_unexpected: ClassVar[list[str]] = [r"attn\.bias$", r"attn\.masked_bias$"]

    def _init_weights(self, module: nn.Module) -> None:
        """Give the weights of one module random values; those that add to the states get smaller ones.

        Two such layers a block add up, so their standard deviation is divided by sqrt(2 * n_layer) (the
        paper, section 2.3).
        """
        super()._init_weights(module)
        spread = self.config.initializer_range
        if isinstance(module, Conv1D):
            module.weight.data.normal_(0.0, spread)
            module.bias.data.zero_()
        elif isinstance(module, (GPT2Attention, GPT2MLP)):
            module.c_proj.weight.data.normal_(0.0, spread / math.sqrt(2 * self.config.n_layer))


class GPT2Model(GPT2PreTrainedModel):
    """The bare GPT-2: a state of each token, from it and those before it.

    Args:
        config: its shape.

    Raises:
        ValueError: the heads do not divide the width.
    """

    positions: Tensor

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        self.drop = Dropout(config.embd_pdrop)
        self.h = nn.ModuleList([GPT2Block(config, layer) for layer in range(config.n_layer)])
        self.ln_f = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.register_buffer("positions", torch.arange(config.n_positions)[None], persistent=False)
        self.gradient_checkpointing_func: Callable[..., Any] | None = None
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the embeddings of tokens."""
        return self.wte

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Put other embeddings of tokens in their place."""
        self.wte = value  # type: ignore[assignment]

    def _prune_all(self, heads_to_prune: dict[int, list[int]]) -> None:
        for layer, heads in heads_to_prune.items():
            self.h[layer].attn.prune_heads(heads)  # type: ignore[union-attr, operator]

    def forward(
        self,
        input_ids: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> BaseModelOutputWithPastAndCrossAttentions | tuple[Any, ...]:
        """Compute the states of a batch.

        Args:
            input_ids: (b, s) tokens; those that `past_key_values` does not have yet.
            past_key_values: what the model returned for the tokens before these.
            attention_mask: (b, k) or (b, s, k): 1 for tokens to look at, 0 for padding; by default all 1.
            token_type_ids: (b, s) tokens whose embeddings are added to say what kind of token each is.
            position_ids: (b, s) places; by default in order, whatever is padded.
            head_mask: (nh,) or (layers, nh): 1 keeps a head, 0 silences it.
            inputs_embeds: (b, s, d) in place of `input_ids`.
            encoder_hidden_states: (b, encoder s, d): what cross attention looks at.
            encoder_attention_mask: (b, encoder s): 1 for what it may look at.
            use_cache: whether to return `past_key_values`; by default as the configuration says.
            output_attentions: return the attention weights of all layers.
            output_hidden_states: return the states of all layers.
            return_dict: return a `ModelOutput` rather than a tuple.

        Inputs of several choices, (b, c, s), are computed as b * c rows.

        Returns:
            `last_hidden_state` (b, s, d), or (b, c, s, d), and what else was asked for.

        Raises:
            ValueError: there are both or neither of `input_ids` and `inputs_embeds`; the sequence is longer
                than the model has positions; the mask has another shape; there is no cross attention.
        """
        config = self.config
        length = given_length(input_ids, inputs_embeds, choices=True)
        if inputs_embeds is None:
            inputs_embeds = self.wte(input_ids)
        shape = inputs_embeds.shape
        if len(shape) == 4:  # rows of choices
            inputs_embeds = inputs_embeds.flatten(0, 1)
            attention_mask, token_type_ids, position_ids = (
                None if tensor is None else tensor.flatten(0, -2)
                for tensor in (attention_mask, token_type_ids, position_ids)
            )

        if output_attentions is None:
            output_attentions = config.output_attentions
        if output_hidden_states is None:
            output_hidden_states = config.output_hidden_states
        checkpoint = self.gradient_checkpointing_func if self.training else None
        wants_all = output_attentions or output_hidden_states or encoder_hidden_states is not None
        wants_all = wants_all or use_cache or past_key_values is not None or len(shape) == 4
        packing = padding_left_out(
            attention_mask,
            unless=not self.training or wants_all or checkpoint is not None,
            causal=True,
        )
        use_cache = config.use_cache and not packing if use_cache is None else use_cache
        if use_cache and checkpoint is not None:
            logger.warning_once(
                "`use_cache=True` does not go with gradient checkpointing: it is set to False."
            )
            use_cache = False
        cache = KeyValueCache.of(past_key_values) if use_cache or past_key_values is not None else None
        past = cache.get_seq_length() if cache is not None else 0
        if position_ids is None:
            check_length(past + length, config.n_positions)
            position_ids = self.positions[:, past : past + length]
        hidden_states = inputs_embeds + self.wpe(position_ids)
        if token_type_ids is not None:
            hidden_states = hidden_states + self.wte(token_type_ids)
        hidden_states = self.drop(hidden_states)

        dtype = torch.float32 if config.reorder_and_upcast_attn else hidden_states.dtype
        bias, is_causal = attention_bias(
            attention_mask,
            num_queries=length,
            num_keys=past + length,
            dtype=dtype,
            device=hidden_states.device,
            is_decoder=True,
        )
        encoder_bias = None
        if encoder_hidden_states is not None:
            if not config.add_cross_attention:
                raise ValueError(
                    "If `encoder_hidden_states` are passed, the model has to have cross-attention layers: "
                    "set `add_cross_attention=True` in its configuration."
                )
            encoder_bias, _ = attention_bias(
                encoder_attention_mask,
                num_queries=length,
                num_keys=encoder_hidden_states.shape[1],
                dtype=dtype,
                device=hidden_states.device,
            )

        head_masks = self.get_head_mask(head_mask, config.n_layer)
        all_states, all_weights, all_cross_weights = [], [], []
        hidden_states = packing.pack(hidden_states)
        with packing:
            for block, factors in zip(self.h, head_masks, strict=True):
                if output_hidden_states:
                    all_states.append(hidden_states)
                inputs = (
                    hidden_states,
                    bias,
                    is_causal,
                    factors,
                    encoder_hidden_states,
                    encoder_bias,
                    cache,
                    output_attentions,
                )
                hidden_states, weights, cross_weights = (
                    checkpoint(block, *inputs) if checkpoint is not None else block(*inputs)
                )
                if output_attentions:
                    all_weights.append(weights)
                    all_cross_weights.append(cross_weights)
        hidden_states = packing.unpack(self.ln_f(hidden_states))
        if len(shape) == 4:
            hidden_states = hidden_states.view(shape)

        has_cross_weights = output_attentions and encoder_hidden_states is not None
        return answer(
            BaseModelOutputWithPastAndCrossAttentions(
                last_hidden_state=hidden_states,
                past_key_values=cache if use_cache else None,
                hidden_states=(*all_states, hidden_states) if output_hidden_states else None,
                attentions=tuple(all_weights) if output_attentions else None,
                cross_attentions=tuple(all_cross_weights) if has_cross_weights else None,
            ),
            config.use_return_dict if return_dict is None else return_dict,
        )
