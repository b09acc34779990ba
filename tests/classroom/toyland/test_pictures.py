from __future__ import annotations

import numpy as np
import pytest
from classroom.toyland import World, gallery, scenes
from classroom.toyland.lexicon import CHARACTERS, LANDMARKS, PLACES, THINGS
from classroom.toyland.pictures.picture import CLASSES, Picture

SIZE = 96
WORLD = scenes(120, seed=2)
PICTURES = [scene.picture(SIZE) for scene in WORLD]


def test_boxes_are_the_extents_of_the_masks_and_inside_the_picture() -> None:
    for picture in PICTURES:
        for item in picture.items:
            x0, y0, x1, y1 = item.box
            assert 0 <= x0 < x1 <= SIZE
            assert 0 <= y0 < y1 <= SIZE
            rows, columns = np.nonzero(item.mask)
            assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == item.box


def test_everything_in_the_scene_can_be_seen() -> None:
    for scene, picture in zip(WORLD, PICTURES, strict=True):
        labels = sorted(item.label for item in picture.items)
        animals = [scene.hero.kind.en] + ([scene.friend.kind.en] if scene.friend else [])
        things = [thing.name for thing in scene.things]
        landmarks = [thing.landmark.noun.en for thing in scene.things]
        assert labels == sorted(animals + things + landmarks)
        assert all(item.mask.sum() >= 8 for item in picture.items)


def test_masks_do_not_overlap_and_make_up_the_segmentation() -> None:
    for picture in PICTURES:
        assert np.sum([item.mask for item in picture.items], axis=0).max() == 1
        for number, item in enumerate(picture.items, start=1):
            assert (picture.instances[item.mask] == number).all()
            assert (picture.segmentation[item.mask] == CLASSES.index(item.label)).all()
        background = picture.instances == 0
        assert set(np.unique(picture.segmentation[background])) == {0, 1}


def test_the_farthest_comes_first_and_depth_agrees() -> None:
    for picture in PICTURES:
        distances = [item.distance for item in picture.items]
        assert distances == sorted(distances, reverse=True)
        assert len(picture.depth_order) == len(distances)
        assert picture.depth.dtype == np.float32
        assert picture.depth.min() >= 0
        assert picture.depth.max() == 1
        for item in picture.items:
            assert np.allclose(picture.depth[item.mask], item.distance)


@pytest.mark.parametrize("relation", ["on", "under", "behind", "in front of"])
def test_objects_are_where_the_words_say(relation: str) -> None:
    found = 0
    for scene, picture in zip(WORLD, PICTURES, strict=True):
        for thing in scene.things:
            if thing.relation.en != relation:
                continue
            found += 1
            item, landmark = _item(picture, thing.name), _item(picture, thing.landmark.noun.en)
            middle = (item.box[1] + item.box[3]) / 2
            if relation == "on":
                assert middle < (landmark.box[1] + landmark.box[3]) / 2 + 2
            elif relation == "under":
                assert abs(item.box[3] - landmark.box[3]) < 5
            elif relation == "behind":
                assert item.distance > landmark.distance
            else:
                assert item.distance < landmark.distance
                assert item.box[3] > landmark.box[3]
    assert found


def _item(picture: Picture, label: str):
    return next(item for item in picture.items if item.label == label)


def test_an_object_shows_its_colour() -> None:
    from PIL import ImageColor

    for scene, picture in zip(WORLD, PICTURES, strict=True):
        pixels = np.asarray(picture.image).astype(int)
        for thing in scene.things:
            mask = _item(picture, thing.name).mask
            distance = np.abs(pixels[mask] - ImageColor.getrgb(thing.colour.rgb)).sum(axis=1)
            assert (distance < 40).any(), thing


def test_bigger_objects_are_bigger() -> None:
    widths: dict[str, list[int]] = {}
    for scene, picture in zip(WORLD, PICTURES, strict=True):
        for thing in scene.things:
            if thing.relation.en in ("on", "in front of") and thing.shape.en == "round":
                box = _item(picture, thing.name).box
                widths.setdefault(thing.size.en, []).append(box[2] - box[0])
    assert max(widths["tiny"]) < min(widths["small"])
    assert max(widths["small"]) < min(widths["big"])


def test_the_same_scene_gives_the_same_picture() -> None:
    scene = World(0).scene(0)
    first, second = scene.picture(SIZE), scene.picture(SIZE)
    assert first.image.tobytes() == second.image.tobytes()
    assert first.image.mode == "RGB"
    assert first.caption == scene.caption()


@pytest.mark.parametrize("size", [64, 100, 300])
def test_pictures_have_the_size_asked_for(size: int) -> None:
    assert World(0).scene(1).draw(size).size == (size, size)


def test_a_picture_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 64"):
        World(0).scene(0).draw(8)


def test_everything_can_be_drawn() -> None:
    world = scenes(600, seed=9)
    assert {scene.hero for scene in world} == set(CHARACTERS)
    assert {(scene.place, scene.time.en) for scene in world} >= {(place, "night") for place in PLACES}
    assert {thing.noun for scene in world for thing in scene.things} == set(THINGS)
    assert {thing.landmark for scene in world for thing in scene.things} == set(LANDMARKS)
    for scene in world:
        scene.draw(64)


def test_a_gallery_is_one_picture() -> None:
    sheet = gallery(WORLD[:5], columns=2, size=64)
    assert sheet.mode == "RGB"
    assert 128 < sheet.width < 160
    assert sheet.height > 3 * 64


def test_an_empty_gallery_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        gallery([], columns=3)
