"""Premise and hypothesis: does the one follow from the other, contradict it, or neither?

A premise tells some facts of a scene and leaves others out. A hypothesis is about one fact. If the premise
tells it, the hypothesis follows or contradicts; if the premise leaves it out, the hypothesis is neutral. The
same hypotheses occur with every label, so nothing can be read from a hypothesis alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from classroom.toyland import english
from classroom.toyland.dice import Dice
from classroom.toyland.lexicon import COLOURS, MOODS, PLACES, SHAPES, TIMES, Colour, Mood, Place, Shape, Time
from classroom.toyland.scene import Scene

LABELS = ("entailment", "neutral", "contradiction")
FACTS = ("colour", "shape", "place", "time", "mood")


@dataclass(frozen=True)
class EntailmentPair:
    """A premise, a hypothesis, and how the hypothesis stands to the premise."""

    premise: str
    hypothesis: str
    label: str


def entailment(scene: Scene) -> EntailmentPair:
    """Return a pair on one fact of the scene; the labels are equally frequent.

    >>> from classroom.toyland import World
    >>> entailment(World(0).scene(1)).label in LABELS
    True
    """
    dice = scene.dice("entailment")
    # Nobody is pleased and displeased at once, but one may be sleepy and proud: neutral moods exclude none.
    facts = FACTS if scene.outcome != "neutral" else tuple(fact for fact in FACTS if fact != "mood")
    label, fact = dice.choice(LABELS), dice.choice(facts)
    changed = label == "contradiction" or (label == "neutral" and dice.chance(50))
    told = {name for name in FACTS if dice.chance(60)} - {fact}
    if label != "neutral":
        told.add(fact)
    return EntailmentPair(_premise(scene, told), _hypothesis(scene, fact, changed, dice), label)


def _premise(scene: Scene, told: set[str]) -> str:
    thing, hero = scene.thing, scene.hero
    shape = thing.shape.en if "shape" in told else ""
    colour = thing.colour.en if "colour" in told else ""
    look = (colour, shape) if thing.shape.after_colour else (shape, colour)
    words = " ".join(word for word in (*look, thing.name) if word)
    deed = f"{scene.action.en} {english.article(words)} {words}"
    if scene.action.needs_friend and scene.friend:
        deed += f" {scene.action.en_friend} {scene.friend.name} the {scene.friend.kind.en}"
    parts = [f"{hero.name} the {hero.kind.en} {deed}"]
    if "place" in told:
        parts.append(english.there(scene.place).text)
    sentence = f"{' '.join(parts)}."
    if "time" in told:
        sentence = f"One {scene.time.en}, {sentence}"
    if "mood" in told:
        sentence += f" {hero.name} felt {scene.mood.en}."
    return sentence


def _hypothesis(scene: Scene, fact: str, changed: bool, dice: Dice) -> str:
    """State one fact; when `changed`, state it as it is not in the scene."""
    thing, hero = scene.thing, scene.hero
    if fact == "colour":
        colour: Colour = dice.other(COLOURS, thing.colour) if changed else thing.colour
        return f"The {thing.name} was {colour.en}."
    if fact == "shape":
        shape: Shape = dice.other(SHAPES, thing.shape) if changed else thing.shape
        return f"The {thing.name} was {shape.en}."
    if fact == "place":
        place: Place = dice.other(PLACES, scene.place) if changed else scene.place
        return f"{hero.name} was {english.there(place).text}."
    if fact == "time":
        time: Time = dice.other(TIMES, scene.time) if changed else scene.time
        return f"It happened {'at night' if time.en == 'night' else f'in the {time.en}'}."
    opposite = [mood for mood in MOODS if mood.polarity not in ("neutral", scene.mood.polarity)]
    mood: Mood = dice.choice(opposite) if changed else scene.mood
    return f"{hero.name} was {mood.en} about it."
