"""Heads that do the same thing on top of every architecture, and their losses.

An architecture specialises one by name, and says which base model is underneath:

    class BertForTokenClassification(ForTokenClassification, BertPreTrainedModel):
        def make_base_model(self) -> BertModel:
            return BertModel(self.config, add_pooling_layer=False)
"""

from .base import Head, classifier_dropout
from .encoders import (
    ForMultipleChoice,
    ForQuestionAnswering,
    ForSequenceClassification,
    ForTokenClassification,
)
from .losses import answer, classification_loss, next_token_loss, span_loss, token_loss

__all__ = [
    "ForMultipleChoice",
    "ForQuestionAnswering",
    "ForSequenceClassification",
    "ForTokenClassification",
    "Head",
    "answer",
    "classification_loss",
    "classifier_dropout",
    "next_token_loss",
    "span_loss",
    "token_loss",
]
