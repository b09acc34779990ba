"""The keys and values that a decoder keeps, so that a new token costs one step and not a whole sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

__all__ = ["KeyValueCache"]

Pair = tuple[torch.Tensor, torch.Tensor]


class _LayerCache:
    """Keys and values of one layer, in buffers (b, nh, capacity, hd) whose first `length` places are used."""

    def __init__(self) -> None:
        self.buffers: Pair | None = None
        self.length = 0

    def append(self, new: Pair, room: int) -> Pair:
        start, self.length = self.length, self.length + new[0].shape[2]
        if torch.is_grad_enabled() and new[0].requires_grad:
            # autograd may need what the buffers hold now, so they are not written to
            old = self.used(start)
            self.buffers = (
                new if old is None else (torch.cat((old[0], new[0]), 2), torch.cat((old[1], new[1]), 2))
            )
            return self.buffers
        if self.buffers is None and room <= self.length:
            self.buffers = new  # may be all there ever is: the first real growth copies it
            return new
        capacity = 0 if self.buffers is None else self.buffers[0].shape[2]
        if capacity < self.length:
            self._grow(new, start, max(room, self.length, 2 * capacity))
        assert self.buffers is not None
        for buffer, addition in zip(self.buffers, new, strict=True):
            buffer[:, :, start : self.length] = addition
        used = self.used(self.length)
        assert used is not None
        return used

    def _grow(self, like: Pair, length: int, capacity: int) -> None:
        """Move to buffers with `capacity` places."""
        old = self.used(length)
        grown = tuple(tensor.new_empty((*tensor.shape[:2], capacity, tensor.shape[3])) for tensor in like)
        if old is not None:
            for buffer, content in zip(grown, old, strict=True):
                buffer[:, :, :length] = content
        self.buffers = (grown[0], grown[1])

    def used(self, length: int) -> Pair | None:
        """Return the first `length` keys and values, as views."""
        if self.buffers is None:
            return None
        return self.buffers[0][:, :, :length], self.buffers[1][:, :, :length]


class KeyValueCache:
    """A decoder's `past_key_values`: for each layer its own keys and values, and those of the encoder.

    Buffers double when they are full, so a step of generation writes one place and copies nothing. The cache
    is changed in place by the model that it is given to; `cache[layer]` reads it as the tuples of the
    documentation do: `(key, value)`, or `(key, value, encoder_key, encoder_value)`, each (b, nh, length, hd).

    Args:
        max_length: places to make room for at once, when it is known how long the sequence will be.
    """

    def __init__(self, max_length: int = 0) -> None:
        self._room = max_length
        self._layers: list[_LayerCache] = []
        self._encoder: dict[int, Pair] = {}

    @classmethod
    def of(cls, past_key_values: KeyValueCache | Sequence[Sequence[torch.Tensor]] | None) -> KeyValueCache:
        """Return a cache as it is, the tuples of older code as a cache, and an empty one for None."""
        if isinstance(past_key_values, KeyValueCache):
            return past_key_values
        cache = cls()
        for layer, tensors in enumerate(past_key_values or ()):
            cache.update(tensors[0], tensors[1], layer)
            if len(tensors) == 4:
                cache.keep_encoder(tensors[2], tensors[3], layer)
        return cache

    def update(self, key: torch.Tensor, value: torch.Tensor, layer: int) -> Pair:
        """Append a layer's new keys and values (b, nh, new, hd) and return all it has, as views."""
        while len(self._layers) <= layer:
            self._layers.append(_LayerCache())
        return self._layers[layer].append((key, value), self._room)

    def encoder(self, layer: int) -> Pair | None:
        """Return the keys and values that a layer made of the encoder's output, if it has already."""
        return self._encoder.get(layer)

    def keep_encoder(self, key: torch.Tensor, value: torch.Tensor, layer: int) -> None:
        """Keep the keys and values (b, nh, encoder s, hd) that a layer made of the encoder's output."""
        self._encoder[layer] = (key, value)

    def get_seq_length(self, layer: int = 0) -> int:
        """Return how many tokens the cache has seen."""
        return self._layers[layer].length if layer < len(self._layers) else 0

    def crop(self, length: int) -> None:
        """Forget all but the first `length` tokens; a negative number forgets so many of the last."""
        for layer in self._layers:
            layer.length = min(layer.length, length) if length >= 0 else max(layer.length + length, 0)

    def reorder(self, rows: torch.Tensor) -> None:
        """Let row i go on from what row `rows[i]` was, as beam search needs.

        Args:
            rows: (new b,) indices into the batch; a row may come several times, or not at all.
        """
        for layer in self._layers:
            used = layer.used(layer.length)
            if used is not None:
                layer.buffers = (_rows_of(used[0], rows), _rows_of(used[1], rows))
        self._encoder = {
            layer: (_rows_of(key, rows), _rows_of(value, rows))
            for layer, (key, value) in self._encoder.items()
        }

    def to_legacy_cache(self) -> tuple[tuple[torch.Tensor, ...], ...]:
        """Return the cache as a tuple of layers, each a tuple of tensors."""
        return tuple(self)

    def __getitem__(self, layer: int) -> tuple[torch.Tensor, ...]:
        own = self._layers[layer].used(self._layers[layer].length)
        return (*(own or ()), *self._encoder.get(layer % len(self._layers), ()))

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        return (self[layer] for layer in range(len(self)))

    def __len__(self) -> int:
        return len(self._layers)


def _rows_of(tensor: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    return tensor.index_select(0, rows.to(tensor.device))
