"""Rebuild `nanoformers/sentiment-bert-tiny`: the sentiment classifier of the course, from people's ratings.

    python data/recipes/sentiment_bert_tiny.py            # everything, about twenty minutes on one core
    python data/recipes/sentiment_bert_tiny.py --quick    # a few steps into build/, to see that it runs

1. Baseline: TF-IDF of words and word pairs with logistic regression, tuned on the validation split.
2. Teacher: all-MiniLM-L6-v2 (22.7 M parameters) learns to predict the mean rating of a sentence.
3. More text for the student: single words, words in short phrases ("not {} at all"), and pieces of training
   sentences in which some words are replaced by random ones. The teacher rates them. They teach what a word
   does to any sentence, not only to ours.
4. Student: a two-layer BERT of 1.4 M parameters with 8,000 of the teacher's word pieces; its embeddings begin
   as the main directions of the teacher's. The margin between its two logits is trained to be twice the
   rating, so `score = sigmoid(2 * rating)`.

The label of a sentence is the sign of its mean rating. Sentences rated between -0.5 and +0.5 train the
student to be undecided, and are left out when accuracy is measured.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
import typer
from classroom import sources
from nanoformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast
from steps.batches import batches_by_length, pad, shuffled_batches
from steps.publishing import half_precision, margin_of_error, model_folder, write_checkpoint
from steps.sentiment_baseline import Split, bag_of_words, load_splits
from steps.sentiment_card import card
from steps.sentiment_text import altered_sentences, phrases, smaller_tokenizer, words_of
from torch import Tensor, nn
from tqdm import tqdm

LONGEST = 64  # word pieces of a training sentence


@dataclass(frozen=True)
class Effort:
    """How much of everything: sentences of a split, words to rate (None: all), and how often."""

    sentences: int | None
    words: int | None
    copies: int
    teacher_epochs: int
    student_epochs: int


FULL = Effort(sentences=None, words=None, copies=2, teacher_epochs=2, student_epochs=5)
QUICK = Effort(sentences=100, words=500, copies=1, teacher_epochs=1, student_epochs=1)


# --- teacher


class Teacher(nn.Module):
    """all-MiniLM-L6-v2 with one output: the mean rating of a sentence."""

    def __init__(self) -> None:
        super().__init__()
        folder = sources.minilm_folder()
        self.tokenizer = BertTokenizerFast.from_pretrained(folder)
        self.bert = BertModel.from_pretrained(folder, add_pooling_layer=False)
        self.rating = nn.Linear(self.bert.config.hidden_size, 1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:  # (b, s), (b, s) -> (b,)
        states = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask[..., None].to(states.dtype)  # (b, s, 1)
        return self.rating((states * mask).sum(1) / mask.sum(1)).squeeze(1)


def faster_dtype() -> torch.dtype:
    """bfloat16 where this processor multiplies matrices in it faster than in float32, else float32."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        a, b = torch.ones(1024, 384, dtype=dtype), torch.ones(384, 1536, dtype=dtype)
        a @ b
        start = time.perf_counter()
        for _ in range(5):
            a @ b
        seconds[dtype] = time.perf_counter() - start
    return min(seconds, key=seconds.__getitem__)


def encode(tokenizer: BertTokenizerFast, texts: Sequence[str]) -> list[list[int]]:
    return tokenizer(list(texts), truncation=True, max_length=LONGEST)["input_ids"]


def fit(
    model: nn.Module,
    ids: list[list[int]],
    ratings: Tensor,
    *,
    epochs: int,
    size: int,
    rate: float,
    rng: random.Random,
    name: str,
    dtype: torch.dtype = torch.float32,
    hidden: float = 0.0,
    mask_id: int = 0,
) -> None:
    """Train a teacher or student by squared error, with AdamW and a one-cycle rate.

    `[MASK]` hides the share `hidden` of the word pieces in each batch, so that no single word decides all.
    """
    decayed = [weights for weights in model.parameters() if weights.ndim > 1]
    others = [weights for weights in model.parameters() if weights.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=rate)
    steps = epochs * len(shuffled_batches(ids, size, random.Random(0)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    model.train()
    with tqdm(total=steps, desc=name, mininterval=2) as bar:
        for _ in range(epochs):
            for batch in shuffled_batches(ids, size, rng):
                input_ids, attention_mask = pad([ids[index] for index in batch], pad_token_id=0)
                if hidden:
                    chosen = (torch.rand(input_ids.shape) < hidden) & (input_ids > mask_id)
                    input_ids[chosen] = mask_id
                with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
                    predicted = model(input_ids, attention_mask).float()
                loss = F.mse_loss(predicted, ratings[batch])
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                bar.update()
                if bar.n % 20 == 0:
                    bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)


@torch.no_grad()
def predict(model: nn.Module, ids: list[list[int]], dtype: torch.dtype = torch.float32) -> Tensor:
    """Rating of each sentence, (n,) float32."""
    model.eval()
    ratings = torch.zeros(len(ids))
    for batch in batches_by_length(ids, 64):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            ratings[batch] = model(*pad([ids[index] for index in batch], pad_token_id=0)).float()
    return ratings


# --- student


class Student(nn.Module):
    """A classifier whose rating of a sentence is half the margin between its two logits."""

    def __init__(self, classifier: BertForSequenceClassification) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:  # (b, s), (b, s) -> (b,)
        logits = self.classifier(input_ids=input_ids, attention_mask=attention_mask).logits  # (b, 2)
        return (logits[:, 1] - logits[:, 0]) / 2


def new_student(teacher: Teacher, tokenizer: BertTokenizerFast) -> Student:
    """A fresh student whose embeddings are the teacher's, projected on their main directions."""
    width = 128
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=384,
        max_position_embeddings=512,
        id2label={0: "NEGATIVE", 1: "POSITIVE"},
        label2id={"NEGATIVE": 0, "POSITIVE": 1},
    )
    classifier = BertForSequenceClassification(config)
    embeddings = classifier.bert.embeddings
    known = teacher.tokenizer.get_vocab()
    pieces = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    with torch.no_grad():
        table = teacher.bert.get_input_embeddings().weight[[known[piece] for piece in pieces]].float()
        left, lengths, _ = torch.linalg.svd(table - table.mean(0), full_matrices=False)
        projected = (left * lengths)[:, :width]
        embeddings.word_embeddings.weight.copy_(0.05 * projected / projected.std())
        embeddings.position_embeddings.weight.zero_()  # places that training never reaches stay neutral
    return Student(classifier)


# --- all of it


def train_teacher(train: Split, epochs: int, rng: random.Random) -> Teacher:
    teacher = Teacher()
    fit(
        teacher,
        encode(teacher.tokenizer, train.texts),
        train.ratings,
        epochs=epochs,
        size=32,
        rate=1e-4,
        rng=rng,
        dtype=faster_dtype(),
        name="teacher",
    )
    return teacher


def ask(teacher: Teacher, texts: Sequence[str]) -> Tensor:
    """The teacher's rating of each text, (n,)."""
    return predict(teacher, encode(teacher.tokenizer, texts), faster_dtype())


def train_students(
    teacher: Teacher, train: Split, seeds: int, effort: Effort, rng: random.Random
) -> tuple[list[Student], BertTokenizerFast]:
    known = [word for word in teacher.tokenizer.get_vocab() if re.fullmatch("[a-z]{2,}", word)]
    words = sorted(set(known) | set(words_of(train.texts)))[: effort.words]
    valence = dict(zip(words, ask(teacher, words).tolist(), strict=True))
    others = phrases(valence, rng) + altered_sentences(train.texts, words, effort.copies, rng)
    from_people = (train.ratings + ask(teacher, train.texts)) / 2  # people and teacher count alike
    ratings = torch.cat([from_people, torch.tensor(list(valence.values())), ask(teacher, others)])

    tokenizer = smaller_tokenizer(teacher.tokenizer, train.texts, valence, size=8000)
    ids = encode(tokenizer, [*train.texts, *words, *others])
    students = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        student = new_student(teacher, tokenizer)
        fit(
            student,
            ids,
            ratings,
            epochs=effort.student_epochs,
            size=64,
            rate=1e-3,
            rng=random.Random(seed),
            hidden=0.05,
            mask_id=tokenizer.mask_token_id,
            name=f"student {seed}",
        )
        half_precision(student.classifier)
        students.append(student)
    return students, tokenizer


def main(
    output: Annotated[Path | None, typer.Option(help="Folder of the checkpoint.")] = None,
    seeds: Annotated[int, typer.Option(help="Students to train; the best on validation is kept.", min=1)] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Few sentences and steps, into build/.")] = False,
) -> None:
    """Train nanoformers/sentiment-bert-tiny and write it to data/hub/."""
    torch.set_num_threads(1)  # the batches are small, and the same sums give the same numbers
    torch.manual_seed(0)
    rng = random.Random(0)
    started = time.perf_counter()
    effort = QUICK if quick else FULL
    splits = load_splits(effort.sentences)
    train, validation, test = (splits[name] for name in sources.SPLITS)
    baseline, settings = bag_of_words(splits)

    teacher = train_teacher(train, effort.teacher_epochs, rng)
    students, tokenizer = train_students(teacher, train, seeds, effort, rng)
    on_validation = [predict(student, encode(tokenizer, validation.texts)) for student in students]
    on_test = [predict(student, encode(tokenizer, test.texts)) for student in students]
    chosen = max(range(seeds), key=lambda seed: validation.accuracy(on_validation[seed]))

    number = int(test.labelled.sum())
    rows = {
        f"bag of words ({settings})": baseline,
        "teacher (all-MiniLM-L6-v2, fine-tuned)": test.accuracy(ask(teacher, test.texts)),
        "this model": test.accuracy(on_test[chosen]),
    }
    for name, value in rows.items():
        print(f"{name:55} {value:6.1%} +- {margin_of_error(value, number):.1%}")
    classifier = students[chosen].classifier.eval()
    text = card(
        rows=rows,
        number=number,
        accuracies=[test.accuracy(ratings) for ratings in on_test],
        by_source={name: test.accuracy(on_test[chosen], name) for name in sorted(set(test.sources))},
        correlation=test.correlation(on_test[chosen]),
        parameters=classifier.num_parameters(),
        vocabulary=len(tokenizer),
        minutes=(time.perf_counter() - started) / 60,
    )
    output = output or model_folder("nanoformers/sentiment-bert-tiny", quick)
    write_checkpoint(output, classifier, tokenizer, text)
    print(f"{(time.perf_counter() - started) / 60:.1f} minutes; written to {output}")


if __name__ == "__main__":
    typer.run(main)
