"""Fixtures for all tests: no test touches the reader's own cache or token; a hub runs where asked for."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

# A property is true or false; how long an example took says how busy the machine was.
hypothesis.settings.register_profile("project", deadline=None)
hypothesis.settings.load_profile("project")

# The clients read these once, when they are imported: they must be set before any test module is.
_home = tempfile.mkdtemp(prefix="nanoformers-tests-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
for _name in ("HF_TOKEN", "HF_ENDPOINT", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE"):
    os.environ.pop(_name, None)
os.environ["HF_HOME"] = _home
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_XET"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"

if TYPE_CHECKING:
    from classroom.hub import HubServer, Store


@pytest.fixture(scope="session")
def hub_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store in a temporary folder, with the course's repositories in it."""
    from classroom.hub import Store, seed

    store = Store(tmp_path_factory.mktemp("hub"))
    seed(store)
    return store


@pytest.fixture(scope="session")
def hub(hub_store: Store) -> Iterator[HubServer]:
    """A running hub over `hub_store`. A test that stops it starts it again."""
    from classroom.hub import HubServer

    with HubServer(hub_store) as server:
        yield server


@pytest.fixture
def hub_environment(hub: HubServer, tmp_path: Path) -> dict[str, str]:
    """Environment for a process that uses the hub as `learner`, with a cache of its own."""
    unwanted = ("HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
    inherited = {name: value for name, value in os.environ.items() if name not in unwanted}
    return inherited | {
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(tmp_path / "hf_home"),
        "HF_TOKEN": "hf_learner_write",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture
def run_python(hub_environment: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    """Run Python code in a process that uses the hub; returns what it printed, raises when it fails."""

    def run(code: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=hub_environment | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run
