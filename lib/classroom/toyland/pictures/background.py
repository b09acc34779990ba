"""Sky and ground, walls and floors: where and when a picture is."""

from __future__ import annotations

from classroom.toyland.dice import Dice
from classroom.toyland.lexicon import Place, Time
from classroom.toyland.pictures.canvas import Canvas, shade

HORIZON = 50.0

# Sky at the top and at the horizon, and how much darker the ground is, by time of day.
_SKIES = {
    "morning": ("#8fd0f5", "#ffe9c9", 0.0),
    "afternoon": ("#5fb4ee", "#d5f0fb", 0.0),
    "evening": ("#6a5aa8", "#ffb27a", -0.16),
    "night": ("#131c45", "#3b4a86", -0.42),
}
_GROUNDS = {
    "garden": "#8cc86a",
    "forest": "#6ea35b",
    "beach": "#f2dba4",
    "park": "#9bd178",
    "market": "#d9c3a0",
    "farm": "#b9c766",
    "lake": "#93c777",
    "hill": "#a3cf72",
    "kitchen": "#d9b58c",
    "library": "#a9785a",
}
_WALLS = {"kitchen": "#fbe6bf", "library": "#cfdccb"}


def draw_background(canvas: Canvas, place: Place, time: Time, dice: Dice) -> None:
    """Fill the canvas with the place at that time."""
    top, bottom, dark = _SKIES[time.en]
    ground = _shaded(_GROUNDS[place.noun.en], dark)
    if place.indoors:
        _room(canvas, place, _shaded(_WALLS[place.noun.en], dark * 0.6), ground, top, bottom, time)
        return
    canvas.gradient(0, HORIZON, top, bottom)
    _sky(canvas, time, dice)
    _FAR.get(place.noun.en, _hills)(canvas, ground, dark)
    canvas.gradient(HORIZON, 100, shade(ground, 0.12), shade(ground, -0.1))
    _NEAR.get(place.noun.en, _grass)(canvas, ground, dice)


def _shaded(colour: str, amount: float) -> str:
    return shade(colour, amount) if amount else colour


def _sky(canvas: Canvas, time: Time, dice: Dice) -> None:
    x = 44.0 + dice.below(14)
    if time.en == "night":
        for _ in range(26):
            radius = 0.25 + dice.below(4) / 10
            canvas.ellipse(dice.below(100), dice.below(44), radius, radius, "#f6f1cf")
        canvas.ellipse(x, 13, 6, 6, "#f8f0c8")
        canvas.ellipse(x + 2.6, 11.6, 5.2, 5.2, "#1b2550")
        return
    height = {"morning": 30.0, "afternoon": 11.0, "evening": 42.0}[time.en]
    sun = {"morning": "#ffd978", "afternoon": "#ffe15c", "evening": "#ff8f5a"}[time.en]
    canvas.ellipse(x, height, 9.5, 9.5, shade(sun, 0.55))
    canvas.ellipse(x, height, 6.5, 6.5, sun)
    cloud = "#ffffff" if time.en != "evening" else "#f3c6c4"
    for _ in range(2):
        left, y = 8.0 + dice.below(80), 6.0 + dice.below(14)
        for step, radius in enumerate((2.6, 3.8, 3.0)):
            canvas.ellipse(left + step * 3.6, y - (radius - 2.6), radius * 1.2, radius, cloud)


def _hills(canvas: Canvas, ground: str, dark: float) -> None:
    canvas.ellipse(18, HORIZON + 12, 44, 18, shade(ground, -0.12))
    canvas.ellipse(84, HORIZON + 13, 46, 21, shade(ground, -0.06))


def _trees(canvas: Canvas, ground: str, dark: float) -> None:
    for number in range(9):
        x, top = number * 13.0 - 3, 24.0 + (number * 7) % 11
        canvas.polygon(
            [(x, top), (x - 9, HORIZON + 2), (x + 9, HORIZON + 2)], shade(ground, -0.3 + 0.05 * (number % 3))
        )


def _sea(canvas: Canvas, ground: str, dark: float) -> None:
    sea = _shaded("#4fb3d4", dark)
    canvas.box(0, HORIZON - 10, 100, HORIZON + 1, sea)
    for number in range(6):
        x, y = 6.0 + number * 18, HORIZON - 7 + (number % 3) * 2.6
        canvas.line([(x, y), (x + 7, y)], shade(sea, 0.45), 0.6)


def _lake(canvas: Canvas, ground: str, dark: float) -> None:
    _hills(canvas, ground, dark)
    water = _shaded("#6cbfe0", dark)
    canvas.ellipse(50, HORIZON + 1, 58, 8, water)
    for number in range(5):
        x, y = 10.0 + number * 19, HORIZON - 4 + (number % 2) * 2.4
        canvas.line([(x, y), (x + 6, y)], shade(water, 0.45), 0.6)


def _stalls(canvas: Canvas, ground: str, dark: float) -> None:
    for x, colour in ((6.0, "#e0675a"), (38.0, "#4f8fc9"), (70.0, "#e3a83e")):
        colour = _shaded(colour, dark)
        canvas.box(x + 1, 34, x + 25, HORIZON + 1, _shaded("#b98d62", dark))
        for stripe in range(6):
            fill = colour if stripe % 2 == 0 else _shaded("#fff6e6", dark)
            canvas.polygon(
                [
                    (x + stripe * 4.3, 34),
                    (x + 4.3 + stripe * 4.3, 34),
                    (x + 5.3 + stripe * 3.9, 27),
                    (x + 1.6 + stripe * 3.9, 27),
                ],
                fill,
            )


def _barn(canvas: Canvas, ground: str, dark: float) -> None:
    _hills(canvas, ground, dark)
    red, white = _shaded("#b9493e", dark), _shaded("#f4e7d5", dark)
    canvas.box(39, 33, 61, HORIZON + 1, red)
    canvas.polygon([(36.5, 34), (63.5, 34), (57, 26), (50, 22.5), (43, 26)], shade(red, -0.25))
    canvas.box(46, 41, 54, HORIZON + 1, white)
    canvas.line([(46, 41), (54, HORIZON + 1)], red, 0.8)
    canvas.line([(54, 41), (46, HORIZON + 1)], red, 0.8)


def _one_hill(canvas: Canvas, ground: str, dark: float) -> None:
    canvas.ellipse(10, HORIZON + 10, 30, 14, shade(ground, -0.2))
    canvas.ellipse(92, HORIZON + 10, 34, 17, shade(ground, -0.16))
    canvas.ellipse(50, HORIZON + 22, 66, 30, shade(ground, 0.1))


def _grass(canvas: Canvas, ground: str, dice: Dice) -> None:
    for _ in range(20):
        x, y = float(dice.below(100)), HORIZON + 4 + dice.below(44)
        blade = shade(ground, -0.22)
        canvas.line([(x - 1, y - 1.8), (x, y), (x + 1, y - 1.8)], blade, 0.4)


def _flowers(canvas: Canvas, ground: str, dice: Dice) -> None:
    _grass(canvas, ground, dice)
    for _ in range(14):
        x, y = float(dice.below(100)), HORIZON + 4 + dice.below(44)
        canvas.ellipse(x, y, 0.9, 0.9, dice.choice(("#ffffff", "#ffd7e6", "#fff1a8")))
        canvas.ellipse(x, y, 0.35, 0.35, "#f0b43c")


def _sand(canvas: Canvas, ground: str, dice: Dice) -> None:
    for _ in range(40):
        canvas.ellipse(dice.below(100), HORIZON + 3 + dice.below(47), 0.35, 0.25, shade(ground, -0.18))


def _cobbles(canvas: Canvas, ground: str, dice: Dice) -> None:
    for row in range(7):
        for column in range(11):
            x = column * 10 + (row % 2) * 5.0
            canvas.ellipse(x, HORIZON + 4 + row * 7.3, 3.6, 1.5, shade(ground, -0.07))


def _room(canvas: Canvas, place: Place, wall: str, floor: str, top: str, bottom: str, time: Time) -> None:
    canvas.box(0, 0, 100, HORIZON + 4, wall)
    for stripe in range(10):
        canvas.box(stripe * 10 + 4, 0, stripe * 10 + 5, HORIZON + 4, shade(wall, 0.25))
    canvas.box(0, HORIZON + 2, 100, HORIZON + 4, shade(wall, -0.25))
    canvas.gradient(HORIZON + 4, 100, shade(floor, 0.08), shade(floor, -0.12))
    for row in range(5):
        y = HORIZON + 4 + row * (5 + row * 2.0)
        canvas.line([(0, y), (100, y)], shade(floor, -0.16), 0.4)
    canvas.box(40, 8, 62, 32, shade(wall, -0.45), 1)
    canvas.box(41.5, 9.5, 60.5, 30.5, top)
    canvas.box(41.5, 20, 60.5, 30.5, bottom)
    if time.en == "night":
        canvas.ellipse(55, 14.5, 2.6, 2.6, "#f8f0c8")
    canvas.line([(51, 9), (51, 31)], shade(wall, -0.45), 1)
    canvas.line([(41, 20), (61, 20)], shade(wall, -0.45), 1)
    cloth = "#e9786b" if place.noun.en == "kitchen" else "#5c7fa8"
    canvas.polygon([(38, 6), (46, 6), (41, 28), (38, 32)], cloth)
    canvas.polygon([(64, 6), (56, 6), (61, 28), (64, 32)], cloth)
    canvas.box(36.5, 5, 65.5, 6.6, shade(cloth, -0.3), 0.8)


_FAR = {"forest": _trees, "beach": _sea, "lake": _lake, "market": _stalls, "farm": _barn, "hill": _one_hill}
_NEAR = {"garden": _flowers, "beach": _sand, "market": _cobbles}
