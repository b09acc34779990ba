"""The displays of a notebook's progress: a bar, and the tracker of a training with its table and curves.

Mirrors `NotebookProgressBar` and `NotebookTrainingTracker` of the documented module `utils.notebook`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from .curves import line_plot
from .page import duration, html_progress_bar, html_table, text_table

__all__ = ["NotebookProgressBar", "NotebookTrainingTracker"]


class NotebookProgressBar:
    """A progress bar in a notebook.

    Args:
        total: what `value` will be at the end.
        prefix: text before the bar.
        leave: keep the bar when it is full.
        parent: the tracker that shows this bar below its table.
        width: in pixels.
    """

    update_every = 0.5  # seconds

    def __init__(
        self,
        total: int,
        prefix: str | None = None,
        leave: bool = True,
        parent: NotebookTrainingTracker | None = None,
        width: int = 300,
    ) -> None:
        self.total = total
        self.prefix = prefix or ""
        self.leave = leave
        self.parent = parent
        self.width = width
        self.value = 0
        self.comment = ""
        self.output: Any = None  # the handle of the display
        self._start: tuple[float, int] | None = None  # when, and at which value
        self._shown_at = float("-inf")

    def update(self, value: int, force_update: bool = False, comment: str | None = None) -> None:
        """Move the bar to `value` (0 to `total`); draw it if forced, or if the last drawing is old enough."""
        now = time.monotonic()
        self.value = min(value, self.total)
        if self._start is None:
            self._start = (now, self.value)
        if comment is not None:
            self.comment = comment
        full = self.value >= self.total
        if full and not self.leave:
            self.close()
        elif force_update or full or now - self._shown_at >= self.update_every:
            self._shown_at = now
            self.display()

    @property
    def label(self) -> str:
        """What is said beside the bar: value, time used and left, speed, comment."""
        text = f"{self.value}/{self.total}"
        if self._start is not None:
            elapsed, done = time.monotonic() - self._start[0], self.value - self._start[1]
            text += f" {duration(elapsed)}"
            if done > 0 and elapsed > 0:
                if self.value < self.total:
                    text += f" < {duration(elapsed / done * (self.total - self.value))}"
                text += f", {done / elapsed:.2f} it/s"
        return f"[{text}, {self.comment}]" if self.comment else f"[{text}]"

    @property
    def html_code(self) -> str:
        """The bar as HTML."""
        return html_progress_bar(self.value, self.total, self.prefix, self.label, self.width)

    @property
    def plain_text(self) -> str:
        """The same for places that show no HTML; without times, so that two runs say the same."""
        return f"{self.prefix}{self.value}/{self.total}"

    def display(self) -> None:
        """Draw the bar: the first call opens the display, later ones replace what it shows."""
        if self.parent is not None:
            self.parent.display()
        else:
            self.show(self.html_code, self.plain_text)

    def show(self, code: str, text: str) -> None:
        """Replace what the display shows."""
        from IPython.display import display

        data = {"text/html": code, "text/plain": text}
        if self.output is None:
            self.output = display(data, raw=True, display_id=True)
        else:
            self.output.update(data, raw=True)

    def close(self) -> None:
        """Make the bar disappear."""
        if self.parent is None and self.output is not None:
            self.show("", "")


class NotebookTrainingTracker(NotebookProgressBar):
    """The display of a training: its bar, a table of metrics, their curves, and the bar of an evaluation.

    Args:
        num_steps: steps of the training.
        column_names: of the table; taken from the first line if not given.
    """

    def __init__(self, num_steps: int, column_names: Sequence[str] | None = None) -> None:
        super().__init__(num_steps)
        self.inner_table: list[list[Any]] | None = None if column_names is None else [list(column_names)]
        self.child_bar: NotebookProgressBar | None = None
        self.curves: dict[str, list[tuple[float, float]]] = {}

    @property
    def html_code(self) -> str:
        """Everything as HTML."""
        parts = [super().html_code]
        if self.inner_table is not None and len(self.inner_table) > 1:
            losses = {name: points for name, points in self.curves.items() if name.endswith("Loss")}
            metrics = {name: points for name, points in self.curves.items() if name not in losses}
            plots = line_plot(losses, "step", "loss") + line_plot(metrics, "step", "metrics")
            parts += [
                '<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">',
                f"<div>{html_table(self.inner_table)}</div>",
                f"<div>{plots}</div>",
                "</div>",
            ]
        if self.child_bar is not None:
            parts.append(self.child_bar.html_code)
        return "".join(parts)

    @property
    def plain_text(self) -> str:
        """The bar's text, and the table below it."""
        table = self.inner_table
        return super().plain_text + (f"\n{text_table(table)}" if table and len(table) > 1 else "")

    def write_line(self, values: Mapping[str, Any]) -> None:
        """Add a line to the table; one that begins as the last line does completes that one."""
        if self.inner_table is None:
            self.inner_table = [list(values)]
        columns = self.inner_table[0]
        for name in values:
            if name not in columns:
                columns.append(name)
                for line in self.inner_table[1:]:
                    line.append("No log")
        last = self.inner_table[-1]
        if len(self.inner_table) > 1 and last[0] == values.get(columns[0]):
            last[:] = [values.get(name, old) for name, old in zip(columns, last, strict=True)]
        else:
            self.inner_table.append([values.get(name, "No log") for name in columns])

    def add_point(self, name: str, step: float, value: float) -> None:
        """Add a point to a curve; names that end in "Loss" share one plot, the others a second."""
        self.curves.setdefault(name, []).append((step, value))

    def add_child(self, total: int, prefix: str | None = None, width: int = 300) -> NotebookProgressBar:
        """Show a second bar below the table, and return it."""
        self.child_bar = NotebookProgressBar(total, prefix=prefix, parent=self, width=width)
        return self.child_bar

    def remove_child(self) -> None:
        """Take the second bar away."""
        self.child_bar = None
        self.display()
