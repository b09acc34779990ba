"""What the hub says when it refuses: one exception class, one named constructor a reason.

The status codes, the `X-Error-Code` values and a few fixed sentences are those of the real hub, because its
clients choose their own exception class (`RepositoryNotFoundError`, `GatedRepoError` ...) by them.
"""

from __future__ import annotations

from typing import Any


class HubError(Exception):
    """A refusal with everything that a response needs.

    Args:
        status: HTTP status.
        message: one sentence for the person who reads it; sent as `X-Error-Message` and in the body.
        code: value of `X-Error-Code`, None where the real hub sends none.
        headers: further response headers.
        details: further members of the JSON body.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        headers: dict[str, str] | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers or {}
        self.details = details or {}


def bad_request(message: str) -> HubError:
    """400: the request itself is wrong."""
    return HubError(400, message)


def invalid_token() -> HubError:
    """401: a token was sent that nobody owns. The client recognises this very sentence."""
    return HubError(401, "Invalid credentials in Authorization header")


def login_required() -> HubError:
    """401: the request needs a user and none is known."""
    return HubError(401, "Invalid username or password.")


def repo_not_found(repo_id: str, *, anonymous: bool) -> HubError:
    """404, or 401 to somebody unknown: as on the real hub nobody learns that a private repository exists."""
    if anonymous:
        return HubError(401, "Invalid username or password.", "RepoNotFound")
    return HubError(404, f"Repository not found: {repo_id}", "RepoNotFound")


def gated(repo_id: str, *, anonymous: bool) -> HubError:
    """401 or 403: the repository can be seen, its files only after access was granted."""
    if anonymous:
        return HubError(
            401,
            f"Access to {repo_id} is restricted. You must have access to it and be authenticated to access "
            "it. Please log in.",
            "GatedRepo",
        )
    return HubError(
        403, f"Access to {repo_id} is restricted and you are not in the authorized list.", "GatedRepo"
    )


def revision_not_found(revision: str) -> HubError:
    """404: no branch, tag, pull request or commit of that name."""
    return HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def entry_not_found(path: str) -> HubError:
    """404: the revision exists, the file does not."""
    return HubError(404, f"Entry not found: {path}", "EntryNotFound")


def forbidden(message: str) -> HubError:
    """403: the user is known and may not."""
    return HubError(403, message)


def conflict(message: str) -> HubError:
    """409: it exists already, or somebody was faster."""
    return HubError(409, message)


def outdated(message: str) -> HubError:
    """412: the caller has seen another revision than the newest."""
    return HubError(412, message)


def too_long(most: int) -> HubError:
    """413: the body is longer than the hub takes."""
    return HubError(413, f"The request's body is longer than {most} bytes.")
