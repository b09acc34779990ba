"""Where a token stands, told to a model: vectors to add, factors to rotate by, biases of scores."""

from __future__ import annotations

import math

import torch
from torch import nn

__all__ = ["RelativePositionBias", "relative_position_bucket", "sinusoidal_positions"]


def sinusoidal_positions(num_positions: int, width: int) -> torch.Tensor:
    """Return a fixed vector for each place ("Attention Is All You Need", https://arxiv.org/abs/1706.03762).

    Components come in pairs, sine and cosine of the place times a frequency; frequencies fall from 1 to
    1/10000 along the width.

    Args:
        num_positions: how many places.
        width: components of a vector.

    Returns:
        (num_positions, width), float32.
    """
    component = torch.arange(width)
    frequency = 10000.0 ** (-2.0 * (component // 2).double() / width)  # (width,)
    angle = torch.arange(num_positions).double()[:, None] * frequency  # (num_positions, width)
    return torch.where(component % 2 == 0, angle.sin(), angle.cos()).float()


def relative_position_bucket(
    relative_position: torch.Tensor,
    bidirectional: bool = True,
    num_buckets: int = 32,
    max_distance: int = 128,
) -> torch.Tensor:
    """Put distances into buckets that are exact near by and ever wider far away.

    Half of the buckets hold one distance each; the others divide what is left, up to `max_distance`,
    logarithmically, and all that is farther is in the last (T5, https://arxiv.org/abs/1910.10683, section
    2.1).

    Args:
        relative_position: place of the key minus place of the query; any shape, integers.
        bidirectional: half of the buckets are for keys after the query; else those count as distance 0.
        num_buckets: how many buckets.
        max_distance: from here on, distances are not told apart.

    Returns:
        Bucket numbers from 0 to `num_buckets` - 1, int64, of the same shape.
    """
    if bidirectional:
        num_buckets //= 2
        first = (relative_position > 0).long() * num_buckets
        distance = relative_position.abs()
    else:
        first = torch.zeros_like(relative_position, dtype=torch.long)
        distance = (-relative_position).clamp(min=0)
    exact = num_buckets // 2
    share = torch.log(distance.clamp(min=exact).float() / exact) / math.log(max_distance / exact)
    far = (exact + (share * (num_buckets - exact)).long()).clamp(max=num_buckets - 1)
    return first + torch.where(distance < exact, distance, far)


class RelativePositionBias(nn.Embedding):
    """A learned number for each head and each bucket of distances, added to attention scores (T5).

    Its `weight` (num_buckets, nh) is what checkpoints keep as `relative_attention_bias.weight`.

    Args:
        num_buckets: how many buckets, see `relative_position_bucket`.
        num_heads: heads.
        bidirectional: whether keys after the query have buckets of their own.
        max_distance: from here on, distances are not told apart.

    Raises:
        ValueError: there are too few buckets, or `max_distance` is not beyond the exact ones.
    """

    def __init__(
        self, num_buckets: int, num_heads: int, *, bidirectional: bool = True, max_distance: int = 128
    ) -> None:
        exact = num_buckets // (4 if bidirectional else 2)
        if exact < 1 or max_distance <= exact:
            raise ValueError(
                f"{num_buckets} buckets for distances up to {max_distance}: there have to be at least "
                f"{4 if bidirectional else 2} buckets, and a distance greater than {exact}, up to which each "
                "has a bucket of its own."
            )
        super().__init__(num_buckets, num_heads)
        self.bidirectional = bidirectional
        self.max_distance = max_distance

    def forward(self, num_queries: int, num_keys: int) -> torch.Tensor:  # type: ignore[override]
        """Return what is added to the scores of queries and keys, (1, nh, q, k).

        The last query stands at the last key: `num_keys - num_queries` keys came before the first. Only
        `q + k - 1` distances occur, so only as many are looked up.
        """
        distances = torch.arange(1 - num_keys, num_queries, device=self.weight.device)
        buckets = relative_position_bucket(
            distances, self.bidirectional, self.num_embeddings, self.max_distance
        )
        by_distance = super().forward(buckets).T  # (nh, q + k - 1)
        if num_queries == 1:
            return by_distance[None, :, None, :]
        # the last query's row begins at the first distance, the row before it one later, and so on
        return by_distance.unfold(1, num_keys, 1).flip(1)[None]
