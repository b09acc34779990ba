"""The model card of `toyland/entities-bert`, filled in from a run of its recipe."""

from __future__ import annotations

from steps.cards import Score, bound, card, percent, table


def entities_card(
    rows: dict[str, tuple[float, float, int]], scenes: int, words: int, parameters: int, minutes: float
) -> str:
    """Return the card as Markdown.

    Args:
        rows: kind of text -> F1 of the baseline, F1 of the model, and number of texts; the first kind is the
            view's.
        scenes: scenes read in training.
        words: size of the vocabulary.
        parameters: number of weights.
        minutes: the whole recipe took.
    """
    body = _BODY.format(
        parameters=f"{parameters / 1e6:.2f}",
        words=words,
        table=table(
            ("texts of another world", "number", "list of words", "this model"),
            [(name, f"{n:,}", percent(base), percent(own)) for name, (base, own, n) in rows.items()],
        ),
        bound=bound(next(iter(rows.values()))[1]),
        scenes=f"{scenes:,}",
        minutes=f"{minutes:.0f}",
    )
    scores = [Score("f1", "entity F1", own, name) for name, (_, own, _) in rows.items()]
    return card(
        "entities-bert",
        "token-classification",
        scores,
        body,
        tags=["bert", "ner"],
        datasets=["toyland/entities"],
        base_model="toyland/fill-mask-bert",
        widget=[{"text": "One morning, Mila the bear gave a small red kite to Otto the owl in the garden."}],
    )


_BODY = """It reads a text of Toyland and marks who is there (`PER`), what kind of animal that is
(`ANIMAL`), the place (`LOC`), the objects with all that is said of their looks (`OBJ`) and the time of
day (`TIME`). A BERT of two layers, 128 wide, with {parameters} million weights and {words} word pieces.

```python
from nanoformers import pipeline

tagger = pipeline("token-classification", model="toyland/entities-bert", aggregation_strategy="simple")
tagger("One morning, Mila the bear gave a small red kite to Otto the owl in the garden.")
```

## How good it is

F1 of entities, each right only with the right beginning, end and kind, in texts that it has not read:

{table}

The list of words gives each word the tag that it has most often in the training texts. Strangers
are characters with made-up names, such as Delina the mouse. A test holds the published files to more
than {bound} % on the rows of the view.

## Labels

`O`, and `B-` (the first word) and `I-` (the others) for each of the five kinds. Where a word has
several pieces, its first piece carries the word's tag.

## How it was made

`data/recipes/entities_bert.py` ({minutes} minutes on one processor core for this checkpoint) went on
from `toyland/fill-mask-bert` with sentences, whole stories, opinions, wishes and questions on {scenes}
scenes; in a fifth of the tellings everybody had a made-up name. Weights are stored in float16 and
computed with in float32.

## Limits

It knows ten kinds of animals, ten places and ten kinds of objects, and takes little else for an
entity: it has never seen a company, a river or a year. Its tags say what a word is in Toyland, not in
the world: an orange is a colour, and a bear is never a market.
"""
