"""Heads that do the same thing on top of every text encoder, and their losses.

An architecture specialises one by name, and says which base model is underneath:

    class BertForTokenClassification(ForTokenClassification, BertPreTrainedModel):
        def make_base_model(self) -> BertModel:
            return BertModel(self.config, add_pooling_layer=False)

In the shapes, `b` is the batch, `s` the sequence, `c` the number of choices.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from .configuration import PretrainedConfig
from .modeling import PreTrainedModel
from .outputs import (
    ModelOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)

__all__ = [
    "ForMultipleChoice",
    "ForQuestionAnswering",
    "ForSequenceClassification",
    "ForTokenClassification",
    "answer",
    "classification_loss",
    "next_token_loss",
    "span_loss",
    "token_loss",
]

Tensor = torch.Tensor


# Losses


def token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of tokens: logits (b, s, n), labels (b, s), where -100 does not count."""
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.to(logits.device).reshape(-1))


def next_token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each token given those before it: logits (b, s, vocab), labels (b, s)."""
    return token_loss(logits[:, :-1], labels[:, 1:])


def classification_loss(logits: Tensor, labels: Tensor, config: PretrainedConfig) -> Tensor:
    """Loss of a classifier or regressor, for the problem that `config.problem_type` names.

    Without a name, it is a regression for one label, a choice among classes for whole-numbered labels, and
    several yes-or-no questions otherwise; the configuration remembers which.

    Args:
        logits: (b, num_labels).
        labels: (b,) numbers for "regression" (or (b, num_labels)) and classes for
            "single_label_classification", (b, num_labels) of 0.0 and 1.0 for "multi_label_classification".
        config: the model's.
    """
    labels = labels.to(logits.device)
    if config.problem_type is None:
        if config.num_labels == 1:
            config.problem_type = "regression"
        elif labels.dtype in (torch.long, torch.int):
            config.problem_type = "single_label_classification"
        else:
            config.problem_type = "multi_label_classification"
    if config.problem_type == "regression":
        if config.num_labels == 1:
            return F.mse_loss(logits.squeeze(), labels.squeeze())
        return F.mse_loss(logits, labels)
    if config.problem_type == "single_label_classification":
        return F.cross_entropy(logits.view(-1, config.num_labels), labels.view(-1))
    return F.binary_cross_entropy_with_logits(logits, labels)


def span_loss(
    start_logits: Tensor, end_logits: Tensor, start_positions: Tensor, end_positions: Tensor
) -> Tensor:
    """Mean cross-entropy of an answer's two ends: logits (b, s), positions (b,).

    A position beyond the sequence (the answer was truncated away) does not count.
    """
    length = start_logits.shape[1]

    def end_loss(logits: Tensor, positions: Tensor) -> Tensor:
        target = positions.to(logits.device).reshape(logits.shape[0]).clamp(0, length)
        return F.cross_entropy(logits, target, ignore_index=length)

    return (end_loss(start_logits, start_positions) + end_loss(end_logits, end_positions)) / 2


def answer(output: ModelOutput, return_dict: bool) -> Any:
    """Return an output as it is, or as the tuple of what is in it."""
    return output if return_dict else output.to_tuple()


# Heads


class _Head(PreTrainedModel):
    """A base model under its documented name, with dropout and a linear layer on top."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.num_labels = config.num_labels
        setattr(self, self.base_model_prefix, self.make_base_model())
        self.add_head()
        self.post_init()

    def make_base_model(self) -> PreTrainedModel:
        """Build the base model; the architecture says which."""
        raise TypeError(f"{type(self).__name__} does not say which base model it has.")

    def add_head(self) -> None:
        """Build the layers on top."""
        self.dropout = nn.Dropout(_classifier_dropout(self.config))
        self.classifier = nn.Linear(self.config.hidden_size, self.num_labels)

    def run_base_model(self, **inputs: Any) -> Any:
        """Run the base model on those of the inputs that are given, and return its `ModelOutput`."""
        given = {name: value for name, value in inputs.items() if value is not None}
        return self.base_model(**given, return_dict=True)


def _classifier_dropout(config: PretrainedConfig) -> float:
    own = getattr(config, "classifier_dropout", None)
    return config.hidden_dropout_prob if own is None else own


class ForSequenceClassification(_Head):
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
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.classifier(self.dropout(outputs.pooler_output))
        loss = None if labels is None else classification_loss(logits, labels, self.config)
        output = SequenceClassifierOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class ForTokenClassification(_Head):
    """A class for each token, from its state: entities, parts of speech."""

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
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.classifier(self.dropout(outputs.last_hidden_state))
        loss = None if labels is None else token_loss(logits, labels)
        output = TokenClassifierOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class ForQuestionAnswering(_Head):
    """The span of a context that answers a question, from the tokens' states (as SQuAD has it)."""

    def add_head(self) -> None:
        """Build the two scores of each token."""
        self.qa_outputs = nn.Linear(self.config.hidden_size, self.num_labels)

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
        logits = self.qa_outputs(outputs.last_hidden_state)  # (b, s, 2)
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


class ForMultipleChoice(_Head):
    """One of several choices, from a score of each choice's pooled state."""

    def add_head(self) -> None:
        """Build the score of one choice."""
        self.dropout = nn.Dropout(_classifier_dropout(self.config))
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
            input_ids=in_rows(input_ids),
            attention_mask=in_rows(attention_mask),
            token_type_ids=in_rows(token_type_ids),
            position_ids=in_rows(position_ids),
            head_mask=head_mask,
            inputs_embeds=in_rows(inputs_embeds),
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.classifier(self.dropout(outputs.pooler_output)).view(-1, num_choices)
        loss = None if labels is None else F.cross_entropy(logits, labels.to(logits.device))
        output = MultipleChoiceModelOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)
