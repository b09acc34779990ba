"""Snapshots of what is uploaded, so that training can go on writing, and deleting, while it is on its way.

Files that are never changed in place (weights, and all of a checkpoint) are linked, which takes no room;
others, such as logs that grow, are copied.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .checkpoint_folders import PREFIX_CHECKPOINT_DIR

__all__ = ["Part", "Snapshot", "snapshot_of_checkpoint", "snapshot_of_output"]

_PREFIX = "tmp-upload-"
_STAYS_HERE = re.compile(rf"_.*|\..*\.part|(tmp-)?{PREFIX_CHECKPOINT_DIR}-\d.*|{_PREFIX}.*")
_FOR_TRAINING_ONLY = re.compile(
    r"(optimizer|scheduler|scaler|loop_state)(_\d+)?(\.pt|\.bin)?|rng_state(_\d+)?\.pth|trainer_state\.json"
    r"|pytorch_model_fsdp.*|global_step\d+|latest|zero_to_fp32\.py"
)
_WEIGHTS = re.compile(r".*\.(safetensors|bin|pt|pth)(\.index\.json)?")


@dataclass(frozen=True)
class Part:
    """What becomes one commit.

    Attributes:
        folder: what it holds is uploaded.
        message: of the commit.
        path: folder in the repository; None for its root. What is in that folder and not in the part goes.
    """

    folder: Path
    message: str
    path: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """Parts of one upload, in order, in a folder that can be deleted afterwards."""

    folder: Path
    parts: list[Part]


def snapshot_of_output(output_dir: Path, message: str) -> Snapshot:
    """Take all of the output folder but its checkpoints, and but names with `_` in front."""
    folder = _new_folder(output_dir)
    _take(output_dir, folder, lambda name: not _STAYS_HERE.fullmatch(name))
    return Snapshot(folder, [Part(folder, message)])


def snapshot_of_checkpoint(output_dir: Path, checkpoint: Path, message: str, path: str | None) -> Snapshot:
    """Take the model in a checkpoint with what else the output folder has; then, as a part, the checkpoint.

    Args:
        output_dir: its weights, which may be older, are left out.
        checkpoint: a folder in it.
        message: of the commit.
        path: where the checkpoint itself goes in the repository; None for nowhere.
    """
    folder = _new_folder(output_dir)
    model, whole = folder / "model", folder / "checkpoint"
    try:
        _take(output_dir, model, lambda name: not (_STAYS_HERE.fullmatch(name) or _WEIGHTS.fullmatch(name)))
        _take(checkpoint, model, lambda name: not _FOR_TRAINING_ONLY.fullmatch(name), unchanging=True)
        parts = [Part(model, message)]
        if path is not None:
            _take(checkpoint, whole, lambda name: True, unchanging=True)
            parts.append(Part(whole, f"{message}, checkpoint", path))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Snapshot(folder, parts)


def _new_folder(output_dir: Path) -> Path:
    """Make a folder for a snapshot, and delete those of processes that were killed."""
    for entry in output_dir.glob(f"{_PREFIX}*"):
        owner = entry.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not _is_running(int(owner)):
            shutil.rmtree(entry, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=output_dir))


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it runs, for somebody else
    return True


def _take(source: Path, target: Path, wanted: Callable[[str], bool], unchanging: bool = False) -> None:
    """Link or copy the wanted entries of a folder, and all that is below them, over what is in `target`."""
    for entry in sorted(source.iterdir()):
        if not wanted(entry.name):
            continue
        if entry.is_dir():
            _take(entry, target / entry.name, lambda name: True, unchanging)
            continue
        target.mkdir(parents=True, exist_ok=True)
        place = target / entry.name
        place.unlink(missing_ok=True)
        if unchanging or _WEIGHTS.fullmatch(entry.name):
            try:
                os.link(entry, place)
            except OSError:  # the file system knows no links
                shutil.copy2(entry, place)
        else:
            shutil.copy2(entry, place)
