"""What GPT-2 is used for: text to go on with, choices, classes, answers.

The base model is in `modeling.py`; in the shapes, `b` is the batch, `c` the number of choices, `s` the
sequence, `d` the width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from ...heads import (
    ForQuestionAnswering,
    ForSequenceClassificationByLastToken,
    ForTokenClassification,
    answer,
    labelled,
    next_tokens,
    scores_and_loss,
    token_loss,
)
from ...nn.packing import reading
from ...nn.single_row import Linear
from ...nn.summary import SequenceSummary
from ...outputs import (
    CausalLMOutputWithCrossAttentions,
    ModelOutput,
    SequenceClassifierOutputWithPast,
    TokenClassifierOutput,
)
from .configuration import GPT2Config
from .modeling import GPT2Model, GPT2PreTrainedModel, PastKeyValues

__all__ = [
    "GPT2DoubleHeadsModel",
    "GPT2DoubleHeadsModelOutput",
    "GPT2ForQuestionAnswering",
    "GPT2ForSequenceClassification",
    "GPT2ForTokenClassification",
    "GPT2LMHeadModel",
]

Tensor = torch.Tensor


class _GPT2ThatPredictsTokens(GPT2PreTrainedModel):
    """What the models with an `lm_head` have in common."""

    _tied_weights_keys: ClassVar[list[str]] = ["lm_head.weight"]

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.transformer = GPT2Model(config)
        self.lm_head = Linear(config.n_embd, config.vocab_size, bias=False)

    def get_output_embeddings(self) -> nn.Module:
        """Return the layer that scores tokens."""
        return self.lm_head

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Put another layer in place of the one that scores tokens."""
        self.lm_head = new_embeddings  # type: ignore[assignment]


class GPT2LMHeadModel(_GPT2ThatPredictsTokens):
    """GPT-2 as it was trained: it predicts the next token. The scores' weight is that of the embeddings."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.post_init()

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
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        logits_to_keep: int = 0,
    ) -> CausalLMOutputWithCrossAttentions | tuple[Any, ...]:
        """Predict each next token.

        It takes what `GPT2Model` takes, and

        - `labels`: (b, s) the tokens themselves (they are shifted here); -100 does not count.
        - `logits_to_keep`: score only so many of the last places, since a long prompt's scores take much
          memory and generation wants the last; 0 for all.

        Returns:
            `logits` (b, s, vocab_size), `loss` when there are labels, and what else was asked for.
        """
        labels = next_tokens(labels)
        with reading(None if logits_to_keep else labelled(labels)) as read:
            outputs = self.transformer(
                input_ids,
                past_key_values,
                attention_mask,
                token_type_ids,
                position_ids,
                head_mask,
                inputs_embeds,
                encoder_hidden_states,
                encoder_attention_mask,
                use_cache,
                output_attentions,
                output_hidden_states,
                return_dict=True,
            )
        states = outputs.last_hidden_state
        if logits_to_keep:
            states, labels = (
                states[:, -logits_to_keep:],
                None if labels is None else labels[:, -logits_to_keep:],
            )
        logits, loss = scores_and_loss(self.lm_head, states, labels, read)
        output = CausalLMOutputWithCrossAttentions(
            loss,
            logits,
            outputs.past_key_values,
            outputs.hidden_states,
            outputs.attentions,
            outputs.cross_attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


@dataclass
class GPT2DoubleHeadsModelOutput(ModelOutput):
    """`logits` (b, c, s, vocab_size), `mc_logits` (b, c), and the loss of each."""

    loss: Tensor | None = None
    mc_loss: Tensor | None = None
    logits: Tensor | None = None
    mc_logits: Tensor | None = None
    past_key_values: Any = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class GPT2DoubleHeadsModel(_GPT2ThatPredictsTokens):
    """GPT-2 that predicts the next token, and which of several texts is the right one."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        config.num_labels = 1  # a choice gets one score
        self.multiple_choice_head = SequenceSummary(config)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        mc_token_ids: Tensor | None = None,
        labels: Tensor | None = None,
        mc_labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> GPT2DoubleHeadsModelOutput | tuple[Any, ...]:
        """Predict tokens, and score choices.

        It takes what `GPT2Model` takes, with a dimension of choices, (b, c, s), and

        - `mc_token_ids`: (b, c) the place of each choice's classification token; by default the last.
        - `labels`: (b, c, s) the tokens themselves (they are shifted here); -100 does not count.
        - `mc_labels`: (b,) the right choices.

        Returns:
            Both logits, the losses of those labels that are given, and what else was asked for.
        """
        outputs = self.transformer(
            input_ids,
            past_key_values,
            attention_mask,
            token_type_ids,
            position_ids,
            head_mask,
            inputs_embeds,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=True,
        )
        states = outputs.last_hidden_state
        logits = self.lm_head(states)
        mc_logits = self.multiple_choice_head(states, mc_token_ids).squeeze(-1)
        output = GPT2DoubleHeadsModelOutput(
            None if labels is None else token_loss(logits[..., :-1, :], labels[..., 1:]),
            None if mc_labels is None else token_loss(mc_logits, mc_labels),
            logits,
            mc_logits,
            outputs.past_key_values,
            outputs.hidden_states,
            outputs.attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class GPT2ForSequenceClassification(ForSequenceClassificationByLastToken, GPT2PreTrainedModel):
    """GPT-2 with a head that classifies texts, by their last token."""

    def make_base_model(self) -> GPT2Model:
        """Build a GPT-2."""
        return GPT2Model(self.config)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> SequenceClassifierOutputWithPast | tuple[Any, ...]:
        """Classify whole texts; see `ForSequenceClassificationByLastToken.forward`."""
        return super().forward(
            input_ids,
            attention_mask,
            position_ids,
            past_key_values,
            inputs_embeds,
            labels,
            use_cache,
            output_attentions,
            output_hidden_states,
            return_dict,
            token_type_ids=token_type_ids,
            head_mask=head_mask,
        )


class GPT2ForTokenClassification(ForTokenClassification, GPT2PreTrainedModel):
    """GPT-2 with a head that classifies tokens."""

    def make_base_model(self) -> GPT2Model:
        """Build a GPT-2."""
        return GPT2Model(self.config)

    def add_head(self) -> None:
        """Build the classifier."""
        own = getattr(self.config, "classifier_dropout", None)
        other = getattr(self.config, "hidden_dropout", None)
        self.dropout = nn.Dropout(next((p for p in (own, other) if p is not None), 0.1))
        self.classifier = nn.Linear(self.config.n_embd, self.num_labels)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> TokenClassifierOutput | tuple[Any, ...]:
        """Classify tokens.

        It takes what `GPT2Model` takes, and

        - `labels`: (b, s) classes; -100 does not count.

        Returns:
            `logits` (b, s, num_labels), and `loss` when there are labels.
        """
        outputs = self.run_base_model(
            input_ids=input_ids,
            past_key_values=past_key_values,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            use_cache=bool(use_cache),
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.to_logits(outputs)  # (b, s, num_labels)
        output = TokenClassifierOutput(
            loss=None if labels is None else token_loss(logits, labels),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class GPT2ForQuestionAnswering(ForQuestionAnswering, GPT2PreTrainedModel):
    """GPT-2 that finds the span of a context which answers a question."""

    def make_base_model(self) -> GPT2Model:
        """Build a GPT-2."""
        return GPT2Model(self.config)

    def add_head(self) -> None:
        """Build the two scores of each token."""
        self.qa_outputs = nn.Linear(self.config.n_embd, 2)

    def run_base_model(self, **inputs: Any) -> Any:
        """Run the base model; its keys and values would serve nobody."""
        return super().run_base_model(**inputs, use_cache=False)
