"""A drawn scene with its exact ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classroom.toyland.lexicon import KINDS, LANDMARKS, THINGS, Character, Landmark
from classroom.toyland.pictures.background import HORIZON, draw_background
from classroom.toyland.pictures.canvas import UNITS, Canvas
from classroom.toyland.pictures.characters import draw_character
from classroom.toyland.pictures.landmarks import draw_landmark
from classroom.toyland.pictures.layout import Placed, layout
from classroom.toyland.pictures.things import draw_thing
from classroom.toyland.scene import Scene, Thing
from classroom.toyland.views.captions import caption, thing_caption

SMALLEST = 64
CLASSES: tuple[str, ...] = (
    "sky or wall",
    "ground",
    *(landmark.noun.en for landmark in LANDMARKS),
    *(thing.en for thing in THINGS),
    *(kind.en for kind in KINDS),
)


@dataclass(frozen=True, eq=False)
class Item:
    """One thing in a picture.

    Attributes:
        label: its class, one of `CLASSES`.
        phrase: how words point to it ("a small round red kite beside the tree", "Nina the mouse").
        box: (x0, y0, x1, y1) in pixels around what is visible; x1 and y1 are exclusive.
        mask: what is visible of it, bool, (size, size).
        distance: 0 at the eye, 1 at the horizon.
    """

    label: str
    phrase: str
    box: tuple[int, int, int, int]
    mask: NDArray[np.bool_]
    distance: float


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture and what is true of it.

    Attributes:
        image: RGB, (size, size).
        items: what can be seen, the farthest first: each item hides parts of those before it.
        caption: one sentence on all of it.
    """

    image: Image.Image
    items: tuple[Item, ...]
    caption: str

    @property
    def depth_order(self) -> tuple[str, ...]:
        """The phrases of the items, the farthest first."""
        return tuple(item.phrase for item in self.items)

    @cached_property
    def segmentation(self) -> NDArray[np.uint8]:
        """For every pixel the index of its class in `CLASSES`, (size, size)."""
        classes = np.zeros((self.image.height, self.image.width), dtype=np.uint8)
        classes[self._horizon :] = 1
        for item in self.items:
            classes[item.mask] = CLASSES.index(item.label)
        return classes

    @cached_property
    def instances(self) -> NDArray[np.uint8]:
        """For every pixel the number of its item, from 1; 0 is the background, (size, size)."""
        numbers = np.zeros((self.image.height, self.image.width), dtype=np.uint8)
        for number, item in enumerate(self.items, start=1):
            numbers[item.mask] = number
        return numbers

    @cached_property
    def depth(self) -> NDArray[np.float32]:
        """For every pixel its distance from 0 (at the eye) to 1 (horizon and sky), (size, size)."""
        height = self.image.height
        column = np.ones(height, dtype=np.float32)
        column[self._horizon :] = np.linspace(1.0, 0.0, height - self._horizon, dtype=np.float32)
        depth = np.repeat(column[:, None], self.image.width, axis=1)
        for item in self.items:
            depth[item.mask] = item.distance
        return depth

    @property
    def _horizon(self) -> int:
        return round(HORIZON / UNITS * self.image.height)


def picture(scene: Scene, size: int = 256) -> Picture:
    """Draw a scene.

    Args:
        scene: what to draw.
        size: edge of the square picture in pixels, at least 64.

    Raises:
        ValueError: when the picture would be too small to recognise anything.
    """
    if size < SMALLEST:
        raise ValueError(f"A picture needs at least {SMALLEST} pixels on each edge, not {size}.")
    background = Canvas(size)
    draw_background(background, scene.place, scene.time, scene.dice("background"))
    image = background.finished()
    placed = layout(scene)
    masks: list[NDArray[np.bool_]] = []
    for item in placed:
        layer = _layer(scene, item, size)
        image.alpha_composite(layer)
        covered = np.asarray(layer.getchannel("A")) >= 128
        for mask in masks:
            mask &= ~covered
        masks.append(covered.copy())
    items = tuple(
        Item(_label(item), _phrase(item), _box(mask), mask, item.distance)
        for item, mask in zip(placed, masks, strict=True)
        if mask.any()
    )
    return Picture(image.convert("RGB"), items, caption(scene))


def _layer(scene: Scene, item: Placed, size: int) -> Image.Image:
    canvas, content = Canvas(size), item.content
    if isinstance(content, Landmark):
        draw_landmark(canvas, content.noun.en, item.x, item.foot)
    elif isinstance(content, Thing):
        draw_thing(canvas, content, item.x, item.foot, content.size.scale * UNITS)
    else:
        worried_friend = content is scene.friend and scene.outcome == "negative"
        feeling = "neutral" if worried_friend else scene.outcome
        draw_character(canvas, content, item.x, item.foot, feeling)
    return canvas.finished()


def _label(item: Placed) -> str:
    content = item.content
    return content.kind.en if isinstance(content, Character) else content.noun.en


def _phrase(item: Placed) -> str:
    content = item.content
    if isinstance(content, Character):
        return f"{content.name} the {content.kind.en}"
    return thing_caption(content) if isinstance(content, Thing) else f"the {content.noun.en}"


def _box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
