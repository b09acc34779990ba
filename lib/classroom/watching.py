"""A readable view of the requests that the hub answered while a block of code ran."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Protocol, SupportsIndex, overload
from urllib.parse import parse_qs, unquote, urlsplit

_HOUSEKEEPING = ("/api/agent-harnesses", "/health", "/api/health")
_FILE = re.compile(
    r"^/(?:(?P<kind>datasets|spaces)/)?(?P<repo>[^/]+(?:/[^/]+)?)/(?:resolve|raw)/(?P<revision>[^/]+)/(?P<file>.+)$"
)
_API = re.compile(
    r"^/api/(?P<kind>models|datasets|spaces)(?:/(?P<repo>(?!.*/(?:revision|tree)/?$)[^/]+/[^/]+))?(?:/(?P<rest>.+))?$"
)
_LARGE = re.compile(
    r"^/(?:.+/lfs/(?P<hash>[0-9a-f]{64})|(?:(?:datasets|spaces)/)?(?P<repo>.+)\.git/info/lfs/(?P<step>objects/batch|verify))$"
)
_COMMIT = re.compile(r"^[0-9a-f]{40}$")
COLUMNS = ("method", "what", "status", "bytes")


class Request(Protocol):
    """What is needed of one entry of the hub's request log."""

    @property
    def method(self) -> str:
        """HTTP method."""

    @property
    def path(self) -> str:
        """Path with query, as it was asked for."""

    @property
    def status(self) -> int:
        """Status code of the answer."""

    @property
    def bytes_sent(self) -> int:
        """Bytes of body in the answer."""


def describe(path: str) -> str:
    """Say in words what a request path asks for.

    A file reads `config.json of org/name @ main`; a commit hash is cut to its first seven digits. Nothing
    that changes between two runs (host, port) is part of it.
    """
    parts = urlsplit(path)
    if match := _FILE.match(parts.path):
        file, repo, revision = (unquote(match[name]) for name in ("file", "repo", "revision"))
        return f"{file} of {repo} @ {_short(revision)}"
    if match := _LARGE.match(parts.path):
        return _describe_large(match["hash"], match["repo"], match["step"])
    if match := _API.match(parts.path):
        return _describe_api(match["kind"], match["repo"], match["rest"] or "", parts.query)
    return unquote(parts.path)


def _describe_large(sha256: str | None, repo: str, step: str) -> str:
    """A step of an upload by Git LFS."""
    if sha256:
        return f"large file {sha256[:7]}"
    return f"which large files are new to {unquote(repo)}?" if step == "objects/batch" else "has it arrived?"


def _describe_api(kind: str, repo: str | None, rest: str, query: str) -> str:
    noun = kind.rstrip("s")
    if repo is None:
        search = ", ".join(parse_qs(query).get("search", []))
        return f"list of {kind}" + (f" for {search!r}" if search else "")
    action, _, argument = rest.partition("/")
    revision, _, folder = argument.partition("/")
    revision = _short(unquote(revision))
    if action in ("", "revision"):
        return f"{noun} info of {repo}" + (f" @ {revision}" if revision else "")
    if action == "tree":
        return f"file list of {repo} @ {revision}" + (f" in {unquote(folder)}" if folder else "")
    return " ".join(word for word in (action, revision, unquote(folder), "of", repo) if word)


def _short(revision: str) -> str:
    return revision[:7] if _COMMIT.match(revision) else revision


class Seen(list[Request]):
    """The requests of a block, in order: a list whose display is a table."""

    def __init__(self, requests: Iterable[Request] = (), note: str = "") -> None:
        super().__init__()
        self.note = note
        self.fill(requests)

    def fill(self, requests: Iterable[Request]) -> None:
        """Replace the content; what a client asks for its own housekeeping is left out."""
        self[:] = [request for request in requests if urlsplit(request.path).path not in _HOUSEKEEPING]

    @overload
    def __getitem__(self, index: SupportsIndex) -> Request: ...

    @overload
    def __getitem__(self, index: slice) -> Seen: ...

    def __getitem__(self, index: SupportsIndex | slice) -> Request | Seen:
        """Return one request, or a part of them, which shows as a table too."""
        return Seen(super().__getitem__(index)) if isinstance(index, slice) else super().__getitem__(index)

    @property
    def bytes(self) -> int:
        """Bytes of body that the hub sent, in all."""
        return sum(request.bytes_sent for request in self)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """One row for each request: method, what was asked for, status, bytes."""
        return [
            (request.method, describe(request.path), str(request.status), f"{request.bytes_sent:,}")
            for request in self
        ]

    def table(self) -> str:
        """The requests as a plain-text table, the same on every machine for the same requests."""
        if not self:
            return self.note or "no requests"
        rows = [COLUMNS, *self.rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
        lines = [
            f"{method:<{widths[0]}}  {what:<{widths[1]}}  {status:>{widths[2]}}  {size:>{widths[3]}}"
            for method, what, status, size in rows
        ]
        return "\n".join([*lines, self.total()])

    def total(self) -> str:
        """One line: how many requests, how many bytes."""
        return f"{len(self)} request{'s' if len(self) != 1 else ''}, {self.bytes:,} bytes"

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        if not self:
            return f"<p>{html.escape(self.table())}</p>"
        head = "".join(f'<th style="text-align:{_align(name)}">{name}</th>' for name in COLUMNS)
        body = "".join(
            "<tr>"
            + "".join(
                f'<td style="text-align:{_align(name)}">{_emphasise(name, value)}</td>'
                for name, value in zip(COLUMNS, row, strict=True)
            )
            + "</tr>"
            for row in self.rows()
        )
        return (
            '<table style="font-variant-numeric:tabular-nums">'
            f'<caption style="caption-side:bottom;text-align:left">{self.total()}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def _align(column: str) -> str:
    return "right" if column in ("status", "bytes") else "left"


def _emphasise(column: str, value: str) -> str:
    escaped = html.escape(value)
    if column == "status" and not value.startswith(("2", "3")):
        return f'<strong style="color:#c62828">{escaped}</strong>'
    return escaped
