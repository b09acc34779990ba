"""What a Trainer checks and does to a model before it trains."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import nn

from ..utils import logging
from .batches import has_length
from .choices import IntervalStrategy, SaveStrategy
from .columns import base_model
from .losses import takes

if TYPE_CHECKING:
    from .arguments import TrainingArguments
    from .parts.attributes import TrainerAttributes
    from .trainer import Trainer

__all__ = [
    "CacheOff",
    "check_trainer",
    "compiled",
    "count_tokens",
    "move_to_device",
    "optimize_with_ipex",
    "recompute_activations",
    "watch_overflow",
    "with_fitting_batch_size",
]

logger = logging.get_logger(__name__)

Result = TypeVar("Result")


def check_trainer(trainer: Trainer, model: Any) -> None:
    """Refuse what a Trainer cannot work with.

    Raises:
        RuntimeError: neither a model nor `model_init`, or things that exclude each other.
        TypeError: what is given as a model is none.
        ValueError: a model without a head, arguments without what they are about.
    """
    args = trainer.args
    if model is None and trainer.model_init is None:
        raise RuntimeError("`Trainer` requires either a `model` or `model_init` argument")
    if model is not None and trainer.model_init is not None:
        raise ValueError("`Trainer` requires either a `model` or `model_init` argument, but not both.")
    if model is not None:
        _check_model(model)
    given = trainer.optimizer is not None or trainer.lr_scheduler is not None
    if trainer.model_init is not None and given:
        raise RuntimeError(
            "Passing a `model_init` is incompatible with providing the `optimizers` argument. You should "
            "subclass `Trainer` and override the `create_optimizer_and_scheduler` method."
        )
    if args.fsdp and given:
        raise RuntimeError(
            "Passing `optimizers` is not allowed if PyTorch FSDP is enabled. You should subclass `Trainer` "
            "and override the `create_optimizer_and_scheduler` method."
        )
    if trainer.optimizer is not None and trainer.optimizer_cls_and_kwargs is not None:
        raise RuntimeError(
            "Passing both `optimizers` and `optimizer_cls_and_kwargs` arguments is incompatible."
        )
    _check_data(trainer)


def _check_model(model: Any) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"model={model!r} is no module of torch: load one, as "
            f"`AutoModelForSequenceClassification.from_pretrained({model!r})` does."
        )
    base = base_model(model)
    name = type(base).__name__
    if name.endswith(("Model", "Encoder")) and not name.endswith(("LMHeadModel", "DoubleHeadsModel")):
        parameters = inspect.signature(base.forward).parameters
        if hasattr(base, "config") and not any("label" in parameter for parameter in parameters):
            raise ValueError(
                f"The model you have picked ({name}) cannot be used as is for training: it only computes "
                "hidden states and does not accept any labels. You should choose a model with a head "
                "suitable for your task like any of the `AutoModelForXxx`."
            )
    has_adapter = base is not model or getattr(model, "_hf_peft_config_loaded", False)
    if getattr(base, "is_quantized", False) and not has_adapter:
        raise ValueError(
            "You cannot train a model whose weights are all quantized: they have no gradients. Add an "
            "adapter (`model.add_adapter(LoraConfig())`), which is trained in their place."
        )


def _check_data(trainer: Trainer) -> None:
    args = trainer.args
    if args.eval_strategy != IntervalStrategy.NO and trainer.eval_dataset is None:
        raise ValueError(
            f"You have set `args.eval_strategy` to {args.eval_strategy} but you didn't pass an "
            "`eval_dataset` to "
            "`Trainer`. Either set `args.eval_strategy` to `no` or pass an `eval_dataset`."
        )
    if args.save_strategy == SaveStrategy.BEST and args.metric_for_best_model is None:
        raise ValueError("`args.metric_for_best_model` must be provided when using 'best' save_strategy.")
    compute = trainer.compute_metrics
    if args.batch_eval_metrics and compute is not None and not takes(compute, "compute_result"):
        raise ValueError(
            "When using `batch_eval_metrics`, your `compute_metrics` function must take a `compute_result` "
            "boolean argument which will be triggered after the last batch of the eval set to signal that "
            "the summary statistics should be returned by the function."
        )
    if trainer.train_dataset is not None and not has_length(trainer.train_dataset) and args.max_steps <= 0:
        raise ValueError(
            "The train_dataset does not implement __len__, max_steps has to be specified. The number of "
            "steps needs to be known in advance for the learning rate scheduler."
        )


def move_to_device(model: nn.Module, device: torch.device) -> None:
    """Move a model, unless parts of it are placed on devices of their own, or a library has placed it."""
    if getattr(model, "hf_device_map", None) is None and not getattr(model, "is_quantized", False):
        model.to(device)
        tie = getattr(model, "tie_weights", None)
        if tie is not None and device.type == "xla":
            tie()


def recompute_activations(model: Any, args: TrainingArguments) -> None:
    """Let a model recompute activations in the backward pass, in place of keeping them.

    Raises:
        ValueError: the model cannot.
    """
    if not hasattr(model, "gradient_checkpointing_enable"):
        raise ValueError(
            f"gradient_checkpointing=True: {type(model).__name__} has no method "
            "`gradient_checkpointing_enable`."
        )
    kwargs = args.gradient_checkpointing_kwargs
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=kwargs or {})


class CacheOff:
    """A context in which a model keeps no keys and values, which nothing uses in training.

    Args:
        config: of the model; None leaves it alone.
    """

    def __init__(self, config: Any) -> None:
        self._config = config if getattr(config, "use_cache", None) else None

    def __enter__(self) -> None:
        if self._config is not None:
            self._config.use_cache = False

    def __exit__(self, *error: Any) -> None:
        if self._config is not None:
            self._config.use_cache = True


def optimize_with_ipex(trainer: TrainerAttributes, model: nn.Module, training: bool, dtype: Any) -> nn.Module:
    """Return the model as Intel's extension for PyTorch runs it; see `Trainer.ipex_optimize_model`."""
    try:
        ipex = importlib.import_module("intel_extension_for_pytorch")
    except ImportError as error:
        raise ImportError(
            "ipex_optimize_model needs Intel's extension for PyTorch, which is not installed: run "
            "`pip install intel_extension_for_pytorch`, on a processor of Intel."
        ) from error
    dtype = dtype or (torch.bfloat16 if trainer.args.bf16 else torch.float32)
    if not training:
        return ipex.optimize(model.eval(), dtype=dtype, level="O1", conv_bn_folding=False, inplace=False)
    model, trainer.optimizer = ipex.optimize(
        model.train(), dtype=dtype, optimizer=trainer.optimizer, inplace=True, level="O1"
    )
    return model


def watch_overflow(trainer: Trainer) -> None:
    """Look for nan and inf in what the model's modules give.

    Raises:
        ValueError: one process feeds several GPUs, whose copies of the model nobody watches.
    """
    if trainer.args.n_gpu > 1:
        raise ValueError(
            "Currently --debug underflow_overflow is not supported under DP. Please use DDP (torchrun)."
        )
    from .debugging import DebugUnderflowOverflow

    DebugUnderflowOverflow(trainer.model)


def compiled(model: nn.Module, args: TrainingArguments) -> nn.Module:
    """Return a model that torch.compile compiles when it first runs, where the arguments ask for it."""
    if not args.torch_compile:
        return model
    backend = args.torch_compile_backend or "inductor"
    if backend not in (known := torch.compiler.list_backends(exclude_tags=())):
        raise ValueError(f"torch_compile_backend={backend!r} is unknown; there are {', '.join(known)}.")
    compiled_model: Any = torch.compile(model, backend=backend, mode=args.torch_compile_mode)
    return compiled_model


def with_fitting_batch_size(trainer: Trainer, train: Callable[[], Result]) -> Result:
    """Train; with `auto_find_batch_size`, begin again with a smaller batch whenever memory runs out.

    Raises:
        RuntimeError: not even one example at once fits.
    """
    if not trainer.args.auto_find_batch_size:
        return train()
    from accelerate.utils import find_executable_batch_size

    def attempt(batch_size: int) -> Result:
        trainer.train_batch_size = batch_size
        trainer.model_wrapped = trainer.model
        return train()

    return find_executable_batch_size(attempt, starting_batch_size=trainer.train_batch_size)()


def count_tokens(trainer: TrainerAttributes, inputs: dict[str, Any]) -> torch.Tensor:
    """Return the number of input tokens of a batch, 0-dim; without padding, where the arguments say so."""
    name = getattr(trainer.model, "main_input_name", "input_ids")
    device = trainer.args.device
    if name not in inputs:
        logger.warning_once(f"Tokens cannot be counted: there is no {name} in the batches.")
        return torch.zeros((), dtype=torch.long, device=device)
    if trainer.args.include_num_input_tokens_seen == "non_padding":
        if "attention_mask" in inputs:
            return inputs["attention_mask"].sum().to(device)
        padding = getattr(trainer.processing_class, "pad_token_id", None)
        if padding is not None:
            return (inputs[name] != padding).sum().to(device)
    return torch.tensor(inputs[name].numel(), device=device)
