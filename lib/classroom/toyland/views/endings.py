"""Endings: a story that breaks off, and four ways to go on, one of which is possible in Toyland.

The columns are those of SWAG (Zellers et al., 2018): what was told, how the next sentence begins, and four
endings of it. A story breaks off at one of three points: before the spot of the deed (only what stands in
that place is near), before something that follows (only what may follow that deed), or before the feeling
(only one that fits how things went). Wrong endings are drawn from other places, deeds and outcomes in the
same way as the right ones from their own, so that an ending alone says little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from classroom.toyland import english
from classroom.toyland.dice import Dice
from classroom.toyland.lexicon import LANDMARK, MOODS, PLACES, POLARITIES, Polarity
from classroom.toyland.plan import BUT, Line, plan
from classroom.toyland.plot import ACTIONS, BEATS, PLOTS, Step
from classroom.toyland.scene import Scene

CHOICES = 4


@dataclass(frozen=True)
class Endings:
    """What was told (`sent1`), a sentence that breaks off (`sent2`), and how it may end: `endings[label]`."""

    sent1: str
    sent2: str
    endings: tuple[str, ...]
    label: int


def endings(scene: Scene) -> Endings:
    """Break the story of a scene off and offer four endings; every label is equally frequent.

    >>> from classroom.toyland import World
    >>> asked = endings(World(0).scene(4))
    >>> asked.sent1
    'It was morning, and Lili the mouse was in the library. Oscar the owl was there too.'
    >>> asked.sent2, asked.endings[asked.label]
    ('Lili lost a green balloon', 'on the shelf.')
    """
    dice = scene.dice("endings")
    lines = plan(scene).lines
    kind = dice.choice(("action", "step", "mood") if _excluded(scene) else ("action", "step"))
    stop = dice.choice([number for number, line in enumerate(lines) if line.kind == kind])
    told = [passage.text for passage in english.story_sentences(scene)]
    right, wrong = _CHOICES[kind](scene, lines[stop])
    choices: list[str] = []
    while len(choices) < CHOICES - 1:
        choice = wrong(dice)
        if choice is not None and choice not in (right, *choices):
            choices.append(choice)
    label = dice.below(CHOICES)
    choices.insert(label, right)
    start = told[stop].removesuffix(f" {right}.")
    return Endings(" ".join(told[:stop]), start, tuple(f"{choice}." for choice in choices), label)


_Draw = Callable[[Dice], str | None]
"""Draws an ending that may serve as a wrong one, or None where what it drew would be right as well."""


def _spots(scene: Scene, line: Line) -> tuple[str, _Draw]:
    """End with where the deed was done: not near what stands elsewhere."""

    def elsewhere(dice: Dice) -> str | None:
        landmark = LANDMARK[dice.choice(dice.other(PLACES, scene.place).landmarks)]
        spot = f"{dice.choice(landmark.relations)} the {landmark.noun.en}"
        return None if landmark.noun.en in scene.place.landmarks else spot

    return english.where(scene.thing).text, elsewhere


def _events(scene: Scene, line: Line) -> tuple[str, _Draw]:
    """End with what somebody did next: not what only follows other deeds."""
    actor = "hero" if line.subject is scene.hero else "friend"
    possible = {step for plots in PLOTS[scene.action.en].values() for steps in plots for step in steps}

    def after_another_deed(dice: Dice) -> str | None:
        plots = PLOTS[dice.other(ACTIONS, scene.action).en][dice.choice(POLARITIES)]
        step = dice.choice(dice.choice(plots))
        fits = step.actor == actor and (BEATS[step.beat].link == "but") == (line.pattern == BUT)
        return BEATS[step.beat].en if fits and step not in possible else None

    assert line.beat is not None
    return line.beat.en, after_another_deed


def _feelings(scene: Scene, line: Line) -> tuple[str, _Draw]:
    """End with how the hero felt: not as one feels when things go otherwise."""
    excluded = [mood for mood in MOODS if mood.polarity in _excluded(scene)]
    return scene.mood.en, lambda dice: dice.choice(excluded).en


_CHOICES = {"action": _spots, "step": _events, "mood": _feelings}


def _excluded(scene: Scene) -> tuple[Polarity, ...]:
    """Return the outcomes to which the steps of a scene cannot lead."""

    def possible(outcome: Polarity) -> set[Step]:
        return {step for steps in PLOTS[scene.action.en][outcome] for step in steps}

    return tuple(outcome for outcome in POLARITIES if not possible(outcome).issuperset(scene.steps))
