"""The notebooks as a learner gets them: no solutions, no outputs."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat

from classroom import notebooks, saved_outputs

SOLUTION_TAG = "solution"


def write_student_edition(root: Path, target: Path) -> list[Path]:
    """Write every notebook under `root` into `target`, without solution cells and outputs, and the index.

    Args:
        root: the folder `notebooks`.
        target: a folder that does not exist yet, or is empty.

    Returns:
        The files written.

    Raises:
        FileExistsError: there is something in `target` already.
    """
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{target} is not empty; name a new folder, so that no learner's work is lost.")
    written = []
    for path in notebooks.find_notebooks(root):
        copy = target / path.parent.name / path.name
        notebooks.write(copy, without_solutions(notebooks.read(path)))
        written.append(copy)
    if (root / "README.md").is_file():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / "README.md", target / "README.md")
    return written


def without_solutions(content: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy of a notebook without the cells tagged `solution`, and without outputs."""
    student = saved_outputs.without_outputs(content)
    student.cells = [cell for cell in student.cells if SOLUTION_TAG not in notebooks.tags_of(cell)]
    return student
