"""Handed-in notebooks: each executed apart from the others, and the verdicts on its answers collected.

Every notebook gets an empty folder to work in and a hub of its own, filled with the course's repositories:
what one learner uploads, renames or deletes is not there for the next. Its solution cells are left out, and
the address of the hub of a class is taken out of `classroom.start(...)`.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from rich.console import Console
from rich.markup import escape

from classroom import notebooks, paths
from classroom.execution import execute
from classroom.exercises.recording import VARIABLE, recorded
from classroom.exercises.registry import exercises_of
from classroom.exercises.verdict import Verdict
from classroom.parallel import in_parallel
from classroom.student_edition import SOLUTION_TAG

_TITLE = re.compile(r"^\s*# (\d{2,3}) · ")
_CHECK = re.compile(r"\bcheck\(\s*[\"'](\d{2,3})\.\d+[\"']")
_HUB_ADDRESS = re.compile(r"(\bstart\(\s*)(?:hub\s*=\s*)?[\"']https?://[^\"']*[\"']\s*,?\s*")


@dataclass(frozen=True)
class Paper:
    """A handed-in notebook and what its answers are worth.

    Attributes:
        file: the notebook.
        exercises: ids of the exercises that its notebook of the course has.
        verdicts: the last verdict on each exercise whose `check` was reached.
        error: the first error in it, in one line; None when every cell ran.
        executed: whether any of it was executed.
    """

    file: Path
    exercises: tuple[str, ...]
    verdicts: dict[str, Verdict]
    error: str | None = None
    executed: bool = True

    def outcome(self, exercise: str) -> str:
        """Return 'right', 'wrong', 'open' or 'not reached'; '' for an exercise of another notebook."""
        if exercise in self.verdicts:
            return self.verdicts[exercise].outcome
        return "not reached" if exercise in self.exercises else ""

    @property
    def right(self) -> int:
        """Number of right answers."""
        return sum(map(bool, self.verdicts.values()))

    @property
    def asked(self) -> int:
        """Number of exercises."""
        return len({*self.exercises, *self.verdicts})


def find_handed_in(places: Sequence[Path]) -> list[Path]:
    """Return the notebooks in `places`, which are files and folders; hidden ones in folders do not count.

    Raises:
        ValueError: a place that does not exist, is no notebook, or holds none.
    """
    found: dict[Path, None] = {}
    for place in places:
        if place.is_dir():
            inside = [
                path
                for path in sorted(place.rglob("*.ipynb"))
                if not any(part.startswith(".") for part in path.relative_to(place).parts)
            ]
        else:
            inside = [place] if place.is_file() and place.suffix == ".ipynb" else []
        if not inside:
            reason = "holds no notebooks (*.ipynb)" if place.is_dir() else "is no notebook (*.ipynb)"
            raise ValueError(f"{place} {reason if place.exists() else 'does not exist'}.")
        found.update(dict.fromkeys(path.resolve() for path in inside))
    return list(found)


def names_of(files: Sequence[Path]) -> dict[Path, str]:
    """Return a short name for each file: its path below the folder that they have in common."""
    common = Path(os.path.commonpath([file.parent for file in files])) if files else Path()
    return {file: file.relative_to(common).with_suffix("").as_posix() for file in files}


def grade(
    files: Sequence[Path], *, jobs: int | None = None, timeout: float = 600, console: Console
) -> list[Paper]:
    """Execute handed-in notebooks, past cells that fail; they are not changed.

    Args:
        files: the notebooks.
        jobs: how many at once; by default as many as there are cores and memory for.
        timeout: seconds for each notebook.
        console: where progress is shown.

    Returns:
        One paper for each file, in the order of `files`.
    """
    names = names_of(files)
    papers: dict[Path, Paper] = {}
    readable: dict[Path, nbformat.NotebookNode] = {}
    for file in files:
        try:
            readable[file] = _read(file)
        except notebooks.NotebookFormError as error:
            papers[file] = Paper(file, (), {}, str(error), executed=False)
    if readable:
        exercises = {file: _exercises_in(content) for file, content in readable.items()}
        root = paths.home() / "check"
        store = _course_store(root)

        def work(file: Path, threads: int) -> Paper:
            with tempfile.TemporaryDirectory(prefix="run-", dir=root, ignore_cleanup_errors=True) as folder:
                content = prepared(readable[file])
                return _grade(file, content, exercises[file], store, Path(folder), threads, timeout)

        def line(paper: Paper) -> str:
            fared = f"{paper.right} of {paper.asked} right" if paper.executed else "[red]not executed[/]"
            return f"{escape(names[paper.file])}  {fared}"

        done = in_parallel(
            list(readable), work, name=names.__getitem__, report=line, jobs=jobs, console=console
        )
        papers.update({paper.file: paper for paper in done})
    return [papers[file] for file in files]


def prepared(content: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy to execute: solutions emptied, errors no reason to stop, the hub inside the kernel."""
    copy = nbformat.from_dict({**content, "metadata": dict(notebooks.METADATA)})
    copy.cells = [nbformat.from_dict(dict(cell)) for cell in copy.cells]
    for cell in copy.cells:
        if cell.cell_type != "code":
            continue
        tags = notebooks.tags_of(cell)
        cell.source = "" if SOLUTION_TAG in tags else _HUB_ADDRESS.sub(r"\1", cell.source)
        cell.metadata = nbformat.from_dict({"tags": [*tags, "raises-exception"]})
        cell.outputs, cell.execution_count = [], None
    return copy


def _grade(
    file: Path,
    content: nbformat.NotebookNode,
    exercises: tuple[str, ...],
    store: Path,
    folder: Path,
    threads: int,
    timeout: float,
) -> Paper:
    """Execute one notebook in `folder`."""
    copy, executed = folder / "work" / file.name, folder / "executed" / file.name
    notebooks.write(copy, content)
    _copy_store(store, folder / "home" / "store")
    verdicts = folder / "verdicts.jsonl"
    variables = {"CLASSROOM_HOME": str(folder / "home"), VARIABLE: str(verdicts)}
    outcome = execute(copy, executed, threads=threads, timeout=timeout, variables=variables)
    return Paper(file, exercises, recorded(verdicts), outcome.error, _was_executed(executed))


def _was_executed(executed: Path) -> bool:
    if not executed.is_file():
        return False
    code = [cell for cell in nbformat.read(executed, as_version=4).cells if cell.cell_type == "code"]
    return any(cell.execution_count is not None for cell in code) or not any(cell.source for cell in code)


def _read(file: Path) -> nbformat.NotebookNode:
    """Read a notebook as another program may have saved it: in an older format, without ids."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = nbformat.read(file, as_version=4)
            nbformat.validate(content)
    except Exception as error:  # whatever a damaged file makes the parser stumble over
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise notebooks.NotebookFormError(f"no valid notebook: {reason[:200]}") from error
    return content


def _exercises_in(content: nbformat.NotebookNode) -> tuple[str, ...]:
    """Ids of the exercises of the notebook that this is: by its title, else by the ids in its code."""
    title = _TITLE.match(content.cells[0].source) if content.cells else None
    code = "\n".join(cell.source for cell in content.cells if cell.cell_type == "code")
    numbers = {title[1]} if title else set(_CHECK.findall(code))
    return tuple(found.id for number in sorted(numbers) for found in exercises_of(number))


def _course_store(root: Path) -> Path:
    """Bring the course's repositories, and nothing else, into a store in `root`; return its folder."""
    from classroom.hub import Store
    from classroom.seeding import ensure_seeded

    store = Store(root / "store")
    ensure_seeded(store)
    return store.root


def _copy_store(store: Path, target: Path) -> None:
    """Copy a store; the large files, which are never changed, are linked where the file system can."""

    def without_large(folder: str, names: list[str]) -> set[str]:
        return {"objects", "temporary"}.intersection(names) if Path(folder) == store else set()

    shutil.copytree(store, target, ignore=without_large)
    shutil.copytree(store / "objects", target / "objects", copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
