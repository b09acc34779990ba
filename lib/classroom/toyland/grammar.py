"""The acceptor: does an English sentence, or a story, belong to Toyland?

A sentence belongs when one of the wordings of `english.py` makes it *and* what it says is possible: Nina is
a mouse, wells stand in gardens, nothing lies under a rock. A story belongs when, besides, its sentences fit
together: everybody is introduced, pronouns are clear, and first things come first. Language models that
write Toyland are measured by the share of their sentences that `accepts` takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from classroom.toyland import english
from classroom.toyland.lexicon import (
    CHARACTER,
    COLOURS,
    KINDS,
    LANDMARK,
    LANDMARKS,
    MOOD,
    MOODS,
    PLACE,
    PLACES,
    RELATIONS,
    SHAPE,
    SHAPES,
    SIZES,
    THINGS,
    TIMES,
)
from classroom.toyland.passage import pieces
from classroom.toyland.plot import ACTION, ACTIONS, BEATS, PLOTS, Step

Reading = dict[str, str]

_BEAT = {beat.en: name for name, beat in BEATS.items()}


def accepts(sentence: str) -> bool:
    """Tell whether an English sentence belongs to the world and is consistent in itself.

    >>> accepts("One morning, Nina the mouse was in the garden.")
    True
    >>> accepts("One morning, Nina the bear was in the garden.")
    False
    """
    return objection(sentence) is None


def objection(sentence: str) -> str | None:
    """Return why a sentence does not belong to the world, or None when it does."""
    reasons = []
    for kind, reading in _readings(sentence):
        reason = _inconsistency(reading)
        if reason is None:
            return None
        reasons.append(f"{reason} (read as: {kind})")
    return reasons[0] if reasons else "no wording of Toyland makes this sentence"


def accepts_story(story: str) -> bool:
    """Tell whether a story belongs to the world: every sentence, and all of them together."""
    return story_objection(story) is None


def story_objection(story: str) -> str | None:
    """Return why a story does not belong to the world, or None when it does."""
    sentences = split(story)
    if not 3 <= len(sentences) <= 8:
        return f"a story has three to eight sentences, not {len(sentences)}"
    told: list[tuple[str, Reading]] = []
    for sentence in sentences:
        reason = objection(sentence)
        if reason:
            return f"{sentence!r}: {reason}"
        told.append(
            next((k, r) for k, r in _readings(sentence) if _inconsistency(r) is None and k != "sentence")
        )
    return _order(told) or _cast(told) or _props(told) or _sense(told)


def split(story: str) -> list[str]:
    """Split a story into its sentences."""
    return [sentence for sentence in re.split(r"(?<=\.)\s+", story.strip()) if sentence]


def _order(told: list[tuple[str, Reading]]) -> str | None:
    """Check that settings, arrivals, the action, what follows and the feeling come in this order."""
    letters = "".join(kind[0] for kind, _ in told)  # s(etting) o(ther) a(rrival) d(eed) n(ext) m(ood)
    if re.fullmatch(r"so?a?dn{1,3}m", letters):
        return None
    return "a story goes: where and when, what else is there, who comes, the deed, what follows, the feeling"


def _cast(told: list[tuple[str, Reading]]) -> str | None:
    """Check that everybody was introduced and that pronouns agree."""
    hero = told[0][1]["hero_name"]
    friend = next((reading["friend_name"] for kind, reading in told if kind == "arrival"), None)
    if friend == hero:
        return f"{hero} cannot come twice"
    before = hero
    for kind, reading in told[1:]:
        partner = reading.get("partner_name")
        if partner and partner != friend:
            return f"{partner} was not introduced"
        subject = reading.get("subject")
        if kind in ("other", "arrival"):
            before = friend if kind == "arrival" and friend else ""
            continue
        if subject is None:
            continue
        if subject in CHARACTER:
            if subject not in (hero, friend):
                return f"{subject} was not introduced"
            before = subject
        elif not before or CHARACTER[before].he != subject:
            return f"it is not clear who {subject!r} is"
        if kind in ("deed", "mood") and before != hero:
            return f"the story is {hero}'s, not {before}'s"
    return None


def _props(told: list[tuple[str, Reading]]) -> str | None:
    """Check that the places of the objects exist in the place of the story, and that two objects differ."""
    place = PLACE[told[0][1]["place"]]
    for _, reading in told[1:]:
        landmark = reading.get("landmark")
        if landmark and landmark not in place.landmarks:
            return f"there is no {landmark} {place.en} the {place.noun.en}"
    other = next((reading for kind, reading in told if kind == "other"), None)
    deed = next(reading for kind, reading in told if kind == "deed")
    if other and (other["object"] == deed["object"] or other["landmark"] == deed["landmark"]):
        return "the two objects of a story are different and in different spots"
    return None


def _sense(told: list[tuple[str, Reading]]) -> str | None:
    """Check that what follows can follow from the deed, and leads to the feeling."""
    hero = told[0][1]["hero_name"]
    action, feeling = "", told[-1][1]["mood"]
    followed: list[Step] = []
    actor = hero
    for kind, reading in told:
        if kind == "deed":
            action = reading["verb"]
        if kind == "next":
            actor = reading["subject"] if reading["subject"] in CHARACTER else actor
            followed.append(Step("hero" if actor == hero else "friend", _BEAT[reading["beat"]]))
    possible = {step for steps in PLOTS[action][MOOD[feeling].polarity] for step in steps}
    if all(step in possible for step in followed):
        return None
    return f"{hero} would not be {feeling} after that"


def _inconsistency(reading: Reading) -> str | None:
    """Return what is impossible in a reading of one sentence."""
    for role in ("hero", "friend", "partner"):
        name, kind = reading.get(f"{role}_name"), reading.get(f"{role}_kind")
        if name and kind and CHARACTER[name].kind.en != kind:
            return f"{name} is a {CHARACTER[name].kind.en}, not a {kind}"
    partner = reading.get("partner_name")
    if "verb" in reading and ACTION[reading["verb"]].en_friend != reading.get("with", ""):
        return f"{reading['verb']!r} goes with {ACTION[reading['verb']].en_friend or 'nobody'!r}"
    if partner and ("hero_kind" in reading) != ("partner_kind" in reading):
        return "a kind is told at the first meeting only"
    if partner and partner in (reading.get("hero_name"), reading.get("subject")):
        return f"{partner} cannot act with {partner}"
    relation, landmark = reading.get("relation"), reading.get("landmark")
    if relation and landmark and relation not in LANDMARK[landmark].relations:
        return f"nothing is {relation} a {landmark}"
    if "place" in reading:
        place = PLACE[reading["place"]]
        if reading["preposition"] != place.en:
            return f"one says {place.en!r} the {place.noun.en}"
        if landmark and landmark not in place.landmarks:
            return f"there is no {landmark} {place.en} the {place.noun.en}"
    if "words" in reading:
        if reading["article"] != english.article(reading["words"]):
            return f"wrong article before {reading['words']!r}"
        shape = reading.get("shape_before") or reading.get("shape_after")
        if "shape_before" in reading and "shape_after" in reading:
            return "an object has one shape"
        if shape and SHAPE[shape].after_colour != bool(reading.get("shape_after")):
            return f"{shape!r} stands on the other side of the colour"
        if shape and not reading.get("size"):
            return "a shape is only told together with a size"
    return None


def _readings(sentence: str) -> Iterable[tuple[str, Reading]]:
    """Yield every way in which the templates read a sentence: kind of line, and what its slots hold."""
    if sentence[:1] != sentence[:1].upper():
        return
    words = sentence if sentence.split(" ", 1)[0] in CHARACTER else _without_capital(sentence)
    for kind, pattern in _patterns():
        match = pattern.fullmatch(words)
        if match:
            yield kind, {name: part for name, part in match.groupdict().items() if part is not None}


def _without_capital(text: str) -> str:
    return text[:1].lower() + text[1:]


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Compile the tables of `english.py` into regular expressions."""
    tables: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("sentence", english.SENTENCES),
        ("setting", english.SETTINGS),
        ("other", (english.OTHER,)),
        ("arrival", english.ARRIVALS),
        ("deed", (english.ACTION,)),
        ("next", english.STEPS),
        ("mood", english.MOODS),
    )
    slots = _slots()
    compiled = []
    for kind, templates in tables:
        for template in templates:
            expression = "".join(
                re.escape(piece) if number % 2 == 0 else slots[piece]
                for number, piece in enumerate(pieces(_without_capital(template)))
            )
            compiled.append((kind, re.compile(expression)))
    return tuple(compiled)


def _slots() -> dict[str, str]:
    """Return for every slot of the templates the regular expression of what may fill it."""
    name = _any(CHARACTER)
    kind = _any(k.en for k in KINDS)
    size, colour = _any(s.en for s in SIZES), _any(c.en for c in COLOURS)
    shape = _any(s.en for s in SHAPES)
    thing = (
        rf"(?P<article>an?) (?P<words>(?:(?P<size>{size}) )?(?:(?P<shape_before>{shape}) )?"
        rf"(?P<colour>{colour}) (?:(?P<shape_after>{shape}) )?(?P<object>{_any(t.en for t in THINGS)}))"
    )
    landmark, place = _any(m.noun.en for m in LANDMARKS), _any(p.noun.en for p in PLACES)
    where = rf"(?P<relation>{_any(r.en for r in RELATIONS)}) the (?P<landmark>{landmark})"
    did = (
        rf"(?P<verb>{_any(a.en for a in ACTIONS)}) {thing}"
        rf"(?: (?P<with>{_any({a.en_friend for a in ACTIONS if a.needs_friend})}) "
        rf"(?P<partner_name>{name})(?: the (?P<partner_kind>{kind}))?)?"
    )
    return {
        "time": rf"(?P<time>{_any(t.en for t in TIMES)})",
        "hero": rf"(?P<hero_name>{name}) the (?P<hero_kind>{kind})",
        "friend": rf"(?P<friend_name>{name}) the (?P<friend_kind>{kind})",
        "did": did,
        "where": where,
        "where_other": where,
        "other": thing,
        "there": rf"(?P<preposition>{_any({p.en for p in PLACES})}) the (?P<place>{place})",
        "subject": rf"(?P<subject>{name}|he|she)",
        "beat": rf"(?P<beat>{_any(b.en for b in BEATS.values())})",
        "mood": rf"(?P<mood>{_any(m.en for m in MOODS)})",
    }


def _any(words: Iterable[str]) -> str:
    """Return an expression for one of these words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
