"""Preprocessing in other processes (`num_workers`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any

from torch.utils.data import DataLoader, Dataset, IterableDataset

from ..utils import logging
from .dataset import iterate

logger = logging.get_logger(__name__)


class _Indexed(Dataset):
    """Inputs that each worker takes by number."""

    def __init__(self, inputs: Any, prepare: Callable[..., Any], parameters: dict[str, Any]) -> None:
        self.inputs, self.prepare, self.parameters = inputs, prepare, parameters

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> Any:
        return self.prepare(self.inputs[index], self.parameters)


class _Streamed(IterableDataset):
    """Inputs that one worker reads in order."""

    def __init__(self, inputs: Any, prepare: Callable[..., Any], parameters: dict[str, Any]) -> None:
        self.inputs, self.prepare, self.parameters = inputs, prepare, parameters

    def __iter__(self) -> Iterator[Any]:
        return (self.prepare(item, self.parameters) for item in iterate(self.inputs))


def preprocess_in_workers(
    inputs: Iterable[Any], prepare: Callable[..., Any], parameters: dict[str, Any], num_workers: int
) -> Iterator[Any]:
    """Yield `prepare(item, parameters)` of every input, in order, computed by `num_workers` processes.

    What has no length can only be read by one process: a larger number is lowered to 1, with a warning.
    """
    sized = isinstance(inputs, Sized) and hasattr(inputs, "__getitem__")
    if not sized and num_workers > 1:
        logger.warning(
            f"A stream without a length is read by one worker: num_workers={num_workers} becomes 1."
        )
        num_workers = 1
    loader = DataLoader(
        (_Indexed if sized else _Streamed)(inputs, prepare, parameters),
        batch_size=None,
        collate_fn=_as_it_is,
        num_workers=num_workers,
        worker_init_fn=_one_thread_of_tokenization,
    )
    return iter(loader)


def _as_it_is(item: Any) -> Any:
    return item


def _one_thread_of_tokenization(worker: int) -> None:
    """The workers are the parallelism; threads of the tokenizer in each of them would only get in the way."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
