"""Questions that a reader of Toyland may type, with their answers' places in a story or a sentence."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence

from classroom.toyland import Scene, english
from classroom.toyland.passage import Mark, Passage
from classroom.toyland.plot import BEATS
from classroom.toyland.views.questions import Question

from steps.toyland_text import with_strangers

Answer = tuple[str, Mark | None]  # a question, and the mark of its answer if the passage tells it
STRANGERS = 0.15  # the share of scenes with names that Toyland does not know

_KINDS = ("What is {0}?", "What animal is {0}?", "What kind of animal is {0}?")
_LOOKS = {
    "colour": ("What colour was the {0}?", "What color was the {0}?", "Which colour is the {0}?"),
    "size": ("How big was the {0}?", "What size was the {0}?"),
    "shape": ("What shape was the {0}?", "Which shape did the {0} have?"),
}


def training_questions(scenes: Sequence[Scene], rng: random.Random) -> list[Question]:
    """Five questions on each scene: one in the words of the view, two worded freely, and twins.

    Twins ask the same of both objects or of both characters of a story, where there are two: without them a
    model may learn that colours are always those of the object acted on, whatever the question names.
    """
    asked = []
    for known in scenes:
        scene = with_strangers(known, rng, STRANGERS)
        story = english.story(scene)
        asked.append(rng.choice(scene.questions()))
        asked.append(rng.choice(list(free_questions(scene, story))))
        asked.append(rng.choice(list(free_questions(scene, english.sentence(scene)))))
        asked += twin_questions(scene, rng) or rng.sample(list(free_questions(scene, story)), 2)
    return asked


def twin_questions(scene: Scene, rng: random.Random) -> list[Question]:
    """One pair of twins on the story, if it has two objects or two characters."""
    story = english.story(scene)
    twins = _twins(scene, story)
    return list(_asked(rng.choice(twins), story)) if twins else []


def free_questions(scene: Scene, passage: Passage) -> Iterator[Question]:
    """Yield every question below that the passage answers."""
    yield from _asked(_answers(scene, passage), passage)


def _asked(answers: Iterable[Answer], passage: Passage) -> Iterator[Question]:
    for wording, mark in answers:
        if mark is not None:
            answer = passage.text[mark.start : mark.end]
            yield Question(wording, passage.text, answer, mark.start, mark.end)


def _answers(scene: Scene, passage: Passage) -> Iterator[Answer]:
    """Yield questions with the mark of their answer, or None where the passage does not tell it."""
    action, hero, thing = scene.action, scene.hero.name, scene.thing.name
    base, place = action.en_base, english.there(scene.place).text
    hero_name = _inside(passage, "name", "hero")
    spot = english.where(scene.thing).text

    there = passage.find("there")
    yield from ((f"Where {verb} {hero}?", there) for verb in ("was", "is"))
    yield from ((wording, there) for wording in ("Where did it happen?", "What place is it about?"))
    time = passage.find("time")
    yield from ((w, time) for w in ("When was it?", "When did it happen?", f"When was {hero} {place}?"))
    kind = _inside(passage, "kind", "hero")
    yield from ((wording.format(hero), kind) for wording in _KINDS)
    mood = passage.find("mood")
    yield from ((wording, mood) for wording in (f"How did {hero} feel?", f"How was {hero} in the end?"))
    if mood:
        yield f"Who was {scene.mood.en} in the end?", hero_name
        yield f"Who felt {scene.mood.en}?", hero_name
    yield f"Who was {place}?", hero_name
    yield f"Who {action.en} the {thing}?", hero_name
    yield f"Who {action.en} {english.a_thing(scene.thing, 0).text}?", hero_name
    yield f"What did {hero} {base} {spot}?", passage.find("thing")
    yield f"What did {hero} {base}?", passage.find("thing")
    yield f"Where did {hero} {base} the {thing}?", passage.find("where")
    yield f"Where was the {thing}?", passage.find("where")
    if scene.action.needs_friend:
        partner = passage.find("partner") and (_inside(passage, "name", "partner") or passage.find("partner"))
        yield f"{action.en_friend.capitalize()} whom did {hero} {base} the {thing}?", partner
        yield f"Who did {hero} {base} the {thing} {action.en_friend}?", passage.find("partner")
    yield from _looks(thing, passage, "thing")
    if len(scene.things) > 1:
        yield from _looks(scene.things[1].name, passage, "other")
    friend_name = _inside(passage, "name", "friend")
    if scene.friend and friend_name:
        yield from ((w, friend_name) for w in ("Who else was there?", f"Who was there besides {hero}?"))
        friend_kind = _inside(passage, "kind", "friend")
        yield from ((wording.format(scene.friend.name), friend_kind) for wording in _KINDS)
    if mood:  # a whole story: its steps are told
        for step in scene.steps:
            actor = hero_name if step.actor == "hero" or scene.friend is None else friend_name
            yield f"Who {BEATS[step.beat].en}?", actor


def _looks(noun: str, passage: Passage, around: str) -> Iterator[Answer]:
    for role, wordings in _LOOKS.items():
        mark = _inside(passage, role, around)
        yield from ((wording.format(noun), mark) for wording in wordings)


def _twins(scene: Scene, story: Passage) -> list[tuple[Answer, ...]]:
    """Pairs of questions that differ only in whom or what they ask about."""
    twins: list[tuple[Answer, ...]] = []
    if len(scene.things) > 1:
        one, other = (thing.name for thing in scene.things)
        twins.append(
            (
                (f"Where was the {one}?", story.find("where")),
                (f"Where was the {other}?", story.find("where_other")),
            )
        )
        pairs = zip(_looks(one, story, "thing"), _looks(other, story, "other"), strict=True)
        twins += [pair for pair in pairs if pair[0][1] is not None]
    if scene.friend:
        names = scene.hero.name, scene.friend.name
        kinds = _inside(story, "kind", "hero"), _inside(story, "kind", "friend")
        twins += [tuple(zip(map(wording.format, names), kinds, strict=True)) for wording in _KINDS]
        actors = {"hero": _inside(story, "name", "hero"), "friend": _inside(story, "name", "friend")}
        steps = tuple((f"Who {BEATS[step.beat].en}?", actors[step.actor]) for step in scene.steps)
        feeling = (f"Who felt {scene.mood.en}?", actors["hero"])
        twins += [(steps[0], steps[-1] if len(steps) > 1 else feeling)] * 3
    return twins


def _inside(passage: Passage, role: str, around: str) -> Mark | None:
    """Return the first mark with a role within the first mark of another role."""
    outer = passage.find(around)
    if outer is None:
        return None
    inner = (m for m in passage.marks if m.role == role and outer.start <= m.start and m.end <= outer.end)
    return next(inner, None)
