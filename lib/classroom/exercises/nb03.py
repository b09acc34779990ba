"""Exercises of notebook 03: caching."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from classroom.exercises import Wrong, exercise

CHECKPOINT = "sentence-transformers/all-MiniLM-L6-v2"


@exercise(
    "03.1",
    "At which commit was `main` when it was last asked for?",
    hints=[
        "The cache keeps it in a text file: look again at the tree in section 3.",
        "The file is called `main` and lies in `refs`.",
        'Path has a method for it: (repository / "refs" / "main").read_text()',
    ],
)
def commit_of_main(answer: str) -> str:
    """The 40 digits in refs/main."""
    answer = str(answer).strip()
    if re.fullmatch(r"[0-9a-f]{64}", answer):
        raise Wrong("64 digits are a SHA-256, the hash of a large file's content. A commit has 40.")
    if not re.fullmatch(r"[0-9a-f]{40}", answer):
        raise Wrong(f"A commit is written with 40 hexadecimal digits; this has {len(answer)} characters.")
    if answer != _newest_commit():
        raise Wrong("That is a hash, but not the commit's. Blobs of small files have 40 digits too.")
    return "That line is all that `main` is, here as on the hub: a name that points to a commit."


@exercise(
    "03.2",
    "How many bytes does the folder of one repository take in a cache?",
    hints=[
        "Go through all paths with repository.rglob('*'); which of them take space of their own?",
        "A link is a file for is_file(), and stat() follows it: leave it out with is_symlink().",
        "Sum path.stat().st_size over all paths that are files and not links.",
    ],
)
def size_on_disk(answer: Callable[[Path], int]) -> str:
    """A function that is tried on a small cache made for it: two snapshots that share a file."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    with tempfile.TemporaryDirectory() as folder:
        repository, size = _small_repository(Path(folder))
        found = answer(repository)
        followed = sum(path.stat().st_size for path in repository.rglob("*") if path.is_file())
        if found == followed and found != size:
            raise Wrong(
                f"Tried on a small cache, it says {found} bytes, but the files take {size}: links were "
                "followed, so that a file counts for its blob and again for each link to it."
            )
        if found != size:
            raise Wrong(f"Tried on a small cache whose files take {size} bytes, it says {found!r}.")
    return "Two versions that share their weights cost them once; that is what the links are for."


@exercise(
    "03.3",
    "Which arguments pin the checkpoint and make it load without asking?",
    hints=[
        "One argument is enough.",
        "A branch moves, a tag can be moved. What cannot?",
        'arguments = {"revision": "<all 40 digits of the commit>"}',
    ],
)
def pinning_arguments(answer: dict[str, Any]) -> str:
    """{"revision": commit}, with `local_files_only` allowed beside it."""
    if not isinstance(answer, dict):
        raise Wrong('Give a dictionary of keyword arguments, such as {"cache_dir": "folder"}.')
    revision = answer.get("revision")
    if revision is None and answer.get("local_files_only"):
        raise Wrong("That asks nobody, but it loads whatever `main` was when this cache was filled.")
    if revision is None:
        raise Wrong("Without `revision`, the newest commit of `main` is loaded, next year too.")
    if not re.fullmatch(r"[0-9a-f]{40}", str(revision)):
        raise Wrong(f"{revision!r} is a name or a shortened hash: it must be looked up, and names move.")
    if revision != _newest_commit():
        raise Wrong("That has the form of a commit, but this checkpoint has no such commit.")
    if answer.get("force_download"):
        raise Wrong("The weights would be the same, but they would be downloaded every time.")
    unknown = sorted(answer.keys() - {"revision", "local_files_only", "cache_dir"})
    if unknown:
        raise Wrong(f"The commit is right, but what is {', '.join(unknown)} for?")
    return "A commit is a hash of its content: it cannot change, so nobody need be asked."


def _newest_commit() -> str:
    from huggingface_hub import HfApi

    commit = HfApi().model_info(CHECKPOINT).sha
    assert commit is not None
    return commit


def _small_repository(folder: Path) -> tuple[Path, int]:
    """Make the folder of a repository with two snapshots that share a file; return it and its size."""
    repository = folder / "models--toy--model"
    contents = {"a" * 40: b"shared weights" * 10, "b" * 40: b"{}", "c" * 40: b'{"version": 2}'}
    for name, content in contents.items():
        blob = repository / "blobs" / name
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
    for commit, config in (("1" * 40, "b" * 40), ("2" * 40, "c" * 40)):
        snapshot = repository / "snapshots" / commit
        snapshot.mkdir(parents=True)
        for name, blob_name in (("weights.bin", "a" * 40), ("config.json", config)):
            (snapshot / name).symlink_to(repository / "blobs" / blob_name)
    reference = repository / "refs" / "main"
    reference.parent.mkdir()
    reference.write_text("2" * 40)
    return repository, sum(map(len, contents.values())) + 40
