"""Lists of repositories (`list_models` and its sisters), the tags in use, and who the caller is."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from classroom.hub.access import may_see
from classroom.hub.accounts import describe_caller
from classroom.hub.describe import describe_repository
from classroom.hub.errors import HubError, bad_request, invalid_token
from classroom.hub.routes.common import answer, caller_of, flag, page_of, store_of
from classroom.hub.routes.reading import narrowed

_SORTS = (
    "lastModified",
    "createdAt",
    "downloads",
    "likes",
    "trendingScore",
    "id",
    "mainSize",
    "num_parameters",
)
_ONLY_WITH_FULL = (
    "siblings",
    "sha",
    "usedStorage",
    "transformersInfo",
    "safetensors",
    "model-index",
    "spaces",
)


def repositories(request: Request) -> Response:
    """All repositories of a kind that the caller may see and the query asks for.

    Query: `search`, `author`, `filter` (tags, all of them), `pipeline_tag`, `gated`, `sort`, `direction`,
    `limit`, `full`, `cardData`, `config`, `expand`.
    """
    store, caller, kind = store_of(request), caller_of(request), request.path_params["kind"]
    sort = request.query_params.get("sort", "lastModified")
    if sort not in _SORTS:
        raise bad_request(f"Cannot sort by {sort[:40]!r}; choose one of {', '.join(_SORTS)}.")
    found = []
    for place in store.places(kind):
        try:
            facts = store.facts(place)
            if not may_see(caller, place, facts):
                continue
            repository = store.open(place)
            described = describe_repository(place, repository, facts, repository.head())
        except HubError:  # deleted or moved while we looked
            continue
        if _asked_for(request, described):
            found.append(described)
    found.sort(key=lambda item: item["id"])
    if sort != "id":
        smallest_first = request.query_params.get("direction") == "1"
        found.sort(key=lambda item: _sort_value(item, sort), reverse=not smallest_first)
    page, headers = page_of(request, found)
    return answer([_shortened(request, item) for item in page], headers=headers)


def _sort_value(item: dict[str, Any], sort: str) -> Any:
    if sort == "num_parameters":
        return (item.get("safetensors") or {}).get("total", 0)
    if sort == "mainSize":
        return item.get("usedStorage", 0)
    return item.get(sort, 0)


def _asked_for(request: Request, item: dict[str, Any]) -> bool:
    query = request.query_params
    tags = {tag.lower() for tag in item["tags"]}
    wanted = [tag for value in query.getlist("filter") for tag in value.lower().split(",") if tag]
    if not all(tag in tags or f"language:{tag}" in tags or f"other:{tag}" in tags for tag in wanted):
        return False
    if "author" in query and item["author"].lower() != query["author"].lower():
        return False
    if not all(text.lower() in item["id"].lower() for text in query.getlist("search")):
        return False
    if "pipeline_tag" in query and item.get("pipeline_tag") != query["pipeline_tag"]:
        return False
    if "gated" in query and bool(item["gated"]) != flag(request, "gated"):
        return False
    linked = {"models": "base_model", "datasets": "dataset"}
    return all(f"{linked[key]}:{value}".lower() in tags for key in linked for value in query.getlist(key))


def _shortened(request: Request, item: dict[str, Any]) -> dict[str, Any]:
    if "expand" in request.query_params or "expand[]" in request.query_params:
        return narrowed(request, item)
    full = flag(request, "full")
    left_out = set() if full else set(_ONLY_WITH_FULL)
    if not full and not flag(request, "cardData"):
        left_out.add("cardData")
    if not full and not flag(request, "config"):
        left_out.add("config")
    return {key: value for key, value in item.items() if key not in left_out}


def tags_by_type(request: Request) -> Response:
    """`get_model_tags`, `get_dataset_tags`: the tags in use, in groups."""
    store, kind = store_of(request), request.path_params["kind"]
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for place in store.places(kind):
        facts = store.facts(place)
        if facts.private:
            continue
        repository = store.open(place)
        for tag in describe_repository(place, repository, facts, repository.head())["tags"]:
            group, _, label = tag.rpartition(":")
            groups.setdefault(group or "other", {})[tag] = {
                "id": tag,
                "label": label,
                "type": group or "other",
            }
    return answer({group: list(tags.values()) for group, tags in sorted(groups.items())})


def whoami(request: Request) -> Response:
    """`whoami`: the user behind the token."""
    caller = caller_of(request)
    if caller.user is None:
        raise invalid_token()
    return answer(describe_caller(caller))


def health(request: Request) -> Response:
    """A word that the hub is up; used by whoever started it."""
    return answer({"status": "ok"})


ROUTES = [
    Route("/api/whoami-v2", whoami, methods=["GET"]),
    Route("/api/{kind:kind}-tags-by-type", tags_by_type, methods=["GET"]),
    Route("/api/{kind:kind}", repositories, methods=["GET"]),
    Route("/classroom/health", health, methods=["GET"]),
]
