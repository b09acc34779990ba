"""What trains a model: processes, devices, precision and sharding, behind one set of methods.

The Trainer says what a step does; the engine says what that means for one process or many. In one process on
a CPU in float32 each method is a line, and accelerate is not even imported.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from .gathering import gather, pad_and_gather
from .parallel import WholeModel

if TYPE_CHECKING:
    from torch.utils.data import DataLoader

    from .arguments import TrainingArguments

__all__ = ["Engine"]

_NOTHING = contextlib.nullcontext()


class Engine:
    """Runs the steps of training in this process, together with all others.

    Args:
        args: what to train with; `args.place` has joined the group of processes, if there are several.

    Attributes:
        device: where the model and its inputs are.
        process_index: number of this process among all, from 0.
        local_process_index: among those of its machine.
        num_processes: on all machines.
        scaler: scales losses so that gradients in float16 do not vanish; None unless `fp16`.
        parallel: how the model is spread over processes: whole in each, sharded, or by DeepSpeed.
    """

    def __init__(self, args: TrainingArguments) -> None:
        self.args = args
        place = args.place
        self.device: torch.device = place.device
        self.process_index: int = place.process_index
        self.local_process_index: int = place.local_process_index
        self.num_processes: int = place.num_processes
        self.is_main_process = self.process_index == 0
        self.is_local_main_process = self.local_process_index == 0
        self.parallel: WholeModel = _parallelism(args)
        precision = _precision(args)
        self.scaler = self.parallel.make_scaler(self.device.type) if precision == "fp16" else None
        self._dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(precision)
        self._accelerator: Any = None

    @property
    def accelerator(self) -> Any:
        """An `accelerate.Accelerator` with the same devices and precision, made when first asked for."""
        if self._accelerator is None:
            from accelerate import Accelerator
            from accelerate.utils import DataLoaderConfiguration

            config = self.args.accelerator_settings
            self._accelerator = Accelerator(
                cpu=self.device.type == "cpu",
                mixed_precision=self.args.mixed_precision,
                dataloader_config=DataLoaderConfiguration(
                    split_batches=config.split_batches,
                    dispatch_batches=config.dispatch_batches,
                    even_batches=config.even_batches,
                    use_seedable_sampler=config.use_seedable_sampler,
                    non_blocking=config.non_blocking,
                ),
            )
        return self._accelerator

    # The model

    def prepare(self, model: nn.Module) -> nn.Module:
        """Return the model as this process trains it; call it before the optimizer is made.

        In one process that is the model itself, otherwise one that exchanges gradients with the others.
        """
        return self.parallel.wrap(model)

    def start(
        self, wrapped: nn.Module, optimizer: Any, scheduler: Any, num_training_steps: int
    ) -> tuple[nn.Module, Any, Any]:
        """Return a prepared model, its optimizer and its schedule, ready to train.

        They are those that are given; only DeepSpeed makes others of them.
        """
        return self.parallel.start(wrapped, optimizer, scheduler, num_training_steps)

    def unwrap(self, wrapped: nn.Module) -> nn.Module:
        """Return the model that `prepare` was given."""
        return self.parallel.unwrap(wrapped)

    # Batches

    def prepare_loader(self, loader: DataLoader) -> Any:
        """Return a loader of this process's share of the batches (in one process: the same loader).

        As accelerate shares them: batch after batch in turn; `accelerator_config` says whether batches are
        split, dispatched by the main process, and filled up with rows from the start.
        """
        if self.num_processes == 1:
            return loader
        from accelerate.data_loader import prepare_data_loader

        from .distributed import SharedOrder

        config = self.args.accelerator_settings
        if not config.dispatch_batches and SharedOrder.is_needed(loader.sampler, config.use_seedable_sampler):
            loader.batch_sampler.sampler = SharedOrder(loader.sampler, self.share)  # type: ignore[union-attr]
        return prepare_data_loader(
            loader,
            self.device,
            num_processes=self.num_processes,
            process_index=self.process_index,
            split_batches=config.split_batches,
            put_on_device=True,
            dispatch_batches=config.dispatch_batches,
            even_batches=config.even_batches,
            use_seedable_sampler=config.use_seedable_sampler,
            data_seed=self.args.data_seed if self.args.data_seed is not None else self.args.seed,
            non_blocking=config.non_blocking,
        )

    def rows_not_repeated(self, total: int, seen: int, size: int) -> int:
        """Return how many rows of this process's batch are seen for the first time.

        Args:
            total: rows of the data set.
            seen: those that all processes have had before this batch.
            size: of this process's batch; the last one may be filled up with rows from the start.
        """
        if self.num_processes == 1:
            return size
        return min(max(total - seen - self.process_index * size, 0), size)

    def repeats(self, loader: Any, rows: int) -> int:
        """Return how many of the gathered rows of a batch are there a second time, to fill up the last batch.

        Args:
            loader: one of `prepare_loader`, over a data set without length (of others the length is known).
            rows: gathered from all processes.
        """
        at_end = self.num_processes > 1 and getattr(loader, "end_of_dataloader", False)
        remainder = getattr(loader, "remainder", -1) if at_end else -1
        return rows - remainder if 0 < remainder < rows else 0

    # A step

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Return a context in which a forward pass uses the precision that the arguments ask for."""
        if self._dtype is None or not self.parallel.uses_autocast:
            return _NOTHING
        return torch.autocast(self.device.type, dtype=self._dtype)

    def backward(self, loss: torch.Tensor, wrapped: nn.Module | None = None) -> None:
        """Add the gradients of a loss ().

        Args:
            loss: a scalar, divided already by the number of micro-batches in a step.
            wrapped: the prepared model, which DeepSpeed needs.
        """
        self.parallel.backward(loss if self.scaler is None else self.scaler.scale(loss), wrapped)

    def no_sync(self, wrapped: nn.Module, last: bool) -> contextlib.AbstractContextManager[Any]:
        """Return a context for one micro-batch, forward and backward.

        Args:
            wrapped: the prepared model.
            last: whether it is the last one of a step: only then do processes exchange gradients.
        """
        return self.parallel.no_sync(wrapped, last)

    def clip(
        self,
        parameters: Iterable[nn.Parameter],
        max_norm: float,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> torch.Tensor | None:
        """Scale gradients so that their norm, taken over all processes' shards, is at most `max_norm`.

        Args:
            parameters: those with gradients.
            max_norm: the greatest norm allowed.
            optimizer: the one that will step; needed with `fp16`, whose gradients are scaled back first.

        Returns:
            The norm before clipping (); None where DeepSpeed clips.
        """
        if self.scaler is not None and optimizer is not None:
            self.scaler.unscale_(optimizer)
        return self.parallel.clip(parameters, max_norm)

    def step(self, optimizer: torch.optim.Optimizer) -> bool:
        """Let the optimizer take a step; False where gradients in float16 were not finite and it did not."""
        if self.scaler is None:
            return self.parallel.step(optimizer)
        scale = self.scaler.get_scale()
        self.scaler.step(optimizer)
        self.scaler.update()
        return self.scaler.get_scale() >= scale

    # Among processes

    def gather(self, nested: Any) -> Any:
        """Return the tensors of all processes, one process's rows after another's.

        Args:
            nested: a tensor, or tuples, lists and dictionaries of tensors, of equal shapes (n, ...) in all
                processes; a scalar () counts as one row.

        Returns:
            The same structure, with num_processes * n rows; in one process `nested` itself.
        """
        return nested if self.num_processes == 1 else gather(nested)

    def pad_and_gather(self, nested: Any, pad_index: int = -100) -> Any:
        """Return the tensors of all processes, padded where their shapes differ.

        Args:
            nested: tensors (n, ...); n and every further size may differ from process to process.
            pad_index: fills what a smaller tensor lacks. Rows are never padded: all of them, and no others,
                come back.
        """
        return nested if self.num_processes == 1 else pad_and_gather(nested, pad_index)

    def share(self, obj: Any) -> Any:
        """Return the main process's object in every process (it is pickled on the way)."""
        if self.num_processes == 1:
            return obj
        box = [obj]
        torch.distributed.broadcast_object_list(box, src=0)
        return box[0]

    def wait(self) -> None:
        """Wait until every process has come here."""
        if self.num_processes > 1:
            torch.distributed.barrier()

    # Files

    def model_state(self, wrapped: nn.Module) -> dict[str, torch.Tensor]:
        """Return the whole state dict on the main process, and an empty one elsewhere where it is sharded.

        Every process must call it.
        """
        return self.parallel.model_state(wrapped)

    @property
    def writes_shards(self) -> bool:
        """Whether `save_optimizer` writes the model too, sharded."""
        return self.parallel.writes_shards

    def has_shards(self, folder: str | os.PathLike[str]) -> bool:
        """Return whether a folder has a sharded model that `load_model_state` reads."""
        return self.parallel.has_shards(Path(folder))

    def load_model_state(
        self, wrapped: nn.Module, state: dict[str, torch.Tensor] | str | os.PathLike[str]
    ) -> None:
        """Give the model the weights of a whole state dict, or of a folder with a sharded one.

        Raises:
            RuntimeError: names or shapes are not those of the model.
        """
        self.parallel.load_model_state(wrapped, state)

    def save_optimizer(
        self, folder: str | os.PathLike[str], wrapped: nn.Module, optimizer: torch.optim.Optimizer
    ) -> None:
        """Write what the optimizer holds: `optimizer.pt`, or sharded files. Every process must call it."""
        self.parallel.save_optimizer(Path(folder), wrapped, optimizer)

    def load_optimizer(
        self, folder: str | os.PathLike[str], wrapped: nn.Module, optimizer: torch.optim.Optimizer
    ) -> None:
        """Read what `save_optimizer` wrote. Every process must call it.

        Raises:
            FileNotFoundError: nothing of that kind is in the folder.
        """
        self.parallel.load_optimizer(Path(folder), wrapped, optimizer)


def _precision(args: TrainingArguments) -> str:
    """Return "no", "bf16" or "fp16", which `accelerate launch --mixed_precision` may say, too."""
    if args.mixed_precision != "no":
        return args.mixed_precision
    precision = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if precision == "fp16" and args.device.type == "cpu":
        raise ValueError(
            "ACCELERATE_MIXED_PRECISION=fp16 (`accelerate launch --mixed_precision fp16`) needs an "
            "accelerator, and training is on the CPU: take bf16, which works here."
        )
    return precision


def _parallelism(args: TrainingArguments) -> WholeModel:
    """Return how the model is spread over processes."""
    if args.deepspeed:
        from .deepspeed import DeepSpeedModel

        return DeepSpeedModel(args)
    if args.fsdp:
        from .sharding import ShardedModel

        return ShardedModel(args)
    return WholeModel(args)
