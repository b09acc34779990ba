"""Helpers for programs that run as several processes.

Mirrors `torch_distributed_zero_first` and `DistributedTensorGatherer` of the documentation page
`internal/trainer_utils`.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Sized
from typing import Any

import numpy as np
import torch
from torch import distributed
from torch.utils.data import RandomSampler, Sampler

from ..utils import logging
from .gathering import pad_and_gather
from .nested import nested_map

__all__ = [
    "DistributedTensorGatherer",
    "SequentialDistributedSampler",
    "SharedOrder",
    "distributed_concat",
    "torch_distributed_zero_first",
]

logger = logging.get_logger(__name__)


@contextlib.contextmanager
def torch_distributed_zero_first(local_rank: int) -> Iterator[None]:
    """Let process 0 of each machine do something before the others, which wait for it.

    Args:
        local_rank: number of this process on its machine; -1 or 0 goes first. Nobody waits where there is no
            group of processes.
    """
    together = distributed.is_available() and distributed.is_initialized()
    if together and local_rank not in (-1, 0):
        distributed.barrier()
    yield
    if together and local_rank == 0:
        distributed.barrier()


def distributed_concat(tensor: Any, num_total_examples: int | None = None) -> Any:
    """Return the rows of all processes, padded in further dimensions where they differ.

    Args:
        tensor: a tensor (n, ...), or tuples, lists and dictionaries of them.
        num_total_examples: leave out rows after so many, which fill up the last batch.

    Raises:
        RuntimeError: there is no group of processes.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        raise RuntimeError(
            "distributed_concat gathers from a group of processes, and there is none: start the program with "
            "`torchrun`, and call torch.distributed.init_process_group()."
        )
    gathered = pad_and_gather(tensor)
    if num_total_examples is None:
        return gathered
    return nested_map(lambda rows: rows[:num_total_examples], gathered)


class SharedOrder(Sampler[int]):
    """A sampler that draws from torch's global random numbers, with the main process's numbers in every one.

    Processes that padded their batches differently may have drawn unequally often, and would disagree about
    the order: some rows would be seen twice, others never.

    Args:
        sampler: the sampler.
        share: returns the main process's object in every process.
    """

    def __init__(self, sampler: Any, share: Callable[[Any], Any]) -> None:
        self.sampler = sampler
        self._share = share

    @staticmethod
    def is_needed(sampler: Any, seedable: bool) -> bool:
        """Return whether a sampler draws from the global random numbers (accelerate seeds some itself)."""
        if isinstance(sampler, RandomSampler) and seedable:
            return False
        return getattr(sampler, "generator", sampler) is None

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[int]:
        torch.set_rng_state(self._share(torch.get_rng_state()))
        return iter(self.sampler)


class SequentialDistributedSampler(Sampler[int]):
    """Gives each process one contiguous part of the rows, filled up with the first ones to equal lengths.

    Args:
        dataset: of which only the length is asked for.
        num_replicas: number of processes; by default of the group.
        rank: number of this process; by default in the group.
        batch_size: make each part a multiple of it.
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        warnings.warn(
            "SequentialDistributedSampler is deprecated; accelerate shares batches among processes.",
            FutureWarning,
            stacklevel=2,
        )
        self.num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
        self.rank = distributed.get_rank() if rank is None else rank
        self.dataset = dataset
        self.batch_size = batch_size
        size = math.ceil(len(dataset) / self.num_replicas)
        self.num_samples = size if batch_size is None else math.ceil(size / batch_size) * batch_size
        self.total_size = self.num_samples * self.num_replicas

    def __len__(self) -> int:
        return self.num_samples

    def __iter__(self) -> Iterator[int]:
        start = self.rank * self.num_samples
        size = len(self.dataset)  # type: ignore[arg-type]
        return iter([row % size for row in range(start, start + self.num_samples)])


class DistributedTensorGatherer:
    """Puts the predictions of several processes together in the order of the data set, in the CPU's memory.

    Each process has had one contiguous part of the rows (`SequentialDistributedSampler`). With 16 rows, 3
    processes and batches of 2 the parts are 0-5, 6-11 and 12-15, 0, 1: the first gathered batch is
    [0, 1, 6, 7, 12, 13].

    Args:
        world_size: number of processes.
        num_samples: rows of the data set.
        make_multiple_of: each part is a multiple of it (the batch size).
        padding_index: fills rows that are shorter than others.
    """

    def __init__(
        self,
        world_size: int,
        num_samples: int,
        make_multiple_of: int | None = None,
        padding_index: int = -100,
    ) -> None:
        warnings.warn(
            "DistributedTensorGatherer is deprecated; the Trainer gathers rows in their order as it goes.",
            FutureWarning,
            stacklevel=2,
        )
        self.world_size = world_size
        self.num_samples = num_samples
        multiple = world_size if make_multiple_of is None else world_size * make_multiple_of
        self.total_samples = math.ceil(num_samples / multiple) * multiple
        self.process_length = self.total_samples // world_size
        self.padding_index = padding_index
        self._storage: Any = None
        self._offset = 0  # rows of each part that are there

    def add_arrays(self, arrays: Any) -> None:
        """Take one gathered batch.

        Args:
            arrays: an array (world_size * n, ...), or tuples, lists and dictionaries of such; the first n
                rows are those of process 0. None is nothing.

        Raises:
            ValueError: the rows are no multiple of the number of processes, or more than there were to be.
        """
        if arrays is None:
            return
        sizes: list[int] = []
        nested_map(lambda array: sizes.append(len(array)), arrays)
        if not sizes:
            return
        rows, rest = divmod(sizes[0], self.world_size)
        if rest or self._offset + rows > self.process_length:
            raise ValueError(
                f"A gathered batch of {sizes[0]} rows does not fit: {self.world_size} processes have "
                f"{self.process_length} rows each, and {self._offset} of these are there already."
            )
        if self._storage is None:
            self._storage = nested_map(self._empty, arrays)
        self._storage = self._put(self._storage, arrays, rows)
        self._offset += rows

    def _empty(self, array: np.ndarray) -> np.ndarray:
        shape = (self.total_samples, *array.shape[1:])
        return np.full_like(array, self.padding_index, shape=shape)

    def _put(self, storage: Any, arrays: Any, rows: int) -> Any:
        """Return the storage with a batch in it, widened where the batch is wider."""
        if isinstance(arrays, dict):
            return {name: self._put(storage[name], array, rows) for name, array in arrays.items()}
        if isinstance(arrays, (list, tuple)):
            parts = (self._put(old, new, rows) for old, new in zip(storage, arrays, strict=True))
            return type(arrays)(parts)
        if arrays.ndim > 1 and arrays.shape[1] > storage.shape[1]:
            wider = np.full_like(storage, self.padding_index, shape=(len(storage), *arrays.shape[1:]))
            wider[:, : storage.shape[1]] = storage
            storage = wider
        for process in range(self.world_size):
            start = process * self.process_length + self._offset
            own = arrays[process * rows : (process + 1) * rows]
            if own.ndim > 1:
                storage[start : start + rows, : own.shape[1]] = own
            else:
                storage[start : start + rows] = own
        return storage

    def finalize(self) -> Any:
        """Return all rows (num_samples, ...) in their order, without those that filled up the last batch.

        None where nothing was added.
        """
        if self._storage is None:
            return None
        if self._offset != self.process_length:
            logger.warning("Not all data has been set. Are you sure you passed all values?")
        return nested_map(lambda array: array[: self.num_samples], self._storage)
