"""Training by DeepSpeed: optimizer, gradients and weights sharded, as its own settings say.

Mirrors the documentation page `main_classes/deepspeed`. The settings are read in `deepspeed_settings.py`;
here the model is handed to `deepspeed.initialize`. It is built whole before DeepSpeed shards it.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed, nn

from .deepspeed_settings import (
    HfDeepSpeedConfig,
    HfTrainerDeepSpeedConfig,
    deepspeed_config,
    is_deepspeed_zero3_enabled,
    set_hf_deepspeed_config,
    unset_hf_deepspeed_config,
)
from .parallel import WholeModel

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = [
    "DeepSpeedModel",
    "HfDeepSpeedConfig",
    "HfTrainerDeepSpeedConfig",
    "check_deepspeed_arguments",
    "deepspeed_config",
    "is_deepspeed_available",
    "is_deepspeed_zero3_enabled",
    "set_hf_deepspeed_config",
    "unset_hf_deepspeed_config",
]


def is_deepspeed_available() -> bool:
    """Return whether DeepSpeed is installed."""
    return importlib.util.find_spec("deepspeed") is not None


def check_deepspeed_arguments(args: TrainingArguments) -> None:
    """Read the settings, and fill in what the arguments say; `args.hf_deepspeed_config` keeps them.

    Raises:
        ImportError: DeepSpeed is not installed.
        FileNotFoundError: the settings are the path of no file.
        ValueError: they are no JSON, or FSDP is asked for too.
    """
    if args.fsdp:
        raise ValueError(
            "Using --fsdp xxx together with --deepspeed is not possible, deactivate one of those flags."
        )
    if not is_deepspeed_available():
        raise ImportError(
            "deepspeed=... needs DeepSpeed, which is not installed: `pip install deepspeed`, and start "
            'again. Without it, fsdp="full_shard auto_wrap" shards a model too.'
        )
    if args.device.type == "cpu":
        os.environ.setdefault("DS_ACCELERATOR", "cpu")  # read when DeepSpeed is imported
    assert args.deepspeed is not None
    args.hf_deepspeed_config = config = HfTrainerDeepSpeedConfig(args.deepspeed)  # type: ignore[attr-defined]
    config.trainer_config_process(args, args.auto_find_batch_size)


class DeepSpeedModel(WholeModel):
    """How DeepSpeed trains a model.

    Args:
        args: arguments of training, of which `deepspeed` are the settings.
    """

    uses_autocast = False  # DeepSpeed's settings say which precision

    def __init__(self, args: TrainingArguments) -> None:
        super().__init__(args)
        self.config: HfTrainerDeepSpeedConfig = args.hf_deepspeed_config  # type: ignore[attr-defined]
        set_hf_deepspeed_config(self.config)
        self.writes_shards = self.config.is_zero3() and not self.config.is_true(
            "zero_optimization.stage3_gather_16bit_weights_on_model_save"
        )
        self._engine: Any = None

    def make_scaler(self, device_type: str) -> Any:
        """Return None: DeepSpeed scales losses itself."""
        return None

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return the model as it is; `start` hands it over, when there is an optimizer."""
        return model.to(self.args.device)

    def start(
        self, wrapped: nn.Module, optimizer: Any, scheduler: Any, num_training_steps: int
    ) -> tuple[nn.Module, Any, Any]:
        """Hand model, optimizer and schedule to DeepSpeed, which makes its own where its settings say so.

        Raises:
            ValueError: settings that contradict the arguments.
        """
        import deepspeed

        self.config.trainer_config_finalize(self.args, wrapped, num_training_steps)
        settings = copy.deepcopy(self.config.config)
        options: dict[str, Any] = {"model": wrapped, "config": settings}
        if "optimizer" in settings:
            options["model_parameters"] = [
                {name: group[name] for name in ("params", "weight_decay") if name in group}
                for group in optimizer.param_groups
            ]
        else:
            options["optimizer"] = optimizer
            settings.setdefault("zero_allow_untested_optimizer", True)
            if self.config.is_offload():
                settings.setdefault("zero_force_ds_cpu_optimizer", False)
        self._join()
        self._engine, ds_optimizer, _, ds_scheduler = deepspeed.initialize(**options)
        if "scheduler" in settings:
            scheduler = _SteppedByDeepSpeed(ds_scheduler)
        elif "optimizer" in settings:
            scheduler.optimizer = ds_optimizer  # the schedule sets the rates of the one that steps
            for group, rate in zip(ds_optimizer.param_groups, scheduler.get_last_lr(), strict=True):
                group["lr"] = rate
        return self._engine, ds_optimizer, scheduler

    def _join(self) -> None:
        """Join a group of processes; DeepSpeed wants one even of a single process."""
        if not distributed.is_initialized() and "RANK" not in os.environ:
            backend = "gloo" if self.args.device.type == "cpu" else "nccl"
            distributed.init_process_group(backend, store=distributed.HashStore(), rank=0, world_size=1)
        os.environ.setdefault("LOCAL_RANK", "0")

    def unwrap(self, wrapped: nn.Module) -> nn.Module:
        """Return the model inside DeepSpeed's engine."""
        return wrapped.module if wrapped is self._engine and self._engine is not None else wrapped  # type: ignore[return-value]

    # A step

    def no_sync(self, wrapped: nn.Module, last: bool) -> contextlib.AbstractContextManager[Any]:
        """Tell DeepSpeed whether this is the last micro-batch of a step."""
        return self._boundary(last)

    @contextlib.contextmanager
    def _boundary(self, last: bool) -> Iterator[None]:
        self._engine.set_gradient_accumulation_boundary(last)
        yield

    def backward(self, loss: torch.Tensor, wrapped: nn.Module | None) -> None:
        """Add the gradients of a loss (), which is divided already."""
        self._engine.backward(loss, scale_wrt_gas=False)

    def clip(self, parameters: Iterable[nn.Parameter], max_norm: float) -> torch.Tensor | None:
        """Return None: DeepSpeed clips in its step, as `gradient_clipping` says."""
        return None

    def step(self, optimizer: torch.optim.Optimizer) -> bool:
        """Clip, step and forget gradients; False where they were not finite."""
        self._engine.step()
        return bool(self._engine.was_step_applied())

    # Files

    def model_state(self, wrapped: nn.Module) -> dict[str, torch.Tensor]:
        """Return the whole state dict; of sharded weights, on the main process alone.

        Raises:
            ValueError: weights are sharded, and the settings do not let them be gathered.
        """
        engine: Any = self._engine
        if engine is None or not self.config.is_zero3():
            return self.unwrap(wrapped).state_dict()
        if self.writes_shards:
            raise ValueError(
                "stage3_gather_16bit_weights_on_model_save is false: each process has only its shards of the "
                "weights. Set it to true in the settings of DeepSpeed, or run zero_to_fp32.py of a "
                "checkpoint, which joins them."
            )
        return engine._zero3_consolidated_16bit_state_dict() or {}

    def has_shards(self, folder: Path) -> bool:
        """Return whether a folder has a checkpoint of DeepSpeed."""
        return self._engine is not None and (folder / "latest").is_file()

    def load_model_state(
        self, wrapped: nn.Module, state: dict[str, torch.Tensor] | str | os.PathLike[str]
    ) -> None:
        """Give the model weights, from a checkpoint of DeepSpeed where it is a folder."""
        if isinstance(state, dict):
            super().load_model_state(wrapped, state)
        else:
            self._load(Path(state), load_module_only=True)

    def save_optimizer(self, folder: Path, wrapped: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Write a checkpoint of DeepSpeed: `global_step*/`, `latest` and `zero_to_fp32.py`."""
        self._engine.save_checkpoint(str(folder))

    def load_optimizer(self, folder: Path, wrapped: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Read a checkpoint of DeepSpeed, weights included."""
        if not self.has_shards(folder):
            raise FileNotFoundError(
                f"{folder} has no checkpoint of DeepSpeed (latest, global_step*/): it was written with "
                "save_only_model=True, or by a training without deepspeed."
            )
        self._load(folder)

    def _load(self, folder: Path, **options: Any) -> None:
        path, _ = self._engine.load_checkpoint(str(folder), **options)
        if path is None:
            raise ValueError(f"DeepSpeed could not read its checkpoint in {folder}.")


class _SteppedByDeepSpeed:
    """A schedule of DeepSpeed, whose engine steps it: a step from outside does nothing."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scheduler, name)

    def step(self, *args: Any) -> None:
        """Do nothing."""
