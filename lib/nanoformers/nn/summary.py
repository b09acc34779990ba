"""One vector for a whole sequence, as a configuration's `summary_...` attributes say."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .activations import get_activation

__all__ = ["SequenceSummary"]

SUMMARY_TYPES = ("last", "first", "mean", "cls_index")


class SequenceSummary(nn.Module):
    """Takes one state of a sequence (or their mean), and perhaps projects it.

    Args:
        config: has `hidden_size`, `num_labels`, and, each optional:
            `summary_type`: "last" (the default), "first", "mean", or "cls_index" (the place is given with the
            states);
            `summary_use_proj`: whether a linear layer follows;
            `summary_proj_to_labels`: whether it gives `num_labels` numbers, or else `hidden_size`;
            `summary_activation`: the activation after it;
            `summary_first_dropout`, `summary_last_dropout`: before and after.

    Raises:
        NotImplementedError: `summary_type` is "attn", which no model has.
        ValueError: `summary_type` is unknown.
    """

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.summary_type = getattr(config, "summary_type", "last")
        if self.summary_type not in SUMMARY_TYPES:
            error = NotImplementedError if self.summary_type == "attn" else ValueError
            raise error(
                f"summary_type={self.summary_type!r} does not exist; there are {', '.join(SUMMARY_TYPES)}."
            )
        self.summary: nn.Module = nn.Identity()
        if getattr(config, "summary_use_proj", False):
            to_labels = getattr(config, "summary_proj_to_labels", False) and config.num_labels > 0
            self.summary = nn.Linear(
                config.hidden_size, config.num_labels if to_labels else config.hidden_size
            )
        self.activation = get_activation(getattr(config, "summary_activation", None) or "linear")
        self.first_dropout = nn.Dropout(getattr(config, "summary_first_dropout", 0.0))
        self.last_dropout = nn.Dropout(getattr(config, "summary_last_dropout", 0.0))

    def forward(self, hidden_states: torch.Tensor, cls_index: torch.Tensor | None = None) -> torch.Tensor:
        """Summarise.

        Args:
            hidden_states: (b, s, d), or with more dimensions before s, (b, ..., s, d).
            cls_index: (b, ...) places for "cls_index"; by default the last.

        Returns:
            (b, ..., d), or with `num_labels` (or nothing changed) in place of d.
        """
        if self.summary_type == "first":
            summary = hidden_states[..., 0, :]
        elif self.summary_type == "mean":
            summary = hidden_states.mean(-2)
        elif self.summary_type == "last" or cls_index is None:
            summary = hidden_states[..., -1, :]
        else:
            index = cls_index[..., None, None].expand(*cls_index.shape, 1, hidden_states.shape[-1])
            summary = hidden_states.gather(-2, index).squeeze(-2)
        return self.last_dropout(self.activation(self.summary(self.first_dropout(summary))))
