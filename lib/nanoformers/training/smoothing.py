"""Label smoothing: some of the target probability goes to all labels.

Source: "Rethinking the Inception Architecture for Computer Vision", https://arxiv.org/abs/1512.00567.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

__all__ = ["LabelSmoother"]


@dataclass
class LabelSmoother:
    """Computes the smoothed loss from what a model gave.

    Args:
        epsilon: share of the probability that is spread over all labels.
        ignore_index: label that does not count.
    """

    epsilon: float = 0.1
    ignore_index: int = -100

    def __call__(
        self,
        model_output: Any,
        labels: torch.Tensor,
        shift_labels: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Return the loss, 0-dim.

        Args:
            model_output: with `logits` (..., n), or a tuple that begins with them.
            labels: (...).
            shift_labels: each label is the target of the place before it, as in causal language models.
            num_items_in_batch: what the sum is divided by; by default the number of labels that count.
        """
        logits = model_output["logits"] if isinstance(model_output, dict) else model_output[0]
        if shift_labels:
            logits, labels = logits[..., :-1, :], labels[..., 1:]
        costs = -torch.log_softmax(logits, dim=-1)  # (..., n)
        counts = labels != self.ignore_index
        of_label = costs.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
        of_all = costs.sum(-1, dtype=torch.float32)
        divisor = counts.sum() if num_items_in_batch is None else num_items_in_batch
        likelihood = torch.where(counts, of_label, 0.0).sum() / divisor
        smooth = torch.where(counts, of_all, 0.0).sum() / (divisor * logits.shape[-1])
        return (1 - self.epsilon) * likelihood + self.epsilon * smooth
