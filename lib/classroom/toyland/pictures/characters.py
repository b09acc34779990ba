"""The animals: a body, a scarf, a head with the ears of its kind, and a face that shows the mood."""

from __future__ import annotations

from collections.abc import Callable

from classroom.toyland.lexicon import Character, Polarity
from classroom.toyland.pictures.canvas import Canvas, shade

INK = "#3a3038"
HEAD = 8.6  # radius of a head, in units


def draw_character(canvas: Canvas, character: Character, x: float, foot: float, feeling: Polarity) -> None:
    """Draw a character who stands on (x, foot); about 18 units wide and 34 tall."""
    fur, kind = character.fur, character.kind.en
    light = shade(fur, 0.45)
    head = foot - 21.0
    if kind in _TAILS:
        _TAILS[kind](canvas, x, foot, fur)
    for side in (-1, 1):
        canvas.ellipse(x + side * 3.6, foot - 1.4, 3.2, 1.8, shade(fur, -0.2))
        canvas.ellipse(x + side * 6.6, foot - 9, 2.0, 4.4, shade(fur, -0.1))
    canvas.ellipse(x, foot - 8.6, 6.8, 8.2, fur)
    canvas.ellipse(x, foot - 7.4, 4.3, 5.6, light)
    _EARS[kind](canvas, x, head, fur)
    canvas.box(x - 5.8, foot - 15.0, x + 5.8, foot - 12.0, character.scarf, 1.4)
    canvas.box(x + 1.6, foot - 13.6, x + 4.6, foot - 7.6, shade(character.scarf, -0.12), 1.0)
    canvas.ellipse(x, head, HEAD, HEAD * 0.92, fur)
    _face(canvas, kind, x, head, fur, light, feeling)


def _face(canvas: Canvas, kind: str, x: float, y: float, fur: str, light: str, feeling: Polarity) -> None:
    eyes_y = y - 8.0 if kind == "frog" else y - 1.2
    eyes_x = 4.6 if kind == "frog" else 3.4
    if kind == "owl":
        for side in (-1, 1):
            canvas.ellipse(x + side * 3.4, y - 1.2, 3.3, 3.3, light)
    if kind == "frog":
        for side in (-1, 1):
            canvas.ellipse(x + side * 4.6, y - 8, 2.6, 2.6, "#fffdf2")
    for side in (-1, 1):
        dark = INK if _brightness(fur) > 95 or kind in ("owl", "frog") else "#17131a"
        if dark == "#17131a":
            canvas.ellipse(x + side * eyes_x, eyes_y, 1.75, 1.95, "#f6efdc")
        canvas.ellipse(x + side * eyes_x, eyes_y, 1.25, 1.5, dark)
        canvas.ellipse(x + side * eyes_x + 0.4, eyes_y - 0.5, 0.45, 0.45, "#ffffff")
        if feeling == "negative":
            inner, outer = eyes_y - 3.6, eyes_y - 2.4
            canvas.line([(x + side * (eyes_x - 1.6), inner), (x + side * (eyes_x + 1.4), outer)], INK, 0.6)
        canvas.ellipse(x + side * 5.6, y + 2.2, 1.35, 0.9, "#f2a3a0")
    mouth = _NOSES.get(kind, _small_nose)(canvas, x, y, fur, light)
    line = INK if _brightness(fur) > 95 else "#f6efdc"
    line = INK if kind in _MUZZLES else line
    if feeling == "positive":
        canvas.arc(x, mouth - 0.9, 2.5, 2.1, 15, 165, line, 0.7)
    elif feeling == "negative":
        canvas.arc(x, mouth + 2.2, 2.3, 1.9, 200, 340, line, 0.7)
        canvas.ellipse(x - 4.4, eyes_y + 3.2, 0.75, 1.15, "#7cc4ee")
    else:
        canvas.line([(x - 1.5, mouth + 0.7), (x + 1.5, mouth + 0.7)], line, 0.7)


def _brightness(colour: str) -> float:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.3 * red + 0.6 * green + 0.1 * blue


# Noses: each returns the height at which the mouth goes.
def _small_nose(canvas: Canvas, x: float, y: float, fur: str, light: str) -> float:
    canvas.ellipse(x, y + 1.6, 1.0, 0.75, "#d9677a")
    return y + 4.0


def _muzzle(canvas: Canvas, x: float, y: float, fur: str, light: str) -> float:
    canvas.ellipse(x, y + 3.2, 4.1, 3.4, shade(fur, 0.6))
    canvas.ellipse(x, y + 1.5, 1.4, 1.0, INK)
    return y + 4.2


def _whiskers(canvas: Canvas, x: float, y: float, fur: str, light: str) -> float:
    for side in (-1, 1):
        for slope in (-0.8, 0.6):
            canvas.line(
                [(x + side * 4.6, y + 2.6), (x + side * 9.6, y + 2.4 + slope * 1.6)], shade(fur, -0.4), 0.35
            )
    return _small_nose(canvas, x, y, fur, light)


def _snout(canvas: Canvas, x: float, y: float, fur: str, light: str) -> float:
    canvas.ellipse(x, y + 1.9, 2.9, 2.1, shade(fur, -0.14))
    for side in (-1, 1):
        canvas.ellipse(x + side * 1.0, y + 1.9, 0.5, 0.75, shade(fur, -0.5))
    return y + 4.8


def _beak(canvas: Canvas, x: float, y: float, fur: str, light: str) -> float:
    canvas.polygon([(x - 1.5, y + 0.4), (x + 1.5, y + 0.4), (x, y + 3.3)], "#f0a63c")
    return y + 4.6


def _trunk(canvas: Canvas, x: float, y: float, fur: str, light: str) -> float:
    canvas.box(x - 1.7, y + 0.4, x + 1.7, y + 9.2, shade(fur, 0.12), 1.6)
    for row in (3.2, 5.0, 6.8):
        canvas.line([(x - 1.1, y + row), (x + 1.1, y + row)], shade(fur, -0.2), 0.35)
    return y + 4.0


def _no_nose(canvas: Canvas, x: float, y: float, fur: str, light: str) -> float:
    for side in (-1, 1):
        canvas.ellipse(x + side * 1.0, y - 0.4, 0.35, 0.35, shade(fur, -0.5))
    return y + 2.6


_MUZZLES = ("bear", "dog", "fox")
_NOSES: dict[str, Callable[[Canvas, float, float, str, str], float]] = {
    "bear": _muzzle,
    "dog": _muzzle,
    "fox": _muzzle,
    "cat": _whiskers,
    "mouse": _whiskers,
    "pig": _snout,
    "owl": _beak,
    "elephant": _trunk,
    "frog": _no_nose,
}


def _round_ears(canvas: Canvas, x: float, y: float, fur: str) -> None:
    for side in (-1, 1):
        canvas.ellipse(x + side * 6.4, y - 6.4, 3.2, 3.2, fur)
        canvas.ellipse(x + side * 6.4, y - 6.4, 1.8, 1.8, shade(fur, 0.4))


def _long_ears(canvas: Canvas, x: float, y: float, fur: str) -> None:
    for side in (-1, 1):
        canvas.ellipse(x + side * 3.6, y - 10.4, 2.4, 5.8, fur)
        canvas.ellipse(x + side * 3.6, y - 10.4, 1.2, 4.2, "#f3b9bd")


def _pointed_ears(canvas: Canvas, x: float, y: float, fur: str) -> None:
    for side in (-1, 1):
        canvas.polygon([(x + side * 8, y - 2.8), (x + side * 7.2, y - 12.2), (x + side * 1.6, y - 6.8)], fur)
        canvas.polygon(
            [(x + side * 6.9, y - 5), (x + side * 6.5, y - 10), (x + side * 3.6, y - 7)], "#f3b9bd"
        )


def _fox_ears(canvas: Canvas, x: float, y: float, fur: str) -> None:
    _pointed_ears(canvas, x, y, fur)
    for side in (-1, 1):
        canvas.polygon(
            [(x + side * 7.45, y - 9.4), (x + side * 7.2, y - 12.6), (x + side * 5.0, y - 10.2)], "#4a3530"
        )


def _floppy_ears(canvas: Canvas, x: float, y: float, fur: str) -> None:
    for side in (-1, 1):
        canvas.ellipse(x + side * 8.4, y + 0.2, 2.7, 6.2, shade(fur, -0.35))


def _mouse_ears(canvas: Canvas, x: float, y: float, fur: str) -> None:
    for side in (-1, 1):
        canvas.ellipse(x + side * 7.4, y - 6.8, 4.8, 4.8, fur)
        canvas.ellipse(x + side * 7.4, y - 6.8, 3.1, 3.1, "#f3b9bd")


def _frog_eyes(canvas: Canvas, x: float, y: float, fur: str) -> None:
    for side in (-1, 1):
        canvas.ellipse(x + side * 4.6, y - 7.6, 3.6, 3.6, fur)


def _tufts(canvas: Canvas, x: float, y: float, fur: str) -> None:
    for side in (-1, 1):
        canvas.polygon(
            [(x + side * 8, y - 3), (x + side * 8.2, y - 11.4), (x + side * 2, y - 6.6)], shade(fur, -0.25)
        )


def _pig_ears(canvas: Canvas, x: float, y: float, fur: str) -> None:
    for side in (-1, 1):
        canvas.polygon(
            [(x + side * 7.8, y - 3), (x + side * 8.8, y - 10), (x + side * 2.4, y - 7.2)], shade(fur, -0.16)
        )


def _big_ears(canvas: Canvas, x: float, y: float, fur: str) -> None:
    for side in (-1, 1):
        canvas.ellipse(x + side * 9.6, y - 0.6, 4.9, 6.4, shade(fur, -0.1))
        canvas.ellipse(x + side * 9.8, y - 0.6, 3.2, 4.6, "#e9bcc0")


_EARS: dict[str, Callable[[Canvas, float, float, str], None]] = {
    "bear": _round_ears,
    "rabbit": _long_ears,
    "cat": _pointed_ears,
    "dog": _floppy_ears,
    "fox": _fox_ears,
    "mouse": _mouse_ears,
    "frog": _frog_eyes,
    "owl": _tufts,
    "pig": _pig_ears,
    "elephant": _big_ears,
}


def _bushy_tail(canvas: Canvas, x: float, foot: float, fur: str) -> None:
    canvas.ellipse(x + 8.4, foot - 6, 3.4, 5.6, fur)
    canvas.ellipse(x + 9.2, foot - 10, 2.0, 2.2, "#fff3e2")


def _thin_tail(canvas: Canvas, x: float, foot: float, fur: str) -> None:
    canvas.line(
        [(x + 4, foot - 3), (x + 9, foot - 3.4), (x + 10.6, foot - 7), (x + 9.6, foot - 11)],
        shade(fur, -0.15),
        1.2,
    )


_TAILS = {"fox": _bushy_tail, "cat": _thin_tail, "mouse": _thin_tail, "dog": _thin_tail}
