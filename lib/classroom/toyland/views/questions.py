"""Questions on the English story whose answers stand in it, at exact character offsets."""

from __future__ import annotations

from dataclasses import dataclass

from classroom.toyland import english
from classroom.toyland.passage import Mark, Passage
from classroom.toyland.scene import Scene


@dataclass(frozen=True)
class Question:
    """A question on a story; `context[start:end] == answer`."""

    question: str
    context: str
    answer: str
    start: int
    end: int


def questions(scene: Scene) -> tuple[Question, ...]:
    """Return all questions that the story of a scene answers, seven to twelve of them."""
    story = english.story(scene)
    hero, thing, base = scene.hero.name, scene.thing, scene.action.en_base
    asked: list[tuple[str, Mark | None]] = [
        (f"Where was {hero}?", story.find("there")),
        (f"What kind of animal is {hero}?", _inside(story, "kind", "hero")),
        ("What time of day was it?", story.find("time")),
        (f"How did {hero} feel in the end?", story.find("mood")),
        (f"What did {hero} {base}?", story.find("thing")),
        (f"What colour was the {thing.name}?", _inside(story, "colour", "thing")),
    ]
    size = _inside(story, "size", "thing")
    if size:
        asked.append((f"How big was the {thing.name}?", size))
    shape = _inside(story, "shape", "thing")
    if shape:
        asked.append((f"What shape was the {thing.name}?", shape))
    if len(scene.things) > 1:
        other = scene.things[1]
        asked.append((f"What was {english.where(other).text}?", story.find("other")))
        asked.append((f"Where was the {other.name}?", story.find("where_other")))
    if scene.friend:
        asked.append((f"Who else was there besides {hero}?", _inside(story, "name", "friend")))
    if scene.action.needs_friend:
        asked.append(
            (f"Who did {hero} {base} the {thing.name} {scene.action.en_friend}?", story.find("partner"))
        )
    else:
        asked.append((f"Where exactly did {hero} {base} the {thing.name}?", story.find("where")))
    return tuple(
        Question(question, story.text, story.text[mark.start : mark.end], mark.start, mark.end)
        for question, mark in asked
        if mark
    )


def _inside(story: Passage, role: str, around: str) -> Mark | None:
    """Return the first mark with a role within the first mark of another role."""
    outer = story.find(around)
    if outer is None:
        return None
    inner = (m for m in story.marks if m.role == role and outer.start <= m.start and m.end <= outer.end)
    return next(inner, None)
