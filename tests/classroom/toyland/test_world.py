from __future__ import annotations

import doctest
import hashlib
import importlib
import itertools
import json
import subprocess
import sys

import pytest
from classroom.toyland import Scene, World, scenes
from classroom.toyland.lexicon import CHARACTERS, KINDS, LANDMARK, PLACES, THINGS
from classroom.toyland.plot import ACTIONS, BEATS, PLOTS

GOLDEN = "ac91c9e9a4a75a7a1a32f8aa241a3acf6f4c872986b5ac1e16154801faf60377"


def all_texts(scene: Scene) -> dict[str, object]:
    return {
        "sentences": [scene.sentence(language) for language in ("en", "fr", "ja")],
        "stories": [scene.story(language) for language in ("en", "fr", "ja")],
        "headline": scene.headline(),
        "questions": [(q.question, q.answer, q.start) for q in scene.questions()],
        "entities": scene.entities().tags,
        "sentiment": scene.sentiment().text,
        "intent": scene.intent().text,
        "entailment": [scene.entailment().premise, scene.entailment().hypothesis],
        "endings": [scene.endings().sent1, scene.endings().sent2, *scene.endings().endings],
        "caption": scene.caption(),
        "facts": scene.facts(),
    }


def test_every_word_of_200_scenes_is_the_same_on_every_machine() -> None:
    written = json.dumps([all_texts(scene) for scene in scenes(200)], ensure_ascii=False)
    assert hashlib.sha256(written.encode()).hexdigest() == GOLDEN


def test_hash_randomisation_changes_nothing() -> None:
    program = "from classroom.toyland import scenes; print([s.story('fr') for s in scenes(20)])"
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


def test_a_scene_does_not_depend_on_how_many_are_asked_for() -> None:
    world = World(seed=5)
    assert world.scenes(3) == world.scenes(30)[:3] == list(itertools.islice(world, 3))
    assert world.scene(2) == world.scenes(3)[2]


def test_seeds_are_different_worlds() -> None:
    assert World(0).scene(0) != World(1).scene(0)


@pytest.mark.parametrize("call", [lambda: World(-1), lambda: World(0).scene(-1)])
def test_negative_numbers_are_refused(call) -> None:
    with pytest.raises(ValueError, match="from 0"):
        call()


def test_ten_thousand_scenes_are_nearly_all_told_differently() -> None:
    world = scenes(10_000)
    assert len({scene.sentence() for scene in world}) > 9_900
    assert len({scene.story() for scene in world}) > 9_990


def test_everything_and_everybody_occurs_about_equally_often() -> None:
    world = scenes(4_000)
    for options, of in (
        (CHARACTERS, lambda scene: scene.hero),
        (PLACES, lambda scene: scene.place),
        (ACTIONS, lambda scene: scene.action),
        (THINGS, lambda scene: scene.thing.noun),
        (("negative", "neutral", "positive"), lambda scene: scene.outcome),
    ):
        counts = [sum(of(scene) == option for scene in world) for option in options]
        assert min(counts) > 0.7 * len(world) / len(options)


def test_scenes_are_possible() -> None:
    for scene in scenes(2_000):
        assert scene.friend != scene.hero
        assert scene.friend is not None or not scene.action.needs_friend
        assert scene.mood.polarity == scene.outcome
        for thing in scene.things:
            assert thing.landmark.noun.en in scene.place.landmarks
            assert thing.relation.en in thing.landmark.relations
        if len(scene.things) == 2:
            one, two = scene.things
            assert one.noun != two.noun
            assert one.colour != two.colour
            assert one.landmark != two.landmark


def test_the_tables_fit_together() -> None:
    assert {name for place in PLACES for name in place.landmarks} == set(LANDMARK)
    assert {character.kind for character in CHARACTERS} == set(KINDS)
    assert set(PLOTS) == {action.en for action in ACTIONS}
    assert {
        step.beat for plots in PLOTS.values() for lines in plots.values() for s in lines for step in s
    } == set(BEATS)
    for action in ACTIONS:
        for lines in PLOTS[action.en].values():
            alone = any(all(step.actor == "hero" for step in steps) for steps in lines)
            assert alone or action.needs_friend, f"nothing can follow {action.en!r} without a friend"


def test_a_story_has_three_to_eight_sentences() -> None:
    lengths = {len(scene.sentences()) for scene in scenes(2_000)}
    assert lengths <= set(range(3, 9))
    assert len(lengths) >= 4


def test_importing_toyland_loads_neither_torch_nor_numpy_nor_pillow() -> None:
    program = (
        "import sys; from classroom.toyland import scenes; scenes(3)[0].story();"
        "print([name for name in ('torch', 'numpy', 'PIL', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "module", ["world", "passage", "grammar", "data_sets", "views.captions", "views.headlines"]
)
def test_examples_in_docstrings_are_true(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"classroom.toyland.{module}"))
    assert result.attempted
    assert not result.failed
