"""The command `classroom check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from classroom.commands.terminal import UsageError, console

EPILOG = (
    "Examples: `classroom check handed-in/` (a folder), `classroom check alice.ipynb --why`, "
    "`classroom check handed-in/ --csv marks.csv`"
)


def check(
    handed_in: Annotated[list[Path], typer.Argument(metavar="NOTEBOOKS...", help="Files and folders.")],
    why: Annotated[
        bool, typer.Option("--why", help="Say what is wrong with each answer that is not right.")
    ] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the table for a spreadsheet, too.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="How many at once; by default one a core.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for each notebook.")] = 600,
) -> None:
    """Say which exercises are right in notebooks that learners handed in.

    Each notebook is executed from start to end, past cells that fail, in an empty folder and with a hub of
    its own. Cells tagged `solution` are not executed; the last verdict on an exercise counts. The files are
    not changed. Mind that learners' code runs on this machine, with your rights.

    Wrong answers are no failure: the exit status is 1 only when a file could not be executed at all.
    """
    from classroom import mark_sheet
    from classroom.atomic import write_text
    from classroom.handed_in import find_handed_in, grade

    if csv is not None and (csv.is_dir() or not csv.absolute().parent.is_dir()):
        raise UsageError(f"--csv {csv}: name a file in a folder that exists.")
    try:
        files = find_handed_in(handed_in)
    except ValueError as error:
        raise UsageError(str(error)) from error
    papers = grade(files, jobs=jobs, timeout=timeout, console=console)
    console.print(mark_sheet.table(papers))
    console.print(mark_sheet.LEGEND, highlight=False)
    for line in (*mark_sheet.problems(papers), *(mark_sheet.reasons(papers) if why else ())):
        console.print(line, highlight=False, soft_wrap=True)
    if csv is not None:
        write_text(csv, mark_sheet.as_csv(papers))
        console.print(f"[green]✓[/] written: {csv}", highlight=False, soft_wrap=True)
    if not all(paper.executed for paper in papers):
        raise typer.Exit(code=1)
