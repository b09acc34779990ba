"""Commits by clients: what goes how (`preupload`), large files (Git LFS), the commit itself."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from classroom.hub import access
from classroom.hub.accounts import User
from classroom.hub.attributes import default_attributes, is_large
from classroom.hub.changes import Changes, commit, ref_of_branch
from classroom.hub.discussions import Discussions
from classroom.hub.errors import HubError, bad_request, entry_not_found, forbidden
from classroom.hub.names import check_path, is_pull_request, is_sha256
from classroom.hub.objects import Pointer
from classroom.hub.repository import Repository
from classroom.hub.routes.common import (
    answer,
    body_of,
    caller_of,
    decoded,
    endpoint_of,
    flag,
    json_body,
    place_of,
    store_of,
    text_of,
)

_LARGEST_COMMIT = 512_000_000
_UPLOAD_SECONDS = 6 * 3600
_NO_XET = "this-hub-has-no-Xet-storage/set-HF_HUB_DISABLE_XET=1-and-upload-again"
_LFS_JSON = "application/vnd.git-lfs+json"


async def preupload(request: Request) -> Response:
    """Which of the announced files travel inside the commit, and which are uploaded before as large files."""
    return await run_in_threadpool(_preupload, request, await json_body(request))


def _preupload(request: Request, body: dict[str, Any]) -> Response:
    opened = _open_for_commit(request)
    repository = opened.repository
    revision = decoded(request, "revision")
    head = repository.head() if flag(request, "create_pr") else ref_of_branch(repository, revision)[1]
    manifest = repository.manifest(head) if head else None
    there = manifest.files if manifest else {}
    attributes = _small_file(repository, head, ".gitattributes") or default_attributes()
    ignored = _ignore_rules(
        text_of(body, "gitIgnore", "").encode() or _small_file(repository, head, ".gitignore")
    )
    found = []
    for item in _list_of_objects(body, "files"):
        path, size = check_path(text_of(item, "path")), _size_of(item)
        large = is_large(path, size, attributes)
        described: dict[str, Any] = {
            "path": path,
            "uploadMode": "lfs" if large else "regular",
            "shouldIgnore": ignored.is_ignored(path) is True,
        }
        if path in there and (there[path].large is not None) == large:
            described["oid"] = there[
                path
            ].etag  # a client that has the same leaves the file out of the commit
        found.append(described)
    return answer({"files": found})


def _small_file(repository: Repository, head: str | None, path: str) -> bytes:
    if head is None:
        return b""
    try:
        return repository.read(repository.entry(head, path))
    except HubError:
        return b""


def _ignore_rules(text: bytes) -> Any:
    import io

    from dulwich.ignore import IgnoreFilter, read_ignore_patterns

    return IgnoreFilter(read_ignore_patterns(io.BytesIO(text)))


def _open_for_commit(request: Request) -> access.Opened:
    """The repository, when the caller may commit to what the request addresses."""
    place, caller = place_of(request), caller_of(request)
    user = access.writer(caller)
    opened = access.read(store_of(request), place, caller)
    revision = decoded(request, "revision")
    if flag(request, "create_pr") or _is_own_pull_request(opened.repository, revision, user):
        return opened
    access.owner(caller, place.namespace)
    return opened


def _is_own_pull_request(repository: Repository, revision: str, user: User) -> bool:
    if not is_pull_request(revision):
        return False
    return Discussions(repository).get(int(revision.rpartition("/")[2]))["author"] == user.name


async def lfs_batch(request: Request) -> Response:
    """Git LFS' batch request: for each object, where to put it, or nothing when it is here already."""
    return await run_in_threadpool(_lfs_batch, request, await json_body(request))


def _lfs_batch(request: Request, body: dict[str, Any]) -> Response:
    access.writer(caller_of(request))
    opened = access.read(store_of(request), place_of(request), caller_of(request))
    if body.get("operation") != "upload":
        raise bad_request("This hub offers the LFS operation 'upload' only; download with /resolve/.")
    found = [_describe_upload(request, opened, item) for item in _list_of_objects(body, "objects")]
    return JSONResponse({"transfer": "basic", "objects": found, "hash_algo": "sha256"}, media_type=_LFS_JSON)


def _describe_upload(request: Request, opened: access.Opened, item: dict[str, Any]) -> dict[str, Any]:
    oid, size = text_of(item, "oid"), _size_of(item)
    if not is_sha256(oid):
        return {
            "oid": oid,
            "size": size,
            "error": {"code": 422, "message": "oid is no sha256 in hexadecimal"},
        }
    found: dict[str, Any] = {"oid": oid, "size": size, "authenticated": True}
    if not opened.repository.holds(Pointer(oid, size)):
        expires = int(time.time()) + _UPLOAD_SECONDS
        address = opened.place.address
        signature = _sign(request, address, oid, size, expires)
        endpoint = endpoint_of(request)
        query = f"size={size}&expires={expires}&signature={signature}"
        found["actions"] = {
            "upload": {"href": f"{endpoint}/{address}/lfs/{oid}?{query}", "header": {}},
            "verify": {"href": f"{endpoint}/{address}.git/info/lfs/verify", "header": {}},
        }
    return found


def _sign(request: Request, address: str, oid: str, size: int, expires: int) -> str:
    """Proof that this hub has allowed an upload: in this protocol the upload itself has no token."""
    text = f"{address} {oid} {size} {expires}".encode()
    return hmac.new(request.app.signing_key, text, hashlib.sha256).hexdigest()


async def lfs_upload(request: Request) -> Response:
    """Take in one large file; kept only when its bytes are those that were announced."""
    oid = decoded(request, "oid")
    query = request.query_params
    if not (is_sha256(oid) and query.get("size", "").isdecimal() and query.get("expires", "").isdecimal()):
        raise bad_request("This is no address that the hub gave for an upload.")
    size, expires = int(query["size"]), int(query["expires"])
    place = place_of(request)
    expected = _sign(request, place.address, oid, size, expires)
    if not hmac.compare_digest(query.get("signature", ""), expected):
        raise forbidden("The address of this upload was not given by this hub, or has been altered.")
    if expires < time.time():
        raise forbidden("The address of this upload has expired; start the upload again.")
    pointer = Pointer(oid, size)
    repository = store_of(request).open(place)
    await repository.objects.receive(pointer, request.stream())
    repository.claim(pointer)
    return answer({})


async def lfs_verify(request: Request) -> Response:
    """Confirm that an upload has arrived."""
    body = await json_body(request)
    access.writer(caller_of(request))
    opened = access.read(store_of(request), place_of(request), caller_of(request))
    pointer = Pointer(text_of(body, "oid"), _size_of(body))
    if not opened.repository.holds(pointer):
        raise entry_not_found(pointer.sha256)
    return answer({"success": True})


async def create_commit(request: Request) -> Response:
    """`create_commit`: a list of changes as lines of JSON, on a branch or as a new pull request."""
    access.writer(caller_of(request))  # before the body is read
    body = await body_of(request, _LARGEST_COMMIT)
    return await run_in_threadpool(_create_commit, request, body)


def _create_commit(request: Request, body: bytes) -> Response:
    store, user = store_of(request), access.writer(caller_of(request))
    opened = _open_for_commit(request)
    repository, place = opened.repository, opened.place
    header, lines = _parse_lines(body)
    summary = text_of(header, "summary").strip() or "Upload with huggingface_hub"
    description = text_of(header, "description", "")
    message = f"{summary}\n\n{description}" if description else summary
    parent = text_of(header, "parentCommit", "") or None
    revision, author = decoded(request, "revision"), access.author_of(user)
    url = f"{endpoint_of(request)}/{place.address}"
    answered: dict[str, Any] = {"success": True, "hookOutput": ""}
    with store.writing(place):
        ref, head = ref_of_branch(repository, revision)
        changes = _changes(
            lines, repository, _small_file(repository, head, ".gitattributes") or default_attributes()
        )
        discussions = Discussions(repository)
        if flag(request, "create_pr"):
            if head is None:
                raise bad_request("A repository without commits takes no pull request.")
            num = discussions.open(summary[:200], description, user.name, base=ref)
            ref = f"refs/pr/{num}"
            new = commit(repository, ref, head, changes, author, message, expected_head=parent, is_new=True)
            answered["pullRequestUrl"] = f"{url}/discussions/{num}"
        else:
            new = commit(repository, ref, head, changes, author, message, expected_head=parent)
        if is_pull_request(ref):
            num = int(ref.rpartition("/")[2])
            discussions.add_event(num, user.name, "commit", {"subject": summary, "oid": new})
            discussions.save()
    answered |= {"commitOid": new, "commitUrl": f"{url}/commit/{new}"}
    return answer(answered)


def _parse_lines(body: bytes) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    """Header and changes (kind, value) of a commit's body."""
    header: dict[str, Any] | None = None
    changes = []
    for line in body.splitlines():
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            key, value = item["key"], item["value"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise bad_request(
                "A commit's body must be lines of JSON objects with 'key' and 'value'."
            ) from None
        if not isinstance(value, dict):
            raise bad_request("A commit's lines need objects as 'value'.")
        if key == "header":
            header = value
        else:
            changes.append((key, value))
    if header is None:
        raise bad_request("A commit's body needs a line with the key 'header'.")
    return header, changes


def _changes(lines: list[tuple[str, dict[str, Any]]], repository: Repository, attributes: bytes) -> Changes:
    changes = Changes()
    for key, value in lines:
        path = text_of(value, "path")
        if key == "file":
            content = _decode(value)
            pointer = Pointer.parse(content)
            if pointer is None and is_large(path, len(content), attributes):
                pointer = repository.claim(repository.objects.add_bytes(content))
            if pointer is None:
                changes.small[check_path(path)] = content
            else:
                changes.large[check_path(path)] = pointer
        elif key == "lfsFile":
            changes.large[check_path(path)] = _pointer_of(repository, value)
        elif key == "deletedFile":
            changes.deleted_files.append(path)
        elif key == "deletedFolder":
            changes.deleted_folders.append(path)
        else:
            raise bad_request(f"A commit cannot do {str(key)[:40]!r}.")
    return changes


def _pointer_of(repository: Repository, value: dict[str, Any]) -> Pointer:
    oid = text_of(value, "oid")
    if value.get("algo", "sha256") != "sha256" or not is_sha256(oid):
        raise bad_request("A large file must be named by its sha256.")
    if "size" in value:
        return Pointer(oid, _size_of(value))
    try:  # a copy of a file that is in the store: clients leave the size out
        return Pointer(oid, repository.objects.path(oid).stat().st_size)
    except FileNotFoundError:
        raise bad_request(
            f"The content of {text_of(value, 'path')!r} (sha256 {oid}) was not uploaded."
        ) from None


def _decode(value: dict[str, Any]) -> bytes:
    content, encoding = text_of(value, "content"), value.get("encoding", "utf-8")
    if encoding == "utf-8":
        return content.encode("utf-8", "surrogatepass")
    try:
        if encoding == "base64":
            return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise bad_request(f"The content of {str(value.get('path'))[:200]!r} is no valid base64 or utf-8.")


def _list_of_objects(body: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    found = body.get(key)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise bad_request(f"The request's body needs a list of objects {key!r}.")
    return iter(found)


def _size_of(item: dict[str, Any]) -> int:
    size = item.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise bad_request("A file's 'size' must be a whole number of bytes.")
    return size


def xet_token(request: Request) -> Response:
    """Decline the Xet protocol. Its client shows nothing of a refusal but the address, so that says why."""
    access.see(store_of(request), place_of(request), caller_of(request))
    return RedirectResponse(f"{endpoint_of(request)}/{_NO_XET}")


def no_xet(request: Request) -> Response:
    """Where clients that insist on Xet end."""
    raise bad_request(
        "This hub stores large files by Git LFS and does not speak the Xet protocol. Set "
        "HF_HUB_DISABLE_XET=1 before importing huggingface_hub (or uninstall hf_xet) and try again."
    )


_API = "/api/{kind:kind}/{repo:repo}"
_LFS = "/{kind:prefix}{repo:repo}.git/info/lfs"

ROUTES = [
    Route(f"{_API}/preupload/{{revision}}", preupload, methods=["POST"]),
    Route(f"{_API}/commit/{{revision}}", create_commit, methods=["POST"]),
    Route(f"{_API}/xet-write-token/{{revision}}", xet_token, methods=["GET"]),
    Route(f"{_API}/xet-read-token/{{revision}}", xet_token, methods=["GET"]),
    Route(f"{_LFS}/objects/batch", lfs_batch, methods=["POST"]),
    Route(f"{_LFS}/verify", lfs_verify, methods=["POST"]),
    Route(f"/{_NO_XET}", no_xet, methods=["GET"]),
    Route("/{kind:prefix}{repo:repo}/lfs/{oid}", lfs_upload, methods=["PUT"]),
]
