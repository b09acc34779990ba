"""What `TrainingArguments.fsdp` and `fsdp_config` say, checked, and which modules they mean."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from ..utils import logging
from .choices import FSDPOption

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = ["ShardingOptions", "check_fsdp_arguments", "fsdp_from_environment"]

logger = logging.get_logger(__name__)

STRATEGIES = ("full_shard", "shard_grad_op", "no_shard", "hybrid_shard", "hybrid_shard_zero2")

# Settings of `fsdp_config`, with or without "fsdp_" before them.
BACKWARD_PREFETCH = ("backward_pre", "backward_post", "no_prefetch")
STATE_DICT_TYPES = ("full_state_dict", "sharded_state_dict")
SETTINGS = {
    "activation_checkpointing",
    "auto_wrap_policy",
    "backward_prefetch",
    "cpu_ram_efficient_loading",
    "forward_prefetch",
    "limit_all_gathers",
    "min_num_params",
    "reshard_after_forward",
    "state_dict_type",
    "sync_module_states",
    "transformer_layer_cls_to_wrap",
    "use_orig_params",
    "version",
    "xla",
    "xla_fsdp_grad_ckpt",
    "xla_fsdp_settings",
    "xla_fsdp_v2",
}


def check_fsdp_arguments(args: TrainingArguments) -> None:
    """Bring `fsdp` into a list of `FSDPOption`, `fsdp_config` into a dictionary, and refuse what cannot be.

    Raises:
        ValueError: a value that there is not, or two that contradict each other.
        FileNotFoundError: `fsdp_config` is the path of no file.
        ImportError: XLA is asked for and not installed.
    """
    fsdp: Any = args.fsdp
    if isinstance(fsdp, bool):
        fsdp = "full_shard" if fsdp else ""
    words = fsdp.split() if isinstance(fsdp, str) else list(fsdp or ())
    options = [FSDPOption(word) for word in words]
    args.fsdp = options
    args.fsdp_config = config = _read_config(args.fsdp_config)
    _take_older_fields(args, config)
    if options == [FSDPOption.OFFLOAD]:
        raise ValueError(
            "`--fsdp offload` can't work on its own. It needs to be added to `--fsdp full_shard` or `--fsdp "
            'shard_grad_op`. For example, `--fsdp "full_shard offload"`.'
        )
    if FSDPOption.FULL_SHARD in options and FSDPOption.SHARD_GRAD_OP in options:
        raise ValueError("`--fsdp full_shard` is not compatible with `--fsdp shard_grad_op`.")
    strategies = [option.value for option in options if option.value in STRATEGIES]
    if options and len(strategies) != 1:
        raise ValueError(f"fsdp={' '.join(words)!r}: name one of {', '.join(STRATEGIES)}.")
    if options and config["min_num_params"] > 0 and config["transformer_layer_cls_to_wrap"]:
        raise ValueError("`min_num_params` and `transformer_layer_cls_to_wrap` are mutually exclusive.")
    if options and args.deepspeed:
        raise ValueError(
            "Using --fsdp xxx together with --deepspeed is not possible, deactivate one of those flags."
        )
    _check_values(config)
    if not options:
        for name in ("min_num_params", "transformer_layer_cls_to_wrap"):
            if config[name]:
                logger.warning(f"`{name}` is useful only when `--fsdp` is specified.")


def _read_config(value: Any) -> dict[str, Any]:
    """Return `fsdp_config` without "fsdp_" before its names, with the two that say what is wrapped."""
    if isinstance(value, (str, os.PathLike)):
        file = Path(value)
        if not file.is_file():
            raise FileNotFoundError(f"fsdp_config={str(value)!r}: there is no such file.")
        try:
            value = json.loads(file.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ValueError(f"fsdp_config={str(file)!r} is no valid JSON: {error}.") from None
    config = {str(name).removeprefix("fsdp_"): setting for name, setting in (value or {}).items()}
    for other, name in (("backward_prefetch_policy", "backward_prefetch"),):  # accelerate's spelling
        if other in config:
            config[name] = config.pop(other)
    unknown = sorted(set(config) - SETTINGS)
    if unknown:
        raise ValueError(
            f"fsdp_config has no {', '.join(unknown)}; its settings are {', '.join(sorted(SETTINGS))}."
        )
    layers = config.get("transformer_layer_cls_to_wrap")
    if isinstance(layers, str):
        config["transformer_layer_cls_to_wrap"] = [name.strip() for name in layers.split(",") if name.strip()]
    config.setdefault("transformer_layer_cls_to_wrap", None)
    config["min_num_params"] = int(config.get("min_num_params") or 0)
    config.setdefault("xla", False)
    return config


def _take_older_fields(args: TrainingArguments, config: dict[str, Any]) -> None:
    if args.fsdp_min_num_params > 0:
        config["min_num_params"] = max(config["min_num_params"], args.fsdp_min_num_params)
    if args.fsdp_transformer_layer_cls_to_wrap:
        layers = config["transformer_layer_cls_to_wrap"] or []
        config["transformer_layer_cls_to_wrap"] = [*layers, args.fsdp_transformer_layer_cls_to_wrap]


def _check_values(config: dict[str, Any]) -> None:
    for name, allowed in (("backward_prefetch", BACKWARD_PREFETCH), ("state_dict_type", STATE_DICT_TYPES)):
        value = config.get(name)
        if value is None:
            continue
        config[name] = str(value).lower()
        if config[name] not in allowed:
            raise ValueError(f"fsdp_config[{name!r}]={value!r}: allowed are {', '.join(allowed)}.")
    if config["xla"]:
        import importlib.util

        if importlib.util.find_spec("torch_xla") is None:
            raise ImportError(
                "fsdp_config['xla'] shards with PyTorch/XLA, on TPUs and with the package torch_xla, which "
                "is not installed. Leave xla out to shard with torch alone."
            )
    if config.get("backward_prefetch") in ("backward_post", "no_prefetch"):
        logger.warning(
            f"fsdp_config['backward_prefetch']={config['backward_prefetch']!r} changes nothing: torch's "
            "fully_shard fetches the next layer's weights early, as 'backward_pre' says. Results are equal."
        )


@dataclass(frozen=True)
class ShardingOptions:
    """How to shard a model.

    Attributes:
        strategy: one of `STRATEGIES`.
        offload: keep parameters in the memory of the CPU.
        auto_wrap: shard layer by layer; otherwise the model as one piece.
        layer_classes: names of the layers' classes; None: those that the model names.
        min_num_params: shard modules with as many parameters; 0: by class.
        reshard_after_forward: free a layer's other shards after its forward pass.
        forward_prefetch: fetch the next layer's shards early.
        activation_checkpointing: recompute activations.
        sharded_state_dict: let checkpoints hold the model's shards in place of whole weights.
    """

    strategy: str
    offload: bool
    auto_wrap: bool
    layer_classes: tuple[str, ...] | None
    min_num_params: int
    reshard_after_forward: bool
    forward_prefetch: bool
    activation_checkpointing: bool
    sharded_state_dict: bool

    @classmethod
    def of(cls, args: TrainingArguments) -> ShardingOptions:
        """Return the options in checked arguments."""
        names = [FSDPOption(option).value for option in args.fsdp or ()]
        config: Any = args.fsdp_config
        strategy = next(name for name in names if name in STRATEGIES)
        layers = config["transformer_layer_cls_to_wrap"]
        return cls(
            strategy=strategy,
            offload="offload" in names,
            auto_wrap="auto_wrap" in names,
            layer_classes=tuple(layers) if layers else None,
            min_num_params=config["min_num_params"],
            reshard_after_forward=config.get(
                "reshard_after_forward", strategy not in ("shard_grad_op", "hybrid_shard_zero2")
            ),
            forward_prefetch=bool(config.get("forward_prefetch", False)),
            activation_checkpointing=bool(config.get("activation_checkpointing", False)),
            sharded_state_dict=config.get("state_dict_type") == "sharded_state_dict",
        )

    def layers_of(self, model: nn.Module) -> list[nn.Module]:
        """Return the modules that are sharded one by one, inner ones first.

        Raises:
            ValueError: no module of a class that is named.
        """
        if not self.auto_wrap:
            return []
        if self.min_num_params > 0:
            return list(_large_modules(model, self.min_num_params))
        wanted = self.layer_classes or getattr(model, "_no_split_modules", None) or ()
        found = {type(module).__name__ for module in model.modules()}
        if self.layer_classes is not None:
            for name in set(wanted) - found:
                raise ValueError(
                    f"Could not find the transformer layer class {name} in {type(model).__name__}, which "
                    f"transformer_layer_cls_to_wrap names. Its modules are {', '.join(sorted(found))}."
                )
        layers = [module for module in model.modules() if type(module).__name__ in wanted]
        return layers[::-1] if _nested(layers) else layers


def _nested(modules: list[nn.Module]) -> bool:
    return any(inner is not outer and inner in set(outer.modules()) for outer in modules for inner in modules)


def _large_modules(model: nn.Module, minimum: int) -> Iterator[nn.Module]:
    """Yield modules below `model` whose parameters, without those of yielded ones, are at least `minimum`."""
    owners: dict[int, set[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        owners.setdefault(id(parameter), set()).add(name)
    yielded: set[int] = set()

    def visit(module: nn.Module, prefix: str) -> Iterator[nn.Module]:
        for name, child in module.named_children():
            path = f"{prefix}{name}."
            yield from visit(child, path)
            own = {id(weight): weight for weight in child.parameters() if id(weight) not in yielded}
            shared_outside = any(not owner.startswith(path) for weight in own for owner in owners[weight])
            size = sum(weight.numel() for weight in own.values())
            if size < minimum or shared_outside or isinstance(child, (nn.ModuleList, nn.ModuleDict)):
                continue
            yielded.update(own)
            yield child

    yield from visit(model, "")


def fsdp_from_environment() -> dict[str, Any]:
    """Return `fsdp` and `fsdp_config` as `accelerate launch --use_fsdp` puts them into the environment.

    An empty dictionary where it does not.
    """
    variables = os.environ
    if variables.get("ACCELERATE_USE_FSDP", "").lower() not in {"1", "true", "yes"}:
        return {}
    given = {
        name.removeprefix("FSDP_").lower(): value
        for name, value in variables.items()
        if name.startswith("FSDP_") and value not in ("", "None")
    }
    strategy = given.get("sharding_strategy", "FULL_SHARD").lower()
    if strategy.isdigit():
        strategy = STRATEGIES[int(strategy) - 1]  # as accelerate numbers them
    words = [strategy]
    if given.get("offload_params", "false") == "true":
        words.append("offload")
    policy = given.get("auto_wrap_policy", "NO_WRAP").upper()
    config: dict[str, Any] = {}
    if policy != "NO_WRAP":
        words.append("auto_wrap")
    if policy == "TRANSFORMER_BASED_WRAP" and "transformer_cls_to_wrap" in given:
        config["transformer_layer_cls_to_wrap"] = given["transformer_cls_to_wrap"]
    if policy == "SIZE_BASED_WRAP":
        config["min_num_params"] = int(given.get("min_num_params", "0"))
    for name in ("state_dict_type", "backward_prefetch"):
        if name in given:
            config[name] = given[name].lower()
    for name in ("forward_prefetch", "activation_checkpointing"):
        if name in given:
            config[name] = given[name].lower() == "true"
    return {"fsdp": " ".join(words), "fsdp_config": config}
