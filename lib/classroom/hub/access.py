"""Who may do what: every route asks here before it reads or writes a repository."""

from __future__ import annotations

from dataclasses import dataclass

from classroom.hub.accounts import Caller, User
from classroom.hub.errors import forbidden, gated, login_required, repo_not_found
from classroom.hub.repository import Author, Repository
from classroom.hub.store import Facts, Place, Store


class Moved(Exception):  # noqa: N818  (no error: an answer that names the new place)
    """The repository has another id now."""

    def __init__(self, place: Place, target: Place) -> None:
        super().__init__(f"{place.repo_id} moved to {target.repo_id}")
        self.place = place
        self.target = target


@dataclass(frozen=True)
class Opened:
    """A repository that the caller may see."""

    place: Place
    repository: Repository
    facts: Facts


def may_see(caller: Caller, place: Place, facts: Facts) -> bool:
    """Whether the caller may know that the repository exists."""
    return not facts.private or (caller.user is not None and caller.user.belongs_to(place.namespace))


def see(store: Store, place: Place, caller: Caller) -> Opened:
    """Open a repository for reading what is public about it.

    Raises:
        Moved: it has another id now.
        HubError: 401 or 404 RepoNotFound.
    """
    if not store.exists(place):
        target = store.moved_to(place)
        if target is not None and may_see(caller, target, store.facts(target)):
            raise Moved(place, target)
        raise repo_not_found(place.repo_id, anonymous=caller.anonymous)
    facts = store.facts(place)
    if not may_see(caller, place, facts):
        raise repo_not_found(place.repo_id, anonymous=caller.anonymous)
    return Opened(place, store.open(place), facts)


def read(store: Store, place: Place, caller: Caller) -> Opened:
    """Open a repository for reading its files; adds the question whether a gate is passed."""
    opened = see(store, place, caller)
    if opened.facts.gated:
        user = caller.user
        if user is None or not (user.belongs_to(place.namespace) or user.name in opened.facts.granted):
            raise gated(place.repo_id, anonymous=caller.anonymous)
    return opened


def writer(caller: Caller) -> User:
    """The user behind a request that changes something.

    Raises:
        HubError: 401 without a token, 403 with one that may only read.
    """
    if caller.user is None:
        raise login_required()
    if not caller.may_write:
        raise forbidden(
            "Your token may only read. You must use a token with the role 'write' to change something here."
        )
    return caller.user


def owner(caller: Caller, namespace: str) -> User:
    """The user behind a request that changes something in `namespace`; 403 when it belongs to others."""
    user = writer(caller)
    if not user.belongs_to(namespace):
        raise forbidden(f"You don't have the rights to write under the namespace {namespace!r}.")
    return user


def write(store: Store, place: Place, caller: Caller) -> tuple[Opened, User]:
    """Open a repository for changing it."""
    writer(caller)
    opened = see(store, place, caller)
    return opened, owner(caller, place.namespace)


def author_of(user: User) -> Author:
    """The user as git's author."""
    return Author(user.name, user.email)
