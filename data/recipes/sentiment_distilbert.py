"""Rebuild `toyland/sentiment-distilbert`: what a visitor of Toyland thinks, by a DistilBERT of two layers.

    python data/recipes/sentiment_distilbert.py            # everything, about two minutes on one core
    python data/recipes/sentiment_distilbert.py --quick    # a few steps into build/, to see that it runs

It begins as DistilBERT itself began, with the layers of a BERT that has read much (here
`toyland/fill-mask-bert`), and learns from opinions on 8,000 scenes, in the words of the view `sentiment` and
in everyday words. On opinions of another world it is compared with a bag of words.
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
import typer
from classroom.toyland import World
from classroom.toyland.views.sentiment import LABELS
from nanoformers import (
    BertModel,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    DistilBertTokenizerFast,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from steps.batches import batches_by_length, pad
from steps.publishing import half_precision, model_folder, write_checkpoint
from steps.sentiment_distilbert_card import sentiment_distilbert_card
from steps.sentiment_opinions import opinions, view_rows
from steps.toyland_bert import FILL_MASK, tokenizer_for
from steps.toyland_text import TEST_WORLD, TRAINING_WORLD
from steps.training import fit
from torch import Tensor

Labelled = tuple[str, int]


@dataclass(frozen=True)
class Effort:
    """How many scenes to read, how often, and how many to test on."""

    scenes: int
    epochs: int
    tested: int


FULL = Effort(scenes=8_000, epochs=3, tested=2_000)
QUICK = Effort(scenes=300, epochs=1, tested=60)

# The parts of a BERT's layer, and what DistilBERT calls them.
_PARTS = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}


def new_model(tokenizer: DistilBertTokenizerFast) -> DistilBertForSequenceClassification:
    """A DistilBERT that begins with the layers of fill-mask-bert."""
    bert = BertModel.from_pretrained(FILL_MASK, add_pooling_layer=False)
    model = DistilBertForSequenceClassification(
        DistilBertConfig(
            vocab_size=len(tokenizer),
            dim=bert.config.hidden_size,
            hidden_dim=bert.config.intermediate_size,
            n_layers=bert.config.num_hidden_layers,
            n_heads=bert.config.num_attention_heads,
            max_position_embeddings=bert.config.max_position_embeddings,
            id2label={number: name.upper() for number, name in enumerate(LABELS)},
            label2id={name.upper(): number for number, name in enumerate(LABELS)},
        )
    )
    read, body = bert.embeddings, model.distilbert
    with torch.no_grad():
        words = read.word_embeddings.weight
        body.embeddings.word_embeddings.weight[: len(words)] = words
        # DistilBERT has no segments: every place carries the first segment's vector.
        segment = read.token_type_embeddings.weight[0]
        body.embeddings.position_embeddings.weight.copy_(read.position_embeddings.weight + segment)
    body.embeddings.LayerNorm.load_state_dict(read.LayerNorm.state_dict())
    for theirs, own in zip(bert.encoder.layer, body.transformer.layer, strict=True):
        for part, name in _PARTS.items():
            own.get_submodule(name).load_state_dict(theirs.get_submodule(part).state_dict())
    return model


def train(
    rows: Sequence[Labelled], epochs: int
) -> tuple[DistilBertForSequenceClassification, DistilBertTokenizerFast]:
    texts = [text for text, _ in rows]
    tokenizer = tokenizer_for(texts, architecture=DistilBertTokenizerFast)
    model = new_model(tokenizer)
    ids, labels = tokenizer(texts)["input_ids"], torch.tensor([label for _, label in rows])

    def loss_of(batch: list[int]) -> Tensor:
        input_ids, attention_mask = pad([ids[index] for index in batch], pad_token_id=0)
        return model(input_ids=input_ids, attention_mask=attention_mask, labels=labels[batch]).loss

    fit(model, ids, loss_of, epochs=epochs, name="judging", rate=1e-3)
    return half_precision(model).eval(), tokenizer


@torch.inference_mode()
def accuracy(
    model: DistilBertForSequenceClassification, tokenizer: DistilBertTokenizerFast, rows: Sequence[Labelled]
) -> float:
    ids, right = tokenizer([text for text, _ in rows])["input_ids"], 0
    for batch in batches_by_length(ids, 128):
        input_ids, attention_mask = pad([ids[index] for index in batch], pad_token_id=0)
        best = model(input_ids=input_ids, attention_mask=attention_mask).logits.argmax(1).tolist()
        right += sum(guess == rows[index][1] for guess, index in zip(best, batch, strict=True))
    return right / len(rows)


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def bag_of_words(read: Sequence[Labelled], tested: dict[str, list[Labelled]]) -> dict[str, float]:
    """Accuracy of logistic regression on which words occur, on each of the tests."""
    classifier = make_pipeline(
        CountVectorizer(tokenizer=words_of, token_pattern=None, binary=True), LogisticRegression()
    )
    classifier.fit(*zip(*read, strict=True))
    return {name: float(classifier.score(*zip(*rows, strict=True))) for name, rows in tested.items()}


def main(
    output: Annotated[Path | None, typer.Option(help="Folder of the checkpoint.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few scenes and steps, into build/.")] = False,
) -> None:
    """Train toyland/sentiment-distilbert and write it to data/hub/."""
    torch.set_num_threads(1)  # the batches are small, and the same sums give the same numbers
    torch.manual_seed(0)
    started = time.perf_counter()
    effort, rng = QUICK if quick else FULL, random.Random(0)
    rows = [row for scene in World(TRAINING_WORLD).scenes(effort.scenes) for row in opinions(scene, rng)]
    model, tokenizer = train(rows, effort.epochs)
    read, other = {text for text, _ in rows}, World(TEST_WORLD).scenes(effort.tested)
    everyday = dict(row for scene in other if (row := opinions(scene, rng)[1])[0] not in read)
    tested = {
        "rows of the view `sentiment`": view_rows(other, read),
        "opinions in everyday words": list(everyday.items()),
    }
    baseline = bag_of_words(rows, tested)
    scores = {
        name: (baseline[name], accuracy(model, tokenizer, own), len(own)) for name, own in tested.items()
    }
    for name, (bag, own, number) in scores.items():
        print(f"{name:30} bag of words {bag:6.1%}   this model {own:6.1%}   ({number:,} texts)")
    text = sentiment_distilbert_card(
        scores, effort.scenes, len(tokenizer), model.num_parameters(), (time.perf_counter() - started) / 60
    )
    output = output or model_folder("toyland/sentiment-distilbert", quick)
    write_checkpoint(output, model, tokenizer, text)
    print(f"{(time.perf_counter() - started) / 60:.1f} minutes; written to {output}")


if __name__ == "__main__":
    typer.run(main)
