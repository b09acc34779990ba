"""Which layers of a model get an adapter: by names, by regular expressions, or as is usual for its kind."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from torch import nn

from ..nn.layers import Conv1D
from .config import IA3Config, LayersConfig, LoraConfig, Names, PeftConfig, PeftType, TaskType
from .layers import ATTRIBUTE

__all__ = ["fill_in_defaults", "is_named", "own_modules", "target_layers", "value_for"]

ALL_LINEAR = "all-linear"

_ATTENTION = ["query", "value"]
_PROJECTIONS = ["q_proj", "v_proj"]

# as PEFT has them
_TARGETS: dict[PeftType, dict[str, list[str]]] = {
    PeftType.LORA: {
        "bart": _PROJECTIONS,
        "bert": _ATTENTION,
        "bloom": ["query_key_value"],
        "codegen": ["qkv_proj"],
        "deberta": ["in_proj"],
        "deberta-v2": ["query_proj", "value_proj"],
        "electra": _ATTENTION,
        "falcon": ["query_key_value"],
        "gpt2": ["c_attn"],
        "gpt_bigcode": ["c_attn"],
        "gpt_neo": _PROJECTIONS,
        "gpt_neox": ["query_key_value"],
        "gptj": _PROJECTIONS,
        "layoutlm": _ATTENTION,
        "llama": _PROJECTIONS,
        "mistral": _PROJECTIONS,
        "mt5": ["q", "v"],
        "opt": _PROJECTIONS,
        "roberta": _ATTENTION,
        "t5": ["q", "v"],
        "xlm-roberta": _ATTENTION,
        # PEFT has no default for it
        "distilbert": ["q_lin", "v_lin"],
    },
    PeftType.ADALORA: {
        "bart": ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"],
        "bert": _ATTENTION,
        "bloom": ["query_key_value"],
        "deberta": ["in_proj"],
        "deberta-v2": ["query_proj", "key_proj", "value_proj", "dense"],
        "gpt2": ["c_attn"],
        "gpt_bigcode": ["c_attn"],
        "gpt_neo": _PROJECTIONS,
        "gpt_neox": ["query_key_value"],
        "gptj": _PROJECTIONS,
        "llama": _PROJECTIONS,
        "mt5": ["q", "k", "v", "o", "wi_0", "wi_1", "wo"],
        "opt": ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"],
        "roberta": ["query", "key", "value", "dense"],
        "t5": ["q", "k", "v", "o", "wi", "wo"],
        "distilbert": ["q_lin", "v_lin"],
    },
    PeftType.IA3: {
        "bart": ["q_proj", "v_proj", "fc2"],
        "bert": ["key", "value", "output.dense"],
        "bloom": ["query_key_value", "mlp.dense_4h_to_h"],
        "deberta": ["in_proj", "output.dense"],
        "deberta-v2": ["key_proj", "value_proj", "output.dense"],
        "falcon": ["query_key_value", "dense_4h_to_h"],
        "gpt2": ["c_attn", "mlp.c_proj"],
        "gpt_bigcode": ["c_attn", "mlp.c_proj"],
        "gpt_neo": ["q_proj", "v_proj", "c_proj"],
        "gpt_neox": ["query_key_value", "dense_4h_to_h"],
        "gptj": ["q_proj", "v_proj", "fc_out"],
        "llama": ["k_proj", "v_proj", "down_proj"],
        "mistral": ["k_proj", "v_proj", "down_proj"],
        "mt5": ["k", "v", "wi_1"],
        "opt": ["q_proj", "k_proj", "fc2"],
        "roberta": ["key", "value", "output.dense"],
        "t5": ["k", "v", "wo"],
        "distilbert": ["k_lin", "v_lin", "ffn.lin2"],
    },
}
_FEEDFORWARD = {
    "c_proj",
    "dense_4h_to_h",
    "down_proj",
    "fc2",
    "fc_out",
    "ffn.lin2",
    "mlp.c_proj",
    "mlp.dense_4h_to_h",
    "output.dense",
    "wo",
}


def fill_in_defaults(config: PeftConfig, model: Any, own: Collection[str]) -> None:
    """Put into a configuration what it leaves to the architecture.

    Args:
        config: the configuration.
        model: the model.
        own: names of modules that are trained whole, which "all-linear" leaves out.

    Raises:
        ValueError: nothing is usual for this architecture.
    """
    if not isinstance(config, LayersConfig):
        return
    model_type = getattr(model.config, "model_type", "")
    usual = _TARGETS[PeftType(config.peft_type)].get(model_type)
    if config.target_modules is None:
        if usual is None:
            linear = sorted({name.rpartition(".")[2] for name, layer in _layers(model) if _is_linear(layer)})
            raise ValueError(
                f"Please specify `target_modules` in `peft_config`: nothing is usual for {model_type!r}. The "
                f"linear layers of this model are called {', '.join(linear)}."
            )
        config.target_modules = set(usual)
    elif isinstance(config.target_modules, str) and config.target_modules.lower() == ALL_LINEAR:
        heads = _heads(model, config)
        config.target_modules = {
            name
            for name, layer in _layers(model)
            if _is_linear(layer) and layer not in heads and not _is_within(name, own)
        }
    if isinstance(config, IA3Config) and config.feedforward_modules is None:
        config.feedforward_modules = set(usual or ()) & _FEEDFORWARD


def _heads(model: Any, config: PeftConfig) -> list[Any]:
    """Return what "all-linear" leaves out: the scores of tokens, or else of classes."""
    scores = model.get_output_embeddings()
    if scores is not None:
        return [scores]
    if config.task_type == TaskType.SEQ_CLS:
        return [head for head in (getattr(model, name, None) for name in ("score", "classifier")) if head][:1]
    return []


def target_layers(model: nn.Module, config: LayersConfig, own: Collection[str]) -> dict[str, Any]:
    """Return {name: layer} of the layers that get an adapter.

    Args:
        model: the model.
        config: says which.
        own: names of modules that are trained whole, whose layers get none.

    Raises:
        ValueError: there is none, or one of a kind that the method is not for.
    """
    allowed: tuple[type[nn.Module], ...] = (nn.Linear, Conv1D)
    if config.peft_type == PeftType.LORA:
        allowed += (nn.Embedding,)
    found = {
        name: layer
        for name, layer in _layers(model)
        if _is_target(name, config) and not _is_within(name, own)
    }
    for name, layer in found.items():
        if not isinstance(layer, allowed):
            kinds = ", ".join(f"`{kind.__module__.split('.')[0]}.{kind.__name__}`" for kind in allowed)
            raise ValueError(
                f"Target module {name} ({type(layer).__name__}) is not supported: {config.peft_type} is for "
                f"{kinds}."
            )
        config.fan_in_fan_out = isinstance(layer, Conv1D)
    if not found:
        fitting = [name for name, layer in _layers(model) if isinstance(layer, allowed)]
        names = sorted({name.rpartition(".")[2] for name in fitting})
        numbers = getattr(config, "layers_to_transform", None)
        where = "" if numbers is None else f" in the layers {numbers!r} (`layers_to_transform`)"
        raise ValueError(
            f"Target modules {config.target_modules!r} not found in the base model{where}. Please check the "
            f"target modules and try again; names that would fit end in {', '.join(names)}."
        )
    return found


def own_modules(model: nn.Module, names: list[str] | None) -> dict[str, Any]:
    """Return {name: module} of `modules_to_save`; what a name does not find is passed over, as in PEFT."""
    found: dict[str, Any] = {}
    for name, module in _layers(model):
        if any(name.endswith(wanted) for wanted in names or ()) and not _is_within(name, found):
            found[name] = module
    return found


def is_named(name: str, names: Names | None) -> bool:
    """Tell whether the end of a name is among `names`, or the whole matches them when they are a text."""
    if not names:
        return False
    if isinstance(names, str):
        return re.fullmatch(names, name) is not None
    return any(name == wanted or name.endswith(f".{wanted}") for wanted in names)


def value_for(name: str, pattern: dict[str, Any] | None, otherwise: Any) -> Any:
    """Return the value of the first key of a pattern that the end of a name matches."""
    for key, value in (pattern or {}).items():
        if re.match(rf"(.*\.)?({key})$", name):
            return value
    return otherwise


def _is_target(name: str, config: LayersConfig) -> bool:
    if is_named(name, config.exclude_modules):
        return False
    if not is_named(name, config.target_modules):
        return False
    if isinstance(config, LoraConfig) and config.layers_to_transform is not None:
        return name in (config.target_modules or ()) or _is_in_layers(name, config)
    return True


def _is_in_layers(name: str, config: LoraConfig) -> bool:
    """Tell whether the number of a layer in a name is one of `layers_to_transform`."""
    wanted = config.layers_to_transform
    wanted = [wanted] if isinstance(wanted, int) else list(wanted or ())
    if not wanted:
        return True
    patterns = config.layers_pattern or [r"[^.]*"]
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        found = re.match(rf"(?:^|.*?\.){pattern}\.(\d+)\.", name)
        if found is not None:
            return int(found[1]) in wanted
    return False


def _is_within(name: str, others: Collection[str]) -> bool:
    """Tell whether a module is one of others, or part of one."""
    return any(name == other or name.startswith(f"{other}.") for other in others)


def _is_linear(layer: nn.Module) -> bool:
    return isinstance(layer, (nn.Linear, Conv1D))


def _layers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the names and modules of a model, without those of adapters."""
    return [(name, module) for name, module in model.named_modules() if ATTRIBUTE not in name.split(".")]
