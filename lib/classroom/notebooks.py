"""The course's notebooks as files: which there are, what their first cell promises, how they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from classroom.atomic import write_text

_FILE = re.compile(r"^(?P<number>\d{2,3})_(?P<topic>\w+)\.ipynb$")
_PART = re.compile(r"^\d_(?P<name>\w+)$")
_TITLE = re.compile(r"^# (?P<number>\d{2,3}) · (?P<title>.+)$")
_FIELD = re.compile(r"^\*{1,2}(?P<name>You will|Needs|Time|Mirrors)[:.]?\*{1,2}[:.]?\s*(?P<text>.*)$")
BADGES = re.compile(r"<!-- badges -->\n(?:.*?\n)??<!-- /badges -->\n*", re.DOTALL)
METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class NotebookFormError(ValueError):
    """A notebook lacks a part that every notebook of the course has."""


@dataclass(frozen=True)
class Notebook:
    """One notebook of the course, and what its first cell says of it.

    Attributes:
        path: the file.
        number: as in the file's name, such as "03".
        title: without the number.
        promise: the paragraph under the title.
        outcomes: what the learner will be able to do.
        needs, time, mirrors: the fields of these names, as Markdown; empty where missing.
    """

    path: Path
    number: str
    title: str
    promise: str
    outcomes: tuple[str, ...]
    needs: str
    time: str
    mirrors: str

    @property
    def part(self) -> str:
        """Name of its folder, such as "0_start"."""
        return self.path.parent.name

    @property
    def short_title(self) -> str:
        """The title up to its first colon, for links."""
        return self.title.partition(":")[0].strip()


def find_notebooks(root: Path) -> list[Path]:
    """Return the course's notebooks under `root` (the folder `notebooks`), in the order of their numbers."""
    found = [
        path for path in root.glob("*/*.ipynb") if _FILE.match(path.name) and _PART.match(path.parent.name)
    ]
    return sorted(found, key=lambda path: (int(number_of(path)), path.name))


def number_of(path: Path) -> str:
    """Return the number in a notebook's file name, such as "03".

    Raises:
        NotebookFormError: the name is not `NN_topic.ipynb`.
    """
    match = _FILE.match(path.name)
    if match is None:
        raise NotebookFormError(f"{path.name}: a notebook of the course is called NN_topic.ipynb.")
    return match["number"]


def part_title(folder: str) -> str:
    """Return the heading for a part's folder: "0_start" gives "Start"."""
    match = _PART.match(folder)
    return (match["name"] if match else folder).replace("_", " ").capitalize()


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook file.

    Raises:
        NotebookFormError: it is not a notebook in the current format (version 4.5, with cell ids).
    """
    try:
        content = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        nbformat.validate(content)
    except (ValueError, KeyError, nbformat.ValidationError) as error:
        raise NotebookFormError(f"{path.name} is no valid notebook: {str(error).splitlines()[0]}") from error
    if (content.nbformat, content.nbformat_minor) < (4, 5):
        raise NotebookFormError(f"{path.name} has an old format; open and save it once with JupyterLab 4.")
    return content


def written(content: nbformat.NotebookNode) -> str:
    """Return the text of a notebook file: sorted keys, one space of indent, one line end at the end."""
    return nbformat.writes(content).rstrip("\n") + "\n"


def write(path: Path, content: nbformat.NotebookNode) -> bool:
    """Write a notebook when it differs from the file; return whether it did."""
    text = written(content)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
    return True


def describe(path: Path) -> Notebook:
    """Read a notebook's first cell.

    Raises:
        NotebookFormError: the first cell does not begin with `# NN · Title`, or the number is not the file's.
    """
    cells = read(path).cells
    if not cells or cells[0].cell_type != "markdown":
        raise NotebookFormError(f"{path.name} must begin with a Markdown cell that holds its title.")
    lines = BADGES.sub("", cells[0].source).splitlines()
    heading = _TITLE.match(lines[0]) if lines else None
    if heading is None or heading["number"] != number_of(path):
        raise NotebookFormError(f"{path.name} must begin with '# {number_of(path)} · Title'.")
    promise, fields = _paragraphs(lines[1:])
    outcomes = tuple(
        line[2:].strip() for line in fields.get("You will", "").splitlines() if line.startswith("- ")
    )
    return Notebook(
        path=path,
        number=heading["number"],
        title=heading["title"].strip(),
        promise=promise,
        outcomes=outcomes,
        needs=_joined(fields.get("Needs", "")),
        time=_joined(fields.get("Time", "")),
        mirrors=_joined(fields.get("Mirrors", "")),
    )


def _paragraphs(lines: list[str]) -> tuple[str, dict[str, str]]:
    """Split what follows the title into the promise and the named fields."""
    promise: list[str] = []
    fields: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lines:
        field = _FIELD.match(line.strip())
        if field is not None:
            current = fields.setdefault(field["name"], [])
            current.append(field["text"])
        elif current is not None:
            current.append(line)
        else:
            promise.append(line)
    return _joined("\n".join(promise)), {name: "\n".join(text).strip() for name, text in fields.items()}


def _joined(text: str) -> str:
    return " ".join(text.split())


def tags_of(cell: nbformat.NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return list(cell.metadata.get("tags", []))
