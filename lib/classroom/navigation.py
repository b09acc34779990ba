"""What ties the notebooks together, written into all of them from here: links, the start cell, the index."""

from __future__ import annotations

import importlib.metadata
import itertools
import os
import re
from pathlib import Path

from classroom import notebooks
from classroom.atomic import write_text
from classroom.notebooks import BADGES, Notebook, NotebookFormError

_BRANCH = "main"
_ADDRESS_LABELS = ("repository", "source", "homepage")
_RELATIVE_LINK = re.compile(r"\]\((?!\w+:|[/#])([^)\s]+)")
START_TAG = "start"


def project_address() -> str:
    """Return the project's address, which stands in one place: `[project.urls]` of pyproject.toml.

    Raises:
        LookupError: the installed package names none.
    """
    entries = importlib.metadata.metadata("nanoformers").get_all("Project-URL") or []
    urls = {
        label.strip().lower(): url.strip() for label, _, url in (entry.partition(",") for entry in entries)
    }
    for label in _ADDRESS_LABELS:
        if label in urls:
            return urls[label].rstrip("/")
    raise LookupError(
        "pyproject.toml has no `Repository` under [project.urls]; after a change: pip install -e ."
    )


def start_cell(address: str) -> str:
    """Return the source of the start cell, the same in every notebook."""
    return (
        "try:\n"
        "    import classroom\n"
        "except ModuleNotFoundError:  # in Colab, the course installs itself first\n"
        f'    %pip install --quiet "nanoformers[course] @ git+{address}"\n'
        "    import classroom\n"
        "room = classroom.start()"
    )


def badge_line(notebook: Notebook, before: Notebook | None, after: Notebook | None, address: str) -> str:
    """Return the line under a notebook's title, between its markers: Colab, previous, index, next.

    All are words: a picture would be fetched from elsewhere each time the notebook is opened.
    """
    repository = address.partition("github.com/")[2]
    place = f"notebooks/{notebook.part}/{notebook.path.name}"
    links = [f"[Open in Colab](https://colab.research.google.com/github/{repository}/blob/{_BRANCH}/{place})"]
    if before is not None:
        links.append(f"[← {before.number} {before.short_title}]({_relative(notebook, before)})")
    links.append("[All notebooks](../README.md)")
    if after is not None:
        links.append(f"[{after.number} {after.short_title} →]({_relative(notebook, after)})")
    return "<!-- badges -->\n" + " · ".join(links) + "\n<!-- /badges -->"


def write_badges(root: Path, *, check: bool = False) -> list[Path]:
    """Bring the badge line and the start cell of every notebook under `root` up to date.

    Args:
        root: the folder `notebooks`.
        check: change nothing.

    Returns:
        The notebooks that were, or (with `check`) would be, changed.
    """
    address = project_address()
    course = [notebooks.describe(path) for path in notebooks.find_notebooks(root)]
    stale = []
    for position, notebook in enumerate(course):
        before = course[position - 1] if position else None
        after = course[position + 1] if position + 1 < len(course) else None
        content = notebooks.read(notebook.path)
        title = content.cells[0]
        title.source = _with_badges(title.source, badge_line(notebook, before, after, address))
        for cell in content.cells:
            if START_TAG in notebooks.tags_of(cell):
                cell.source = start_cell(address)
        if notebooks.written(content) == notebook.path.read_text(encoding="utf-8"):
            continue
        stale.append(notebook.path)
        if not check:
            notebooks.write(notebook.path, content)
    return stale


def index_text(root: Path) -> str:
    """Return the text of `notebooks/README.md`, made from the notebooks' first cells."""
    course = [notebooks.describe(path) for path in notebooks.find_notebooks(root)]
    lines = [
        "# The notebooks",
        "",
        "<!-- Made by `classroom index` from the first cell of each notebook: change it there. -->",
        "",
        "Work through part 0 first; after that, follow what each notebook *needs*. "
        "Times are for two processor cores and the default parameters.",
    ]
    for folder, group in itertools.groupby(course, key=lambda notebook: notebook.part):
        lines += [
            "",
            f"## {notebooks.part_title(folder)}",
            "",
            "| | notebook | what it gives you | time | needs |",
        ]
        lines.append("|---|---|---|---|---|")
        lines += [_index_row(notebook) for notebook in group]
    return "\n".join(lines) + "\n"


def write_index(root: Path, *, check: bool = False) -> bool:
    """Bring `README.md` in `root` up to date; return whether it was (or, with `check`, is) stale."""
    path, text = root / "README.md", index_text(root)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    if not check:
        write_text(path, text)
    return True


def _with_badges(source: str, line: str) -> str:
    """Put `line` under the title, in place of any there is."""
    title, _, rest = BADGES.sub("", source).partition("\n")
    if not title.startswith("# "):
        raise NotebookFormError(f"The first cell must begin with a title, not {title!r}.")
    return "\n\n".join(part for part in (title, line, rest.strip("\n")) if part)


def _relative(here: Notebook, there: Notebook) -> str:
    return there.path.name if there.part == here.part else f"../{there.part}/{there.path.name}"


def _index_row(notebook: Notebook) -> str:
    link = f"[{notebook.title}]({notebook.path.name})"
    fields = (notebook.number, link, notebook.promise, notebook.time.rstrip("."), notebook.needs.rstrip("."))
    return "| " + " | ".join(_moved(field, notebook.part).replace("|", "\\|") for field in fields) + " |"


def _moved(markdown: str, part: str) -> str:
    """Make links that are relative to a notebook's folder relative to the folder above it."""
    return _RELATIVE_LINK.sub(
        lambda link: "](" + os.path.normpath(f"{part}/{link[1]}").replace(os.sep, "/"), markdown
    )
