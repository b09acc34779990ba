"""Writing files that are either whole or not there, and reading them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["folder_to_save_in", "read_json_object", "write_text", "written_whole"]


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


def read_json_object(path: str | os.PathLike[str], kind: str) -> dict[str, Any]:
    """Return the JSON object in a file.

    Args:
        path: the file.
        kind: what it is called in messages ("configuration file").

    Raises:
        OSError: there is no such file, or something else in it.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise OSError(f"The {kind} {path} is not a valid JSON file: {error}") from error
    if not isinstance(values, dict):
        raise OSError(f"The {kind} {path} does not hold a JSON object.")
    return values


def folder_to_save_in(folder: str | os.PathLike[str]) -> Path:
    """Return the folder that `save_pretrained` was given, created if needed.

    Raises:
        NotADirectoryError: there is a file at that path.
        ValueError: the path is empty.
    """
    if folder == "":
        raise ValueError('The path of the folder to save in is empty; "." is the one you are in.')
    path = Path(folder).expanduser()
    if path.is_file():
        raise NotADirectoryError(f"{path} is a file; `save_pretrained` needs the path of a folder.")
    path.mkdir(parents=True, exist_ok=True)
    return path
