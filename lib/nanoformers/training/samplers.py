"""In which order a data set is gone through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler

__all__ = ["LengthGroupedSampler", "ShuffledSampler", "get_length_grouped_indices", "lengths_of"]


class ShuffledSampler(Sampler[int]):
    """A random order from a generator of its own, seeded by `seed` and the epoch.

    The order is that of accelerate's `SeedableRandomSampler`: it does not depend on other random numbers, so
    a resumed run finds it again.

    Args:
        size: number of examples.
        seed: of the first epoch; each further epoch adds 1.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        self.epoch += 1
        return iter(torch.randperm(self.size, generator=generator).tolist())

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next iteration is."""
        self.epoch = epoch


class LengthGroupedSampler(Sampler[int]):
    """A random order in which neighbours have about the same length; the longest example comes first.

    Args:
        batch_size: examples that are taken together.
        lengths: one for each example.
        generator: of the random numbers; by default torch's global one.
    """

    def __init__(
        self, batch_size: int, lengths: Sequence[int], generator: torch.Generator | None = None
    ) -> None:
        self.batch_size = batch_size
        self.lengths = list(lengths)
        self.generator = generator

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(get_length_grouped_indices(self.lengths, self.batch_size, generator=self.generator))


def get_length_grouped_indices(
    lengths: Sequence[int],
    batch_size: int,
    mega_batch_mult: int | None = None,
    generator: torch.Generator | None = None,
) -> list[int]:
    """Return all indices so that each `batch_size` neighbours have about the same length.

    A random order is cut into pieces of `mega_batch_mult` batches, each sorted from long to short; the
    longest example of all is put first, so that a batch too big for the memory is met at once.

    Args:
        lengths: one for each example.
        batch_size: examples that are taken together.
        mega_batch_mult: batches in a piece; by default 50, or fewer, so that there are four pieces.
        generator: of the random numbers; by default torch's global one.
    """
    if not len(lengths):
        return []
    if mega_batch_mult is None:
        mega_batch_mult = min(len(lengths) // (batch_size * 4), 50) or 1
    order = torch.randperm(len(lengths), generator=generator).tolist()
    size = mega_batch_mult * batch_size
    pieces = [
        sorted(order[start : start + size], key=lengths.__getitem__, reverse=True)
        for start in range(0, len(order), size)
    ]
    longest = max(range(len(pieces)), key=lambda piece: lengths[pieces[piece][0]])
    pieces[0][0], pieces[longest][0] = pieces[longest][0], pieces[0][0]
    return [index for piece in pieces for index in piece]


def lengths_of(dataset: Any, length_column: str, input_name: str) -> list[int]:
    """Return the lengths of all examples: from their column, or else by measuring the main input.

    Raises:
        ValueError: there is no such column, and examples are no dictionaries with the main input.
    """
    columns = getattr(dataset, "column_names", None)
    if isinstance(columns, list) and length_column in columns:
        return [int(length) for length in dataset[length_column]]
    if isinstance(columns, list) and input_name in columns:
        return [len(values) for values in dataset[input_name]]
    if not isinstance(dataset[0], Mapping) or input_name not in dataset[0]:
        raise ValueError(
            "Can only automatically infer lengths for datasets whose items are dictionaries with an "
            f"'{input_name}' key. Give the data set a column of lengths "
            f"(length_column_name={length_column!r})."
        )
    return [len(dataset[index][input_name]) for index in range(len(dataset))]
