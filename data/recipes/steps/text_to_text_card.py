"""The model card of `toyland/text-to-text-t5`, filled in from a run of its recipe."""

from __future__ import annotations

from steps.cards import Score, bound, card, percent, table

Scores = dict[str, float]
_TYPES = {"chrF": "chrf", "BLEU": "bleu", "ROUGE-L": "rouge", "exactly right": "exact_match", "F1": "f1"}


def text_to_text_card(
    rows: dict[str, dict[str, Scores]], tested: int, scenes: int, words: int, parameters: int, minutes: float
) -> str:
    """Return the card as Markdown.

    Args:
        rows: task -> who did it -> scores; "this model" comes last.
        tested: scenes of the other world.
        scenes: scenes read in training.
        words: size of the vocabulary.
        parameters: number of weights.
        minutes: the whole recipe took.
    """
    body = _BODY.format(
        parameters=f"{parameters / 1e6:.2f}",
        words=f"{words:,}",
        table=table(
            ("task", "done by", "scores"),
            [(task, who, _told(scores)) for task, own in rows.items() for who, scores in own.items()],
        ),
        bound=bound(rows["translation of sentences"]["this model"]["exactly right"], 0.04),
        tested=f"{tested:,}",
        scenes=f"{scenes:,}",
        minutes=f"{minutes:.0f}",
    )
    scores = [
        Score(_TYPES[name], name, value, f"{task.capitalize()}, another Toyland world")
        for task, own in rows.items()
        for name, value in own["this model"].items()
    ]
    return card(
        "text-to-text-t5",
        "text2text-generation",
        scores,
        body,
        tags=["t5", "translation", "summarization", "question-answering"],
        languages=("en", "fr"),
        datasets=["toyland/en-fr", "toyland/headlines", "toyland/questions"],
        widget=[{"text": "translate English to French: Mila the bear lost a blue kite in the forest."}],
    )


def _told(scores: Scores) -> str:
    return ", ".join(
        f"{name} {percent(value) if name in ('exactly right', 'F1') else f'{value:.1f}'}"
        for name, value in scores.items()
    )


_BODY = """One model that translates English to French, writes headlines and answers questions, all in
Toyland: the first words of a text say what is asked. A T5 of two and two layers, 128 wide, with
{parameters} million weights and {words} word pieces of both languages.

```python
from nanoformers import pipeline

do = pipeline("text2text-generation", model="toyland/text-to-text-t5")
story = (
    "One morning, Mila the bear was in the forest. Otto the owl came along. Mila lost a small red kite "
    "under the tree. Then she looked everywhere. Soon Otto found it. In the end, Mila was happy."
)
do("translate English to French: Mila the bear was in the forest. Otto the owl came along.")
do("summarize: " + story)
do("question: Where was Mila? context: " + story)

pipeline("translation_en_to_fr", model="toyland/text-to-text-t5")("Mila the bear lost a blue kite.")
pipeline("summarization", model="toyland/text-to-text-t5")(story)
```

## How good it is

On {tested} scenes of another world that it has not read, writing greedily:

{table}

chrF, BLEU (by sacrebleu) and ROUGE-L go up to 100. A story may have several headlines: one that the world
could have written is right, and ROUGE-L is that with the nearest of them. The commonest answer is that of
training questions which begin with the same two words. A test holds the published files to more than
{bound} % of sentences that are translated exactly as Toyland does.

## How it was made

`data/recipes/text_to_text_t5.py` ({minutes} minutes on one busy processor core for this checkpoint)
read {scenes} scenes once, each in four or five ways: two translations, a headline, and a question or
two; short texts first, whole stories and more questions in a second round. In a tenth of them everybody
had a made-up name, so that it learns to copy names. The prefixes and special tokens are T5's; weights
are stored in float16 and computed with in float32.

## Limits

It translates the sentences of Toyland, not English: what it cannot read it replaces by what it knows,
fluently and wrongly. Translate two or three sentences at once: of a longer story it leaves out the end.
Where a story has two objects or two characters it often answers for the wrong one;
`toyland/questions-bert` answers better. It was trained without dropout and without T5's spans to fill
in, so the sentinels `<extra_id_0>` ... are there, but mean nothing to it.
"""
