"""Executes the course's notebooks, several at once, and says at the end how each of them fared."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from classroom import notebooks, saved_outputs, web_pages
from classroom.atomic import write_text
from classroom.execution import Outcome, default_jobs, execute, executed_path

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
    workers = jobs or default_jobs(len(chosen))
    threads = max(1, default_jobs(10**6) // workers)
    outcomes: dict[Path, Outcome] = {}
    with _progress(console, len(chosen)) as bar, ThreadPoolExecutor(workers) as pool:

        def work(notebook: Path) -> Outcome:
            with bar.running(notebook):
                outcome = execute(
                    notebook,
                    executed_path(notebook, build),
                    parameters=parameters,
                    threads=threads,
                    timeout=timeout,
                )
                return _finish(outcome, save)

        waiting: list[Future[Outcome]] = [pool.submit(work, notebook) for notebook in chosen]
        try:
            for future in as_completed(waiting):
                outcome = future.result()
                outcomes[outcome.notebook] = outcome
                bar.done(outcome)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    ordered = [outcomes[notebook] for notebook in chosen]
    _write_report(ordered, build / "report.json")
    console.print(summary(ordered))
    return ordered


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


class _Bar:
    """One line for the whole, and one for each notebook that is running."""

    def __init__(self, progress: Progress, count: int) -> None:
        self._progress = progress
        self._whole = progress.add_task("notebooks", total=count)

    @contextlib.contextmanager
    def running(self, notebook: Path) -> Iterator[None]:
        task = self._progress.add_task(f"  {notebook.stem}", total=None)
        try:
            yield
        finally:
            self._progress.remove_task(task)

    def done(self, outcome: Outcome) -> None:
        self._progress.advance(self._whole)
        mark = "[green]✓[/]" if outcome.ok else "[red]✗[/]"
        self._progress.console.print(
            f"{mark} {outcome.notebook.stem}  {outcome.seconds:.1f} s  {outcome.peak_bytes / _MIB:.0f} MiB"
            + ("" if outcome.error is None else f"  [red]{_escaped(outcome.error)}[/]"),
            highlight=False,
        )


@contextlib.contextmanager
def _progress(console: Console, count: int) -> Iterator[_Bar]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress, count)


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
