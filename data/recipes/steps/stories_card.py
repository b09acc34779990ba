"""The model card of `toyland/stories-gpt2`, filled in from a run of its recipe."""

from __future__ import annotations

import textwrap

from steps.cards import Score, bound, card, percent, table


def stories_card(
    rows: dict[str, tuple[float, float]],
    perplexities: dict[str, float],
    story: str,
    written: int,
    scenes: int,
    tokens: int,
    parameters: int,
    minutes: float,
) -> str:
    """Return the card as Markdown.

    Args:
        rows: way of writing -> share of accepted sentences and of accepted stories; the last one is greedy.
        perplexities: of token pairs, and of the model.
        story: one that the model wrote.
        written: how many stories were sampled in each way.
        scenes: scenes read in training.
        tokens: size of the vocabulary.
        parameters: number of weights.
        minutes: the whole recipe took.
    """
    pairs, own = perplexities.values()
    greedy = list(rows.values())[-1]
    body = _BODY.format(
        parameters=f"{parameters / 1e6:.2f}",
        tokens=f"{tokens:,}",
        story=textwrap.fill(story, 98, initial_indent="> ", subsequent_indent="> "),
        table=table(
            ("written by", "accepted sentences", "accepted stories"),
            [(name, percent(sentences), percent(stories)) for name, (sentences, stories) in rows.items()],
        ),
        pairs=f"{pairs:.2f}",
        own=f"{own:.2f}",
        written=written,
        bound=bound(greedy[0]),
        scenes=f"{scenes:,}",
        minutes=f"{minutes:.0f}",
    )
    scores = [
        Score("accuracy", f"{what} that Toyland accepts ({name})", share, "Stories of Toyland")
        for name, shares in list(rows.items())[1:]
        for what, share in zip(("sentences", "stories"), shares, strict=True)
    ]
    return card(
        "stories-gpt2",
        "text-generation",
        [*scores, Score("perplexity", "perplexity", own, "Stories of another Toyland world")],
        body,
        tags=["gpt2"],
        datasets=["toyland/stories"],
        widget=[{"text": "One morning, Mila"}],
    )


_BODY = """It writes stories of Toyland, from "One morning, Mila" to how it all made her feel. A GPT-2 of
three layers, 128 wide, with {parameters} million weights and {tokens} byte-level tokens of its own.

```python
from nanoformers import pipeline, set_seed

set_seed(0)
storyteller = pipeline("text-generation", model="toyland/stories-gpt2")
storyteller("One morning, Mila")
```

{story}

## How good it is

The grammar of Toyland (`classroom.toyland.accepts`) takes a sentence when the world could tell it: a
mouse is no bear, wells stand in gardens, nothing lies under a rock. It takes a story
(`accepts_story`) when, besides, everybody is introduced, pronouns are clear, and the feeling follows
from what happened. It judged {written} sampled stories of each kind, which go on from a first word ("One",
"It", "Otto" ...), and the greedy ones that go on from "One morning, Mila", "One night, Otto" and so on:

{table}

Perplexity of a token, on stories of another world that it has not read: {own} (token pairs: {pairs}).
Much of a story cannot be known, such as the colour of a kite. A test holds the published files to more
than {bound} % of accepted sentences when it writes greedily.

## How it writes

By `generate` it takes the likeliest token each time, and so writes one story for each beginning. The
pipeline samples (`task_specific_params` in `config.json`, as for the released `gpt2`), and so writes
another one each time; call `set_seed` first to have the same again, and pass `temperature=0.7` for
stories that are more often right. It ends a story by itself (`<|endoftext|>`);
`generation_config.json` stops it after 160 tokens at the latest. It pads on the left, with the same
mark.

## How it was made

`data/recipes/stories_gpt2.py` ({minutes} minutes on one processor core for this checkpoint): {scenes}
stories, half the time without the mark before them, as a prompt has none. Weights are stored in float16
and computed with in float32.

## Limits

Twenty toy animals, ten places, ten kinds of objects: there is nothing else it could write about, and a
prompt from elsewhere soon leads back to them. What is true in one story need not be true in the next.
"""
