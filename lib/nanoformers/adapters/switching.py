"""Which adapters of a model are active, which weights are trained with them, and taking adapters away."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from torch import nn

from .config import PeftConfig
from .layers import ATTRIBUTE, OwnModules, adapted_modules

if TYPE_CHECKING:
    from .adalora import RankAllocator

__all__ = ["SwitchingMixin"]


class SwitchingMixin:
    """Adds to a model what switches adapters, once `add_adapter` or `load_adapter` has brought some.

    Attributes:
        peft_config: {name of an adapter: its configuration}.
    """

    _hf_peft_config_loaded: bool = False
    peft_config: dict[str, PeftConfig]
    _active: list[str]
    _enabled: bool
    _allocators: dict[str, RankAllocator]
    _trainable_before: set[str]

    def set_adapter(self, adapter_name: str | list[str]) -> None:
        """Use this adapter (or these, one after the other), and no others; it is trained from now on.

        Raises:
            ValueError: there is no adapter, or none of that name; several cannot be active together, and then
                those stay active that were.
        """
        configs = self._configs(required=True)
        if isinstance(adapter_name, str):
            self._config(adapter_name)
            names = [adapter_name]
        else:
            names = list(dict.fromkeys(adapter_name))
            if not names:
                raise ValueError("`set_adapter` was given no name; `disable_adapters` is for using none.")
            missing = [name for name in names if name not in configs]
            if missing:
                raise ValueError(
                    f"Following adapter(s) could not be found: {', '.join(missing)}. Make sure you are "
                    f"passing the correct adapter name(s). current loaded adapters are: {list(configs)}"
                )
        for _, module in adapted_modules(self._module):
            module._modules[ATTRIBUTE].check_together(module, names)
        for name in names:
            configs[name].inference_mode = False
        self._activate(names)

    def _activate(self, names: list[str]) -> None:
        """Let layers use these adapters; what is merged is unmerged."""
        self.unmerge_adapter()
        self._enabled = True
        self._active = list(names)
        self._spread()

    def _spread(self) -> None:
        """Tell all layers which adapters are active, and all weights whether they are trained."""
        working = self._active if self._enabled else []
        for _, module in adapted_modules(self._module):
            adapters = module._modules[ATTRIBUTE]
            adapters.requires_grad_(False)
            adapters.activate(module, working)
            for name in working:
                if name in adapters and name not in adapters.merged:
                    adapters[name].requires_grad_(not self.peft_config[name].inference_mode)
        for name, config in self.peft_config.items():
            for _, bias in self._biases(name):
                bias.requires_grad_(name in working and not config.inference_mode)

    def _biases(self, name: str) -> list[tuple[str, nn.Parameter]]:
        """Return (name, bias) of those of the base model that an adapter trains along (`bias`)."""
        wanted = getattr(self.peft_config[name], "bias", "none")
        if wanted == "none":
            return []
        adapted = dict(adapted_modules(self._module))
        own = [path for path, module in adapted.items() if isinstance(module._modules[ATTRIBUTE], OwnModules)]
        return [
            (path, parameter)
            for path, parameter in self._module.named_parameters()
            if path.rpartition(".")[2] == "bias"
            and ATTRIBUTE not in path.split(".")
            and not any(path.startswith(f"{module}.") for module in own)
            and (wanted == "all" or path.rpartition(".")[0] in adapted)
        ]

    def disable_adapters(self) -> None:
        """Compute with the base model only; what is merged is unmerged.

        Raises:
            ValueError: there is no adapter.
        """
        self._configs(required=True)
        self.unmerge_adapter()
        self._enabled = False
        self._spread()

    def enable_adapters(self) -> None:
        """Compute with the active adapters again.

        Raises:
            ValueError: there is no adapter.
        """
        self._configs(required=True)
        self._enabled = True
        self._spread()

    def active_adapters(self) -> list[str]:
        """Return the names of the adapters that are active (also while they are disabled).

        Raises:
            ValueError: there is no adapter.
        """
        self._configs(required=True)
        return list(self._active)

    def active_adapter(self) -> str:
        """Return the name of the first active adapter; `active_adapters` takes its place."""
        warnings.warn(
            "The `active_adapter` method is deprecated and will be removed in a future version: use "
            "`active_adapters`.",
            FutureWarning,
            stacklevel=2,
        )
        return self.active_adapters()[0]

    def delete_adapter(self, adapter_names: str | list[str]) -> None:
        """Take adapters away. When the active one is among them, the first that remains becomes active.

        Raises:
            ValueError: there is no adapter of that name.
        """
        names = [adapter_names] if isinstance(adapter_names, str) else list(dict.fromkeys(adapter_names))
        missing = [name for name in names if name not in self._configs(required=True)]
        if missing:
            raise ValueError(
                "The following adapter(s) are not present and cannot be deleted: " + ", ".join(missing)
            )
        self.unmerge_adapter()
        for name in names:
            for _, module in list(adapted_modules(self._module)):
                module._modules[ATTRIBUTE].remove(module, name)
            if name in self._allocators:
                self._allocators.pop(name).remove()
            del self.peft_config[name]
        if not self.peft_config:
            self._forget()
            return
        self._active = [name for name in self._active if name not in names] or list(self.peft_config)[:1]
        self._spread()

    def _forget(self) -> None:
        """Be a model without adapters again."""
        for path, parameter in self._module.named_parameters():
            parameter.requires_grad_(path in self._trainable_before)
        for attribute in ("peft_config", "_active", "_enabled", "_allocators", "_trainable_before"):
            delattr(self, attribute)
        self._hf_peft_config_loaded = False

    def unmerge_adapter(self) -> None:
        """Give the base model back the weights that it had before `merge_adapter`, bit for bit."""
        for _, module in adapted_modules(self._module):
            module._modules[ATTRIBUTE].unmerge(module)
        if self._hf_peft_config_loaded:
            self._spread()

    def _merged(self) -> list[str]:
        """Return the names of merged adapters."""
        for _, module in adapted_modules(self._module):
            if module._modules[ATTRIBUTE].merged:
                return list(module._modules[ATTRIBUTE].merged)
        return []

    @property
    def _module(self) -> Any:
        """The model itself, which is a `torch.nn.Module` (type checkers do not know)."""
        return self

    def _config(self, name: str) -> PeftConfig:
        """Return the configuration of one adapter."""
        configs = self._configs(required=True)
        if name not in configs:
            raise ValueError(
                f"Adapter with name {name} not found. Please pass the correct adapter name among "
                f"{list(configs)}"
            )
        return configs[name]

    def _configs(self, required: bool = False) -> dict[str, PeftConfig]:
        """Return the configurations of all adapters."""
        if not self._hf_peft_config_loaded:
            if required:
                raise ValueError("No adapter loaded. Please load an adapter first.")
            return {}
        return self.peft_config
