"""The model card of `toyland/entailment-bert`, filled in from a run of its recipe."""

from __future__ import annotations

from steps.cards import Score, bound, card, percent, table
from steps.entailment_text import HELD_OUT


def entailment_card(
    rows: dict[str, tuple[float, float]],
    tested: int,
    scenes: int,
    words: int,
    parameters: int,
    minutes: float,
) -> str:
    """Return the card as Markdown.

    Args:
        rows: what was asked -> accuracy of the baseline and of the model; the first row is the view's, the
            second that of the intents.
        tested: scenes of the other world.
        scenes: scenes read in training.
        words: size of the vocabulary.
        parameters: number of weights.
        minutes: the whole recipe took.
    """
    body = _BODY.format(
        parameters=f"{parameters / 1e6:.2f}",
        words=words,
        table=table(
            ("asked", "last word read", "this model"),
            [(name, percent(base), percent(own)) for name, (base, own) in rows.items()],
        ),
        held_out=", ".join(sorted(word for group in HELD_OUT.values() for word in group)),
        bound=bound(next(iter(rows.values()))[1], 0.03),
        tested=f"{tested:,}",
        scenes=f"{scenes:,}",
        minutes=f"{minutes:.0f}",
    )
    return card(
        "entailment-bert",
        "zero-shot-classification",
        [Score("accuracy", "accuracy", own, name) for name, (_, own) in rows.items()],
        body,
        tags=["bert", "nli"],
        datasets=["toyland/entailment", "toyland/intents", "toyland/sentiment"],
        base_model="toyland/fill-mask-bert",
        widget=[{"text": "Will it rain at the lake tonight?", "candidate_labels": "weather, travel, story"}],
    )


_BODY = """Two uses of one model. Given two texts of Toyland, it says whether the second follows from the
first (`ENTAILMENT`), contradicts it (`CONTRADICTION`) or neither (`NEUTRAL`). And since "This example
is weather." is such a second text, it sorts texts under labels that you name when you call it. A BERT
of three layers, 128 wide, with {parameters} million weights and {words} word pieces.

```python
from nanoformers import pipeline

sort = pipeline("zero-shot-classification", model="toyland/entailment-bert")
sort("Will it rain at the lake tonight?", candidate_labels=["weather", "travel", "story", "alarm"])
sort("Mila lost her kite in the forest. Mila felt sad.", candidate_labels=["happy", "sad", "calm"])
```

## How good it is

On {tested} scenes of another world that it has not read. In the first row it names one of three labels
for a pair. In the others it chooses one label of a list, by the hypothesis "This example is
{{label}}.":

{table}

The baseline takes a hypothesis as true when its telling word stands in the text. "Label never met" are
notions that were no label in training, among all ten of their kind, and so true zero-shot answers:
{held_out} (the view's own hypotheses do say that somebody was at the market or by the lake). A test
holds the published files to more than {bound} % on the first row.

## How it was made

`data/recipes/entailment_bert.py` ({minutes} minutes on one busy processor core for this checkpoint) went
on from `toyland/fill-mask-bert`: it judged whole lists of labels beside a text, got a third layer, and
then judged the view's pairs for {scenes} scenes and about three times as many on stories, sentences, opinions
and requests, with labels for places, times, objects, animals, names, moods, feelings and intents.
Weights are stored in float16 and computed with in float32.

## Limits

Zero-shot means here: labels are free within Toyland. It knows what a kite, a lake, an alarm or a sad
mood is (though not whether somebody sad is rather cross), and finds a label that stands in the text
even if it never met it; politics or physics it does not know, and then its scores are noise that add up
to one.
"""
