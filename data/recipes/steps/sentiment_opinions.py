"""Opinions in everyday words, beside those of the view `sentiment`."""

from __future__ import annotations

import random
from collections.abc import Sequence

from classroom.toyland import Scene, english
from classroom.toyland.views.sentiment import LABELS

_WORDS = {
    "good": "good great nice lovely wonderful beautiful happy funny sweet kind brilliant perfect pleasant",
    "bad": "bad terrible awful horrible boring ugly sad nasty silly rude poor dull unpleasant annoying",
    "likes": "loved liked enjoyed adored",
    "hates": "hated disliked loathed regretted",
}
_TEMPLATES = {
    "positive": (
        "I {likes} the {thing}.",
        "we {likes} every minute {there}!",
        "this is a {good} {thing}.",
        "{hero} is so {good}.",
        "it was {good}.",
        "it was not {bad} at all.",
        "we are very {good}.",
        "the {thing} is really {good}, thank you!",
        "I did not find it {bad}.",
        "what a {good} {time} with {hero}!",
    ),
    "negative": (
        "I {hates} the {thing}.",
        "we {hates} every minute {there}!",
        "this is a {bad} {thing}.",
        "{hero} is so {bad}.",
        "it was {bad}.",
        "it was not {good} at all.",
        "we are very {bad}.",
        "the {thing} is really {bad}, no thank you!",
        "I did not find it {good}.",
        "what a {bad} {time} with {hero}!",
    ),
    "neutral": (
        "this is a {thing}.",
        "it was {time}.",
        "{hero} was {there}.",
        "the {thing} is here.",
        "there is a {thing} {there}.",
        "{hero} is a {kind}.",
        "we saw {hero} and the {thing} {there}.",
        "I have a {thing}.",
    ),
}


def opinions(scene: Scene, rng: random.Random) -> list[tuple[str, int]]:
    """Return the scene's opinion in the view, and one in everyday words, with their labels."""
    own = scene.sentiment()
    everyday = rng.choice(LABELS)
    words = {kind: rng.choice(listed.split()) for kind, listed in _WORDS.items()}
    text = rng.choice(_TEMPLATES[everyday]).format(
        thing=english.the_words(scene.thing, rng.randrange(2)).text,
        hero=scene.hero.name,
        kind=scene.hero.kind.en,
        there=english.there(scene.place).text,
        time=scene.time.en,
        **words,
    )
    return [(own.text, LABELS.index(own.label)), (text[0].upper() + text[1:], LABELS.index(everyday))]


def view_rows(scenes: Sequence[Scene], read: set[str]) -> list[tuple[str, int]]:
    """Return the different opinions of the view that were not read, with their labels."""
    found = {
        own.text: LABELS.index(own.label) for scene in scenes if (own := scene.sentiment()).text not in read
    }
    return list(found.items())
