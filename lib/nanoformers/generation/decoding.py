"""The loop: a forward pass, a choice, one more token, until every sequence has ended.

A step allocates nothing that grows with the sequence: tokens and masks are kept in buffers that have room for
all of them, and keys and values in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from .logits_process import LogitsProcessorList
from .outputs import GenerateDecoderOnlyOutput, GenerateEncoderDecoderOutput
from .stopping_criteria import StoppingCriteriaList
from .streamers import BaseStreamer

__all__ = ["MOST_ROOM", "Columns", "Record", "decode", "draw", "take_best"]

Tensor = torch.Tensor
MOST_ROOM = 2048
"""For how many tokens room is made at once, however many there may be; buffers that are full double."""


def take_best(scores: Tensor) -> Tensor:
    """Choose the token with the highest score: (b, vocab_size) -> (b,)."""
    return scores.argmax(-1)


def draw(scores: Tensor) -> Tensor:
    """Draw a token by its probability: (b, vocab_size) -> (b,)."""
    return torch.multinomial(scores.softmax(-1), num_samples=1).squeeze(1)


class Columns:
    """A tensor (b, n) to which columns are appended without copying it (its buffer doubles when it is full).

    Args:
        first: the columns to begin with.
        capacity: for how many columns to make room.
    """

    def __init__(self, first: Tensor, capacity: int) -> None:
        self.length = first.shape[1]
        self._buffer = first.new_empty((first.shape[0], max(capacity, self.length, 1)))
        self._buffer[:, : self.length] = first

    def append(self, column: Tensor | int) -> None:
        """Append one value a row: (b,), or the same for all."""
        if self.length == self._buffer.shape[1]:
            self._buffer = torch.cat((self._buffer, torch.empty_like(self._buffer)), 1)
        self._buffer[:, self.length] = column
        self.length += 1

    @property
    def value(self) -> Tensor:
        """What there is, as a view (b, n)."""
        return self._buffer[:, : self.length]


@dataclass
class Record:
    """What to keep of each step, and what was kept.

    Attributes:
        of_scores, of_attentions, of_hidden_states: what to keep.
        as_output: return it all, and not only the tokens.
    """

    of_scores: bool = False
    of_attentions: bool = False
    of_hidden_states: bool = False
    as_output: bool = False
    scores: list[Tensor] = field(default_factory=list)
    attentions: list[Any] = field(default_factory=list)
    cross_attentions: list[Any] = field(default_factory=list)
    hidden_states: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.as_output:
            self.of_scores = self.of_attentions = self.of_hidden_states = False

    @property
    def forward_arguments(self) -> dict[str, bool]:
        """What the model has to be told."""
        return {"output_attentions": self.of_attentions, "output_hidden_states": self.of_hidden_states}

    def keep(self, outputs: Any, scores: Tensor, prefix: str) -> None:
        """Keep what was asked for of a step; `prefix` is "decoder_" in an encoder-decoder's output."""
        if self.of_scores:
            self.scores.append(scores)
        if self.of_attentions:
            self.attentions.append(outputs[f"{prefix}attentions"])
            self.cross_attentions.append(outputs.get("cross_attentions"))
        if self.of_hidden_states:
            self.hidden_states.append(outputs[f"{prefix}hidden_states"])

    def output(
        self, sequences: Tensor, model_kwargs: dict[str, Any], is_encoder_decoder: bool
    ) -> GenerateDecoderOnlyOutput | GenerateEncoderDecoderOutput:
        """Return the tokens (b, n) with what was kept."""
        scores = tuple(self.scores) if self.of_scores else None
        attentions = tuple(self.attentions) if self.of_attentions else None
        hidden_states = tuple(self.hidden_states) if self.of_hidden_states else None
        cache = model_kwargs.get("past_key_values")
        if not is_encoder_decoder:
            return GenerateDecoderOnlyOutput(
                sequences=sequences,
                scores=scores,
                attentions=attentions,
                hidden_states=hidden_states,
                past_key_values=cache,
            )
        encoder = model_kwargs["encoder_outputs"]
        return GenerateEncoderDecoderOutput(
            sequences=sequences,
            scores=scores,
            encoder_attentions=encoder.get("attentions") if self.of_attentions else None,
            encoder_hidden_states=encoder.get("hidden_states") if self.of_hidden_states else None,
            decoder_attentions=attentions,
            cross_attentions=tuple(self.cross_attentions) if self.of_attentions else None,
            decoder_hidden_states=hidden_states,
            past_key_values=cache,
        )


def decode(
    model: Any,
    input_ids: Tensor,
    model_kwargs: dict[str, Any],
    *,
    choose: Callable[[Tensor], Tensor],
    logits_processor: LogitsProcessorList,
    stopping_criteria: StoppingCriteriaList,
    pad_token_id: int | None,
    eos_token_ids: Sequence[int],
    record: Record,
    streamer: BaseStreamer | None = None,
) -> Any:
    """Append tokens to sequences until all have ended, one token a step for each.

    Args:
        model: has `prepare_inputs_for_generation`.
        input_ids: (b, s) tokens that are there; of an encoder-decoder, the decoder's.
        model_kwargs: what `prepare_inputs_for_generation` takes beside them.
        choose: scores (b, vocab_size) to tokens (b,).
        logits_processor: changes the scores before.
        stopping_criteria: asked after every token.
        pad_token_id: what follows in sequences that have ended; needed with `eos_token_ids`.
        eos_token_ids: tokens that end a sequence.
        record: what to keep.
        streamer: gets every token.

    Returns:
        Tokens (b, s + t), or an output (see `outputs.py`) when `record.as_output`.
    """
    is_encoder_decoder = model.config.is_encoder_decoder
    prefix = "decoder_" if is_encoder_decoder else ""
    growing_mask = f"{prefix}attention_mask"
    longest = stopping_criteria.max_length or 2 * input_ids.shape[1]
    capacity = min(longest, input_ids.shape[1] + MOST_ROOM)
    tokens = Columns(input_ids, capacity)
    mask = None
    if model_kwargs.get(growing_mask) is not None:
        first = model_kwargs[growing_mask]
        mask = Columns(first, first.shape[1] + capacity - input_ids.shape[1])
    ends = torch.tensor(eos_token_ids, device=input_ids.device) if eos_token_ids else None
    ended = torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)

    while True:
        inputs = model.prepare_inputs_for_generation(tokens.value, **model_kwargs)
        outputs = model(**inputs, **record.forward_arguments, return_dict=True)
        logits = outputs.logits
        # of the whole prompt's scores, keep none alive but the last
        last = logits[:, -1].float() if logits.shape[1] == 1 else logits[:, -1].float().clone()
        scores = logits_processor(tokens.value, last) if logits_processor else last
        record.keep(outputs, scores, prefix)

        chosen = choose(scores)
        if pad_token_id is not None:
            chosen = chosen.masked_fill(ended, pad_token_id)
        tokens.append(chosen)
        if streamer is not None:
            streamer.put(chosen.cpu())
        if ends is not None:
            ended = ended | torch.isin(chosen, ends)
        ended = ended | stopping_criteria(tokens.value, tuple(record.scores) if record.of_scores else None)
        if mask is not None:
            mask.append(1)
            model_kwargs[growing_mask] = mask.value
        model_kwargs = model._update_model_kwargs_for_generation(outputs, model_kwargs)
        if ended.all():
            break

    if streamer is not None:
        streamer.end()
    sequences = tokens.value
    return record.output(sequences, model_kwargs, is_encoder_decoder) if record.as_output else sequences
