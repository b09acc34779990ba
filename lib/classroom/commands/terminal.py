"""What all commands share: where they write, and how they refuse."""

from __future__ import annotations

import typer
from rich.console import Console

console = Console()


class UsageError(typer.Exit):
    """Something was asked for that cannot be done; says so in one line, and ends with status 2."""

    def __init__(self, message: str) -> None:
        console.print(f"[red]✗[/] {plain(message)}", highlight=False, soft_wrap=True)
        super().__init__(code=2)


def plain(text: str) -> str:
    """Escape what rich would take for markup."""
    return text.replace("[", "\\[")
