"""Named entities: the tokens of a telling with BIO tags (Ramshaw and Marcus, 1995)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from classroom.toyland import english
from classroom.toyland.passage import Passage, join
from classroom.toyland.scene import Scene

# What is tagged: the role of a mark, and its entity.
_ENTITIES = {"name": "PER", "kind": "ANIMAL", "place": "LOC", "phrase": "OBJ", "time": "TIME"}
TAGS = ("O", *(f"{prefix}-{entity}" for entity in _ENTITIES.values() for prefix in ("B", "I")))

_TOKEN = re.compile(r"\w+(?:-\w+)*|[^\w\s]")


@dataclass(frozen=True)
class TaggedSentence:
    """Tokens, one tag for each, and where each token stands in the text."""

    text: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]


def entities(scene: Scene) -> TaggedSentence:
    """Tag the sentence of a scene, or two neighbouring sentences of its story (about half of the scenes)."""
    dice = scene.dice("entities")
    if dice.chance(50):
        return tag(english.sentence(scene))
    story = english.story_sentences(scene)
    first = dice.below(min(3, len(story) - 1))
    return tag(join(story[first : first + 2], " "))


def tag(passage: Passage) -> TaggedSentence:
    """Cut a passage into words and punctuation, and tag what its marks say."""
    spans = [(mark.start, mark.end, _ENTITIES[mark.role]) for mark in passage.marks if mark.role in _ENTITIES]
    tokens, tags, offsets = [], [], []
    for match in _TOKEN.finditer(passage.text):
        tokens.append(match.group())
        offsets.append(match.span())
        inside = next((span for span in spans if span[0] <= match.start() and match.end() <= span[1]), None)
        if inside is None:
            tags.append("O")
        else:
            tags.append(f"{'B' if match.start() == inside[0] else 'I'}-{inside[2]}")
    return TaggedSentence(passage.text, tuple(tokens), tuple(tags), tuple(offsets))
