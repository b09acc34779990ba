"""DistilBERT: "a distilled version of BERT: smaller, faster, cheaper and lighter".

Paper: https://arxiv.org/abs/1910.01108. Half of BERT's layers, without its types of tokens and its pooler.
Read from top to bottom: embeddings, attention, layer, stack, the base model; its heads are in `heads.py`.

In the shapes, `b` is the batch, `s` the sequence, `d` the width (`dim`), `nh` the heads.
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
from ...nn.inputs import check_length, given_length
from ...nn.layers import apply_chunking_to_forward, find_pruneable_heads_and_indices, prune_linear_layer
from ...nn.masks import attention_bias
from ...nn.packing import Dropout, padding_left_out
from ...nn.positions import sinusoidal_positions
from ...outputs import BaseModelOutput
from .configuration import DistilBertConfig

__all__ = ["DistilBertModel", "DistilBertPreTrainedModel"]

Tensor = torch.Tensor

LAYER_NORM_EPS = 1e-12


class Embeddings(nn.Module):
    """The sum of what a token is and where it stands."""

    position_ids: Tensor

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.dim, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.dim)
        self.position_embeddings.weight.requires_grad_(not config.sinusoidal_pos_embds)
        self.LayerNorm = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPS)
        self.dropout = Dropout(config.dropout)
        positions = torch.arange(config.max_position_embeddings)[None]  # (1, max_position_embeddings)
        self.register_buffer("position_ids", positions, persistent=False)

    def forward(
        self,
        input_ids: Tensor | None = None,  # (b, s)
        position_ids: Tensor | None = None,  # (b or 1, s)
        inputs_embeds: Tensor | None = None,  # (b, s, d)
    ) -> Tensor:
        if inputs_embeds is None:
            inputs_embeds = self.word_embeddings(input_ids)
        if position_ids is None:
            position_ids = self.position_ids[:, : inputs_embeds.shape[1]]
        return self.dropout(self.LayerNorm(inputs_embeds + self.position_embeddings(position_ids)))


class MultiHeadSelfAttention(nn.Module):
    """Multi-head attention of a sequence to itself."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        if config.dim % config.n_heads:
            raise ValueError(
                f"The width (dim={config.dim}) is not a multiple of the number of attention heads "
                f"(n_heads={config.n_heads})"
            )
        self.n_heads = config.n_heads
        self.attention_head_size = config.dim // config.n_heads
        self.q_lin = nn.Linear(config.dim, config.dim)
        self.k_lin = nn.Linear(config.dim, config.dim)
        self.v_lin = nn.Linear(config.dim, config.dim)
        self.out_lin = nn.Linear(config.dim, config.dim)
        self.dropout_prob = config.attention_dropout
        self.write_out = config._attn_implementation == "eager"
        self.pruned_heads: set[int] = set()

    def prune_heads(self, heads: Sequence[int]) -> None:
        """Remove heads, numbered as before anything was pruned."""
        remaining, index = find_pruneable_heads_and_indices(
            heads, self.n_heads, self.attention_head_size, self.pruned_heads
        )
        if not remaining:
            return
        self.q_lin = prune_linear_layer(self.q_lin, index)
        self.k_lin = prune_linear_layer(self.k_lin, index)
        self.v_lin = prune_linear_layer(self.v_lin, index)
        self.out_lin = prune_linear_layer(self.out_lin, index, dim=1)
        self.n_heads -= len(remaining)
        self.pruned_heads |= remaining

    def forward(
        self,
        hidden_states: Tensor,  # (b, s, d)
        bias: Tensor | None = None,  # broadcastable to (b, nh, s, s)
        head_mask: Tensor | None = None,  # (1, nh, 1, 1)
        output_attentions: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        context, weights = attend(
            split_heads(self.q_lin(hidden_states), self.n_heads),
            split_heads(self.k_lin(hidden_states), self.n_heads),
            split_heads(self.v_lin(hidden_states), self.n_heads),
            bias=bias,
            dropout=self.dropout_prob if self.training else 0.0,
            head_mask=head_mask,
            need_weights=output_attentions or self.write_out,
        )
        return self.out_lin(merge_heads(context)), weights if output_attentions else None


class FFN(nn.Module):
    """The feed-forward part: each token by itself."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.chunk_size_feed_forward = config.chunk_size_feed_forward
        self.dropout = Dropout(config.dropout)
        self.lin1 = nn.Linear(config.dim, config.hidden_dim)
        self.lin2 = nn.Linear(config.hidden_dim, config.dim)
        self.activation = get_activation(config.activation)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return apply_chunking_to_forward(self.ff_chunk, self.chunk_size_feed_forward, 1, hidden_states)

    def ff_chunk(self, hidden_states: Tensor) -> Tensor:
        """Some tokens: (b, piece of s, d) -> (b, piece of s, d)."""
        return self.dropout(self.lin2(self.activation(self.lin1(hidden_states))))


class TransformerBlock(nn.Module):
    """Attention, then the feed-forward part, each with its residual connection."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.attention = MultiHeadSelfAttention(config)
        self.sa_layer_norm = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPS)
        self.ffn = FFN(config)
        self.output_layer_norm = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPS)

    def forward(
        self,
        hidden_states: Tensor,  # (b, s, d)
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        found, weights = self.attention(hidden_states, bias, head_mask, output_attentions)
        hidden_states = self.sa_layer_norm(found + hidden_states)
        return self.output_layer_norm(self.ffn(hidden_states) + hidden_states), weights


class Transformer(nn.Module):
    """The stack of layers."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList([TransformerBlock(config) for _ in range(config.n_layers)])
        self.gradient_checkpointing_func: Callable[..., Any] | None = None

    def forward(
        self,
        hidden_states: Tensor,  # (b, s, d)
        bias: Tensor | None = None,
        head_mask: Tensor | Sequence[Tensor | None] = (),
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> BaseModelOutput:
        checkpoint = self.gradient_checkpointing_func if self.training else None
        all_states, all_weights = [hidden_states], []
        for index, layer in enumerate(self.layer):
            inputs = hidden_states, bias, head_mask[index], output_attentions
            hidden_states, weights = checkpoint(layer, *inputs) if checkpoint else layer(*inputs)
            if output_hidden_states:
                all_states.append(hidden_states)
            if output_attentions:
                all_weights.append(weights)
        return BaseModelOutput(
            last_hidden_state=hidden_states,
            hidden_states=tuple(all_states) if output_hidden_states else None,
            attentions=tuple(all_weights) if output_attentions else None,
        )


class DistilBertPreTrainedModel(PreTrainedModel):
    """What all DistilBERTs have in common."""

    config_class = DistilBertConfig
    base_model_prefix = "distilbert"
    supports_gradient_checkpointing = True
    _no_split_modules: ClassVar[list[str]] = ["TransformerBlock"]

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, Embeddings) and self.config.sinusoidal_pos_embds:
            weight = module.position_embeddings.weight
            weight.data.copy_(sinusoidal_positions(*weight.shape))

    def get_position_embeddings(self) -> nn.Embedding:
        """Return the embeddings of places."""
        return self.base_model.embeddings.position_embeddings  # type: ignore[union-attr, return-value]

    def resize_position_embeddings(self, new_num_position_embeddings: int) -> None:
        """Make room for longer sequences (or for shorter ones only).

        Places that there were keep their vectors; new ones get random vectors, or sinusoids where the
        configuration says so.

        Args:
            new_num_position_embeddings: greatest length of a sequence from now on.
        """
        embeddings: Any = self.base_model.embeddings
        if new_num_position_embeddings == self.config.max_position_embeddings:
            return
        weight = self._resized(embeddings.position_embeddings.weight, new_num_position_embeddings)
        if self.config.sinusoidal_pos_embds:
            weight.data.copy_(sinusoidal_positions(*weight.shape))
        embeddings.position_embeddings = nn.Embedding(weight.shape[0], weight.shape[1], device="meta")
        embeddings.position_embeddings.weight = weight
        embeddings.position_ids = torch.arange(new_num_position_embeddings, device=weight.device)[None]
        self.config.max_position_embeddings = new_num_position_embeddings


class DistilBertModel(DistilBertPreTrainedModel):
    """The bare DistilBERT: states of each token.

    Args:
        config: its shape.

    Raises:
        ValueError: the heads do not divide the width.
    """

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.embeddings = Embeddings(config)
        self.transformer = Transformer(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the embeddings of tokens."""
        return self.embeddings.word_embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Put other embeddings of tokens in their place."""
        self.embeddings.word_embeddings = value  # type: ignore[assignment]

    def _prune_all(self, heads_to_prune: dict[int, list[int]]) -> None:
        for layer, heads in heads_to_prune.items():
            self.transformer.layer[layer].attention.prune_heads(heads)  # type: ignore[union-attr, operator]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        position_ids: Tensor | None = None,
    ) -> BaseModelOutput | tuple[Any, ...]:
        """Compute the states of a batch.

        Args:
            input_ids: (b, s) tokens.
            attention_mask: (b, s) or (b, s, s): 1 for tokens to look at, 0 for padding; by default all 1.
            head_mask: (nh,) or (layers, nh): 1 keeps a head, 0 silences it.
            inputs_embeds: (b, s, d) in place of `input_ids`.
            output_attentions: return the attention weights of all layers.
            output_hidden_states: return the states of all layers.
            return_dict: return a `ModelOutput` rather than a tuple.
            position_ids: (b, s) places; by default in order.

        Returns:
            `last_hidden_state` (b, s, d), and what else was asked for.

        Raises:
            ValueError: there are both or neither of `input_ids` and `inputs_embeds`; the sequence is longer
                than the model has positions; the mask has another shape.
        """
        config = self.config
        length = given_length(input_ids, inputs_embeds)
        if position_ids is None:
            check_length(length, config.max_position_embeddings)

        embeddings = self.embeddings(input_ids, position_ids, inputs_embeds)
        bias, _ = attention_bias(
            attention_mask,
            num_queries=length,
            num_keys=length,
            dtype=embeddings.dtype,
            device=embeddings.device,
        )
        if output_attentions is None:
            output_attentions = config.output_attentions
        if output_hidden_states is None:
            output_hidden_states = config.output_hidden_states
        checkpoint = self.transformer.gradient_checkpointing_func
        wants_all = output_attentions or output_hidden_states
        packing = padding_left_out(
            attention_mask, unless=not self.training or wants_all or checkpoint is not None
        )
        with packing:
            outputs = self.transformer(
                packing.pack(embeddings),
                bias,
                self.get_head_mask(head_mask, config.n_layers),
                output_attentions,
                output_hidden_states,
            )
        outputs.last_hidden_state = packing.unpack(outputs.last_hidden_state)
        return answer(outputs, config.use_return_dict if return_dict is None else return_dict)
