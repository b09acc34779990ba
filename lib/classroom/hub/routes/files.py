"""Files of a revision: `/<org>/<name>/resolve/<revision>/<path>` and `/raw/`."""

from __future__ import annotations

import mimetypes
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from classroom.hub import access
from classroom.hub.content import FileAnswer
from classroom.hub.routes.common import caller_of, decoded, place_of, store_of

_TEXT = frozenset(
    {".txt", ".md", ".py", ".yaml", ".yml", ".csv", ".html", ".htm", ".js", ".xml", ".svg", ".jsonl"}
)


def resolve(request: Request) -> Response:
    """The content of a file, large ones from the object folder."""
    opened = access.read(store_of(request), place_of(request), caller_of(request))
    repository = opened.repository
    path = decoded(request, "path")
    sha = repository.resolve(decoded(request, "revision"))
    entry = repository.entry(sha, path)
    headers = _headers(sha, path)
    if entry.large is None:
        return FileAnswer(repository.read(entry), entry.size, entry.etag, headers)
    headers["X-Linked-Etag"] = f'"{entry.large.sha256}"'
    headers["X-Linked-Size"] = str(entry.size)
    return FileAnswer(repository.objects.path(entry.large.sha256), entry.size, entry.etag, headers)


def raw(request: Request) -> Response:
    """What git holds: a small file's content, a large one's pointer."""
    opened = access.read(store_of(request), place_of(request), caller_of(request))
    path = decoded(request, "path")
    sha = opened.repository.resolve(decoded(request, "revision"))
    entry = opened.repository.entry(sha, path)
    content = opened.repository.read(entry)
    return FileAnswer(content, len(content), entry.oid, _headers(sha, path))


def _headers(sha: str, path: str) -> dict[str, str]:
    name = path.rpartition("/")[2]
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    # What learners upload must not run in a browser that shows it: text stays text.
    kind = "text/plain; charset=utf-8" if suffix in _TEXT else mimetypes.guess_type(name)[0]
    return {
        "X-Repo-Commit": sha,
        "Content-Type": kind or "application/octet-stream",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(name)}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
        "Vary": "Authorization",
    }


ROUTES = [
    Route("/{kind:prefix}{repo:repo}/resolve/{revision}/{path:path}", resolve, methods=["GET"]),
    Route("/{kind:prefix}{repo:repo}/raw/{revision}/{path:path}", raw, methods=["GET"]),
]
