"""The model card of `toyland/questions-bert`, filled in from a run of its recipe."""

from __future__ import annotations

from steps.cards import Score, bound, card, percent, table


def questions_card(
    rows: dict[str, dict[str, tuple[float, float]]], scenes: int, words: int, parameters: int, minutes: float
) -> str:
    """Return the card as Markdown.

    Args:
        rows: kind of questions -> who answers -> exact match and F1; the first kind is the view's, the last
            of those who answer is the model.
        scenes: scenes read in training.
        words: size of the vocabulary.
        parameters: number of weights.
        minutes: the whole recipe took.
    """
    who = list(next(iter(rows.values())))
    exact, _ = next(iter(rows.values()))[who[-1]]
    body = _BODY.format(
        parameters=f"{parameters / 1e6:.2f}",
        words=words,
        table=table(
            ("questions on another world", *(f"{name}: exact, F1" for name in who)),
            [
                (name, *(f"{percent(own[person][0])}, {percent(own[person][1])}" for person in who))
                for name, own in rows.items()
            ],
        ),
        bound=bound(exact),
        scenes=f"{scenes:,}",
        minutes=f"{minutes:.0f}",
    )
    scores = [
        Score(kind, label, value, name)
        for name, own in rows.items()
        for kind, label, value in zip(("exact_match", "f1"), ("exact match", "F1"), own[who[-1]], strict=True)
    ]
    return card(
        "questions-bert",
        "question-answering",
        scores,
        body,
        tags=["bert"],
        datasets=["toyland/questions"],
        base_model="toyland/fill-mask-bert",
        widget=[
            {
                "text": "What did Mila lose?",
                "context": "One morning, Mila the bear was in the forest. She lost a small red kite under "
                "the tree. Then she looked everywhere. But she could not find it. Mila felt sad.",
            }
        ],
    )


_BODY = """It reads a story of Toyland and finds the words that answer a question on it. A BERT of two layers,
128 wide, with {parameters} million weights and {words} word pieces.

```python
from nanoformers import pipeline

answer = pipeline("question-answering", model="toyland/questions-bert")
story = (
    "One morning, Mila the bear was in the forest. Otto the owl came along. Mila lost a small red kite "
    "under the tree. Then she looked everywhere. Soon Otto found it. In the end, Mila was happy."
)
answer(question="What did Mila lose?", context=story)
answer(question="What kind of animal is Mila?", context=story)
```

## How good it is

Share of answers that are exactly right, and F1 of their words, on stories that it has not read:

{table}

The commonest answer is that of training questions which begin with the same two words; the likeliest
sentence has most words of the question. Strangers are characters with made-up names. A test holds the
published files to more than {bound} % of exact answers to the view's questions.

## How it was made

`data/recipes/questions_bert.py` ({minutes} minutes on one busy processor core for this checkpoint) went on
from `toyland/fill-mask-bert` with five questions on each of {scenes} scenes, on stories and on single
sentences, worded as in the data set `toyland/questions` and otherwise. Weights are stored in float16
and computed with in float32.

## Limits

It looks for places, times, looks, feelings and names, in texts worded as Toyland words them. The view
asks for the colour of one of two objects only, and two layers hardly learn more than that: where a story
has two objects or two characters, ask with care and see the row "the same question on both of two".
Every training question had an answer, so it answers questions that the story leaves open too, with a
wrong answer. It cannot count, compare or say why.
"""
