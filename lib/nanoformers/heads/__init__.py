"""Heads that do the same thing on top of every architecture, and their losses.

An architecture specialises one by name, and says which base model is underneath:

    class BertForTokenClassification(ForTokenClassification, BertPreTrainedModel):
        def make_base_model(self) -> BertModel:
            return BertModel(self.config, add_pooling_layer=False)

and overrides what it does in its own way: the layers (`add_head`), the vector of a whole input (`pool`), the
scores (`to_logits`), the inputs (`forward`, which then calls the shared one).
"""

from .base import Head, classifier_dropout
from .decoders import ForSequenceClassificationByLastToken
from .encoder_decoders import (
    Seq2SeqForSequenceClassification,
    as_encoder_outputs,
    seq2seq_answer_span,
    shift_tokens_right,
)
from .encoders import (
    ForMultipleChoice,
    ForQuestionAnswering,
    ForSequenceClassification,
    ForTokenClassification,
)
from .losses import (
    answer,
    classification_loss,
    labelled,
    next_token_loss,
    next_tokens,
    scores_and_loss,
    span_loss,
    token_loss,
)

__all__ = [
    "ForMultipleChoice",
    "ForQuestionAnswering",
    "ForSequenceClassification",
    "ForSequenceClassificationByLastToken",
    "ForTokenClassification",
    "Head",
    "Seq2SeqForSequenceClassification",
    "answer",
    "as_encoder_outputs",
    "classification_loss",
    "classifier_dropout",
    "labelled",
    "next_token_loss",
    "next_tokens",
    "scores_and_loss",
    "seq2seq_answer_span",
    "shift_tokens_right",
    "span_loss",
    "token_loss",
]
