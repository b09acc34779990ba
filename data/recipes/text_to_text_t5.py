"""Rebuild `toyland/text-to-text-t5`: one T5 that translates, writes headlines and answers questions.

    python data/recipes/text_to_text_t5.py            # everything, about half an hour on one core
    python data/recipes/text_to_text_t5.py --quick    # a few steps into build/, to see that it runs

A prefix says what is asked: "translate English to French: ...", "summarize: ...", or "question: ... context:
...". It learns all of that at once, with word pieces of both languages that are made here, too, in three
rounds over different scenes: first short texts, then more whole stories and more questions. It is measured on
another world, each task beside a simple way.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from classroom.toyland import Scene, World
from classroom.toyland.grammar import split
from classroom.toyland.views.headlines import headlines
from nanoformers import GenerationConfig, T5Config, T5ForConditionalGeneration, T5TokenizerFast
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF
from steps import questions_scores
from steps.batches import batches_by_length, pad
from steps.publishing import half_precision, model_folder, write_checkpoint
from steps.questions_text import training_questions
from steps.text_to_text import (
    SUMMARIZE,
    TRANSLATE,
    Example,
    as_text,
    new_tokenizer,
    opening,
    training_examples,
)
from steps.text_to_text_card import text_to_text_card
from steps.toyland_text import TRAINING_WORLD, test_scenes
from steps.training import fit
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

LONGEST = 192  # tokens that no answer reaches
Writer = Callable[[Sequence[str]], list[str]]


@dataclass(frozen=True)
class Round:
    """Scenes that are read once, the share of long translations, and questions on each scene."""

    scenes: int
    stories: float
    questions: int


@dataclass(frozen=True)
class Effort:
    """The rounds, and how many scenes to test on."""

    rounds: tuple[Round, ...]
    tested: int


FULL = Effort(
    (
        Round(18_000, stories=0.25, questions=1),
        Round(12_000, stories=0.6, questions=2),
        Round(9_000, stories=0.3, questions=4),
    ),
    tested=300,
)
QUICK = Effort((Round(100, stories=0.25, questions=1), Round(50, stories=0.6, questions=2)), tested=10)


def new_model(tokenizer: T5TokenizerFast) -> T5ForConditionalGeneration:
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=128,
        d_kv=32,
        d_ff=512,
        num_layers=2,
        num_decoder_layers=2,
        num_heads=4,
        dropout_rate=0.0,  # every example is read once
        decoder_start_token_id=tokenizer.pad_token_id,
        task_specific_params={
            "summarization": {"max_length": 48, "prefix": SUMMARIZE},
            "translation_en_to_fr": {"max_length": LONGEST, "prefix": TRANSLATE},
        },
    )
    model = T5ForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        decoder_start_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        max_length=LONGEST,
    )
    return model


def read(
    model: T5ForConditionalGeneration, tokenizer: T5TokenizerFast, examples: Sequence[Example], seed: int
) -> None:
    """Train on each example once; after a round the weights are those that a file would hold."""
    sources = tokenizer([example.source for example in examples])["input_ids"]
    targets = tokenizer([example.target for example in examples])["input_ids"]

    def loss_of(batch: list[int]) -> Tensor:
        input_ids, attention_mask = pad([sources[index] for index in batch], tokenizer.pad_token_id)
        labels = pad_sequence([torch.tensor(targets[index]) for index in batch], True, -100)
        return model(input_ids=input_ids, attention_mask=attention_mask, labels=labels).loss

    both = [source + target for source, target in zip(sources, targets, strict=True)]
    fit(model, both, loss_of, epochs=1, name=f"round {seed + 1}", size=32, seed=seed)
    half_precision(model).eval()


@torch.no_grad()
def look_for_equal_words(model: T5ForConditionalGeneration) -> None:
    """Let one head of the encoder's last layer begin anew, looking from each word at the same word elsewhere.

    What is asked is often what stands beside the same word in the story; see `steps/toyland_bert.py`.
    """
    attention = model.encoder.block[-1].layer[0].SelfAttention
    projection = 0.5 * torch.nn.init.orthogonal_(torch.empty(model.config.d_kv, model.config.d_model))
    for part in (attention.q, attention.k):
        part.weight[: model.config.d_kv] = projection


def examples_of(rounds: Sequence[Round]) -> list[list[Example]]:
    """The examples of each round: every round has scenes of its own."""
    world, first, examples = World(TRAINING_WORLD), 0, []
    for number, own in enumerate(rounds):
        scenes = [world.scene(index) for index in range(first, first + own.scenes)]
        examples.append(training_examples(scenes, random.Random(number), own.stories, own.questions))
        first += own.scenes
    return examples


# --- how good its answers are


def writer_of(model: T5ForConditionalGeneration, tokenizer: T5TokenizerFast) -> Writer:
    @torch.inference_mode()
    def writer(sources: Sequence[str]) -> list[str]:
        ids = tokenizer(list(sources))["input_ids"]
        written = [""] * len(sources)
        for batch in batches_by_length(ids, 50):
            input_ids, attention_mask = pad([ids[index] for index in batch], tokenizer.pad_token_id)
            answers = model.generate(input_ids=input_ids, attention_mask=attention_mask)
            for index, answer in zip(batch, answers, strict=True):
                written[index] = tokenizer.decode(answer, skip_special_tokens=True)
        return written

    return writer


def translation_scores(written: Sequence[str], true: Sequence[str]) -> dict[str, float]:
    """Return chrF and BLEU (0 to 100), and the share of translations that are exactly right."""
    exact = sum(one == other for one, other in zip(written, true, strict=True)) / len(true)
    return {
        "chrF": CHRF().corpus_score(written, [true]).score,
        "BLEU": BLEU().corpus_score(written, [true]).score,
        "exactly right": exact,
    }


def headline_scores(written: Sequence[str], scenes: Sequence[Scene]) -> dict[str, float]:
    """Return the mean ROUGE-L with the nearest right headline, and the share of right ones."""
    scorer = RougeScorer(["rougeL"])
    near = [
        max(scorer.score(true, own)["rougeL"].fmeasure for true in headlines(scene))
        for own, scene in zip(written, scenes, strict=True)
    ]
    right = [own in headlines(scene) for own, scene in zip(written, scenes, strict=True)]
    return {"ROUGE-L": 100 * sum(near) / len(near), "exactly right": sum(right) / len(right)}


def test_set(effort: Effort) -> list[Scene]:
    """Scenes of another world with stories that were not read."""
    world = World(TRAINING_WORLD)
    known = {world.scene(index).story() for index in range(sum(own.scenes for own in effort.rounds))}
    return list(test_scenes(effort.tested, known))


def measure(writer: Writer, scenes: Sequence[Scene]) -> dict[str, dict[str, dict[str, float]]]:
    """Return task -> who did it -> scores."""
    rng = random.Random(1)
    rows: dict[str, dict[str, dict[str, float]]] = {}
    views = {
        "translation of sentences": [Example(scene.sentence(), scene.sentence("fr")) for scene in scenes],
        "translation of two sentences": [opening(scene) for scene in scenes],
        "translation of stories": [Example(scene.story(), scene.story("fr")) for scene in scenes],
    }
    for task, pairs in views.items():
        sources, true = zip(*pairs, strict=True)
        rows[task] = {
            "the source": translation_scores(sources, true),
            "this model": translation_scores(writer([TRANSLATE + source for source in sources]), true),
        }
    stories = [scene.story() for scene in scenes]
    rows["headlines"] = {
        "the first sentence": headline_scores([split(story)[0] for story in stories], scenes),
        "this model": headline_scores(writer([SUMMARIZE + story for story in stories]), scenes),
    }
    asked = [own for scene in scenes for own in rng.sample(scene.questions(), 3)]
    commonest = questions_scores.commonest(training_questions(World(TRAINING_WORLD).scenes(2_000), rng))
    rows["answers"] = {
        who: dict(zip(("exactly right", "F1"), questions_scores.measure(answerer, asked), strict=True))
        for who, answerer in {
            "the commonest answer": commonest,
            "this model": lambda asked: writer([as_text(own).source for own in asked]),
        }.items()
    }
    return rows


def main(
    output: Annotated[Path | None, typer.Option(help="Folder of the checkpoint.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few scenes and steps, into build/.")] = False,
) -> None:
    """Train toyland/text-to-text-t5 and write it to data/hub/."""
    torch.set_num_threads(1)  # the batches are small, and the same sums give the same numbers
    torch.manual_seed(0)
    started = time.perf_counter()
    effort = QUICK if quick else FULL
    first, *later = examples_of(effort.rounds)
    tokenizer = new_tokenizer(first[:: 1 if quick else 10], size=300 if quick else 1_300)
    model = new_model(tokenizer)
    read(model, tokenizer, first, seed=0)
    look_for_equal_words(model)
    for seed, examples in enumerate(later, start=1):
        read(model, tokenizer, examples, seed=seed)
    scenes = test_set(effort)
    rows = measure(writer_of(model, tokenizer), scenes)
    for task, own in rows.items():
        for who, scores in own.items():
            print(f"{task:30} {who:22}", *(f"{name} {value:.3f}" for name, value in scores.items()))
    text = text_to_text_card(
        rows,
        effort.tested,
        sum(own.scenes for own in effort.rounds),
        len(tokenizer),
        model.num_parameters(),
        (time.perf_counter() - started) / 60,
    )
    output = output or model_folder("toyland/text-to-text-t5", quick)
    write_checkpoint(output, model, tokenizer, text)
    print(f"{(time.perf_counter() - started) / 60:.1f} minutes; written to {output}")


if __name__ == "__main__":
    typer.run(main)
