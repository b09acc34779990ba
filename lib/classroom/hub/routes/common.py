"""What all routes need: the pieces of an address, the caller, the store, pages of a list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse

from classroom.hub.accounts import Caller
from classroom.hub.errors import bad_request, too_long
from classroom.hub.store import Place, Store

LARGEST_JSON = 32_000_000
_PAGE = 1000

Item = TypeVar("Item")


class _RepoConvertor(Convertor[str]):
    """`org/name`, or a name alone as old addresses have it. Addresses are matched before percent-decoding."""

    regex = "[^/]+(?:/[^/]+)?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _KindConvertor(_RepoConvertor):
    """The kind of a repository in `/api/...`."""

    regex = "models|datasets|spaces"


class _PrefixConvertor(_RepoConvertor):
    """The kind of a repository in the address of a file: nothing for a model."""

    regex = "(?:datasets/|spaces/)?"

    def convert(self, value: str) -> str:
        return value.rstrip("/") or "models"


register_url_convertor("repo", _RepoConvertor())
register_url_convertor("kind", _KindConvertor())
register_url_convertor("prefix", _PrefixConvertor())


def decoded(request: Request, name: str) -> str:
    """A piece of the address, percent-decoded once.

    Raises:
        HubError: 400 when it is not UTF-8 or holds a NUL.
    """
    try:
        text = unquote(request.path_params[name], errors="strict")
    except UnicodeDecodeError:
        raise bad_request("The address is not UTF-8.") from None
    if "\0" in text:
        raise bad_request("The address holds a NUL character.")
    return text


def place_of(request: Request) -> Place:
    """The repository that the address names (with `{kind}` and `{repo}` in its route)."""
    repo_id = decoded(request, "repo")
    return Place(request.path_params["kind"], repo_id if "/" in repo_id else f"_/{repo_id}")


def store_of(request: Request) -> Store:
    """The store that this hub serves."""
    return request.app.store


def caller_of(request: Request) -> Caller:
    """Who asks."""
    return request.scope["caller"]


def endpoint_of(request: Request) -> str:
    """The hub's address as this client knows it, without a slash at the end."""
    return str(request.base_url).rstrip("/")


async def body_of(request: Request, most: int) -> bytes:
    """The body of a request; 413 when it is longer than `most` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise too_long(most)
    return bytes(body)


async def json_body(request: Request) -> dict[str, Any]:
    """The body of a request, a JSON object; an empty body is an empty object.

    Raises:
        HubError: 400 when it is something else, 413 when it is too long.
    """
    body = await body_of(request, LARGEST_JSON)
    if not body:
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise bad_request("The request's body is no JSON object.")
    return found


def text_of(body: dict[str, Any], key: str, default: str | None = None) -> str:
    """A string in a request's body; 400 when it is missing or no string."""
    value = body.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise bad_request(f"The request's body needs a string {key!r}.")
    return value


def flag(request: Request, name: str) -> bool:
    """Whether a query parameter is set to something that means yes."""
    return request.query_params.get(name, "").lower() in ("1", "true", "yes")


def number(request: Request, name: str, default: int) -> int:
    """A whole number of the query; 400 when it is none or negative."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 9:
        raise bad_request(f"{name} must be a whole number, not {text[:40]!r}.")
    return int(text)


def page_of(
    request: Request, items: Sequence[Item], *, most: int = _PAGE
) -> tuple[list[Item], dict[str, str]]:
    """The asked part of a list, and the `Link` header that leads to the next one.

    The query may hold `limit` (items a page) and `cursor` (where the page begins).
    """
    limit = min(number(request, "limit", most) or most, most)
    start = number(request, "cursor", 0)
    headers = {"X-Total-Count": str(len(items))}
    if start + limit < len(items):
        query = [(key, value) for key, value in request.query_params.multi_items() if key != "cursor"]
        query.append(("cursor", str(start + limit)))
        headers["Link"] = f'<{endpoint_of(request)}{request.url.path}?{urlencode(query)}>; rel="next"'
    return list(items[start : start + limit]), headers


def answer(content: Any, *, headers: dict[str, str] | None = None, status: int = 200) -> JSONResponse:
    """A JSON answer."""
    return JSONResponse(content, status_code=status, headers=headers)
