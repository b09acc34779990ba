from __future__ import annotations

import itertools
from collections.abc import Callable
from http.client import HTTPConnection
from typing import NamedTuple

import pytest
from classroom.hub import HubServer
from huggingface_hub import HfApi

_numbers = itertools.count()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def learner(hub: HubServer) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token="hf_learner_write")


@pytest.fixture
def instructor(hub: HubServer) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token="hf_instructor_write")


@pytest.fixture
def reader(hub: HubServer) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token="hf_learner_read")


@pytest.fixture
def anonymous(hub: HubServer) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token=False)


@pytest.fixture
def new_repo(learner: HfApi) -> Callable[..., str]:
    """Create a repository of the learner's with a name of its own; returns its id."""

    def create(**settings: object) -> str:
        repo_id = f"learner/test-{next(_numbers)}"
        kind = settings.get("repo_type")
        learner.create_repo(repo_id, **settings)
        learner.upload_file(
            path_or_fileobj=b"---\nlicense: mit\n---\n# one\n",
            path_in_repo="README.md",
            repo_id=repo_id,
            repo_type=kind,
        )
        return repo_id

    return create


@pytest.fixture
def ask(hub: HubServer) -> Callable[..., Answer]:
    """Send a request whose address is exactly what is given: no client in between that tidies it."""

    def send(method: str, target: str, *, body: bytes | str | None = None, **headers: str) -> Answer:
        connection = HTTPConnection(hub.host, hub.port, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body=body, headers=named)
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, fields, response.read())
        finally:
            connection.close()

    return send
