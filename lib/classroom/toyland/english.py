"""Scenes told in English.

The wordings are templates in tables, and `grammar.py` reads the same tables to recognise sentences: what
can be told and what is accepted cannot drift apart.
"""

from __future__ import annotations

from functools import lru_cache

from classroom.toyland.lexicon import Character, Place
from classroom.toyland.passage import Passage, fill, join
from classroom.toyland.plan import Line, Plan, plan
from classroom.toyland.scene import Scene, Thing

SENTENCES = (
    "One {time}, {hero} {did} {where} {there}.",
    "{hero} {did} {where} {there} one {time}.",
    "{there}, {hero} {did} {where}.",
    "One {time} {there}, {hero} {did} {where}.",
)
SETTINGS = (
    "One {time}, {hero} was {there}.",
    "{hero} spent the {time} {there}.",
    "It was {time}, and {hero} was {there}.",
)
OTHER = "There was {other} {where_other}."
ARRIVALS = ("{friend} was there too.", "{friend} came along.")
ACTION = "{subject} {did} {where}."
STEPS = (
    "Then {subject} {beat}.",
    "After that, {subject} {beat}.",
    "Soon {subject} {beat}.",
    "But {subject} {beat}.",
    "{subject} {beat}.",
)
MOODS = ("In the end, {subject} was {mood}.", "{subject} felt {mood}.")


def sentence(scene: Scene) -> Passage:
    """Tell the action of a scene in one sentence."""
    telling = plan(scene)
    friend = who(scene.friend) if scene.friend else None
    return fill(
        SENTENCES[telling.sentence],
        time=Passage(scene.time.en),
        hero=who(scene.hero),
        did=did(scene, telling.detail, friend),
        where=where(scene.thing),
        there=there(scene.place),
    ).capitalised()


@lru_cache(maxsize=64)
def story(scene: Scene) -> Passage:
    """Tell a scene as a story of three to eight sentences."""
    return join(story_sentences(scene), " ")


@lru_cache(maxsize=64)
def story_sentences(scene: Scene) -> tuple[Passage, ...]:
    """Tell a scene as a story, sentence by sentence."""
    telling = plan(scene)
    return tuple(_line(scene, telling, line).capitalised() for line in telling.lines)


def _line(scene: Scene, telling: Plan, line: Line) -> Passage:
    if line.kind == "setting":
        return fill(
            SETTINGS[line.pattern],
            time=Passage(scene.time.en),
            hero=who(scene.hero),
            there=there(scene.place),
        )
    if line.kind == "other":
        other = scene.things[1]
        return fill(OTHER, other=a_thing(other, telling.detail), where_other=where(other))
    if line.kind == "arrival" and scene.friend:
        return fill(ARRIVALS[line.pattern], friend=who(scene.friend))
    subject = subject_of(line)
    if line.kind == "action":
        friend = Passage(scene.friend.name) if scene.friend else None
        return fill(ACTION, subject=subject, did=did(scene, telling.detail, friend), where=where(scene.thing))
    if line.beat:
        return fill(STEPS[line.pattern], subject=subject, beat=Passage(line.beat.en))
    return fill(MOODS[line.pattern], subject=subject, mood=Passage(scene.mood.en))


def subject_of(line: Line) -> Passage:
    """Return "Nina", or "she" where that is clear."""
    assert line.subject is not None
    return Passage(line.subject.name).marked("name") if line.named else Passage(line.subject.he)


def who(character: Character) -> Passage:
    """Return "Nina the mouse"."""
    return fill("{name} the {kind}", name=Passage(character.name), kind=Passage(character.kind.en))


def there(place: Place) -> Passage:
    """Return "in the garden"."""
    return fill("{preposition} the {place}", preposition=place.en, place=Passage(place.noun.en))


def where(thing: Thing) -> Passage:
    """Return "beside the tree"."""
    return fill(
        "{relation} the {landmark}", relation=thing.relation.en, landmark=Passage(thing.landmark.noun.en)
    )


def did(scene: Scene, detail: int, friend: Passage | None) -> Passage:
    """Return "gave a red kite to Otto the owl": the action in the past, with all who take part."""
    action, thing = scene.action, a_thing(scene.thing, detail)
    if action.needs_friend and friend:
        return fill(f"{action.en} {{thing}} {action.en_friend} {{partner}}", thing=thing, partner=friend)
    return fill(f"{action.en} {{thing}}", thing=thing)


def a_thing(thing: Thing, detail: int) -> Passage:
    """Return "a small round red kite": the object with its article."""
    words = the_words(thing, detail)
    return fill("{article} {phrase}", article=article(words.text), phrase=words)


def the_words(thing: Thing, detail: int) -> Passage:
    """Return "small round red kite", with as much detail as asked for (0 to 2)."""
    colour, size, shape = Passage(thing.colour.en), Passage(thing.size.en), Passage(thing.shape.en)
    if detail == 0:
        return fill("{colour} {object}", colour=colour, object=Passage(thing.name))
    if detail == 1:
        return fill("{size} {colour} {object}", size=size, colour=colour, object=Passage(thing.name))
    after = thing.shape.after_colour
    order = "{size} {colour} {shape} {object}" if after else "{size} {shape} {colour} {object}"
    return fill(order, size=size, colour=colour, shape=shape, object=Passage(thing.name))


def article(words: str) -> str:
    """Return "a" or "an" for the word that follows."""
    return "an" if words[0] in "aeiou" else "a"
