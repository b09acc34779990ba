"""Rebuild `toyland/stories-gpt2`: a GPT-2 of less than a million weights that writes stories of Toyland.

    python data/recipes/stories_gpt2.py            # everything, about ten minutes on one core
    python data/recipes/stories_gpt2.py --quick    # a few steps into build/, to see that it runs

It has its own byte-level tokens and reads 20,000 stories in two rounds. What it writes is judged by the
grammar of the world: which share of its sentences does Toyland accept, and which share of its stories, where
everybody must be introduced, pronouns be clear and feelings follow from deeds? Its perplexity on stories of
another world stands beside that of a model of token pairs.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from classroom.toyland import World, accepts, accepts_story
from classroom.toyland.grammar import split
from classroom.toyland.lexicon import CHARACTERS, TIMES
from nanoformers import GenerationConfig, GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast
from steps.batches import batches_by_length
from steps.publishing import half_precision, model_folder, write_checkpoint
from steps.stories_card import stories_card
from steps.stories_tokens import Bigrams, new_tokenizer
from steps.toyland_text import TRAINING_WORLD, test_scenes
from steps.training import fit
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

LONGEST = 256  # tokens that the model can read
STORY = 160  # tokens that no story reaches


@dataclass(frozen=True)
class Effort:
    """How many scenes to read, how often, in how many rounds; how many stories to test on and to write."""

    scenes: int
    epochs: int
    rounds: int
    tested: int
    written: int


FULL = Effort(scenes=10_000, epochs=4, rounds=2, tested=1_000, written=400)
QUICK = Effort(scenes=200, epochs=1, rounds=2, tested=20, written=8)


def new_model(tokenizer: GPT2TokenizerFast) -> GPT2LMHeadModel:
    end = tokenizer.eos_token_id
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=LONGEST,
        n_embd=128,
        n_layer=3,
        n_head=4,
        resid_pdrop=0.0,  # no story is read often enough to be learnt by heart
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=end,
        eos_token_id=end,
        task_specific_params={"text-generation": {"do_sample": True, "max_length": STORY}},
    )
    model = GPT2LMHeadModel(config)
    model.generation_config = GenerationConfig(
        bos_token_id=end, eos_token_id=end, pad_token_id=end, max_length=STORY
    )
    return model


def stories_of(effort: Effort) -> list[list[str]]:
    """The stories of each round: every round has scenes of its own."""
    world, scenes = World(TRAINING_WORLD), effort.scenes
    firsts = range(0, effort.rounds * scenes, scenes)
    return [[world.scene(index).story() for index in range(first, first + scenes)] for first in firsts]


def with_ends(tokenizer: GPT2TokenizerFast, stories: Sequence[str]) -> list[list[int]]:
    """The token ids of stories, with the mark of the end on both sides."""
    end = tokenizer.eos_token_id
    return [[end, *own, end] for own in tokenizer(list(stories))["input_ids"]]


def train(model: GPT2LMHeadModel, ids: Sequence[Sequence[int]], epochs: int, seed: int) -> None:
    """Read stories; half of them without the mark before them, as a prompt has none.

    Args:
        model: trained in place.
        ids: of the stories, with the mark of the end on both sides.
        epochs: how often each story is read.
        seed: of the order of the stories.
    """
    rng = random.Random(seed)

    def loss_of(batch: list[int]) -> Tensor:
        texts = [torch.tensor(ids[index][rng.randrange(2) :]) for index in batch]
        input_ids = pad_sequence(texts, True, 0)
        labels = pad_sequence(texts, True, -100)
        return model(input_ids=input_ids, labels=labels).loss  # padding stands last: nothing looks at it

    fit(model, ids, loss_of, epochs=epochs, name=f"round {seed + 1}", size=32, seed=seed)
    half_precision(model).eval()


# --- how good its stories are


@torch.inference_mode()
def write(
    model: GPT2LMHeadModel, tokenizer: GPT2TokenizerFast, prompts: Sequence[str], **settings: object
) -> list[str]:
    """Go on from each prompt, 50 at a time.

    Args:
        model: which writes.
        tokenizer: which pads on the left.
        prompts: beginnings of stories.
        settings: of `generate`.
    """
    stories = []
    for start in range(0, len(prompts), 50):
        encoded = tokenizer(list(prompts[start : start + 50]), return_tensors="pt", padding=True)
        written = model.generate(**encoded, **settings)
        stories += tokenizer.batch_decode(written, skip_special_tokens=True)
    return stories


def accepted(stories: Sequence[str]) -> tuple[float, float]:
    """Share of sentences, and of whole stories, that the grammar of Toyland accepts."""
    sentences = [sentence for story in stories for sentence in split(story)]
    return sum(map(accepts, sentences)) / len(sentences), sum(map(accepts_story, stories)) / len(stories)


@torch.inference_mode()
def perplexity(model: GPT2LMHeadModel, ids: Sequence[Sequence[int]]) -> float:
    """Perplexity of texts with the mark of the end on both sides; the first mark is given."""
    surprise, tokens = 0.0, 0
    for batch in batches_by_length(ids, 64):
        texts = [torch.tensor(ids[index]) for index in batch]
        labels = pad_sequence(texts, True, -100)
        counted = int((labels[:, 1:] != -100).sum())
        surprise += model(input_ids=pad_sequence(texts, True, 0), labels=labels).loss.item() * counted
        tokens += counted
    return math.exp(surprise / tokens)


def measure(
    model: GPT2LMHeadModel, tokenizer: GPT2TokenizerFast, rounds: Sequence[Sequence[str]], effort: Effort
) -> tuple[dict[str, tuple[float, float]], dict[str, float], list[str]]:
    """Shares of accepted sentences and stories by way of writing, perplexities, and some greedy stories."""
    texts = [text for own in rounds for text in own]
    bigrams = Bigrams(with_ends(tokenizer, texts), len(tokenizer))
    end, written = tokenizer.eos_token_id, effort.written
    stories = [scene.story() for scene in test_scenes(effort.tested, set(texts))]
    ids = with_ends(tokenizer, stories)
    perplexities = {
        "token pairs": math.exp(sum(map(bigrams.surprise, ids)) / sum(len(own) - 1 for own in ids)),
        "this model": perplexity(model, ids),
    }
    rng = random.Random(0)
    by_pairs = [tokenizer.decode(bigrams.write(end, rng, STORY)[:-1]) for _ in range(written)]
    first_words = [story.split(" ", 1)[0] for story in stories[:written]]
    openings = [f"One {time.en}, {character.name}" for time in TIMES for character in CHARACTERS][:written]
    greedy = write(model, tokenizer, openings)
    rows = {
        "token pairs, sampled": accepted(by_pairs),
        "this model, sampled": accepted(write(model, tokenizer, first_words, do_sample=True, top_k=0)),
        "this model, sampled, temperature 0.7": accepted(
            write(model, tokenizer, first_words, do_sample=True, top_k=0, temperature=0.7)
        ),
        "this model, greedy": accepted(greedy),
    }
    return rows, perplexities, greedy


def main(
    output: Annotated[Path | None, typer.Option(help="Folder of the checkpoint.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few scenes and steps, into build/.")] = False,
) -> None:
    """Train toyland/stories-gpt2 and write it to data/hub/."""
    torch.set_num_threads(1)  # the batches are small, and the same sums give the same numbers
    torch.manual_seed(0)
    started = time.perf_counter()
    effort = QUICK if quick else FULL
    rounds = stories_of(effort)
    tokenizer = new_tokenizer(rounds[0], size=1_200, longest=LONGEST)
    model = new_model(tokenizer)
    for number, texts in enumerate(rounds):
        train(model, with_ends(tokenizer, texts), effort.epochs, seed=number)
    rows, perplexities, greedy = measure(model, tokenizer, rounds, effort)
    for name, (sentences, stories) in rows.items():
        print(f"{name:40} accepted: sentences {sentences:6.1%}   stories {stories:6.1%}")
    print("perplexity:", ", ".join(f"{name} {value:.2f}" for name, value in perplexities.items()))
    print("\n".join(greedy[:: max(1, len(greedy) // 4)]))
    text = stories_card(
        rows,
        perplexities,
        greedy[1],  # Mila's morning
        effort.written,
        effort.rounds * effort.scenes,
        len(tokenizer),
        model.num_parameters(),
        (time.perf_counter() - started) / 60,
    )
    output = output or model_folder("toyland/stories-gpt2", quick)
    write_checkpoint(output, model, tokenizer, text)
    print(f"{(time.perf_counter() - started) / 60:.1f} minutes; written to {output}")


if __name__ == "__main__":
    typer.run(main)
