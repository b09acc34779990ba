"""Writing files that are either whole or not there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["folder_to_save_in", "write_text", "written_whole"]


@contextlib.contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path beside `path` to write to; when the block ends well, that file takes the place of `path`.

    A block that fails leaves `path` as it was, and nothing beside it.
    """
    final = Path(path)
    beside = final.with_name(f".{final.name}.{os.getpid()}.part")
    try:
        yield beside
        beside.replace(final)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file (UTF-8, line feeds), whole or not at all."""
    with written_whole(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def folder_to_save_in(folder: str | os.PathLike[str]) -> Path:
    """Return the folder that `save_pretrained` was given, created if needed.

    Raises:
        NotADirectoryError: there is a file at that path.
    """
    path = Path(folder).expanduser()
    if path.is_file():
        raise NotADirectoryError(f"{path} is a file; `save_pretrained` needs the path of a folder.")
    path.mkdir(parents=True, exist_ok=True)
    return path
