"""The hub as an ASGI application: routes, and around them the gate that knows callers, errors and the log."""

from __future__ import annotations

import json
import logging
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from classroom.hub.access import Moved
from classroom.hub.accounts import Caller, caller_of
from classroom.hub.errors import HubError, repo_not_found
from classroom.hub.log import Request, RequestLog
from classroom.hub.routes import discussions, files, gates, listing, reading, repositories, uploads
from classroom.hub.store import Store

_logger = logging.getLogger(__name__)


@dataclass
class State:
    """What a running hub knows; routes find it as `request.app`.

    Attributes:
        store: what is served.
        log: what was answered.
        signing_key: with which this hub signs the addresses of uploads.
        cut_after: break off the next download after so many bytes, None for none.
    """

    store: Store
    log: RequestLog
    signing_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    cut_after: int | None = None


def build_app(state: State) -> ASGIApp:
    """The application that serves `state.store` and records what it answers in `state.log`."""
    router = Router(
        routes=[
            *listing.ROUTES,
            *repositories.ROUTES,
            *uploads.ROUTES,
            *discussions.ROUTES,
            *gates.ROUTES,
            *reading.ROUTES,
            *reading.INFO_ROUTES,
            *files.ROUTES,
        ],
        redirect_slashes=False,
    )
    return Gate(router, state)


class Gate:
    """What happens to every request before and after its route.

    Addresses are matched as they were sent, still percent-encoded: an encoded slash or dot never becomes
    part of another piece of the address. Refusals become answers that the stock clients understand.
    """

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
        scope = {**scope, "path": path, "root_path": "", "app": self._state, "caller": Caller()}
        query = scope["query_string"].decode("latin-1")
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        status, sent, received, logged = 0, 0, 0, False

        def record() -> None:
            nonlocal logged
            if logged:
                return
            logged = True
            user = scope["caller"].user
            self._state.log.append(
                Request(
                    method=scope["method"],
                    path=path + (f"?{query}" if query else ""),
                    status=status,
                    bytes_sent=sent,
                    range=headers.get(b"range"),
                    user=user.name if user else None,
                    seconds=time.perf_counter() - began,
                    bytes_received=received,
                )
            )

        async def hear() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def count(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                if scope["method"] == "HEAD" or status in (204, 304):
                    record()  # no body follows: the client sees the end with these headers
            elif message["type"] == "http.response.body":
                if scope["method"] != "HEAD":
                    message = self._cut(message, path, sent)
                    sent += len(message.get("body", b""))
                if not message.get("more_body"):
                    record()  # before the client can see the end: what it has received is in the log
            await send(message)
            if message.get("cut"):
                raise ConnectionAbortedError("This download was to be broken off here.")

        try:
            scope["caller"] = caller_of(headers.get(b"authorization"))
            await self._app(scope, hear, count)
        except ClientDisconnect:
            status = 499
        except Exception as error:
            if status:  # the answer has begun; the connection must break so that the client notices
                _logger.debug("%s %s broke off: %r", scope["method"], path, error)
                raise
            await _send_refusal(_refusal(error, path, scope), scope, count)
        finally:
            record()

    def _cut(self, message: Message, path: str, sent: int) -> Message:
        """The part of a download's body up to where it is to be broken off; `cut` is set in it then."""
        end = self._state.cut_after
        body = message.get("body", b"")
        if end is None or "/resolve/" not in path or sent + len(body) <= end:
            return message
        self._state.cut_after = None
        return {**message, "body": body[: max(0, end - sent)], "more_body": True, "cut": True}


def _refusal(error: Exception, path: str, scope: Scope) -> HubError:
    if isinstance(error, HubError):
        return error
    if isinstance(error, Moved):
        old, new = quote(error.place.repo_id), quote(error.target.repo_id)
        if f"/{old}" not in path:  # named in the body (delete, move): an old name is no name for that
            return repo_not_found(error.place.repo_id, anonymous=False)
        query = scope["query_string"].decode("latin-1")
        location = path.replace(f"/{old}", f"/{new}", 1) + (f"?{query}" if query else "")
        return HubError(307, str(error), headers={"Location": location})
    if isinstance(error, HTTPException):
        return HubError(error.status_code, f"Cannot {scope['method']} {path}: this hub has nothing there.")
    _logger.exception("%s %s failed", scope["method"], path, exc_info=error)
    return HubError(500, f"The hub failed: {type(error).__name__}.")


async def _send_refusal(refusal: HubError, scope: Scope, send: Send) -> None:
    body = json.dumps({"error": refusal.message, **refusal.details}).encode()
    # A header takes no line breaks and no characters beyond Latin-1.
    message = refusal.message.encode("ascii", "replace").decode().replace("\r", " ").replace("\n", " ")
    fields = {
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        "X-Error-Message": message,
        **({"X-Error-Code": refusal.code} if refusal.code else {}),
        **refusal.headers,
    }
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
