"""Work on several notebooks at once, with a bar for the whole and a line for each that is in work."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from classroom.execution import default_jobs

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    items: Sequence[Item],
    work: Callable[[Item, int], Result],
    *,
    name: Callable[[Item], str],
    report: Callable[[Result], str],
    jobs: int | None = None,
    console: Console,
) -> list[Result]:
    """Do `work(item, threads)` for all items, several at once, each of which starts a process of its own.

    Args:
        items: what to work on.
        work: does one; `threads` is how many threads of arithmetic it may use.
        name: what an item is called while it is in work.
        report: the line, with markup, that stays on the screen when one is done.
        jobs: how many at once; by default as many as there are cores and memory for.
        console: where the bar and the lines go.

    Returns:
        One result for each item, in the order of `items`.
    """
    workers = jobs or default_jobs(len(items))
    threads = max(1, default_jobs(10**6) // workers)
    with _progress(console) as progress, ThreadPoolExecutor(workers) as pool:
        whole = progress.add_task("notebooks", total=len(items))

        def one(item: Item) -> Result:
            with _shown(progress, name(item)):
                return work(item, threads)

        waiting: list[Future[Result]] = [pool.submit(one, item) for item in items]
        try:
            for future in as_completed(waiting):
                result = future.result()
                progress.advance(whole)
                progress.console.print(report(result), highlight=False)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in waiting]


@contextlib.contextmanager
def _shown(progress: Progress, name: str) -> Iterator[None]:
    task = progress.add_task(f"  {name}", total=None)
    try:
        yield
    finally:
        progress.remove_task(task)


def _progress(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True)
