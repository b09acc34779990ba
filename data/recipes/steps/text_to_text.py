"""Tasks as text in and text out: a prefix says what is asked (Raffel et al., 2020)."""

from __future__ import annotations

import io
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import sentencepiece
from classroom.toyland import Scene, english, french
from classroom.toyland.views.questions import Question
from nanoformers import T5TokenizerFast

from steps.questions_text import training_questions
from steps.toyland_text import with_strangers

TRANSLATE, SUMMARIZE = "translate English to French: ", "summarize: "
STRANGERS = 0.1  # the share of scenes with names that Toyland does not know


class Example(NamedTuple):
    """What goes in, and what should come out."""

    source: str
    target: str


def training_examples(
    scenes: Sequence[Scene], rng: random.Random, stories: float, questions: int
) -> list[Example]:
    """Two translations, a headline and some questions of each scene.

    Args:
        scenes: to tell of.
        rng: for what is left to chance.
        stories: the share of scenes of which three sentences or more are to be translated at once.
        questions: for each scene.
    """
    examples = []
    for known in scenes:
        scene = with_strangers(known, rng, STRANGERS)
        examples += [
            Example(TRANSLATE + scene.sentence(), scene.sentence("fr")),
            Example(*_translation(scene, rng, stories)),
            Example(SUMMARIZE + scene.story(), scene.headline()),
            *(as_text(rng.choice(training_questions([known], rng))) for _ in range(questions)),
        ]
    return examples


def as_text(asked: Question) -> Example:
    """A question on a story, in one text."""
    return Example(f"question: {asked.question} context: {asked.context}", asked.answer)


def opening(scene: Scene) -> Example:
    """The first two sentences of a story, in English and French."""
    return Example(*(" ".join(scene.sentences(language)[:2]) for language in ("en", "fr")))


def _translation(scene: Scene, rng: random.Random, stories: float) -> tuple[str, str]:
    """A deed without time, place or spot, or the story from its beginning: two sentences, or more."""
    chance = rng.random()
    if chance < (1 - stories) * 7 / 15:
        source, target = _short(scene, rng)
    elif chance < 1 - stories:
        source, target = opening(scene)
    else:
        number = rng.randint(3, len(scene.sentences()))
        source, target = (" ".join(scene.sentences(language)[:number]) for language in ("en", "fr"))
    return TRANSLATE + source, target


def _short(scene: Scene, rng: random.Random) -> tuple[str, str]:
    """Whatever one may say of a scene in a few words, in English and French."""
    hero, detail = scene.hero, rng.randrange(3)
    friend = scene.friend
    deed = english.did(scene, detail, friend and english.who(friend)).text
    deed_fr = french.did(scene, detail, friend and french.who(friend))
    who, who_fr = rng.choice(
        ((english.who(hero).text, french.who(hero)), (hero.name, hero.name)),
    )
    there, mood = english.there(scene.place).text, scene.mood
    mood_fr = mood.fr_m if hero.gender == "m" else mood.fr_f
    thing, thing_fr = english.a_thing(scene.thing, detail).text, french.a_thing(scene.thing, detail)
    spot, spot_fr = english.where(scene.thing).text, french.where(scene.thing)
    pairs = (
        (f"{who} {deed}.", f"{who_fr} {deed_fr}."),
        (f"{who} {deed} {there}.", f"{who_fr} {deed_fr} {scene.place.fr}."),
        (f"{who} {deed} {spot}.", f"{who_fr} {deed_fr} {spot_fr}."),
        (f"{who} was {there}.", f"{who_fr} était {scene.place.fr}."),
        (f"{who} was {mood.en}.", f"{who_fr} était {mood_fr}."),
        (f"{who} felt {mood.en}.", f"{who_fr} se sentait {mood_fr}."),
        (f"There was {thing} {spot}.", f"Il y avait {thing_fr} {spot_fr}."),
    )
    source, target = rng.choice(pairs)
    return source, target


def new_tokenizer(examples: Sequence[Example], size: int) -> T5TokenizerFast:
    """A unigram model of `sentencepiece` (Kudo, 2018) over both languages, with T5's special tokens."""
    texts = [text for example in examples for text in example]
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=written,
        model_type="unigram",
        vocab_size=size,
        hard_vocab_limit=False,
        character_coverage=1.0,
        required_chars="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789àâçéèêëîïôöùûüœ.,;:!?'\"()-",
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "spiece.model"
        file.write_bytes(written.getvalue())
        return T5TokenizerFast(vocab_file=str(file), legacy=False, model_max_length=512)
