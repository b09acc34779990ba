"""Toyland: one small synthetic world, seen as text in three languages, as labelled data, and as pictures.

>>> from classroom.toyland import World
>>> scene = World(seed=0).scene(3)
>>> scene.sentence(), scene.sentence("fr"), scene.story(), scene.draw(256)  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from classroom.toyland.scene import Scene
from classroom.toyland.world import World, scenes

if TYPE_CHECKING:
    from classroom.toyland.data_sets import VIEWS, rows, write_dataset
    from classroom.toyland.grammar import accepts, accepts_story, objection, story_objection
    from classroom.toyland.hub_datasets import datasets
    from classroom.toyland.pictures.gallery import gallery

__all__ = [
    "VIEWS",
    "Scene",
    "World",
    "accepts",
    "accepts_story",
    "datasets",
    "gallery",
    "objection",
    "rows",
    "scenes",
    "story_objection",
    "write_dataset",
]

_LAZY = {
    "VIEWS": "data_sets",
    "accepts": "grammar",
    "accepts_story": "grammar",
    "datasets": "hub_datasets",
    "gallery": "pictures.gallery",
    "objection": "grammar",
    "rows": "data_sets",
    "story_objection": "grammar",
    "write_dataset": "data_sets",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value
