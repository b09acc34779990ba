"""A model that every process holds as a whole: alone, on several GPUs of one process, or with DDP."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = ["OPTIMIZER_NAME", "WholeModel", "check_names"]

OPTIMIZER_NAME = "optimizer.pt"

_NOTHING = contextlib.nullcontext()


class WholeModel:
    """How a model is trained that each process holds as a whole; base of the ways to shard one.

    Args:
        args: arguments of training, of which the `ddp_*` ones are used.

    Attributes:
        uses_autocast: whether mixed precision comes from `torch.autocast`.
        writes_shards: whether `save_optimizer` writes the model too, sharded.
    """

    uses_autocast = True
    writes_shards = False

    def __init__(self, args: TrainingArguments) -> None:
        self.args = args
        self.num_processes = args.place.num_processes
        self.sync_each_batch = args.accelerator_settings.sync_each_batch

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return the model as this process trains it."""
        args = self.args
        if self.num_processes == 1:
            several = args.n_gpu > 1 and not getattr(model, "is_loaded_in_8bit", False)
            return DataParallel(model) if several else model
        if not any(parameter.requires_grad for parameter in model.parameters()):
            return model
        find_unused = args.ddp_find_unused_parameters
        if find_unused is None:  # as documented: recomputed layers would be counted twice
            find_unused = not getattr(model, "is_gradient_checkpointing", False)
        options: dict[str, Any] = {
            "bucket_cap_mb": args.ddp_bucket_cap_mb,
            "broadcast_buffers": args.ddp_broadcast_buffers,
            "static_graph": args.ddp_static_graph,
        }
        return DistributedDataParallel(
            model,
            device_ids=None if args.device.type == "cpu" else [args.device.index],
            find_unused_parameters=find_unused,
            **{name: value for name, value in options.items() if value is not None},
        )

    def start(
        self, wrapped: nn.Module, optimizer: Any, scheduler: Any, num_training_steps: int
    ) -> tuple[nn.Module, Any, Any]:
        """Return the wrapped model, its optimizer and its schedule, as they take steps."""
        return wrapped, optimizer, scheduler

    def unwrap(self, wrapped: nn.Module) -> nn.Module:
        """Return the model that `wrap` was given."""
        while True:
            if isinstance(wrapped, (DataParallel, DistributedDataParallel)):
                wrapped = wrapped.module
            elif hasattr(wrapped, "_orig_mod"):  # as torch.compile wraps it
                wrapped = wrapped._orig_mod  # type: ignore[assignment]
            else:
                return wrapped

    def make_scaler(self, device_type: str) -> Any:
        """Return what scales losses in float16."""
        return torch.amp.GradScaler(device_type)

    def backward(self, loss: torch.Tensor, wrapped: nn.Module | None) -> None:
        """Add the gradients of a loss ()."""
        loss.backward()

    def no_sync(self, wrapped: nn.Module, last: bool) -> contextlib.AbstractContextManager[Any]:
        """Return a context in which gradients stay in this process, unless this is the last micro-batch."""
        if last or self.sync_each_batch or not isinstance(wrapped, DistributedDataParallel):
            return _NOTHING
        return wrapped.no_sync()

    def clip(self, parameters: Iterable[nn.Parameter], max_norm: float) -> torch.Tensor | None:
        """Clip gradients; returns their norm () before."""
        return nn.utils.clip_grad_norm_(parameters, max_norm)

    def step(self, optimizer: torch.optim.Optimizer) -> bool:
        """Take a step; False where it was skipped."""
        optimizer.step()
        return True

    def model_state(self, wrapped: nn.Module) -> dict[str, torch.Tensor]:
        """Return the whole state dict."""
        return self.unwrap(wrapped).state_dict()

    def has_shards(self, folder: Path) -> bool:
        """Return whether a folder has a sharded model that this way of training reads."""
        return False

    def load_model_state(
        self, wrapped: nn.Module, state: dict[str, torch.Tensor] | str | os.PathLike[str]
    ) -> None:
        """Give the model weights that were read from a file."""
        if not isinstance(state, dict):
            from ..checkpoints import find_weights, read_weights
            from ..hub import HubOptions

            state = read_weights(find_weights(state, HubOptions(local_files_only=True)))
        model = self.unwrap(wrapped)
        check_names(model, state)
        model.load_state_dict(state, strict=False)

    def save_optimizer(self, folder: Path, wrapped: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Write `optimizer.pt`, in the processes that write checkpoints."""
        if self.args.should_save:
            torch.save(optimizer.state_dict(), folder / OPTIMIZER_NAME)

    def load_optimizer(self, folder: Path, wrapped: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Read `optimizer.pt`; refuse that of another kind of optimizer."""
        file = folder / OPTIMIZER_NAME
        if not file.is_file():
            raise FileNotFoundError(
                f"{folder} has no {OPTIMIZER_NAME}: it was written with save_only_model=True, or with a "
                "sharded optimizer. Resume as it was trained, or train from its weights (from_pretrained)."
            )
        settings = list(optimizer.defaults)
        optimizer.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
        missing = [name for name in settings if any(name not in group for group in optimizer.param_groups)]
        if missing:
            raise ValueError(
                f"{file} is of another optimizer: it lacks {', '.join(missing)} of "
                f"{type(optimizer).__name__}. Resume with the optimizer of that training, or train from its "
                "weights (from_pretrained)."
            )


def check_names(model: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Raise a RuntimeError if a state dict has other names than a model; of tied weights one is enough."""
    names = set(model.state_dict())
    weights = list(model.named_parameters(remove_duplicate=False))
    given = {id(weight) for name, weight in weights if name in state}
    repeated = {name for name, weight in weights if id(weight) in given}
    missing, unexpected = names - set(state) - repeated, set(state) - names
    if missing or unexpected:
        raise RuntimeError(
            "The weights are not those of this model: "
            f"missing {', '.join(sorted(missing)) or 'none'}; "
            f"unexpected {', '.join(sorted(unexpected)) or 'none'}."
        )
