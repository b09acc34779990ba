"""A transparent sheet to draw on, in units of a hundredth of the picture's edge.

x runs from 0 (left) to 100 (right), y from 0 (top) to 100 (bottom). Sheets are drawn several times too
large and then reduced, which smooths every edge.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageColor, ImageDraw

Point = tuple[float, float]
UNITS = 100.0


def shade(colour: str, amount: float) -> str:
    """Return a darker (amount < 0) or lighter (amount > 0) colour; -1 is black, +1 is white."""
    target = 255 if amount > 0 else 0
    red, green, blue = ImageColor.getrgb(colour)[:3]
    mixed = [round(c + (target - c) * abs(amount)) for c in (red, green, blue)]
    return "#" + "".join(f"{c:02x}" for c in mixed)


class Canvas:
    """One sheet.

    Args:
        size: edge of the finished picture in pixels.
        colour: what the sheet is filled with; transparent by default.
    """

    def __init__(self, size: int, colour: str | None = None) -> None:
        self.size = size
        self._factor = 4 if size <= 256 else 2
        edge = size * self._factor
        self._unit = edge / UNITS
        self._sheet = Image.new("RGBA", (edge, edge), colour or (0, 0, 0, 0))
        self._pen = ImageDraw.Draw(self._sheet)

    def finished(self) -> Image.Image:
        """Return the sheet in its final size, mode RGBA."""
        return self._sheet.reduce(self._factor)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, fill: str, outline: str | None = None
    ) -> None:
        """Draw an ellipse around (x, y)."""
        box = self._scaled([(x - rx, y - ry), (x + rx, y + ry)])
        self._pen.ellipse(box, fill=fill, outline=outline, width=self._width(0.5) if outline else 0)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: str, radius: float = 0.0) -> None:
        """Draw a rectangle with rounded corners."""
        self._pen.rounded_rectangle(self._scaled([(x0, y0), (x1, y1)]), radius * self._unit, fill=fill)

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        """Draw a filled polygon."""
        self._pen.polygon(self._scaled(points), fill=fill)

    def line(self, points: Sequence[Point], fill: str, width: float) -> None:
        """Draw a line through points, with round joints."""
        self._pen.line(self._scaled(points), fill=fill, width=self._width(width), joint="curve")

    def arc(
        self, x: float, y: float, rx: float, ry: float, start: float, end: float, fill: str, width: float
    ) -> None:
        """Draw a part of an ellipse; angles in degrees, clockwise from three o'clock."""
        box = self._scaled([(x - rx, y - ry), (x + rx, y + ry)])
        self._pen.arc(box, start, end, fill=fill, width=self._width(width))

    def sector(self, x: float, y: float, rx: float, ry: float, start: float, end: float, fill: str) -> None:
        """Draw a filled slice of an ellipse; angles as in `arc`."""
        self._pen.pieslice(self._scaled([(x - rx, y - ry), (x + rx, y + ry)]), start, end, fill=fill)

    def gradient(self, y0: float, y1: float, top: str, bottom: str) -> None:
        """Fill a band with colours from `top` to `bottom`."""
        first, last = round(y0 * self._unit), round(y1 * self._unit)
        start, end = ImageColor.getrgb(top)[:3], ImageColor.getrgb(bottom)[:3]
        for row in range(first, last):
            share = (row - first) / max(1, last - first - 1)
            colour = tuple(round(a + (b - a) * share) for a, b in zip(start, end, strict=True))
            self._pen.line([(0, row), (self._sheet.width, row)], fill=(*colour, 255))

    def _scaled(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._unit, y * self._unit) for x, y in points]

    def _width(self, width: float) -> int:
        return max(1, round(width * self._unit))
