"""Models that are larger than memory: which part lives on an accelerator, in memory, or on disk.

Mirrors the documentation page `main_classes/model#large-model-loading`. `accelerate` computes the maps and
moves weights during the forward pass; here a checkpoint's weights go to their places, one shard at a time.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

__all__ = ["STRATEGIES", "Placement", "PlacementOptions"]

STRATEGIES = ("auto", "balanced", "balanced_low_0", "sequential")
_OFFLOADED = "disk"
_TO_DISK = (
    "The current `device_map` had weights offloaded to the disk. Please provide an `offload_folder` for "
    "them. Alternatively, use a checkpoint in safetensors, from which weights are read where they are."
)

Device = int | str | torch.device


@dataclass(frozen=True)
class PlacementOptions:
    """What a caller of `from_pretrained` says about places.

    Attributes:
        device_map: a strategy (`STRATEGIES`), a device for the whole model, or {module: device}, where a
            device is a `torch.device`, its name, a GPU's number, or "disk".
        max_memory: {GPU's number or "cpu": bytes, or such as "100KB"} that weights may take there.
        offload_folder: where weights on disk are written, which cannot be read from the checkpoint itself.
        offload_buffers: whether buffers go with the parameters.
    """

    device_map: str | Device | Mapping[str, Device] | None = None
    max_memory: Mapping[int | str, int | str] | None = None
    offload_folder: str | os.PathLike[str] | None = None
    offload_buffers: bool = False

    @classmethod
    def take_from(cls, kwargs: dict[str, Any]) -> PlacementOptions:
        """Pop the documented keywords out of `kwargs`.

        `low_cpu_mem_usage` and `offload_state_dict` change nothing: weights always go to their places one by
        one, and there is no second copy to put aside.

        Raises:
            ValueError: `low_cpu_mem_usage=False` is given with a `device_map`.
            RuntimeError: the call is made under `torch.device("meta")`.
        """
        kwargs.pop("offload_state_dict", None)
        low_cpu_mem_usage = kwargs.pop("low_cpu_mem_usage", None)
        options = cls(
            kwargs.pop("device_map", None),
            kwargs.pop("max_memory", None),
            kwargs.pop("offload_folder", None),
            kwargs.pop("offload_buffers", False),
        )
        if options.device_map is not None:
            if low_cpu_mem_usage is False:
                raise ValueError("Passing along a `device_map` requires `low_cpu_mem_usage=True`")
            return options
        here = torch.get_default_device()
        if here.type == "meta":
            raise RuntimeError(
                'You are using `from_pretrained` under `torch.device("meta")`, where weights have no values. '
                "Leave the `with` block, or build an empty model with `Model(config)` or `from_config`."
            )
        return cls(here) if here.type != "cpu" else options

    def resolve(self, model: nn.Module, dtype_of_name: Callable[[str], torch.dtype]) -> Placement | None:
        """Decide where each module of a model lives; None when nothing is asked for.

        Args:
            model: built without memory; its tied weights are tied.
            dtype_of_name: tells the type of a weight from its name.

        Raises:
            ValueError: the map is no strategy and no device, names a device that does not exist here, or
                leaves parameters without one; or the architecture cannot be cut.
        """
        asked = self.device_map
        if asked is None:
            return None
        if isinstance(asked, str) and asked in STRATEGIES:
            device_map = self._planned(model, asked, dtype_of_name)
        elif isinstance(asked, Mapping):
            device_map = _without_overlaps(model, asked)
        else:
            device_map = {"": asked}
        for device in device_map.values():
            _check(device)
        for name, _ in model.named_parameters():
            if _place_of(name, device_map) is None:
                raise ValueError(
                    f"{name} doesn't have any device set: `device_map` must cover every parameter."
                )
        return Placement(device_map, self.offload_folder, self.offload_buffers)

    def _planned(
        self, model: nn.Module, strategy: str, dtype_of_name: Callable[[str], torch.dtype]
    ) -> dict[str, Device]:
        """Share the modules out over the devices, in their order, as the budget allows."""
        from accelerate import infer_auto_device_map
        from accelerate.utils import get_balanced_memory, get_max_memory

        if getattr(model, "_no_split_modules", None) is None:
            raise ValueError(
                f"{type(model).__name__} does not support `device_map='{strategy}'`. To implement support, "
                "the model class needs to implement the `_no_split_modules` attribute; or pass a dictionary "
                "{module: device}."
            )
        arguments: dict[str, Any] = {
            "no_split_module_classes": _declared(model, "_no_split_modules"),
            "special_dtypes": {name: dtype_of_name(name) for name, _ in model.named_parameters()},
        }
        budget = dict(self.max_memory) if self.max_memory is not None else None
        if strategy == "sequential":
            budget = get_max_memory(budget)
        else:
            low_zero = strategy == "balanced_low_0"
            budget = get_balanced_memory(model, max_memory=budget, low_zero=low_zero, **arguments)
        return dict(
            infer_auto_device_map(model, max_memory=budget, offload_buffers=self.offload_buffers, **arguments)
        )


def _declared(model: nn.Module, attribute: str) -> list[str]:
    """Return the names of classes that a model and its parts list under an attribute."""
    lists = (getattr(module, attribute, None) or () for module in model.modules())
    return sorted({name for names in lists for name in names})


def _check(device: Any) -> None:
    """Refuse a device that does not exist on this machine."""
    if device == _OFFLOADED:
        return
    if isinstance(device, int) and device < 0:
        raise ValueError(
            f"You can't pass device_map as a negative int ({device}). If you want to put the model on the "
            "cpu, pass device_map = 'cpu'."
        )
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        here = ["'cpu'", *(str(ordinal) for ordinal in range(torch.cuda.device_count()))]
        raise ValueError(
            f"{device!r} in `device_map` is no device of this machine, which has {', '.join(here)} (and "
            "'disk'). If passing a string for `device_map`, please choose 'auto', 'balanced', "
            "'balanced_low_0' or 'sequential', or the name of a device; `max_memory` may only name devices "
            "that are there, too."
        ) from error


def _without_overlaps(model: nn.Module, device_map: Mapping[str, Device]) -> dict[str, Device]:
    """Replace a module that has parts elsewhere by its parts."""
    result: dict[str, Device] = {}

    def add(name: str, module: nn.Module, place: Device) -> None:
        inside = f"{name}." if name else ""
        if not any(other != name and other.startswith(inside) for other in device_map):
            result[name] = place
            return
        for tensor, _ in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)):
            result[inside + tensor] = place
        for child, part in module.named_children():
            if inside + child not in device_map:
                add(inside + child, part, place)

    modules = dict(model.named_modules())
    for name, place in device_map.items():
        if name in modules:
            add(name, modules[name], place)
        else:  # a parameter
            result[name] = place
    return result


def _is_memory_or_disk(device: Device) -> bool:
    return device == _OFFLOADED or torch.device(device).type == "cpu"


def _place_of(name: str, device_map: Mapping[str, Device]) -> Device | None:
    """Return the device of the longest module name in the map that contains a tensor's name."""
    while name and name not in device_map:
        name = name.rpartition(".")[0]
    return device_map.get(name)


class Placement:
    """Where each weight of one model lives, and those of them that are not in memory.

    Args:
        device_map: {module: device}.
        offload_folder: see `PlacementOptions`.
        offload_buffers: see `PlacementOptions`.

    Attributes:
        main_device: where what waits in memory or on disk is computed: the first accelerator, or the CPU.
    """

    def __init__(
        self,
        device_map: Mapping[str, Device],
        offload_folder: str | os.PathLike[str] | None,
        offload_buffers: bool,
    ) -> None:
        self.device_map = dict(device_map)
        self._folder = Path(offload_folder) if offload_folder is not None else None
        self._offload_buffers = offload_buffers
        self._index: dict[str, dict[str, Any]] = {}
        self._in_memory: dict[str, torch.Tensor] = {}
        self._aliases: dict[str, str] = {}
        accelerators = [place for place in device_map.values() if not _is_memory_or_disk(place)]
        self.main_device = torch.device(accelerators[0] if accelerators else "cpu")

    def device_of(self, name: str) -> torch.device | None:
        """Return the device of a parameter or buffer, None for the disk."""
        place = _place_of(name, self.device_map)
        return None if place == _OFFLOADED else torch.device(place if place is not None else "cpu")

    def put_on_disk(
        self, names: list[str], tensor: torch.Tensor, dtype: torch.dtype, file: str, source: str
    ) -> None:
        """Note where the values of a weight are, and write them to the folder when no file has them.

        Args:
            names: the weight's names (several for a tied one).
            tensor: its values.
            dtype: the type it has in the model.
            file: a file that has it already, or "".
            source: its name there.

        Raises:
            ValueError: a folder is needed, and none was given.
        """
        if file.endswith(".safetensors"):
            entry = {
                "safetensors_file": file,
                "weight_name": source,
                "dtype": str(dtype).removeprefix("torch."),
            }
            self._index |= dict.fromkeys(names, entry)
            return
        if self._folder is None:
            raise ValueError(f"{_TO_DISK} (It is needed for {names[0]}.)")
        from accelerate.utils import offload_weight

        self._folder.mkdir(parents=True, exist_ok=True)
        for name in names:  # a file each: readers look it up by the name
            offload_weight(tensor.detach().to(dtype), name, self._folder, index=self._index)

    def dispatch(self, model: Any) -> None:
        """Let the model fetch, during its forward pass, what is not where it computes."""
        for group in _tied(model):
            self._aliases |= dict.fromkeys(group[1:], group[0])
        devices = set(self.device_map.values())
        if len(devices) == 1 and _OFFLOADED not in devices:
            model.hf_device_map = dict(self.device_map)
            return
        from accelerate import dispatch_model

        if self._folder is not None and self._index:
            from accelerate.utils import save_offload_index

            written = {name: entry for name, entry in self._index.items() if "safetensors_file" not in entry}
            save_offload_index(written, self._folder)
        self._in_memory = self._kept_for_accelerators(model)
        with warnings.catch_warnings():
            # a module with two names is in the map by both, and found by one
            warnings.filterwarnings("ignore", message="The following device_map keys do not match")
            dispatch_model(
                model,
                device_map=self.device_map,
                main_device=str(self.main_device),
                state_dict=self._in_memory or None,
                offload_dir=self._folder,
                offload_index=self._index or None,
                offload_buffers=self._offload_buffers,
                skip_keys="past_key_values",
                force_hooks=True,
                preload_module_classes=_declared(model, "_preload_modules"),
            )
        for name in ("to", "cuda"):  # `refuse_to_move` says more
            model.__dict__.pop(name, None)

    def _kept_for_accelerators(self, model: nn.Module) -> dict[str, torch.Tensor]:
        """Return what waits on the CPU for its turn on an accelerator (nothing, when the CPU computes)."""
        if self.main_device.type == "cpu":
            return {}
        return {
            name: tensor
            for name, tensor in model.state_dict().items()
            if not tensor.is_meta and self.device_of(name) == torch.device("cpu")
        }

    def fetch(self, name: str) -> torch.Tensor:
        """Return the values of a weight that is not in the model's memory."""
        if name in self._in_memory:
            return self._in_memory[name]
        from accelerate.utils import OffloadedWeightsLoader

        return OffloadedWeightsLoader(save_folder=self._folder, index=self._index)[name]

    def distinct(self, state_dict: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Leave out further names of tied weights, which cannot be told from values that are elsewhere."""
        return {
            name: tensor
            for name, tensor in state_dict.items()
            if not (tensor.is_meta and self._aliases.get(name) in state_dict)
        }

    def refuse_to_overwrite(self, folder: Path) -> None:
        """Refuse to write where the model reads its weights from.

        Raises:
            ValueError: the folder is the checkpoint's, and some weights stay there.
        """
        read_from = {
            Path(entry["safetensors_file"]).resolve().parent
            for entry in self._index.values()
            if "safetensors_file" in entry
        }
        if folder.resolve() in read_from:
            raise ValueError(
                f"{folder} has the weights that this model reads while it computes (they are on disk in its "
                "`device_map`): save into another folder."
            )

    def refuse_to_move(self) -> None:
        """Refuse to move or convert a model whose weights are elsewhere.

        Raises:
            RuntimeError: some are.
        """
        if self._index or self._in_memory:
            raise RuntimeError(
                "You can't move, convert or resize a model that has some modules offloaded: their weights go "
                "to the device that computes when they are needed (see `model.hf_device_map`). Load "
                "it again with the `device_map`, `max_memory` or `torch_dtype` you want."
            )


def _tied(model: nn.Module) -> list[list[str]]:
    """Return the groups of names that are one and the same parameter."""
    groups: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        groups.setdefault(id(parameter), []).append(name)
    return [names for names in groups.values() if len(names) > 1]
