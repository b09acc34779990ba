"""Losses of the heads, and the form in which they answer.

In the shapes, `b` is the batch, `s` the sequence.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ..configuration import PretrainedConfig
from ..outputs import ModelOutput

__all__ = ["answer", "classification_loss", "next_token_loss", "span_loss", "token_loss"]

Tensor = torch.Tensor


def token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of tokens: logits (b, s, n), labels (b, s), where -100 does not count."""
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.to(logits.device).reshape(-1))


def next_token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each token given those before it: logits (b, s, vocab), labels (b, s)."""
    return token_loss(logits[:, :-1], labels[:, 1:])


def classification_loss(logits: Tensor, labels: Tensor, config: PretrainedConfig) -> Tensor:
    """Loss of a classifier or regressor, for the problem that `config.problem_type` names.

    Without a name, it is a regression for one label, a choice among classes for whole-numbered labels, and
    several yes-or-no questions otherwise; the configuration remembers which.

    Args:
        logits: (b, num_labels).
        labels: (b,) numbers for "regression" (or (b, num_labels)) and classes for
            "single_label_classification", (b, num_labels) of 0.0 and 1.0 for "multi_label_classification".
        config: the model's.
    """
    labels = labels.to(logits.device)
    if config.problem_type is None:
        if config.num_labels == 1:
            config.problem_type = "regression"
        elif labels.dtype in (torch.long, torch.int):
            config.problem_type = "single_label_classification"
        else:
            config.problem_type = "multi_label_classification"
    if config.problem_type == "regression":
        if config.num_labels == 1:
            return F.mse_loss(logits.squeeze(), labels.squeeze())
        return F.mse_loss(logits, labels)
    if config.problem_type == "single_label_classification":
        return F.cross_entropy(logits.view(-1, config.num_labels), labels.view(-1))
    return F.binary_cross_entropy_with_logits(logits, labels)


def span_loss(
    start_logits: Tensor, end_logits: Tensor, start_positions: Tensor, end_positions: Tensor
) -> Tensor:
    """Mean cross-entropy of an answer's two ends: logits (b, s), positions (b,).

    A position beyond the sequence (the answer was truncated away) does not count.
    """
    length = start_logits.shape[1]

    def end_loss(logits: Tensor, positions: Tensor) -> Tensor:
        target = positions.to(logits.device).reshape(logits.shape[0]).clamp(0, length)
        return F.cross_entropy(logits, target, ignore_index=length)

    return (end_loss(start_logits, start_positions) + end_loss(end_logits, end_positions)) / 2


def answer(output: ModelOutput, return_dict: bool) -> Any:
    """Return an output as it is, or as the tuple of what is in it."""
    return output if return_dict else output.to_tuple()
