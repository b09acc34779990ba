"""The optimizer that `TrainingArguments.optim` names, and which weights decay.

Mirrors `Trainer.create_optimizer`, `get_optimizer_cls_and_kwargs` and `get_decay_parameter_names` of the
documentation page `main_classes/trainer`.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..optimization.adafactor import Adafactor
from .choices import OptimizerNames

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = ["decaying_names", "get_parameter_names", "optimizer_class", "parameter_groups", "watch_embeddings"]

# Weights whose names match do not decay, nor do those of LayerNorm: a scale or an offset is no habit to lose.
_NOT_DECAYING = ("bias", "layernorm", "rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)")

Choice = tuple[Any, dict[str, Any]]


def get_parameter_names(
    model: nn.Module,
    forbidden_layer_types: Iterable[type[nn.Module]],
    forbidden_layer_names: Iterable[str] | None = None,
) -> list[str]:
    """Return the names of all parameters that are not inside certain layers.

    Args:
        model: the model.
        forbidden_layer_types: classes of layers whose parameters are left out.
        forbidden_layer_names: regular expressions; a name that one of them finds (in lower case) is left out.
    """
    types = tuple(forbidden_layer_types)
    patterns = [re.compile(pattern) for pattern in forbidden_layer_names or ()]

    def names(module: nn.Module, prefix: str) -> list[str]:
        if prefix and isinstance(module, types):
            return []
        found = [name for child, part in module.named_children() for name in names(part, f"{prefix}{child}.")]
        return found + [f"{prefix}{name}" for name in module._parameters]

    def forbidden(name: str) -> bool:
        parts = name.lower().split(".")
        tails = (".".join(parts[start:]) for start in range(len(parts)))
        return any(pattern.search(tail) for tail in tails for pattern in patterns)

    return [name for name in names(model, "") if not forbidden(name)]


def decaying_names(model: nn.Module) -> list[str]:
    """Return the names of the parameters that decay: all but biases and those of normalisation layers."""
    return get_parameter_names(model, [nn.LayerNorm], _NOT_DECAYING)


def parameter_groups(model: nn.Module, decaying: Iterable[str], weight_decay: float) -> list[dict[str, Any]]:
    """Return two groups of trainable parameters, with and without decay, as optimizers take them."""
    names = set(decaying)
    trainable = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    return [
        {"params": [value for name, value in trainable if name in names], "weight_decay": weight_decay},
        {"params": [value for name, value in trainable if name not in names], "weight_decay": 0.0},
    ]


def optimizer_class(args: TrainingArguments) -> Choice:
    """Return the class of the optimizer, and its arguments.

    Raises:
        ImportError: its package is not installed.
        ValueError: an entry of `optim_args` is not `name=value`, or no argument of this optimizer.
    """
    name = OptimizerNames(args.optim)
    options = _read(args.optim_args)
    cls, kwargs = _CHOICES[name](args, options)
    if options:
        raise ValueError(
            f"optim_args: {cls.__name__} (optim={name.value!r}) has no argument {', '.join(options)} that "
            "can be set here."
        )
    return cls, {"lr": args.learning_rate, **kwargs}


def _read(optim_args: str | None) -> dict[str, str]:
    """Read `optim_args`, "name=value,name=value"."""
    options = {}
    for entry in (optim_args or "").replace(" ", "").split(","):
        key, equals, value = entry.partition("=")
        if entry and not (key and equals and value):
            raise ValueError(f"optim_args={optim_args!r}: entries are name=value, separated by commas.")
        if entry:
            options[key] = value
    return options


def _taken(options: dict[str, str], **kinds: Callable[[str], Any]) -> dict[str, Any]:
    """Take the options that an optimizer knows out of `options`, as values."""
    return {name: kind(options.pop(name)) for name, kind in kinds.items() if name in options}


def _true(word: str) -> bool:
    return word.lower() in {"true", "1", "yes"}


def _adam(args: TrainingArguments) -> dict[str, Any]:
    return {"betas": (args.adam_beta1, args.adam_beta2), "eps": args.adam_epsilon}


def _adamw(args: TrainingArguments, options: dict[str, str]) -> Choice:
    # fused: one kernel for all weights; torch has it for all devices that it is built for, the CPU too
    return torch.optim.AdamW, {**_adam(args), "fused": True, **_taken(options, amsgrad=_true, fused=_true)}


def _adafactor(args: TrainingArguments, options: dict[str, str]) -> Choice:
    known = _taken(options, scale_parameter=_true, clip_threshold=float, decay_rate=float, beta1=float)
    return Adafactor, {"scale_parameter": False, "relative_step": False, **known}


def _sgd(args: TrainingArguments, options: dict[str, str]) -> Choice:
    known = _taken(options, momentum=float, dampening=float, weight_decay=float, nesterov=_true)
    return torch.optim.SGD, known


def _adagrad(args: TrainingArguments, options: dict[str, str]) -> Choice:
    return torch.optim.Adagrad, _taken(options, lr_decay=float, weight_decay=float, eps=float)


def _rmsprop(args: TrainingArguments, options: dict[str, str]) -> Choice:
    known = _taken(options, momentum=float, alpha=float, eps=float, weight_decay=float, centered=_true)
    return torch.optim.RMSprop, known


def _elsewhere(module: str, cls: str, package: str, install: str) -> Callable[..., Choice]:
    """Return a choice of an AdamW that another package has."""

    def choose(args: TrainingArguments, options: dict[str, str]) -> Choice:
        return getattr(_needed(module, args, package, install), cls), _adam(args)

    return choose


def _needed(module: str, args: TrainingArguments, package: str, install: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"optim={OptimizerNames(args.optim).value!r} needs {package}, which cannot be imported "
            f"({error}). {install}, or take optim='adamw_torch'."
        ) from error


def _bitsandbytes(kind: str, bits: int, paged: bool = False) -> Callable[..., Choice]:
    """Return a choice of an optimizer whose state has 8 bits, or which moves it to the CPU if need be."""

    def choose(args: TrainingArguments, options: dict[str, str]) -> Choice:
        package = _needed("bitsandbytes.optim", args, "bitsandbytes", "Run `pip install bitsandbytes`")
        kwargs: dict[str, Any] = {"optim_bits": bits}
        if kind == "RMSprop":
            return package.RMSprop, kwargs | _taken(options, alpha=float, eps=float, momentum=float)
        kwargs["is_paged"] = paged
        if kind == "Lion":
            return package.Lion, kwargs | {"betas": (args.adam_beta1, args.adam_beta2)}
        kwargs |= _adam(args)
        if kind == "AdEMAMix":
            betas = _taken(options, beta1=float, beta2=float, beta3=float)
            first, second = betas.get("beta1", args.adam_beta1), betas.get("beta2", args.adam_beta2)
            kwargs["betas"] = (first, second, betas.get("beta3", 0.9999))
            kwargs |= {"alpha": 5.0} | _taken(options, alpha=float, eps=float, t_alpha=int, t_beta3=int)
        return getattr(package, kind), kwargs

    return choose


def _torchao(cls: str) -> Callable[..., Choice]:
    return _elsewhere("torchao.optim", cls, "torchao", "Run `pip install torchao`")


_CHOICES: dict[OptimizerNames, Callable[[Any, dict[str, str]], Choice]] = {
    OptimizerNames.ADAMW_HF: _adamw,
    OptimizerNames.ADAMW_TORCH: _adamw,
    OptimizerNames.ADAMW_TORCH_FUSED: _adamw,
    OptimizerNames.ADAMW_TORCH_XLA: _elsewhere(
        "torch_xla.amp.syncfree", "AdamW", "PyTorch/XLA", "Install torch_xla on a machine with TPUs"
    ),
    OptimizerNames.ADAMW_TORCH_NPU_FUSED: _elsewhere(
        "torch_npu.optim", "NpuFusedAdamW", "torch_npu", "Install it on a machine with Ascend NPUs"
    ),
    OptimizerNames.ADAMW_APEX_FUSED: _elsewhere(
        "apex.optimizers", "FusedAdam", "NVIDIA's Apex", "Build it on a machine with a GPU"
    ),
    OptimizerNames.ADAMW_ANYPRECISION: _elsewhere(
        "torchdistx.optimizers", "AnyPrecisionAdamW", "torchdistX", "Install it from its repository"
    ),
    OptimizerNames.ADAMW_TORCH_4BIT: _torchao("AdamW4bit"),
    OptimizerNames.ADAMW_TORCH_8BIT: _torchao("AdamW8bit"),
    OptimizerNames.ADAFACTOR: _adafactor,
    OptimizerNames.SGD: _sgd,
    OptimizerNames.ADAGRAD: _adagrad,
    OptimizerNames.RMSPROP: _rmsprop,
    OptimizerNames.ADAMW_BNB: _bitsandbytes("AdamW", 8),
    OptimizerNames.ADAMW_8BIT: _bitsandbytes("AdamW", 8),
    OptimizerNames.PAGED_ADAMW: _bitsandbytes("AdamW", 32, paged=True),
    OptimizerNames.PAGED_ADAMW_8BIT: _bitsandbytes("AdamW", 8, paged=True),
    OptimizerNames.LION: _bitsandbytes("Lion", 32),
    OptimizerNames.LION_8BIT: _bitsandbytes("Lion", 8),
    OptimizerNames.PAGED_LION: _bitsandbytes("Lion", 32, paged=True),
    OptimizerNames.PAGED_LION_8BIT: _bitsandbytes("Lion", 8, paged=True),
    OptimizerNames.ADEMAMIX: _bitsandbytes("AdEMAMix", 32),
    OptimizerNames.ADEMAMIX_8BIT: _bitsandbytes("AdEMAMix", 8),
    OptimizerNames.PAGED_ADEMAMIX: _bitsandbytes("AdEMAMix", 32, paged=True),
    OptimizerNames.PAGED_ADEMAMIX_8BIT: _bitsandbytes("AdEMAMix", 8, paged=True),
    OptimizerNames.RMSPROP_BNB: _bitsandbytes("RMSprop", 8),
    OptimizerNames.RMSPROP_8BIT: _bitsandbytes("RMSprop", 8),
    OptimizerNames.RMSPROP_32BIT: _bitsandbytes("RMSprop", 32),
}


def watch_embeddings(model: nn.Module, optimizer: Any) -> None:
    """Keep the state of embeddings in 32 bits, where a bitsandbytes optimizer holds all else in 8."""
    if type(optimizer).__module__.startswith("bitsandbytes") and optimizer.args.optim_bits == 8:
        manager = importlib.import_module("bitsandbytes").optim.GlobalOptimManager.get_instance()
        for module in model.modules():
            if isinstance(module, nn.Embedding):
                manager.register_module_override(module, "weight", {"optim_bits": 32})
