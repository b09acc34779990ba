"""What BERT is used for: tokens to fill in or to go on with, pairs of texts, classes, answers, choices.

The base model is in `modeling.py`; in the shapes, `b` is the batch, `s` the sequence, `d` the width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from ...heads import (
    ForMultipleChoice,
    ForQuestionAnswering,
    ForSequenceClassification,
    ForTokenClassification,
    answer,
    labelled,
    next_tokens,
    scores_and_loss,
    token_loss,
)
from ...nn.activations import get_activation
from ...nn.packing import reading
from ...outputs import (
    CausalLMOutputWithCrossAttentions,
    MaskedLMOutput,
    ModelOutput,
    NextSentencePredictorOutput,
)
from ...utils import logging
from .configuration import BertConfig
from .modeling import BertModel, BertPreTrainedModel, PastKeyValues

__all__ = [
    "BertForMaskedLM",
    "BertForMultipleChoice",
    "BertForNextSentencePrediction",
    "BertForPreTraining",
    "BertForPreTrainingOutput",
    "BertForQuestionAnswering",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertLMHeadModel",
]

logger = logging.get_logger(__name__)

Tensor = torch.Tensor


class BertPredictionHeadTransform(nn.Module):
    """One more layer before the scores of tokens."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.transform_act_fn = get_activation(config.hidden_act)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.LayerNorm(self.transform_act_fn(self.dense(hidden_states)))


class BertLMPredictionHead(nn.Module):
    """Scores of all tokens for each place; its weight is that of the embeddings, unless they are untied."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.transform = BertPredictionHeadTransform(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.bias = self.decoder.bias  # checkpoints have it under both names

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.decoder(self.transform(hidden_states))  # (b, s, d) -> (b, s, vocab_size)


class BertOnlyMLMHead(nn.Module):
    """The head that predicts tokens."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.predictions = BertLMPredictionHead(config)

    def forward(self, sequence_output: Tensor) -> Tensor:
        return self.predictions(sequence_output)


class BertOnlyNSPHead(nn.Module):
    """The head that tells whether the second text follows the first."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.seq_relationship = nn.Linear(config.hidden_size, 2)

    def forward(self, pooled_output: Tensor) -> Tensor:
        return self.seq_relationship(pooled_output)  # (b, d) -> (b, 2)


class BertPreTrainingHeads(nn.Module):
    """Both."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.predictions = BertLMPredictionHead(config)
        self.seq_relationship = nn.Linear(config.hidden_size, 2)

    def forward(self, sequence_output: Tensor, pooled_output: Tensor) -> tuple[Tensor, Tensor]:
        return self.predictions(sequence_output), self.seq_relationship(pooled_output)


class _BertThatPredictsTokens(BertPreTrainedModel):
    """What the models with a `cls.predictions` have in common."""

    cls: BertOnlyMLMHead | BertPreTrainingHeads
    _tied_weights_keys: ClassVar[list[str]] = [
        "cls.predictions.decoder.weight",
        "cls.predictions.decoder.bias",
    ]

    def get_output_embeddings(self) -> nn.Module:
        """Return the layer that scores tokens."""
        return self.cls.predictions.decoder

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Put another layer in place of the one that scores tokens."""
        self.cls.predictions.decoder = new_embeddings  # type: ignore[assignment]
        self.tie_weights()

    def tie_weights(self) -> None:
        """Let the scores' weight be the embeddings', and their bias have both its names."""
        super().tie_weights()
        self.cls.predictions.bias = self.cls.predictions.decoder.bias


@dataclass
class BertForPreTrainingOutput(ModelOutput):
    """`prediction_logits` (b, s, vocab_size), `seq_relationship_logits` (b, 2), and the losses' sum."""

    loss: Tensor | None = None
    prediction_logits: Tensor | None = None
    seq_relationship_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class BertForPreTraining(_BertThatPredictsTokens):
    """BERT as it was trained: masked tokens, and whether the second text follows the first."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        self.cls = BertPreTrainingHeads(config)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        next_sentence_label: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> BertForPreTrainingOutput | tuple[Any, ...]:
        """Predict tokens, and whether the texts belong together.

        It takes what `BertModel` takes, and

        - `labels`: (b, s) the right tokens; -100 does not count.
        - `next_sentence_label`: (b,) 0 when the second text follows the first, 1 when it does not.

        Returns:
            Both logits, and `loss` when both kinds of labels are given.
        """
        outputs = self.bert(
            input_ids,
            attention_mask,
            token_type_ids,
            position_ids,
            head_mask,
            inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=True,
        )
        scores, relationship = self.cls(outputs.last_hidden_state, outputs.pooler_output)
        loss = None
        if labels is not None and next_sentence_label is not None:
            loss = token_loss(scores, labels) + token_loss(relationship, next_sentence_label)
        output = BertForPreTrainingOutput(
            loss, scores, relationship, outputs.hidden_states, outputs.attentions
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class BertLMHeadModel(_BertThatPredictsTokens):
    """BERT as a decoder that predicts the next token (`is_decoder=True` in its configuration)."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        if not config.is_decoder:
            logger.warning("If you want to use `BertLMHeadModel` as a standalone, add `is_decoder=True.`")
        self.bert = BertModel(config, add_pooling_layer=False)
        self.cls = BertOnlyMLMHead(config)
        self.post_init()

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
        labels: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> CausalLMOutputWithCrossAttentions | tuple[Any, ...]:
        """Predict each next token.

        It takes what `BertModel` takes, and

        - `labels`: (b, s) usually `input_ids` themselves (they are shifted here); -100 does not count. With
          labels, no cache is kept.

        Returns:
            `logits` (b, s, vocab_size), `loss` when there are labels, `past_key_values`.
        """
        labels = next_tokens(labels)
        with reading(labelled(labels)) as read:
            outputs = self.bert(
                input_ids,
                attention_mask,
                token_type_ids,
                position_ids,
                head_mask,
                inputs_embeds,
                encoder_hidden_states,
                encoder_attention_mask,
                past_key_values,
                False if labels is not None else use_cache,
                output_attentions,
                output_hidden_states,
                return_dict=True,
            )
        logits, loss = scores_and_loss(self.cls, outputs.last_hidden_state, labels, read)
        output = CausalLMOutputWithCrossAttentions(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            cross_attentions=outputs.cross_attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class BertForMaskedLM(_BertThatPredictsTokens):
    """BERT that fills in masked tokens."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        if config.is_decoder:
            logger.warning(
                "If you want to use `BertForMaskedLM` make sure `config.is_decoder=False` for bi-directional "
                "self-attention."
            )
        self.bert = BertModel(config, add_pooling_layer=False)
        self.cls = BertOnlyMLMHead(config)
        self.post_init()

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
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> MaskedLMOutput | tuple[Any, ...]:
        """Predict the token at each place.

        It takes what `BertModel` takes, and

        - `labels`: (b, s) the right tokens; -100 (usually all that is not masked) does not count.

        Returns:
            `logits` (b, s, vocab_size), and `loss` when there are labels.
        """
        with reading(labelled(labels)) as read:
            outputs = self.bert(
                input_ids,
                attention_mask,
                token_type_ids,
                position_ids,
                head_mask,
                inputs_embeds,
                encoder_hidden_states,
                encoder_attention_mask,
                output_attentions=output_attentions,
                output_hidden_states=output_hidden_states,
                return_dict=True,
            )
        logits, loss = scores_and_loss(self.cls, outputs.last_hidden_state, labels, read)
        output = MaskedLMOutput(loss, logits, outputs.hidden_states, outputs.attentions)
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class BertForNextSentencePrediction(BertPreTrainedModel):
    """BERT that tells whether the second text of a pair follows the first."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        self.cls = BertOnlyNSPHead(config)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> NextSentencePredictorOutput | tuple[Any, ...]:
        """Score both cases.

        It takes what `BertModel` takes, and

        - `labels`: (b,) 0 when the second text follows the first, 1 when it does not.

        Returns:
            `logits` (b, 2), and `loss` when there are labels.
        """
        outputs = self.bert(
            input_ids,
            attention_mask,
            token_type_ids,
            position_ids,
            head_mask,
            inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=True,
        )
        logits = self.cls(outputs.pooler_output)
        loss = None if labels is None else token_loss(logits, labels)
        output = NextSentencePredictorOutput(loss, logits, outputs.hidden_states, outputs.attentions)
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class BertForSequenceClassification(ForSequenceClassification, BertPreTrainedModel):
    """BERT that classifies (or rates) a text or a pair of texts."""

    pools_first_token = True

    def make_base_model(self) -> BertModel:
        """Build a BERT that pools."""
        return BertModel(self.config)


class BertForMultipleChoice(ForMultipleChoice, BertPreTrainedModel):
    """BERT that chooses one of several continuations."""

    pools_first_token = True

    def make_base_model(self) -> BertModel:
        """Build a BERT that pools."""
        return BertModel(self.config)


class BertForTokenClassification(ForTokenClassification, BertPreTrainedModel):
    """BERT that classifies tokens."""

    def make_base_model(self) -> BertModel:
        """Build a BERT that does not pool."""
        return BertModel(self.config, add_pooling_layer=False)


class BertForQuestionAnswering(ForQuestionAnswering, BertPreTrainedModel):
    """BERT that finds the span of a context which answers a question."""

    def make_base_model(self) -> BertModel:
        """Build a BERT that does not pool."""
        return BertModel(self.config, add_pooling_layer=False)
