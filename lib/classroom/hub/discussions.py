"""Discussions and pull requests of a repository, kept in one file beside its git objects.

A pull request is a discussion with a reference `refs/pr/N` that its commits are on.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from classroom.atomic import write_text
from classroom.hub.describe import timestamp
from classroom.hub.errors import HubError, bad_request
from classroom.hub.repository import Repository

_FILE = "discussions.json"
_SHORTEST_TITLE, _LONGEST_TITLE = 3, 200


class Discussions:
    """All discussions of one repository; change them under the repository's lock.

    Args:
        repository: whose discussions.
    """

    def __init__(self, repository: Repository) -> None:
        self._file = repository.path / _FILE
        self.items: list[dict[str, Any]] = []
        if self._file.is_file():
            self.items = json.loads(self._file.read_text(encoding="utf-8"))

    def save(self) -> None:
        """Write them back, all or none."""
        write_text(self._file, json.dumps(self.items, indent=1))

    def get(self, num: int) -> dict[str, Any]:
        """Discussion number `num` (from 1); 404 when there is none."""
        if not 1 <= num <= len(self.items):
            raise HubError(404, f"There is no discussion number {num}.")
        return self.items[num - 1]

    def open(
        self, title: str, description: str, author: str, *, base: str | None = None, draft: bool = False
    ) -> int:
        """Open a discussion, or a pull request against the branch `base`; returns its number."""
        num = len(self.items) + 1
        self.items.append(
            {
                "num": num,
                "title": check_title(title),
                "status": "draft" if draft else "open",
                "isPullRequest": base is not None,
                "author": author,
                "createdAt": timestamp(int(time.time())),
                "base": base,
                "mergeCommitId": None,
                "events": [],
            }
        )
        self.add_comment(num, author, description)
        return num

    def add_event(self, num: int, author: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Append an event and return it as clients read it."""
        event = {
            "id": uuid.uuid4().hex[:24],
            "type": kind,
            "createdAt": timestamp(int(time.time())),
            "author": {"name": author},
            "data": data,
        }
        self.get(num)["events"].append(event)
        return event

    def add_comment(self, num: int, author: str, text: str) -> dict[str, Any]:
        """Append a comment."""
        data = {
            "edited": False,
            "hidden": False,
            "latest": {"raw": text, "html": "", "updatedAt": "", "author": {"name": author}},
        }
        return self.add_event(num, author, "comment", data)

    def comment(self, num: int, comment_id: str) -> dict[str, Any]:
        """A comment by its id; 404 when there is none."""
        for event in self.get(num)["events"]:
            if event["id"] == comment_id and event["type"] == "comment":
                return event
        raise HubError(404, f"Discussion {num} has no comment {comment_id[:40]!r}.")

    def set_status(self, num: int, author: str, status: str) -> dict[str, Any]:
        """Open, close or merge; returns the event."""
        self.get(num)["status"] = status
        return self.add_event(num, author, "status-change", {"status": status})


def check_title(title: str) -> str:
    """The title without blanks around it; 400 when it is too short or too long."""
    title = title.strip()
    if not _SHORTEST_TITLE <= len(title) <= _LONGEST_TITLE:
        raise bad_request(
            f"A title must have {_SHORTEST_TITLE} to {_LONGEST_TITLE} characters; this one has {len(title)}."
        )
    return title
