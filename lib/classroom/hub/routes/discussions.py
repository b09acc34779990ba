"""Discussions and pull requests: open, comment, rename, close, merge."""

from __future__ import annotations

import io
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from classroom.hub import access
from classroom.hub.changes import conflicting_files, merge
from classroom.hub.discussions import Discussions, check_title
from classroom.hub.errors import bad_request, conflict, forbidden
from classroom.hub.repository import MAIN, Repository
from classroom.hub.routes.common import (
    answer,
    caller_of,
    decoded,
    flag,
    json_body,
    number,
    place_of,
    store_of,
    text_of,
)
from classroom.hub.store import Place

_A_PAGE = 50


def discussions(request: Request) -> Response:
    """`get_repo_discussions`; query: `type`, `status`, `author`, `p` (page)."""
    opened = access.see(store_of(request), place_of(request), caller_of(request))
    query = request.query_params
    wanted_type, status = query.get("type", "all"), query.get("status", "all")
    found = [
        item
        for item in reversed(Discussions(opened.repository).items)
        if (wanted_type == "all" or item["isPullRequest"] == (wanted_type == "pull_request"))
        and (status == "all" or (item["status"] in ("open", "draft")) == (status == "open"))
        and query.get("author", item["author"]) == item["author"]
    ]
    start = number(request, "p", 0) * _A_PAGE
    page = [_summary(opened.place, item) for item in found[start : start + _A_PAGE]]
    return answer({"discussions": page, "count": len(found), "start": start})


def _summary(place: Place, item: dict[str, Any]) -> dict[str, Any]:
    kept = {key: item[key] for key in ("num", "title", "status", "isPullRequest", "createdAt")}
    return kept | {"author": {"name": item["author"]}, "repo": {"name": place.repo_id, "type": place.type}}


def details(request: Request) -> Response:
    """`get_discussion_details`; with `diff=1` also what a pull request changes."""
    opened = access.read(store_of(request), place_of(request), caller_of(request))
    item = Discussions(opened.repository).get(_number(request))
    found = _summary(opened.place, item) | {"events": item["events"]}
    if item["isPullRequest"]:
        found |= _describe_pull_request(opened.repository, item, diff=flag(request, "diff"))
    return answer(found)


def _describe_pull_request(repository: Repository, item: dict[str, Any], *, diff: bool) -> dict[str, Any]:
    head = repository.resolve(f"refs/pr/{item['num']}")
    base = repository.resolve(item["base"])
    merged = item["mergeCommitId"]
    conflicts = [] if merged else conflicting_files(repository, base, head)
    found: dict[str, Any] = {
        "changes": {"base": item["base"], **({"mergeCommitId": merged} if merged else {})},
        "filesWithConflicts": conflicts or False,
    }
    if diff:
        parted = repository.merge_base(base, head)
        before = repository.revision(merged).parents[0] if merged else parted
        found["diff"] = _diff(repository, before, head) if before else ""
    return found


def _diff(repository: Repository, old: str, new: str) -> str:
    from dulwich.patch import write_tree_diff

    text = io.BytesIO()
    trees = [repository.revision(sha).tree.encode() for sha in (old, new)]
    write_tree_diff(text, repository.git.object_store, *trees)  # type: ignore[arg-type]
    return text.getvalue().decode("utf-8", "replace")


async def create(request: Request) -> Response:
    """`create_discussion`, `create_pull_request`."""
    return await run_in_threadpool(_create, request, await json_body(request))


def _create(request: Request, body: dict[str, Any]) -> Response:
    user = access.writer(caller_of(request))
    opened = access.read(store_of(request), place_of(request), caller_of(request))
    is_pull_request = bool(body.get("pullRequest"))
    with store_of(request).writing(opened.place):
        found = Discussions(opened.repository)
        num = found.open(
            text_of(body, "title"),
            text_of(body, "description", ""),
            user.name,
            base=f"refs/heads/{MAIN}" if is_pull_request else None,
            draft=is_pull_request,
        )
        if is_pull_request:
            opened.repository.set_ref(f"refs/pr/{num}", opened.repository.resolve(MAIN), None)
        found.save()
    return answer({"num": num, "pullRequest": is_pull_request})


async def act(request: Request) -> Response:
    """`comment_discussion`, `rename_discussion`, `change_discussion_status`, `merge_pull_request`."""
    return await run_in_threadpool(_act, request, await json_body(request))


def _act(request: Request, body: dict[str, Any]) -> Response:
    user = access.writer(caller_of(request))
    opened = access.read(store_of(request), place_of(request), caller_of(request))
    num, action = _number(request), request.path_params["action"]
    with store_of(request).writing(opened.place):
        found = Discussions(opened.repository)
        item = found.get(num)
        if (
            action != "comment"
            and user.name != item["author"]
            and not user.belongs_to(opened.place.namespace)
        ):
            raise forbidden("Only its author and the repository's owners may change a discussion.")
        if action == "comment":
            result = {"newMessage": found.add_comment(num, user.name, text_of(body, "comment"))}
        elif action == "title":
            old, item["title"] = item["title"], check_title(text_of(body, "title"))
            event = found.add_event(num, user.name, "title-change", {"from": old, "to": item["title"]})
            result = {"newTitle": event}
        elif action == "status":
            result = {"newStatus": _change_status(found, item, user.name, body)}
        elif action != "merge":
            raise bad_request(f"A discussion knows comment, title, status and merge, not {action[:40]!r}.")
        else:
            access.owner(caller_of(request), opened.place.namespace)
            result = _merge(opened, found, item, access.author_of(user), text_of(body, "comment", ""))
        found.save()
    return answer(result)


def _change_status(
    found: Discussions, item: dict[str, Any], author: str, body: dict[str, Any]
) -> dict[str, Any]:
    status = text_of(body, "status")
    if status not in ("open", "closed"):
        raise bad_request(f"A discussion's status can be set to 'open' or 'closed', not {status!r}.")
    if item["status"] in ("merged", status):
        raise bad_request(f"The discussion is {item['status']} already.")
    if body.get("comment"):
        found.add_comment(item["num"], author, text_of(body, "comment"))
    return found.set_status(item["num"], author, status)


def _merge(
    opened: access.Opened, found: Discussions, item: dict[str, Any], author: Any, comment: str
) -> dict[str, Any]:
    repository = opened.repository
    if not item["isPullRequest"] or item["status"] not in ("open", "draft"):
        raise conflict("Only an open pull request can be merged.")
    num, base = item["num"], item["base"]
    head = repository.resolve(f"refs/pr/{num}")
    message = f"{item['title']} (#{num})"
    item["mergeCommitId"] = merge(repository, base, repository.resolve(base), head, author, message)
    if comment:
        found.add_comment(num, author.name, comment)
    found.set_status(num, author.name, "merged")
    return {"mergeCommitId": item["mergeCommitId"]}


async def change_comment(request: Request) -> Response:
    """`edit_discussion_comment`, `hide_discussion_comment`."""
    return await run_in_threadpool(_change_comment, request, await json_body(request))


def _change_comment(request: Request, body: dict[str, Any]) -> Response:
    user = access.writer(caller_of(request))
    opened = access.read(store_of(request), place_of(request), caller_of(request))
    with store_of(request).writing(opened.place):
        found = Discussions(opened.repository)
        comment = found.comment(_number(request), decoded(request, "comment"))
        if user.name != comment["author"]["name"] and not user.belongs_to(opened.place.namespace):
            raise forbidden("Only its author and the repository's owners may change a comment.")
        data = comment["data"]
        if request.path_params["action"] == "hide":
            data |= {"hidden": True}
            data["latest"]["raw"] = "This comment has been hidden"
        else:
            data |= {"edited": True}
            data["latest"]["raw"] = text_of(body, "content")
        found.save()
    return answer({"updatedComment": comment})


def _number(request: Request) -> int:
    text = decoded(request, "num")
    if not text.isdecimal() or len(text) > 9:
        raise bad_request(f"{text[:40]!r} is no discussion number.")
    return int(text)


_API = "/api/{kind:kind}/{repo:repo}/discussions"

ROUTES = [
    Route(_API, discussions, methods=["GET"]),
    Route(_API, create, methods=["POST"]),
    Route(f"{_API}/{{num}}", details, methods=["GET"]),
    Route(f"{_API}/{{num}}/comment/{{comment}}/{{action}}", change_comment, methods=["POST"]),
    Route(f"{_API}/{{num}}/{{action}}", act, methods=["POST"]),
]
