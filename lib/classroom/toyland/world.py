"""The world: an endless, numbered book of scenes."""

from __future__ import annotations

from collections.abc import Iterator

from classroom.toyland.dice import Dice, key_of
from classroom.toyland.lexicon import (
    CHARACTERS,
    COLOURS,
    LANDMARK,
    MOODS,
    PLACES,
    POLARITIES,
    RELATION,
    SHAPES,
    SIZES,
    THINGS,
    TIMES,
    Colour,
    Landmark,
    Noun,
    Place,
)
from classroom.toyland.plot import ACTIONS, PLOTS
from classroom.toyland.scene import Scene, Thing


class World:
    """All scenes that follow from one seed.

    Scene number `i` depends on the seed and on `i` alone: not on how many scenes are asked for, on the
    machine, or on the Python version.

    Args:
        seed: any integer from 0.

    >>> World(seed=0).scene(7) == World(seed=0).scene(7)
    True
    """

    def __init__(self, seed: int = 0) -> None:
        if seed < 0:
            raise ValueError(f"The seed must be an integer from 0, not {seed}.")
        self.seed = seed

    def scene(self, index: int) -> Scene:
        """Return scene number `index` (from 0)."""
        if index < 0:
            raise ValueError(f"Scenes are numbered from 0; there is no scene {index}.")
        return _imagine(key_of(self.seed, index))

    def __iter__(self) -> Iterator[Scene]:
        """Iterate over all scenes; there is no last one."""
        index = 0
        while True:
            yield self.scene(index)
            index += 1

    def scenes(self, n: int) -> list[Scene]:
        """Return the first `n` scenes."""
        return [self.scene(index) for index in range(n)]


def scenes(n: int, seed: int = 0) -> list[Scene]:
    """Return the first `n` scenes of `World(seed)`."""
    return World(seed).scenes(n)


def _imagine(key: int) -> Scene:
    dice = Dice(key)
    hero = dice.choice(CHARACTERS)
    place = dice.choice(PLACES)
    time = dice.choice(TIMES)
    action = dice.choice(ACTIONS)
    has_friend = dice.chance(65) or action.needs_friend
    friend = dice.other(CHARACTERS, hero) if has_friend else None
    outcome = dice.choice(POLARITIES)
    mood = dice.choice([mood for mood in MOODS if mood.polarity == outcome])
    plots = [
        steps
        for steps in PLOTS[action.en][outcome]
        if friend or not any(step.actor == "friend" for step in steps)
    ]
    things: tuple[Thing, ...] = (_thing(dice, place),)
    if dice.chance(60):
        things += (_thing(dice, place, beside=things[0]),)
    return Scene(key, hero, friend, place, time, action, things, outcome, mood, dice.choice(plots))


def _thing(dice: Dice, place: Place, beside: Thing | None = None) -> Thing:
    """Imagine an object; it differs from `beside` in noun, colour and landmark."""
    noun: Noun
    colour: Colour
    landmark: Landmark
    landmarks = [LANDMARK[name] for name in place.landmarks]
    if beside is None:
        noun, colour, landmark = dice.choice(THINGS), dice.choice(COLOURS), dice.choice(landmarks)
    else:
        noun = dice.other(THINGS, beside.noun)
        colour = dice.other(COLOURS, beside.colour)
        landmark = dice.other(landmarks, beside.landmark)
    relation = RELATION[dice.choice(landmark.relations)]
    return Thing(noun, colour, dice.choice(SHAPES), dice.choice(SIZES), relation, landmark)
