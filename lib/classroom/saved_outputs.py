"""Outputs as they are kept in the repository: the same on every machine, for the same results."""

from __future__ import annotations

import configparser
import functools
import re
from pathlib import Path

import nbformat

from classroom import notebooks, paths

_WIDGET = "application/vnd.jupyter.widget-view+json"
RULES = Path(__file__).with_name("sanitize.cfg")
_PROGRESS_BAR = re.compile(r"\d+%\||it/s\]|\r")


def with_outputs_of(source: nbformat.NotebookNode, executed: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return `source` with the outputs of its executed copy, cleaned, and with the course's metadata.

    Cells are matched by their id, so that what a runner injected does not count.

    Raises:
        KeyError: a code cell of the source is not in the executed copy.
    """
    results = {cell.id: cell for cell in executed.cells if cell.cell_type == "code"}
    saved = nbformat.from_dict({**source, "metadata": dict(notebooks.METADATA)})
    number = 0
    for cell in saved.cells:
        cell.metadata = nbformat.from_dict(_kept_metadata(cell))
        if cell.cell_type != "code":
            continue
        outputs = [cleaned(output) for output in results[cell.id].outputs]
        cell.outputs = _with_joined_streams([output for output in outputs if output is not None])
        number += 1
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number
    return saved


def without_outputs(content: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy of a notebook with no outputs and no execution numbers."""
    empty = nbformat.from_dict({**content, "metadata": dict(notebooks.METADATA)})
    for cell in empty.cells:
        cell.metadata = nbformat.from_dict(_kept_metadata(cell))
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return empty


def cleaned(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """Return `output` without what differs from run to run; None when nothing of it can be kept."""
    kept = nbformat.from_dict(dict(output))
    if kept.output_type == "stream":
        if kept.name == "stderr" and _PROGRESS_BAR.search(kept.text):
            return None
        kept.text = portable(kept.text)
    elif kept.output_type in ("display_data", "execute_result"):
        if _WIDGET in kept.data:
            return None
        kept.data = nbformat.from_dict(
            {
                kind: portable(value) if isinstance(value, str) and kind != "image/png" else value
                for kind, value in kept.data.items()
            }
        )
    elif kept.output_type == "error":
        kept.traceback = [portable(line) for line in kept.traceback]
        kept.evalue = portable(kept.evalue)
    return kept


def portable(text: str) -> str:
    """Replace ports, memory addresses and this machine's folders in `text` by fixed words."""
    for folder, name in _machine_folders():
        text = text.replace(f"{folder}/", f"{name}/" if name else "").replace(folder, name or ".")
    for pattern, replacement in _rules():
        text = pattern.sub(replacement, text)
    return text


@functools.cache
def _rules() -> list[tuple[re.Pattern[str], str]]:
    parser = configparser.RawConfigParser()
    parser.read_string(RULES.read_text(encoding="utf-8"))
    return [(re.compile(parser[name]["regex"]), parser[name]["replace"]) for name in parser.sections()]


def _machine_folders() -> list[tuple[str, str]]:
    """Folders of this machine with what stands for them, the longest first."""
    root = paths.repository_root()
    known = [(str(paths.home()), ".classroom"), (str(Path.home()), "~")]
    if root is not None:
        known.append((str(root), ""))
    return sorted(known, key=lambda pair: -len(pair[0]))


def _kept_metadata(cell: nbformat.NotebookNode) -> dict[str, object]:
    """A cell's metadata without what a run or an editor left in it."""
    kept: dict[str, object] = {}
    if tags := [tag for tag in notebooks.tags_of(cell) if tag != "injected-parameters"]:
        kept["tags"] = sorted(tags)
    if hidden := cell.metadata.get("jupyter"):
        kept["jupyter"] = dict(hidden)
    return kept


def _with_joined_streams(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Join neighbouring pieces of the same stream: how they were cut is an accident of timing."""
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if (
            last is not None
            and output.output_type == last.output_type == "stream"
            and output.name == last.name
        ):
            last.text += output.text
        else:
            joined.append(output)
    return joined
