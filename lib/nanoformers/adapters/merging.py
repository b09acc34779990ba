"""Making adapters part of the weights, for a while or for good."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .layers import ATTRIBUTE, LayerAdapters, OwnModules, adapted_modules, dtype_of
from .switching import SwitchingMixin

__all__ = ["MergingMixin"]


class MergingMixin(SwitchingMixin):
    """Adds to a model what merges its adapters, and what drops them."""

    def merge_adapter(self, adapter_names: list[str] | None = None) -> None:
        """Make adapters part of the base model's weights, so that they cost no time; see `unmerge_adapter`.

        The weights as they were are kept, which takes as much memory again for these layers. What is merged
        is not trained meanwhile.

        Args:
            adapter_names: which; by default those that are active.

        Raises:
            ValueError: there is no adapter; or a weight cannot take a change.
        """
        names = adapter_names or self.active_adapters()
        for name in names:
            self._config(name)
        self._check_not_shared(LayerAdapters)
        try:
            for _, module in adapted_modules(self._module):
                module._modules[ATTRIBUTE].merge(module, names)
        except ValueError:
            self.unmerge_adapter()
            raise
        self._spread()

    def _check_not_shared(self, kind: type[LayerAdapters] | type[OwnModules]) -> None:
        """Refuse to change weights that another module has too."""
        owners: dict[int, list[str]] = {}
        for path, parameter in self._module.named_parameters(remove_duplicate=False):
            owners.setdefault(id(parameter), []).append(path)
        for path, module in adapted_modules(self._module):
            if not isinstance(module._modules[ATTRIBUTE], kind):
                continue
            inside = {id(part) for part in module.modules()}
            names = [name for parameter in module.parameters() for name in owners[id(parameter)]]
            layers = {name.rpartition(".")[0] for name in names}
            shared = {layer for layer in layers if id(self._module.get_submodule(layer)) not in inside}
            if shared:
                raise ValueError(
                    f"Adapters on {path} cannot be merged: its weight is that of {', '.join(shared)} too, "
                    "which the adapter leaves alone. Use the adapter as it is."
                )

    def merge_and_unload(self, adapter_names: list[str] | None = None) -> Any:
        """Make the active adapters (or those named) part of the weights for good, and drop all adapters.

        Returns:
            The model itself, which now has no adapters.

        Raises:
            ValueError: see `merge_adapter`.
        """
        names = adapter_names or self.active_adapters()
        self._configs(required=True)
        self._check_not_shared(OwnModules)
        self.merge_adapter(names)
        return self._unload(names)

    def unload(self) -> Any:
        """Drop all adapters. Returns the model itself, as it was before the first."""
        self._configs(required=True)
        self.unmerge_adapter()
        return self._unload([])

    def _unload(self, kept: list[str]) -> Any:
        """Drop adapters, and leave merged weights and the modules of those in `kept` in the model."""
        for path, module in list(adapted_modules(self._module)):
            adapters = module._modules[ATTRIBUTE]
            own = next((adapters[name] for name in kept if name in adapters), None)
            for name in list(adapters):
                adapters.remove(module, name)
            if isinstance(adapters, OwnModules) and own is not None:
                self._module.set_submodule(path, own.to(dtype_of(module)))
        for allocator in self._allocators.values():
            allocator.remove()
        self._forget()
        return self

    @contextlib.contextmanager
    def disable_adapter(self) -> Iterator[None]:
        """Compute with the base model only inside a `with` block.

        Raises:
            ValueError: there is no adapter.
        """
        self._configs(required=True)
        was_enabled, merged = self._enabled, self._merged()
        self.disable_adapters()
        try:
            yield
        finally:
            if was_enabled:
                self.enable_adapters()
            if merged:
                self.merge_adapter(merged)
