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
    header, *lines = rows
    shown: list[Sequence[Any] | None] = list(lines)
    if len(lines) > MOST_ROWS:
        shown = [lines[0], None, *lines[2 - MOST_ROWS :]]
    out = ['<table border="1" class="dataframe"><thead><tr style="text-align:right">']
    out += [f"<th>{html.escape(str(name))}</th>" for name in header]
    out.append("</tr></thead><tbody>")
    for line in shown:
        if line is None:
            left_out = len(lines) - MOST_ROWS + 1
            out.append(f'<tr><td colspan="{len(header)}">… {left_out} rows more …</td></tr>')
        else:
            cells = "".join(f"<td>{html.escape(_cell(value))}</td>" for value in line)
            out.append(f"<tr>{cells}</tr>")
    out.append("</tbody></table>")
    return "".join(out)


def text_table(rows: Sequence[Sequence[Any]]) -> str:
    """Return the same table as plain text, for places that show no HTML."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells
    )


def _cell(value: Any) -> str:
    return f"{value:.6f}" if isinstance(value, float) else str(value)
