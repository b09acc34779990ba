"""The data sets of the course, read from the store of its hub; no server is needed for that."""

from __future__ import annotations

import difflib
import fnmatch
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from classroom.hub import Place, SeededRepo, Store
from classroom.hub.cards import front_matter
from classroom.hub.repository import Repository

_SENTENCE_END = re.compile(r"(?<=[.!?])\s")
_TOYLAND = "toyland/"


class DataSetError(ValueError):
    """A data set, or a split of one, that there is not, or that cannot be read or written here."""


@dataclass(frozen=True)
class DataSet:
    """A data set on the course's hub.

    Attributes:
        name: such as "toyland/stories".
        about: one sentence from its card.
        files: the files of each split.
        sizes: rows of each split; None where the format of the files does not tell.
        bytes: of all its files together.
    """

    name: str
    about: str
    files: dict[str, tuple[str, ...]]
    sizes: dict[str, int | None]
    bytes: int


def data_sets(store: Store, seeded: Sequence[SeededRepo]) -> list[DataSet]:
    """Return the data sets among what was seeded into `store`, by name."""
    names = sorted(repo.repo_id for repo in seeded if repo.kind == "datasets" and repo.commit)
    return [_described(name, _repository(store, name)) for name in names]


def first_rows(store: Store, name: str, split: str, n: int) -> list[dict[str, Any]]:
    """Return the first `n` rows of a split; a class has its name beside its number.

    Raises:
        DataSetError: there is no such split, or its files are not JSON lines.
    """
    repository = _repository(store, name)
    files = _files_of_splits(repository)
    if split not in files:
        raise DataSetError(f"{name} has no split {split!r}. There are: {', '.join(files)}.")
    unread = [path for path in files[split] if not path.endswith(".jsonl")]
    if unread:
        raise DataSetError(
            f"{unread[0]} cannot be shown here, only JSON lines can. In a notebook: load_dataset({name!r})."
        )
    classes = _classes(repository)
    rows = (json.loads(line) for path in files[split] for line in _lines(repository, path))
    return [
        {column: _named(value, classes.get(column, {})) for column, value in row.items()}
        for row in islice(rows, n)
    ]


def find(name: str, known: Sequence[str]) -> str:
    """Return `name` when it is one of `known`, which may have left out the part before the slash.

    Raises:
        DataSetError: it is not; the message names what comes near, or all.
    """
    matches = [full for full in known if name in (full, full.rpartition("/")[2])]
    if len(matches) == 1:
        return matches[0]
    close = difflib.get_close_matches(name, known, n=1) or difflib.get_close_matches(
        _TOYLAND + name, known, n=1
    )
    hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known)}."
    raise DataSetError(f"The course has no data set {name}. {hint}")


def write_toyland(name: str, out: Path, *, seed: int, splits: dict[str, int]) -> None:
    """Write a data set of Toyland into the folder `out`, which appears when it is complete.

    Args:
        name: such as "toyland/stories".
        out: a folder that does not exist yet, or is empty.
        seed: which world.
        splits: rows of each split; one without rows is left out.

    Raises:
        DataSetError: not a data set of Toyland, no rows at all, or more than there are.
        FileExistsError: there is something at `out` already.
    """
    from classroom.toyland import VIEWS, write_dataset

    view = name.removeprefix(_TOYLAND)
    if view not in VIEWS:
        raise DataSetError(
            f"{name} is not made from Toyland, so there is no more of it than the hub has. Toyland makes: "
            f"{', '.join(_TOYLAND + view for view in VIEWS)}."
        )
    wanted = {split: size for split, size in splits.items() if size}
    if not wanted:
        raise DataSetError("Ask for at least one row, such as --train 1000.")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise FileExistsError(f"{out} is there already, and not an empty folder; name a new one.")
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        try:
            write_dataset(beside, view, seed=seed, splits=wanted)
        except ValueError as error:
            raise DataSetError(str(error)) from error
        beside.chmod(0o755)
        if out.exists():
            out.rmdir()
        beside.rename(out)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _repository(store: Store, name: str) -> Repository:
    return store.open(Place("datasets", name))


def _described(name: str, repository: Repository) -> DataSet:
    files = _files_of_splits(repository)
    sizes = {split: _rows_in(repository, paths) for split, paths in files.items()}
    total = sum(entry.size for entry in repository.manifest(repository.resolve()).files.values())
    return DataSet(name, _first_sentence(_text(repository, "README.md")), files, sizes, total)


def _files_of_splits(repository: Repository) -> dict[str, tuple[str, ...]]:
    """Which files the card declares for each split of the first configuration."""
    configs = _head(repository).get("configs") or [{}]
    declared = configs[0].get("data_files", [])
    there = repository.manifest(repository.resolve()).files
    found = {}
    for entry in declared:
        patterns = [entry["path"]] if isinstance(entry["path"], str) else entry["path"]
        found[entry["split"]] = tuple(
            path for path in there if any(fnmatch.fnmatch(path, pattern) for pattern in patterns)
        )
    return found


def _rows_in(repository: Repository, paths: tuple[str, ...]) -> int | None:
    if not all(path.endswith(".jsonl") for path in paths):
        return None
    return sum(1 for path in paths for _ in _lines(repository, path))


def _lines(repository: Repository, path: str) -> Iterator[bytes]:
    content = repository.content(repository.entry(repository.resolve(), path))
    return (line for line in content.split(b"\n") if line.strip())


def _text(repository: Repository, path: str) -> str:
    return repository.content(repository.entry(repository.resolve(), path)).decode()


def _head(repository: Repository) -> dict[str, Any]:
    return front_matter(_text(repository, "README.md")) or {}


def _first_sentence(card: str) -> str:
    """The first sentence of the first paragraph under the card's title."""
    body = card.split("\n---", 1)[-1]
    paragraphs = (" ".join(paragraph.split()) for paragraph in body.lstrip("-\n").split("\n\n"))
    prose = next((text for text in paragraphs if text and text[0] not in "#|`<!["), "")
    return _SENTENCE_END.split(prose, maxsplit=1)[0]


def _classes(repository: Repository) -> dict[str, dict[str, str]]:
    """The names of the classes of each column that holds classes, by number."""
    found = {}
    for feature in _head(repository).get("dataset_info", {}).get("features", []):
        kind = feature.get("dtype", feature.get("sequence"))
        if isinstance(kind, dict) and "class_label" in kind:
            found[feature["name"]] = kind["class_label"]["names"]
    return found


def _named(value: Any, names: dict[str, str]) -> Any:
    """Put the names of classes beside their numbers, in a column that holds classes or lists of them."""
    if not names:
        return value
    if isinstance(value, list):
        return ", ".join(str(_named(item, names)) for item in value)
    return f"{value} ({names[str(value)]})" if str(value) in names else value
