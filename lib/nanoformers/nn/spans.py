"""Layers that find an answer's span in a text, its end given its start, as XLNet and XLM do.

XLNet: https://arxiv.org/abs/1906.08237. Shapes: `b` batch, `s` sequence, `d` width, `n` starts that are
followed, `m` ends for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ..outputs import ModelOutput

__all__ = ["PoolerAnswerClass", "PoolerEndLogits", "PoolerStartLogits", "SQuADHead", "SquadHeadOutput"]


@dataclass
class SquadHeadOutput(ModelOutput):
    """What `SQuADHead` finds.

    Attributes:
        loss: (), when start and end are given; nothing else is, then.
        start_top_log_probs: (b, n), probabilities of the best starts.
        start_top_index: (b, n), their places.
        end_top_log_probs: (b, m * n), probabilities of the best ends of each start, best ends first.
        end_top_index: (b, m * n), their places.
        cls_logits: (b,), score of "there is no answer".
    """

    loss: torch.Tensor | None = None
    start_top_log_probs: torch.Tensor | None = None
    start_top_index: torch.Tensor | None = None
    end_top_log_probs: torch.Tensor | None = None
    end_top_index: torch.Tensor | None = None
    cls_logits: torch.Tensor | None = None


def _state_at(hidden_states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Return the states (b, d) at places (b,)."""
    return hidden_states[torch.arange(len(places), device=places.device), places]


def _hide(scores: torch.Tensor, p_mask: torch.Tensor | None) -> torch.Tensor:
    """Make the scores where `p_mask` is 1 so low that they never win."""
    if p_mask is None:
        return scores
    low = -65500.0 if p_mask.dtype == torch.float16 else -1e30
    return scores * (1 - p_mask) + low * p_mask


class PoolerStartLogits(nn.Module):
    """Scores each place as the start of the answer.

    Args:
        config: has `hidden_size`.
    """

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, 1)

    def forward(self, hidden_states: torch.Tensor, p_mask: torch.Tensor | None = None) -> torch.Tensor:
        """Return scores (b, s).

        Args:
            hidden_states: (b, s, d).
            p_mask: (b, s), 1.0 where no answer can be: the question, special tokens, padding.
        """
        return _hide(self.dense(hidden_states).squeeze(-1), p_mask)


class PoolerEndLogits(nn.Module):
    """Scores each place as the end of an answer whose start is known.

    Args:
        config: has `hidden_size` and `layer_norm_eps`.
    """

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense_0 = nn.Linear(2 * config.hidden_size, config.hidden_size)
        self.activation = nn.Tanh()
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dense_1 = nn.Linear(config.hidden_size, 1)

    def forward(
        self,
        hidden_states: torch.Tensor,
        start_states: torch.Tensor | None = None,
        start_positions: torch.Tensor | None = None,
        p_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return scores (b, s), or of any shape (..., d) of states without the last dimension.

        Args:
            hidden_states: (b, s, d).
            start_states: the states at the start, in the shape of `hidden_states`.
            start_positions: (b,), the start's place; comes before `start_states`.
            p_mask: as for `PoolerStartLogits`.

        Raises:
            ValueError: neither `start_states` nor `start_positions` is given.
        """
        if start_positions is not None:
            start_states = _state_at(hidden_states, start_positions)[:, None].expand_as(hidden_states)
        if start_states is None:
            raise ValueError("One of start_states, start_positions should be not None")
        x = self.activation(self.dense_0(torch.cat([hidden_states, start_states], dim=-1)))
        return _hide(self.dense_1(self.LayerNorm(x)).squeeze(-1), p_mask)


class PoolerAnswerClass(nn.Module):
    """Scores whether there is no answer, from the states of the start and of the classification token.

    Args:
        config: has `hidden_size`.
    """

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense_0 = nn.Linear(2 * config.hidden_size, config.hidden_size)
        self.activation = nn.Tanh()
        self.dense_1 = nn.Linear(config.hidden_size, 1, bias=False)

    def forward(
        self,
        hidden_states: torch.Tensor,
        start_states: torch.Tensor | None = None,
        start_positions: torch.Tensor | None = None,
        cls_index: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return scores (b,).

        Args:
            hidden_states: (b, s, d).
            start_states: (b, d), the states at the start.
            start_positions: (b,), the start's place; comes before `start_states`.
            cls_index: (b,), place of the classification token; by default the last.

        Raises:
            ValueError: neither `start_states` nor `start_positions` is given.
        """
        if start_positions is not None:
            start_states = _state_at(hidden_states, start_positions)
        if start_states is None:
            raise ValueError("One of start_states, start_positions should be not None")
        token = hidden_states[:, -1] if cls_index is None else _state_at(hidden_states, cls_index)
        x = self.activation(self.dense_0(torch.cat([start_states, token], dim=-1)))
        return self.dense_1(x).squeeze(-1)


class SQuADHead(nn.Module):
    """Finds the span of an answer: the best starts, and for each of them the best ends.

    Args:
        config: has `hidden_size`, `layer_norm_eps`, `start_n_top` (n) and `end_n_top` (m).
    """

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.start_n_top = config.start_n_top
        self.end_n_top = config.end_n_top
        self.start_logits = PoolerStartLogits(config)
        self.end_logits = PoolerEndLogits(config)
        self.answer_class = PoolerAnswerClass(config)

    def forward(
        self,
        hidden_states: torch.Tensor,
        start_positions: torch.Tensor | None = None,
        end_positions: torch.Tensor | None = None,
        cls_index: torch.Tensor | None = None,
        is_impossible: torch.Tensor | None = None,
        p_mask: torch.Tensor | None = None,
        return_dict: bool = False,
    ) -> SquadHeadOutput | tuple[torch.Tensor, ...]:
        """Return the loss when start and end are given, and spans otherwise.

        Args:
            hidden_states: (b, s, d).
            start_positions: (b,) or (b, 1), the right starts.
            end_positions: (b,) or (b, 1), the right ends.
            cls_index: (b,), place of the classification token; by default the last.
            is_impossible: (b,), 1.0 where there is no answer; half of its loss is added.
            p_mask: (b, s), 1.0 where no answer can be.
            return_dict: a `SquadHeadOutput`, or else a tuple.
        """
        cls_index, is_impossible = _flat(cls_index), _flat(is_impossible)
        if start_positions is not None and end_positions is not None:
            loss = self._loss(
                hidden_states,
                start_positions.view(-1),
                end_positions.view(-1),
                cls_index,
                is_impossible,
                p_mask,
            )
            found = SquadHeadOutput(loss=loss)
        else:
            found = self._spans(hidden_states, cls_index, p_mask)
        return found if return_dict else found.to_tuple()

    def _loss(
        self,
        hidden_states: torch.Tensor,
        starts: torch.Tensor,
        ends: torch.Tensor,
        cls_index: torch.Tensor | None,
        is_impossible: torch.Tensor | None,
        p_mask: torch.Tensor | None,
    ) -> torch.Tensor:
        start_logits = self.start_logits(hidden_states, p_mask=p_mask)
        end_logits = self.end_logits(hidden_states, start_positions=starts, p_mask=p_mask)
        loss = functional.cross_entropy(start_logits, starts) + functional.cross_entropy(end_logits, ends)
        loss = loss / 2
        if cls_index is not None and is_impossible is not None:
            scores = self.answer_class(hidden_states, start_positions=starts, cls_index=cls_index)
            loss = loss + 0.5 * functional.binary_cross_entropy_with_logits(
                scores, is_impossible.to(scores.dtype)
            )
        return loss

    def _spans(
        self, hidden_states: torch.Tensor, cls_index: torch.Tensor | None, p_mask: torch.Tensor | None
    ) -> SquadHeadOutput:
        length, width = hidden_states.shape[1:]
        start_probs = self.start_logits(hidden_states, p_mask=p_mask).softmax(dim=-1)  # (b, s)
        top_starts, start_index = start_probs.topk(self.start_n_top, dim=-1)  # (b, n)
        start_states = hidden_states.gather(1, start_index[..., None].expand(-1, -1, width))  # (b, n, d)
        start_states = start_states[:, None].expand(-1, length, -1, -1)  # (b, s, n, d)
        end_logits = self.end_logits(
            hidden_states[:, :, None].expand_as(start_states),
            start_states=start_states,
            p_mask=p_mask[..., None] if p_mask is not None else None,
        )  # (b, s, n)
        top_ends, end_index = end_logits.softmax(dim=1).topk(self.end_n_top, dim=1)  # (b, m, n)
        expected_start = torch.einsum("bsd,bs->bd", hidden_states, start_probs)
        return SquadHeadOutput(
            start_top_log_probs=top_starts,
            start_top_index=start_index,
            end_top_log_probs=top_ends.flatten(1),
            end_top_index=end_index.flatten(1),
            cls_logits=self.answer_class(hidden_states, start_states=expected_start, cls_index=cls_index),
        )


def _flat(value: torch.Tensor | None) -> torch.Tensor | None:
    """Return (b,) of (b,) or (b, 1)."""
    return None if value is None else value.view(-1)
