"""Where everything stands in a picture, so that the picture agrees with the words."""

from __future__ import annotations

from dataclasses import dataclass

from classroom.toyland.lexicon import Character, Landmark
from classroom.toyland.pictures.landmarks import BODIES
from classroom.toyland.scene import Scene, Thing

LANDMARK_FOOT = 62.0
CHARACTER_FOOT = 98.0


@dataclass(frozen=True)
class Placed:
    """Something to draw, with its foot at (x, foot) and its distance: 0 is at the eye, 1 at the horizon."""

    content: Landmark | Thing | Character
    x: float
    foot: float
    distance: float


def layout(scene: Scene) -> list[Placed]:
    """Place everything that a scene holds; the farthest comes first."""
    dice = scene.dice("layout")
    mirrored = dice.chance(50)
    placed: list[Placed] = []
    for number, thing in enumerate(scene.things):
        left = (number == 0) != mirrored
        x = (20.0 if left else 80.0) + dice.below(3) - 1
        placed.append(Placed(thing.landmark, x, LANDMARK_FOOT, 0.6))
        placed.append(_around(thing, x, inward=1 if left else -1))
    jitter = dice.below(5) - 2
    if scene.friend:
        side = -1 if mirrored else 1
        placed.append(Placed(scene.friend, 50 + side * 12.5 + jitter, CHARACTER_FOOT - 1.0, 0.2))
        placed.append(Placed(scene.hero, 50 - side * 12.5 + jitter, CHARACTER_FOOT, 0.15))
    else:
        placed.append(Placed(scene.hero, 50.0 + jitter, CHARACTER_FOOT, 0.15))
    return sorted(placed, key=lambda item: -item.distance)


def _around(thing: Thing, x: float, inward: int) -> Placed:
    """Place an object around its landmark; `inward` points to the middle of the picture."""
    body, width, relation = BODIES[thing.landmark.noun.en], thing.size.scale * 100, thing.relation.en
    if relation == "on":
        return Placed(thing, x - inward * 2, LANDMARK_FOOT - body.top + 0.4, 0.55)
    if relation == "under":
        if body.cover:
            return Placed(thing, x + inward * (body.half_width + width / 2), LANDMARK_FOOT + 1.5, 0.55)
        return Placed(thing, x, LANDMARK_FOOT - 0.2, 0.65)
    if relation == "beside":
        clear = 12.5 if body.cover else body.half_width
        return Placed(thing, x + inward * (clear + width / 2 + 1.0), LANDMARK_FOOT + 0.5, 0.5)
    if relation == "behind":
        return Placed(thing, x + inward * (body.half_width + width * 0.08), LANDMARK_FOOT - body.beyond, 0.7)
    return Placed(thing, x - inward * 4, LANDMARK_FOOT + 12.0 + width * 0.25, 0.35)
