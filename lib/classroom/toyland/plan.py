"""The plan of a telling: which lines, in which order, with a name or a pronoun.

A plan knows no language. All storytellers follow the same plan, and so their stories are translations of one
another, line by line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from classroom.toyland.lexicon import Character
from classroom.toyland.plot import BEATS, Beat
from classroom.toyland.scene import Scene

Kind = Literal["setting", "other", "arrival", "action", "step", "mood"]

SENTENCE_PATTERNS = 4
SETTING_PATTERNS = 3
ARRIVAL_PATTERNS = 2
MOOD_PATTERNS = 2
CONNECTORS = 3  # then, after that, soon
BUT, NONE = 3, 4  # the numbers of the other links


@dataclass(frozen=True)
class Line:
    """One line of a story.

    Attributes:
        kind: what the line tells.
        pattern: which of the wordings for that kind (for a step: which connector).
        subject: who it is about, if anybody.
        named: whether the subject is named (else a pronoun, or nothing in Japanese).
        beat: what happens, for a step.
    """

    kind: Kind
    pattern: int = 0
    subject: Character | None = None
    named: bool = True
    beat: Beat | None = None


@dataclass(frozen=True)
class Plan:
    """How a scene is told.

    Attributes:
        sentence: which wording the one-sentence view has.
        detail: how much is said of an object: 0 colour, 1 size and colour, 2 size, shape and colour.
        lines: the lines of the story.
    """

    sentence: int
    detail: int
    lines: tuple[Line, ...]


@lru_cache(maxsize=64)
def plan(scene: Scene) -> Plan:
    """Return the plan that belongs to a scene."""
    dice = scene.dice("plan")
    sentence, detail = dice.below(SENTENCE_PATTERNS), dice.below(3)
    lines = [Line("setting", dice.below(SETTING_PATTERNS), scene.hero)]
    if len(scene.things) > 1:
        lines.append(Line("other"))
    if scene.friend:
        lines.append(Line("arrival", dice.below(ARRIVAL_PATTERNS), scene.friend))
    lines.append(Line("action", 0, scene.hero, _needs_name(scene, scene.hero, lines[-1])))
    connector = dice.below(CONNECTORS)
    for step in scene.steps:
        actor = scene.hero if step.actor == "hero" or scene.friend is None else scene.friend
        beat = BEATS[step.beat]
        named = _needs_name(scene, actor, lines[-1])
        link = {"then": connector % CONNECTORS, "but": BUT, "none": NONE}[beat.link]
        lines.append(Line("step", link, actor, named, beat))
        connector += 1
    lines.append(
        Line("mood", dice.below(MOOD_PATTERNS), scene.hero, _needs_name(scene, scene.hero, lines[-1]))
    )
    return Plan(sentence, detail, tuple(lines))


def _needs_name(scene: Scene, subject: Character, before: Line) -> bool:
    """Tell whether a pronoun would be unclear after the line before."""
    if before.subject is not subject:
        return True
    rival = scene.friend if before.kind == "action" and scene.action.needs_friend else None
    return rival is not None and rival.gender == subject.gender
