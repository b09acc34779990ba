"""Batches of token ids whose sentences are about equally long, so that little is spent on padding."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor


def batches_by_length(ids: Sequence[Sequence[int]], size: int) -> list[list[int]]:
    """Indices of all sentences, `size` a batch, from the shortest to the longest: for inference."""
    order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
    return [order[start : start + size] for start in range(0, len(order), size)]


def shuffled_batches(ids: Sequence[Sequence[int]], size: int, rng: random.Random) -> list[list[int]]:
    """Indices of all sentences in random batches: sorted by length only within pools of fifty batches."""
    order = list(range(len(ids)))
    rng.shuffle(order)
    batches = []
    for start in range(0, len(order), 50 * size):
        pool = sorted(order[start : start + 50 * size], key=lambda index: len(ids[index]))
        batches += [pool[first : first + size] for first in range(0, len(pool), size)]
    rng.shuffle(batches)
    return batches


def pad(ids: Sequence[Sequence[int]], pad_token_id: int) -> tuple[Tensor, Tensor]:
    """Input ids and attention mask, both (b, s) integers."""
    longest = max(len(sentence) for sentence in ids)
    input_ids = torch.full((len(ids), longest), pad_token_id)
    attention_mask = torch.zeros_like(input_ids)
    for row, sentence in enumerate(ids):
        input_ids[row, : len(sentence)] = torch.tensor(sentence)
        attention_mask[row, : len(sentence)] = 1
    return input_ids, attention_mask
