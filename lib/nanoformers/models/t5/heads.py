"""What T5 is used for: text from text, and classes of texts and tokens, and answers.

The base model is in `modeling.py`; in the shapes, `b` is the batch, `s` the encoder's sequence, `t` the
decoder's, `d` the width.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import nn

from ...heads import (
    ForTokenClassification,
    Seq2SeqForSequenceClassification,
    answer,
    labelled,
    scores_and_loss,
    seq2seq_answer_span,
)
from ...nn.packing import reading
from ...nn.single_row import Linear
from ...outputs import Seq2SeqLMOutput, Seq2SeqQuestionAnsweringModelOutput, TokenClassifierOutput
from .blocks import with_spread
from .modeling import PastKeyValues, T5EncoderModel, T5Model, T5PreTrainedModel

__all__ = [
    "T5ForConditionalGeneration",
    "T5ForQuestionAnswering",
    "T5ForSequenceClassification",
    "T5ForTokenClassification",
]

Tensor = torch.Tensor


class T5ForConditionalGeneration(T5Model):
    """T5 that writes a text for a text: a translation, a summary, an answer."""

    _tied_weights_keys: ClassVar[list[str]] = ["lm_head.weight"]
    # newer files leave out scores that equal the embeddings, in the shape of release 1.1 too, which ties none
    _copied_on_load: ClassVar[dict[str, str]] = {"lm_head.weight": "shared.weight"}

    def add_head(self) -> None:
        """Build the scores of tokens."""
        self.lm_head = with_spread(Linear(self.config.d_model, self.config.vocab_size, bias=False), 1.0)

    def get_output_embeddings(self) -> nn.Module:
        """Return the layer that scores tokens."""
        return self.lm_head

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Put another layer in place of the one that scores tokens."""
        self.lm_head = new_embeddings  # type: ignore[assignment]

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """Return what the decoder is given so that it learns to say the labels (b, t)."""
        return self._shift_right(labels)

    def forward(  # type: ignore[override]
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
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Seq2SeqLMOutput | tuple[Any, ...]:
        """Predict each next token of the decoder.

        It takes what `T5Model` takes, and

        - `labels`: (b, t) what the decoder shall say; -100 does not count. The decoder's input is made of
          them when it is not given.

        Returns:
            `logits` (b, t, vocab_size), `loss` when there are labels, `past_key_values`.
        """
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self._shift_right(labels)
        with reading(labelled(labels)) as read:
            outputs: Any = super().forward(
                input_ids,
                attention_mask,
                decoder_input_ids,
                decoder_attention_mask,
                head_mask,
                decoder_head_mask,
                cross_attn_head_mask,
                encoder_outputs,
                past_key_values,
                inputs_embeds,
                decoder_inputs_embeds,
                use_cache,
                output_attentions,
                output_hidden_states,
                return_dict=True,
            )
        states = outputs.last_hidden_state
        if self.config.tie_word_embeddings:  # embeddings are wider than weights that score
            states = states * self.config.d_model**-0.5
        logits, loss = scores_and_loss(self.lm_head, states, labels, read)
        output = Seq2SeqLMOutput(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            decoder_hidden_states=outputs.decoder_hidden_states,
            decoder_attentions=outputs.decoder_attentions,
            cross_attentions=outputs.cross_attentions,
            encoder_last_hidden_state=outputs.encoder_last_hidden_state,
            encoder_hidden_states=outputs.encoder_hidden_states,
            encoder_attentions=outputs.encoder_attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)


class T5ForSequenceClassification(Seq2SeqForSequenceClassification, T5PreTrainedModel):
    """T5 that classifies (or rates) a text."""

    def make_base_model(self) -> T5Model:
        """Build the encoder and the decoder."""
        return T5Model(self.config)


class T5ForTokenClassification(ForTokenClassification, T5PreTrainedModel):
    """T5's encoder, which classifies tokens."""

    _keys_to_ignore_on_load_unexpected: ClassVar[list[str]] = [r"decoder"]

    def make_base_model(self) -> T5EncoderModel:
        """Build the encoder."""
        return T5EncoderModel(self.config)

    def add_head(self) -> None:
        """Build the scores of one token."""
        super().add_head()
        with_spread(self.classifier, 1.0)

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
    ) -> TokenClassifierOutput | tuple[Any, ...]:
        """Classify tokens.

        It takes what `T5EncoderModel` takes, and

        - `labels`: (b, s) classes; -100 does not count.

        Returns:
            `logits` (b, s, num_labels), and `loss` when there are labels.
        """
        return super().forward(
            input_ids,
            attention_mask,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            labels=labels,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=return_dict,
        )


class T5ForQuestionAnswering(T5Model):
    """T5 that finds the span of a context which answers a question; the decoder reads the input again."""

    def add_head(self) -> None:
        """Build the two scores of each token."""
        self.qa_outputs = nn.Linear(self.config.d_model, self.config.num_labels)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Seq2SeqQuestionAnsweringModelOutput | tuple[Any, ...]:
        """Score each of the decoder's tokens as the start, and as the end, of the answer.

        It takes what `T5Model` takes, and

        - `decoder_input_ids`: by default `input_ids`, one place later.
        - `start_positions`: (b,) where the answers start, with `end_positions`; see `span_loss`. With
          positions, no cache is kept.
        - `end_positions`: (b,) where they end, the last token included.

        Returns:
            `start_logits` and `end_logits` (b, t), and `loss` when there are positions.

        Raises:
            ValueError: there is nothing that the decoder could read.
        """
        if decoder_input_ids is None and decoder_inputs_embeds is None:
            if input_ids is None:
                raise ValueError(
                    "If no `decoder_input_ids` or `decoder_inputs_embeds` are passed, `input_ids` cannot be "
                    "`None`: the decoder's input is made of them."
                )
            decoder_input_ids = self._shift_right(input_ids)
        outputs: Any = super().forward(
            input_ids,
            attention_mask,
            decoder_input_ids,
            decoder_attention_mask,
            head_mask,
            decoder_head_mask,
            cross_attn_head_mask,
            encoder_outputs,
            None,
            inputs_embeds,
            decoder_inputs_embeds,
            False if start_positions is not None and end_positions is not None else use_cache,
            output_attentions,
            output_hidden_states,
            return_dict=True,
        )
        logits = self.qa_outputs(outputs.last_hidden_state)  # (b, t, 2)
        output = seq2seq_answer_span(outputs, logits, start_positions, end_positions)
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)
