"""Byte-level tokens of stories, and the model of token pairs that every language model has to beat."""

from __future__ import annotations

import math
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from nanoformers import GPT2TokenizerFast
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

END = "<|endoftext|>"


def new_tokenizer(texts: Sequence[str], size: int, longest: int) -> GPT2TokenizerFast:
    """Byte-pair encoding as GPT-2 has it, learnt from `texts`; ready to generate (it pads on the left).

    Args:
        texts: what to learn from.
        size: tokens at most, the 256 bytes among them.
        longest: tokens of a sequence.
    """
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=20,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    with tempfile.TemporaryDirectory() as folder:
        backend.model.save(folder)
        return GPT2TokenizerFast(
            vocab_file=str(Path(folder) / "vocab.json"),
            merges_file=str(Path(folder) / "merges.txt"),
            pad_token=END,
            padding_side="left",
            model_max_length=longest,
        )


class Bigrams:
    """How often each token follows each other one, mixed with how often it occurs at all.

    Args:
        ids: token ids of texts, with the mark of the end on both sides.
        size: of the vocabulary.
    """

    def __init__(self, ids: Sequence[Sequence[int]], size: int) -> None:
        self.after: dict[int, Counter[int]] = defaultdict(Counter)
        for text in ids:
            for left, right in pairwise(text):
                self.after[left][right] += 1
        self.alone = Counter(token for text in ids for token in text[1:])
        self.total, self.size = self.alone.total(), size

    def probability(self, left: int, right: int) -> float:
        """P(right | left): 99 % of it by pairs, 1 % by single tokens, of which none is impossible."""
        following = self.after[left]
        by_pair = following[right] / max(1, following.total())
        return 0.99 * by_pair + 0.01 * (self.alone[right] + 1) / (self.total + self.size)

    def surprise(self, ids: Sequence[int]) -> float:
        """Sum of -log P of all tokens but the first, in nats."""
        return -sum(math.log(self.probability(left, right)) for left, right in pairwise(ids))

    def write(self, end: int, rng: random.Random, longest: int) -> list[int]:
        """Sample a text."""
        ids = [end]
        while len(ids) == 1 or (ids[-1] != end and len(ids) < longest):
            following = self.after[ids[-1]]
            ids += rng.choices(list(following), list(following.values()))
        return ids[1:]
