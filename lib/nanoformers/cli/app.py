"""What `nanoformers-cli` understands; each command's work is in a module of its own, imported on use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(
    name="nanoformers-cli",
    help="Look at, download and serve models.",
    epilog="Example: `nanoformers-cli serve --task text-classification`",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Model = Annotated[str, typer.Argument(help="Name of a repository on the hub.")]
CacheDir = Annotated[Path | None, typer.Option(help="Folder to download into, in place of the usual cache.")]
Force = Annotated[bool, typer.Option("--force", help="Download even what is in the cache already.")]
Revision = Annotated[str | None, typer.Option(help="Branch, tag or commit; by default the newest.")]
TrustRemoteCode = Annotated[
    bool,
    typer.Option(
        "--trust-remote-code",
        help="Take Python code from the repository too. Read it first: it runs on this machine.",
    ),
]
AccelerateConfig = Annotated[
    Path | None, typer.Option("--accelerate-config-file", "--accelerate-config_file", help="Its settings.")
]


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn what the user can mend into one message and exit status 1, without a traceback."""
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        message = error.args[0] if isinstance(error, KeyError) and error.args else error
        typer.secho(f"Error: {message}", fg="red", err=True)
        raise typer.Exit(code=1) from error


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Say the version, and stop.")] = False,
) -> None:
    """Take the options that stand before a command."""
    if version:
        from nanoformers import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.command(epilog="Example: `nanoformers-cli env`")
def env(accelerate_config_file: AccelerateConfig = None) -> None:
    """Print what a bug report needs to know of this machine: versions, platform, accelerator."""
    from .environment import describe

    with _refusing():
        found = describe(accelerate_config_file)
    typer.echo("\nCopy-and-paste the text below in your issue and FILL OUT the last points.\n")
    typer.echo("".join(f"- {subject}: {finding}\n" for subject, finding in found.items()))


@app.command(epilog="Example: `nanoformers-cli download distilbert-base-uncased --cache-dir models`")
def download(
    model: Model,
    cache_dir: CacheDir = None,
    force: Force = False,
    revision: Revision = None,
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Fetch a model, its configuration and its tokenizer into the cache: they load without a network then."""
    from ..hub import HubOptions
    from .download import fetch

    with _refusing():
        options = HubOptions(cache_dir=cache_dir, force_download=force, revision=revision)
        folder, sizes = fetch(model, options, trust_remote_code=trust_remote_code)
    for name, size in sizes.items():
        typer.echo(f"{size / 1e6:10.3f} MB  {name}")
    typer.echo(f"{sum(sizes.values()) / 1e6:10.3f} MB  in {folder}")


@app.command(
    epilog=(
        "Example: `nanoformers-cli serve --task text-classification --port 8888`, then "
        '`curl http://localhost:8888/forward -d \'{"inputs": "I love it"}\'`'
    )
)
def serve(
    task: Annotated[str, typer.Option(help="What to serve, for example `text-classification`.")],
    model: Annotated[
        str | None, typer.Option(help="Repository or folder; by default the task's own checkpoint.")
    ] = None,
    config: Annotated[str | None, typer.Option(help="Configuration, where it is not the model's.")] = None,
    tokenizer: Annotated[str | None, typer.Option(help="Tokenizer, where it is not the model's.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 is reachable from outside.")] = (
        "localhost"
    ),
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for any that is free.")] = 8888,
    device: Annotated[
        str, typer.Option(help="-1 or `cpu`, the number of a GPU, or any torch device.")
    ] = "-1",
    workers: Annotated[int, typer.Option(min=1, help="Processes; each has a model of its own.")] = 1,
) -> None:
    """Answer requests with a pipeline, in JSON, over HTTP.

    `GET /` tells about the model, `POST /tokenize`, `/detokenize` and `/forward` use it.
    """
    from .serving import ServedModel, run

    with _refusing():
        served = ServedModel(task=task, model=model, config=config, tokenizer=tokenizer, device=device)
        run(served, host=host, port=port, workers=workers)
