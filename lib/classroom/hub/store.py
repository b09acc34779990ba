"""The store: all repositories, their large files and what is known about them, in one folder.

```
root/{models,datasets,spaces}/<org>/<name>.git    a bare git repository; hub.json in it holds the facts below
root/{models,datasets,spaces}/<org>/<name>.moved  where a renamed repository went
root/objects/aa/bb/<sha256>                       large files
root/locks/                                       one lock file a repository
```

Several processes may use one store at once. A repository appears, moves and disappears by one rename; a
commit is visible when its branch's file is replaced, after everything it needs was written.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from classroom.atomic import write_text
from classroom.hub.attributes import default_attributes
from classroom.hub.errors import bad_request, conflict, repo_not_found
from classroom.hub.names import KINDS, check_repo_id
from classroom.hub.objects import ObjectFolder
from classroom.hub.repository import MAIN, Author, Repository, open_repository

_FACTS = "hub.json"
_MOST_MOVES = 8
_LOCK_SECONDS = 60
_RUBBISH_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Facts:
    """What is known about a repository beside its content.

    Attributes:
        private: only members of its namespace see it.
        gated: False, or how access to its files is granted: 'auto' or 'manual'.
        granted: users to whom access to a gated repository was granted.
        pending: users who asked for it and wait.
        created: seconds since 1970, UTC.
        sdk: what a space runs on, None for models and data sets.
    """

    private: bool = False
    gated: str | bool = False
    granted: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    created: int = 0
    sdk: str | None = None

    @classmethod
    def from_json(cls, text: str) -> Facts:
        """Read what `to_json` wrote."""
        known: dict[str, Any] = json.loads(text)
        known["granted"] = tuple(known.get("granted", ()))
        known["pending"] = tuple(known.get("pending", ()))
        return cls(**known)

    def to_json(self) -> str:
        """As text for the file beside the repository."""
        return json.dumps(asdict(self), indent=1)


@dataclass(frozen=True)
class Place:
    """A repository's kind ('models', 'datasets', 'spaces') and id ('org/name'), both valid."""

    kind: str
    repo_id: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise bad_request(f"Unknown kind of repository {self.kind!r}; choose one of {', '.join(KINDS)}.")
        check_repo_id(self.repo_id)

    @property
    def namespace(self) -> str:
        """The user or organisation that it belongs to."""
        return self.repo_id.split("/")[0]

    @property
    def type(self) -> str:
        """The kind as clients call it: 'model', 'dataset' or 'space'."""
        return self.kind[:-1]

    @property
    def address(self) -> str:
        """Path of its page on the hub, without a slash in front."""
        return self.repo_id if self.kind == "models" else f"{self.kind}/{self.repo_id}"


class Store:
    """All repositories of a hub, in a folder.

    Args:
        root: the folder; created when it is missing.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).expanduser().absolute()
        self.objects = ObjectFolder(self.root / "objects")
        for name in (*KINDS, "objects", "locks", "temporary"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self._sweep()

    def _sweep(self) -> None:
        """Delete what processes that were killed have left half done, a day later."""
        for folder in (self.root / "temporary", self.objects.incoming):
            for rubbish in folder.glob("*"):
                with contextlib.suppress(OSError):
                    if rubbish.stat().st_mtime < time.time() - _RUBBISH_SECONDS:
                        shutil.rmtree(rubbish) if rubbish.is_dir() else rubbish.unlink()

    # -- finding -------------------------------------------------------------------------------------------

    def exists(self, place: Place) -> bool:
        """Whether the repository is there."""
        return (self._folder(place) / _FACTS).is_file()

    def open(self, place: Place) -> Repository:
        """The repository; 404 when there is none."""
        if not self.exists(place):
            raise repo_not_found(place.repo_id, anonymous=False)
        return open_repository(self._folder(place), self.objects)

    def facts(self, place: Place) -> Facts:
        """What is known about the repository; 404 when there is none."""
        try:
            return Facts.from_json((self._folder(place) / _FACTS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise repo_not_found(place.repo_id, anonymous=False) from None

    def places(self, kind: str) -> Iterator[Place]:
        """All repositories of a kind, by id."""
        for folder in sorted((self.root / kind).glob("*/*.git")):
            if (folder / _FACTS).is_file():
                yield Place(kind, f"{folder.parent.name}/{folder.name.removesuffix('.git')}")

    def moved_to(self, place: Place) -> Place | None:
        """Where a repository that was here has gone; None when it did not move."""
        current = place
        for _ in range(_MOST_MOVES):
            if self.exists(current):
                return None if current == place else current
            try:
                current = Place(place.kind, self._signpost(current).read_text(encoding="utf-8").strip())
            except FileNotFoundError:
                return None
        return None

    # -- changing ------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self, *places: Place) -> Iterator[None]:
        """Hold the locks of some repositories: whatever moves a branch or changes facts happens inside."""
        with contextlib.ExitStack() as held:
            for place in sorted(set(places), key=lambda place: (place.kind, place.repo_id)):
                name = f"{place.kind}--{place.repo_id.replace('/', '--')}.lock"
                held.enter_context(FileLock(self.root / "locks" / name, timeout=_LOCK_SECONDS))
            yield

    def create(
        self,
        place: Place,
        facts: Facts | None = None,
        *,
        author: Author | None = None,
        files: dict[str, bytes] | None = None,
    ) -> Repository:
        """Create a repository with its first commit; 409 when it exists.

        Args:
            place: kind and id.
            facts: visibility and the like; public and ungated by default.
            author: who creates it; None leaves the repository without a commit.
            files: small files of the first commit beside `.gitattributes`.
        """
        facts = facts or Facts()
        if not facts.created:
            facts = replace(facts, created=int(time.time()))
        with self.writing(place):
            if self.exists(place):
                raise conflict(f"You already created this {place.type} repo: {place.repo_id}")
            building = self._temporary()
            Repository.initialise(building)
            if author is not None:
                repository = Repository(building, self.objects)
                contents = {".gitattributes": default_attributes(), **(files or {})}
                blobs = {path: (repository.add_blob(content), 0o100644) for path, content in contents.items()}
                first = repository.write_commit(blobs, [], author, "initial commit")
                repository.set_ref(f"refs/heads/{MAIN}", first, None)
                repository.git.close()
            write_text(building / _FACTS, facts.to_json())
            folder = self._folder(place)
            folder.parent.mkdir(parents=True, exist_ok=True)
            if folder.exists():  # the remains of a creation that was cut short by older versions or by hand
                folder.replace(self._temporary())
            building.replace(folder)
            self._signpost(place).unlink(missing_ok=True)
        return self.open(place)

    def update(self, place: Place, **changes: Any) -> Facts:
        """Change facts of a repository and return all of them."""
        with self.writing(place):
            facts = replace(self.facts(place), **changes)
            write_text(self._folder(place) / _FACTS, facts.to_json())
        return facts

    def delete(self, place: Place) -> None:
        """Delete a repository; its large files stay, others may share them."""
        with self.writing(place):
            if not self.exists(place):
                raise repo_not_found(place.repo_id, anonymous=False)
            rubbish = self._temporary()
            self._folder(place).replace(rubbish)
        shutil.rmtree(rubbish, ignore_errors=True)

    def move(self, place: Place, target: Place) -> None:
        """Give a repository another id; its old address leads to the new one from now on."""
        with self.writing(place, target):
            if not self.exists(place):
                raise repo_not_found(place.repo_id, anonymous=False)
            if self.exists(target):
                raise conflict(f"There is a {target.type} repository {target.repo_id} already.")
            self._folder(target).parent.mkdir(parents=True, exist_ok=True)
            self._folder(place).replace(self._folder(target))
            self._signpost(target).unlink(missing_ok=True)
            write_text(self._signpost(place), target.repo_id)

    def _folder(self, place: Place) -> Path:
        return self.root / place.kind / f"{place.repo_id}.git"

    def _signpost(self, place: Place) -> Path:
        return self.root / place.kind / f"{place.repo_id}.moved"

    def _temporary(self) -> Path:
        return self.root / "temporary" / uuid.uuid4().hex
