"""Fixtures for the metric repositories: load one from its folder, or run their examples against the hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from classroom.hub import HubServer

SPACES = Path(__file__).parents[2] / "data" / "hub" / "spaces" / "evaluate-metric"
METRICS = sorted(folder.name for folder in SPACES.iterdir() if folder.is_dir())
RUN_EXAMPLES = Path(__file__).with_name("run_examples.py")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "metric_name" in metafunc.fixturenames:
        metafunc.parametrize("metric_name", METRICS)


@pytest.fixture(scope="session")
def spaces() -> Path:
    """The folder that holds the metric repositories."""
    return SPACES


@pytest.fixture
def load_metric(tmp_path: Path) -> Callable[..., Any]:
    """Load a metric by name from its folder, with its temporary files in memory."""
    import evaluate

    def load(name: str, config: str | None = None) -> Any:
        return evaluate.load(str(SPACES / name), config, keep_in_memory=True, cache_dir=str(tmp_path))

    return load


@pytest.fixture(scope="session")
def metric_environment(hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment for a process that loads metrics from the hub, into a cache of its own."""
    return os.environ | {
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(tmp_path_factory.mktemp("metrics")),
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="session")
def examples(metric_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of the README examples of all metrics, run in one process against the hub."""
    done = subprocess.run(
        [sys.executable, RUN_EXAMPLES, *(SPACES / name / "README.md" for name in METRICS)],
        env=metric_environment,
        cwd=tmp_path_factory.mktemp("examples"),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
