"""One repository: a bare git repository by dulwich, its large files in the store's object folder.

Reading needs no lock: objects never change, and a branch is one small file that is replaced by rename.
Writing happens under the repository's lock (`Store.writing`): objects first, then the branch.
"""

from __future__ import annotations

import threading
import time
import uuid
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

from dulwich.index import commit_tree
from dulwich.objects import Blob, Commit, ShaFile, Tag, Tree
from dulwich.repo import Repo

from classroom.hub.errors import conflict, entry_not_found, revision_not_found
from classroom.hub.names import check_path, check_ref_name, is_commit, is_pull_request, is_ref_name
from classroom.hub.objects import LARGEST_POINTER, ObjectFolder, Pointer

Value = TypeVar("Value")

MAIN = "main"
_FILE_MODE = 0o100644


@dataclass(frozen=True)
class Entry:
    """A file of one revision.

    Attributes:
        path: path inside the repository.
        oid: git's hash of the blob (of the pointer, for a large file).
        size: bytes of the content.
        large: the pointer when the content lies in the object folder, else None.
        mode: git's file mode.
    """

    path: str
    oid: str
    size: int
    large: Pointer | None
    mode: int = _FILE_MODE

    @property
    def etag(self) -> str:
        """What changes exactly when the content changes: a large file's sha256, git's hash of a small one."""
        return self.large.sha256 if self.large else self.oid


@dataclass(frozen=True)
class Manifest:
    """Everything in one tree: files and folders (path -> git's hash of the folder's tree), both by path."""

    files: dict[str, Entry]
    folders: dict[str, str]


@dataclass(frozen=True)
class Author:
    """Who made a commit, and when (seconds since 1970, UTC; None: now)."""

    name: str
    email: str
    when: int | None = None

    def line(self) -> bytes:
        """Spelled as git spells it."""
        return f"{self.name} <{self.email}>".encode()


@dataclass(frozen=True)
class Revision:
    """One commit, read."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: str
    when: int
    message: str

    @property
    def title(self) -> str:
        """First line of the message."""
        return self.message.split("\n", 1)[0]

    @property
    def body(self) -> str:
        """What follows the first line."""
        return self.message.partition("\n")[2].strip()


class _Recent(Generic[Value]):
    """The most recently used values by git's hash; a hash is the content, so none is ever out of date."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Value] = OrderedDict()

    def get(self, oid: str, read: Callable[[str], Value]) -> Value:
        """The value for `oid`, by `read(oid)` when it is not there."""
        with self._lock:
            if oid in self._kept:
                self._kept.move_to_end(oid)
                return self._kept[oid]
        value = read(oid)
        with self._lock:
            self._kept[oid] = value
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value


_manifests: _Recent[Manifest] = _Recent(256)
_revisions: _Recent[Revision] = _Recent(4096)
_commits: _Recent[str] = _Recent(4096)


class Repository:
    """A bare git repository on disk.

    Args:
        path: its `.git` folder.
        objects: where its large files lie.
    """

    def __init__(self, path: Path, objects: ObjectFolder) -> None:
        self.path = path
        self.objects = objects
        self.git = Repo(str(path), bare=True)

    @staticmethod
    def initialise(path: Path) -> None:
        """Create an empty bare repository whose default branch is `main`."""
        Repo.init_bare(str(path), mkdir=True, default_branch=MAIN.encode()).close()

    # -- large files --------------------------------------------------------------------------------------

    def claim(self, pointer: Pointer) -> Pointer:
        """Note that the content of a large file was brought here; returns the pointer."""
        mark = self.path / "large" / pointer.sha256
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
        return pointer

    def holds(self, pointer: Pointer) -> bool:
        """Whether the content is here.

        Knowing a hash is not having the content: what another repository holds, perhaps a private or gated
        one, does not count.
        """
        return self.objects.has(pointer) and (self.path / "large" / pointer.sha256).is_file()

    # -- revisions -----------------------------------------------------------------------------------------

    def resolve(self, revision: str = MAIN) -> str:
        """Commit hash of a branch, tag, pull request (`refs/pr/N`) or commit.

        Raises:
            HubError: 404 RevisionNotFound.
        """
        if is_commit(revision):
            if self._is_commit_here(revision):
                return revision
            raise revision_not_found(revision)
        if not is_ref_name(revision):
            raise revision_not_found(revision)
        if is_pull_request(revision) or revision.startswith(("refs/heads/", "refs/tags/")):
            candidates = [revision]
        else:
            candidates = [f"refs/heads/{revision}", f"refs/tags/{revision}"]
        for candidate in candidates:
            found = self._read_ref(candidate)
            if found is not None:
                return found
        if 7 <= len(revision) < 40 and all(character in "0123456789abcdef" for character in revision):
            matches = {oid.decode() for oid in self.git.object_store.iter_prefix(revision.encode())}
            commits = [oid for oid in matches if self._is_commit_here(oid)]
            if len(commits) == 1:
                return commits[0]
        raise revision_not_found(revision)

    def _is_commit_here(self, sha: str) -> bool:
        try:
            return isinstance(self.git.object_store[sha.encode()], Commit)  # type: ignore[index]
        except KeyError:
            return False

    def _read_ref(self, name: str) -> str | None:
        try:
            sha = self.git.refs[name.encode()]  # type: ignore[index]
        except (KeyError, ValueError, OSError):
            return None
        return _commits.get(sha.decode(), self._peel)

    def _peel(self, oid: str) -> str:
        """The commit that a reference means: itself, or what an annotated tag stands on."""
        item = self.git.object_store[oid.encode()]  # type: ignore[index]
        while isinstance(item, Tag):
            item = self.git.object_store[item.object[1]]
        return item.id.decode()

    def refs(self, prefix: str) -> dict[str, str]:
        """Commit hashes of all references below `prefix` (say, 'refs/heads/'), by the rest of their name."""
        names = sorted(ref.decode() for ref in self.git.refs.allkeys() if ref.startswith(prefix.encode()))
        found = ((name, self._read_ref(name)) for name in names)
        return {name[len(prefix) :]: sha for name, sha in found if sha is not None}

    def head(self) -> str | None:
        """Commit of `main`, None in a repository without commits."""
        return self._read_ref(f"refs/heads/{MAIN}")

    def revision(self, sha: str) -> Revision:
        """Read one commit of this repository."""
        return _revisions.get(sha, self._read_revision)

    def _read_revision(self, sha: str) -> Revision:
        commit = self.git.object_store[sha.encode()]  # type: ignore[index]
        assert isinstance(commit, Commit)
        return Revision(
            sha=sha,
            tree=commit.tree.decode(),
            parents=tuple(parent.decode() for parent in commit.parents),
            author=commit.author.decode("utf-8", "replace").split(" <")[0],
            when=commit.commit_time,
            message=commit.message.decode("utf-8", "replace").rstrip("\n"),
        )

    def history(self, sha: str) -> Iterator[Revision]:
        """All commits reachable from `sha`, newest first."""
        for entry in self.git.get_walker(include=[sha.encode()]):  # type: ignore[list-item]
            yield self.revision(entry.commit.id.decode())

    # -- content -------------------------------------------------------------------------------------------

    def manifest(self, sha: str) -> Manifest:
        """Files and folders of a commit."""
        return _manifests.get(self.revision(sha).tree, self._read_tree)

    def _read_tree(self, root: str) -> Manifest:
        files: dict[str, Entry] = {}
        folders: dict[str, str] = {}

        def read(tree_oid: str, prefix: str) -> None:
            tree = self.git.object_store[tree_oid.encode()]  # type: ignore[index]
            assert isinstance(tree, Tree)
            for name, mode, oid in tree.iteritems():
                path = prefix + name.decode("utf-8", "replace")
                if mode & 0o170000 == 0o040000:
                    folders[path] = oid.decode()
                    read(oid.decode(), path + "/")
                else:
                    files[path] = self._entry(path, oid.decode(), mode)

        read(root, "")
        return Manifest(files, folders)

    def _entry(self, path: str, oid: str, mode: int) -> Entry:
        size, beginning = self._peek(oid)
        pointer = Pointer.parse(beginning) if size <= LARGEST_POINTER else None
        return Entry(path, oid, pointer.size if pointer else size, pointer, mode)

    def _peek(self, oid: str) -> tuple[int, bytes]:
        """Size of a blob and its content if it is small enough for a pointer, without unpacking the rest."""
        try:
            with (self.path / "objects" / oid[:2] / oid[2:]).open("rb") as file:
                unpacked = zlib.decompressobj().decompress(file.read(1024), LARGEST_POINTER + 40)
        except FileNotFoundError:  # in a pack, where git's own housekeeping may have put it
            content = self._blob(oid)
            return len(content), content[: LARGEST_POINTER + 1]
        header, _, beginning = unpacked.partition(b"\0")
        return int(header.split(b" ")[1]), beginning

    def _blob(self, oid: str) -> bytes:
        item = self.git.object_store[oid.encode()]  # type: ignore[index]
        assert isinstance(item, Blob)
        return item.data

    def entry(self, sha: str, path: str) -> Entry:
        """One file of a commit.

        Raises:
            HubError: 404 EntryNotFound.
        """
        found = self.manifest(sha).files.get(check_path(path))
        if found is None:
            raise entry_not_found(path)
        return found

    def read(self, entry: Entry) -> bytes:
        """The content of a small file (for a large one, of its pointer)."""
        return self._blob(entry.oid)

    def content(self, entry: Entry) -> bytes:
        """The content of any file, in memory."""
        return self.objects.path(entry.large.sha256).read_bytes() if entry.large else self.read(entry)

    def last_changes(self, sha: str, paths: set[str]) -> dict[str, Revision]:
        """For each file or folder of `paths`, the newest commit on the first-parent line that changed it."""
        found: dict[str, Revision] = {}
        current = self.revision(sha)
        while len(found) < len(paths):
            here = self._oids(current.sha)
            earlier = self._oids(current.parents[0]) if current.parents else {}
            for path in paths - found.keys():
                if here.get(path) != earlier.get(path):
                    found[path] = current
            if not current.parents:
                break
            current = self.revision(current.parents[0])
        return found

    def _oids(self, sha: str) -> dict[str, str]:
        manifest = self.manifest(sha)
        return {path: entry.oid for path, entry in manifest.files.items()} | manifest.folders

    # -- writing (under the store's lock of this repository) ------------------------------------------------

    def add_blob(self, content: bytes) -> str:
        """Write a small file's content; returns git's hash of it."""
        blob = Blob.from_string(content)
        self.add_object(blob)
        return blob.id.decode()

    def add_object(self, item: ShaFile) -> None:
        """Write one git object, complete by rename.

        dulwich's own way leaves a lock file when the process is killed, and then refuses that object.
        """
        if item.id in self.git.object_store:
            return
        name = item.id.decode()
        self._write(self.path / "objects" / name[:2] / name[2:], item.as_legacy_object())

    def _write(self, target: Path, content: bytes) -> None:
        beside = self.path / f"{uuid.uuid4().hex}.new"
        try:
            beside.write_bytes(content)
            target.parent.mkdir(parents=True, exist_ok=True)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)

    def write_commit(
        self, files: dict[str, tuple[str, int]], parents: list[str], author: Author, message: str
    ) -> str:
        """Write trees and a commit for `files` (path -> git's hash, mode); no reference moves.

        Raises:
            HubError: 409 when one path is both a file and a folder.
        """
        for path in files:
            check_path(path)
            folder = path
            while "/" in folder:
                folder = folder.rpartition("/")[0]
                if folder in files:
                    raise conflict(f"{folder!r} is a file, so {path!r} cannot be stored below it.")
        blobs = [(path.encode(), oid.encode(), mode) for path, (oid, mode) in files.items()]
        commit = Commit()
        commit.tree = commit_tree(self, blobs)  # type: ignore[arg-type]
        commit.parents = [parent.encode() for parent in parents]  # type: ignore[misc]
        commit.author = commit.committer = author.line()
        commit.author_time = commit.commit_time = int(time.time()) if author.when is None else author.when
        commit.author_timezone = commit.commit_timezone = 0
        commit.encoding = b"UTF-8"
        commit.message = message.encode("utf-8", "replace")
        self.add_object(commit)
        return commit.id.decode()

    def files_of(self, sha: str) -> dict[str, tuple[str, int]]:
        """Path -> (git's hash, mode) of a commit, as `write_commit` takes it."""
        return {path: (entry.oid, entry.mode) for path, entry in self.manifest(sha).files.items()}

    def set_ref(self, name: str, sha: str, expected: str | None) -> None:
        """Point a reference at a commit if it still is at `expected` (None: if it does not exist).

        Raises:
            HubError: 409 when somebody was faster.
        """
        if self._read_ref(name) != expected:
            raise conflict(f"{name} has changed meanwhile; fetch the newest revision and try again.")
        target = self.path / name
        try:
            if target.is_dir():
                target.rmdir()  # left over from branches below it that were deleted
            self._write(target, f"{sha}\n".encode())
        except OSError as error:
            raise conflict(
                f"{name} cannot exist beside another reference whose name it begins or continues."
            ) from error

    def create_branch(self, branch: str, sha: str) -> None:
        """Create a branch at a commit; 409 when it exists."""
        name = f"refs/heads/{check_ref_name(branch)}"
        if self._read_ref(name) is not None:
            raise conflict(f"Reference already exists: branch {branch!r}.")
        self.set_ref(name, sha, None)

    def create_tag(self, tag: str, sha: str, message: str | None, author: Author) -> None:
        """Create a tag at a commit, annotated when there is a message; 409 when it exists."""
        name = f"refs/tags/{check_ref_name(tag)}"
        if self._read_ref(name) is not None:
            raise conflict(f"Reference already exists: tag {tag!r}.")
        target = sha
        if message:
            annotated = Tag()
            annotated.name = tag.encode()
            annotated.object = (Commit, sha.encode())  # type: ignore[assignment]
            annotated.message = message.encode()
            annotated.tagger = author.line()
            annotated.tag_time = int(time.time()) if author.when is None else author.when
            annotated.tag_timezone = 0
            self.add_object(annotated)
            target = annotated.id.decode()
        self.set_ref(name, target, None)

    def delete_ref(self, name: str) -> None:
        """Delete a reference; 404 when there is none."""
        if self._read_ref(name) is None:
            raise revision_not_found(name.partition("/")[2].partition("/")[2])
        (self.path / name).unlink(missing_ok=True)
        if self._read_ref(name) is not None:  # git's housekeeping has put it into packed-refs
            self.git.refs.remove_if_equals(name.encode(), None)  # type: ignore[arg-type]

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest commit that both descend from."""
        from dulwich.graph import find_merge_base

        found = find_merge_base(self.git, [one.encode(), other.encode()])  # type: ignore[list-item]
        return found[0].decode() if found else None


@lru_cache(maxsize=512)
def open_repository(path: Path, objects: ObjectFolder) -> Repository:
    """The repository at `path`, opened once per process."""
    return Repository(path, objects)
