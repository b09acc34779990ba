"""The web site is built without a warning, and begins at its first page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_site(tmp_path):
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "-c",
        "docs",
        "-b",
        "dirhtml",
        "-d",
        str(tmp_path / "trees"),
    ]
    done = subprocess.run([*command, ".", str(tmp_path / "site")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    assert 'url=docs/"' in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    reference = (tmp_path / "site" / "docs" / "reference" / "index.html").read_text(encoding="utf-8")
    for name in (
        "nanoformers.Trainer.training_step",
        "nanoformers.adapters.config.LoraConfig",
        "nanoformers.pipelines.pipeline",
    ):
        assert f'id="{name}"' in reference
