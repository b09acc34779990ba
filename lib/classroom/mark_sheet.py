"""What came of handed-in notebooks: a table for the eye, and one for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from rich.markup import escape
from rich.table import Table

from classroom.handed_in import Paper, names_of

_MARKS = {
    "right": "[green]✓[/]",
    "wrong": "[red]✗[/]",
    "open": "[yellow]…[/]",
    "not reached": "[bright_black]–[/]",
    "": "",
}
LEGEND = "[green]✓[/] right  [red]✗[/] wrong  [yellow]…[/] not yet  [bright_black]–[/] not reached"


def exercises_of(papers: Sequence[Paper]) -> list[str]:
    """Return the ids of all exercises of `papers`, in the order of notebooks and numbers."""
    ids = {exercise for paper in papers for exercise in (*paper.exercises, *paper.verdicts)}
    return sorted(
        ids, key=lambda exercise: ([int(digits) for digits in re.findall(r"\d+", exercise)], exercise)
    )


def table(papers: Sequence[Paper]) -> Table:
    """Return one row a file, one column an exercise, with totals at the right and below."""
    names = names_of([paper.file for paper in papers])
    right, asked = sum(paper.right for paper in papers), sum(paper.asked for paper in papers)
    sheet = Table(
        title=f"{len(papers)} notebooks, {right} of {asked} answers right" if len(papers) > 1 else None,
        title_justify="left",
        title_style="bold",
        show_footer=len(papers) > 1,
    )
    sheet.add_column("notebook", "right", overflow="fold")
    for exercise in exercises_of(papers):
        outcomes = [paper.outcome(exercise) for paper in papers]
        total = f"{outcomes.count('right')}/{sum(map(bool, outcomes))}"
        sheet.add_column(escape(exercise), total, justify="center", no_wrap=True)
    sheet.add_column("right", f"{right}/{asked}", justify="right", no_wrap=True)
    for paper in papers:
        marks = [_MARKS[paper.outcome(exercise)] for exercise in exercises_of(papers)]
        total = f"{paper.right}/{paper.asked}" if paper.executed else "[red]not executed[/]"
        sheet.add_row(escape(names[paper.file]), *marks, total)
    return sheet


def problems(papers: Sequence[Paper]) -> Iterator[str]:
    """Yield a line, with markup, for each notebook that could not be executed at all."""
    names = names_of([paper.file for paper in papers])
    for paper in papers:
        if not paper.executed:
            yield f"[red]✗[/] [bold]{escape(names[paper.file])}[/]  {escape(paper.error or '')}"


def reasons(papers: Sequence[Paper]) -> Iterator[str]:
    """Yield lines, with markup: for each notebook, why answers are wrong and why others were not reached."""
    names = names_of([paper.file for paper in papers])
    for paper in papers:
        wrong = [
            f"  [red]✗[/] {escape(exercise)}  {escape(paper.verdicts[exercise].message)}"
            for exercise in exercises_of([paper])
            if paper.outcome(exercise) == "wrong"
        ]
        missed = [
            escape(exercise) for exercise in exercises_of([paper]) if paper.outcome(exercise) == "not reached"
        ]
        if missed and paper.executed:
            error = f"first error: {paper.error}" if paper.error else "no cell that was executed checks it"
            wrong.append(f"  [bright_black]–[/] {', '.join(missed)}  {escape(error)}")
        if wrong:
            yield f"\n[bold]{escape(names[paper.file])}[/]"
            yield from wrong


def as_csv(papers: Sequence[Paper]) -> str:
    """Return the table as CSV: `right`, `wrong`, `open`, `not reached`, or nothing for each exercise."""
    names = names_of([paper.file for paper in papers])
    exercises = exercises_of(papers)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["notebook", *exercises, "right", "exercises", "error"])
    for paper in papers:
        outcomes = [paper.outcome(exercise) for exercise in exercises]
        writer.writerow([names[paper.file], *outcomes, paper.right, paper.asked, paper.error or ""])
    return text.getvalue()
