"""Fixtures for the example scripts: a cache and small files of their own, and processes that run them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from classroom import toyland
from classroom.paths import examples_root

if TYPE_CHECKING:
    from classroom.hub import HubServer

SCRIPTS = examples_root() / "pytorch"


@pytest.fixture(scope="session")
def environment(hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of the processes: the hub as `learner`, one cache for all of them, a single thread."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("HF_", "ACCELERATE"))
    }
    return inherited | {
        "ACCELERATE_USE_CPU": "true",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(tmp_path_factory.mktemp("hf_home")),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_XET": "1",
        "HF_TOKEN": "hf_learner_write",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="session")
def run_scripts(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Mapping[str, str]], dict[str, dict[str, str]]]:
    """Run {name: command line} in one process; returns {name: {"printed": ..., "error": ...}}."""

    def run(commands: Mapping[str, str]) -> dict[str, dict[str, str]]:
        folder = tmp_path_factory.mktemp("runs")
        asked = folder / "asked.json"
        asked.write_text(json.dumps({name: words_of(line) for name, line in commands.items()}))
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("run_scripts.py")), str(asked)],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=290,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return {name: json.loads((folder / f"{name}.json").read_text()) for name in commands}

    return run


def words_of(line: str) -> list[str]:
    """Return a command line as a list whose first word is the script's path; ~ stands for a space."""
    script, *words = line.split()
    return [str(SCRIPTS / script), *(word.replace("~", " ") for word in words)]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small files of several kinds, as a reader may have them."""
    folder = tmp_path_factory.mktemp("files")
    pairs = toyland.rows("entailment", 40)
    names = ("follows", "open", "wrong")
    write_csv(
        folder / "claims.csv",
        [{"told": p["premise"], "claim": p["hypothesis"], "verdict": names[p["label"]]} for p in pairs],
    )
    texts = toyland.rows("sentiment", 40)
    write_lines(folder / "stars.jsonl", [{"text": t["text"], "label": t["label"] / 2} for t in texts])
    write_lines(
        folder / "moods.jsonl",
        [{"text": t["text"], "label": ["good", "short"][: 1 + t["label"] % 2]} for t in texts],
    )
    stories = toyland.rows("headlines", 40)
    write_lines(folder / "news.jsonl", [{"body": s["story"], "top": s["headline"]} for s in stories])
    (folder / "stories.txt").write_text("".join(s["story"] + "\n" for s in stories), encoding="utf-8")
    translations = [row["translation"] for row in toyland.rows("en-fr", 30)]
    write_csv(folder / "pairs.csv", translations)
    write_mnli(folder / "mnli", pairs)
    return folder


def write_mnli(folder: Path, pairs: list[dict[str, Any]]) -> None:
    """Write a data set with the splits and columns of GLUE's MNLI; its test sets have no labels."""
    folder.mkdir()
    splits = {"train": pairs[:30], "validation_matched": pairs[30:38], "validation_mismatched": pairs[20:30]}
    unknown = [{**pair, "label": -1} for pair in pairs[38:]]
    splits |= {"test_matched": unknown, "test_mismatched": unknown}
    files = "".join(f"  - split: {name}\n    path: {name}.jsonl\n" for name in splits)
    labels = enumerate(("follows", "open", "wrong"))
    names = "".join(f"          '{number}': {name}\n" for number, name in labels)
    (folder / "README.md").write_text(
        f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}"
        "dataset_info:\n  config_name: default\n  features:\n  - name: premise\n    dtype: string\n"
        "  - name: hypothesis\n    dtype: string\n  - name: label\n    dtype:\n      class_label:\n"
        f"        names:\n{names}---\n"
    )
    for name, rows in splits.items():
        write_lines(folder / f"{name}.jsonl", rows)


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
