"""Objects: a coloured shape that is made a kite, a clock or a cushion by what is drawn on it."""

from __future__ import annotations

import math

from classroom.toyland.pictures.canvas import Canvas, Point, shade
from classroom.toyland.scene import Thing


def draw_thing(canvas: Canvas, thing: Thing, x: float, foot: float, width: float) -> None:
    """Draw an object of `width` units which stands on (x, foot)."""
    radius = width / 2
    y = foot - radius
    colour = thing.colour.rgb
    rim = shade(colour, -0.35)
    detail = shade(colour, -0.5) if thing.colour.en in ("white", "yellow") else "#fff8e8"
    outline = shaped(thing.shape.en, x, y, radius)
    if thing.name in _BEHIND:
        _BEHIND[thing.name](canvas, x, y, radius, rim)
    canvas.polygon(outline, rim)
    canvas.polygon(shaped(thing.shape.en, x, y, radius * 0.88), colour)
    _DECORATE[thing.name](canvas, x, y + _SINK.get(thing.shape.en, 0.0) * radius, radius, rim, detail)


def shaped(shape: str, x: float, y: float, radius: float) -> list[Point]:
    """Return the outline of a shape whose extent is about twice `radius`."""
    if shape == "square":
        side = radius * 0.9
        return [(x - side, y - side), (x + side, y - side), (x + side, y + side), (x - side, y + side)]
    if shape == "triangular":
        return [(x, y - radius), (x + radius, y + radius * 0.85), (x - radius, y + radius * 0.85)]
    if shape == "star-shaped":
        points = []
        for number in range(10):
            reach = radius * (1.08 if number % 2 == 0 else 0.52)
            angle = math.pi * (number / 5 - 0.5)
            points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
        return points
    if shape == "heart-shaped":
        points = []
        for number in range(40):
            t = 2 * math.pi * number / 40
            dx = 16 * math.sin(t) ** 3
            dy = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
            points.append((x + dx * radius / 16, y - (dy + 2.5) * radius / 15))
        return points
    angles = [2 * math.pi * number / 48 for number in range(48)]
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]


# How far the middle of a shape lies below the middle of its extent, in radii.
_SINK = {"triangular": 0.22, "heart-shaped": -0.1}


def _kite_tail(canvas: Canvas, x: float, y: float, r: float, rim: str) -> None:
    tail = [
        (x + r * 0.7, y + r * 0.5),
        (x + r * 1.1, y + r * 0.55),
        (x + r * 1.0, y + r * 0.8),
        (x + r * 1.45, y + r * 0.95),
    ]
    canvas.line(tail, rim, r * 0.12)
    for px, py in tail[1:]:
        canvas.polygon(
            [
                (px - r * 0.18, py - r * 0.12),
                (px + r * 0.18, py + r * 0.12),
                (px + r * 0.18, py - r * 0.12),
                (px - r * 0.18, py + r * 0.12),
            ],
            rim,
        )


def _balloon_string(canvas: Canvas, x: float, y: float, r: float, rim: str) -> None:
    canvas.line([(x, y), (x + r * 0.75, y + r * 0.7), (x + r * 0.85, y + r * 1.0)], "#6d6470", r * 0.1)


def _box_bow(canvas: Canvas, x: float, y: float, r: float, rim: str) -> None:
    for side in (-1, 1):
        canvas.ellipse(x + side * r * 0.32, y - r * 1.05, r * 0.32, r * 0.2, rim)


def _lantern_handle(canvas: Canvas, x: float, y: float, r: float, rim: str) -> None:
    canvas.arc(x, y - r * 0.75, r * 0.45, r * 0.6, 180, 360, "#6d6470", r * 0.14)


def _basket_handle(canvas: Canvas, x: float, y: float, r: float, rim: str) -> None:
    canvas.arc(x, y - r * 0.2, r * 0.85, r * 1.15, 180, 360, "#8a6238", r * 0.18)


def _medal_ribbon(canvas: Canvas, x: float, y: float, r: float, rim: str) -> None:
    canvas.polygon(
        [
            (x - r * 0.6, y - r * 1.35),
            (x - r * 0.1, y - r * 1.35),
            (x + r * 0.25, y - r * 0.4),
            (x - r * 0.2, y - r * 0.4),
        ],
        "#4a63b5",
    )
    canvas.polygon(
        [
            (x + r * 0.6, y - r * 1.35),
            (x + r * 0.1, y - r * 1.35),
            (x - r * 0.25, y - r * 0.4),
            (x + r * 0.2, y - r * 0.4),
        ],
        "#c94a55",
    )


def _kite(canvas: Canvas, x: float, y: float, r: float, rim: str, detail: str) -> None:
    canvas.line([(x, y - r * 0.6), (x, y + r * 0.55)], detail, r * 0.1)
    canvas.line([(x - r * 0.5, y), (x + r * 0.5, y)], detail, r * 0.1)


def _balloon(canvas: Canvas, x: float, y: float, r: float, rim: str, detail: str) -> None:
    canvas.ellipse(x - r * 0.26, y - r * 0.24, r * 0.15, r * 0.22, "#ffffff")


def _cushion(canvas: Canvas, x: float, y: float, r: float, rim: str, detail: str) -> None:
    canvas.ellipse(x, y, r * 0.13, r * 0.13, rim)
    for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
        canvas.line(
            [(x + dx * r * 0.16, y + dy * r * 0.16), (x + dx * r * 0.36, y + dy * r * 0.36)], rim, r * 0.08
        )


def _box(canvas: Canvas, x: float, y: float, r: float, rim: str, detail: str) -> None:
    canvas.line([(x, y - r * 0.58), (x, y + r * 0.6)], detail, r * 0.2)
    canvas.line([(x - r * 0.66, y + r * 0.12), (x + r * 0.66, y + r * 0.12)], rim, r * 0.1)


def _lantern(canvas: Canvas, x: float, y: float, r: float, rim: str, detail: str) -> None:
    canvas.ellipse(x, y, r * 0.42, r * 0.42, "#fff3b5")
    canvas.ellipse(x, y + r * 0.04, r * 0.17, r * 0.27, "#ffb347")


def _clock(canvas: Canvas, x: float, y: float, r: float, rim: str, detail: str) -> None:
    canvas.ellipse(x, y, r * 0.47, r * 0.47, "#fffdf4")
    canvas.line([(x, y), (x, y - r * 0.36)], "#3a3540", r * 0.1)
    canvas.line([(x, y), (x + r * 0.26, y + r * 0.1)], "#3a3540", r * 0.1)


def _mirror(canvas: Canvas, x: float, y: float, r: float, rim: str, detail: str) -> None:
    canvas.ellipse(x, y, r * 0.46, r * 0.46, "#cfe9f5")
    canvas.line([(x - r * 0.24, y + r * 0.14), (x + r * 0.14, y - r * 0.24)], "#ffffff", r * 0.12)


def _plate(canvas: Canvas, x: float, y: float, r: float, rim: str, detail: str) -> None:
    canvas.ellipse(x, y, r * 0.46, r * 0.46, rim)
    canvas.ellipse(x, y, r * 0.37, r * 0.37, detail)


def _basket(canvas: Canvas, x: float, y: float, r: float, rim: str, detail: str) -> None:
    for row in (-0.24, 0.02, 0.28):
        for column in (-0.3, 0.0, 0.3):
            tilt = 0.08 if (row > 0) == (column > 0) else -0.08
            canvas.line(
                [
                    (x + r * (column - 0.1), y + r * (row - tilt)),
                    (x + r * (column + 0.1), y + r * (row + tilt)),
                ],
                rim,
                r * 0.1,
            )


def _medal(canvas: Canvas, x: float, y: float, r: float, rim: str, detail: str) -> None:
    canvas.ellipse(x, y, r * 0.4, r * 0.4, detail)
    canvas.polygon(shaped("star-shaped", x, y, r * 0.27), rim)


_BEHIND = {
    "box": _box_bow,
    "kite": _kite_tail,
    "balloon": _balloon_string,
    "lantern": _lantern_handle,
    "basket": _basket_handle,
    "medal": _medal_ribbon,
}
_DECORATE = {
    "kite": _kite,
    "balloon": _balloon,
    "cushion": _cushion,
    "box": _box,
    "lantern": _lantern,
    "clock": _clock,
    "mirror": _mirror,
    "plate": _plate,
    "basket": _basket,
    "medal": _medal,
}
