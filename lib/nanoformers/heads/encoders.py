"""Heads on top of an encoder's states: classes of texts and tokens, answers, choices.

Their `forward` takes BERT's inputs. An architecture that lacks one of them, or documents another order,
writes a `forward` with its own and calls this one.

In the shapes, `b` is the batch, `s` the sequence, `c` the number of choices.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ..outputs import (
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from .base import Head, classifier_dropout
from .losses import answer, classification_loss, labelled, span_loss, token_loss

__all__ = [
    "ForMultipleChoice",
    "ForQuestionAnswering",
    "ForSequenceClassification",
    "ForTokenClassification",
]

Tensor = torch.Tensor


class ForSequenceClassification(Head):
    """A class, several classes or a number for each input, from its pooled state."""

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
    ) -> SequenceClassifierOutput | tuple[Any, ...]:
        """Classify whole inputs.

        It takes what the base model takes, and

        - `labels`: see `classification_loss`.

        Returns:
            `logits` (b, num_labels), and `loss` when there are labels.
        """
        outputs = self.run_base_model(
            read=self.first_places(attention_mask, labels),
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.to_logits(outputs)  # (b, num_labels)
        loss = None if labels is None else classification_loss(logits, labels, self.config)
        output = SequenceClassifierOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class ForTokenClassification(Head):
    """A class for each token, from its state: entities, parts of speech."""

    def to_logits(self, outputs: Any) -> Tensor:
        """Return the scores of each token's classes, (b, s, num_labels)."""
        return self.classifier(self.dropout(outputs.last_hidden_state))

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
    ) -> TokenClassifierOutput | tuple[Any, ...]:
        """Classify tokens.

        It takes what the base model takes, and

        - `labels`: (b, s) classes; -100 does not count.

        Returns:
            `logits` (b, s, num_labels), and `loss` when there are labels.
        """
        outputs = self.run_base_model(
            read=labelled(labels),
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.to_logits(outputs)  # (b, s, num_labels)
        loss = None if labels is None else token_loss(logits, labels)
        output = TokenClassifierOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class ForQuestionAnswering(Head):
    """The span of a context that answers a question, from the tokens' states (as SQuAD has it)."""

    def add_head(self) -> None:
        """Build the two scores of each token."""
        self.qa_outputs = nn.Linear(self.config.hidden_size, self.num_labels)

    def to_logits(self, outputs: Any) -> Tensor:
        """Return each token's scores as the start and as the end, (b, s, 2)."""
        return self.qa_outputs(outputs.last_hidden_state)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> QuestionAnsweringModelOutput | tuple[Any, ...]:
        """Score each token as the start, and as the end, of the answer.

        It takes what the base model takes, and

        - `start_positions`: (b,) where the answers start, with `end_positions`; see `span_loss`.
        - `end_positions`: (b,) where they end, the last token included.

        Returns:
            `start_logits` and `end_logits` (b, s), and `loss` when there are positions.
        """
        outputs = self.run_base_model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.to_logits(outputs)  # (b, s, 2)
        start_logits, end_logits = logits[..., 0].contiguous(), logits[..., 1].contiguous()
        loss = None
        if start_positions is not None and end_positions is not None:
            loss = span_loss(start_logits, end_logits, start_positions, end_positions)
        output = QuestionAnsweringModelOutput(
            loss=loss,
            start_logits=start_logits,
            end_logits=end_logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class ForMultipleChoice(Head):
    """One of several choices, from a score of each choice's pooled state."""

    def add_head(self) -> None:
        """Build the score of one choice."""
        self.dropout = nn.Dropout(classifier_dropout(self.config))
        self.classifier = nn.Linear(self.config.hidden_size, 1)

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
    ) -> MultipleChoiceModelOutput | tuple[Any, ...]:
        """Score choices.

        It takes `input_ids` (b, c, s) or `inputs_embeds` (b, c, s, d), the base model's other inputs with the
        dimension of choices too, and

        - `labels`: (b,) the right choices.

        Returns:
            `logits` (b, c), and `loss` when there are labels.
        """
        choices = input_ids if input_ids is not None else inputs_embeds
        if choices is None:
            raise ValueError("You have to specify either input_ids or inputs_embeds")
        num_choices = choices.shape[1]

        def in_rows(tensor: Tensor | None) -> Tensor | None:  # (b, c, ...) -> (b * c, ...)
            return None if tensor is None else tensor.flatten(0, 1)

        outputs = self.run_base_model(
            read=self.first_places(in_rows(attention_mask), labels),
            input_ids=in_rows(input_ids),
            attention_mask=in_rows(attention_mask),
            token_type_ids=in_rows(token_type_ids),
            position_ids=in_rows(position_ids),
            head_mask=head_mask,
            inputs_embeds=in_rows(inputs_embeds),
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.to_logits(outputs).view(-1, num_choices)  # (b * c, 1) -> (b, c)
        loss = None if labels is None else F.cross_entropy(logits, labels.to(logits.device))
        output = MultipleChoiceModelOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)
