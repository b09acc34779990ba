"""Scenes for recipes: with names that Toyland has never heard, and from another world to test on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from classroom.toyland import Scene, World

TRAINING_WORLD, TEST_WORLD = 0, 1

_STARTS = (
    "B",
    "D",
    "F",
    "G",
    "H",
    "J",
    "K",
    "L",
    "M",
    "N",
    "P",
    "R",
    "S",
    "T",
    "V",
    "Z",
    "Br",
    "Cl",
    "Fl",
    "",
)
_MIDDLES = ("a", "e", "i", "o", "u", "an", "el", "im", "ar", "en", "ol", "us", "ott", "ann", "ill", "ess")
_ENDS = ("a", "o", "i", "y", "ie", "ina", "ette", "us", "in", "e", "er", "")


def new_name(rng: random.Random) -> str:
    """Return a made-up name such as "Delina"."""
    return (rng.choice(_STARTS) + rng.choice(_MIDDLES) + rng.choice(_ENDS)).capitalize()


def with_strangers(scene: Scene, rng: random.Random, share: float) -> Scene:
    """Return the scene; in a `share` of cases everybody in it bears a made-up name, and so no name is all."""
    if rng.random() >= share:
        return scene
    hero = replace(scene.hero, name=new_name(rng))
    friend = scene.friend and replace(scene.friend, name=new_name(rng))
    while friend and friend.name == hero.name:
        friend = replace(friend, name=new_name(rng))
    return replace(scene, hero=hero, friend=friend)


def test_scenes(number: int, read: set[str]) -> Iterator[Scene]:
    """Iterate over `number` scenes of the test world whose stories are not among those that were `read`."""
    for scene in World(TEST_WORLD):
        if number == 0:
            return
        if scene.story() not in read:
            number -= 1
            yield scene
