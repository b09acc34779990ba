"""The names that the hub accepts: repository ids, paths inside a repository, revisions.

Everything that comes from a client and will be part of a file name or a git name passes through here once.
"""

from __future__ import annotations

import re

from dulwich.refs import check_ref_format

from classroom.hub.errors import bad_request

KINDS = ("models", "datasets", "spaces")
"""The three kinds of repositories, spelled as in the hub's addresses and in the store's folders."""

_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,94}[A-Za-z0-9_])?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PULL_REQUEST = re.compile(r"refs/pr/[1-9][0-9]{0,8}")
_LONGEST_PATH = 1024
_LONGEST_SEGMENT = 255
_LONGEST_REF = 200


def kind_of_type(repo_type: object) -> str:
    """Kind for a client's repository type: None or 'model' -> 'models', 'dataset' -> 'datasets', ..."""
    kind = "models" if repo_type is None else f"{repo_type}s"
    if kind not in KINDS:
        raise bad_request(f"Unknown repository type {repo_type!r}; choose model, dataset or space.")
    return kind


def check_repo_id(repo_id: str) -> str:
    """Return `repo_id` when it is `organization/name` in the hub's alphabet; raise a 400 otherwise."""
    parts = repo_id.split("/")
    good = len(parts) == 2 and all(_PART.fullmatch(part) for part in parts)
    if (
        not good
        or ".." in repo_id
        or "--" in repo_id
        or repo_id.lower().endswith((".git", ".ipynb", ".moved"))
    ):
        raise bad_request(
            f"{repo_id!r} is no repository id: it must be 'namespace/name', each of letters, digits, '-', "
            "'_' and '.', at most 96 characters, not beginning or ending with '-' or '.', and "
            "without '--' or '..'."
        )
    return repo_id


def check_path(path: str) -> str:
    """Return `path` when it names a file or folder inside a repository; raise a 400 otherwise.

    Refused are absolute paths, empty, `.` and `..` segments, anything called `.git`, backslashes, drive
    letters, control characters, and names longer than file systems take.
    """
    problem = _problem_of_path(path)
    if problem is not None:
        raise bad_request(f"Path {path[:200]!r} {problem}. Use a relative path with '/' between its folders.")
    return path


def _problem_of_path(path: str) -> str | None:
    if not path:
        return "is empty"
    if len(path.encode("utf-8", "surrogatepass")) > _LONGEST_PATH:
        return f"is longer than {_LONGEST_PATH} bytes"
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return "is absolute"
    if "\\" in path or any(ord(character) < 32 or ord(character) == 127 for character in path):
        return "holds a backslash or a control character"
    if any(0xD800 <= ord(character) <= 0xDFFF for character in path):
        return "is not valid UTF-8"
    for segment in path.split("/"):
        if segment in ("", ".", ".."):
            return "leaves the repository or holds an empty segment"
        # Windows and macOS read these as '.git' too.
        if segment.lower().rstrip(". ") in (".git", "git~1"):
            return "names git's own folder"
        if len(segment.encode("utf-8")) > _LONGEST_SEGMENT:
            return f"holds a name longer than {_LONGEST_SEGMENT} bytes"
    return None


def check_ref_name(name: str) -> str:
    """Return `name` when it may name a new branch or tag; raise a 400 otherwise."""
    reserved = name.startswith(("refs/", "-")) or is_commit(name) or name == "HEAD"
    if reserved or not is_ref_name(name):
        raise bad_request(f"Invalid reference name {name[:200]!r} for a branch or tag.")
    return name


def is_ref_name(name: str) -> bool:
    """Whether git would take `name` for a branch or tag."""
    spelled = b"refs/heads/" + name.encode("utf-8", "replace")
    return len(name) <= _LONGEST_REF and name.isprintable() and check_ref_format(spelled)  # type: ignore[arg-type]


def is_commit(revision: str) -> bool:
    """Whether `revision` is written as a full commit hash."""
    return _COMMIT.fullmatch(revision) is not None


def is_sha256(oid: object) -> bool:
    """Whether `oid` is a sha256 in lower-case hexadecimal, the only name that a stored object can have."""
    return isinstance(oid, str) and _SHA256.fullmatch(oid) is not None


def is_pull_request(revision: str) -> bool:
    """Whether `revision` is written as `refs/pr/N`."""
    return _PULL_REQUEST.fullmatch(revision) is not None
