"""What `generate` returns with `return_dict_in_generate=True`.

Mirrors the documentation page `internal/generation_utils`. `b` counts sequences (prompts times
`num_return_sequences`), `t` steps (new tokens); what was not asked for is None. Tuples over steps have the
prompt in their first entry, and one token in each later one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ..outputs import ModelOutput

__all__ = [
    "ContrastiveSearchDecoderOnlyOutput",
    "ContrastiveSearchEncoderDecoderOutput",
    "GenerateDecoderOnlyOutput",
    "GenerateEncoderDecoderOutput",
    "GreedySearchDecoderOnlyOutput",
    "GreedySearchEncoderDecoderOutput",
    "SampleDecoderOnlyOutput",
    "SampleEncoderDecoderOutput",
]

PerStep = tuple[tuple[torch.Tensor, ...], ...]


@dataclass
class GenerateDecoderOnlyOutput(ModelOutput):
    """Of a decoder.

    Attributes:
        sequences: (b, prompt + t) tokens, the prompt first; after a sequence's end, padding.
        scores: t tensors (b, vocab_size): the scores from which each token was chosen, processed.
        attentions: t tuples, a tensor (b, nh, new, seen) for each layer.
        hidden_states: t tuples, a tensor (b, new, d) for the embeddings and each layer.
        past_key_values: the cache, which has all tokens but the last.
    """

    sequences: torch.Tensor | None = None
    scores: tuple[torch.Tensor, ...] | None = None
    attentions: PerStep | None = None
    hidden_states: PerStep | None = None
    past_key_values: Any = None


@dataclass
class GenerateEncoderDecoderOutput(ModelOutput):
    """Of an encoder-decoder.

    Attributes:
        sequences: (b, 1 + t) tokens, the decoder's start first; after a sequence's end, padding.
        scores: t tensors (b, vocab_size): the scores from which each token was chosen, processed.
        encoder_attentions: a tensor (b, nh, s, s) for each layer of the encoder.
        encoder_hidden_states: a tensor (b, s, d) for the embeddings and each layer of the encoder.
        decoder_attentions: t tuples, a tensor (b, nh, new, seen) for each layer.
        cross_attentions: t tuples, a tensor (b, nh, new, s) for each layer.
        decoder_hidden_states: t tuples, a tensor (b, new, d) for the embeddings and each layer.
        past_key_values: the cache, which has all tokens but the last.
    """

    sequences: torch.Tensor | None = None
    scores: tuple[torch.Tensor, ...] | None = None
    encoder_attentions: tuple[torch.Tensor, ...] | None = None
    encoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    decoder_attentions: PerStep | None = None
    cross_attentions: PerStep | None = None
    decoder_hidden_states: PerStep | None = None
    past_key_values: Any = None


# how older code calls them
GreedySearchDecoderOnlyOutput = GenerateDecoderOnlyOutput
SampleDecoderOnlyOutput = GenerateDecoderOnlyOutput
ContrastiveSearchDecoderOnlyOutput = GenerateDecoderOnlyOutput
GreedySearchEncoderDecoderOutput = GenerateEncoderDecoderOutput
SampleEncoderDecoderOutput = GenerateEncoderDecoderOutput
ContrastiveSearchEncoderDecoderOutput = GenerateEncoderDecoderOutput
