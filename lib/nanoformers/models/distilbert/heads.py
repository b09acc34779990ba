"""What DistilBERT is used for: tokens to fill in, classes of texts and tokens, answers, choices.

The base model is in `modeling.py`; in the shapes, `b` is the batch, `s` the sequence, `c` the choices, `d`
the width. The heads are those of every encoder, with one more layer before the scores of whole texts; they
take what DistilBERT takes, which has no `token_type_ids`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from ...heads import (
    ForMultipleChoice,
    ForQuestionAnswering,
    ForSequenceClassification,
    ForTokenClassification,
    answer,
    labelled,
    scores_and_loss,
)
from ...nn.activations import get_activation
from ...nn.packing import reading
from ...outputs import (
    MaskedLMOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from .configuration import DistilBertConfig
from .modeling import LAYER_NORM_EPS, DistilBertModel, DistilBertPreTrainedModel

__all__ = [
    "DistilBertForMaskedLM",
    "DistilBertForMultipleChoice",
    "DistilBertForQuestionAnswering",
    "DistilBertForSequenceClassification",
    "DistilBertForTokenClassification",
]

Tensor = torch.Tensor


class DistilBertForMaskedLM(DistilBertPreTrainedModel):
    """DistilBERT that fills in masked tokens."""

    _tied_weights_keys: ClassVar[list[str]] = ["vocab_projector.weight"]

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.activation = get_activation(config.activation)
        self.distilbert = DistilBertModel(config)
        self.vocab_transform = nn.Linear(config.dim, config.dim)
        self.vocab_layer_norm = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPS)
        self.vocab_projector = nn.Linear(config.dim, config.vocab_size)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        """Return the layer that scores tokens."""
        return self.vocab_projector

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Put another layer in place of the one that scores tokens."""
        self.vocab_projector = new_embeddings  # type: ignore[assignment]

    def score(self, states: Tensor) -> Tensor:
        """Score all tokens at each place: (b, s, d) -> (b, s, vocab_size)."""
        states = self.activation(self.vocab_transform(states))
        return self.vocab_projector(self.vocab_layer_norm(states))

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        position_ids: Tensor | None = None,
    ) -> MaskedLMOutput | tuple[Any, ...]:
        """Predict the token at each place.

        It takes what `DistilBertModel` takes, and

        - `labels`: (b, s) the right tokens; -100 (usually all that is not masked) does not count.

        Returns:
            `logits` (b, s, vocab_size), and `loss` when there are labels.
        """
        with reading(labelled(labels)) as read:
            outputs = self.distilbert(
                input_ids,
                attention_mask,
                head_mask,
                inputs_embeds,
                output_attentions,
                output_hidden_states,
                return_dict=True,
                position_ids=position_ids,
            )
        logits, loss = scores_and_loss(self.score, outputs.last_hidden_state, labels, read)
        output = MaskedLMOutput(loss, logits, outputs.hidden_states, outputs.attentions)
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class DistilBertForSequenceClassification(ForSequenceClassification, DistilBertPreTrainedModel):
    """DistilBERT that classifies (or rates) a text or a pair of texts."""

    pools_first_token = True

    def make_base_model(self) -> DistilBertModel:
        """Build a DistilBERT."""
        return DistilBertModel(self.config)

    def add_head(self) -> None:
        """Build a layer that does what BERT's pooler does, and the scores of classes."""
        self.pre_classifier = nn.Linear(self.config.dim, self.config.dim)
        self.classifier = nn.Linear(self.config.dim, self.num_labels)
        self.dropout = nn.Dropout(self.config.seq_classif_dropout)

    def pool(self, outputs: Any) -> Tensor:
        """Make one vector of the first token's state: (b, d)."""
        return F.relu(self.pre_classifier(outputs.last_hidden_state[:, 0]))

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        position_ids: Tensor | None = None,
    ) -> SequenceClassifierOutput | tuple[Any, ...]:
        """Classify whole inputs; see `ForSequenceClassification`."""
        return super().forward(
            input_ids,
            attention_mask,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            labels=labels,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=return_dict,
        )


class DistilBertForMultipleChoice(ForMultipleChoice, DistilBertPreTrainedModel):
    """DistilBERT that chooses one of several continuations."""

    pools_first_token = True

    def make_base_model(self) -> DistilBertModel:
        """Build a DistilBERT."""
        return DistilBertModel(self.config)

    def add_head(self) -> None:
        """Build a layer that does what BERT's pooler does, and the score of one choice."""
        self.pre_classifier = nn.Linear(self.config.dim, self.config.dim)
        self.classifier = nn.Linear(self.config.dim, 1)
        self.dropout = nn.Dropout(self.config.seq_classif_dropout)

    def pool(self, outputs: Any) -> Tensor:
        """Make one vector of the first token's state: (b * c, d)."""
        return F.relu(self.pre_classifier(outputs.last_hidden_state[:, 0]))

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        position_ids: Tensor | None = None,
    ) -> MultipleChoiceModelOutput | tuple[Any, ...]:
        """Score choices; see `ForMultipleChoice`."""
        return super().forward(
            input_ids,
            attention_mask,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            labels=labels,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=return_dict,
        )


class DistilBertForTokenClassification(ForTokenClassification, DistilBertPreTrainedModel):
    """DistilBERT that classifies tokens."""

    def make_base_model(self) -> DistilBertModel:
        """Build a DistilBERT."""
        return DistilBertModel(self.config)

    def add_head(self) -> None:
        """Build the scores of classes."""
        self.dropout = nn.Dropout(self.config.dropout)
        self.classifier = nn.Linear(self.config.dim, self.num_labels)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        position_ids: Tensor | None = None,
    ) -> TokenClassifierOutput | tuple[Any, ...]:
        """Classify tokens; see `ForTokenClassification`."""
        return super().forward(
            input_ids,
            attention_mask,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            labels=labels,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=return_dict,
        )


class DistilBertForQuestionAnswering(ForQuestionAnswering, DistilBertPreTrainedModel):
    """DistilBERT that finds the span of a context which answers a question.

    Raises:
        ValueError: `config.num_labels` is not 2, the start and the end.
    """

    def make_base_model(self) -> DistilBertModel:
        """Build a DistilBERT."""
        return DistilBertModel(self.config)

    def add_head(self) -> None:
        """Build the two scores of each token."""
        if self.num_labels != 2:
            raise ValueError(f"config.num_labels should be 2 (start and end), but it is {self.num_labels}")
        self.qa_outputs = nn.Linear(self.config.dim, 2)
        self.dropout = nn.Dropout(self.config.qa_dropout)

    def to_logits(self, outputs: Any) -> Tensor:
        """Return each token's scores as the start and as the end, (b, s, 2)."""
        return self.qa_outputs(self.dropout(outputs.last_hidden_state))

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        position_ids: Tensor | None = None,
    ) -> QuestionAnsweringModelOutput | tuple[Any, ...]:
        """Score each token as the start, and as the end, of the answer; see `ForQuestionAnswering`."""
        return super().forward(
            input_ids,
            attention_mask,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            start_positions=start_positions,
            end_positions=end_positions,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=return_dict,
        )
