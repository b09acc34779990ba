"""Pairs of a text and a hypothesis: what a text is about, in the template of zero-shot classification."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from classroom.toyland import Scene, english
from classroom.toyland.lexicon import CHARACTERS, KINDS, MOOD, MOODS, PLACES, THINGS, TIMES

from steps.toyland_text import with_strangers

LABELS = ("CONTRADICTION", "NEUTRAL", "ENTAILMENT")
TEMPLATES = (
    "This example is {}.",
    "This example is {}.",
    "This example is about {}.",
    "This text is about {}.",
)
STRANGERS = 0.1  # the share of stories and sentences with names that Toyland does not know
HELD_OUT = {"place": {"lake", "market"}, "object": {"lantern", "medal"}, "animal": {"owl", "pig"}}
"""Notions that are no label in training, to see what the model makes of labels it has not met."""

# For each group of notions: the notion, and the labels under which a person may ask for it.
NOTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "place": {p.noun.en: (p.noun.en, f"{p.en} the {p.noun.en}", f"the {p.noun.en}") for p in PLACES},
    "time": {time.en: (time.en,) for time in TIMES},
    "object": {t.en: (t.en, f"{english.article(t.en)} {t.en}") for t in THINGS},
    "animal": {k.en: (k.en, f"{english.article(k.en)} {k.en}") for k in KINDS},
    "person": {character.name: (character.name,) for character in CHARACTERS},
    "mood": {mood.en: (mood.en,) for mood in MOODS},
    "feeling": {"positive": ("positive", "good"), "negative": ("negative", "bad"), "neutral": ("neutral",)},
    "intent": {
        "find_object": ("finding something", "search", "find object"),
        "bring_object": ("bringing something", "delivery", "bring object"),
        "go_to_place": ("going somewhere", "travel", "go to place"),
        "call_friend": ("calling a friend", "call", "call friend"),
        "tell_story": ("telling a story", "story", "tell story"),
        "set_alarm": ("waking up", "alarm", "set alarm"),
        "make_object": ("making something", "craft", "make object"),
        "ask_weather": ("the weather", "weather", "ask weather"),
    },
}


@dataclass(frozen=True)
class Pair:
    """A premise, a hypothesis, and the number of the label."""

    premise: str
    hypothesis: str
    label: int


@dataclass(frozen=True)
class About:
    """A text, the notions it tells of each group, and the groups of which it says nothing."""

    text: str
    told: dict[str, set[str]]
    open: tuple[str, ...]


def training_pairs(scenes: Sequence[Scene], rng: random.Random) -> list[Pair]:
    """One pair of the view `entailment` for each scene, and three on what a text about it is about."""
    pairs = []
    for scene in scenes:
        pairs.append(view_pair(scene))
        pairs += _pairs_on(any_text(scene, rng), rng)
    return pairs


@dataclass(frozen=True)
class Listing:
    """A text, and labels of many notions with the number of the verdict on each."""

    text: str
    labels: tuple[str, ...]
    verdicts: tuple[int, ...]


def listings(scenes: Sequence[Scene], rng: random.Random) -> list[Listing]:
    """A text on each scene, with sixteen labels: true, false and open ones in random order."""
    return [_listing(any_text(scene, rng), rng) for scene in scenes]


def _listing(about: About, rng: random.Random) -> Listing:
    verdicts: dict[tuple[str, str], int] = {}
    for group, told in about.told.items():
        false = sorted(excluded(group, told))
        verdicts |= {(group, notion): 2 for notion in told}
        verdicts |= {(group, notion): 0 for notion in rng.sample(false, min(3, len(false)))}
    for group in about.open:
        verdicts[group, rng.choice(sorted(NOTIONS[group]))] = 1
    allowed = [key for key in verdicts if key[1] not in HELD_OUT.get(key[0], ())]
    chosen = rng.sample(allowed, min(16, len(allowed)))
    labels = tuple(rng.choice(NOTIONS[group].get(notion, (notion,))) for group, notion in chosen)
    return Listing(about.text, labels, tuple(verdicts[key] for key in chosen))


def view_pair(scene: Scene) -> Pair:
    """The scene's pair in the view `entailment`."""
    pair = scene.entailment()
    return Pair(pair.premise, pair.hypothesis, LABELS.index(pair.label.upper()))


def any_text(scene: Scene, rng: random.Random) -> About:
    """A wish, an opinion, a story or a sentence on the scene; some stories are about strangers."""
    kind = rng.choices((request, opinion, telling, sentence), (7, 4, 6, 3))[0]
    return kind(with_strangers(scene, rng, STRANGERS) if kind in (telling, sentence) else scene)


def request(scene: Scene) -> About:
    """A wish or a question to a helpful toy."""
    own = scene.intent()
    return About(own.text, {"intent": {own.label}}, ("mood", "feeling"))


def opinion(scene: Scene) -> About:
    """What a visitor thinks of the scene."""
    own = scene.sentiment()
    return About(own.text, {"feeling": {own.label}}, ("intent",))


def telling(scene: Scene) -> About:
    """The whole story."""
    told = {**_facts(scene), "mood": {scene.mood.en}, "feeling": {scene.outcome}, "time": {scene.time.en}}
    return About(scene.story(), told, ("intent",))


def sentence(scene: Scene) -> About:
    """The story in one sentence."""
    passage = english.sentence(scene)
    told = _facts(scene)
    told["object"] = {scene.thing.name}
    if scene.friend and not scene.action.needs_friend:
        told["animal"], told["person"] = {scene.hero.kind.en}, {scene.hero.name}
    open_groups: tuple[str, ...] = ("mood", "feeling", "intent")
    if passage.find("time"):
        told["time"] = {scene.time.en}
    else:
        open_groups += ("time",)
    return About(passage.text, told, open_groups)


def _facts(scene: Scene) -> dict[str, set[str]]:
    there = [scene.hero, *([scene.friend] if scene.friend else [])]
    return {
        "place": {scene.place.noun.en},
        "object": {thing.name for thing in scene.things},
        "animal": {character.kind.en for character in there},
        "person": {character.name for character in there},
    }


def _pairs_on(about: About, rng: random.Random) -> list[Pair]:
    """A true, a false and an open hypothesis."""
    pairs = []
    group = rng.choice(sorted(about.told))
    true = rng.choice(sorted(about.told[group]))
    if true not in HELD_OUT.get(group, ()):
        pairs.append(Pair(about.text, _hypothesis(group, true, rng), 2))
    group = rng.choice(sorted(about.told))
    false = sorted(excluded(group, about.told[group]) - HELD_OUT.get(group, set()))
    if false:
        pairs.append(Pair(about.text, _hypothesis(group, rng.choice(false), rng), 0))
    group = rng.choice(about.open)
    notion = rng.choice(sorted(set(NOTIONS[group]) - HELD_OUT.get(group, set())))
    pairs.append(Pair(about.text, _hypothesis(group, notion, rng), 1))
    return pairs


def excluded(group: str, told: set[str]) -> set[str]:
    """The notions that a text cannot be about, given those that it tells."""
    if group != "mood":
        return set(NOTIONS[group]) - told
    polarity = MOOD[next(iter(told))].polarity  # sleepy and proud go together, sad and proud do not
    return {mood.en for mood in MOODS if {mood.polarity, polarity} == {"negative", "positive"}}


def _hypothesis(group: str, notion: str, rng: random.Random) -> str:
    label = rng.choice(NOTIONS[group].get(notion, (notion,)))
    return rng.choice(TEMPLATES).format(label)
