"""Captions: what can be seen in the picture, and no more."""

from __future__ import annotations

from classroom.toyland import english
from classroom.toyland.scene import Scene, Thing

FULL = 2


def caption(scene: Scene) -> str:
    """Describe who and what the picture shows, for example for image captioning.

    >>> from classroom.toyland import World
    >>> caption(World(0).scene(1))
    'A bear in the garden in the evening, with a tiny blue star-shaped medal in front of the well.'
    """
    animals = f"{english.article(scene.hero.kind.en)} {scene.hero.kind.en}"
    if scene.friend:
        kind = scene.friend.kind.en
        animals = (
            f"two {_plural(kind)}"
            if kind == scene.hero.kind.en
            else f"{animals} and {english.article(kind)} {kind}"
        )
    things = " and ".join(thing_caption(thing) for thing in scene.things)
    words = f"{animals} {english.there(scene.place).text} {when(scene)}, with {things}."
    return words[0].upper() + words[1:]


def thing_caption(thing: Thing) -> str:
    """Return "a small round red kite beside the tree"."""
    return f"{english.a_thing(thing, FULL).text} {english.where(thing).text}"


def when(scene: Scene) -> str:
    """Return "in the morning", "at night"."""
    return "at night" if scene.time.en == "night" else f"in the {scene.time.en}"


def _plural(kind: str) -> str:
    irregular = {"mouse": "mice", "fox": "foxes"}
    return irregular.get(kind, f"{kind}s")
