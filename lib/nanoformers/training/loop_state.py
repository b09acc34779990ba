"""What a loop has to know, beyond `trainer_state.json`, to go on as if nothing had interrupted it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, Sampler

from .rng import rng_states, set_rng_states

__all__ = ["LoopState", "iterate_from"]


@dataclass
class LoopState:
    """Where in the data a run is, and what it has not logged yet; the loop keeps it up to date.

    Attributes:
        epoch: epochs that are over.
        batches: batches of the present epoch (of this process) that were used.
        stops: the training is to stop, for another reason than its last step: a callback wants it.
        epoch_stops: the epoch is to stop.
        loss: sum of the losses since the last log.
        logged_loss: sum of the losses that were logged.
        last_logged_step: the step of the last log.
        grad_norm, learning_rate: of the last step, for a log at the end of the epoch.
        rng_at_epoch_start: the generators before the epoch's iterator was made: the order of the data, and
            the seeds of processes that load it, may be drawn from them.
        loader_rng: the generators that belong to the loader and its sampler, likewise.
        rng_before_fetch: the generators before the last batch was asked for, of a loader that then fetches
            the one behind it already.
    """

    epoch: int = 0
    batches: int = 0
    stops: bool = False
    epoch_stops: bool = False
    loss: float = 0.0
    logged_loss: float = 0.0
    last_logged_step: int = 0
    grad_norm: float | None = None
    learning_rate: float | None = None
    rng_at_epoch_start: dict[str, Any] | None = None
    loader_rng: list[torch.Tensor] = field(default_factory=list)
    rng_before_fetch: dict[str, Any] | None = None

    def begin_epoch(self, loader: Any) -> None:
        """Note the generators before an epoch's iterator is made."""
        self.rng_at_epoch_start = rng_states()
        self.loader_rng = [generator.get_state() for generator in _own_generators(loader)]

    def begin_epoch_again(self, loader: Any) -> None:
        """Set the generators to what they were when the epoch of a checkpoint began."""
        if self.rng_at_epoch_start is not None:
            set_rng_states(self.rng_at_epoch_start)
        for generator, state in zip(_own_generators(loader), self.loader_rng, strict=False):
            generator.set_state(state)

    def go_on(self, loader: Any) -> Iterator[Any]:
        """Return the batches of the epoch that were not used yet."""
        fetched, self.rng_before_fetch = self.rng_before_fetch, None
        if not self.batches or fetched is None:
            batches = iterate_from(loader, self.batches)
        else:
            batches = iterate_from(loader, self.batches - 1)
            set_rng_states(fetched)
            next(batches, None)  # used already; but with it comes the next one
        return self._watch(batches) if _fetches_ahead(loader) else batches

    def _watch(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Note the generators each time before a batch is asked for."""
        while True:
            self.rng_before_fetch = rng_states()
            try:
                batch = next(batches)
            except StopIteration:
                return
            yield batch


def _fetches_ahead(loader: Any) -> bool:
    """Tell whether a loader may fetch one batch more than it gives, in this process: accelerate's does."""
    return type(loader) is not DataLoader and not getattr(loader, "num_workers", 0)


def _own_generators(loader: Any) -> list[torch.Generator]:
    """Return the generators that a loader and its samplers draw from, other than torch's global one."""
    sampler = getattr(loader, "sampler", None)
    inner = getattr(getattr(loader, "batch_sampler", None), "sampler", None)
    found: list[torch.Generator] = []
    for part in (loader, sampler, inner):
        generator = getattr(part, "generator", None)
        if isinstance(generator, torch.Generator) and all(generator is not other for other in found):
            found.append(generator)
    return found


def iterate_from(loader: Any, used: int) -> Iterator[Any]:
    """Return the batches of a loader behind the first `used` ones.

    Where this process fetches examples by their index, those that were used are not fetched. An iterable data
    set has to be gone through; so have processes that load data, for their random numbers to come out again.
    """
    by_index = type(loader) is DataLoader and not isinstance(loader.dataset, IterableDataset)
    if used and by_index and loader.num_workers == 0 and loader.batch_sampler is not None:
        order = _Order(loader.batch_sampler)
        loader = DataLoader(
            loader.dataset,
            batch_sampler=order,
            collate_fn=loader.collate_fn,
            pin_memory=loader.pin_memory,
            generator=loader.generator,
        )
        batches = iter(loader)
        for _ in range(used):  # only now: the loader draws a number before its sampler does
            next(order.running, None)
        return batches
    batches = iter(loader)
    for _ in range(used):
        next(batches, None)
    return batches


class _Order(BatchSampler):
    """The batches of a sampler, and the iterator over them that a loader is using."""

    running: Iterator[list[int]]

    def __init__(self, batches: Sampler[list[int]]) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[list[int]]:
        self.running = iter(self.batches)
        return self.running

    def __len__(self) -> int:
        return len(self.batches)  # type: ignore[arg-type]
