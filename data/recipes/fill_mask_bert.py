"""Rebuild `toyland/fill-mask-bert`: a masked-language BERT of half a million weights that has read Toyland.

    python data/recipes/fill_mask_bert.py            # everything, about five minutes on one core
    python data/recipes/fill_mask_bert.py --quick    # a few steps into build/, to see that it runs

It learns from stories, sentences and captions of 10,000 scenes: 15 % of the words are hidden, and it guesses
them from both sides. Its guesses on stories of another world are compared with those of a unigram model (the
commonest words) and of a bigram model (the words that were seen between the two neighbours).
"""

from __future__ import annotations

import random
import re
import string
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import torch
import typer
from classroom.toyland import Scene, World
from nanoformers import BertConfig, BertForMaskedLM, BertTokenizerFast
from steps.batches import pad, shuffled_batches
from steps.fill_mask_card import card
from steps.publishing import half_precision, model_folder, write_checkpoint
from torch import Tensor, nn
from tqdm import tqdm

TRAINING_WORLD, TEST_WORLD = 0, 1
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@dataclass(frozen=True)
class Effort:
    """How many scenes to read, how often, and how many stories to test on."""

    scenes: int
    epochs: int
    tested: int


FULL = Effort(scenes=10_000, epochs=4, tested=1_000)
QUICK = Effort(scenes=300, epochs=1, tested=30)


def texts_of(scenes: Sequence[Scene]) -> list[str]:
    return [text for scene in scenes for text in (scene.story(), scene.sentence(), scene.caption())]


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.lower())


def new_tokenizer(texts: Sequence[str]) -> BertTokenizerFast:
    """Every word of Toyland is one piece; letters, digits and signs spell whatever else a reader types."""
    counts = Counter(word for text in texts for word in words_of(text))
    signs = string.ascii_lowercase + string.digits + string.punctuation
    pieces = [*signs, *(f"##{sign}" for sign in string.ascii_lowercase + string.digits)]
    pieces += sorted(set(counts) - set(pieces), key=lambda word: (-counts[word], word))
    with tempfile.TemporaryDirectory() as folder:
        vocab = Path(folder) / "vocab.txt"
        vocab.write_text("".join(piece + "\n" for piece in SPECIAL + pieces), encoding="utf-8")
        return BertTokenizerFast(vocab_file=vocab, model_max_length=512)


def hide(input_ids: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Hide 15 % of the words: of these 80 % behind `[MASK]`, 10 % behind another word, 10 % stay visible.

    Args:
        input_ids: (b, s) ids.
        size: of the vocabulary.

    Returns:
        The altered ids, and labels, which are -100 where nothing is to be guessed; both (b, s).
    """
    hidden = (torch.rand(input_ids.shape) < 0.15) & (input_ids >= len(SPECIAL))
    labels = input_ids.masked_fill(~hidden, -100)
    luck = torch.rand(input_ids.shape)
    altered = input_ids.masked_fill(hidden & (luck < 0.8), SPECIAL.index("[MASK]"))
    random_ids = torch.randint(len(SPECIAL), size, input_ids.shape)
    return torch.where(hidden & (luck >= 0.9), random_ids, altered), labels


def train(tokenizer: BertTokenizerFast, texts: Sequence[str], epochs: int) -> BertForMaskedLM:
    model = BertForMaskedLM(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=512,
            max_position_embeddings=512,
        )
    )
    with torch.no_grad():
        model.bert.embeddings.position_embeddings.weight.zero_()  # places never reached stay neutral
    ids = tokenizer(list(texts))["input_ids"]
    rng = random.Random(0)
    steps = epochs * len(shuffled_batches(ids, 64, rng))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.1)
    model.train()
    with tqdm(total=steps, desc="reading", mininterval=2) as bar:
        for _ in range(epochs):
            for batch in shuffled_batches(ids, 64, rng):
                input_ids, attention_mask = pad([ids[index] for index in batch], pad_token_id=0)
                input_ids, labels = hide(input_ids, len(tokenizer))
                loss = model(input_ids=input_ids, attention_mask=attention_mask, labels=labels).loss
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                bar.update()
                if bar.n % 20 == 0:
                    bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    return half_precision(model).eval()


# --- how good its guesses are --------------------------------------------------------------------------


def gaps(stories: Sequence[str], rng: random.Random) -> Iterator[tuple[list[str], int]]:
    """Three places of each story where a word is to be guessed: the story's words, and the place."""
    for story in stories:
        words = words_of(story)
        places = [place for place, word in enumerate(words) if word.isalpha()]
        for place in sorted(rng.sample(places, 3)):
            yield words, place


class Neighbours:
    """Counting models: the commonest words, and the words seen between two neighbours."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.unigrams: Counter[str] = Counter()
        self.after: dict[str, Counter[str]] = defaultdict(Counter)
        for text in texts:
            words = ["", *words_of(text), ""]
            self.unigrams.update(word for word in words if word.isalpha())
            for left, right in pairwise(words):
                self.after[left][right] += 1
        self.common = [word for word, _ in self.unigrams.most_common(5)]

    def between(self, left: str, right: str) -> list[str]:
        """The five words with the greatest P(word | left) P(right | word)."""
        seen = {word: count for word, count in self.after[left].items() if word.isalpha()}
        worth = {
            word: count * (self.after[word][right] + 0.01) / self.unigrams[word]
            for word, count in seen.items()
        }
        return sorted(worth, key=worth.__getitem__, reverse=True)[:5]


@torch.inference_mode()
def guesses(model: BertForMaskedLM, tokenizer: BertTokenizerFast, words: list[str], place: int) -> list[str]:
    """The model's five best words for one place of a text."""
    shown = " ".join([*words[:place], tokenizer.mask_token, *words[place + 1 :]])
    encoded = tokenizer(shown, return_tensors="pt")
    where = encoded["input_ids"][0].tolist().index(tokenizer.mask_token_id)
    return tokenizer.convert_ids_to_tokens(model(**encoded).logits[0, where].topk(5).indices.tolist())


def measure(
    model: BertForMaskedLM, tokenizer: BertTokenizerFast, texts: Sequence[str], tested: int
) -> tuple[dict[str, tuple[float, float]], int]:
    """Top-1 and top-5 accuracy of the three models on stories that were not read, and the number of gaps."""
    read = set(texts)
    stories = [story for scene in World(TEST_WORLD).scenes(tested) if (story := scene.story()) not in read]
    neighbours = Neighbours(texts)
    hits: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for words, place in gaps(stories, random.Random(0)):
        around = ["", *words, ""]
        answers = {
            "the commonest words (unigrams)": neighbours.common,
            "words seen between the neighbours (bigrams)": neighbours.between(
                around[place], around[place + 2]
            ),
            "this model": guesses(model, tokenizer, words, place),
        }
        for name, best in answers.items():
            hits[name].append((words[place] == best[0] if best else False, words[place] in best))
    number = len(hits["this model"])
    return {
        name: tuple(sum(column) / number for column in zip(*own, strict=True)) for name, own in hits.items()
    }, number


def main(
    output: Annotated[Path | None, typer.Option(help="Folder of the checkpoint.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few scenes and steps, into build/.")] = False,
) -> None:
    """Train toyland/fill-mask-bert and write it to data/hub/."""
    torch.set_num_threads(1)  # the batches are small, and the same sums give the same numbers
    torch.manual_seed(0)
    started = time.perf_counter()
    effort = QUICK if quick else FULL
    texts = texts_of(World(TRAINING_WORLD).scenes(effort.scenes))
    tokenizer = new_tokenizer(texts)
    model = train(tokenizer, texts, effort.epochs)
    rows, number = measure(model, tokenizer, texts, effort.tested)
    for name, (first, five) in rows.items():
        print(f"{name:45} top-1 {first:6.1%}   top-5 {five:6.1%}")
    text = card(
        rows=rows,
        number=number,
        scenes=effort.scenes,
        words=len(tokenizer),
        parameters=model.num_parameters(),
        minutes=(time.perf_counter() - started) / 60,
    )
    output = output or model_folder("toyland/fill-mask-bert", quick)
    write_checkpoint(output, model, tokenizer, text)
    print(f"{(time.perf_counter() - started) / 60:.1f} minutes; written to {output}")


if __name__ == "__main__":
    typer.run(main)
