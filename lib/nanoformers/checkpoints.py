"""Weight files: finding, reading and writing them, in one piece or in shards.

safetensors come first and are mapped into memory: reading one costs nothing until its numbers are used. Older
pickles (`pytorch_model.bin`) are read by `torch.load(weights_only=True)`, which runs no code of theirs.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from .hub import HubOptions, cached_file
from .utils import logging
from .utils.files import write_text, written_whole

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "SAFE_WEIGHTS_INDEX_NAME",
    "SAFE_WEIGHTS_NAME",
    "WEIGHTS_INDEX_NAME",
    "WEIGHTS_NAME",
    "Weights",
    "find_weights",
    "load_sharded_checkpoint",
    "read_weights",
    "write_weights",
]

SAFE_WEIGHTS_NAME = "model.safetensors"
SAFE_WEIGHTS_INDEX_NAME = "model.safetensors.index.json"
WEIGHTS_NAME = "pytorch_model.bin"
WEIGHTS_INDEX_NAME = "pytorch_model.bin.index.json"
_OTHER_FRAMEWORKS = {"tf_model.h5": "TensorFlow", "flax_model.msgpack": "Flax"}

logger = logging.get_logger(__name__)

_SHARD = re.compile(r"(model|pytorch_model)(\.\w+)?-\d{5}-of-\d{5}(\.\w+)?\.(safetensors|bin)")
_UNITS = {"GIB": 2**30, "MIB": 2**20, "KIB": 2**10, "GB": 10**9, "MB": 10**6, "KB": 10**3}


def find_weights(
    name_or_path: str | os.PathLike[str],
    options: HubOptions,
    *,
    variant: str | None = None,
    use_safetensors: bool | None = None,
) -> list[str]:
    """Return the local paths of a checkpoint's weight files, downloaded when needed.

    Args:
        name_or_path: a local folder, or the name of a repository on the hub.
        options: where to look, see `HubOptions`.
        variant: take `model.<variant>.safetensors` (or `.bin`), for example "fp16".
        use_safetensors: True for safetensors only, False for pickles only, None for safetensors if there are.

    Raises:
        OSError: there are no weights of the kind asked for; the message says which files were looked for.
    """
    candidates = []
    if use_safetensors is not False:
        candidates += [SAFE_WEIGHTS_NAME, SAFE_WEIGHTS_INDEX_NAME]
    if not use_safetensors:
        candidates += [WEIGHTS_NAME, WEIGHTS_INDEX_NAME]
    candidates = [_with_variant(candidate, variant) for candidate in candidates]
    for candidate in candidates:
        path = cached_file(name_or_path, candidate, options, required=False)
        if path is None:
            continue
        if not candidate.endswith(".json"):
            return [path]
        return [_required_file(name_or_path, shard, options) for shard in _shards_of(path)]

    message = f"{name_or_path} does not have a file named {' or '.join(candidates)}."
    for file, framework in _OTHER_FRAMEWORKS.items():
        if cached_file(name_or_path, file, options, required=False) is not None:
            message += f" It has {file}, the weights of {framework}, which have to be converted first."
    raise OSError(message)


def _required_file(name_or_path: str | os.PathLike[str], filename: str, options: HubOptions) -> str:
    path = cached_file(name_or_path, filename, options)
    assert path is not None
    return path


def _with_variant(filename: str, variant: str | None) -> str:
    """Put the variant where weight files have it: before the last extension."""
    if variant is None:
        return filename
    stem, _, extension = filename.rpartition(".")
    return f"{stem}.{variant}.{extension}"


def _shards_of(index: str | os.PathLike[str]) -> list[str]:
    """Return the names of the files that an index speaks of."""
    try:
        weight_map = json.loads(Path(index).read_text(encoding="utf-8"))["weight_map"]
    except (ValueError, KeyError, TypeError) as error:
        raise OSError(
            f"{index} is not the index of a sharded checkpoint: it lacks a `weight_map`."
        ) from error
    shards = sorted(set(weight_map.values()))
    for shard in shards:
        if Path(shard).name != shard:
            raise OSError(f"{index} names the file {shard!r}, which is not beside it.")
    return shards


class Weights:
    """The weights of one checkpoint, read shard by shard so that no more than one is in memory.

    Args:
        files: paths of the shards, such as `find_weights` returns.

    Attributes:
        outline: {name: tensor without memory (on the meta device)}, of all shards.
    """

    def __init__(self, files: list[str]) -> None:
        self._files = files
        self._only: dict[str, torch.Tensor] | None = read_weights(files) if len(files) == 1 else None
        self.outline: dict[str, torch.Tensor] = {}
        for file in files:
            content = self._only if self._only is not None else _read(file, outline=True)
            self.outline |= {
                name: torch.empty_like(tensor, device="meta") for name, tensor in content.items()
            }

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, torch.Tensor]) -> Weights:
        """Wrap weights that are in memory."""
        weights = cls([])
        weights._files, weights._only = [""], dict(tensors)
        weights.outline = {name: tensor.to("meta") for name, tensor in tensors.items()}
        return weights

    def shards(self) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
        """Yield (path, or "" for weights in memory; {name: tensor}) of one shard after the other, once."""
        for file in self._files:
            if self._only is None:
                yield file, read_weights([file])
            else:
                yield file, self._only
                self._only = {}


def read_weights(files: list[str]) -> dict[str, torch.Tensor]:
    """Read the tensors of one checkpoint, which may be spread over several files.

    Returns:
        {name: tensor} on the CPU, mapped from the files where their format allows it: changing a tensor does
        not change the file.

    Raises:
        OSError: a file is damaged, or is the pointer that git-lfs left in place of it.
    """
    weights: dict[str, torch.Tensor] = {}
    for file in files:
        weights |= _read(file)
    return weights


def _read(file: str, outline: bool = False) -> dict[str, torch.Tensor]:
    """Read one file; for an outline, values need not be there."""
    if file.endswith(".safetensors"):
        return _read_safetensors(file)  # mapped: a tensor that is not used is not read
    return _read_pickle(file, "meta" if outline else "cpu")


def _read_safetensors(file: str) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as content:
            return {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise OSError(_damaged(file, f"it is damaged, or no checkpoint ({error})")) from error


def _read_pickle(file: str, device: str) -> dict[str, torch.Tensor]:
    try:
        try:
            content = torch.load(file, map_location=device, weights_only=True, mmap=True)
        except RuntimeError as error:
            if "mmap" not in str(error):
                raise
            content = torch.load(file, map_location=device, weights_only=True)  # as before torch 1.6
    except Exception as error:
        reason = "it is damaged, or no checkpoint; a pickle with more than tensors in it is not opened"
        raise OSError(_damaged(file, reason)) from error
    tensors = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(tensors, dict) or not all(
        isinstance(value, torch.Tensor) for value in tensors.values()
    ):
        raise OSError(f"{file} does not hold a dictionary of tensors, which the weights of a model are.")
    return tensors


def _damaged(file: str, reason: str) -> str:
    """Say why a weight file cannot be read."""
    with Path(file).open("rb") as opened:
        if opened.read(7) == b"version":
            return (
                f"{file} is the pointer of a file that git-lfs keeps elsewhere, not the weights: install "
                "git-lfs, and run `git lfs install` and `git lfs pull` in the folder you cloned."
            )
    return f"Unable to load weights from {file}: {reason}. Download it again."


def write_weights(
    folder: Path,
    state_dict: Mapping[str, torch.Tensor],
    *,
    max_shard_size: int | str = "5GB",
    safe_serialization: bool = True,
    variant: str | None = None,
    fetch: Callable[[str], torch.Tensor] | None = None,
) -> list[str]:
    """Write weights into a folder, each file whole or not at all, and remove those of an earlier time.

    Tensors that are one and the same (tied weights) are written once, under the first of their names.

    Args:
        folder: an existing folder.
        state_dict: {name: tensor}.
        max_shard_size: a file's greatest size, in bytes or such as "5GB" or "200KB"; a larger checkpoint
            becomes several files and an index. A single tensor is never cut.
        safe_serialization: safetensors, or else pickles.
        variant: put into the names, see `find_weights`.
        fetch: returns the values of a name whose tensor in `state_dict` is on the meta device.

    Returns:
        The names of the files.

    Raises:
        ValueError: `max_shard_size` cannot be read.
    """
    name = _with_variant(SAFE_WEIGHTS_NAME if safe_serialization else WEIGHTS_NAME, variant)
    index_name = _with_variant(SAFE_WEIGHTS_INDEX_NAME if safe_serialization else WEIGHTS_INDEX_NAME, variant)
    shards = _split(_without_repeats(state_dict), _size_in_bytes(max_shard_size))
    stem, _, extension = name.rpartition(".")
    names = [name]
    if len(shards) > 1:
        names = [f"{stem}-{i:05d}-of-{len(shards):05d}.{extension}" for i in range(1, len(shards) + 1)]

    for filename, shard in zip(names, shards, strict=True):
        tensors = {
            key: fetch(key) if fetch is not None and tensor.is_meta else tensor.detach()
            for key, tensor in shard.items()
        }
        with written_whole(folder / filename) as beside:
            if safe_serialization:
                from safetensors.torch import save_file

                contiguous = {key: tensor.contiguous() for key, tensor in tensors.items()}
                save_file(contiguous, beside, metadata={"format": "pt"})
            else:
                torch.save(tensors, beside)
    if len(shards) > 1:
        total = sum(tensor.nbytes for shard in shards for tensor in shard.values())
        weight_map = {key: filename for filename, shard in zip(names, shards, strict=True) for key in shard}
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        write_text(folder / index_name, json.dumps(index, indent=2, sort_keys=True) + "\n")
        names.append(index_name)
    _remove_leftovers(folder, set(names), name, index_name)
    if not safe_serialization:
        for preferred in (SAFE_WEIGHTS_NAME, SAFE_WEIGHTS_INDEX_NAME):
            earlier = folder / _with_variant(preferred, variant)
            if earlier.is_file():
                logger.warning(
                    f"{earlier} was there already, and `from_pretrained` reads it before {names[-1]}, which "
                    "has just been written: delete it, or load with `use_safetensors=False`."
                )
    return names


def _remove_leftovers(folder: Path, written: set[str], name: str, index_name: str) -> None:
    """Remove earlier weights of the same kind, which would be found before (or beside) those just written."""
    stem, _, extension = name.rpartition(".")
    for entry in folder.iterdir():
        shard = (
            entry.name.startswith(f"{stem}-")
            and entry.name.endswith(extension)
            and _SHARD.fullmatch(entry.name)
        )
        if entry.name not in written and (shard or entry.name in (name, index_name)):
            entry.unlink()


def _without_repeats(state_dict: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    seen = set()
    kept = {}
    for name, tensor in state_dict.items():
        place = (tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride())
        if tensor.device.type == "meta" or tensor.numel() == 0 or place not in seen:
            kept[name] = tensor
        seen.add(place)
    return kept


def _split(tensors: dict[str, torch.Tensor], limit: int) -> list[dict[str, torch.Tensor]]:
    """Cut a checkpoint, in its order, into shards of at most `limit` bytes (or one tensor)."""
    shards: list[dict[str, torch.Tensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        if shards[-1] and size + tensor.nbytes > limit:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    return shards


def _size_in_bytes(size: int | str) -> int:
    """Read "5GB", "200KB", "1GiB" (bytes, powers of ten or of two) or a number of bytes."""
    if isinstance(size, int):
        return size
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", size.strip())
    if match is None or match[2].upper() not in _UNITS:
        raise ValueError(
            f"{size!r} is not a size: use a number of bytes, or a number followed by one of "
            f"{', '.join(_UNITS)}."
        )
    return int(float(match[1]) * _UNITS[match[2].upper()])


def load_sharded_checkpoint(
    model: nn.Module, folder: str | os.PathLike[str], strict: bool = True, prefer_safe: bool = True
) -> Any:
    """Load a sharded checkpoint into a model that exists already, one shard at a time.

    Args:
        model: any module.
        folder: has the shards and their index.
        strict: whether names must agree exactly.
        prefer_safe: take safetensors when there are pickles too.

    Returns:
        The module's `missing_keys` and `unexpected_keys`.

    Raises:
        ValueError: there is no index in the folder.
        RuntimeError: names (when `strict`) or shapes do not agree.
    """
    names = [SAFE_WEIGHTS_INDEX_NAME, WEIGHTS_INDEX_NAME]
    index = next(
        (Path(folder, name) for name in names[:: 1 if prefer_safe else -1] if Path(folder, name).is_file()),
        None,
    )
    if index is None:
        raise ValueError(f"Can't find a checkpoint index ({' or '.join(names)}) in {folder}.")
    files = _shards_of(index)
    expected = model.state_dict()
    found: set[str] = set()
    for file in files:
        shard = read_weights([str(Path(folder, file))])
        found |= shard.keys()
        model.load_state_dict(shard, strict=False)
    shared = {tensor.data_ptr() for name, tensor in expected.items() if name in found}
    missing = [
        name for name, tensor in expected.items() if name not in found and tensor.data_ptr() not in shared
    ]
    unexpected = sorted(found - expected.keys())
    if strict and (missing or unexpected):
        lines = [f"Error(s) in loading state_dict for {type(model).__name__}"]
        lines += [f"Missing key(s): {', '.join(missing)}."] if missing else []
        lines += [f"Unexpected key(s): {', '.join(unexpected)}."] if unexpected else []
        raise RuntimeError("\n".join(lines))
    return torch.nn.modules.module._IncompatibleKeys(missing, unexpected)
