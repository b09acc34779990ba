"""Heads on top of an encoder-decoder, and what its decoder begins with.

In the shapes, `b` is the batch, `s` the sequence, `t` the decoder's sequence, `d` the width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..outputs import (
    BaseModelOutput,
    Seq2SeqModelOutput,
    Seq2SeqQuestionAnsweringModelOutput,
    Seq2SeqSequenceClassifierOutput,
)
from .base import Head, classifier_dropout
from .losses import answer, classification_loss, span_loss

__all__ = [
    "ClassificationHead",
    "Seq2SeqForSequenceClassification",
    "as_encoder_outputs",
    "seq2seq_answer_span",
    "shift_tokens_right",
    "state_of_last_eos",
]

Tensor = torch.Tensor


def shift_tokens_right(
    input_ids: Tensor, pad_token_id: int | None, decoder_start_token_id: int | None
) -> Tensor:
    """Turn what a decoder shall say into what it is given: each token one place later.

    Args:
        input_ids: (..., t) tokens; -100, which labels have where nothing counts, becomes padding.
        pad_token_id: padding.
        decoder_start_token_id: the first token.

    Raises:
        ValueError: the configuration does not say one of the two tokens.
    """
    if decoder_start_token_id is None or pad_token_id is None:
        missing = "pad_token_id" if decoder_start_token_id is not None else "decoder_start_token_id"
        raise ValueError(
            f"self.model.config.{missing} has to be defined: the decoder's input is that token and then what "
            "it shall say. In T5, both tokens are usually 0."
        )
    shifted = input_ids.new_empty(input_ids.shape)
    shifted[..., 1:] = input_ids[..., :-1]
    shifted[..., 0] = decoder_start_token_id
    return shifted.masked_fill_(shifted == -100, pad_token_id)


def as_encoder_outputs(encoder_outputs: Any) -> BaseModelOutput:
    """Return what an encoder returned (states, all states, attentions; perhaps as a tuple) by name."""
    if isinstance(encoder_outputs, BaseModelOutput):
        return encoder_outputs
    names = ("last_hidden_state", "hidden_states", "attentions")
    if isinstance(encoder_outputs, dict):
        return BaseModelOutput(**{name: encoder_outputs.get(name) for name in names})
    return BaseModelOutput(**dict(zip(names, encoder_outputs, strict=False)))


def state_of_last_eos(hidden_states: Tensor, input_ids: Tensor, eos_token_id: int) -> Tensor:
    """Return each row's state at its last end-of-sequence token.

    Args:
        hidden_states: (b, s, d).
        input_ids: (b, s).
        eos_token_id: the token that ends a sequence.

    Returns:
        (b, d).

    Raises:
        ValueError: a row has no such token, or not as many as the others; or lengths differ.
    """
    if hidden_states.shape[:2] != input_ids.shape:
        raise ValueError(
            f"The decoder's sequence {tuple(hidden_states.shape[:2])} has to be that of input_ids "
            f"{tuple(input_ids.shape)}, in which the <eos> token is looked for."
        )
    is_eos = (input_ids == eos_token_id).to(hidden_states.device)
    counts = is_eos.sum(1)
    if bool((counts != counts[0]).any()):
        raise ValueError("All examples must have the same number of <eos> tokens.")
    if not bool(counts.all()):
        raise ValueError(f"Each example must contain at least one <eos> token (eos_token_id={eos_token_id}).")
    places = torch.arange(input_ids.shape[1], device=hidden_states.device)
    last = (is_eos * places).argmax(1)  # (b,)
    return hidden_states[torch.arange(len(last), device=last.device), last]


class ClassificationHead(nn.Module):
    """Scores of a whole input from one state, with a hidden layer in between."""

    def __init__(self, width: int, num_labels: int, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.out_proj = nn.Linear(width, num_labels)

    def forward(self, state: Tensor) -> Tensor:
        """Score: (b, d) -> (b, num_labels)."""
        return self.out_proj(self.dropout(torch.tanh(self.dense(self.dropout(state)))))


class Seq2SeqForSequenceClassification(Head):
    """A class, several classes or a number, from the decoder's state at the end of the input.

    The decoder reads the input once more, from its start token on.
    """

    def add_head(self) -> None:
        """Build the layers on top."""
        config = self.config
        self.classification_head = ClassificationHead(
            config.hidden_size, config.num_labels, classifier_dropout(config)
        )

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
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Seq2SeqSequenceClassifierOutput | tuple[Any, ...]:
        """Classify whole inputs.

        It takes what the base model takes, and

        - `input_ids`: (b, s) needed in any case, with as many end-of-sequence tokens in each row.
        - `decoder_input_ids`: by default `input_ids`, one place later.
        - `labels`: see `classification_loss`. With labels, no cache is kept.

        Returns:
            `logits` (b, num_labels), and `loss` when there are labels.

        Raises:
            ValueError: there are no `input_ids`, or a row of them lacks its end.
        """
        if input_ids is None:
            raise ValueError(
                f"{type(self).__name__} needs input_ids: it classifies by the state at the <eos> token, "
                "which embeddings do not show."
            )
        config = self.config
        if decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = shift_tokens_right(
                input_ids, config.pad_token_id, config.decoder_start_token_id
            )
        outputs = self.run_base_model(
            input_ids=input_ids if inputs_embeds is None else None,
            attention_mask=attention_mask,
            decoder_input_ids=decoder_input_ids,
            decoder_attention_mask=decoder_attention_mask,
            head_mask=head_mask,
            decoder_head_mask=decoder_head_mask,
            cross_attn_head_mask=cross_attn_head_mask,
            encoder_outputs=encoder_outputs,
            inputs_embeds=inputs_embeds,
            decoder_inputs_embeds=decoder_inputs_embeds,
            use_cache=False if labels is not None else use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        state = state_of_last_eos(outputs.last_hidden_state, input_ids, config.eos_token_id)
        logits = self.classification_head(state)
        loss = None if labels is None else classification_loss(logits, labels, config)
        output = Seq2SeqSequenceClassifierOutput(loss=loss, logits=logits, **_of_both_halves(outputs))
        return answer(output, config.use_return_dict if return_dict is None else return_dict)


def seq2seq_answer_span(
    outputs: Seq2SeqModelOutput,
    logits: Tensor,
    start_positions: Tensor | None,
    end_positions: Tensor | None,
) -> Seq2SeqQuestionAnsweringModelOutput:
    """Make the output of a question-answering head on an encoder-decoder.

    Args:
        outputs: the base model's.
        logits: (b, t, 2) scores of each of the decoder's tokens as the start, and as the end, of the answer.
        start_positions: (b,) where the answers start; see `span_loss`.
        end_positions: (b,) where they end.
    """
    start_logits, end_logits = logits[..., 0].contiguous(), logits[..., 1].contiguous()
    loss = None
    if start_positions is not None and end_positions is not None:
        loss = span_loss(start_logits, end_logits, start_positions, end_positions)
    return Seq2SeqQuestionAnsweringModelOutput(
        loss=loss, start_logits=start_logits, end_logits=end_logits, **_of_both_halves(outputs)
    )


def _of_both_halves(outputs: Seq2SeqModelOutput) -> dict[str, Any]:
    """Return what a head's output takes over from the base model's."""
    return {name: value for name, value in outputs.items() if name != "last_hidden_state"}
