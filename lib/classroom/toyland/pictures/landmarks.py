"""Trees, tables, carts: what stands in a place, and where an object may be around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from classroom.toyland.pictures.canvas import Canvas, shade

WOOD, DARK_WOOD, STONE = "#b5824f", "#8a5f38", "#9aa0a8"


@dataclass(frozen=True)
class Body:
    """The measures of a landmark, in units.

    Attributes:
        half_width: half its width at the ground.
        top: the height of what carries objects.
        cover: whether an object under it is seen in front of it (a tree) or between its legs (a table).
        beyond: how much higher in the picture the ground behind it is.
    """

    half_width: float
    top: float
    cover: bool = False
    beyond: float = 3.0


BODIES = {
    "tree": Body(3.2, 0, cover=True),
    "bench": Body(13, 16),
    "well": Body(8.5, 0),
    "rock": Body(11, 15),
    "mushroom": Body(4.5, 0, cover=True),
    "umbrella": Body(2.5, 0, cover=True),
    "table": Body(14, 20),
    "shelf": Body(11, 34),
    "cart": Body(13, 18),
    "fence": Body(14, 0, beyond=9.0),
    "haystack": Body(13, 21),
}


def draw_landmark(canvas: Canvas, name: str, x: float, foot: float) -> None:
    """Draw the landmark called `name` with its foot at (x, foot)."""
    _DRAW[name](canvas, x, foot)


def _tree(canvas: Canvas, x: float, foot: float) -> None:
    canvas.polygon([(x - 3.2, foot), (x + 3.2, foot), (x + 2, foot - 24), (x - 2, foot - 24)], DARK_WOOD)
    leaves = "#4f9a4c"
    for dx, dy, r in (
        (-7.5, -27, 7.5),
        (7.5, -27, 7.5),
        (0, -23.5, 7),
        (-4.5, -35, 7.5),
        (4.5, -35, 7.5),
        (0, -41, 6),
    ):
        canvas.ellipse(x + dx, foot + dy, r, r * 0.95, shade(leaves, -0.1))
    for dx, dy, r in ((-6.5, -29, 4.5), (5.5, -30, 4.5), (-2, -38, 5)):
        canvas.ellipse(x + dx, foot + dy, r, r * 0.9, shade(leaves, 0.12))
    for dx, dy in ((-9, -25), (8, -33), (1, -27), (-3, -43)):
        canvas.ellipse(x + dx, foot + dy, 0.9, 0.9, "#e2574c")


def _bench(canvas: Canvas, x: float, foot: float) -> None:
    for dx in (-11.5, 9.5):
        canvas.box(x + dx, foot - 25, x + dx + 2, foot, DARK_WOOD, 0.6)
    canvas.box(x - 13, foot - 25, x + 13, foot - 22.4, WOOD, 0.8)
    canvas.box(x - 13, foot - 21, x + 13, foot - 18.6, WOOD, 0.8)
    canvas.box(x - 14, foot - 16, x + 14, foot - 13.4, shade(WOOD, 0.12), 0.9)


def _well(canvas: Canvas, x: float, foot: float) -> None:
    for dx in (-7.5, 6):
        canvas.box(x + dx, foot - 26, x + dx + 1.5, foot - 8, DARK_WOOD)
    canvas.polygon([(x - 11, foot - 24), (x + 11, foot - 24), (x, foot - 33)], "#b3523f")
    canvas.line([(x, foot - 25), (x, foot - 15)], "#7d7268", 0.6)
    canvas.box(x - 2, foot - 16, x + 2, foot - 12.4, WOOD, 0.6)
    canvas.box(x - 8.5, foot - 11, x + 8.5, foot, STONE, 1.5)
    canvas.ellipse(x, foot - 11, 8.5, 2, shade(STONE, -0.45))
    for row in range(2):
        for column in range(3):
            left = x - 7 + column * 5 + (row % 2) * 1.5
            canvas.box(left, foot - 8 + row * 4, left + 3.2, foot - 5.6 + row * 4, shade(STONE, 0.2), 0.7)


def _rock(canvas: Canvas, x: float, foot: float) -> None:
    points = [(-11, 0), (-10, -7), (-6.5, -13), (-2, -15), (4.5, -15), (8.5, -11.5), (11, -5), (11, 0)]
    canvas.polygon([(x + dx, foot + dy) for dx, dy in points], STONE)
    canvas.polygon(
        [(x - 6, foot - 12), (x - 2, foot - 14.2), (x + 4, foot - 14.2), (x + 1, foot - 9.5)],
        shade(STONE, 0.28),
    )
    canvas.polygon(
        [(x + 11, foot - 5), (x + 11, foot), (x + 2, foot), (x + 6, foot - 4)], shade(STONE, -0.16)
    )


def _mushroom(canvas: Canvas, x: float, foot: float) -> None:
    canvas.polygon([(x - 4.5, foot), (x + 4.5, foot), (x + 3, foot - 20), (x - 3, foot - 20)], "#f3e6d0")
    canvas.sector(x, foot - 18, 16, 17, 180, 360, "#d64f45")
    canvas.ellipse(x, foot - 18, 16, 2.6, "#ecd5bd")
    for dx, dy, r in ((-8, -24, 2.2), (0, -29, 2.6), (8, -24.5, 2), (3, -22.5, 1.3)):
        canvas.ellipse(x + dx, foot + dy, r, r * 0.85, "#fff7ec")


def _umbrella(canvas: Canvas, x: float, foot: float) -> None:
    canvas.box(x - 0.8, foot - 34, x + 0.8, foot, "#d9cdbb", 0.6)
    for number in range(6):
        fill = "#e9665c" if number % 2 == 0 else "#fff3df"
        canvas.sector(x, foot - 22, 17, 15, 180 + number * 30, 210 + number * 30, fill)
    canvas.ellipse(x, foot - 37.4, 1.1, 1.1, "#e9665c")


def _table(canvas: Canvas, x: float, foot: float) -> None:
    for dx in (-12, 10):
        canvas.box(x + dx, foot - 18, x + dx + 2, foot, DARK_WOOD, 0.5)
    canvas.box(x - 14.5, foot - 20, x + 14.5, foot - 17, WOOD, 0.9)
    canvas.box(x - 14.5, foot - 20, x + 14.5, foot - 19, shade(WOOD, 0.25), 0.5)


def _shelf(canvas: Canvas, x: float, foot: float) -> None:
    canvas.box(x - 11, foot - 34, x + 11, foot, WOOD, 0.8)
    books = ("#c9574c", "#4c7fb8", "#e2b04a", "#6fa35d", "#8f68b3")
    for row in range(3):
        floor = foot - 2 - row * 10.6
        canvas.box(x - 9.4, floor - 8.8, x + 9.4, floor, shade(WOOD, -0.45))
        for number in range(7):
            left = x - 9 + number * 2.5
            height = 5.4 + (number * 5 + row * 3) % 4 * 0.8
            canvas.box(left, floor - height, left + 2.1, floor, books[(number * 2 + row) % 5], 0.3)


def _cart(canvas: Canvas, x: float, foot: float) -> None:
    canvas.line([(x + 12, foot - 14), (x + 17, foot - 19)], DARK_WOOD, 1.3)
    canvas.polygon([(x - 13, foot - 18), (x + 13, foot - 18), (x + 11, foot - 7), (x - 11, foot - 7)], WOOD)
    for row in (-14.5, -10.8):
        canvas.line([(x - 12.2, foot + row), (x + 12.2, foot + row)], DARK_WOOD, 0.5)
    for dx in (-7, 7):
        canvas.ellipse(x + dx, foot - 4.6, 4.6, 4.6, DARK_WOOD)
        canvas.ellipse(x + dx, foot - 4.6, 3.2, 3.2, shade(WOOD, 0.3))
        canvas.ellipse(x + dx, foot - 4.6, 1, 1, DARK_WOOD)


def _fence(canvas: Canvas, x: float, foot: float) -> None:
    wood = "#efe3cf"
    for row in (-10.5, -5):
        canvas.box(x - 15, foot + row, x + 15, foot + row + 1.8, shade(wood, -0.14))
    for number in range(6):
        left = x - 14.4 + number * 5.2
        canvas.polygon(
            [
                (left, foot),
                (left + 2.8, foot),
                (left + 2.8, foot - 12.5),
                (left + 1.4, foot - 14.5),
                (left, foot - 12.5),
            ],
            wood,
        )


def _haystack(canvas: Canvas, x: float, foot: float) -> None:
    hay = "#e3bd57"
    points = [(-14, 0), (-12, -10), (-7, -18), (-3, -21), (3, -21), (7, -18), (12, -10), (14, 0)]
    canvas.polygon([(x + dx, foot + dy) for dx, dy in points], hay)
    for number in range(16):
        dx, dy = (number * 7) % 21 - 10.0, -2.5 - (number * 5) % 14
        canvas.line([(x + dx * 0.85, foot + dy), (x + dx * 0.85 + 1.6, foot + dy + 2)], shade(hay, -0.2), 0.5)


_DRAW: dict[str, Callable[[Canvas, float, float], None]] = {
    "tree": _tree,
    "bench": _bench,
    "well": _well,
    "rock": _rock,
    "mushroom": _mushroom,
    "umbrella": _umbrella,
    "table": _table,
    "shelf": _shelf,
    "cart": _cart,
    "fence": _fence,
    "haystack": _haystack,
}
