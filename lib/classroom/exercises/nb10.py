"""Exercises of notebook 10: pipelines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from classroom.exercises import Wrong, exercise

JUDGE = "nanoformers/sentiment-bert-tiny"
PEOPLE = {
    "One morning, Mila the bear gave a kite to Otto the owl in the garden. Mila was happy.": ["Mila", "Otto"],
    "In the evening, Elizabeth the owl gave a tiny purple lantern to Guinevere the bear.": [
        "Elizabeth",
        "Guinevere",
    ],
    "There was a big white basket beside the well.": [],
}
STREAM = ("I want my money back.", "The plot is dreadful and boring.", "What a lovely day!", "We love you.")
AWFUL, LOVELY = "The plot is dreadful and boring.", "What a lovely day, we love you!"


@exercise(
    "10.1",
    "Who is in a text?",
    hints=[
        'Ask the tagger with aggregation_strategy="first": an entity is then made of whole words.',
        'Keep the entities whose "entity_group" is "PER", and cut their names out of the text.',
        "list(dict.fromkeys(names)) keeps the first of equal names, in order.",
    ],
)
def people(answer: Callable[[str], list[str]]) -> str:
    """A function from a text to names, tried on texts with a repeated, an unusual and no name."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for text, names in PEOPLE.items():
        found = answer(text)
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise Wrong(f"For {text!r} it returns {found!r}; a list of names is asked for.")
        if found == names:
            continue
        if [name.lower() for name in names] == found:
            raise Wrong(f"{found[0]!r} is how the vocabulary spells it: cut text[start:end] out of the text.")
        if list(dict.fromkeys(found)) == names:
            raise Wrong(f"{found} has a name twice; each is asked for once.")
        if any(piece.startswith("##") or any(_is_part(piece, name) for name in names) for piece in found):
            raise Wrong(f"{found} has pieces of a name: let the tagger answer by words, not by tokens.")
        extra = [piece for piece in found if piece not in names]
        if extra:
            raise Wrong(f"In {text!r}, {extra} are no persons: look at the label of each entity.")
        raise Wrong(f"In {text!r} are {names}, and it returns {found}.")
    return "By words, from the text, each once: that is what an index of persons needs."


@exercise(
    "10.2",
    "The first positive text of a stream",
    hints=[
        "judge(generator) gives answers while it reads. `next(...)` and `for` take one at a time.",
        "An answer does not say which text it is for. Judge one text at a time, or keep what was read.",
        "for text in texts: if judge(text)[0]['label'] == 'POSITIVE': return text",
    ],
)
def first_positive(answer: Callable[[Any, Iterator[str]], str]) -> str:
    """A function of a judge and a stream; the stream counts what is read and has an end at 40."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    expected = STREAM.index("What a lovely day!") + 1
    read = 0

    def stream() -> Iterator[str]:
        nonlocal read
        for text in STREAM * 10:
            read += 1
            yield text
        raise Wrong("It reads on and on: with a stream that has no end it would never return.")

    try:
        found = answer(_judge(), stream())
    except (KeyError, TypeError, IndexError) as error:
        raise Wrong(f"It fails with {type(error).__name__}: {error}") from error
    if isinstance(found, dict):
        raise Wrong(f"{found} is what the judge says; the text itself is asked for.")
    if found != STREAM[expected - 1]:
        raise Wrong(
            f"It returns {found!r}; the first positive text of the stream was {STREAM[expected - 1]!r}."
        )
    if read > expected:
        raise Wrong(
            f"Right, but it read {read} texts, and the {expected}rd was the one: you paid for the rest."
        )
    return f"Three texts read, of a stream of {len(STREAM) * 10}: a generator is read as far as you ask."


@exercise(
    "10.3",
    "A pipeline that answers in stars",
    hints=[
        "Override postprocess(self, model_outputs, **parameters), and let super() make the scores.",
        "super().postprocess(model_outputs, top_k=None) gives the score of every label.",
        'return {"stars": 1 + round(4 * score_of_positive)}',
    ],
)
def stars(answer: type) -> str:
    """A subclass of TextClassificationPipeline, tried on single texts, a list and a batch."""
    from nanoformers import TextClassificationPipeline

    if not isinstance(answer, type) or not issubclass(answer, TextClassificationPipeline):
        raise Wrong("Give the class: class Stars(TextClassificationPipeline): ...")
    judge = _judge()
    rate = answer(model=judge.model, tokenizer=judge.tokenizer)
    texts = [AWFUL, LOVELY, *STREAM]
    every = [{one["label"]: one["score"] for one in scores} for scores in judge(texts, top_k=None)]
    expected = [1 + round(4 * scores["POSITIVE"]) for scores in every]
    try:
        found = rate(texts)
        batched = rate(texts, batch_size=len(texts))
    except Exception as error:  # whatever the learner's code raises
        raise Wrong(f"It fails with {type(error).__name__}: {error}") from error
    best = [1 + round(4 * max(scores.values())) for scores in every]
    for text, one, right, sure in zip(texts, found, expected, best, strict=True):
        if not isinstance(one, dict) or set(one) != {"stars"}:
            raise Wrong(f'For {text!r} it answers {one!r}; {{"stars": n}} is asked for.')
        if one["stars"] == right:
            continue
        if [answer.get("stars") for answer in found] == best:
            raise Wrong(f"{text!r} gets {sure} stars: the best label's score is high for both labels.")
        if one["stars"] == 6 - right:
            raise Wrong(f"{text!r} gets {one['stars']} stars: is that the score of NEGATIVE?")
        raise Wrong(f"{text!r} should have {right} stars, and has {one['stars']}.")
    if batched != found:
        raise Wrong("In a batch the answers differ: `model_outputs` has one row, whatever the batch size.")
    return "Lists, streams and batches work too, and you wrote none of that."


def _is_part(piece: str, name: str) -> bool:
    return piece != name and len(piece) < len(name) and piece.lower().strip("#") in name.lower()


def _judge() -> Any:
    from nanoformers import pipeline

    return pipeline("text-classification", model=JUDGE)
