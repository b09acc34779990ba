"""Verdicts in a file, for whoever executes a notebook and wants to know what its answers were worth."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from classroom.exercises.verdict import Verdict

VARIABLE = "CLASSROOM_VERDICTS"
"""Environment variable that names the file; where it is not set, nothing is recorded."""


def record(verdict: Verdict) -> None:
    """Append `verdict` as a line of JSON to the file that the environment names, if it names one."""
    name = os.environ.get(VARIABLE)
    if name:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(verdict)) + "\n")


def recorded(file: Path) -> dict[str, Verdict]:
    """Return the last verdict of each exercise in `file`; a line that is none (say, cut short) is skipped."""
    if not file.is_file():
        return {}
    found = (_verdict(line) for line in file.read_text(encoding="utf-8", errors="replace").splitlines())
    return {verdict.exercise: verdict for verdict in found if verdict is not None}


def _verdict(line: str) -> Verdict | None:
    try:
        verdict = Verdict(**json.loads(line))
    except (ValueError, TypeError):
        return None
    is_one = all(isinstance(value, str) for value in asdict(verdict).values())
    return verdict if is_one and verdict.outcome in ("right", "wrong", "open") else None
