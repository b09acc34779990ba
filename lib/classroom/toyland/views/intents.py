"""Requests to a helpful toy, with what is wanted: for dialogue systems."""

from __future__ import annotations

from classroom.toyland import english
from classroom.toyland.lexicon import CHARACTERS
from classroom.toyland.scene import Scene
from classroom.toyland.views.labelled import LabelledText, capitalised

_TEMPLATES: dict[str, tuple[str, ...]] = {
    "find_object": (
        "where is the {thing}?",
        "have you seen the {thing} anywhere?",
        "help me look for the {thing}",
        "I cannot find my {thing} {there}",
        "is the {thing} still {where}?",
    ),
    "bring_object": (
        "bring me the {thing}",
        "I would like to have the {thing}",
        "fetch the {thing} from {place}",
        "hand me the {thing} that is {where}",
        "get the {thing} for {friend}",
    ),
    "go_to_place": (
        "take me to {place}",
        "how do I get to {place}?",
        "let us go to {place} with {friend}",
        "I want to visit {place} {when}",
        "show me the way to {place}",
    ),
    "call_friend": (
        "call {friend}",
        "ask {friend} to meet me {there}",
        "tell {friend} that I am {there}",
        "ring {friend} {when}",
        "I would like to talk to {friend}",
    ),
    "tell_story": (
        "tell me a story about {friend}",
        "read me a tale about {a_thing}",
        "I want to hear a story from {place}",
        "do you know the story of {friend} and the {thing}?",
        "make up a story about {friend} {there}",
    ),
    "set_alarm": (
        "wake me up {when}",
        "set an alarm for the {time}",
        "remind me {when} to visit {friend}",
        "do not let me sleep too long, {friend} comes {when}",
        "I must be up when {friend} comes {when}",
    ),
    "make_object": (
        "make me {a_thing}",
        "can we build {a_thing} together?",
        "I want to make {a_thing} for {friend}",
        "how does one make {a_thing}?",
        "let us craft {a_thing} {there}",
    ),
    "ask_weather": (
        "will it rain {there} {when}?",
        "is it sunny {there}?",
        "what is the weather like {there} {when}?",
        "do {friend} and I need a coat {there}?",
        "how cold is it {there} {when}?",
    ),
}
LABELS = tuple(_TEMPLATES)
_POLITE = ("", "", "please, ", "hello, ", "dear toy, ")


def intent(scene: Scene) -> LabelledText:
    """Return a request that fits the scene; all intents are equally frequent.

    >>> from classroom.toyland import World
    >>> intent(World(0).scene(1)).label in LABELS
    True
    """
    dice = scene.dice("intent")
    label = dice.choice(LABELS)
    detail = dice.below(3)
    time = scene.time.en
    friend = scene.friend or dice.other(CHARACTERS, scene.hero)
    text = dice.choice(_POLITE) + dice.choice(_TEMPLATES[label]).format(
        thing=english.the_words(scene.thing, detail).text,
        a_thing=english.a_thing(scene.thing, detail).text,
        where=english.where(scene.thing).text,
        there=english.there(scene.place).text,
        place=f"the {scene.place.noun.en}",
        friend=friend.name,
        time=time,
        when="tonight" if time == "night" else f"this {time}",
    )
    return LabelledText(capitalised(text if text.endswith("?") else f"{text}."), label)
