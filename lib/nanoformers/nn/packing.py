"""Training without padding: what treats each token by itself sees only the tokens that count.

Texts of a batch differ in length, and a third or more of a padded batch is often padding. Only attention
needs the tokens in rows: linear layers, norms and activations do as well with all tokens of the batch behind
one another, (1, n, d) in place of (b, s, d), and then nothing is computed for padding. The losses stay the
same, dropout's random numbers included.

A head says which places its loss reads (`reading`); the base model leaves out padding, when none of it is
read (`padding_left_out`). Its states, and so their logits, are those of a state of zeros then. This
happens in training on the CPU only; everywhere else places are computed as they come.

Zhai et al. 2022, "ByteTransformer", https://arxiv.org/abs/2210.03052, describe it for inference.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import torch
from torch import nn

__all__ = ["Dropout", "Packing", "Reading", "active_packing", "padding_left_out", "reading"]

_WORTH_IT = 0.9  # above this share of real tokens, packing costs more than it saves

_thread = threading.local()


class Packing:
    """The places of a batch that are computed; while entered, attention and dropout know of them.

    Args:
        kept: (b, s) True for those places.
    """

    def __init__(self, kept: torch.Tensor) -> None:
        self.batch, self.length = kept.shape
        self.places = kept.flatten().nonzero()[:, 0]  # (n,)

    def holds(self, states: torch.Tensor, dim: int = 1) -> bool:
        """Tell whether `states` are packed: one row, and as many tokens (along `dim`) as are kept."""
        return states.shape[0] == 1 and states.shape[dim] == len(self.places) and self.batch > 1

    def pack(self, states: torch.Tensor) -> torch.Tensor:
        """Put the kept tokens behind one another: (b, s, d) -> (1, n, d)."""
        return states.flatten(0, 1).index_select(0, self.places)[None]

    def unpack(self, states: torch.Tensor) -> torch.Tensor:
        """Put tokens back into rows, with zeros where none was kept: (1, n, d) -> (b, s, d)."""
        width = states.shape[-1]
        rows = states.new_zeros(self.batch * self.length, width)
        return rows.index_copy(0, self.places, states.reshape(-1, width)).view(self.batch, self.length, width)

    def __enter__(self) -> Packing:
        _thread.packing = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _thread.packing = None


class _AllPlaces(Packing):
    """Nothing is left out."""

    def __init__(self) -> None:
        pass

    def __bool__(self) -> bool:
        return False

    def pack(self, states: torch.Tensor) -> torch.Tensor:
        return states

    def unpack(self, states: torch.Tensor) -> torch.Tensor:
        return states

    def __enter__(self) -> Packing:
        return self

    def __exit__(self, *_: object) -> None:
        pass


_ALL_PLACES = _AllPlaces()


def active_packing() -> Packing | None:
    """Return the packing that is entered in this thread, if any."""
    return getattr(_thread, "packing", None)


class Reading:
    """What a head reads of its base model's output, and which packing that led to.

    Attributes:
        places: (b, s) True for the states that are read; None when all of them are.
        packing: what the base model left out.
    """

    def __init__(self, places: torch.Tensor | None) -> None:
        self.places = places
        self.packing: Packing = _ALL_PLACES


@contextmanager
def reading(places: torch.Tensor | None) -> Iterator[Reading]:
    """Say which states of the base model's output are read in this block; see `Reading`."""
    outer = getattr(_thread, "reading", None)
    _thread.reading = Reading(places)
    try:
        yield _thread.reading
    finally:
        _thread.reading = outer


def padding_left_out(
    attention_mask: torch.Tensor | None, *, unless: bool, causal: bool = False, encoder: bool = False
) -> Packing:
    """Find out which places a base model needs not compute, from what its head reads.

    Args:
        attention_mask: (b, s), 0 for padding; a causal model can do without, and then what comes after the
            last place that is read is left out.
        unless: something else is wanted of all places, such as their attention weights.
        causal: no token sees a later one.
        encoder: its states are read through `attention_mask` by a decoder, whatever the head reads of that.
    """
    head: Reading | None = getattr(_thread, "reading", None)
    if unless or head is None or head.places is None or head.places.device.type != "cpu":
        return _ALL_PLACES
    read = head.places
    if torch.jit.is_tracing() or torch.compiler.is_compiling():
        return _ALL_PLACES
    if attention_mask is not None and attention_mask.ndim == 2:
        kept = attention_mask != 0
        if not encoder and (kept.shape != read.shape or bool((read & ~kept).any())):
            return _ALL_PLACES  # padding is read, and what it sees is padding
    elif attention_mask is None and causal:
        kept = read.flip(1).cumsum(1).flip(1) > 0  # up to the last that is read
    else:
        return _ALL_PLACES
    count = int(kept.sum())
    if kept.shape[0] == 1 or not 0 < count <= _WORTH_IT * kept.numel():
        return _ALL_PLACES
    packing = Packing(kept)
    if not encoder:
        head.packing = packing
    return packing


class Dropout(nn.Dropout):
    """`torch.nn.Dropout` that draws for packed states the numbers it would draw for padded ones."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Drop some values: any shape, or packed states (1, n, d)."""
        packing = active_packing()
        if packing is None or not self.training or not 0 < self.p < 1 or not packing.holds(input):
            return super().forward(input)
        noise = torch.empty(packing.batch, packing.length, input.shape[-1], dtype=input.dtype)
        return input * packing.pack(noise.bernoulli_(1 - self.p).div_(1 - self.p))
