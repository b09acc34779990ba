from __future__ import annotations

import pytest
from classroom.toyland import World, accepts, accepts_story, objection, scenes, story_objection
from classroom.toyland.lexicon import COLOURS, KINDS
from classroom.toyland.views.labelled import capitalised
from hypothesis import assume, given
from hypothesis import strategies as st


@given(index=st.integers(0, 2**40), seed=st.integers(0, 2**40))
def test_everything_that_is_told_is_accepted(index: int, seed: int) -> None:
    scene = World(seed).scene(index)
    assert objection(scene.sentence()) is None
    assert story_objection(scene.story()) is None
    assert all(map(accepts, scene.sentences()))


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("One morning, Nina the bear was in the garden.", "Nina is a mouse"),
        ("One morning, nina the mouse was in the garden.", "no wording"),
        ("one morning, Nina the mouse was in the garden.", "no wording"),
        ("One morning, Nina the mouse was on the garden.", "one says 'in'"),
        ("One morning, Nina the mouse was in the garden", "no wording"),
        ("Nina the mouse found a orange kite beside the tree in the garden one morning.", "article"),
        ("Nina the mouse found a red kite beside the umbrella in the garden one morning.", "no umbrella"),
        ("Nina the mouse found a red kite on the tree in the garden one morning.", "nothing is on a tree"),
        ("Nina the mouse found a red small kite beside the tree in the garden one morning.", "no wording"),
        (
            "Nina the mouse found a small star-shaped red kite beside the tree in the park one night.",
            "other side",
        ),
        ("Nina the mouse found a red kite to Otto the owl beside the tree in the park one night.", "nobody"),
        ("Nina the mouse gave a red kite beside the tree in the park one night.", "goes with 'to'"),
        (
            "Nina the mouse gave a red kite to Nina the mouse beside the tree in the park one night.",
            "act with",
        ),
        ("Then She found it.", "no wording"),
        ("But Nina flew to the moon.", "no wording"),
    ],
)
def test_impossible_sentences_are_rejected_with_a_reason(sentence: str, reason: str) -> None:
    assert not accepts(sentence)
    assert reason in (objection(sentence) or "")


@given(index=st.integers(0, 5_000), position=st.integers(0, 40))
def test_two_words_that_change_places_are_rejected(index: int, position: int) -> None:
    words = scenes(1, seed=index)[0].sentence().rstrip(".").split(" ")
    first = position % (len(words) - 1)
    words[first], words[first + 1] = words[first + 1], words[first]
    assert not accepts(" ".join(words) + ".")


@given(index=st.integers(0, 5_000), position=st.integers(0, 40))
def test_a_word_that_is_said_twice_is_rejected(index: int, position: int) -> None:
    words = scenes(1, seed=index)[0].sentence().split(" ")
    words.insert(position % len(words), words[position % len(words)])
    assert not accepts(" ".join(words))


@given(index=st.integers(0, 5_000), kind=st.sampled_from(KINDS))
def test_a_character_of_another_kind_is_rejected(index: int, kind) -> None:
    scene = scenes(1, seed=index)[0]
    assume(scene.hero.kind != kind)
    name = scene.hero.name
    assert not accepts(scene.sentence().replace(f"{name} the {scene.hero.kind.en}", f"{name} the {kind.en}"))


@given(index=st.integers(0, 5_000))
def test_sentences_of_a_story_in_another_order_are_rejected(index: int) -> None:
    lines = list(scenes(1, seed=index)[0].sentences())
    assert not accepts_story(" ".join(reversed(lines)))
    assert not accepts_story(" ".join(lines[1:]))


def test_a_story_with_the_wrong_feeling_is_rejected() -> None:
    story = (
        "One morning, Nina the mouse was in the garden. She found a red kite beside the tree. "
        "Then she picked it up. After that, she took it home. In the end, Nina was {}."
    )
    assert accepts_story(story.format("proud"))
    assert story_objection(story.format("sad")) == "Nina would not be sad after that"


def test_a_stranger_or_a_wrong_pronoun_makes_a_story_impossible() -> None:
    story = (
        "One morning, Nina the mouse was in the garden. {} found a red kite beside the tree. "
        "Then {} picked it up. After that, she took it home. In the end, Nina was happy."
    )
    assert accepts_story(story.format("She", "she"))
    assert "not clear" in (story_objection(story.format("He", "she")) or "")
    assert "not introduced" in (story_objection(story.format("She", "Otto")) or "")


def test_a_story_stays_in_its_place() -> None:
    story = (
        "One morning, Nina the mouse was in the garden. She found a red kite beside the rock. "
        "Then she picked it up. After that, she took it home. In the end, Nina was happy."
    )
    assert story_objection(story) == "there is no rock in the garden"


def test_a_story_has_three_to_eight_sentences() -> None:
    assert "three to eight" in (story_objection("One morning, Nina the mouse was in the garden.") or "")


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(text: str) -> None:
    assert accepts(text) in (True, False)
    assert accepts_story(capitalised(text)) in (True, False)


def test_another_colour_is_still_a_sentence_of_the_world() -> None:
    for colour in COLOURS:
        article = "an" if colour.en == "orange" else "a"
        assert accepts(
            f"Nina the mouse found {article} {colour.en} kite under the tree in the park one night."
        )
