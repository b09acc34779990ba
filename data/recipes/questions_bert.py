"""Rebuild `toyland/questions-bert`: it finds the answer to a question in a story of Toyland.

    python data/recipes/questions_bert.py            # everything, about seven minutes on one core
    python data/recipes/questions_bert.py --quick    # a few steps into build/, to see that it runs

It begins with the body of `toyland/fill-mask-bert` and learns from five questions on each of 8,000 scenes:
in the words of the view `questions`, and in others ("Who cried a little?", "When did it happen?"), on
stories and on single sentences, and the same question on both objects or both characters of a story. Its
answers to questions on another world are compared with the commonest answers to questions that begin alike,
and with the sentence that has most words of the question.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from classroom.toyland import World, english
from classroom.toyland.views.questions import Question
from nanoformers import BertForQuestionAnswering, BertTokenizerFast
from steps.batches import batches_by_length, pad
from steps.publishing import half_precision, model_folder, write_checkpoint
from steps.questions_card import questions_card
from steps.questions_scores import Answerer, commonest, likeliest_sentence, measure
from steps.questions_text import free_questions, training_questions, twin_questions
from steps.toyland_bert import NO_DROPOUT, look_for_equal_words, model_for, tokenizer_for
from steps.toyland_text import TRAINING_WORLD, test_scenes, with_strangers
from steps.training import fit
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

LONGEST_ANSWER = 15  # word pieces


@dataclass(frozen=True)
class Effort:
    """How many scenes to read, how often, and how many to test on."""

    scenes: int
    epochs: int
    tested: int


FULL = Effort(scenes=8_000, epochs=3, tested=500)
QUICK = Effort(scenes=200, epochs=1, tested=20)


@dataclass(frozen=True)
class Encoded:
    """A question and its context as the model reads them: ids, segments, and the places of the ids."""

    ids: list[int]
    segments: list[int]
    offsets: list[tuple[int, int]]

    def places(self) -> list[int]:
        """Where the pieces of the context stand (its last one is the closing mark)."""
        return [place for place, segment in enumerate(self.segments) if segment][:-1]


def encode(tokenizer: BertTokenizerFast, asked: Sequence[Question]) -> list[Encoded]:
    encoded = tokenizer(
        [own.question for own in asked], [own.context for own in asked], return_offsets_mapping=True
    )
    columns = (encoded[name] for name in ("input_ids", "token_type_ids", "offset_mapping"))
    return [Encoded(*row) for row in zip(*columns, strict=True)]


def inputs_of(examples: Sequence[Encoded]) -> dict[str, Tensor]:
    input_ids, attention_mask = pad([own.ids for own in examples], pad_token_id=0)
    segments = pad_sequence([torch.tensor(own.segments) for own in examples], True)
    return {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": segments}


def train(asked: Sequence[Question], epochs: int) -> tuple[BertForQuestionAnswering, BertTokenizerFast]:
    tokenizer = tokenizer_for((own.question for own in asked), at_least=20)
    model = model_for(BertForQuestionAnswering, tokenizer, **NO_DROPOUT)
    look_for_equal_words(model)
    encoded = encode(tokenizer, asked)
    starts, ends = [], []
    for own, example in zip(asked, encoded, strict=True):
        answer = [place for place in example.places() if own.start <= example.offsets[place][0] < own.end]
        starts.append(answer[0])
        ends.append(answer[-1])

    def loss_of(batch: list[int]) -> Tensor:
        return model(
            **inputs_of([encoded[index] for index in batch]),
            start_positions=torch.tensor([starts[index] for index in batch]),
            end_positions=torch.tensor([ends[index] for index in batch]),
        ).loss

    fit(model, [own.ids for own in encoded], loss_of, epochs=epochs, name="asking", size=32, rate=1e-3)
    return half_precision(model).eval(), tokenizer


# --- how often it is right


def by_model(model: BertForQuestionAnswering, tokenizer: BertTokenizerFast) -> Answerer:
    @torch.inference_mode()
    def answerer(asked: Sequence[Question]) -> list[str]:
        encoded = encode(tokenizer, asked)
        answers = [""] * len(asked)
        for batch in batches_by_length([own.ids for own in encoded], 64):
            outputs = model(**inputs_of([encoded[index] for index in batch]))
            for row, index in enumerate(batch):
                places = encoded[index].places()
                first, last = places[0], places[-1] + 1
                worth = (
                    outputs.start_logits[row, first:last, None] + outputs.end_logits[row, None, first:last]
                )
                possible = torch.ones_like(worth, dtype=torch.bool).triu().tril(LONGEST_ANSWER - 1)
                best = worth.masked_fill(~possible, -torch.inf).argmax().item()
                start, end = divmod(int(best), last - first)
                offsets = encoded[index].offsets[first:last]
                answers[index] = asked[index].context[offsets[start][0] : offsets[end][1]]
        return answers

    return answerer


def test_questions(number: int, read: Sequence[Question]) -> dict[str, list[Question]]:
    """Questions on another world, on stories that were not read."""
    rng = random.Random(1)
    scenes = list(test_scenes(number, {own.context for own in read}))
    strangers = [with_strangers(scene, rng, 1.0) for scene in scenes]
    return {
        "all questions of the view `questions`": [own for scene in scenes for own in scene.questions()],
        "other wordings": [
            own
            for scene in scenes
            for own in rng.sample(list(free_questions(scene, english.story(scene))), 6)
        ],
        "the same question on both of two": [own for scene in scenes for own in twin_questions(scene, rng)],
        "stories of strangers": [own for scene in strangers for own in scene.questions()],
    }


def compare(
    model: BertForQuestionAnswering, tokenizer: BertTokenizerFast, read: Sequence[Question], tested: int
) -> dict[str, dict[str, tuple[float, float]]]:
    """Return kind of questions -> who answers -> exact match and F1; the model comes last."""
    answerers = {
        "commonest answer": commonest(read),
        "likeliest sentence": likeliest_sentence,
        "this model": by_model(model, tokenizer),
    }
    return {
        name: {who: measure(answerer, asked) for who, answerer in answerers.items()}
        for name, asked in test_questions(tested, read).items()
    }


def main(
    output: Annotated[Path | None, typer.Option(help="Folder of the checkpoint.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few scenes and steps, into build/.")] = False,
) -> None:
    """Train toyland/questions-bert and write it to data/hub/."""
    torch.set_num_threads(1)  # the batches are small, and the same sums give the same numbers
    torch.manual_seed(0)
    started = time.perf_counter()
    effort = QUICK if quick else FULL
    asked = training_questions(World(TRAINING_WORLD).scenes(effort.scenes), random.Random(0))
    model, tokenizer = train(asked, effort.epochs)
    rows = compare(model, tokenizer, asked, effort.tested)
    for name, own in rows.items():
        for who, (exact, shared) in own.items():
            print(f"{name:40} {who:20} exact {exact:6.1%}   F1 {shared:6.1%}")
    text = questions_card(
        rows,
        effort.scenes,
        len(tokenizer),
        model.num_parameters(),
        (time.perf_counter() - started) / 60,
    )
    output = output or model_folder("toyland/questions-bert", quick)
    write_checkpoint(output, model, tokenizer, text)
    print(f"{(time.perf_counter() - started) / 60:.1f} minutes; written to {output}")


if __name__ == "__main__":
    typer.run(main)
