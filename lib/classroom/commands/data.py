"""The command `classroom data`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from classroom.commands.terminal import UsageError, console, plain

if TYPE_CHECKING:
    from classroom.hub import SeededRepo, Store

app = typer.Typer(
    help="List the data sets of the course, show rows of one, write a larger one.",
    epilog="Examples: `classroom data`, `classroom data show toyland/stories -n 3`, "
    "`classroom data write toyland/stories stories/ --train 50000`",
    rich_markup_mode="markdown",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Such as toyland/stories.")]
Rows = Annotated[int, typer.Option(min=0, help="Rows; 0 leaves the split out.")]


@app.callback(invoke_without_command=True)
def overview(context: typer.Context) -> None:
    """List the data sets of the course, show rows of one, write a larger one."""
    if context.invoked_subcommand is not None:
        return
    from classroom.course_data import data_sets
    from classroom.seeding import describe_problems

    store, seeded = _seeded_store()
    found = data_sets(store, seeded)
    splits = list(dict.fromkeys(split for data_set in found for split in data_set.sizes))
    table = Table(box=None, padding=(0, 1), header_style="bold")
    table.add_column("data set", min_width=36)
    for split in splits:
        table.add_column(split, justify="right", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    for data_set in found:
        sizes = [_count(data_set.sizes.get(split, 0)) for split in splits]
        name = Text.assemble(data_set.name, "\n", (data_set.about, "bright_black"))
        table.add_row(name, *sizes, _megabytes(data_set.bytes))
    console.print(table)
    for problem in describe_problems([repo for repo in seeded if repo.kind == "datasets"]):
        console.print(f"[red]✗[/] {plain(problem)}", highlight=False, soft_wrap=True)
    console.print('\nIn a notebook, after [bold]classroom.start()[/]:  load_dataset("NAME")', highlight=False)


@app.command(epilog="Example: `classroom data show toyland/stories -n 3`")
def show(
    name: Name,
    n: Annotated[int, typer.Option("-n", min=1, help="How many rows.")] = 3,
    split: Annotated[str, typer.Option(help="Of which split.")] = "train",
) -> None:
    """Print the first rows of a data set."""
    from classroom.course_data import DataSetError, find, first_rows

    store, seeded = _seeded_store()
    try:
        full = find(name, _names(seeded))
        rows = first_rows(store, full, split, n)
    except DataSetError as error:
        raise UsageError(str(error)) from error
    for number, row in enumerate(rows):
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for column, value in row.items():
            grid.add_row(Text(column), Text(_readable(value)))
        console.print(Panel(grid, title=f"{full} · {split} · {number}", title_align="left"))


@app.command(
    epilog="Examples: `classroom data write toyland/stories stories/ --train 50000`, "
    "`classroom data write toyland/en-fr more/ --seed 7 --validation 0 --test 1000`"
)
def write(
    name: Name,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    seed: Annotated[
        int, typer.Option(min=0, help="Which world; 0 is that of the hub's data sets, whose rows come again.")
    ] = 1,
    train: Rows = 2000,
    validation: Rows = 200,
    test: Rows = 200,
) -> None:
    """Write a fresh data set of Toyland, of any size, as a folder for `load_dataset`."""
    from classroom.course_data import DataSetError, write_toyland

    sizes = {"train": train, "validation": validation, "test": test}
    try:
        with console.status(f"Writing {sum(sizes.values()):,} rows"):
            write_toyland(name, out, seed=seed, splits=sizes)
    except (DataSetError, OSError) as error:
        raise UsageError(str(error)) from error
    rows = ", ".join(f"{size:,} {split}" for split, size in sizes.items() if size)
    console.print(f"[green]✓[/] {plain(name)} (seed {seed}): {rows}", highlight=False, soft_wrap=True)
    console.print(f'  load_dataset("{plain(str(out))}")', highlight=False, soft_wrap=True)


def _seeded_store() -> tuple[Store, list[SeededRepo]]:
    from classroom import paths
    from classroom.hub import Store
    from classroom.seeding import ensure_seeded

    store = Store(paths.store_root())
    return store, ensure_seeded(store)


def _names(seeded: list[SeededRepo]) -> list[str]:
    return [repo.repo_id for repo in seeded if repo.kind == "datasets" and repo.commit]


def _count(rows: int | None) -> str:
    return "?" if rows is None else f"{rows:,}" if rows else ""


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _readable(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
