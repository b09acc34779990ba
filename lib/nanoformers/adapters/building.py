"""A new adapter for a model: first all its parts are built, then they are put into their places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from ..utils import logging
from .adalora import adalora_on
from .config import LayersConfig, PeftConfig, PeftType, PromptTuningConfig
from .ia3 import ia3_on
from .layers import ATTRIBUTE, LayerAdapters, OwnModules, own_copy
from .lora import lora_on
from .prompt_tuning import Prompts, fill_in_shape, prompt_on
from .targets import fill_in_defaults, own_modules, target_layers

__all__ = ["attach", "build"]

logger = logging.get_logger(__name__)

Kind = type[LayerAdapters] | type[OwnModules] | type[Prompts]
Parts = dict[str, tuple[Kind, nn.Module]]

_ON_LAYERS: dict[PeftType, Callable[[Any, str, Any], nn.Module]] = {
    PeftType.LORA: lora_on,
    PeftType.ADALORA: adalora_on,
    PeftType.IA3: ia3_on,
}


def build(model: Any, config: PeftConfig) -> Parts:
    """Build the parts of an adapter; the model stays as it is.

    Args:
        model: the model.
        config: the adapter's; what it leaves open is filled in.

    Returns:
        {name of a module, "" for the model itself: (what keeps adapters there, the part of this one)}.

    Raises:
        ValueError: the configuration does not go with the model, or with the adapters that it has.
    """
    wanted = getattr(config, "modules_to_save", None)
    own = own_modules(model, wanted)
    if wanted and not own and not config.inference_mode:
        parts_of_model = ", ".join(name for name, _ in model.named_children())
        logger.warning(
            f"`modules_to_save={wanted!r}` names no module of this {type(model).__name__}: none is trained "
            f"whole. Its parts are called {parts_of_model}."
        )
    parts: Parts = {}
    if isinstance(config, PromptTuningConfig):
        fill_in_shape(config, model)
        parts[""] = Prompts, prompt_on(model, config)
    elif isinstance(config, LayersConfig):
        fill_in_defaults(config, model, own)
        make = _ON_LAYERS[PeftType(config.peft_type)]
        for name, layer in target_layers(model, config, own).items():
            parts[name] = LayerAdapters, make(layer, name, config)
    for name, module in own.items():
        _check_can_be_copied(name, module)
        parts[name] = OwnModules, own_copy(module)
    for name, (kind, _) in parts.items():
        present = model.get_submodule(name)._modules.get(ATTRIBUTE)
        if present is not None and not isinstance(present, kind):
            raise ValueError(
                f"{name} cannot have an adapter on it and, for another adapter, be trained whole "
                "(`modules_to_save`)."
            )
    return parts


def _check_can_be_copied(name: str, module: nn.Module) -> None:
    """Refuse a module of `modules_to_save` that has no weights here."""
    if hasattr(module, "_hf_hook"):
        raise ValueError(f"`modules_to_save`: {name} is placed by a `device_map`, and cannot be copied.")
    if next(module.parameters(), None) is None:
        raise ValueError(f"`modules_to_save`: {name} ({type(module).__name__}) has no weights.")


def attach(model: nn.Module, name: str, parts: Parts) -> None:
    """Put the parts of an adapter into their places; none of them is active yet."""
    for path, (kind, part) in parts.items():
        module: Any = model.get_submodule(path)
        if ATTRIBUTE not in module._modules:
            module.add_module(ATTRIBUTE, kind(module))
        module._modules[ATTRIBUTE][name] = part.train(model.training)
