"""Exercises of notebook 17: sharing models."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

from classroom.exercises import Wrong, exercise

_STATUSES = {
    "learner's read token creates learner/x": (403, "the hub knows who asks, but a read token may not write"),
    "learner's write token creates instructor/x": (403, "the namespace belongs to somebody else"),
    "no token reads a private repository of learner": (
        401,
        "the hub does not know who asks, and says so before it says anything about the repository",
    ),
    "instructor reads a private repository of learner": (
        404,
        "403 would give away that a repository of this name exists",
    ),
    "learner's read token reads a private repository of learner": (
        200,
        "reading is what a read token is for",
    ),
    "instructor downloads from a gated repository without having asked": (
        403,
        "everybody may know that it exists, so there is nothing to hide",
    ),
}


@exercise(
    "17.1",
    "With which status does the hub answer?",
    hints=[
        "Two questions: does the hub know who asks? And may it admit that the repository exists?",
        "401: I do not know you. 403: I know you, and you may not. 404: for you, it does not exist.",
        "Section 1 has the first two, section 9 has the others.",
    ],
    unfinished=(None, ..., dict.fromkeys(_STATUSES, ...)),
)
def statuses(answer: dict[str, int]) -> str:
    """A dictionary with the six situations as keys and a status each."""
    if not isinstance(answer, dict) or answer.keys() != _STATUSES.keys():
        raise Wrong("Keep the six lines of the dictionary as they are, and replace the points.")
    left = [situation for situation, status in answer.items() if status is ...]
    if left:
        raise Wrong(f"{len(left)} of 6 are still open, the first of them: {left[0]}.")
    for situation, (status, reason) in _STATUSES.items():
        if answer[situation] != status:
            raise Wrong(f"{situation}: not {answer[situation]!r}. Think of this: {reason}.")
    return "Who are you, may you know, may you do it: the status tells at which question the hub stopped."


@exercise(
    "17.2",
    "Which files are not the same in two revisions?",
    hints=[
        "api.list_repo_tree(repo_id, revision=..., recursive=True) gives a file's `path` and `blob_id`.",
        "`blob_id` is the hash of the content (of the pointer, for a large file). Folders have no `blob_id`.",
        "Make a set of pairs (path, blob_id) for each revision; `a ^ b` are the pairs in only one of them.",
    ],
)
def changed(answer: Callable[[str, str, str], set[str]]) -> str:
    """A function that is tried on a small repository made for the purpose, with two tags."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    expected = {"config.json", "weights.safetensors", "new/notes.txt", "gone.txt"}
    with _two_versions() as repo_id:
        found, downloads = _watched(lambda: set(answer(repo_id, "v1", "v2")))
    if downloads:
        raise Wrong(f"It downloaded {downloads[0]}. The list of files has a hash for each: compare those.")
    if unchanged := sorted(found - expected):
        raise Wrong(f"Tried on a small repository: {unchanged[0]!r} is the same in both.")
    if missed := sorted(expected - found):
        reasons = {
            "weights.safetensors": "another content of the same size",
            "config.json": "another content",
            "new/notes.txt": "new, and in a folder",
            "gone.txt": "deleted",
        }
        raise Wrong(f"Tried on a small repository: {missed[0]!r} is missing. It is {reasons[missed[0]]}.")
    return "Two lists of names and hashes, no bytes of content: that is how a second push knows what is new."


@exercise(
    "17.3",
    "Publish a model with a card and a tag.",
    hints=[
        "The parts are all in sections 3, 6 and 7: two push_to_hub, a ModelCard, create_tag.",
        "The metadata is ModelCardData(license=..., pipeline_tag=..., tags=['toyland'], model_name=..., "
        "eval_results=[...]).",
        "Push model, tokenizer and card first and call api.create_tag(repository, tag='v1.0') last, so that "
        "the tag has all of it. A tag that came too early: api.delete_tag(repository, tag='v1.0').",
    ],
)
def published(answer: str) -> str:
    """The id of a repository on the hub; what is on it at the tag v1.0 is looked at."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    if not isinstance(answer, str):
        raise Wrong("Give the id of the repository, a string such as 'learner/my-first-model'.")
    api = HfApi()
    try:
        api.model_info(answer)
        info = api.model_info(answer, revision="v1.0")
    except HFValidationError as error:
        raise Wrong(f"That cannot be the id of a repository: {error}") from error
    except RevisionNotFoundError as error:
        raise Wrong(f"{answer} is there, but it has no tag v1.0.") from error
    except RepositoryNotFoundError as error:
        raise Wrong(
            f"The hub has no repository {answer}. The id has the owner in front: learner/…"
        ) from error
    if "v1.0" not in {ref.name for ref in api.list_repo_refs(answer).tags}:
        raise Wrong("v1.0 is a branch there, which moves with every commit. Make it a tag.")
    files = {sibling.rfilename for sibling in info.siblings or []}
    for needed in ("config.json", "model.safetensors", "tokenizer_config.json", "README.md"):
        if needed not in files:
            raise Wrong(f"At the tag v1.0 there is no {needed}. (Was the tag made before the push?)")
    _judge_card(info)
    return "Found by its tag, loaded without naming the task, pinned by v1.0: this one is ready for others."


def _judge_card(info: Any) -> None:
    """Raise Wrong for the first of licence, task, tag and accuracy that the card's metadata lacks."""
    data = info.card_data.to_dict() if info.card_data else {}
    if not data.get("license"):
        raise Wrong("The card states no licence: without one, nobody may use the model.")
    if data.get("pipeline_tag") != "text-classification":
        raise Wrong(
            f"The card's pipeline_tag is {data.get('pipeline_tag')!r}; the task is text-classification."
        )
    if "toyland" not in (data.get("tags") or []):
        raise Wrong("The card has no tag `toyland`, so a search for it does not find the model.")
    results = (info.card_data.eval_results if info.card_data else None) or []
    if not any(result.metric_type == "accuracy" for result in results):
        raise Wrong(
            "The card reports no accuracy: eval_results=[EvalResult(..., metric_type='accuracy', ...)]."
        )


@contextlib.contextmanager
def _two_versions() -> Iterator[str]:
    """Make a repository with the tags v1 and v2; it is deleted afterwards."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    def put(path: str, content: bytes) -> CommitOperationAdd:
        return CommitOperationAdd(path, content)

    api = HfApi()
    repo_id = api.create_repo(f"{api.whoami()['name']}/exercise-{uuid4().hex[:8]}").repo_id
    versions: dict[str, list[Any]] = {
        "v1": [
            *(put("vocab.txt", b"a\nb\n"), put("same.safetensors", b"\0" * 64), put("gone.txt", b"-")),
            *(put("config.json", b"{}"), put("weights.safetensors", b"1" * 64)),
        ],
        "v2": [
            *(CommitOperationDelete("gone.txt"), put("new/notes.txt", b"+")),
            *(put("config.json", b"[]"), put("weights.safetensors", b"2" * 64)),
        ],
    }
    try:
        for tag, changes in versions.items():
            api.create_commit(repo_id, changes, commit_message=tag)
            api.create_tag(repo_id, tag=tag)
        yield repo_id
    finally:
        api.delete_repo(repo_id)


def _watched(call: Callable[[], Any]) -> tuple[Any, list[str]]:
    """Return the result of `call` and the files that it downloaded (as far as this process' hub knows)."""
    from classroom.session import current

    session = current()
    if session is None:
        return call(), []
    with session.watch() as seen:
        found = call()
    paths = [request.path for request in seen if "/resolve/" in request.path or "/raw/" in request.path]
    return found, [path.rpartition("/")[2] for path in paths]
