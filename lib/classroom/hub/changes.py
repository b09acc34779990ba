"""Commits from lists of changes: what a client's upload, a merge or a seed folder does to a branch."""

from __future__ import annotations

from dataclasses import dataclass, field

from classroom.hub.errors import bad_request, conflict, entry_not_found, outdated
from classroom.hub.names import check_path, is_pull_request
from classroom.hub.objects import Pointer
from classroom.hub.repository import Author, Repository


@dataclass
class Changes:
    """What one commit does.

    Attributes:
        small: content of small files, by path.
        large: pointers of large files, by path; their objects are in the store already.
        deleted_files: paths to remove.
        deleted_folders: paths of folders to remove with everything in them.
    """

    small: dict[str, bytes] = field(default_factory=dict)
    large: dict[str, Pointer] = field(default_factory=dict)
    deleted_files: list[str] = field(default_factory=list)
    deleted_folders: list[str] = field(default_factory=list)

    def apply(self, repository: Repository, files: dict[str, tuple[str, int]]) -> dict[str, tuple[str, int]]:
        """The files after the changes, path -> (git's hash, mode); writes the new blobs.

        Raises:
            HubError: 404 for a deleted path that does not exist, 400 for a bad path or a missing large file.
        """
        after = dict(files)
        for path in self.deleted_files:
            if after.pop(check_path(path), None) is None:
                raise entry_not_found(path)
        for folder in self.deleted_folders:
            inside = [path for path in after if path.startswith(check_path(folder.rstrip("/")) + "/")]
            if not inside:
                raise entry_not_found(folder)
            for path in inside:
                del after[path]
        for path, content in self.small.items():
            after[check_path(path)] = (repository.add_blob(content), 0o100644)
        for path, pointer in self.large.items():
            if not repository.holds(pointer):
                raise bad_request(f"The content of {path!r} (sha256 {pointer.sha256}) was not uploaded.")
            after[check_path(path)] = (repository.add_blob(pointer.to_bytes()), 0o100644)
        return after


def ref_of_branch(repository: Repository, revision: str) -> tuple[str, str | None]:
    """Reference that a commit to `revision` moves, and where it is now (None before the first commit).

    Raises:
        HubError: 404 when there is no such branch or pull request; 400 for a tag or a commit.
    """
    if is_pull_request(revision):
        return revision, repository.resolve(revision)
    branch = revision.removeprefix("refs/heads/")
    heads = repository.refs("refs/heads/")
    if branch in heads:
        return f"refs/heads/{branch}", heads[branch]
    if not heads and branch == "main":
        return "refs/heads/main", None
    repository.resolve(revision)
    raise bad_request(f"{revision!r} is no branch; commit to a branch or to a pull request (refs/pr/N).")


def commit(
    repository: Repository,
    ref: str,
    head: str | None,
    changes: Changes,
    author: Author,
    message: str,
    *,
    expected_head: str | None = None,
    is_new: bool = False,
) -> str:
    """Commit changes on top of `head` and move `ref` to the result; returns the new commit's hash.

    Changes that change nothing make no commit: the hash is then `head`. Call it under the repository's lock.

    Args:
        repository: where.
        ref: full name of the reference, such as `refs/heads/main`.
        head: where it is now; None for a first commit.
        changes: what to do.
        author: by whom.
        message: first line, blank line, description.
        expected_head: the commit that the author has seen; anything but an earlier part of `head`'s hash is a
            conflict.
        is_new: `ref` does not exist yet and begins at `head` (a new pull request).

    Raises:
        HubError: 412 when `head` is not the expected one, 400 for bad paths, 404 for missing files.
    """
    if expected_head is not None and (head is None or not head.startswith(expected_head)):
        raise outdated(f"A commit has happened since. Please refresh and try again: {ref} is at {head}.")
    before = repository.files_of(head) if head else {}
    after = changes.apply(repository, before)
    if after == before and head is not None:
        new = head
    else:
        new = repository.write_commit(after, [head] if head else [], author, message)
    if is_new or new != head:
        repository.set_ref(ref, new, None if is_new else head)
    return new


def merge(repository: Repository, ref: str, head: str, other: str, author: Author, message: str) -> str:
    """Merge commit `other` into `ref`, which is at `head`; returns the merge commit's hash.

    Raises:
        HubError: 409 naming the files that both sides changed differently.
    """
    conflicts = conflicting_files(repository, head, other)
    if conflicts:
        raise conflict(f"This pull request has merge conflicts in: {', '.join(conflicts)}.")
    base = repository.merge_base(head, other)
    old = repository.files_of(base) if base else {}
    ours, theirs = repository.files_of(head), repository.files_of(other)
    merged = dict(ours)
    for path in old.keys() | theirs.keys():
        if theirs.get(path) != old.get(path):
            if path in theirs:
                merged[path] = theirs[path]
            else:
                merged.pop(path, None)
    new = repository.write_commit(merged, [head, other], author, message)
    repository.set_ref(ref, new, head)
    return new


def conflicting_files(repository: Repository, head: str, other: str) -> list[str]:
    """Paths that `head` and `other` changed differently since they parted."""
    base = repository.merge_base(head, other)
    old = repository.files_of(base) if base else {}
    ours, theirs = repository.files_of(head), repository.files_of(other)
    paths = old.keys() | ours.keys() | theirs.keys()
    return sorted(
        path
        for path in paths
        if ours.get(path) != theirs.get(path)
        and ours.get(path) != old.get(path)
        and theirs.get(path) != old.get(path)
    )
