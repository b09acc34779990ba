"""Opinions on a scene, as a visitor of Toyland might write them down, with their sentiment.

"Far from boring" is positive and "never lovely" is negative, so counting words is not enough.
"""

from __future__ import annotations

from classroom.toyland import english
from classroom.toyland.scene import Scene
from classroom.toyland.views.captions import when
from classroom.toyland.views.labelled import LabelledText, capitalised

LABELS = ("negative", "neutral", "positive")

_GOOD = ("lovely", "wonderful", "charming", "splendid", "delightful", "beautiful", "marvellous", "magical")
_BAD = ("dreadful", "ugly", "boring", "awful", "disappointing", "horrible", "miserable", "gloomy")

_TEMPLATES: dict[str, tuple[str, ...]] = {
    "positive": (
        "what a {good} {thing}!",
        "the {thing} {there} was simply {good}.",
        "{hero} was so {mood} {there} that I had to smile.",
        "I loved the {time} {there}, above all the {good} {thing}.",
        "the {thing} was far from {bad}; I wish I had one.",
        "{hero} is never {bad}, and the {thing} was {good}.",
        "thank you, {hero}, for a {good} {time} {there}!",
        "not one {bad} moment {there}: the {thing} made everybody laugh.",
        "I expected a {bad} {thing}, but it was really {good}.",
        "{hero} and the {good} {thing} made my day.",
    ),
    "negative": (
        "what a {bad} {thing}!",
        "the {thing} {there} was simply {bad}.",
        "{hero} was so {mood} {there} that I nearly cried.",
        "I was sorry about the {time} {there}, above all about the {bad} {thing}.",
        "the {thing} was far from {good}; I want my money back.",
        "{hero} is never {good}, and the {thing} was {bad}.",
        "never again such a {bad} {time} {there}, {hero}!",
        "not one {good} moment {there}: the {thing} made everybody yawn.",
        "I expected a {good} {thing}, but it was really {bad}.",
        "{hero} and the {bad} {thing} spoiled my day.",
    ),
    "neutral": (
        "the {thing} is {where}.",
        "{hero} was {there} {when}.",
        "there is a {landmark} {there}, and {hero} has a {thing}.",
        "{hero} keeps the {thing} {there}.",
        "I saw {hero} {where} {when}.",
        "the {thing} belongs to {hero}, who is a {kind}.",
        "{hero} came {when} and brought the {thing}.",
        "you can see the {thing} {there} {when}.",
        "somebody put the {thing} {where} {when}.",
        "the {kind} with the {thing} is called {hero}.",
    ),
}


def sentiment(scene: Scene) -> LabelledText:
    """Return an opinion whose label is the outcome of the scene.

    >>> from classroom.toyland import World
    >>> sentiment(World(0).scene(1)).label
    'positive'
    """
    dice = scene.dice("sentiment")
    words = {
        "good": dice.choice(_GOOD),
        "bad": dice.choice(_BAD),
        "thing": english.the_words(scene.thing, dice.below(2)).text,
        "hero": scene.hero.name,
        "kind": scene.hero.kind.en,
        "there": english.there(scene.place).text,
        "where": english.where(scene.thing).text,
        "landmark": scene.thing.landmark.noun.en,
        "when": when(scene),
        "time": scene.time.en,
        "mood": scene.mood.en,
    }
    text = dice.choice(_TEMPLATES[scene.outcome]).format(**words)
    return LabelledText(capitalised(_with_articles(text)), scene.outcome)


def _with_articles(text: str) -> str:
    """Turn "a" into "an" where a vowel follows."""
    words = text.split(" ")
    return " ".join(
        "an" if word == "a" and following[:1] in "aeiou" else word
        for word, following in zip(words, [*words[1:], "."], strict=True)
    )
