from __future__ import annotations

import re
from itertools import pairwise

import pytest
from classroom.toyland import World, french, japanese, scenes
from classroom.toyland.lexicon import CHARACTER, COLOUR, LANDMARK, RELATION, SHAPE, SIZE, THING
from classroom.toyland.passage import fill
from classroom.toyland.plan import plan
from classroom.toyland.scene import Thing


def thing(
    size: str, colour: str, shape: str, noun: str, relation: str = "beside", landmark: str = "tree"
) -> Thing:
    return Thing(
        THING[noun], COLOUR[colour], SHAPE[shape], SIZE[size], RELATION[relation], LANDMARK[landmark]
    )


@pytest.mark.parametrize(
    ("words", "detail", "french_words", "japanese_words"),
    [
        (("small", "red", "round", "kite"), 2, "un petit cerf-volant rouge et rond", "小さな赤くて丸い凧"),
        (("big", "blue", "square", "box"), 2, "une grande boîte bleue et carrée", "大きな青くて四角い箱"),
        (("tiny", "white", "star-shaped", "plate"), 2, "une toute petite assiette blanche en forme d'étoile",
         "とても小さな白い星形のお皿"),
        (("big", "orange", "triangular", "clock"), 2, "une grande horloge orange et triangulaire",
         "大きなオレンジ色の三角形の時計"),
        (("tiny", "green", "heart-shaped", "cushion"), 1, "un tout petit coussin vert",
         "とても小さな緑色のクッション"),
        (("small", "purple", "round", "medal"), 0, "une médaille violette", "紫色のメダル"),
    ],
)  # fmt: skip
def test_adjectives_agree(words, detail, french_words, japanese_words) -> None:
    assert french.a_thing(thing(*words), detail) == french_words
    assert japanese.a_thing(thing(*words), detail) == japanese_words


@pytest.mark.parametrize(
    ("relation", "landmark", "french_words", "japanese_words"),
    [
        ("beside", "tree", "à côté de l'arbre", "木のそば"),
        ("beside", "bench", "à côté du banc", "ベンチのそば"),
        ("beside", "table", "à côté de la table", "テーブルのそば"),
        ("beside", "shelf", "à côté de l'étagère", "棚のそば"),
        ("beside", "well", "à côté du puits", "井戸のそば"),
        ("under", "tree", "sous l'arbre", "木の下"),
        ("on", "haystack", "sur la meule de foin", "干し草の山の上"),
        ("in front of", "fence", "devant la clôture", "柵の前"),
        ("behind", "rock", "derrière le rocher", "岩の後ろ"),
    ],
)
def test_places_contract_and_elide(relation, landmark, french_words, japanese_words) -> None:
    where = thing("big", "red", "round", "kite", relation, landmark)
    assert french.where(where) == french_words
    assert japanese.where(where) == japanese_words


@pytest.mark.parametrize(
    ("name", "french_words", "japanese_words"),
    [
        ("Bruno", "Bruno l'ours", "くまのブルーノ"),
        ("Mila", "Mila l'ourse", "くまのミラ"),
        ("Otto", "Otto le hibou", "ふくろうのオットー"),
        ("Nelly", "Nelly l'éléphante", "ぞうのネリー"),
        ("Nina", "Nina la souris", "ねずみのニナ"),
        ("Ruby", "Ruby la renarde", "きつねのルビー"),
    ],
)
def test_animals_have_their_gender(name, french_words, japanese_words) -> None:
    assert french.who(CHARACTER[name]) == french_words
    assert japanese.who(CHARACTER[name]) == japanese_words


def test_pronouns_and_participles_agree_with_object_and_subject() -> None:
    seen: set[tuple[str, str]] = set()
    for scene in scenes(3_000):
        noun, story = scene.thing.noun, scene.story("fr")
        if any(step.beat == "mended" for step in scene.steps):
            assert ("l'a réparée" in story) == (noun.fr_gender == "f")
            seen.add(("object", noun.fr_gender))
        if any(step.beat == "tried to mend" for step in scene.steps):
            assert f"essayé de {'la' if noun.fr_gender == 'f' else 'le'} réparer" in story
        if scene.friend and "est arrivé" in story:
            assert (f"{french.who(scene.friend)} est arrivée." in story) == (scene.friend.gender == "f")
            seen.add(("subject", scene.friend.gender))
    assert len(seen) == 4


def test_french_never_forgets_an_elision_or_a_contraction() -> None:
    wrong = re.compile(
        r"\b(?:le|la|de|que) [aeiouyâàéèêëîïôœùûh](?!ibou)|\bde le\b(?! (?:réparer|rendre))|\bà le\b|l'hibou",
        re.IGNORECASE,
    )
    for scene in scenes(3_000):
        text = f"{scene.sentence('fr')} {scene.story('fr')}"
        assert not wrong.search(text), text


def test_japanese_marks_where_something_happens_and_where_it_is_put() -> None:
    for scene in scenes(1_000):
        spot = japanese.where(scene.thing)
        particle = "に" if scene.action.en == "hid" else "で"
        assert f"{spot}{particle}" in scene.sentence("ja")
        assert "はは" not in scene.story("ja")
        assert not re.search(r"[A-Za-z{}]", scene.story("ja"))


def test_stories_are_parallel_line_by_line() -> None:
    for scene in scenes(500):
        lines = [scene.sentences(language) for language in ("en", "fr", "ja")]
        assert len({len(told) for told in lines}) == 1
        for english_line, french_line, japanese_line in zip(*lines, strict=True):
            assert english_line.endswith(".")
            assert french_line.endswith(".")
            assert japanese_line.endswith("。")
            assert english_line[0].isupper()
            assert french_line[0].isupper()


def test_a_sentence_has_one_translation() -> None:
    translation: dict[str, str] = {}
    for scene in scenes(10_000):
        assert translation.setdefault(scene.sentence(), scene.sentence("fr")) == scene.sentence("fr")


def test_a_pronoun_is_used_only_for_who_was_just_the_subject() -> None:
    for scene in scenes(1_000):
        lines = plan(scene).lines
        for before, line in pairwise(lines):
            if not line.named and line.subject:
                assert before.subject is line.subject


def test_an_unknown_language_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'en', 'fr', 'ja'"):
        World(0).scene(0).sentence("de")  # type: ignore[arg-type]


def test_passages_remember_nested_parts() -> None:
    who = fill("{name} the {kind}", name=fill("Nina"), kind=fill("mouse"))
    passage = fill("Here is {hero}.", hero=who)
    found = passage.find("kind")
    assert found is not None
    assert passage.text[found.start : found.end] == "mouse"
    outer = passage.find("hero")
    assert outer is not None
    assert passage.text[outer.start : outer.end] == "Nina the mouse"
