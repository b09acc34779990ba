"""Gated repositories: asking for access, and granting it."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from classroom.hub import access
from classroom.hub.accounts import USERS
from classroom.hub.describe import timestamp
from classroom.hub.errors import HubError, bad_request, login_required
from classroom.hub.routes.common import answer, caller_of, json_body, place_of, store_of, text_of
from classroom.hub.store import Facts


def ask(request: Request) -> Response:
    """What the button on a gated repository's page does: access at once (`auto`), or a request that waits."""
    caller = caller_of(request)
    if caller.user is None:
        raise login_required()
    opened = access.see(store_of(request), place_of(request), caller)
    facts, name = opened.facts, caller.user.name
    if not facts.gated:
        raise bad_request(f"{opened.place.repo_id} is not gated.")
    if facts.gated == "auto":
        facts = store_of(request).update(opened.place, **_with(facts, name, "accepted"))
    elif name not in facts.granted:
        facts = store_of(request).update(opened.place, **_with(facts, name, "pending"))
    return answer({"status": "accepted" if name in facts.granted else "pending"})


def requests(request: Request) -> Response:
    """`list_pending_access_requests`, `list_accepted_access_requests`, `list_rejected_access_requests`."""
    opened, _ = access.write(store_of(request), place_of(request), caller_of(request))
    status = request.path_params["status"]
    names = {"pending": opened.facts.pending, "accepted": opened.facts.granted, "rejected": ()}.get(status)
    if names is None:
        raise bad_request(f"Access requests are pending, accepted or rejected, not {status[:40]!r}.")
    return answer(
        [
            {
                "user": {
                    "user": name,
                    "fullname": USERS[name].fullname,
                    "email": USERS[name].email,
                },
                "status": status,
                "requestId": f"{opened.place.repo_id}:{name}",
                "timestamp": timestamp(opened.facts.created),
            }
            for name in names
        ]
    )


async def handle(request: Request) -> Response:
    """`accept_access_request`, `reject_access_request`, `cancel_access_request`, `grant_access`."""
    return await run_in_threadpool(_handle, request, await json_body(request))


def _handle(request: Request, body: dict[str, Any]) -> Response:
    opened, _ = access.write(store_of(request), place_of(request), caller_of(request))
    name = text_of(body, "user")
    if name not in USERS:
        raise HubError(404, f"There is no user {name[:40]!r}; users: {', '.join(sorted(USERS))}.")
    status = "accepted" if request.url.path.endswith("/grant") else text_of(body, "status")
    if status not in ("accepted", "rejected", "pending"):
        raise bad_request(f"Access can be accepted, rejected or pending, not {status!r}.")
    store_of(request).update(opened.place, **_with(opened.facts, name, status))
    return answer({})


def _with(facts: Facts, name: str, status: str) -> dict[str, tuple[str, ...]]:
    """The facts to change so that `name` has `status`."""
    granted, pending = set(facts.granted) - {name}, set(facts.pending) - {name}
    if status == "accepted":
        granted.add(name)
    elif status == "pending":
        pending.add(name)
    return {"granted": tuple(sorted(granted)), "pending": tuple(sorted(pending))}


_API = "/api/{kind:kind}/{repo:repo}/user-access-request"

ROUTES = [
    Route("/{kind:prefix}{repo:repo}/ask-access", ask, methods=["POST"]),
    Route(f"{_API}/handle", handle, methods=["POST"]),
    Route(f"{_API}/grant", handle, methods=["POST"]),
    Route(f"{_API}/{{status}}", requests, methods=["GET"]),
]
