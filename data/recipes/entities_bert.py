"""Rebuild `toyland/entities-bert`: who, what kind of animal, where, what and when, in Toyland's texts.

    python data/recipes/entities_bert.py            # everything, about five minutes on one core
    python data/recipes/entities_bert.py --quick    # a few steps into build/, to see that it runs

It begins with the body of `toyland/fill-mask-bert` and learns from sentences, whole stories, opinions, wishes
and questions on 10,000 scenes. In a fifth of the tellings the characters have made-up names, spelt in pieces,
so that it takes "Anna the bear" for somebody too. On texts of another world it is compared with a list of
words, each with the tag that it has most often.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from classroom.toyland import World, english
from classroom.toyland.views.entities import TAGS, TaggedSentence, entities, tag
from nanoformers import BertForTokenClassification, BertTokenizerFast
from steps.batches import batches_by_length, pad
from steps.entities_card import entities_card
from steps.entities_text import tagged_texts
from steps.publishing import half_precision, model_folder, write_checkpoint
from steps.toyland_bert import model_for, tokenizer_for
from steps.toyland_text import TRAINING_WORLD, test_scenes, with_strangers
from steps.training import fit
from torch import Tensor

Span = tuple[int, int, str]  # text[start:end] is an entity of this kind
Tagger = Callable[[Sequence[TaggedSentence]], list[set[Span]]]


@dataclass(frozen=True)
class Effort:
    """How many scenes to read, how often, and how many to test on."""

    scenes: int
    epochs: int
    tested: int


FULL = Effort(scenes=10_000, epochs=3, tested=1_000)
QUICK = Effort(scenes=300, epochs=1, tested=30)


def piece_labels(tagged: TaggedSentence, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """The tag of each word piece: that of its word, where only the first piece of a word begins an entity."""
    tags = dict(zip(tagged.offsets, tagged.tags, strict=True))
    labels = []
    for start, end in offsets:
        word = next((span for span in tags if span[0] <= start and end <= span[1] and end > start), None)
        if word is None:
            labels.append(-100)
        else:
            own = tags[word]
            labels.append(TAGS.index(own if start == word[0] else own.replace("B-", "I-")))
    return labels


def train(
    texts: Sequence[TaggedSentence], epochs: int
) -> tuple[BertForTokenClassification, BertTokenizerFast]:
    tokenizer = tokenizer_for([tagged.text for tagged in texts], at_least=20)
    model = model_for(
        BertForTokenClassification,
        tokenizer,
        id2label=dict(enumerate(TAGS)),
        label2id={name: number for number, name in enumerate(TAGS)},
    )
    encoded = tokenizer([tagged.text for tagged in texts], return_offsets_mapping=True)
    ids = encoded["input_ids"]
    labels = [
        torch.tensor(piece_labels(tagged, offsets))
        for tagged, offsets in zip(texts, encoded["offset_mapping"], strict=True)
    ]

    def loss_of(batch: list[int]) -> Tensor:
        input_ids, attention_mask = pad([ids[index] for index in batch], pad_token_id=0)
        goals = torch.nn.utils.rnn.pad_sequence([labels[index] for index in batch], True, -100)
        return model(input_ids=input_ids, attention_mask=attention_mask, labels=goals).loss

    fit(model, ids, loss_of, epochs=epochs, name="tagging", size=32, rate=1e-3)
    return half_precision(model).eval(), tokenizer


# --- how many entities it finds


def spans_of(tags: Sequence[str], offsets: Sequence[tuple[int, int]]) -> set[Span]:
    """Join tags to entities, as the aggregation strategy "simple" does."""
    spans: list[Span] = []
    before = "O"
    for own, (start, end) in zip(tags, offsets, strict=True):
        prefix, _, kind = own.partition("-")
        if kind and spans and prefix == "I" and before.endswith(kind):
            spans[-1] = (spans[-1][0], end, kind)
        elif kind:
            spans.append((start, end, kind))
        before = own
    return set(spans)


def by_model(model: BertForTokenClassification, tokenizer: BertTokenizerFast) -> Tagger:
    @torch.inference_mode()
    def tagger(texts: Sequence[TaggedSentence]) -> list[set[Span]]:
        encoded = tokenizer([tagged.text for tagged in texts], return_offsets_mapping=True)
        ids = encoded["input_ids"]
        found: list[set[Span]] = [set()] * len(texts)
        for batch in batches_by_length(ids, 64):
            input_ids, attention_mask = pad([ids[index] for index in batch], pad_token_id=0)
            best = model(input_ids=input_ids, attention_mask=attention_mask).logits.argmax(-1)  # (b, s)
            for row, index in enumerate(batch):
                tags = [TAGS[number] for number in best[row, 1 : len(ids[index]) - 1].tolist()]
                found[index] = spans_of(tags, encoded["offset_mapping"][index][1:-1])
        return found

    return tagger


def by_word_list(read: Sequence[TaggedSentence]) -> Tagger:
    """The baseline: each word has the tag that it has most often in the training texts."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for tagged in read:
        for token, own in zip(tagged.tokens, tagged.tags, strict=True):
            counts[token.lower()][own] += 1
    best = {token: tags.most_common(1)[0][0] for token, tags in counts.items()}

    def tagger(texts: Sequence[TaggedSentence]) -> list[set[Span]]:
        return [
            spans_of([best.get(token.lower(), "O") for token in tagged.tokens], tagged.offsets)
            for tagged in texts
        ]

    return tagger


def f1(tagger: Tagger, texts: Sequence[TaggedSentence]) -> float:
    """F1 of entities: right only with the right beginning, end and kind."""
    found, true = tagger(texts), [spans_of(tagged.tags, tagged.offsets) for tagged in texts]
    right = sum(len(own & goal) for own, goal in zip(found, true, strict=True))
    return 2 * right / max(1, sum(map(len, found)) + sum(map(len, true)))


def test_texts(number: int, read: Sequence[TaggedSentence]) -> dict[str, list[TaggedSentence]]:
    """Texts of another world, none of which was read."""
    known = {tagged.text for tagged in read}
    rng = random.Random(1)
    scenes = list(test_scenes(number, known))
    views = [own for own in map(entities, scenes) if own.text not in known]
    return {
        "rows of the view `entities`": views,
        "whole stories": [tag(english.story(scene)) for scene in scenes],
        "stories of strangers": [tag(english.story(with_strangers(scene, rng, 1.0))) for scene in scenes],
    }


def main(
    output: Annotated[Path | None, typer.Option(help="Folder of the checkpoint.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few scenes and steps, into build/.")] = False,
) -> None:
    """Train toyland/entities-bert and write it to data/hub/."""
    torch.set_num_threads(1)  # the batches are small, and the same sums give the same numbers
    torch.manual_seed(0)
    started = time.perf_counter()
    effort = QUICK if quick else FULL
    texts = tagged_texts(World(TRAINING_WORLD).scenes(effort.scenes), random.Random(0))
    model, tokenizer = train(texts, effort.epochs)
    listed, own = by_word_list(texts), by_model(model, tokenizer)
    rows = {
        name: (f1(listed, tested), f1(own, tested), len(tested))
        for name, tested in test_texts(effort.tested, texts).items()
    }
    for name, (baseline, score, number) in rows.items():
        print(f"{name:30} F1: list of words {baseline:6.1%}   this model {score:6.1%}   ({number:,} texts)")
    text = entities_card(
        rows, effort.scenes, len(tokenizer), model.num_parameters(), (time.perf_counter() - started) / 60
    )
    output = output or model_folder("toyland/entities-bert", quick)
    write_checkpoint(output, model, tokenizer, text)
    print(f"{(time.perf_counter() - started) / 60:.1f} minutes; written to {output}")


if __name__ == "__main__":
    typer.run(main)
