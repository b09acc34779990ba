"""Data loaders of training, evaluation and prediction."""

from __future__ import annotations

from collections.abc import Callable, Sized
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader, IterableDataset, RandomSampler, Sampler, SequentialSampler

from ..reproducibility import set_seed
from ..utils import logging
from .columns import RemoveColumnsCollator, is_hub_dataset, remove_unused_columns
from .samplers import LengthGroupedSampler, ShuffledSampler, lengths_of

if TYPE_CHECKING:
    from .arguments import TrainingArguments
    from .parts.data import DataMixin

__all__ = ["eval_sampler", "has_length", "make_loader", "num_examples", "set_epoch", "train_sampler"]

logger = logging.get_logger(__name__)


def has_length(data: Any) -> bool:
    """Return whether a data set or loader knows its length (a loader may have a method that fails)."""
    try:
        return len(data) is not None
    except (TypeError, AttributeError, NotImplementedError):
        return False


def train_sampler(trainer: DataMixin, dataset: Any) -> Sampler[int] | None:
    """Return the order of the training set; None where it has its own (a data set without length)."""
    args = trainer.args
    if dataset is None or not has_length(dataset):
        if dataset is not None and args.train_sampling_strategy not in ("random", "sequential"):
            logger.warning(
                f"`train_sampling_strategy='{args.train_sampling_strategy}'` is ignored: the training set "
                "has no length, and is gone through in its own order."
            )
        return None
    if args.train_sampling_strategy == "group_by_length":
        names = getattr(trainer.processing_class, "model_input_names", None) or ["input_ids"]
        lengths = lengths_of(dataset, args.length_column_name, names[0])
        return LengthGroupedSampler(trainer.train_batch_size * args.gradient_accumulation_steps, lengths)
    if args.train_sampling_strategy == "sequential":
        return SequentialSampler(dataset)
    if args.world_size > 1 or not args.accelerator_settings.use_seedable_sampler:
        return RandomSampler(dataset)  # accelerate seeds it, for all processes alike
    seed = args.data_seed if args.data_seed is not None else torch.initial_seed()
    return ShuffledSampler(len(dataset), seed)


def eval_sampler(args: TrainingArguments, dataset: Any) -> Sampler[int] | None:
    """Return the order of evaluation: the data set's own (accelerate shares it among several processes)."""
    if dataset is None or not has_length(dataset) or args.world_size > 1:
        return None
    return SequentialSampler(dataset)


def make_loader(
    trainer: DataMixin,
    dataset: Any,
    description: str,
    batch_size: int,
    sampler: Callable[[Any], Sampler[int] | None],
    is_training: bool = False,
) -> DataLoader[Any]:
    """Make the loader of a data set.

    Args:
        trainer: its arguments, model and collator are used.
        dataset: a `torch.utils.data` or `datasets` data set, with or without a length.
        description: "Training", "Evaluation" or "test", for messages.
        batch_size: examples a batch of this process.
        sampler: gives the order, for data sets that can be read in any order.
        is_training: whether processes that load data are seeded.
    """
    args = trainer.args
    collator = trainer.data_collator
    whole = dataset  # a column of lengths is for the sampler, not for the model
    if args.remove_unused_columns:
        taken = trainer.signature_columns
        name = type(trainer.model).__name__
        if is_hub_dataset(dataset):
            dataset = remove_unused_columns(dataset, taken, name, description)
        else:
            collator = RemoveColumnsCollator(collator, taken, name, description)
    options: dict[str, Any] = {
        "batch_size": batch_size,
        "collate_fn": collator,
        "num_workers": args.dataloader_num_workers,
        "pin_memory": args.dataloader_pin_memory and args.device.type != "cpu",
        "persistent_workers": args.dataloader_persistent_workers,
    }
    if args.dataloader_num_workers:
        options["prefetch_factor"] = args.dataloader_prefetch_factor
        options["multiprocessing_context"] = args.dataloader_multiprocessing_context
        if not args.dataloader_in_order:
            options["in_order"] = False
    if not isinstance(dataset, IterableDataset):
        options["sampler"] = sampler(whole)
        options["drop_last"] = args.dataloader_drop_last
        if is_training:
            options["worker_init_fn"] = partial(
                seed_worker, num_workers=args.dataloader_num_workers, rank=args.process_index
            )
    loader: DataLoader[Any] = DataLoader(dataset, **options)
    return trainer.engine.prepare_loader(loader)


def seed_worker(worker_id: int, num_workers: int, rank: int) -> None:
    """Seed a process that loads data, differently from those of other training processes."""
    set_seed((num_workers * rank + torch.initial_seed()) % 2**32)


def set_epoch(loader: Any, epoch: int) -> None:
    """Tell a loader, its sampler and its data set which epoch begins."""
    if hasattr(loader, "set_epoch"):  # accelerate's
        loader.set_epoch(epoch)
        return
    for name in ("sampler", "dataset"):
        part: Any = getattr(loader, name, None)
        if hasattr(part, "set_epoch"):
            part.set_epoch(epoch)


def num_examples(loader: Any, batch_size: int) -> int:
    """Return the number of examples of a loader, or the best guess where its data set has no length."""
    dataset = getattr(loader, "dataset", None)
    if isinstance(dataset, Sized) and has_length(dataset):
        return len(dataset)
    return len(loader) * batch_size
