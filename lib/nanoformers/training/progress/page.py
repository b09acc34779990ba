"""The parts of the progress display of a notebook, as HTML that needs no script and no kernel."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

__all__ = ["duration", "html_progress_bar", "html_table", "text_table"]

MOST_ROWS = 12


def duration(seconds: float) -> str:
    """Write a time as minutes:seconds, with hours before it where there are any."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def html_progress_bar(value: int, total: int, prefix: str, label: str, width: int = 300) -> str:
    """Return a bar of `width` pixels with a text on either side."""
    return (
        f'<div>{html.escape(prefix)}<progress value="{value}" max="{total}" '
        f'style="width:{width}px;max-width:60%;height:16px;vertical-align:middle"></progress> '
        f"{html.escape(label)}</div>"
    )


def html_table(rows: Sequence[Sequence[Any]]) -> str:
    """Return a table whose first row names the columns; of many rows the last ones and the first."""
    header, *shown = _shown(rows)
    out = ['<table border="1" class="dataframe"><thead><tr style="text-align:right">']
    out += [f"<th>{html.escape(str(name))}</th>" for name in header]
    out.append("</tr></thead><tbody>")
    for line in shown:
        if isinstance(line, str):
            out.append(f'<tr><td colspan="{len(header)}">{line}</td></tr>')
        else:
            cells = "".join(f"<td>{html.escape(_cell(value))}</td>" for value in line)
            out.append(f"<tr>{cells}</tr>")
    out.append("</tbody></table>")
    return "".join(out)


def text_table(rows: Sequence[Sequence[Any]]) -> str:
    """Return the same table as plain text, for places that show no HTML."""
    lines = [row if isinstance(row, str) else [_cell(value) for value in row] for row in _shown(rows)]
    cells = [line for line in lines if not isinstance(line, str)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return "\n".join(
        line
        if isinstance(line, str)
        else "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def _shown(rows: Sequence[Sequence[Any]]) -> list[Sequence[Any] | str]:
    """Return the rows of a table that are shown, and in place of others how many these are."""
    lines = len(rows) - 1
    if lines <= MOST_ROWS:
        return list(rows)
    return [*rows[:2], f"… {lines - MOST_ROWS + 1} rows more …", *rows[2 - MOST_ROWS :]]


def _cell(value: Any) -> str:
    return f"{value:.6f}" if isinstance(value, float) else str(value)
