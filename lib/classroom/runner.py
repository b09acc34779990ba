"""Executes the course's notebooks, several at once, and says at the end how each of them fared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from classroom import notebooks, saved_outputs, web_pages
from classroom.atomic import write_text
from classroom.execution import Outcome, execute, executed_path
from classroom.parallel import in_parallel

_MIB = 1024**2


def run(
    chosen: Sequence[Path],
    build: Path,
    *,
    jobs: int | None = None,
    parameters: Sequence[tuple[str, str]] = (),
    save: bool = False,
    timeout: float = 600,
    console: Console | None = None,
) -> list[Outcome]:
    """Execute notebooks; one that fails does not stop the others.

    Args:
        chosen: the notebooks.
        build: folder for the executed copies and web pages (`<part>/<name>.ipynb`, `.html`) and for
            `report.json`.
        jobs: how many at once; by default as many as there are cores and memory for.
        parameters: names and values for the cells tagged `parameters`.
        save: write the outputs of the notebooks that succeed back into the sources.
        timeout: seconds for each notebook.
        console: where progress and the summary go.

    Returns:
        One outcome for each notebook, in the order of `chosen`.

    Raises:
        ValueError: `save` together with `parameters`: the sources keep the results of the defaults.
    """
    if save and parameters:
        raise ValueError("Saved outputs are those of the default parameters: use --save without -p.")
    console = console or Console()

    def work(notebook: Path, threads: int) -> Outcome:
        outcome = execute(
            notebook, executed_path(notebook, build), parameters=parameters, threads=threads, timeout=timeout
        )
        return _finish(outcome, save)

    outcomes = in_parallel(
        chosen, work, name=lambda notebook: notebook.stem, report=_line, jobs=jobs, console=console
    )
    _write_report(outcomes, build / "report.json")
    console.print(summary(outcomes))
    return outcomes


def _finish(outcome: Outcome, save: bool) -> Outcome:
    """Make the web page, and keep the outputs in the source if that is wanted."""
    if outcome.executed.is_file():
        web_pages.export(outcome.executed, outcome.executed.with_suffix(".html"))
    if save and outcome.ok:
        source = notebooks.read(outcome.notebook)
        notebooks.write(
            outcome.notebook, saved_outputs.with_outputs_of(source, notebooks.read(outcome.executed))
        )
    return outcome


def _line(outcome: Outcome) -> str:
    mark = "[green]✓[/]" if outcome.ok else "[red]✗[/]"
    line = f"{mark} {outcome.notebook.stem}  {outcome.seconds:.1f} s  {outcome.peak_bytes / _MIB:.0f} MiB"
    return line if outcome.error is None else f"{line}  [red]{_escaped(outcome.error)}[/]"


def summary(outcomes: Sequence[Outcome]) -> Table:
    """Return the table for the end: time and memory of each notebook, and what went wrong."""
    failed = [outcome for outcome in outcomes if not outcome.ok]
    verdict = f"{len(outcomes) - len(failed)} of {len(outcomes)} notebooks ran from start to end"
    table = Table(title=verdict, title_style="bold red" if failed else "bold green", title_justify="left")
    table.add_column("")
    table.add_column("notebook")
    table.add_column("time", justify="right")
    table.add_column("peak memory", justify="right")
    table.add_column("last error", overflow="fold")
    for outcome in outcomes:
        table.add_row(
            "[green]✓[/]" if outcome.ok else "[red]✗[/]",
            f"{outcome.notebook.parent.name}/{outcome.notebook.stem}",
            f"{outcome.seconds:.1f} s",
            f"{outcome.peak_bytes / _MIB:.0f} MiB",
            _escaped(outcome.error or ""),
        )
    return table


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")


def _write_report(outcomes: Sequence[Outcome], path: Path) -> None:
    entries = [
        {
            "notebook": f"{outcome.notebook.parent.name}/{outcome.notebook.name}",
            "seconds": round(outcome.seconds, 2),
            "peak_mib": round(outcome.peak_bytes / _MIB),
            "error": outcome.error,
        }
        for outcome in outcomes
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(entries, indent=2, ensure_ascii=False) + "\n")
