"""The folders of checkpoints: their names, and how one comes to be there whole or not at all.

A folder called `checkpoint-N` is whole. It is written as `tmp-checkpoint-N`, flushed to the disk and renamed;
before it is deleted, it is renamed again. A process may be killed at any moment of this.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

__all__ = [
    "PREFIX_CHECKPOINT_DIR",
    "checkpoint_folders",
    "clear_leftovers",
    "flush",
    "get_last_checkpoint",
    "needs_room",
    "put_in_place",
    "remove_whole",
    "staging_of",
    "step_of",
    "surplus_checkpoints",
]

PREFIX_CHECKPOINT_DIR = "checkpoint"

_CHECKPOINT = re.compile(rf"{PREFIX_CHECKPOINT_DIR}-(\d+)")
_STAGED = re.compile(rf"tmp-{PREFIX_CHECKPOINT_DIR}-\d+(-replaced|-removed)?")
_REPLACED = "-replaced"
_TRIAL_SIZE = 2**20


def step_of(folder: Path) -> int | None:
    """Return N of a path that ends in `checkpoint-N`."""
    match = _CHECKPOINT.fullmatch(folder.name)
    return int(match[1]) if match else None


def staging_of(folder: Path) -> Path:
    """Return the path at which `checkpoint-N` is written."""
    return folder.with_name(f"tmp-{folder.name}")


def checkpoint_folders(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the checkpoints in a folder (none when there is no such folder), by their number of steps."""
    path = Path(folder)
    found = path.iterdir() if path.is_dir() else iter(())
    return sorted((entry for entry in found if step_of(entry) is not None and entry.is_dir()), key=_step)


def _step(folder: Path) -> int:
    return step_of(folder) or 0


def get_last_checkpoint(folder: str | os.PathLike[str]) -> str | None:
    """Return the path of the checkpoint with the most steps in a folder, or None when it has none.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}: pass the `output_dir` that the training wrote its checkpoints to."
        )
    folders = checkpoint_folders(folder)
    return str(folders[-1]) if folders else None


def put_in_place(staged: Path, final: Path) -> None:
    """Rename a folder that is whole; one that is there already goes, and comes back if this breaks off.

    Both are flushed to the disk before they bear their names, so that a power failure leaves none empty.
    """
    flush(staged)
    if final.exists():
        replaced = staging_of(final).with_name(staging_of(final).name + _REPLACED)
        shutil.rmtree(replaced, ignore_errors=True)
        final.rename(replaced)
        staged.rename(final)
        shutil.rmtree(replaced, ignore_errors=True)
    else:
        staged.rename(final)
    _flush_one(final.parent)


def flush(folder: Path) -> None:
    """Have the disk store a folder and all that is in it."""
    with ThreadPoolExecutor(8) as pool:  # the disk writes many at once
        list(pool.map(_flush_one, folder.rglob("*")))
    _flush_one(folder)


def _flush_one(path: Path) -> None:
    """Have the disk store one file, or the entries of one folder; some systems cannot do the latter."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except (PermissionError, IsADirectoryError):
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def remove_whole(folder: Path) -> None:
    """Delete a checkpoint such that it is never there in part under its name."""
    away = staging_of(folder).with_name(f"{staging_of(folder).name}-removed")
    shutil.rmtree(away, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(away)
    shutil.rmtree(away, ignore_errors=True)


def clear_leftovers(folder: Path) -> None:
    """Delete what killed processes left, and bring back a checkpoint whose successor never arrived."""
    for entry in _leftovers(folder):
        if entry.name.endswith(_REPLACED):
            final = folder / entry.name.removeprefix("tmp-").removesuffix(_REPLACED)
            if not final.exists():
                entry.rename(final)
                continue
        shutil.rmtree(entry, ignore_errors=True)


def _leftovers(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from [entry for entry in folder.iterdir() if _STAGED.fullmatch(entry.name) and entry.is_dir()]


def surplus_checkpoints(folders: Iterable[Path], limit: int | None, best: Path | None) -> list[Path]:
    """Return the checkpoints that go so that `limit` stay: the oldest, but never the last nor the best one.

    Args:
        folders: all checkpoints, by steps.
        limit: how many stay; None or 0 for all. With 1 and a best one that is not the last, two stay.
        best: the one of the best model, if that is known.
    """
    folders = list(folders)
    if not limit or limit < 0 or len(folders) <= limit:
        return []
    kept = {folders[-1].name} | ({best.name} if best is not None else set())
    others = [folder for folder in folders if folder.name not in kept]
    kept_here = len(folders) - len(others)
    return others[: max(len(folders) - max(limit, kept_here), 0)]


def needs_room(error: BaseException, folder: Path) -> str | None:
    """Return what the system says of a failed write ("No space left on device"), None for other errors.

    torch and safetensors raise errors of their own when the disk is full; a trial then tells the reason.

    Args:
        error: what was raised.
        folder: where it was written to.
    """
    if isinstance(error, OSError):
        return error.strerror or str(error)
    text = str(error)
    of_torch = isinstance(error, RuntimeError) and re.search(r"PytorchStreamWriter|inline_container", text)
    if not of_torch and type(error).__name__ != "SafetensorError":
        return None
    trial = folder / "trial"
    try:
        trial.write_bytes(bytes(_TRIAL_SIZE))
    except OSError as reason:
        return reason.strerror or text
    finally:
        with contextlib.suppress(OSError):
            trial.unlink(missing_ok=True)
    return text.splitlines()[0]
