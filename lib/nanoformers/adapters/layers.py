"""How an adapter sits on a layer: beside it, as `layer.adapters[name]`, and not around it.

The layer stays the object that it was, under the name that checkpoints have; two hooks let the adapters that
are active change what goes in and what comes out. So nothing else in a model knows about adapters, and a
weight such as `query.weight` is always the base model's.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from ..nn.layers import Conv1D

__all__ = [
    "ATTRIBUTE",
    "Adapters",
    "LayerAdapter",
    "LayerAdapters",
    "OwnModules",
    "adapted_modules",
    "as_base_weight",
    "check_name",
    "device_for",
    "dtype_for",
    "dtype_of",
    "own_copy",
    "sizes_of",
]

Tensor = torch.Tensor

ATTRIBUTE = "adapters"  # of an adapted layer


class LayerAdapter(nn.Module):
    """What one adapter does on one layer; a method overrides what it needs."""

    def change_input(self, x: Tensor) -> Tensor:
        """Return what the layer shall be given in place of `x`, (..., in) -> (..., in)."""
        return x

    def change_output(self, layer: nn.Module, x: Tensor, output: Tensor) -> Tensor:
        """Return what shall come out for input `x`, (..., in), in place of `output`, (..., out)."""
        return output

    def merged(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return a weight (out, in) and bias (out,) which do what this layer and its adapter do."""
        return weight, bias


class Adapters(nn.ModuleDict):
    """The adapters on one module, by their names; the module keeps it as `adapters`.

    There are three kinds: `LayerAdapters`, `OwnModules`, and `Prompts` in `prompt_tuning`.

    Attributes:
        active: names of those in use, in order.
        merged: names of those which the module's weights contain at the moment.
    """

    def __init__(self) -> None:
        super().__init__()
        self.active: list[str] = []
        self.merged: list[str] = []
        self._hooks: list[Any] = []

    def check_together(self, module: nn.Module, names: list[str]) -> None:
        """Refuse adapters that cannot be active at the same time."""

    def activate(self, module: nn.Module, names: list[str]) -> None:
        """Use these adapters (those of them that are here), and no others."""
        self.active = [name for name in names if name in self]

    def merge(self, module: nn.Module, names: list[str]) -> None:
        """Make some adapters part of the module's weights, if they can be."""

    def unmerge(self, module: nn.Module) -> None:
        """Undo `merge`."""

    def remove(self, module: nn.Module, name: str) -> None:
        """Take an adapter away, and with the last one everything that was added to the module."""
        if name in self:
            del self[name]
        self.activate(module, [other for other in self.active if other != name])
        if len(self) == 0:
            for hook in self._hooks:
                hook.remove()
            delattr(module, ATTRIBUTE)


class LayerAdapters(Adapters):
    """All adapters on one layer, which let it compute something else.

    Args:
        layer: the layer; from now on it asks those that are active.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self._base: tuple[Tensor, Tensor | None] | None = None  # weight and bias before any was merged
        self._hooks = [
            layer.register_forward_pre_hook(self._before),
            layer.register_forward_hook(self._after),
        ]

    def _before(self, layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        x, *others = inputs  # the models here give layers their input without its name
        for adapter in self._working():
            x = adapter.change_input(x)
        return (x, *others)

    def _after(self, layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        dtype = output.dtype
        for adapter in self._working():
            output = adapter.change_output(layer, inputs[0], output)
        return output.to(dtype)

    def _working(self) -> Iterator[Any]:
        return (self[name] for name in self.active if name in self and name not in self.merged)

    def merge(self, layer: Any, names: list[str]) -> None:
        """Make some adapters part of the layer's weight; what it was is kept for `unmerge`.

        Raises:
            ValueError: the weight cannot take a change: it is quantized, not in memory, or another layer's
                too; or it would no longer be finite.
        """
        names = [name for name in names if name in self and name not in self.merged]
        if not names:
            return
        if not layer.weight.is_floating_point() or layer.weight.is_meta:
            raise ValueError(
                f"Adapters cannot be merged into a {type(layer).__name__} whose weight is "
                f"{'not in memory' if layer.weight.is_meta else layer.weight.dtype}: load the model in a "
                "floating type, without offloading, and merge then."
            )
        transposed = isinstance(layer, (Conv1D, nn.Embedding))
        weight, bias = as_base_weight(layer).detach(), getattr(layer, "bias", None)
        for name in names:
            adapter: Any = self[name]
            with torch.no_grad():
                weight, bias = adapter.merged(weight, bias)
        if not torch.isfinite(weight).all():
            raise ValueError(f"NaNs detected in the merged weights. The adapter {names} seems to be broken")
        if self._base is None:
            self._base = layer.weight.data, None if bias is None else layer.bias.data
        dtype = layer.weight.dtype
        layer.weight.data = (weight.t() if transposed else weight).to(dtype).contiguous()
        if bias is not None:
            layer.bias.data = bias.detach().to(dtype)
        self.merged += names

    def unmerge(self, layer: Any) -> None:
        """Give the layer back the very weight that it had before anything was merged."""
        if self._base is not None:
            weight, bias = self._base
            layer.weight.data = weight.to(layer.weight)  # the model may have moved meanwhile
            if bias is not None:
                layer.bias.data = bias.to(layer.bias)
        self._base, self.merged = None, []


class OwnModules(Adapters):
    """The copies of one module that adapters train whole (`modules_to_save`), by the adapters' names.

    While one is active, the module computes what its copy computes; the module's own weights stay as they
    are.

    Args:
        _: the module, which has weights; each call of `activate` is given it.
    """

    def __init__(self, _: nn.Module) -> None:
        super().__init__()

    def check_together(self, module: nn.Module, names: list[str]) -> None:
        """Refuse several adapters that have a copy.

        Raises:
            ValueError: several have.
        """
        mine = [name for name in names if name in self]
        if len(mine) > 1:
            raise ValueError(
                f"The adapters {mine} each have a {type(module).__name__} of their own "
                "(`modules_to_save`), so only one of them can be active at a time."
            )

    def activate(self, module: Any, names: list[str]) -> None:
        """Let the module do what the copy of the one adapter does that has one."""
        super().activate(module, names)
        module.__dict__.pop("forward", None)
        if self.active:
            module.forward = _InItsOwnType(self[self.active[0]], module)


class _InItsOwnType:
    """Calls a copy whose weights may be of a wider type than the states that go in and come out."""

    def __init__(self, module: nn.Module, original: nn.Module) -> None:
        self.module = module
        self.original = original

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        own, around = dtype_of(self.module), dtype_of(self.original)
        output = self.module(*(_cast(value, around, own) for value in args), **kwargs)
        return _cast(output, own, around)


def _cast(value: Any, before: torch.dtype, after: torch.dtype) -> Any:
    """Return a tensor of type `before` as one of type `after`, and leave everything else."""
    return value.to(after) if isinstance(value, Tensor) and value.dtype == before else value


def dtype_of(module: nn.Module) -> torch.dtype:
    """Return the type of a module's first weight, which is never an adapter's."""
    return next(module.parameters()).dtype


def own_copy(module: nn.Module) -> nn.Module:
    """Return a copy of a module for one adapter, in float32 at least, without the copies of others."""
    own = copy.deepcopy(module, {id(module._modules.get(ATTRIBUTE)): None})
    own._modules.pop(ATTRIBUTE, None)
    own.__dict__.pop("forward", None)
    for parameter in own.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(dtype_for(parameter))
    return own


def adapted_modules(model: nn.Module) -> Iterator[tuple[str, Any]]:
    """Yield (name, module) of all modules that have adapters."""
    for name, module in model.named_modules():
        if isinstance(module._modules.get(ATTRIBUTE), Adapters):
            yield name, module


def check_name(name: str) -> None:
    """Refuse a name of an adapter that cannot be part of the name of a weight.

    Raises:
        ValueError: it is no text, is empty, has a dot, begins with "_" or is an attribute of `Adapters`.
    """
    taken = not isinstance(name, str) or name.startswith("_") or hasattr(Adapters(), name)
    if taken or not name or "." in name:
        raise ValueError(
            f"{name!r} cannot be the name of an adapter: it becomes part of the names of weights, so it is a "
            "text, has no dots, does not begin with '_', and is none of the names that are taken, such as "
            "'train', 'items' or 'active'."
        )


def dtype_for(weight: Tensor) -> torch.dtype:
    """Return the type of an adapter's weights: float32 on a half-precision or quantized layer, too."""
    return torch.float64 if weight.dtype == torch.float64 else torch.float32


def device_for(layer: Any) -> torch.device:
    """Return the device of an adapter's weights: where the layer computes, wherever its own weight waits."""
    computes_on = getattr(getattr(layer, "_hf_hook", None), "execution_device", None)
    if computes_on is not None:
        return torch.device(computes_on)
    return torch.device("cpu") if layer.weight.is_meta else layer.weight.device


def sizes_of(layer: Any) -> tuple[int, int]:
    """Return the width of a linear layer's input and output (of an embedding: its tokens and its width)."""
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    rows, columns = layer.weight.shape
    return rows, columns


def as_base_weight(layer: Any) -> Tensor:
    """Return a layer's weight as (out, in), however it is stored."""
    return layer.weight.t() if isinstance(layer, (Conv1D, nn.Embedding)) else layer.weight
