"""Putting the weights of a checkpoint into a model: which name goes where, and what becomes of the rest."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from .checkpoints import Weights
from .placement import Placement
from .utils import logging

__all__ = [
    "LoadingReport",
    "default_dtype",
    "dtype_of",
    "fill",
    "is_building_empty",
    "take_dtype",
    "without_memory",
]

logger = logging.get_logger(__name__)

_OLD_NAMES = {"gamma": "weight", "beta": "bias"}  # of layer norms, in checkpoints converted from TensorFlow

_INITIALISERS = (nn.init.uniform_, nn.init.normal_, nn.init.constant_, nn.init.kaiming_uniform_)

_one_at_a_time = threading.RLock()  # torch's default type is the whole process's
_building = threading.local()


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
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Make `dtype` torch's default type; other threads that want another one wait."""
    with _one_at_a_time:
        before = torch.get_default_dtype()
        try:
            torch.set_default_dtype(dtype)
            yield
        finally:
            torch.set_default_dtype(before)


@contextlib.contextmanager
def without_memory(dtype: torch.dtype) -> Iterator[None]:
    """Build models whose weights are of `dtype`, and on the meta device until they are loaded.

    What a model computes for itself (positions, tables) is real. Models that another thread builds meanwhile
    have memory.
    """
    before = is_building_empty()
    try:
        _building.empty = True
        with default_dtype(dtype), _EmptyOnMeta():
            yield
    finally:
        _building.empty = before


def is_building_empty() -> bool:
    """Tell whether weights will be loaded, so that nothing needs to be initialised."""
    return getattr(_building, "empty", False)


@dataclass
class LoadingReport:
    """What happened to the names of a checkpoint and of a model.

    Attributes:
        missing_keys: names of the model that the checkpoint lacks; newly initialised.
        unexpected_keys: names of the checkpoint that the model has no use for.
        mismatched_keys: (name, shape in the checkpoint, shape in the model); newly initialised.
        error_msgs: what else went wrong; always empty, since every other trouble is an exception.
    """

    missing_keys: list[str] = field(default_factory=list)
    unexpected_keys: list[str] = field(default_factory=list)
    mismatched_keys: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)
    error_msgs: list[str] = field(default_factory=list)

    def leave_out(self, missing: Iterable[str], unexpected: Iterable[str]) -> None:
        """Forget names that match one of these regular expressions: an architecture knows why they differ."""
        self.missing_keys = [
            name for name in self.missing_keys if not any(re.search(pattern, name) for pattern in missing)
        ]
        self.unexpected_keys = [
            name
            for name in self.unexpected_keys
            if not any(re.search(pattern, name) for pattern in unexpected)
        ]

    def tell(self, model: Any, ignore_mismatched_sizes: bool) -> None:
        """Tell the user what was not loaded.

        Raises:
            RuntimeError: shapes do not agree, and `ignore_mismatched_sizes` is not set.
        """
        name, checkpoint = type(model).__name__, model.name_or_path
        if self.mismatched_keys and not ignore_mismatched_sizes:
            lines = [
                f"size mismatch for {key}: copying a param with shape {list(theirs)} from checkpoint, the "
                f"shape in current model is {list(ours)}."
                for key, theirs, ours in self.mismatched_keys
            ]
            lines.append(
                "You may consider adding `ignore_mismatched_sizes=True` in the model `from_pretrained` "
                "method."
            )
            raise RuntimeError(f"Error(s) in loading state_dict for {name}:\n\t" + "\n\t".join(lines))
        if self.unexpected_keys:
            # another head's weights are no news, unless the checkpoint says that this very class made it
            expected_here = name in (model.config.architectures or [])
            (logger.warning if expected_here else logger.info)(
                f"Some weights of the model checkpoint at {checkpoint} were not used when initializing "
                f"{name}: {self.unexpected_keys}"
            )
        train_it = (
            "You should probably TRAIN this model on a down-stream task to be able to use it for "
            "predictions and inference."
        )
        if self.missing_keys:
            logger.warning(
                f"Some weights of {name} were not initialized from the model checkpoint at {checkpoint} and "
                f"are newly initialized: {sorted(self.missing_keys)}\n{train_it}"
            )
        if self.mismatched_keys:
            differences = "\n".join(
                f"- {key}: found shape {theirs} in the checkpoint and {ours} in the model instantiated"
                for key, theirs, ours in self.mismatched_keys
            )
            logger.warning(
                f"Some weights of {name} were not initialized from the model checkpoint at {checkpoint} and "
                f"are newly initialized because the shapes did not match:\n{differences}\n{train_it}"
            )


def fill(
    model: nn.Module,
    weights: Weights,
    *,
    prefix: str,
    dtype_of_name: Callable[[str], torch.dtype],
    initialize: Callable[[nn.Module], None],
    copies: Mapping[str, str] | None = None,
    placement: Placement | None = None,
) -> LoadingReport:
    """Assign weights to a model that was built `without_memory`, and initialise those that are not there.

    Shards are read one after the other, and each weight goes to its place at once: at the peak, memory holds
    one shard beside what stays there.

    Args:
        model: its parameters on the meta device are replaced; those that `placement` puts on disk stay.
        weights: a checkpoint; its tensors become the model's (no copy) when they have the right type already.
        prefix: the base model's name inside models with a head ("bert"): it is added to, or removed from, the
            checkpoint's names as the model needs it.
        dtype_of_name: tells the type of a floating weight from its name in the model.
        initialize: initialises the parameters of one module, its children left out.
        copies: {name: another name}, both in the model: where the checkpoint lacks the one, it begins as a
            copy of the other.
        placement: where each weight goes; by default all stay in memory.
    """
    tensors = dict(model.named_parameters(remove_duplicate=False)) | dict(
        model.named_buffers(remove_duplicate=False)
    )
    expected = list(model.state_dict())
    outline = weights.outline
    found = _match(outline, expected, prefix)
    for name, other in (copies or {}).items():
        if name not in found and other in found:
            found[name] = found[other]

    report = LoadingReport()
    used = set(found.values())
    report.unexpected_keys = [
        name
        for name in sorted(outline)
        if name not in used and not _is_computed(name, tensors, set(expected), prefix)
    ]
    for name, source in list(found.items()):
        if outline[source].shape != tensors[name].shape:
            report.mismatched_keys.append((name, tuple(outline[source].shape), tuple(tensors[name].shape)))
            del found[name]

    # one tensor for all names of a tied weight
    tied: dict[int, list[str]] = {}
    for name in expected:
        tied.setdefault(id(tensors[name]), []).append(name)
    mismatched = {name for name, _, _ in report.mismatched_keys}
    wanted: dict[str, list[list[str]]] = {}
    new: list[str] = []
    for names in tied.values():
        origin = next((found[name] for name in names if name in found), None)
        if origin is None:
            new += names
            report.missing_keys += [name for name in names[:1] if name not in mismatched]
            old = tensors[names[0]]
            dtype = dtype_of_name(names[0]) if old.is_floating_point() else old.dtype
            # what the constructor computed itself is a better start than nothing
            start = (
                torch.zeros_like(old, device="cpu", dtype=dtype) if old.is_meta else old.detach().to(dtype)
            )
            _assign(model, names, start)
        else:
            wanted.setdefault(origin, []).append(names)

    def put(names: list[str], tensor: torch.Tensor, file: str = "", source: str = "") -> None:
        dtype = dtype_of_name(names[0]) if tensor.is_floating_point() else tensor.dtype
        if placement is None:
            _assign(model, names, tensor.to(dtype))
            return
        devices = {name: placement.device_of(name) for name in names}
        device = next((device for device in devices.values() if device is not None), None)
        if device is not None:
            _assign(model, names, tensor.to(device, dtype))
        on_disk = [name for name, device in devices.items() if device is None]
        if on_disk:
            placement.put_on_disk(on_disk, tensor, dtype, file, source)

    for file, shard in weights.shards():
        while shard:  # emptied on the way: what was converted or moved is let go of
            source, tensor = shard.popitem()
            for again, names in enumerate(wanted.get(source, ())):
                put(names, tensor.clone() if again else tensor, file, source)
            del tensor
    _initialize_new(model, new, initialize)
    if placement is not None:
        values = model.state_dict()
        for names in tied.values():
            if names[0] in new:
                put(names, values[names[0]])
    return report


def _match(weights: Mapping[str, Any], expected: list[str], prefix: str) -> dict[str, str]:
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
        initialize(module)
        with torch.no_grad():
            for name, tensor in loaded.items():
                tensor.copy_(kept[name])


def dtype_of(weights: Mapping[str, torch.Tensor]) -> torch.dtype | None:
    """Return the floating type of the first floating weight."""
    return next((tensor.dtype for tensor in weights.values() if tensor.is_floating_point()), None)


def take_dtype(kwargs: dict[str, Any], cls: type) -> Any:
    """Take the data type of the weights out of `kwargs`: a floating type, "auto", or None."""
    newer, older = kwargs.pop("dtype", None), kwargs.pop("torch_dtype", None)
    dtype = newer if newer is not None else older
    if isinstance(dtype, str) and dtype != "auto":
        dtype = getattr(torch, dtype.removeprefix("torch."), dtype)
    if dtype is not None and dtype != "auto" and not isinstance(dtype, torch.dtype):
        raise ValueError(f'`torch_dtype` can be either `torch.dtype` or `"auto"`, but received {dtype!r}')
    if isinstance(dtype, torch.dtype) and not dtype.is_floating_point:
        raise ValueError(
            f"Can't instantiate {cls.__name__} model under dtype={dtype} since it is not a floating point "
            "dtype"
        )
    return dtype
