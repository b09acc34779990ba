"""A scene: everything that is true at one moment of Toyland, and the views of it.

The scene itself holds facts only. Each view (a sentence, a story, a picture ...) is made by a module of
its own, which is imported when the view is asked for; so pictures cost nothing to those who want text.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from classroom.toyland.dice import Dice, key_of
from classroom.toyland.lexicon import (
    Character,
    Colour,
    Landmark,
    Mood,
    Noun,
    Place,
    Polarity,
    Relation,
    Shape,
    Size,
    Time,
)
from classroom.toyland.plot import Action, Step

if TYPE_CHECKING:
    from PIL.Image import Image

    from classroom.toyland.pictures.picture import Picture
    from classroom.toyland.views.endings import Endings
    from classroom.toyland.views.entailment import EntailmentPair
    from classroom.toyland.views.entities import TaggedSentence
    from classroom.toyland.views.labelled import LabelledText
    from classroom.toyland.views.questions import Question

Language = Literal["en", "fr", "ja"]


@dataclass(frozen=True)
class Thing:
    """An object, how it looks, and where it is."""

    noun: Noun
    colour: Colour
    shape: Shape
    size: Size
    relation: Relation
    landmark: Landmark

    @property
    def name(self) -> str:
        """The English noun."""
        return self.noun.en


@dataclass(frozen=True)
class Scene:
    """One small happening in Toyland.

    Attributes:
        key: a 64-bit number from which every choice of wording and layout follows.
        hero: who acts.
        friend: who else is there, if anybody.
        place: where.
        time: when.
        action: what the hero does to the first thing.
        things: one or two objects of different nouns and colours; the first is the one acted on.
        outcome: how it turns out; equal to the polarity of `mood`.
        mood: how the hero feels in the end.
        steps: what happens after the action, in order.
    """

    key: int
    hero: Character
    friend: Character | None
    place: Place
    time: Time
    action: Action
    things: tuple[Thing, ...]
    outcome: Polarity
    mood: Mood
    steps: tuple[Step, ...]

    def __hash__(self) -> int:
        return self.key

    @property
    def thing(self) -> Thing:
        """The object that the action is about."""
        return self.things[0]

    def dice(self, purpose: str) -> Dice:
        """Return fresh dice for one purpose, so that views do not disturb one another."""
        return Dice(key_of(self.key, purpose))

    def sentence(self, language: Language = "en") -> str:
        """Tell the main action in one sentence; the languages are translations of one another."""
        return storyteller(language).sentence(self).text

    def story(self, language: Language = "en") -> str:
        """Tell a story of three to eight sentences; the languages are translations of one another."""
        return storyteller(language).story(self).text

    def sentences(self, language: Language = "en") -> tuple[str, ...]:
        """Return the story sentence by sentence (aligned across languages)."""
        return tuple(passage.text for passage in storyteller(language).story_sentences(self))

    def headline(self) -> str:
        """Return a newspaper's headline of the story (a summary)."""
        from classroom.toyland.views.headlines import headline

        return headline(self)

    def questions(self) -> tuple[Question, ...]:
        """Return questions on the English story, each with its exact answer span."""
        from classroom.toyland.views.questions import questions

        return questions(self)

    def entities(self) -> TaggedSentence:
        """Return the English sentence as tokens with BIO tags."""
        from classroom.toyland.views.entities import entities

        return entities(self)

    def sentiment(self) -> LabelledText:
        """Return an opinion on the scene, labelled negative, neutral or positive."""
        from classroom.toyland.views.sentiment import sentiment

        return sentiment(self)

    def intent(self) -> LabelledText:
        """Return a request to a helpful toy, labelled with what is wanted."""
        from classroom.toyland.views.intents import intent

        return intent(self)

    def entailment(self) -> EntailmentPair:
        """Return a premise and a hypothesis, labelled entailment, neutral or contradiction."""
        from classroom.toyland.views.entailment import entailment

        return entailment(self)

    def endings(self) -> Endings:
        """Return the story broken off, with four endings of which one is possible."""
        from classroom.toyland.views.endings import endings

        return endings(self)

    def caption(self) -> str:
        """Describe what the picture shows, in one English sentence."""
        from classroom.toyland.views.captions import caption

        return caption(self)

    def picture(self, size: int = 256) -> Picture:
        """Draw the scene with its ground truth: boxes, masks, segmentation, depth and captions.

        Args:
            size: edge of the square picture, in pixels; at least 64.
        """
        from classroom.toyland.pictures.picture import picture

        return picture(self, size)

    def draw(self, size: int = 256) -> Image:
        """Draw the scene as a square RGB picture with `size` pixels on each edge."""
        return self.picture(size).image

    def facts(self) -> dict[str, str]:
        """Return the scene as one row of a table (English words; an absent friend is an empty string)."""
        thing = self.thing
        return {
            "hero": self.hero.name,
            "kind": self.hero.kind.en,
            "friend": self.friend.name if self.friend else "",
            "place": self.place.noun.en,
            "time": self.time.en,
            "action": self.action.en,
            "object": thing.name,
            "colour": thing.colour.en,
            "shape": thing.shape.en,
            "size": thing.size.en,
            "position": f"{thing.relation.en} the {thing.landmark.noun.en}",
            "outcome": self.outcome,
            "mood": self.mood.en,
        }


def storyteller(language: Language) -> ModuleType:
    """Return the module that tells scenes in `language`.

    Raises:
        ValueError: when Toyland does not speak that language.
    """
    from classroom.toyland import english, french, japanese

    tellers = {"en": english, "fr": french, "ja": japanese}
    if language not in tellers:
        raise ValueError(
            f"Toyland does not speak {language!r}: choose one of {', '.join(map(repr, tellers))}."
        )
    return tellers[language]
