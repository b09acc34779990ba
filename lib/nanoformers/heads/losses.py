"""Losses of the heads, and the form in which they answer.

In the shapes, `b` is the batch, `s` the sequence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from ..configuration import PretrainedConfig
from ..nn.packing import Reading
from ..outputs import ModelOutput

__all__ = [
    "answer",
    "classification_loss",
    "labelled",
    "next_token_loss",
    "next_tokens",
    "scores_and_loss",
    "span_loss",
    "token_loss",
]

NO_LABEL = -100

Tensor = torch.Tensor


def token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of tokens: logits (b, s, n), labels (b, s), where -100 does not count."""
    logits, labels = logits.reshape(-1, logits.shape[-1]), labels.to(logits.device).reshape(-1)
    if labels.device.type == "cpu" and not torch.compiler.is_compiling():
        counted = (labels != NO_LABEL).nonzero()[:, 0]
        if len(counted) < 0.9 * len(labels):  # a softmax over the vocabulary costs more than a copy
            logits, labels = logits.index_select(0, counted), labels.index_select(0, counted)
    return F.cross_entropy(logits, labels)


def next_token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each token given those before it: logits (b, s, vocab), labels (b, s)."""
    return token_loss(logits[:, :-1], labels[:, 1:])


def labelled(labels: Tensor | None) -> Tensor | None:
    """Tell which places have a label: (b, s) -> (b, s) True or False; None without labels."""
    return None if labels is None else labels != NO_LABEL


def next_tokens(labels: Tensor | None) -> Tensor | None:
    """Give each place the label of the next one, and the last one none: (b, s) -> (b, s)."""
    return None if labels is None else F.pad(labels[:, 1:], (0, 1), value=NO_LABEL)


def scores_and_loss(
    score: Callable[[Tensor], Tensor], states: Tensor, labels: Tensor | None, read: Reading
) -> tuple[Tensor, Tensor | None]:
    """Score the tokens of a vocabulary at each place, and compare with the labels there, if there are any.

    Args:
        score: turns states (b, s, d) into logits (b, s, vocab_size).
        states: (b, s, d).
        labels: (b, s) the right token at each place; -100 does not count.
        read: the `reading` block in which the states came about: what was left out gets logits of 0.
    """
    if not read.packing or labels is None:
        logits = score(states)
        return logits, None if labels is None else token_loss(logits, labels)
    logits = score(read.packing.pack(states))  # (1, n, vocab_size)
    return read.packing.unpack(logits), token_loss(logits, read.packing.pack(labels[..., None]))


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
