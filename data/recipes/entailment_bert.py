"""Rebuild `toyland/entailment-bert`: does a sentence follow from a text of Toyland? What is a text about?

    python data/recipes/entailment_bert.py            # everything, about six minutes on one core
    python data/recipes/entailment_bert.py --quick    # a few steps into build/, to see that it runs

It begins with the body of `toyland/fill-mask-bert`. First it judges whole lists of labels beside a text, one
verdict for each label: so it learns to compare. Then it gets one more layer and judges single hypotheses: the
pairs of the view `entailment`, and pairs in the template of zero-shot classification ("This example is
{label}."), whose labels are notions of Toyland: places, times, objects, animals, names, moods, feelings and
intents. One verdict a text alone is too little to learn from: without the first step it does not find out in
three thousand steps that the two texts should be compared. Six notions are never a label in training; how
well it does on them is measured too.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from classroom.toyland import Scene, World
from nanoformers import BertForSequenceClassification, BertForTokenClassification, BertTokenizerFast
from steps.batches import batches_by_length, pad
from steps.entailment_card import entailment_card
from steps.entailment_text import (
    HELD_OUT,
    LABELS,
    NOTIONS,
    About,
    Listing,
    Pair,
    excluded,
    listings,
    opinion,
    request,
    telling,
    training_pairs,
    view_pair,
)
from steps.publishing import half_precision, model_folder, write_checkpoint
from steps.toyland_bert import NO_DROPOUT, look_for_equal_words, model_for, tokenizer_for
from steps.toyland_text import TRAINING_WORLD, test_scenes
from steps.training import fit
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

ENTAILMENT = LABELS.index("ENTAILMENT")
Scorer = Callable[[Sequence[str], Sequence[str]], Tensor]  # premises, hypotheses -> (n, 3)


@dataclass(frozen=True)
class Effort:
    """How many scenes to read, how often lists and hypotheses are judged, how many scenes to test on."""

    scenes: int
    listed: int
    judged: int
    tested: int


FULL = Effort(scenes=6_000, listed=3, judged=2, tested=1_000)
QUICK = Effort(scenes=200, listed=1, judged=1, tested=20)


def batch_of(encoded: dict[str, list[list[int]]], batch: Sequence[int]) -> dict[str, Tensor]:
    input_ids, attention_mask = pad([encoded["input_ids"][index] for index in batch], pad_token_id=0)
    segments = pad_sequence([torch.tensor(encoded["token_type_ids"][index]) for index in batch], True)
    return {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": segments}


def judge_lists(
    tokenizer: BertTokenizerFast, read: Sequence[Listing], epochs: int
) -> BertForTokenClassification:
    """Train a classifier of tokens to give its verdict on each label of a list."""
    model = model_for(BertForTokenClassification, tokenizer, num_labels=len(LABELS), **NO_DROPOUT)
    look_for_equal_words(model)
    encoded = tokenizer(
        [own.text for own in read],
        [f"This example is {', '.join(own.labels)}." for own in read],
        return_offsets_mapping=True,
    )
    goals = []
    for own, segments, offsets in zip(
        read, encoded["token_type_ids"], encoded["offset_mapping"], strict=True
    ):
        spans, start = [], len("This example is ")
        for label, verdict in zip(own.labels, own.verdicts, strict=True):
            spans.append((start, start + len(label), verdict))
            start += len(label) + len(", ")
        goals.append(
            torch.tensor(
                [
                    next((verdict for s, e, verdict in spans if segment and s <= first < last <= e), -100)
                    for segment, (first, last) in zip(segments, offsets, strict=True)
                ]
            )
        )

    def loss_of(batch: list[int]) -> Tensor:
        labels = pad_sequence([goals[index] for index in batch], True, -100)
        return model(**batch_of(encoded, batch), labels=labels).loss

    fit(model, encoded["input_ids"], loss_of, epochs=epochs, name="judging lists", size=32, rate=1e-3)
    return model


def judge(
    listed: BertForTokenClassification, tokenizer: BertTokenizerFast, pairs: Sequence[Pair], epochs: int
) -> BertForSequenceClassification:
    """Train a classifier of pairs: the body that judges lists, with one more layer."""
    layers = listed.config.num_hidden_layers + 1
    model = model_for(
        BertForSequenceClassification,
        tokenizer,
        num_hidden_layers=layers,
        **NO_DROPOUT,
        id2label=dict(enumerate(LABELS)),
        label2id={name: number for number, name in enumerate(LABELS)},
    )
    model.bert.load_state_dict(listed.bert.state_dict(), strict=False)
    encoded = tokenizer([pair.premise for pair in pairs], [pair.hypothesis for pair in pairs])
    labels = torch.tensor([pair.label for pair in pairs])

    def loss_of(batch: list[int]) -> Tensor:
        return model(**batch_of(encoded, batch), labels=labels[batch]).loss

    fit(model, encoded["input_ids"], loss_of, epochs=epochs, name="judging", rate=1e-3)
    return half_precision(model).eval()


def scorer_of(model: BertForSequenceClassification, tokenizer: BertTokenizerFast) -> Scorer:
    @torch.inference_mode()
    def scorer(premises: Sequence[str], hypotheses: Sequence[str]) -> Tensor:
        encoded = tokenizer(list(premises), list(hypotheses))
        logits = torch.empty(len(premises), len(LABELS))
        for batch in batches_by_length(encoded["input_ids"], 128):
            logits[batch] = model(**batch_of(encoded, batch)).logits
        return logits

    return scorer


# --- how often it is right


def accuracy_on_pairs(scorer: Scorer, pairs: Sequence[Pair]) -> float:
    logits = scorer([pair.premise for pair in pairs], [pair.hypothesis for pair in pairs])
    return (logits.argmax(1) == torch.tensor([pair.label for pair in pairs])).float().mean().item()


def by_last_word(premises: Sequence[str], hypotheses: Sequence[str]) -> Tensor:
    """The baseline: a hypothesis follows if its last but one word ("about it") or last word was read."""
    scores = torch.zeros(len(premises), len(LABELS))
    for row, (premise, hypothesis) in enumerate(zip(premises, hypotheses, strict=True)):
        telling_word = re.findall(r"[\w-]+", hypothesis.lower().removesuffix(" about it."))[-1]
        scores[row, ENTAILMENT if telling_word in re.findall(r"[\w-]+", premise.lower()) else 1] = 1.0
    return scores


@dataclass(frozen=True)
class Choice:
    """A text, and the candidates of one group of notions, among which the first is right."""

    text: str
    labels: tuple[str, ...]


def choices(abouts: Sequence[About], group: str, only: set[str] | None = None) -> list[Choice]:
    """Texts that tell exactly one notion of a group (one of `only`), with all labels that it excludes."""
    found = []
    for about in abouts:
        told = about.told.get(group, set())
        others = sorted(excluded(group, told)) if len(told) == 1 else []
        if others and (only is None or told <= only):
            labels = (NOTIONS[group][notion][0] for notion in (next(iter(told)), *others))
            found.append(Choice(about.text, tuple(labels)))
    return found


def accuracy_on_choices(scorer: Scorer, tested: Sequence[Choice]) -> float:
    """Share of texts whose right label has the highest score of entailment (a draw counts as a share)."""
    pairs = [(own.text, f"This example is {label}.") for own in tested for label in own.labels]
    scores = scorer(*zip(*pairs, strict=True))[:, ENTAILMENT].tolist()
    right, start = 0.0, 0
    for own in tested:
        mine = scores[start : start + len(own.labels)]
        start += len(own.labels)
        if mine[0] == max(mine):
            right += 1 / mine.count(mine[0])
    return right / len(tested)


def test_choices(scenes: Sequence[Scene]) -> dict[str, list[Choice]]:
    requests, opinions, tellings = ([view(scene) for scene in scenes] for view in (request, opinion, telling))
    rare = {group: choices(tellings, group, only) for group, only in HELD_OUT.items()}
    return {
        "what a request wants (8 intents)": choices(requests, "intent"),
        "an opinion's feeling (3)": choices(opinions, "feeling"),
        "a story's mood (4: it and the opposite ones)": choices(tellings, "mood"),
        "a story's place (10)": choices(tellings, "place"),
        "a story's place, label never met (10)": rare["place"],
        "a story's animal, label never met (10)": rare["animal"],
        "a story's object, label never met (10)": rare["object"],
    }


def measure(scorer: Scorer, read: set[str], number: int) -> tuple[dict[str, tuple[float, float]], int]:
    """Return what was asked -> accuracy of the baseline and of the model, and how many scenes it was."""
    scenes = [own for own in test_scenes(number, read) if request(own).text not in read]
    tested = [pair for scene in scenes if (pair := view_pair(scene)).premise not in read]
    rows = {
        "pairs of the view `entailment` (3 labels)": (
            accuracy_on_pairs(by_last_word, tested),
            accuracy_on_pairs(scorer, tested),
        )
    }
    for name, own in test_choices(scenes).items():
        if own:
            rows[name] = accuracy_on_choices(by_last_word, own), accuracy_on_choices(scorer, own)
    return rows, len(scenes)


def main(
    output: Annotated[Path | None, typer.Option(help="Folder of the checkpoint.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few scenes and steps, into build/.")] = False,
) -> None:
    """Train toyland/entailment-bert and write it to data/hub/."""
    torch.set_num_threads(1)  # the batches are small, and the same sums give the same numbers
    torch.manual_seed(0)
    started = time.perf_counter()
    effort = QUICK if quick else FULL
    scenes_read = World(TRAINING_WORLD).scenes(effort.scenes)
    pairs = training_pairs(scenes_read, random.Random(0))
    tokenizer = tokenizer_for(f"{pair.premise} {pair.hypothesis}" for pair in pairs)
    listed = judge_lists(tokenizer, listings(scenes_read, random.Random(1)), effort.listed)
    model = judge(listed, tokenizer, pairs, effort.judged)
    scorer = scorer_of(model, tokenizer)
    rows, tested = measure(scorer, {pair.premise for pair in pairs}, effort.tested)
    for name, (baseline, score) in rows.items():
        print(f"{name:45} last word {baseline:6.1%}   this model {score:6.1%}")
    text = entailment_card(
        rows,
        tested,
        effort.scenes,
        len(tokenizer),
        model.num_parameters(),
        (time.perf_counter() - started) / 60,
    )
    output = output or model_folder("toyland/entailment-bert", quick)
    write_checkpoint(output, model, tokenizer, text)
    print(f"{(time.perf_counter() - started) / 60:.1f} minutes; written to {output}")


if __name__ == "__main__":
    typer.run(main)
