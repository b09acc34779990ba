"""Who may use the hub: two users with well-known tokens, and the organisations of the course.

The tokens are no secrets: they exist so that lessons can show what a token is for. A hub that anybody outside
the class can reach must not hold anything that matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from classroom.hub.errors import invalid_token


@dataclass(frozen=True)
class User:
    """A person on the hub.

    Attributes:
        name: user name, also the namespace that belongs to this user.
        fullname: shown in commits.
        organizations: namespaces in which the user may write and read private repositories.
    """

    name: str
    fullname: str
    organizations: frozenset[str] = frozenset()

    @property
    def email(self) -> str:
        """Address for git commits; the domain can never exist."""
        return f"{self.name}@classroom.invalid"

    def belongs_to(self, namespace: str) -> bool:
        """Whether the user owns `namespace` or is a member of the organisation of that name."""
        return namespace == self.name or namespace in self.organizations


@dataclass(frozen=True)
class Caller:
    """Who sends a request: a user with a token that may or may not write, or nobody."""

    user: User | None = None
    may_write: bool = False
    token_name: str = ""

    @property
    def anonymous(self) -> bool:
        """Whether no token was sent."""
        return self.user is None


SHARED_ORGANIZATIONS = frozenset({"my-awesome-org", "classroom"})
COURSE_ORGANIZATIONS = frozenset({"nanoformers", "toyland", "evaluate-metric", "sentence-transformers"})

USERS = {
    "learner": User("learner", "A learner", SHARED_ORGANIZATIONS),
    "instructor": User("instructor", "The instructor", SHARED_ORGANIZATIONS | COURSE_ORGANIZATIONS),
}


def token_of(user: str, role: str = "write") -> str:
    """The well-known token of `user`; `role` is 'read' or 'write'."""
    if user not in USERS or role not in ("read", "write"):
        raise ValueError(
            f"No token for user {user!r} with role {role!r}; users: {sorted(USERS)}, roles: read, write."
        )
    return f"hf_{user}_{role}"


TOKENS = {token_of(user, role): (user, role) for user in USERS for role in ("read", "write")}


def caller_of(authorization: str | None) -> Caller:
    """The caller behind an `Authorization` header.

    Raises:
        HubError: 401 when a token is sent that nobody owns (a wrong token is never taken for no token).
    """
    if not authorization:
        return Caller()
    scheme, _, token = authorization.partition(" ")
    owner = TOKENS.get(token.strip())
    if scheme.lower() != "bearer" or owner is None:
        raise invalid_token()
    name, role = owner
    return Caller(USERS[name], may_write=role == "write", token_name=role)


def describe_caller(caller: Caller) -> dict[str, Any]:
    """What `whoami` answers for a known caller."""
    assert caller.user is not None
    user = caller.user
    return {
        "type": "user",
        "id": user.name,
        "name": user.name,
        "fullname": user.fullname,
        "email": user.email,
        "emailVerified": True,
        "canPay": False,
        "isPro": False,
        "periodEnd": None,
        "avatarUrl": "",
        "orgs": [
            {
                "type": "org",
                "id": name,
                "name": name,
                "fullname": name,
                "email": None,
                "canPay": False,
                "periodEnd": None,
                "avatarUrl": "",
                "roleInOrg": "write",
                "isEnterprise": False,
            }
            for name in sorted(user.organizations)
        ],
        "auth": {
            "type": "access_token",
            "accessToken": {
                "displayName": caller.token_name,
                "role": caller.token_name,
                "createdAt": "2024-01-01T00:00:00.000Z",
            },
        },
    }
