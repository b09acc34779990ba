"""Every notebook runs, and shows again what its saved outputs show."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from classroom import notebooks, paths
from classroom.execution import execute, kernel_environment
from classroom.saved_outputs import RULES

COURSE = notebooks.find_notebooks(paths.notebooks_root())
SECONDS = 300
each_notebook = pytest.mark.parametrize("path", COURSE, ids=[path.stem for path in COURSE])


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 60)
@each_notebook
def test_compared_outputs_come_out_again(path, tmp_path):
    """nbval, in a process with an empty client cache: notebooks can be tested at the same time."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval-lax",
        "--nbval-current-env",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    command += ["--nbval-sanitize-with", str(RULES), "--nbval-cell-timeout", str(SECONDS), "--timeout", "0"]
    done = subprocess.run(
        [*command, "--rootdir", str(path.parent), str(path)],
        env=kernel_environment(tmp_path, threads=1),
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert re.search(r"\b[1-9]\d* passed", done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 60)
def test_a_notebook_runs_with_other_parameters(tmp_path):
    first = COURSE[0]
    outcome = execute(first, tmp_path / first.name, parameters=[("seed", "1")], timeout=SECONDS)
    assert outcome.ok, outcome.error
    injected = [
        cell
        for cell in notebooks.read(outcome.executed).cells
        if "injected-parameters" in notebooks.tags_of(cell)
    ]
    assert [cell.source.splitlines()[-1] for cell in injected] == ["seed = 1"]


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 60)
@each_notebook
def test_the_recipe_to_take_away_runs_alone(path, tmp_path):
    cells = notebooks.read(path).cells
    heading = next(number for number, cell in enumerate(cells) if "# Take it with you" in cell.source)
    recipe = next(cell.source for cell in cells[heading:] if cell.cell_type == "code")
    script = tmp_path / "recipe.py"
    script.write_text(f"import classroom\nclassroom.start()\n{recipe}\n", encoding="utf-8")
    environment = {**kernel_environment(tmp_path, threads=1), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, str(script)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
