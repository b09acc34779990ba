"""T5: "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer".

Paper: https://arxiv.org/abs/1910.10683. Its blocks are in `blocks.py`; here are the stack of blocks that is
an encoder or a decoder, and the base models; the heads are in `heads.py`.

In the shapes, `b` is the batch, `s` the encoder's sequence, `t` the decoder's, `k` keys (cached ones
included), `d` the width (`d_model`) and `nh` the heads.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import nn

from ...heads import answer, as_encoder_outputs, shift_tokens_right
from ...modeling import PreTrainedModel
from ...nn.cache import KeyValueCache
from ...nn.inputs import given_length
from ...nn.masks import additive, attention_bias, causal
from ...nn.normalization import RMSNorm
from ...nn.packing import Dropout, padding_left_out
from ...nn.positions import RelativePositionBias
from ...outputs import BaseModelOutputWithPastAndCrossAttentions, Seq2SeqModelOutput
from ...utils import logging
from .blocks import T5Block
from .configuration import T5Config

__all__ = ["T5EncoderModel", "T5Model", "T5PreTrainedModel"]

logger = logging.get_logger(__name__)

Tensor = torch.Tensor
PastKeyValues = KeyValueCache | Sequence[Sequence[Tensor]]


class T5PreTrainedModel(PreTrainedModel):
    """What all T5s have in common."""

    config_class = T5Config
    base_model_prefix = "transformer"
    supports_gradient_checkpointing = True
    _keep_in_fp32_modules: ClassVar[list[str]] = ["wo"]
    # that of the first checkpoints, which no T5 has ever used
    _keys_to_ignore_on_load_unexpected: ClassVar[list[str]] = [
        r"decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight"
    ]
    _no_split_modules: ClassVar[list[str]] = ["T5Block"]

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """A small input for a forward pass: `input_ids` and `decoder_input_ids` (3, 5), and a mask."""
        ids = super().dummy_inputs["input_ids"]
        return {"input_ids": ids, "decoder_input_ids": ids, "decoder_attention_mask": (ids != 0).long()}

    def _init_weights(self, module: nn.Module) -> None:
        """Give the weights of one module random values, so spread that states keep their size."""
        factor = self.config.initializer_factor
        if isinstance(module, RMSNorm):
            module.weight.data.fill_(factor)
        elif isinstance(module, RelativePositionBias):
            module.weight.data.normal_(0.0, factor * self.config.d_model**-0.5)
        elif isinstance(module, nn.Embedding):
            module.weight.data.normal_(0.0, factor)
        elif isinstance(module, nn.Linear):
            module.weight.data.normal_(0.0, factor * getattr(module, "spread", module.in_features**-0.5))
            if module.bias is not None:
                module.bias.data.zero_()

    def _resized(self, parameter: nn.Parameter, size: int, spread: float | None = None) -> nn.Parameter:
        """Return the parameter with `size` rows."""
        return super()._resized(parameter, size, self.config.initializer_factor if spread is None else spread)

    def _prune_all(self, heads_to_prune: dict[int, list[int]]) -> None:
        encoder: Any = self.encoder
        for layer, heads in heads_to_prune.items():
            encoder.block[layer].layer[0].SelfAttention.prune_heads(heads)

    def _shift_right(self, input_ids: Tensor) -> Tensor:
        """Turn what the decoder shall say into what it is given; see `shift_tokens_right`."""
        return shift_tokens_right(input_ids, self.config.pad_token_id, self.config.decoder_start_token_id)


class T5Stack(T5PreTrainedModel):
    """The stack of blocks, with embeddings that the encoder and the decoder share.

    Args:
        config: its shape; `is_decoder` says which of the two it is.
        embed_tokens: turns ids into vectors.
    """

    def __init__(self, config: T5Config, embed_tokens: nn.Embedding) -> None:
        super().__init__(config)
        self.embed_tokens = embed_tokens
        self.block = nn.ModuleList(
            [
                T5Block(config, index, has_relative_attention_bias=index == 0)
                for index in range(config.num_layers)
            ]
        )
        self.final_layer_norm = RMSNorm(config.d_model, eps=config.layer_norm_epsilon)
        self.dropout = Dropout(config.dropout_rate)
        self.gradient_checkpointing_func: Callable[..., Any] | None = None

    def get_input_embeddings(self) -> nn.Module:
        """Return the embeddings of tokens."""
        return self.embed_tokens

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Put other embeddings of tokens in their place."""
        self.embed_tokens = value  # type: ignore[assignment]

    def position_bias(self, attention_mask: Tensor | None, num_queries: int, num_keys: int) -> Tensor:
        """Return what is added to the scores in all blocks, (1 or b, nh, t, k): distances and mask."""
        first: Any = self.block[0]
        distances = first.layer[0].SelfAttention.relative_attention_bias(num_queries, num_keys)
        mask, is_causal = attention_bias(
            attention_mask,
            num_queries=num_queries,
            num_keys=num_keys,
            dtype=distances.dtype,
            device=distances.device,
            is_decoder=self.config.is_decoder,
        )
        if is_causal:
            mask = additive(causal(num_queries, num_keys, distances.device), distances.dtype)
        if mask is None:
            return distances
        # what is hidden stays finite: the lowest number minus a bias would be minus infinity in float16
        return (distances + mask).clamp(min=torch.finfo(distances.dtype).min)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> BaseModelOutputWithPastAndCrossAttentions | tuple[Any, ...]:
        """Compute the states of a batch.

        Args:
            input_ids: (b, t) tokens.
            attention_mask: (b, k) or (b, t, k): 1 for tokens to look at, 0 for padding; by default all 1.
            encoder_hidden_states: (b, s, d): what a decoder's cross attention looks at.
            encoder_attention_mask: (b, s): 1 for what it may look at.
            inputs_embeds: (b, t, d) in place of `input_ids`.
            head_mask: (nh,) or (layers, nh): 1 keeps a head, 0 silences it.
            cross_attn_head_mask: the same, of cross attention.
            past_key_values: what a decoder returned for the tokens before these.
            use_cache: whether a decoder returns `past_key_values`; by default as the configuration says.
            output_attentions: return the attention weights of all blocks.
            output_hidden_states: return the states of all blocks.
            return_dict: return a `ModelOutput` rather than a tuple.

        Returns:
            `last_hidden_state` (b, t, d), and what else was asked for.

        Raises:
            ValueError: there are both or neither of `input_ids` and `inputs_embeds`; an encoder is to keep a
                cache, or to look at another encoder; a mask has another shape.
        """
        config = self.config
        length = given_length(input_ids, inputs_embeds, prefix="decoder_" if config.is_decoder else "")
        if not config.is_decoder and (use_cache or encoder_hidden_states is not None):
            raise ValueError("Only a decoder has a cache, or looks at an encoder's states.")
        output_attentions = config.output_attentions if output_attentions is None else output_attentions
        if output_hidden_states is None:
            output_hidden_states = config.output_hidden_states
        checkpoint = self.gradient_checkpointing_func if self.training else None
        wants_all = output_attentions or output_hidden_states or use_cache or past_key_values is not None
        packing = padding_left_out(
            attention_mask,
            unless=not self.training or wants_all or checkpoint is not None,
            causal=config.is_decoder,
            encoder=config.is_encoder_decoder and not config.is_decoder,
        )
        if use_cache is None:
            use_cache = config.use_cache and not packing
        use_cache = config.is_decoder and use_cache
        if use_cache and checkpoint:
            logger.warning_once(
                "`use_cache=True` does not go with gradient checkpointing: it is set to False."
            )
            use_cache = False
        cache = KeyValueCache.of(past_key_values) if use_cache or past_key_values is not None else None

        hidden_states = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        hidden_states = self.dropout(hidden_states)  # (b, t, d)
        past = cache.get_seq_length() if cache is not None else 0
        bias = self.position_bias(attention_mask, length, past + length)
        encoder_bias = None
        if encoder_hidden_states is not None:
            encoder_bias, _ = attention_bias(
                encoder_attention_mask,
                num_queries=length,
                num_keys=encoder_hidden_states.shape[1],
                dtype=bias.dtype,
                device=bias.device,
            )
        head_masks = self.get_head_mask(head_mask, config.num_layers)
        cross_head_masks = self.get_head_mask(cross_attn_head_mask, config.num_layers)

        all_states, all_weights, all_cross_weights = [], [], []
        hidden_states = packing.pack(hidden_states)
        with packing:
            for index, block in enumerate(self.block):
                all_states.append(hidden_states)
                inputs = (
                    hidden_states,
                    bias,
                    head_masks[index],
                    encoder_hidden_states,
                    encoder_bias,
                    cross_head_masks[index],
                    cache,
                    output_attentions,
                )
                hidden_states, weights, cross_weights = (
                    checkpoint(block, *inputs) if checkpoint else block(*inputs)
                )
                all_weights.append(weights)
                all_cross_weights.append(cross_weights)
            hidden_states = self.dropout(self.final_layer_norm(hidden_states))
        hidden_states = packing.unpack(hidden_states)
        all_states.append(hidden_states)
        has_cross_weights = output_attentions and encoder_hidden_states is not None
        return answer(
            BaseModelOutputWithPastAndCrossAttentions(
                last_hidden_state=hidden_states,
                past_key_values=cache if use_cache else None,
                hidden_states=tuple(all_states) if output_hidden_states else None,
                attentions=tuple(all_weights) if output_attentions else None,
                cross_attentions=tuple(all_cross_weights) if has_cross_weights else None,
            ),
            config.use_return_dict if return_dict is None else return_dict,
        )


def part_of(config: T5Config, is_decoder: bool) -> T5Config:
    """Return the configuration of the encoder, or of the decoder."""
    part = copy.deepcopy(config)
    part.is_decoder = is_decoder
    if is_decoder:
        part.num_layers = config.num_decoder_layers
    else:
        part.use_cache = False
    return part


class T5Model(T5PreTrainedModel):
    """The bare T5: states of each of the decoder's tokens.

    Args:
        config: its shape.

    Raises:
        ValueError: there are too few buckets of distances.
    """

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = T5Stack(part_of(config, is_decoder=False), self.shared)
        self.decoder = T5Stack(part_of(config, is_decoder=True), self.shared)
        self.add_head()
        self.post_init()

    def add_head(self) -> None:
        """Build what a model with a head has on top."""

    def get_input_embeddings(self) -> nn.Module:
        """Return the embeddings of tokens, which encoder and decoder share."""
        return self.shared

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Put other embeddings of tokens in their place."""
        self.shared = value  # type: ignore[assignment]
        self.encoder.set_input_embeddings(value)
        self.decoder.set_input_embeddings(value)

    def get_encoder(self) -> T5Stack:
        """Return the encoder."""
        return self.encoder

    def get_decoder(self) -> T5Stack:
        """Return the decoder."""
        return self.decoder

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: PastKeyValues | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Seq2SeqModelOutput | tuple[Any, ...]:
        """Compute the states of a batch.

        Args:
            input_ids: (b, s) tokens for the encoder.
            attention_mask: (b, s): 1 for tokens to look at, 0 for padding, on either side; by default all 1.
            decoder_input_ids: (b, t) tokens for the decoder; with a cache, those that it has not seen yet.
            decoder_attention_mask: (b, k) the decoder's mask, cached tokens included.
            head_mask: (nh,) or (layers, nh), of the encoder: 1 keeps a head, 0 silences it.
            decoder_head_mask: the same, of the decoder's attention to itself; by default `head_mask`, when
                both have as many layers.
            cross_attn_head_mask: the same, of its attention to the encoder.
            encoder_outputs: what the encoder returned for this input, in place of `input_ids`; or a tuple
                whose first element is its states.
            past_key_values: what the decoder returned for the tokens before these.
            inputs_embeds: (b, s, d) in place of `input_ids`.
            decoder_inputs_embeds: (b, t, d) in place of `decoder_input_ids`.
            use_cache: whether to return `past_key_values`; by default as the configuration says.
            output_attentions: return the attention weights of all blocks.
            output_hidden_states: return the states of all blocks.
            return_dict: return a `ModelOutput` rather than a tuple.

        Returns:
            `last_hidden_state` (b, t, d) of the decoder, `encoder_last_hidden_state` (b, s, d), and what else
            was asked for.

        Raises:
            ValueError: there are both or neither of ids and embeddings, for the encoder or the decoder; a
                mask has another shape.
        """
        config = self.config
        shown = {
            "output_attentions": config.output_attentions if output_attentions is None else output_attentions,
            "output_hidden_states": (
                config.output_hidden_states if output_hidden_states is None else output_hidden_states
            ),
        }
        as_deep = config.num_layers == config.num_decoder_layers
        if head_mask is not None and decoder_head_mask is None and as_deep:
            logger.warning_once(
                "`head_mask` without `decoder_head_mask` silences the decoder's heads too; pass "
                "`decoder_head_mask=torch.ones(num_layers, num_heads)` to keep them."
            )
            decoder_head_mask = head_mask
        if encoder_outputs is None:
            encoder_outputs = self.encoder(
                input_ids,
                attention_mask,
                inputs_embeds=inputs_embeds,
                head_mask=head_mask,
                return_dict=True,
                **shown,
            )
        encoded = as_encoder_outputs(encoder_outputs)
        decoded = self.decoder(
            decoder_input_ids,
            decoder_attention_mask,
            encoded.last_hidden_state,
            attention_mask,
            decoder_inputs_embeds,
            decoder_head_mask,
            cross_attn_head_mask,
            past_key_values,
            config.use_cache if use_cache is None else use_cache,
            return_dict=True,
            **shown,
        )
        outputs = Seq2SeqModelOutput(
            last_hidden_state=decoded.last_hidden_state,
            past_key_values=decoded.past_key_values,
            decoder_hidden_states=decoded.hidden_states,
            decoder_attentions=decoded.attentions,
            cross_attentions=decoded.cross_attentions,
            encoder_last_hidden_state=encoded.last_hidden_state,
            encoder_hidden_states=encoded.hidden_states,
            encoder_attentions=encoded.attentions,
        )
        return answer(outputs, config.use_return_dict if return_dict is None else return_dict)


class T5EncoderModel(T5PreTrainedModel):
    """The encoder alone.

    Args:
        config: its shape.
    """

    _keys_to_ignore_on_load_unexpected: ClassVar[list[str]] = [r"decoder"]

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        encoder_config = part_of(config, is_decoder=False)
        encoder_config.is_encoder_decoder = False  # what a head reads are this encoder's own states
        self.encoder = T5Stack(encoder_config, self.shared)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the embeddings of tokens."""
        return self.shared

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Put other embeddings of tokens in their place."""
        self.shared = value  # type: ignore[assignment]
        self.encoder.set_input_embeddings(value)

    def get_encoder(self) -> T5Stack:
        """Return the encoder."""
        return self.encoder

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> BaseModelOutputWithPastAndCrossAttentions | tuple[Any, ...]:
        """Compute the states of a batch: `last_hidden_state` (b, s, d); see `T5Model.forward`."""
        return self.encoder(
            input_ids,
            attention_mask,
            inputs_embeds=inputs_embeds,
            head_mask=head_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=return_dict,
        )
