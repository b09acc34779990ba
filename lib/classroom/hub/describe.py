"""The JSON with which the hub describes repositories, trees and commits; its keys are the real hub's."""

from __future__ import annotations

from datetime import datetime, timezone
from html import escape
from typing import Any

from classroom.hub.cards import Card, card_of
from classroom.hub.repository import Entry, Repository, Revision
from classroom.hub.store import Facts, Place


def timestamp(when: int) -> str:
    """Seconds since 1970 as the hub writes a time: `2024-01-01T00:00:00.000Z`."""
    return datetime.fromtimestamp(when, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def describe_repository(
    place: Place, repository: Repository, facts: Facts, sha: str | None, *, blobs: bool = False
) -> dict[str, Any]:
    """Everything about one revision of a repository, as `model_info` and its sisters read it.

    Args:
        place: kind and id.
        repository: the repository.
        facts: what is known beside its content.
        sha: commit of the revision; None for a repository without commits.
        blobs: whether the files are listed with size and hashes.
    """
    found: dict[str, Any] = {
        "_id": f"{place.kind}:{place.repo_id}",
        "id": place.repo_id,
        "author": place.namespace,
        "sha": sha,
        "lastModified": timestamp(repository.revision(sha).when if sha else facts.created),
        "createdAt": timestamp(facts.created),
        "private": facts.private,
        "gated": facts.gated,
        "disabled": False,
        "likes": 0,
        "tags": [],
        "siblings": [],
    }
    if place.kind != "spaces":
        found["downloads"] = 0
    card = card_of(repository, sha, place.kind) if sha else None
    if card is not None:
        found |= {
            "tags": card.tags,
            "cardData": card.data,
            "siblings": [_describe_sibling(entry, blobs) for entry in card.manifest.files.values()],
            "usedStorage": sum(entry.size for entry in card.manifest.files.values()),
        }
    return found | _describe_kind(place, facts, card)


def _describe_kind(place: Place, facts: Facts, card: Card | None) -> dict[str, Any]:
    if place.kind == "models":
        found: dict[str, Any] = {"modelId": place.repo_id, "spaces": []}
        if card is not None:
            found |= {
                "library_name": card.library_name,
                "pipeline_tag": card.pipeline_tag,
                "config": card.config,
                "transformersInfo": card.transformers_info(),
                "safetensors": card.safetensors,
                "model-index": (card.data or {}).get("model-index"),
            }
        return {key: value for key, value in found.items() if value is not None}
    data = (card.data if card else None) or {}
    if place.kind == "datasets":
        return {"description": data.get("pretty_name", "")}
    return {
        "sdk": data.get("sdk", facts.sdk),
        "subdomain": place.repo_id.replace("/", "-").lower(),
        "models": [],
    }


def _describe_sibling(entry: Entry, blobs: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"rfilename": entry.path}
    if blobs:
        found |= {"blobId": entry.oid, "size": entry.size}
        if entry.large:
            pointer = entry.large
            found["lfs"] = {
                "sha256": pointer.sha256,
                "size": pointer.size,
                "pointerSize": len(pointer.to_bytes()),
            }
    return found


def describe_entry(entry: Entry, changed: Revision | None = None) -> dict[str, Any]:
    """A file as it appears in a tree listing; `changed` is the commit that touched it last."""
    found: dict[str, Any] = {"type": "file", "oid": entry.oid, "size": entry.size, "path": entry.path}
    if entry.large:
        pointer = entry.large
        found["lfs"] = {"oid": pointer.sha256, "size": pointer.size, "pointerSize": len(pointer.to_bytes())}
    return found | _describe_change(changed)


def describe_folder(path: str, oid: str, changed: Revision | None = None) -> dict[str, Any]:
    """A folder as it appears in a tree listing."""
    return {"type": "directory", "oid": oid, "size": 0, "path": path} | _describe_change(changed)


def _describe_change(changed: Revision | None) -> dict[str, Any]:
    if changed is None:
        return {}
    return {"lastCommit": {"id": changed.sha, "title": changed.title, "date": timestamp(changed.when)}}


def describe_commit(revision: Revision, *, formatted: bool = False) -> dict[str, Any]:
    """A commit as it appears in a history."""
    found: dict[str, Any] = {
        "id": revision.sha,
        "title": revision.title,
        "message": revision.body,
        "authors": [{"user": revision.author, "avatar": ""}],
        "date": timestamp(revision.when),
    }
    if formatted:
        found["formatted"] = {"title": escape(revision.title), "message": f"<p>{escape(revision.body)}</p>"}
    return found
