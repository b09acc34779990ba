"""The training loop of the small recipes: AdamW, a rate that rises and falls once, batches by length."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from tqdm import tqdm

from steps.batches import shuffled_batches


def fit(
    model: nn.Module,
    ids: Sequence[Sequence[int]],
    loss_of: Callable[[list[int]], Tensor],
    *,
    epochs: int,
    name: str,
    size: int = 64,
    rate: float = 2e-3,
    seed: int = 0,
) -> None:
    """Train a model in place.

    Args:
        model: in training mode while it learns, in evaluation mode afterwards.
        ids: the token ids of each example, which say which examples are about equally long.
        loss_of: the mean loss of a batch, given the indices of its examples.
        epochs: how often every example is seen.
        name: shown beside the progress bar.
        size: examples of a batch.
        rate: the highest learning rate, reached after a tenth of the steps.
        seed: of the order of the examples.
    """
    rng = random.Random(seed)
    steps = epochs * len(shuffled_batches(ids, size, rng))
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=max(0.1, 3 / steps)
    )
    model.train()
    with tqdm(total=steps, desc=name, mininterval=2) as bar:
        for _ in range(epochs):
            for batch in shuffled_batches(ids, size, rng):
                loss = loss_of(batch)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                bar.update()
                if bar.n % 20 == 0:
                    bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    model.eval()
