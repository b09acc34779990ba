"""The model card of `toyland/fill-mask-bert`, filled in from a run of its recipe."""

from __future__ import annotations


def card(
    rows: dict[str, tuple[float, float]],
    number: int,
    scenes: int,
    words: int,
    parameters: int,
    minutes: float,
) -> str:
    """Return the card as Markdown.

    Args:
        rows: name of a model -> top-1 and top-5 accuracy; the last one is the model that is published.
        number: words that were guessed.
        scenes: scenes read in training.
        words: size of the vocabulary.
        parameters: number of weights.
        minutes: the whole recipe took.
    """
    first, five = list(rows.values())[-1]
    table = "\n".join(
        f"| {name} | {100 * one:.1f} % | {100 * best:.1f} % |" for name, (one, best) in rows.items()
    )
    return _CARD.format(
        first=f"{first:.4f}",
        five=f"{five:.4f}",
        bound=f"{100 * (first - 0.02):.0f}",
        table=table,
        number=f"{number:,}",
        scenes=f"{scenes:,}",
        words=words,
        parameters=f"{parameters / 1e6:.2f}",
        minutes=f"{minutes:.0f}",
    )


_CARD = """---
license: apache-2.0
language: [en]
library_name: nanoformers
pipeline_tag: fill-mask
tags: [bert, toyland]
mask_token: "[MASK]"
widget:
- text: "Mila the [MASK] lost a blue kite in the forest."
metrics: [accuracy]
model-index:
- name: fill-mask-bert
  results:
  - task:
      type: fill-mask
      name: Fill mask
    dataset:
      type: toyland
      name: Stories of another Toyland world
    metrics:
    - type: accuracy
      name: top-1
      value: {first}
    - type: accuracy
      name: top-5
      value: {five}
---

# fill-mask-bert

A masked-language BERT of two layers, 128 wide, with {parameters} million weights and a vocabulary
of {words} pieces. It has read the stories, sentences and captions of {scenes} scenes of Toyland,
the small world of this course, and nothing else. It knows who lives there, where things happen, how
a story ends, and English as far as Toyland needs it.

```python
from nanoformers import pipeline

guess = pipeline("fill-mask", model="toyland/fill-mask-bert")
guess("Mila the [MASK] lost a blue kite in the forest.")
```

## How good it is

One word of a story is hidden, the rest is shown. Over {number} words in stories of a world that it
has not read:

| model | first guess right | among the first five |
|---|---|---|
{table}

Much of what is hidden cannot be known (a kite may be of any colour), so no model reaches 100 %. A
test holds the published files to more than {bound} % of first guesses.

## How it was made

`data/recipes/fill_mask_bert.py` ({minutes} minutes on one processor core for this checkpoint).
Weights are stored in float16 and computed with in float32.

## Limits

The world outside Toyland does not exist for it: words it has never seen are spelt letter by letter,
and it will answer "kite" where you expected "prime minister".
"""
