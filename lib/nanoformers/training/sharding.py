"""Models, gradients and optimizers cut into pieces, of which each process holds one: FSDP.

Mirrors the FSDP part of the documentation page `main_classes/trainer`. The work is done by torch's
`fully_shard` (https://docs.pytorch.org/docs/stable/distributed.fsdp.fully_shard.html), on CPUs with gloo and
on GPUs alike; the arguments are read in `sharding_options.py`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed, nn

from ..utils import logging
from .parallel import WholeModel, check_names
from .sharding_options import ShardingOptions, check_fsdp_arguments

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = ["SHARDED_MODEL", "SHARDED_OPTIMIZER", "ShardedModel", "check_fsdp_arguments"]

logger = logging.get_logger(__name__)

SHARDED_MODEL = "pytorch_model_fsdp_0"
SHARDED_OPTIMIZER = "optimizer_0"
METADATA = ".metadata"

_NOTHING = contextlib.nullcontext()


class ShardedModel(WholeModel):
    """How a model is trained of which each process holds a shard.

    Args:
        args: arguments of training; `fsdp` and `fsdp_config` say how to shard.

    Raises:
        ValueError: there is one process only, or a device cannot do what is asked for.
    """

    def __init__(self, args: TrainingArguments) -> None:
        super().__init__(args)
        if not distributed.is_initialized() and "RANK" in os.environ:  # a launcher started one process
            distributed.init_process_group("gloo" if args.device.type == "cpu" else args.ddp_backend)
        if not distributed.is_initialized():
            raise ValueError(
                "Using fsdp only works in distributed training. Start several processes, with `torchrun "
                "--nproc_per_node 2 script.py` for example, or leave `fsdp` out."
            )
        self.options = options = ShardingOptions.of(args)
        if options.offload and args.device.type == "cpu":
            raise ValueError(
                "`--fsdp offload` keeps parameters of a GPU's model in the memory of the CPU, and training "
                "is on the CPU: leave `offload` out."
            )
        self.shards = options.strategy != "no_shard"  # without shards it is DDP
        self.writes_shards = self.shards and options.sharded_state_dict

    # The model

    def wrap(self, model: nn.Module) -> nn.Module:
        """Shard a model in place; its parameters become `DTensor`s.

        Raises:
            ValueError: no module of a class that `transformer_layer_cls_to_wrap` names.
        """
        if self.options.activation_checkpointing:
            _recompute(model)
        if not self.options.offload:
            model.to(self.args.device)
        if not self.shards:
            return super().wrap(model)
        from torch.distributed.fsdp import fully_shard

        if _is_sharded(model):
            return model
        _make_equal(model)
        layers = self.options.layers_of(model)
        settings = self._settings()
        for module in [*layers, model]:
            name = type(module).__name__
            fully_shard(module, **settings)
            type(module).__name__ = name  # torch puts FSDP before it, and saved configurations would too
        if self.options.forward_prefetch:
            for layer, following in itertools.pairwise(layers):
                layer.set_modules_to_forward_prefetch([following])  # type: ignore[operator]
        return model

    def _settings(self) -> dict[str, Any]:
        """Return the arguments of `fully_shard`."""
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import CPUOffloadPolicy, MixedPrecisionPolicy

        place, strategy = self.args.place, self.options.strategy
        if strategy.startswith("hybrid"):  # shards on each machine, copies across machines
            per_machine = int(os.environ.get("LOCAL_WORLD_SIZE", place.num_processes))
            mesh = init_device_mesh(
                place.device.type,
                (place.num_processes // per_machine, per_machine),
                mesh_dim_names=("replicate", "shard"),
            )
        else:
            mesh = init_device_mesh(place.device.type, (place.num_processes,))
        settings: dict[str, Any] = {"mesh": mesh, "reshard_after_forward": self.options.reshard_after_forward}
        dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(self.args.mixed_precision)
        if dtype is not None:
            settings["mp_policy"] = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
        if self.options.offload:
            settings["offload_policy"] = CPUOffloadPolicy()
        return settings

    def no_sync(self, wrapped: nn.Module, last: bool) -> contextlib.AbstractContextManager[Any]:
        """Return a context in which gradients stay in this process, unless this is the last micro-batch."""
        if not self.shards:
            return super().no_sync(wrapped, last)
        return _NOTHING if last or self.sync_each_batch else _unsynchronised(wrapped)

    def clip(self, parameters: Iterable[nn.Parameter], max_norm: float) -> torch.Tensor | None:
        """Clip gradients by the norm of all shards together; returns it ()."""
        norm = super().clip(parameters, max_norm)
        return norm.full_tensor() if hasattr(norm, "full_tensor") else norm  # type: ignore[union-attr]

    # Files

    def model_state(self, wrapped: nn.Module) -> dict[str, torch.Tensor]:
        """Return the whole state dict on the main process, an empty one elsewhere."""
        if not self.shards:
            return super().model_state(wrapped)
        from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

        whole = StateDictOptions(full_state_dict=True, cpu_offload=True)
        state: dict[str, Any] = get_model_state_dict(wrapped, options=whole)
        first_names: dict[int, str] = {}
        for name, weight in wrapped.named_parameters(remove_duplicate=False):
            first = first_names.setdefault(id(weight), name)
            if first in state and name in state:
                state[name] = state[first]  # tied weights stay one tensor, and are written once
        return state

    def has_shards(self, folder: Path) -> bool:
        """Return whether a folder has a sharded model."""
        return self.shards and (folder / SHARDED_MODEL / METADATA).is_file()

    def load_model_state(
        self, wrapped: nn.Module, state: dict[str, torch.Tensor] | str | os.PathLike[str]
    ) -> None:
        """Give the model weights of a whole state dict, or of a folder with a sharded one."""
        if not self.shards:
            super().load_model_state(wrapped, state)
            return
        from torch.distributed.checkpoint.state_dict import (
            StateDictOptions,
            get_model_state_dict,
            set_model_state_dict,
        )

        if isinstance(state, dict):
            given: dict[str, Any] = state
            check_names(wrapped, given)
            set_model_state_dict(wrapped, given, options=StateDictOptions(full_state_dict=True, strict=False))
            return
        sharded = get_model_state_dict(wrapped)
        _read(Path(state) / SHARDED_MODEL, {"model": sharded})
        set_model_state_dict(wrapped, sharded)

    def save_optimizer(self, folder: Path, wrapped: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Write a shard of the optimizer by each process, and one of the model where that is asked for."""
        if not self.shards:
            super().save_optimizer(folder, wrapped, optimizer)
            return
        from torch.distributed.checkpoint.state_dict import get_model_state_dict, get_optimizer_state_dict

        _write(folder / SHARDED_OPTIMIZER, {"optimizer": get_optimizer_state_dict(wrapped, optimizer)})
        if self.writes_shards:
            _write(folder / SHARDED_MODEL, {"model": get_model_state_dict(wrapped)})

    def load_optimizer(self, folder: Path, wrapped: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Read the optimizer's shards, which as many or another number of processes have written."""
        if not self.shards:
            super().load_optimizer(folder, wrapped, optimizer)
            return
        from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict, set_optimizer_state_dict

        state = get_optimizer_state_dict(wrapped, optimizer)
        _read(folder / SHARDED_OPTIMIZER, {"optimizer": state})
        set_optimizer_state_dict(wrapped, optimizer, state)


def _make_equal(model: nn.Module) -> None:
    """Give every process the main process's weights, before each takes its part of them."""
    for tensor in [*model.parameters(), *model.buffers()]:
        distributed.broadcast(tensor.data, src=0)


def _is_sharded(model: nn.Module) -> bool:
    from torch.distributed.fsdp import FSDPModule

    return isinstance(model, FSDPModule)


def _recompute(model: nn.Module) -> None:
    """Let a model recompute its activations in the backward pass."""
    enable = getattr(model, "gradient_checkpointing_enable", None)
    if enable is None:
        raise ValueError(
            f"fsdp_config['activation_checkpointing']: {type(model).__name__} has no "
            "`gradient_checkpointing_enable` method, as models of this library have. Leave it out."
        )
    enable(gradient_checkpointing_kwargs={"use_reentrant": False})


@contextlib.contextmanager
def _unsynchronised(wrapped: Any) -> Iterator[None]:
    wrapped.set_requires_gradient_sync(False)
    try:
        yield
    finally:
        wrapped.set_requires_gradient_sync(True)


def _write(folder: Path, state: dict[str, Any]) -> None:
    from torch.distributed import checkpoint

    checkpoint.save(state, checkpoint_id=folder)


def _read(folder: Path, state: dict[str, Any]) -> None:
    from torch.distributed import checkpoint

    if not (folder / METADATA).is_file():
        raise FileNotFoundError(
            f"{folder.parent} has no {folder.name}/, which a training with fsdp writes: it was written with "
            "save_only_model=True, or by processes that do not shard. Resume as it was trained, or train "
            "from its weights alone (from_pretrained)."
        )
    checkpoint.load(state, checkpoint_id=folder)
