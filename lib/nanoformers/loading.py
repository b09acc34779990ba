"""Putting the weights of a checkpoint into a model: which name goes where, and what becomes of the rest."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

__all__ = ["LoadingReport", "fill", "is_building_empty", "without_memory"]

_OLD_NAMES = {"gamma": "weight", "beta": "bias"}  # of layer norms, in checkpoints converted from TensorFlow

_INITIALISERS = (nn.init.uniform_, nn.init.normal_, nn.init.constant_, nn.init.kaiming_uniform_)

_building_empty = False


class _EmptyOnMeta(TorchFunctionMode):
    """Makes `torch.empty`, from which layers make their weights, give tensors without memory."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": "meta"}
        if func in _INITIALISERS and kwargs["tensor"].is_meta:
            return kwargs["tensor"]  # there is nothing to fill; torch would import its compiler to find out
        return func(*args, **kwargs)


@contextlib.contextmanager
def without_memory(dtype: torch.dtype) -> Iterator[None]:
    """Build models whose weights are of `dtype`, and on the meta device until they are loaded.

    What a model computes for itself (positions, tables) is real.
    """
    global _building_empty
    before, dtype_before = _building_empty, torch.get_default_dtype()
    try:
        _building_empty = True
        torch.set_default_dtype(dtype)
        with _EmptyOnMeta():
            yield
    finally:
        torch.set_default_dtype(dtype_before)
        _building_empty = before


def is_building_empty() -> bool:
    """Tell whether weights will be loaded, so that nothing needs to be initialised."""
    return _building_empty


@dataclass
class LoadingReport:
    """What happened to the names of a checkpoint and of a model.

    Attributes:
        missing_keys: names of the model that the checkpoint lacks; newly initialised.
        unexpected_keys: names of the checkpoint that the model has no use for.
        mismatched_keys: (name, shape in the checkpoint, shape in the model); newly initialised.
    """

    missing_keys: list[str] = field(default_factory=list)
    unexpected_keys: list[str] = field(default_factory=list)
    mismatched_keys: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)


def fill(
    model: nn.Module,
    weights: Mapping[str, torch.Tensor],
    *,
    prefix: str,
    dtype: torch.dtype,
    initialize: Callable[[nn.Module], None],
) -> LoadingReport:
    """Assign weights to a model that was built `without_memory`, and initialise those that are not there.

    Args:
        model: its parameters on the meta device are replaced.
        weights: a checkpoint; its tensors become the model's (no copy) when they are of `dtype` already.
        prefix: the base model's name inside models with a head ("bert"): it is added to, or removed from, the
            checkpoint's names as the model needs it.
        dtype: floating weights are converted to it.
        initialize: initialises the parameters of one module, its children left out.
    """
    tensors = dict(model.named_parameters(remove_duplicate=False)) | dict(
        model.named_buffers(remove_duplicate=False)
    )
    expected = list(model.state_dict())
    found = _match(weights, expected, prefix)

    report = LoadingReport()
    report.unexpected_keys = sorted(source for source in weights if source not in found.values())
    report.unexpected_keys = [
        name for name in report.unexpected_keys if not _is_computed(name, tensors, set(expected), prefix)
    ]
    for name, source in list(found.items()):
        if weights[source].shape != tensors[name].shape:
            report.mismatched_keys.append((name, tuple(weights[source].shape), tuple(tensors[name].shape)))
            del found[name]

    # one tensor for all names of a tied weight
    tied: dict[int, list[str]] = {}
    for name in expected:
        tied.setdefault(id(tensors[name]), []).append(name)
    mismatched = {name for name, _, _ in report.mismatched_keys}
    new: list[str] = []
    for names in tied.values():
        origin = next((found[name] for name in names if name in found), None)
        if origin is None:
            new += names
            report.missing_keys += [name for name in names[:1] if name not in mismatched]
            _assign(model, names, torch.empty_like(tensors[names[0]], device="cpu"))
        else:
            tensor = weights[origin]
            _assign(model, names, tensor.to(dtype) if tensor.is_floating_point() else tensor)
    _initialize_new(model, new, initialize)
    return report


def _match(weights: Mapping[str, torch.Tensor], expected: list[str], prefix: str) -> dict[str, str]:
    """Return {name in the model: name in the checkpoint}."""
    known = set(expected)
    start = f"{prefix}."
    model_has_prefix = any(name.startswith(start) for name in expected) if prefix else False
    file_has_prefix = any(name.startswith(start) for name in weights) if prefix else False
    found: dict[str, str] = {}
    for source in weights:
        name = source
        if model_has_prefix and not file_has_prefix:
            name = start + name
        elif file_has_prefix and not model_has_prefix:
            name = name.removeprefix(start)
        if name not in known:
            parent, _, last = name.rpartition(".")
            name = f"{parent}.{_OLD_NAMES.get(last, last)}"
        if name in known:
            found[name] = source
    return found


def _is_computed(name: str, tensors: Mapping[str, Any], expected: set[str], prefix: str) -> bool:
    """Tell whether a name is that of a buffer which the model computes and older files contain."""
    candidates = (name, f"{prefix}.{name}", name.removeprefix(f"{prefix}."))
    return any(candidate in tensors and candidate not in expected for candidate in candidates)


def _assign(model: nn.Module, names: list[str], tensor: torch.Tensor) -> None:
    """Make `tensor` the parameter or buffer of all these names."""
    parameter: nn.Parameter | None = None
    for name in names:
        parent, _, last = name.rpartition(".")
        module = model.get_submodule(parent)
        if last in module._parameters:
            old = module._parameters[last]
            assert old is not None
            parameter = parameter if parameter is not None else nn.Parameter(tensor, old.requires_grad)
            module._parameters[last] = parameter
        else:
            module._buffers[last] = tensor


def _initialize_new(model: nn.Module, new: list[str], initialize: Callable[[nn.Module], None]) -> None:
    """Initialise the parameters named, and no other."""
    by_module: dict[str, list[str]] = {}
    for name in new:
        parent, _, last = name.rpartition(".")
        by_module.setdefault(parent, []).append(last)
    for parent, names in by_module.items():
        module = model.get_submodule(parent)
        own = {**module._parameters, **module._buffers}
        loaded = {name: tensor for name, tensor in own.items() if tensor is not None and name not in names}
        kept = {name: tensor.detach().clone() for name, tensor in loaded.items()}
        reset: Any = getattr(module, "reset_parameters", None)
        if reset is not None:  # torch's own rule, for layers that `initialize` has none for
            reset()
        else:
            for name in names:
                nn.init.zeros_(own[name])  # type: ignore[arg-type]
        initialize(module)
        with torch.no_grad():
            for name, tensor in loaded.items():
                tensor.copy_(kept[name])
