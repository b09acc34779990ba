"""Scenes told in French, with agreement, elision and contraction.

The past is imparfait for what was, passé composé for what happened: "Nina était là. Elle l'a trouvée."
"""

from __future__ import annotations

from classroom.toyland.lexicon import Character, Noun
from classroom.toyland.passage import Passage, join
from classroom.toyland.plan import Line, Plan, plan
from classroom.toyland.scene import Scene, Thing

_CONNECTORS = ("Puis {0}", "Ensuite, {0}", "Bientôt, {0}", "Mais {0}", "{0}")
_MUTE_H = ("horloge",)


def sentence(scene: Scene) -> Passage:
    """Tell the action of a scene in one sentence."""
    telling = plan(scene)
    friend = who(scene.friend) if scene.friend else None
    hero, where_, there, one = who(scene.hero), where(scene.thing), scene.place.fr, scene.time.fr_one
    happening = f"{hero} {did(scene, telling.detail, friend)} {where_}"
    wordings = (
        f"{one}, {happening}, {there}.",
        f"{happening}, {there}, {one}.",
        f"{there}, {happening}.",
        f"{one}, {there}, {happening}.",
    )
    return Passage(wordings[telling.sentence]).capitalised()


def story(scene: Scene) -> Passage:
    """Tell a scene as a story of three to eight sentences."""
    return join(story_sentences(scene), " ")


def story_sentences(scene: Scene) -> tuple[Passage, ...]:
    """Tell a scene as a story, sentence by sentence."""
    telling = plan(scene)
    return tuple(Passage(_line(scene, telling, line)).capitalised() for line in telling.lines)


def _line(scene: Scene, telling: Plan, line: Line) -> str:
    if line.kind == "setting":
        return _setting(scene, line.pattern)
    if line.kind == "other":
        other = scene.things[1]
        return f"il y avait {a_thing(other, telling.detail)} {where(other)}."
    if line.kind == "arrival" and scene.friend:
        comes = f"est arrivé{agreement(scene.friend)}"
        return f"{who(scene.friend)} {('était là aussi', comes)[line.pattern]}."
    subject = _subject(line)
    if line.kind == "action":
        friend = scene.friend.name if scene.friend else None
        return f"{subject} {did(scene, telling.detail, friend)} {where(scene.thing)}."
    if line.beat and line.subject:
        predicate = line.beat.fr.format(**_agreements(scene.thing.noun, line.subject))
        return f"{_CONNECTORS[line.pattern].format(subject)} {predicate}."
    mood = scene.mood.fr_m if scene.hero.gender == "m" else scene.mood.fr_f
    return (f"à la fin, {subject} était {mood}.", f"{subject} se sentait {mood}.")[line.pattern]


def _setting(scene: Scene, pattern: int) -> str:
    hero, there, time = who(scene.hero), scene.place.fr, scene.time
    wordings = (
        f"{time.fr_one}, {hero} était {there}.",
        f"{hero} passait {time.fr_span} {there}.",
        f"{time.fr_it_was}, et {hero} était {there}.",
    )
    return wordings[pattern]


def _subject(line: Line) -> str:
    assert line.subject is not None
    if line.named:
        return line.subject.name
    return "il" if line.subject.gender == "m" else "elle"


def _agreements(noun: Noun, subject: Character) -> dict[str, str]:
    """Return the endings and pronouns that a beat needs."""
    feminine = noun.fr_gender == "f"
    return {
        "e": "e" if feminine else "",
        "le": "la" if feminine else "le",
        "il": "elle" if feminine else "il",
        "s": agreement(subject),
    }


def agreement(character: Character) -> str:
    """Return the ending of a participle or adjective that agrees with a character."""
    return "e" if character.gender == "f" else ""


def who(character: Character) -> str:
    """Return "Nina la souris", "Bruno l'ours"."""
    word = character.kind.fr_m if character.gender == "m" else character.kind.fr_f
    return f"{character.name} {the(Noun('', word, character.gender, ''))}"


def did(scene: Scene, detail: int, friend: str | None) -> str:
    """Return "a donné un petit cerf-volant rouge à Otto"."""
    action = scene.action
    words = f"a {action.fr} {a_thing(scene.thing, detail)}"
    return f"{words} {action.fr_friend} {friend}" if action.needs_friend else words


def where(thing: Thing) -> str:
    """Return "à côté du banc", "sous l'arbre"."""
    noun = thing.landmark.noun
    if thing.relation.fr.endswith(" de"):
        return f"{thing.relation.fr[:-3]} {of_the(noun)}"
    return f"{thing.relation.fr} {the(noun)}"


def a_thing(thing: Thing, detail: int) -> str:
    """Return "une petite boîte bleue et carrée": size before the noun, colour and shape after it."""
    noun, feminine = thing.noun, thing.noun.fr_gender == "f"
    colour = thing.colour.fr_f if feminine else thing.colour.fr_m
    size = thing.size.fr_f if feminine else thing.size.fr_m
    shape = thing.shape.fr_f if feminine else thing.shape.fr_m
    words = "une" if feminine else "un"
    words += f" {noun.fr} {colour}" if detail == 0 else f" {size} {noun.fr} {colour}"
    if detail == 2:
        words += f" {shape}" if thing.shape.after_colour else f" et {shape}"
    return words


def the(noun: Noun) -> str:
    """Return the noun with its definite article: "le banc", "la table", "l'arbre"."""
    if elides(noun.fr):
        return f"l'{noun.fr}"
    return f"{'la' if noun.fr_gender == 'f' else 'le'} {noun.fr}"


def of_the(noun: Noun) -> str:
    """Return "du banc", "de la table", "de l'arbre"."""
    if noun.fr_gender == "m" and not elides(noun.fr):
        return f"du {noun.fr}"
    return f"de {the(noun)}"


def elides(word: str) -> bool:
    """Tell whether an article loses its vowel before this word (not before the h of "hibou")."""
    return word[0] in "aeiouyâàéèêëîïôœùû" or word in _MUTE_H
