"""The model card of `toyland/sentiment-distilbert`, filled in from a run of its recipe."""

from __future__ import annotations

from steps.cards import Score, bound, card, percent, table


def sentiment_distilbert_card(
    rows: dict[str, tuple[float, float, int]], scenes: int, words: int, parameters: int, minutes: float
) -> str:
    """Return the card as Markdown.

    Args:
        rows: kind of text -> accuracy of the bag of words and of the model, and number of texts; the first
            kind is the view's.
        scenes: scenes read in training.
        words: size of the vocabulary.
        parameters: number of weights.
        minutes: the whole recipe took.
    """
    body = _BODY.format(
        parameters=f"{parameters / 1e6:.2f}",
        words=words,
        table=table(
            ("texts on another world", "number", "bag of words", "this model"),
            [(name, f"{n:,}", percent(bag), percent(own)) for name, (bag, own, n) in rows.items()],
        ),
        bound=bound(next(iter(rows.values()))[1]),
        scenes=f"{scenes:,}",
        minutes=f"{minutes:.0f}",
    )
    return card(
        "sentiment-distilbert",
        "text-classification",
        [Score("accuracy", "accuracy", own, name) for name, (_, own, _) in rows.items()],
        body,
        tags=["distilbert", "sentiment"],
        datasets=["toyland/sentiment"],
        base_model="toyland/fill-mask-bert",
        widget=[{"text": "The big balloon was far from boring; I wish I had one."}],
    )


_BODY = """What does a visitor of Toyland think: is an opinion `NEGATIVE`, `NEUTRAL` or `POSITIVE`? A
DistilBERT of two layers, 128 wide, with {parameters} million weights and {words} word pieces.

```python
from nanoformers import pipeline

judge = pipeline("text-classification", model="toyland/sentiment-distilbert")
judge(["The big balloon was far from boring; I wish I had one.", "Mila keeps the red kite in the park."])
```

## How good it is

Accuracy on texts that it has not read:

{table}

The bag of words is logistic regression on which words occur: it cannot tell "I expected a boring kite,
but it was really lovely" from its reverse. A test holds the published files to more than {bound} % on
the rows of the view.

## How it was made

`data/recipes/sentiment_distilbert.py` ({minutes} minutes on one processor core for this checkpoint).
Like the first DistilBERT it began with the layers of a BERT that has read much, here
`toyland/fill-mask-bert`, and then learnt from two opinions on each of {scenes} scenes, one in the words of
the data set `toyland/sentiment` and one in everyday words. Weights are stored in float16 and computed with
in float32.

## Limits

It knows the words of Toyland and about fifty everyday ones for good and bad. For real reviews and tweets take
`nanoformers/sentiment-bert-tiny`, which learnt from people's ratings.
"""
