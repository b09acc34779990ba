"""BERT: "Pre-training of Deep Bidirectional Transformers for Language Understanding".

Paper: https://arxiv.org/abs/1810.04805. Read from top to bottom: embeddings, attention, layer, encoder, the
base model; its heads are in `heads.py`. With `is_decoder` (and `add_cross_attention`) in its configuration,
the same stack is a decoder.

In the shapes, `b` is the batch, `s` the sequence, `k` the keys (cached ones included), `d` the width
(`hidden_size`), `nh` the heads and `hd` the width of one.
"""

from __future__ import annotations

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
from ...nn.layers import apply_chunking_to_forward, find_pruneable_heads_and_indices, prune_linear_layer
from ...nn.masks import attention_bias
from ...nn.packing import Dropout, padding_left_out
from ...outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    BaseModelOutputWithPoolingAndCrossAttentions,
)
from ...utils import logging
from .configuration import BertConfig

__all__ = ["BertModel", "BertPreTrainedModel"]

logger = logging.get_logger(__name__)

Tensor = torch.Tensor
PastKeyValues = KeyValueCache | Sequence[Sequence[Tensor]]


class BertEmbeddings(nn.Module):
    """The sum of what a token is, where it stands, and which text of the pair it belongs to."""

    position_ids: Tensor
    token_type_ids: Tensor

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(
            config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id
        )
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)
        positions = torch.arange(config.max_position_embeddings)[None]  # (1, max_position_embeddings)
        self.register_buffer("position_ids", positions, persistent=False)

    def forward(
        self,
        input_ids: Tensor | None = None,  # (b, s)
        token_type_ids: Tensor | None = None,  # (b, s)
        position_ids: Tensor | None = None,  # (b or 1, s)
        inputs_embeds: Tensor | None = None,  # (b, s, d)
        past_key_values_length: int = 0,
    ) -> Tensor:
        if inputs_embeds is None:
            inputs_embeds = self.word_embeddings(input_ids)
        start, length = past_key_values_length, inputs_embeds.shape[1]
        if position_ids is None:
            position_ids = self.position_ids[:, start : start + length]
        if token_type_ids is None:
            types = self.token_type_embeddings.weight[0]  # (d,): all of the first text
        else:
            types = self.token_type_embeddings(token_type_ids)
        embeddings = inputs_embeds + types + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embeddings))


class BertSelfAttention(nn.Module):
    """Multi-head attention, of a sequence to itself or of a decoder to an encoder's output."""

    def __init__(self, config: BertConfig, layer: int) -> None:
        super().__init__()
        if config.hidden_size % config.num_attention_heads:
            raise ValueError(
                f"The hidden size ({config.hidden_size}) is not a multiple of the number of attention heads "
                f"({config.num_attention_heads})"
            )
        self.layer = layer
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = config.hidden_size // config.num_attention_heads
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout_prob = config.attention_probs_dropout_prob
        self.write_out = config._attn_implementation == "eager"

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
        nh = self.num_attention_heads
        query = split_heads(self.query(hidden_states), nh)  # (b, nh, s, hd)
        kept = cache.encoder(self.layer) if cache is not None and encoder_hidden_states is not None else None
        if kept is not None:
            key, value = kept
        else:
            source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
            key, value = (
                split_heads(self.key(source), nh),
                split_heads(self.value(source), nh),
            )  # (b, nh, k, hd)
            if cache is not None and encoder_hidden_states is None:
                key, value = cache.update(key, value, self.layer)
            elif cache is not None:
                cache.keep_encoder(key, value, self.layer)
        context, weights = attend(
            query,
            key,
            value,
            bias=bias,
            is_causal=is_causal,
            dropout=self.dropout_prob if self.training else 0.0,
            head_mask=head_mask,
            need_weights=output_attentions or self.write_out,
        )
        return merge_heads(context), weights if output_attentions else None  # (b, s, d)


class BertSelfOutput(nn.Module):
    """What attention found, added to what was there."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(hidden_states)) + residual)


class BertAttention(nn.Module):
    """Attention and its residual connection."""

    def __init__(self, config: BertConfig, layer: int) -> None:
        super().__init__()
        self.self = BertSelfAttention(config, layer)
        self.output = BertSelfOutput(config)
        self.pruned_heads: set[int] = set()

    def prune_heads(self, heads: Sequence[int]) -> None:
        """Remove heads, numbered as before anything was pruned."""
        part = self.self
        remaining, index = find_pruneable_heads_and_indices(
            heads, part.num_attention_heads, part.attention_head_size, self.pruned_heads
        )
        if not remaining:
            return
        part.query = prune_linear_layer(part.query, index)
        part.key = prune_linear_layer(part.key, index)
        part.value = prune_linear_layer(part.value, index)
        self.output.dense = prune_linear_layer(self.output.dense, index, dim=1)
        part.num_attention_heads -= len(remaining)
        self.pruned_heads |= remaining

    def forward(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
        context, weights = self.self(hidden_states, *args, **kwargs)
        return self.output(context, hidden_states), weights


class BertIntermediate(nn.Module):
    """The wide half of the feed-forward part."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.intermediate_act_fn = get_activation(config.hidden_act)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.intermediate_act_fn(self.dense(hidden_states))


class BertOutput(nn.Module):
    """The narrow half of the feed-forward part, and its residual connection."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(hidden_states)) + residual)


class BertLayer(nn.Module):
    """Attention to itself, in a decoder perhaps to an encoder's output, then the feed-forward part."""

    def __init__(self, config: BertConfig, layer: int) -> None:
        super().__init__()
        self.chunk_size_feed_forward = config.chunk_size_feed_forward
        self.attention = BertAttention(config, layer)
        if config.add_cross_attention:
            if not config.is_decoder:
                raise ValueError(
                    "add_cross_attention=True needs is_decoder=True: an encoder has no cross attention."
                )
            self.crossattention = BertAttention(config, layer)
        self.intermediate = BertIntermediate(config)
        self.output = BertOutput(config)

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
        hidden_states, weights = self.attention(
            hidden_states, bias, is_causal, head_mask, None, cache, output_attentions
        )
        cross_weights = None
        if encoder_hidden_states is not None:
            hidden_states, cross_weights = self.crossattention(
                hidden_states, encoder_bias, False, head_mask, encoder_hidden_states, cache, output_attentions
            )
        hidden_states = apply_chunking_to_forward(
            self.feed_forward, self.chunk_size_feed_forward, 1, hidden_states
        )
        return hidden_states, weights, cross_weights

    def feed_forward(self, hidden_states: Tensor) -> Tensor:
        """Each token by itself: (b, s, d) -> (b, s, d)."""
        return self.output(self.intermediate(hidden_states), hidden_states)


class BertEncoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList([BertLayer(config, index) for index in range(config.num_hidden_layers)])
        self.gradient_checkpointing_func: Callable[..., Any] | None = None

    def forward(
        self,
        hidden_states: Tensor,  # (b, s, d)
        bias: Tensor | None = None,
        is_causal: bool = False,
        head_mask: Tensor | Sequence[Tensor | None] = (),
        encoder_hidden_states: Tensor | None = None,
        encoder_bias: Tensor | None = None,
        cache: KeyValueCache | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        checkpoint = self.gradient_checkpointing_func if self.training else None
        all_states, all_weights, all_cross_weights = [hidden_states], [], []
        for index, layer in enumerate(self.layer):
            inputs = (
                hidden_states,
                bias,
                is_causal,
                head_mask[index],
                encoder_hidden_states,
                encoder_bias,
                cache,
                output_attentions,
            )
            hidden_states, weights, cross_weights = (
                checkpoint(layer, *inputs) if checkpoint else layer(*inputs)
            )
            if output_hidden_states:
                all_states.append(hidden_states)
            if output_attentions:
                all_weights.append(weights)
                all_cross_weights.append(cross_weights)
        return BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden_states,
            past_key_values=cache,
            hidden_states=tuple(all_states) if output_hidden_states else None,
            attentions=tuple(all_weights) if output_attentions else None,
            cross_attentions=(
                tuple(all_cross_weights) if output_attentions and encoder_hidden_states is not None else None
            ),
        )


class BertPooler(nn.Module):
    """One vector for the whole input, from its first token."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return torch.tanh(self.dense(hidden_states[:, 0]))  # (b, s, d) -> (b, d)


class BertPreTrainedModel(PreTrainedModel):
    """What all BERTs have in common."""

    config_class = BertConfig
    base_model_prefix = "bert"
    supports_gradient_checkpointing = True
    _no_split_modules: ClassVar[list[str]] = ["BertEmbeddings", "BertLayer"]
    _preload_modules: ClassVar[list[str]] = ["BertEmbeddings"]


class BertModel(BertPreTrainedModel):
    """The bare BERT: states of each token, and a pooled one of the input.

    Args:
        config: its shape.
        add_pooling_layer: whether to pool; token-level heads have no use for it.

    Raises:
        ValueError: the configuration cannot be built: heads that do not divide the width, cross attention in
            an encoder, relative positions.
    """

    def __init__(self, config: BertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        if config.position_embedding_type != "absolute":
            raise ValueError(
                f"position_embedding_type={config.position_embedding_type!r}: BERT has absolute positions "
                "here."
            )
        self.embeddings = BertEmbeddings(config)
        self.encoder = BertEncoder(config)
        self.pooler = BertPooler(config) if add_pooling_layer else None
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the embeddings of tokens."""
        return self.embeddings.word_embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Put other embeddings of tokens in their place."""
        self.embeddings.word_embeddings = value  # type: ignore[assignment]

    def _prune_all(self, heads_to_prune: dict[int, list[int]]) -> None:
        for layer, heads in heads_to_prune.items():
            self.encoder.layer[layer].attention.prune_heads(heads)  # type: ignore[union-attr, operator]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions | tuple[Any, ...]:
        """Compute the states of a batch.

        Args:
            input_ids: (b, s) tokens.
            attention_mask: (b, k) or (b, s, k): 1 for tokens to look at, 0 for padding; by default all 1.
            token_type_ids: (b, s) 0 for the first text of a pair, 1 for the second; by default all 0.
            position_ids: (b, s) places; by default in order.
            head_mask: (nh,) or (layers, nh): 1 keeps a head, 0 silences it.
            inputs_embeds: (b, s, d) in place of `input_ids`.
            encoder_hidden_states: (b, encoder s, d): what a decoder's cross attention looks at.
            encoder_attention_mask: (b, encoder s): 1 for what it may look at.
            past_key_values: what a decoder returned for the tokens before these.
            use_cache: whether a decoder returns `past_key_values`; by default as the configuration says.
            output_attentions: return the attention weights of all layers.
            output_hidden_states: return the states of all layers.
            return_dict: return a `ModelOutput` rather than a tuple.

        Returns:
            `last_hidden_state` (b, s, d), `pooler_output` (b, d), and what else was asked for.

        Raises:
            ValueError: there are both or neither of `input_ids` and `inputs_embeds`; the sequence is longer
                than the model has positions; the mask has another shape.
        """
        config = self.config
        length = given_length(input_ids, inputs_embeds)
        use_cache = config.is_decoder and (config.use_cache if use_cache is None else use_cache)
        if use_cache and self.training and self.encoder.gradient_checkpointing_func is not None:
            logger.warning_once(
                "`use_cache=True` does not go with gradient checkpointing: it is set to False."
            )
            use_cache = False
        cache = KeyValueCache.of(past_key_values) if use_cache or past_key_values is not None else None
        past = cache.get_seq_length() if cache is not None else 0
        if position_ids is None:
            check_length(past + length, config.max_position_embeddings)

        embeddings = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds, past)
        dtype, device = embeddings.dtype, embeddings.device
        bias, is_causal = attention_bias(
            attention_mask,
            num_queries=length,
            num_keys=past + length,
            dtype=dtype,
            device=device,
            is_decoder=config.is_decoder,
        )
        encoder_bias = None
        if encoder_hidden_states is not None:
            if not config.add_cross_attention:
                raise ValueError(
                    "encoder_hidden_states needs a model whose configuration has `is_decoder=True` and "
                    "`add_cross_attention=True`."
                )
            encoder_bias, _ = attention_bias(
                encoder_attention_mask,
                num_queries=length,
                num_keys=encoder_hidden_states.shape[1],
                dtype=dtype,
                device=device,
            )

        if output_attentions is None:
            output_attentions = config.output_attentions
        if output_hidden_states is None:
            output_hidden_states = config.output_hidden_states
        checkpoint = self.encoder.gradient_checkpointing_func
        wants_all = output_attentions or output_hidden_states or encoder_hidden_states is not None
        packing = padding_left_out(
            attention_mask,
            unless=not self.training or wants_all or cache is not None or checkpoint is not None,
        )
        with packing:
            outputs = self.encoder(
                packing.pack(embeddings),
                bias,
                is_causal,
                self.get_head_mask(head_mask, config.num_hidden_layers),
                encoder_hidden_states,
                encoder_bias,
                cache,
                output_attentions,
                output_hidden_states,
            )
        states = packing.unpack(outputs.last_hidden_state)
        return answer(
            BaseModelOutputWithPoolingAndCrossAttentions(
                last_hidden_state=states,
                pooler_output=self.pooler(states) if self.pooler is not None else None,
                past_key_values=outputs.past_key_values if use_cache else None,
                hidden_states=outputs.hidden_states,
                attentions=outputs.attentions,
                cross_attentions=outputs.cross_attentions,
            ),
            config.use_return_dict if return_dict is None else return_dict,
        )
