"""Texts with their entities: tellings, whole stories, and people's opinions, wishes and questions."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache

from classroom.toyland import Scene, english
from classroom.toyland.lexicon import CHARACTERS, COLOURS, KINDS, PLACES, SHAPES, SIZES, THINGS, TIMES
from classroom.toyland.passage import Mark, Passage, join
from classroom.toyland.views.entities import TaggedSentence, tag

from steps.toyland_text import with_strangers

STRANGERS = 0.2  # the share of scenes with names that Toyland does not know


def tagged_texts(scenes: Sequence[Scene], rng: random.Random) -> list[TaggedSentence]:
    """Tag two texts of each scene."""
    texts = []
    for scene, following in zip(scenes, [*scenes[1:], scenes[0]], strict=True):
        stranger = with_strangers(scene, rng, STRANGERS)
        texts += [tag(_telling(stranger, following, rng)), tag(_remark(scene, rng))]
    return texts


def _telling(scene: Scene, following: Scene, rng: random.Random) -> Passage:
    """The sentence, the story, a piece of the story, or this story and the next."""
    chance = rng.random()
    if chance < 0.3:
        return english.sentence(scene)
    if chance < 0.65:
        return english.story(scene)
    if chance < 0.8:
        return join([english.story(scene), english.story(following)], " ")
    sentences = english.story_sentences(scene)
    first = rng.randrange(len(sentences) - 1)
    return join(sentences[first : rng.randint(first + 1, len(sentences))], " ")


def _remark(scene: Scene, rng: random.Random) -> Passage:
    """An opinion, a wish or a question, whose entities are found by their words."""
    text = rng.choice(
        (
            scene.sentiment().text,
            scene.intent().text,
            rng.choice(scene.questions()).question,
            scene.entailment().hypothesis,
            scene.caption(),
        )
    )
    marks = [
        Mark(*match.span(), role)
        for match in _entity().finditer(text)
        for role, found in match.groupdict().items()
        if found
    ]
    return Passage(text, tuple(marks))


@cache
def _entity() -> re.Pattern[str]:
    """An expression that finds entities, with a group for each role."""

    def any_of(words: Sequence[str]) -> str:
        return "|".join(re.escape(word) for word in words)

    looks = any_of([word.en for word in (*SIZES, *SHAPES, *COLOURS)])
    plurals = [f"{kind.en}s" for kind in KINDS] + ["mice", "foxes"]
    roles = {
        "name": any_of([character.name for character in CHARACTERS]),
        "phrase": rf"(?:(?:{looks}) )*(?:{any_of([thing.en for thing in THINGS])})",
        "kind": any_of([*plurals, *(kind.en for kind in KINDS)]),
        "place": any_of([place.noun.en for place in PLACES]),
        "time": any_of([time.en for time in TIMES]),
    }
    groups = "|".join(f"(?P<{role}>{words})" for role, words in roles.items())
    return re.compile(rf"\b(?:{groups})\b")
