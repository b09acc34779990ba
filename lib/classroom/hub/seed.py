"""Filling a store with the course's repositories, the same commits on every machine.

They come from `data/hub/{models,datasets,spaces}/<org>/<name>/`, from an installed package that carries a
real checkpoint, and from data sets that `classroom.sources` writes. Author, date and message are fixed, so
equal files make equal commit hashes. A file `.hub.yaml` in a seed folder is not served; it may set:

```yaml
private: true         # only members of the namespace see it
gated: auto           # or manual: files need granted access
tags: [v1.0]          # names for the first commit
```
"""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from filelock import FileLock

from classroom import paths
from classroom.atomic import write_text
from classroom.hub.attributes import default_attributes, is_large
from classroom.hub.changes import Changes, commit
from classroom.hub.errors import HubError
from classroom.hub.names import KINDS, check_path
from classroom.hub.objects import sha256_of
from classroom.hub.repository import MAIN, Author, Repository
from classroom.hub.store import Facts, Place, Store

SEED_DATE = 1_704_067_200
"""2024-01-01 00:00 UTC, the date of every seeded commit."""

_AUTHOR = Author("nanoformers", "nanoformers@classroom.invalid", SEED_DATE)
_FIRST_MESSAGE = "Add the files of the course"
_NEXT_MESSAGE = "Update the files of the course"
_SETTINGS = ".hub.yaml"
_NOT_SERVED = frozenset({_SETTINGS, ".DS_Store", "Thumbs.db", "__pycache__", ".git", ".ipynb_checkpoints"})


@dataclass(frozen=True)
class SeededRepo:
    """What seeding did for one repository.

    Attributes:
        kind: 'models', 'datasets' or 'spaces'.
        repo_id: 'org/name'.
        commit: newest commit on `main`; None when it is not there.
        changed: whether this call made a commit.
        problem: why it could not be seeded, None when it was.
    """

    kind: str
    repo_id: str
    commit: str | None
    changed: bool = False
    problem: str | None = None


@dataclass(frozen=True)
class _Source:
    """A repository to seed: a folder, or a function that writes one and the version of its code."""

    place: Place
    folder: Path | None = None
    write: Callable[[Path], None] | None = None
    version: str | None = None


def seed(store: Store, progress: Callable[[str], None] | None = None) -> list[SeededRepo]:
    """Bring all of the course's repositories into the store; what learners pushed stays as it is.

    A second call compares sizes and times of files and is done in milliseconds. A folder that has changed
    since makes a new commit on top of `main` that carries over only what changed in the folder.

    Args:
        store: where to.
        progress: called with the id of each repository before it is looked at.

    Returns:
        One entry a repository. One that cannot be seeded (say, its source cannot be fetched) has `problem`
        set and does not keep the others from being seeded.
    """
    (store.root / "seed").mkdir(exist_ok=True)
    done = []
    with FileLock(store.root / "seed" / "lock"):
        for source in _sources():
            if progress is not None:
                progress(source.place.repo_id)
            try:
                done.append(_seed_one(store, source))
            except (OSError, HubError, ValueError) as error:
                place = source.place
                head = store.open(place).head() if store.exists(place) else None
                done.append(SeededRepo(place.kind, place.repo_id, head, problem=str(error)))
    return done


def _sources() -> Iterator[_Source]:
    root = paths.data_root() / "hub"
    for kind in KINDS:
        for folder in sorted((root / kind).glob("*/*")):
            if folder.is_dir() and not folder.name.startswith("."):
                yield _Source(Place(kind, f"{folder.parent.name}/{folder.name}"), folder=folder)
    yield from _made_sources()


def _made_sources() -> Iterator[_Source]:
    """The repositories that code of the course writes."""
    from classroom import sources, toyland

    made: dict[ModuleType, dict[str, Callable[[], Any]]] = {
        sources: {"models": sources.seeded_models, "datasets": sources.seeded_datasets},
        toyland: {"datasets": toyland.datasets},
    }
    for package, functions in made.items():
        version = _version_of(package)
        for kind, seeded in functions.items():
            for repo_id, write in seeded():
                yield _Source(Place(kind, repo_id), write=write, version=version)


def _seed_one(store: Store, source: _Source) -> SeededRepo:
    place = source.place
    state = _State(store, place)
    if source.write is not None and store.exists(place) and state.built_by == source.version:
        return SeededRepo(place.kind, place.repo_id, store.open(place).head())
    folder = source.folder
    if source.write is not None:
        folder = store.root / "seed" / "building" / place.repo_id
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        source.write(folder)
    assert folder is not None
    try:
        return _seed_folder(store, place, folder, state, source.version)
    finally:
        if source.write is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _seed_folder(store: Store, place: Place, folder: Path, state: _State, version: str | None) -> SeededRepo:
    files = dict(_files_in(folder))
    stamps = {path: _stamp(file) for path, file in files.items()}
    if store.exists(place) and stamps == state.stamps and version is None:
        return SeededRepo(place.kind, place.repo_id, store.open(place).head())
    settings = _settings(folder)
    if not store.exists(place):
        store.create(place, Facts(created=SEED_DATE, private=settings["private"], gated=settings["gated"]))
        state.forget()
    with store.writing(place):
        repository = store.open(place)
        head = repository.head()
        seeded = _seeded_contents(store, files, stamps, state)
        changes = _difference(state.seeded, seeded, repository, files, head)
        message = _FIRST_MESSAGE if head is None else _NEXT_MESSAGE
        new = commit(repository, f"refs/heads/{MAIN}", head, changes, _AUTHOR, message)
        if head is None:
            for tag in settings["tags"]:
                repository.create_tag(tag, new, None, _AUTHOR)
        state.save(stamps, seeded, version)
    return SeededRepo(place.kind, place.repo_id, new, changed=new != head)


def _files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        relative = file.relative_to(folder)
        if file.is_file() and not _NOT_SERVED.intersection(relative.parts):
            yield check_path(relative.as_posix()), file


def _stamp(file: Path) -> list[int]:
    found = file.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{file} is no ordinary file.")
    return [found.st_size, found.st_mtime_ns]


def _settings(folder: Path) -> dict[str, Any]:
    file = folder / _SETTINGS
    found = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else None
    settings: dict[str, Any] = {"private": False, "gated": False, "tags": []} | (found or {})
    unknown = settings.keys() - {"private", "gated", "tags"}
    if unknown or settings["gated"] not in (False, "auto", "manual"):
        raise ValueError(f"{file}: it may set private (true, false), gated (auto, manual) and tags (a list).")
    return settings


def _seeded_contents(
    store: Store, files: dict[str, Path], stamps: dict[str, list[int]], state: _State
) -> dict[str, str]:
    """Path -> sha256 of the content; reads only files whose size or time changed since the last call."""
    return {
        path: state.seeded[path]
        if path in state.seeded and state.stamps.get(path) == stamps[path]
        else sha256_of(file)
        for path, file in files.items()
    }


def _difference(
    old: dict[str, str], new: dict[str, str], repository: Repository, files: dict[str, Path], head: str | None
) -> Changes:
    """What changed in the seed folder since it was seeded last, as changes to the repository."""
    there = repository.files_of(head) if head else {}
    attributes = files[".gitattributes"].read_bytes() if ".gitattributes" in files else default_attributes()
    changes = Changes()
    if head is None and ".gitattributes" not in files:
        changes.small[".gitattributes"] = attributes
    for path, sha256 in new.items():
        if old.get(path) == sha256:
            continue
        size = files[path].stat().st_size
        if is_large(path, size, attributes):
            changes.large[path] = repository.claim(repository.objects.add_file(files[path], sha256))
        else:
            changes.small[path] = files[path].read_bytes()
    changes.deleted_files = [path for path in old if path not in new and path in there]
    return changes


def _version_of(package: ModuleType) -> str:
    """What tells whether the code of a package, and perhaps what it writes, has changed."""
    digest = hashlib.sha256()
    for file in sorted(Path(package.__path__[0]).rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


class _State:
    """What was seeded last into one repository, kept in a file of the store."""

    def __init__(self, store: Store, place: Place) -> None:
        self._file = store.root / "seed" / f"{place.kind}--{place.repo_id.replace('/', '--')}.json"
        known: dict[str, Any] = {}
        if self._file.is_file():
            known = json.loads(self._file.read_text(encoding="utf-8"))
        self.stamps: dict[str, list[int]] = known.get("stamps", {})
        self.seeded: dict[str, str] = known.get("seeded", {})
        self.built_by: str | None = known.get("built_by")

    def forget(self) -> None:
        """The repository is new: nothing was seeded into it."""
        self.stamps, self.seeded, self.built_by = {}, {}, None

    def save(self, stamps: dict[str, list[int]], seeded: dict[str, str], built_by: str | None) -> None:
        """Remember what was seeded now."""
        write_text(
            self._file, json.dumps({"stamps": stamps, "seeded": seeded, "built_by": built_by}, indent=1)
        )
