"""A course of two small notebooks, made for each test that asks for it."""

from __future__ import annotations

import nbformat
import pytest
from classroom import notebooks
from nbformat import v4


def _cell(kind: str, source: str, identifier: str, *tags: str) -> nbformat.NotebookNode:
    make = v4.new_markdown_cell if kind == "markdown" else v4.new_code_cell
    cell = make(source, id=identifier)
    if tags:
        cell.metadata["tags"] = list(tags)
    return cell


def _notebook(number: str, title: str, needs: str) -> nbformat.NotebookNode:
    first = (
        f"# {number} · {title}: and more of it\n\nYou see how it\nworks.\n\n"
        f"**You will**\n\n- do this\n- do that\n\n**Needs** {needs}\n\n"
        "**Time** 5 s on two cores\n\n**Mirrors** a page"
    )
    cells = [
        _cell("markdown", first, "title"),
        _cell("code", "print('started')", "start"),
        _cell("code", "size = 3", "parameters", "parameters"),
        _cell("code", "# NBVAL_CHECK_OUTPUT\nlist(range(size))", "range"),
        _cell("code", "answer = ...", "exercise"),
        _cell("code", "answer = sum(range(size))\nanswer", "solution", "solution"),
    ]
    return v4.new_notebook(cells=cells, metadata=notebooks.METADATA)


@pytest.fixture
def course(tmp_path):
    """Folder `notebooks` with 00_first in part 0 and 10_second in part 1."""
    root = tmp_path / "notebooks"
    notebooks.write(root / "0_start" / "00_first.ipynb", _notebook("00", "First", "nothing"))
    second = _notebook("10", "Second | third", "[00](../0_start/00_first.ipynb)")
    notebooks.write(root / "1_tutorials" / "10_second.ipynb", second)
    (root / "README.md").write_text("by hand\n")
    (root / "0_start" / "notes.ipynb").write_text("{}")
    return root
