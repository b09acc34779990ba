"""Making, changing and deleting repositories, branches and tags."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from classroom.hub import access
from classroom.hub.cards import front_matter
from classroom.hub.errors import HubError, bad_request, forbidden, repo_not_found
from classroom.hub.names import kind_of_type
from classroom.hub.repository import MAIN
from classroom.hub.routes.common import (
    answer,
    caller_of,
    decoded,
    endpoint_of,
    json_body,
    place_of,
    store_of,
    text_of,
)
from classroom.hub.store import Facts, Place

_SQUASHED = "Super-squash branch '{}' using huggingface_hub"


def _named_place(request: Request, body: dict[str, Any]) -> Place:
    """The repository that a body names by `name`, `organization` (None: the caller's own) and `type`."""
    name, organization = text_of(body, "name"), body.get("organization")
    if organization is None and "/" in name:
        organization, _, name = name.partition("/")
    if organization is None:
        organization = access.writer(caller_of(request)).name
    return Place(kind_of_type(body.get("type")), f"{organization}/{name}")


def _is_private(body: dict[str, Any]) -> bool | None:
    """What a body says about visibility: None when nothing."""
    visibility = body.get("visibility")
    if visibility not in (None, "public", "private"):
        raise bad_request(f"Visibility must be 'public' or 'private', not {visibility!r}.")
    if visibility is not None:
        return bool(visibility == "private")
    return bool(body["private"]) if body.get("private") is not None else None


async def create(request: Request) -> Response:
    """`create_repo`."""
    return await run_in_threadpool(_create, request, await json_body(request))


def _create(request: Request, body: dict[str, Any]) -> Response:
    access.writer(caller_of(request))
    place = _named_place(request, body)
    url = f"{endpoint_of(request)}/{place.address}"
    user = access.owner(caller_of(request), place.namespace)
    files: dict[str, bytes] = {}
    sdk = body.get("sdk")
    if place.kind == "spaces":
        sdk = text_of(body, "sdk")
        files["README.md"] = f"---\ntitle: {place.repo_id.split('/')[1]}\nsdk: {sdk}\n---\n".encode()
    facts = Facts(private=bool(_is_private(body)), sdk=sdk)
    try:
        store_of(request).create(place, facts, author=access.author_of(user), files=files)
    except HubError as error:
        error.details = {"url": url}  # with exist_ok the client takes the address from the refusal
        raise
    return answer({"url": url, "name": place.repo_id, "id": place.repo_id})


async def delete(request: Request) -> Response:
    """`delete_repo`."""
    return await run_in_threadpool(_delete, request, await json_body(request))


def _delete(request: Request, body: dict[str, Any]) -> Response:
    access.writer(caller_of(request))
    place = _named_place(request, body)
    access.write(store_of(request), place, caller_of(request))
    store_of(request).delete(place)
    return answer({})


async def move(request: Request) -> Response:
    """`move_repo`: another name or namespace; the old address leads to the new one."""
    return await run_in_threadpool(_move, request, await json_body(request))


def _move(request: Request, body: dict[str, Any]) -> Response:
    caller = caller_of(request)
    access.writer(caller)
    kind = kind_of_type(body.get("type"))
    place, target = Place(kind, text_of(body, "fromRepo")), Place(kind, text_of(body, "toRepo"))
    if not store_of(request).exists(place):
        raise repo_not_found(place.repo_id, anonymous=False)
    access.write(store_of(request), place, caller)
    access.owner(caller, target.namespace)
    store_of(request).move(place, target)
    return answer({"url": f"{endpoint_of(request)}/{target.address}"})


async def settings(request: Request) -> Response:
    """`update_repo_settings`: visibility and gate."""
    return await run_in_threadpool(_settings, request, await json_body(request))


def _settings(request: Request, body: dict[str, Any]) -> Response:
    opened, _ = access.write(store_of(request), place_of(request), caller_of(request))
    changes: dict[str, Any] = {}
    private = _is_private(body)
    if private is not None:
        changes["private"] = private
    if "gated" in body:
        if body["gated"] not in (False, "auto", "manual"):
            raise bad_request(f"gated must be 'auto', 'manual' or false, not {body['gated']!r}.")
        changes["gated"] = body["gated"]
    facts = store_of(request).update(opened.place, **changes)
    return answer({"private": facts.private, "gated": facts.gated})


async def create_branch(request: Request) -> Response:
    """`create_branch`."""
    return await run_in_threadpool(_create_branch, request, await json_body(request))


def _create_branch(request: Request, body: dict[str, Any]) -> Response:
    opened, _ = access.write(store_of(request), place_of(request), caller_of(request))
    branch, start = decoded(request, "branch"), text_of(body, "startingPoint", MAIN)
    with store_of(request).writing(opened.place):
        opened.repository.create_branch(branch, opened.repository.resolve(start))
    return answer({})


def delete_branch(request: Request) -> Response:
    """`delete_branch`; `main` stays."""
    opened, _ = access.write(store_of(request), place_of(request), caller_of(request))
    branch = decoded(request, "branch")
    if branch == MAIN:
        raise forbidden("Cannot delete refs/heads/main: it is the default branch.")
    with store_of(request).writing(opened.place):
        opened.repository.delete_ref(f"refs/heads/{branch}")
    return answer({})


async def create_tag(request: Request) -> Response:
    """`create_tag` at a revision."""
    return await run_in_threadpool(_create_tag, request, await json_body(request))


def _create_tag(request: Request, body: dict[str, Any]) -> Response:
    opened, user = access.write(store_of(request), place_of(request), caller_of(request))
    repository = opened.repository
    message = text_of(body, "message", "")
    with store_of(request).writing(opened.place):
        sha = repository.resolve(decoded(request, "revision"))
        repository.create_tag(text_of(body, "tag"), sha, message, access.author_of(user))
    return answer({})


def delete_tag(request: Request) -> Response:
    """`delete_tag`."""
    opened, _ = access.write(store_of(request), place_of(request), caller_of(request))
    with store_of(request).writing(opened.place):
        opened.repository.delete_ref(f"refs/tags/{decoded(request, 'revision')}")
    return answer({})


async def squash(request: Request) -> Response:
    """`super_squash_history`: one commit in place of a branch's history."""
    return await run_in_threadpool(_squash, request, await json_body(request))


def _squash(request: Request, body: dict[str, Any]) -> Response:
    opened, user = access.write(store_of(request), place_of(request), caller_of(request))
    repository, branch = opened.repository, decoded(request, "branch")
    message = text_of(body, "message", _SQUASHED.format(branch))
    with store_of(request).writing(opened.place):
        head = repository.resolve(f"refs/heads/{branch}")
        new = repository.write_commit(repository.files_of(head), [], access.author_of(user), message)
        repository.set_ref(f"refs/heads/{branch}", new, head)
    return answer({"commitId": new})


async def validate_card(request: Request) -> Response:
    """What clients ask before they commit a README: whether its YAML can be read."""
    body = await json_body(request)
    content = text_of(body, "content", "")
    errors, warnings = [], []
    if content.lstrip("\ufeff").startswith("---") and front_matter(content) is None:
        errors.append(
            {"message": "The block between the '---' lines at the head of README.md is no YAML mapping."}
        )
    elif front_matter(content) is None:
        warnings.append({"message": "empty or missing yaml metadata in repo card"})
    return answer({"errors": errors, "warnings": warnings}, status=400 if errors else 200)


_API = "/api/{kind:kind}/{repo:repo}"

ROUTES = [
    Route("/api/repos/create", create, methods=["POST"]),
    Route("/api/repos/delete", delete, methods=["DELETE"]),
    Route("/api/repos/move", move, methods=["POST"]),
    Route("/api/validate-yaml", validate_card, methods=["POST"]),
    Route(f"{_API}/settings", settings, methods=["PUT"]),
    Route(f"{_API}/branch/{{branch}}", create_branch, methods=["POST"]),
    Route(f"{_API}/branch/{{branch}}", delete_branch, methods=["DELETE"]),
    Route(f"{_API}/tag/{{revision}}", create_tag, methods=["POST"]),
    Route(f"{_API}/tag/{{revision}}", delete_tag, methods=["DELETE"]),
    Route(f"{_API}/super-squash/{{branch}}", squash, methods=["POST"]),
]
