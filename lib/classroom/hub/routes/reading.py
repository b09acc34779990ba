"""What clients ask about repositories: information, trees, references, history, access."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from classroom.hub import access
from classroom.hub.describe import (
    describe_commit,
    describe_entry,
    describe_folder,
    describe_repository,
)
from classroom.hub.errors import bad_request, entry_not_found
from classroom.hub.names import check_path
from classroom.hub.repository import MAIN, Manifest, Repository
from classroom.hub.routes.common import (
    LARGEST_JSON,
    answer,
    body_of,
    caller_of,
    decoded,
    flag,
    json_body,
    page_of,
    place_of,
    store_of,
)

_COMMITS_A_PAGE = 50
_EXPANDED_A_PAGE = 50


def _see(request: Request) -> access.Opened:
    return access.see(store_of(request), place_of(request), caller_of(request))


def _revision(request: Request, repository: Repository) -> str:
    return repository.resolve(decoded(request, "revision"))


def info(request: Request) -> Response:
    """`model_info`, `dataset_info`, `space_info`."""
    opened = _see(request)
    repository = opened.repository
    if "revision" in request.path_params:
        sha: str | None = _revision(request, repository)
    else:
        sha = repository.head()
    found = describe_repository(opened.place, repository, opened.facts, sha, blobs=flag(request, "blobs"))
    return answer(narrowed(request, found))


def narrowed(request: Request, found: dict[str, Any]) -> dict[str, Any]:
    """Only what the query's `expand` names, when it names something."""
    wanted = request.query_params.getlist("expand") + request.query_params.getlist("expand[]")
    if not wanted:
        return found
    return {key: value for key, value in found.items() if key in ("_id", "id", "modelId") or key in wanted}


def tree(request: Request) -> Response:
    """`list_repo_tree`: files and folders below a path."""
    repository = _see(request).repository
    sha = _revision(request, repository)
    manifest = repository.manifest(sha)
    folder = decoded(request, "path").rstrip("/") if "path" in request.path_params else ""
    if folder and check_path(folder) not in manifest.folders:
        raise entry_not_found(folder)
    paths = _paths_below(manifest, folder, recursive=flag(request, "recursive"))
    expand = flag(request, "expand")
    page, headers = page_of(request, paths, most=_EXPANDED_A_PAGE if expand else 1000)
    return answer(_describe_paths(repository, sha, page, expand), headers=headers)


def _paths_below(manifest: Manifest, folder: str, *, recursive: bool) -> list[str]:
    prefix = f"{folder}/" if folder else ""
    return sorted(
        path
        for path in [*manifest.files, *manifest.folders]
        if path.startswith(prefix) and (recursive or "/" not in path[len(prefix) :])
    )


def _describe_paths(repository: Repository, sha: str, paths: list[str], expand: bool) -> list[dict[str, Any]]:
    manifest = repository.manifest(sha)
    changed = repository.last_changes(sha, set(paths)) if expand else {}
    return [
        describe_entry(manifest.files[path], changed.get(path))
        if path in manifest.files
        else describe_folder(path, manifest.folders[path], changed.get(path))
        for path in paths
    ]


async def paths_info(request: Request) -> Response:
    """`get_paths_info`: some files and folders; those that do not exist are left out."""
    if request.headers.get("content-type", "").startswith("application/json"):
        body = await json_body(request)
        paths, expand = body.get("paths", []), bool(body.get("expand"))
    else:
        form = parse_qs((await body_of(request, LARGEST_JSON)).decode("utf-8", "replace"))
        paths, expand = form.get("paths", []), form.get("expand", [""])[0].lower() in ("1", "true")
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise bad_request("The request's body needs a list of strings 'paths'.")
    return await run_in_threadpool(_paths_info, request, paths, expand)


def _paths_info(request: Request, paths: list[str], expand: bool) -> Response:
    repository = _see(request).repository
    sha = _revision(request, repository)
    manifest = repository.manifest(sha)
    wanted = [path.rstrip("/") for path in paths]
    known = [path for path in wanted if path in manifest.files or path in manifest.folders]
    return answer(_describe_paths(repository, sha, known, expand))


def refs(request: Request) -> Response:
    """`list_repo_refs`: branches, tags and, when asked for, pull requests."""
    repository = _see(request).repository

    def described(prefix: str) -> list[dict[str, str]]:
        found = repository.refs(prefix).items()
        return [{"name": name, "ref": prefix + name, "targetCommit": sha} for name, sha in found]

    found: dict[str, Any] = {
        "branches": described("refs/heads/"),
        "converts": [],
        "tags": described("refs/tags/"),
    }
    if flag(request, "include_prs"):
        found["pullRequests"] = [
            {"name": item["ref"], "ref": item["ref"], "targetCommit": item["targetCommit"]}
            for item in described("refs/pr/")
        ]
    return answer(found)


def commits(request: Request) -> Response:
    """`list_repo_commits`: the history of a revision, newest first."""
    repository = _see(request).repository
    history = list(repository.history(_revision(request, repository)))
    page, headers = page_of(request, history, most=_COMMITS_A_PAGE)
    formatted = "formatted" in request.query_params.getlist("expand[]")
    return answer([describe_commit(revision, formatted=formatted) for revision in page], headers=headers)


def compare(request: Request) -> Response:
    """What changed between two revisions (`old...new` or `old..new`), as lines `A|D|M <path>`."""
    repository = _see(request).repository
    old, separator, new = decoded(request, "range").replace("...", "..").partition("..")
    if not separator:
        raise bad_request("Compare two revisions as 'old...new'.")
    before = repository.files_of(repository.resolve(old or MAIN))
    after = repository.files_of(repository.resolve(new or MAIN))
    lines = []
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            letter = "A" if path not in before else "D" if path not in after else "M"
            lines.append(f"{letter}\t{path}\n")
    return Response("".join(lines), media_type="text/plain")


def auth_check(request: Request) -> Response:
    """`auth_check`: whether the caller may read the files."""
    access.read(store_of(request), place_of(request), caller_of(request))
    return answer({})


_API = "/api/{kind:kind}/{repo:repo}"

ROUTES = [
    Route(f"{_API}/revision/{{revision}}", info, methods=["GET"]),
    Route(f"{_API}/tree/{{revision}}", tree, methods=["GET"]),
    Route(f"{_API}/tree/{{revision}}/{{path:path}}", tree, methods=["GET"]),
    Route(f"{_API}/paths-info/{{revision}}", paths_info, methods=["POST"]),
    Route(f"{_API}/refs", refs, methods=["GET"]),
    Route(f"{_API}/commits/{{revision}}", commits, methods=["GET"]),
    Route(f"{_API}/compare/{{range}}", compare, methods=["GET"]),
    Route(f"{_API}/auth-check", auth_check, methods=["GET"]),
]
INFO_ROUTES = [Route(_API, info, methods=["GET"])]
"""Matches last: a repository's own address is the beginning of all others."""
