"""Scenes as rows of data sets, and data sets as folders that `datasets.load_dataset` reads."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classroom.toyland import english
from classroom.toyland.cards import Feature, card, label, labels, numbers, record, text, texts, translation
from classroom.toyland.scene import Language, Scene
from classroom.toyland.views import endings, entailment, entities, intents, sentiment
from classroom.toyland.world import World

Row = dict[str, Any]
_PATIENCE = 5000
"""Scenes in a row without a new row, after which a view counts as exhausted."""
SPLITS = {"train": 2000, "validation": 200, "test": 200}


@dataclass(frozen=True)
class View:
    """One data set that can be made of scenes.

    Attributes:
        make: a scene's row.
        about: what a row holds, in one sentence.
        features: the columns, described as in `cards.py`.
        task: the Hub's task category, if there is one.
        languages: the languages of the texts.
    """

    make: Callable[[Scene], Row]
    about: str
    features: tuple[Feature, ...]
    task: str | None = None
    languages: tuple[Language, ...] = ("en",)


def rows(view: str, n: int, seed: int = 0) -> list[Row]:
    """Return `n` different rows of a view (a key of `VIEWS`); their order depends on `seed` alone.

    >>> rows("sentiment", 1, seed=0)[0].keys()
    dict_keys(['text', 'label'])
    """
    stream = distinct_rows(view, seed)
    return [next(stream) for _ in range(n)]


def distinct_rows(view: str, seed: int = 0) -> Iterator[Row]:
    """Iterate over the rows of a view, of scene after scene, without repetition.

    Raises:
        ValueError: when there is no such view, or when its rows come to an end: some views are small worlds.
    """
    if view not in VIEWS:
        raise ValueError(f"There is no view {view!r} of Toyland: choose one of {', '.join(VIEWS)}.")
    return _distinct(view, seed)


def _distinct(view: str, seed: int) -> Iterator[Row]:
    make = VIEWS[view].make
    seen: set[str] = set()
    repeated = 0
    for scene in World(seed):
        row = make(scene)
        fingerprint = _json({name: value for name, value in row.items() if name != "id"})
        repeated += 1
        if fingerprint not in seen:
            seen.add(fingerprint)
            repeated = 0
            yield row
        elif repeated == _PATIENCE:
            raise ValueError(f"Toyland has about {len(seen):,} different rows of {view}: ask for fewer.")


def write_dataset(
    folder: Path | str, view: str, *, seed: int = 0, splits: dict[str, int] | None = None
) -> None:
    """Write a view as JSON lines, one file a split, with a README.md that declares splits and columns.

    The bytes depend on the arguments alone. No row is in two splits.

    Args:
        folder: where to; made if need be.
        view: a key of `VIEWS`.
        seed: which world.
        splits: rows for each split; by default 2,000 for training and 200 each for validation and test.

    Raises:
        ValueError: when there is no such view, or it has fewer different rows.
    """
    stream = distinct_rows(view, seed)
    sizes = SPLITS if splits is None else splits
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for split, size in sizes.items():
        lines = (_json(next(stream)) + "\n" for _ in range(size))
        _write(folder / f"{split}.jsonl", "".join(lines))
    kind, example = VIEWS[view], next(distinct_rows(view, seed))
    readme = card(view, kind.about, kind.features, kind.task, kind.languages, sizes, seed, example)
    _write(folder / "README.md", readme)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write(path: Path, text: str) -> None:
    """Write beside, then rename: a reader never sees half a file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(text.encode())
    beside.replace(path)


def _id(scene: Scene) -> str:
    return f"{scene.key:016x}"


def _sentence(scene: Scene) -> Row:
    return {"text": scene.sentence()}


def _story(scene: Scene) -> Row:
    return {"text": scene.story()}


def _headline(scene: Scene) -> Row:
    return {"story": scene.story(), "headline": scene.headline()}


def _question(scene: Scene) -> Row:
    asked = scene.dice("which question").choice(scene.questions())
    return {
        "id": _id(scene),
        "title": scene.headline(),
        "context": asked.context,
        "question": asked.question,
        "answers": {"text": [asked.answer], "answer_start": [asked.start]},
    }


def _entities(scene: Scene) -> Row:
    tagged = scene.entities()
    return {"tokens": list(tagged.tokens), "ner_tags": [entities.TAGS.index(tag) for tag in tagged.tags]}


def _sentiment(scene: Scene) -> Row:
    opinion = scene.sentiment()
    return {"text": opinion.text, "label": sentiment.LABELS.index(opinion.label)}


def _intent(scene: Scene) -> Row:
    request = scene.intent()
    return {"text": request.text, "label": intents.LABELS.index(request.label)}


def _entailment(scene: Scene) -> Row:
    pair = scene.entailment()
    return {
        "premise": pair.premise,
        "hypothesis": pair.hypothesis,
        "label": entailment.LABELS.index(pair.label),
    }


def _endings(scene: Scene) -> Row:
    asked = scene.endings()
    choices = {f"ending{number}": ending for number, ending in enumerate(asked.endings)}
    return {"sent1": asked.sent1, "sent2": asked.sent2, **choices, "label": asked.label}


def _facts(scene: Scene) -> Row:
    return {**scene.facts(), "text": english.sentence(scene).text}


def _translations(source: Language, target: Language, about: str) -> View:
    def make(scene: Scene) -> Row:
        """Pair the sentence, or the first two lines of the story (later ones lean on earlier ones)."""
        whole = scene.dice("translation").chance(60)
        pair = {}
        for language in (source, target):
            opening = ("" if language == "ja" else " ").join(scene.sentences(language)[:2])
            pair[language] = scene.sentence(language) if whole else opening
        return {"id": _id(scene), "translation": pair}

    columns = (text("id"), translation("translation", (source, target)))
    return View(make, about, columns, "translation", (source, target))


VIEWS: dict[str, View] = {
    "sentences": View(_sentence, "One sentence on one small happening.", (text("text"),), "text-generation"),
    "stories": View(_story, "A story of three to eight sentences.", (text("text"),), "text-generation"),
    "headlines": View(
        _headline, "A story and its headline.", (text("story"), text("headline")), "summarization"
    ),
    "questions": View(
        _question,
        "A story, a question on it, and the answer with its place in the story, in the layout of SQuAD.",
        (
            *map(text, ("id", "title", "context", "question")),
            record("answers", texts("text"), numbers("answer_start")),
        ),
        "question-answering",
    ),
    "entities": View(
        _entities,
        "Tokens and BIO tags of characters, animals, places, objects and times. One slip of a tagger is"
        " left in, as in most real data: whoever is given a thing, or lends it, has no tag where only the"
        " name is told.",
        (texts("tokens"), labels("ner_tags", entities.TAGS)),
        "token-classification",
    ),
    "sentiment": View(
        _sentiment,
        "An opinion and its sentiment.",
        (text("text"), label("label", sentiment.LABELS)),
        "text-classification",
    ),
    "intents": View(
        _intent,
        "A request to a helpful toy and what is wanted.",
        (text("text"), label("label", intents.LABELS)),
        "text-classification",
    ),
    "entailment": View(
        _entailment,
        "A premise, a hypothesis, and whether the one follows from the other.",
        (text("premise"), text("hypothesis"), label("label", entailment.LABELS)),
        "text-classification",
    ),
    "endings": View(
        _endings,
        "A story that breaks off and four endings, one of which is possible, in the layout of SWAG.",
        (
            *map(text, ("sent1", "sent2", *(f"ending{number}" for number in range(endings.CHOICES)))),
            label("label", [str(number) for number in range(endings.CHOICES)]),
        ),
        "multiple-choice",
    ),
    "facts": View(
        _facts, "A scene as a row of a table, and its sentence.", tuple(map(text, _facts(World(0).scene(0))))
    ),
    "en-fr": _translations("en", "fr", "English with its French translation."),
    "en-ja": _translations("en", "ja", "English with its Japanese translation."),
    "fr-ja": _translations("fr", "ja", "French with its Japanese translation."),
}
