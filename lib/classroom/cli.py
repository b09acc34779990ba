"""The command `classroom`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.panel import Panel
from rich.table import Table

from classroom import paths
from classroom.commands import check as handed_in
from classroom.commands import data
from classroom.commands.terminal import UsageError, console, plain

if TYPE_CHECKING:
    from classroom.hub import SeededRepo

app = typer.Typer(
    name="classroom",
    help="The course around nanoformers: its notebooks, its hub, its checks.",
    epilog="New here? `classroom doctor`, then `classroom lab`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_STATE_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red", "optional": "bright_black"}

CheckOnly = Annotated[bool, typer.Option("--check", help="Change nothing; fail when something is stale.")]


@app.command(epilog="Example: `classroom doctor`")
def doctor() -> None:
    """Say whether this machine is fit for the course, and what to do where it is not."""
    from rich.live import Live

    from classroom.health import Report, examine

    report = Report()
    table = Table(box=None, padding=(0, 1))
    for column in ("", "what", "found"):
        table.add_column(column, overflow="fold")
    with Live(table, console=console, refresh_per_second=8):
        for finding in examine():
            report.append(finding)
            colour = _STATE_COLOURS[finding.state]
            remedy = f"\n[italic]→ {plain(finding.remedy)}[/]" if finding.remedy else ""
            table.add_row(f"[{colour}]{finding.mark}[/]", finding.subject, plain(finding.detail) + remedy)
    console.print(f"\n[bold {'green' if report.ok else 'red'}]{report.verdict}[/]")
    if not report.ok:
        raise typer.Exit(code=1)


@app.command(epilog="Example: `classroom lab --no-browser --port 9000`")
def lab(
    port: Annotated[int, typer.Option(help="Port to listen on; the next free one when it is taken.")] = 8888,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 is reachable from outside.")
    ] = "127.0.0.1",
    browser: Annotated[
        bool | None,
        typer.Option("--browser/--no-browser", help="Open a browser; by default where there is a screen."),
    ] = None,
) -> None:
    """Fill the hub, then open JupyterLab at the first notebook."""
    import webbrowser

    from classroom.lab import FIRST_NOTEBOOK, Lab, free_port, has_browser, new_token

    root = _checkout()
    _seed()
    try:
        course = Lab(root, host, free_port(host, port), new_token())
    except OSError as error:
        raise UsageError(str(error)) from error

    def announce(address: str) -> None:
        console.print(
            f"\n[bold green]JupyterLab is ready[/] at {FIRST_NOTEBOOK}. Open this address in a browser:\n"
        )
        print(f"    {address}\n", flush=True)
        console.print("Stop it with Ctrl-C.")
        if has_browser() if browser is None else browser:
            webbrowser.open(address)

    raise typer.Exit(code=course.run(announce))


@app.command(epilog="Example for a class: `classroom hub --host 0.0.0.0 --port 8000`")
def hub(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for a whole class.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Serve the course's hub until Ctrl-C, for other programs on this machine or for a class."""
    from classroom.hub import Store, serve
    from classroom.lab import address_in_network

    _seed()
    reachable = address_in_network() if host in ("0.0.0.0", "::") else host
    address = f"http://{reachable}:{port}"
    guide = (
        f'In a notebook:  [bold]classroom.start(hub="{address}")[/]\n'
        f"In a terminal:  [bold]export HF_ENDPOINT={address} HF_TOKEN=hf_learner_write[/]"
    )
    console.print(Panel(guide, title="The course's hub", title_align="left", expand=False), soft_wrap=True)
    console.print("Tokens are well known: keep nothing private here. Stop it with Ctrl-C.")
    try:
        serve(Store(paths.store_root()), host, port)
    except OSError as error:
        raise UsageError(str(error)) from error


@app.command(epilog="Example: `classroom seed --fresh --yes`")
def seed(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the store first, with all that was pushed.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting.")] = False,
) -> None:
    """Bring the course's repositories into the hub's store; list those that are new, or could not be had."""
    if fresh and paths.store_root().exists():
        if not yes:
            typer.confirm(f"Delete {paths.store_root()}, with everything that was pushed to it?", abort=True)
        shutil.rmtree(paths.store_root())
    seeded = _seed()
    problems = [repo for repo in seeded if repo.problem]
    table = Table(box=None, padding=(0, 1))
    for repo in seeded:
        if repo.changed or repo.problem:
            mark = "[red]✗[/]" if repo.problem else "[green]✓[/]"
            table.add_row(
                mark,
                repo.kind.removesuffix("s"),
                repo.repo_id,
                plain(repo.problem or (repo.commit or "")[:7]),
            )
    if table.row_count:
        console.print(table)
    console.print(f"The course's hub holds {len(seeded) - len(problems)} repositories.")
    if problems:
        raise typer.Exit(code=1)


@app.command(
    epilog="Examples: `classroom run` (all), `classroom run 00 03`, `classroom run notebooks/0_start`, "
    "`classroom run --save`, `classroom run 03 -p checkpoint=org/name`"
)
def run(
    chosen: Annotated[
        list[str] | None,
        typer.Argument(metavar="NOTEBOOKS", help="Numbers, files or folders; all by default."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="How many at once; by default one a core.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter", "-p", metavar="NAME=VALUE", help="Value for the cell tagged `parameters`."
        ),
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Keep the outputs in the notebooks themselves.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for each notebook.")] = 600,
    build: Annotated[
        Path | None, typer.Option(help="Folder for copies and web pages; by default build/notebooks.")
    ] = None,
) -> None:
    """Execute notebooks, and show for each how long it took, how much memory, and what went wrong.

    Executed copies and web pages go under `build/`. A notebook that fails does not stop the others; the exit
    status is then 1.
    """
    from classroom.runner import run as run_notebooks

    root = _checkout()
    selected = select_notebooks(chosen or [], root / "notebooks")
    _seed()
    try:
        outcomes = run_notebooks(
            selected,
            build or root / "build" / "notebooks",
            jobs=jobs,
            parameters=[_parameter(text) for text in parameter or []],
            save=save,
            timeout=timeout,
            console=console,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    if not all(outcome.ok for outcome in outcomes):
        raise typer.Exit(code=1)


app.command(epilog=handed_in.EPILOG)(handed_in.check)
app.add_typer(data.app, name="data")


@app.command(epilog="Example: `classroom student ~/handout`")
def student(
    out: Annotated[Path, typer.Argument(help="A new folder.")],
) -> None:
    """Write the notebooks without solutions and outputs, to hand out."""
    from classroom.student_edition import write_student_edition

    try:
        written = write_student_edition(_checkout() / "notebooks", out)
    except FileExistsError as error:
        raise UsageError(str(error)) from error
    console.print(f"[green]✓[/] {len(written)} notebooks in {out}")


@app.command(epilog="Example: `classroom badges --check`")
def badges(check: CheckOnly = False) -> None:
    """Write the links under each title and the start cell into all notebooks."""
    from classroom.navigation import write_badges

    stale = write_badges(_checkout() / "notebooks", check=check)
    _report_stale([path.name for path in stale], check, "classroom badges")


@app.command(epilog="Example: `classroom index --check`")
def index(check: CheckOnly = False) -> None:
    """Write `notebooks/README.md` from the first cells of the notebooks."""
    from classroom.navigation import write_index

    stale = write_index(_checkout() / "notebooks", check=check)
    _report_stale(["notebooks/README.md"] if stale else [], check, "classroom index")


def select_notebooks(chosen: list[str], root: Path) -> list[Path]:
    """Return the notebooks that `chosen` names by number, file or folder, in the course's order.

    Raises:
        UsageError: something in `chosen` names no notebook.
    """
    from classroom.notebooks import find_notebooks, number_of

    course = find_notebooks(root)
    selected: list[Path] = [] if chosen else course
    for wanted in chosen:
        here = Path(wanted).resolve()
        found = [
            path for path in course if wanted in (number_of(path), path.stem) or here in (path, *path.parents)
        ]
        if not found:
            numbers = ", ".join(number_of(path) for path in course)
            raise UsageError(f"{wanted} is no notebook's number, file or folder. There are: {numbers}.")
        selected += found
    return [path for path in course if path in selected]


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"-p {text}: write the parameter's name, =, and its value, such as -p epochs=3.")
    return name, value


def _checkout() -> Path:
    root = paths.repository_root()
    if root is None:
        from classroom.navigation import project_address

        raise UsageError(
            f"The notebooks are not part of the installed package. git clone {project_address()}"
        )
    return root


def _seed() -> list[SeededRepo]:
    from classroom.hub import Store
    from classroom.seeding import ensure_seeded

    return ensure_seeded(Store(paths.store_root()))


def _report_stale(names: list[str], check: bool, command: str) -> None:
    if not names:
        console.print("[green]✓[/] nothing to change")
    elif check:
        console.print(f"[red]✗[/] stale: {', '.join(names)}. Run `{command}`.", soft_wrap=True)
        raise typer.Exit(code=1)
    else:
        console.print(f"[green]✓[/] written: {', '.join(names)}", soft_wrap=True)


if __name__ == "__main__":
    app()
