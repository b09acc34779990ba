"""The model card of `nanoformers/sentiment-bert-tiny`, filled in from a run of its recipe."""

from __future__ import annotations

from steps.publishing import margin_of_error


def card(
    rows: dict[str, float],
    number: int,
    accuracies: list[float],
    by_source: dict[str, float],
    correlation: float,
    parameters: int,
    vocabulary: int,
    minutes: float,
) -> str:
    """Return the card as Markdown.

    Args:
        rows: name of a model -> accuracy on test; the last one is the model that is published.
        number: labelled test sentences.
        accuracies: on test, one for each seed.
        by_source: source -> accuracy of the published model.
        correlation: of its ratings with people's, on all test sentences.
        parameters: number of weights.
        vocabulary: number of word pieces.
        minutes: the whole recipe took.
    """
    table = "\n".join(
        f"| {name} | {100 * value:.1f} % ± {100 * margin_of_error(value, number):.1f} |"
        for name, value in rows.items()
    )
    sources = ", ".join(f"{name} {100 * value:.1f} %" for name, value in by_source.items())
    listed = ", ".join(f"{100 * value:.1f} %" for value in accuracies)
    if len(accuracies) == 1:
        seeds = "one seed"
    else:
        seeds = f"{len(accuracies)} seeds ({listed}; the best on validation is here)"
    return _CARD.format(
        accuracy=f"{list(rows.values())[-1]:.4f}",
        bound=f"{100 * (min(accuracies) - 0.01):.0f}",
        table=table,
        sources=sources,
        seeds=seeds,
        number=f"{number:,}",
        correlation=f"{correlation:.2f}",
        parameters=f"{parameters / 1e6:.2f}",
        vocabulary=f"{vocabulary:,}",
        minutes=f"{minutes:.0f}",
    )


_CARD = """---
license: apache-2.0
language: [en]
library_name: nanoformers
pipeline_tag: text-classification
datasets: [nanoformers/rated-sentences]
metrics: [accuracy]
base_model: sentence-transformers/all-MiniLM-L6-v2
tags: [sentiment, bert, distillation]
model-index:
- name: sentiment-bert-tiny
  results:
  - task:
      type: text-classification
      name: Sentiment analysis
    dataset:
      type: nanoformers/rated-sentences
      name: Rated sentences
      split: test
    metrics:
    - type: accuracy
      value: {accuracy}
---

# sentiment-bert-tiny

Is an English sentence friendly or unfriendly? A BERT of two layers, 128 wide, with {vocabulary}
word pieces: {parameters} million parameters, small enough to travel with a course and to answer at
once on any processor. It was trained on what people felt when they read real sentences, and can be
trained again in minutes.

```python
from nanoformers import pipeline

judge = pipeline("sentiment-analysis", model="nanoformers/sentiment-bert-tiny")
judge("we love you")
```

## How good it is

Accuracy on the {number} test sentences of `nanoformers/rated-sentences` whose mean rating is at
least 0.5 away from zero, with the 95 % interval:

| model | accuracy on test |
|---|---|
{table}

The bag of words is TF-IDF of words and word pairs with logistic regression, its settings chosen on
the validation split. The result of this model is for {seeds}. By source: {sources}. Over all test
sentences, neutral ones too, half the margin of its logits correlates with people's mean rating at
{correlation}. A test holds the published files to more than {bound} %.

## Labels

`POSITIVE` and `NEGATIVE` are the sign of the mean of at least fifteen people's ratings. Sentences
rated between -0.5 and +0.5 have no clear sign: they are not counted above, but they were in
training, with their rating as the goal, so that the model is undecided where people are. The margin
between its logits is twice the rating: a score of 0.73 means a rating of 0.5, a score of 0.98 a
rating of 2.

## How it was made

`data/recipes/sentiment_bert_tiny.py` ({minutes} minutes on one processor core for this checkpoint):
all-MiniLM-L6-v2 was fine-tuned on the training split to predict the mean rating, then rated single
words, short phrases and altered pieces of training sentences; this model learnt from people's and
the teacher's ratings together. Its vocabulary is a part of the teacher's, its embeddings began as
the main directions of the teacher's. Weights are stored in float16 and computed with in float32.

## Limits

It knows the language of film and product reviews, newspaper editorials and tweets of about 1990 to
2013. Two layers see words more than sentences: negation ("not bad at all"), irony, and reports of a
bad event without an opinion often mislead it, with a high score too. It judges wording, not truth,
and must not be used to judge people.
"""
