"""`DataCollatorForPermutationLanguageModeling`: spans to predict, and an order of prediction, for XLNet.

The paper is "XLNet: Generalized Autoregressive Pretraining" (https://arxiv.org/abs/1906.08237), section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ...tokenization import PreTrainedTokenizerBase
from .mixin import DataCollatorMixin
from .padding import stack_ids, to_framework

__all__ = ["DataCollatorForPermutationLanguageModeling"]


@dataclass
class DataCollatorForPermutationLanguageModeling(DataCollatorMixin):
    """Chooses spans of tokens to predict, and draws the order in which they are.

    Along each row, a span of 1 to `max_span_length` tokens is chosen in a context that is
    1 / `plm_probability` times as long; then the next context begins.

    Args:
        tokenizer: gives padding and mask tokens.
        plm_probability: the share of each context that is predicted.
        max_span_length: the longest span.
        return_tensors: "pt" or "np".
    """

    tokenizer: PreTrainedTokenizerBase
    plm_probability: float = 1 / 6
    max_span_length: int = 5
    return_tensors: str = "pt"

    def torch_call(self, features: list[Any]) -> dict[str, Any]:
        """Return torch tensors; see `torch_mask_tokens`. `features` are {name: ids}, or rows of ids."""
        ids = stack_ids(_rows(features), self.tokenizer, None, "pt")
        return _named(self.torch_mask_tokens(ids))

    def numpy_call(self, features: list[Any]) -> dict[str, Any]:
        """Return numpy arrays; see `torch_mask_tokens`. `features` are {name: ids}, or rows of ids."""
        ids = stack_ids(_rows(features), self.tokenizer, None, "np")
        return _named(self.numpy_mask_tokens(ids))

    def torch_mask_tokens(self, inputs: torch.Tensor) -> tuple[Any, Any, Any, Any]:
        """Return masked inputs, the order, the targets and labels; draws from torch's global generator.

        Args:
            inputs: ids (batch, length), with an even length.

        Returns:
            `input_ids` (batch, length) with mask tokens in the spans; `perm_mask` (batch, length, length),
            1 where a row's token may not look at a column's; `target_mapping` (batch, length, length), the
            identity; `labels` (batch, length), -100 outside the spans.

        Raises:
            ValueError: there is no mask token, or the length is odd.
        """
        arrays = self._mask(
            inputs.numpy(),
            lambda low, high: int(torch.randint(low, high, (1,))),
            lambda count: torch.randperm(count).numpy(),
        )
        return tuple(to_framework(array, "pt") for array in arrays)  # type: ignore[return-value]

    def numpy_mask_tokens(self, inputs: np.ndarray) -> tuple[Any, Any, Any, Any]:
        """Return what `torch_mask_tokens` does, as arrays; draws from numpy's global generator."""
        return self._mask(inputs, lambda low, high: int(np.random.randint(low, high)), np.random.permutation)

    def _mask(
        self,
        inputs: np.ndarray,
        draw: Callable[[int, int], int],
        permute: Callable[[int], np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        if self.tokenizer.mask_token is None:
            raise ValueError(
                "This tokenizer does not have a mask token which is necessary for permutation language "
                "modeling. Please add a mask token if you want to use this tokenizer."
            )
        batch, length = inputs.shape
        if length % 2 != 0:
            raise ValueError(
                "This collator requires that sequence lengths be even to create a leakage-free perm_mask: "
                f"the longest row has {length} tokens."
            )
        chosen = np.zeros(inputs.shape, dtype=bool)
        for row in chosen:
            self._choose_spans(row, draw)
        special = np.isin(inputs, self.tokenizer.all_special_ids)
        chosen &= ~special
        open_context = ~chosen & ~special  # seen by all, and sees nothing that is to be predicted

        labels = np.where(chosen, inputs, -100)
        masked = np.where(chosen, self.tokenizer.mask_token_id, inputs)
        perm_mask = np.empty((batch, length, length), dtype=np.float32)
        for index in range(batch):
            # The two halves are permuted alike and never cross: XLNet reuses the first as its memory.
            halves = np.arange(length).reshape(2, length // 2)
            order = halves[:, permute(length // 2)].reshape(-1)
            order = np.where(open_context[index], -1, order)
            perm_mask[index] = (order[:, None] <= order[None, :]) & chosen[index]
        target_mapping = np.broadcast_to(np.eye(length, dtype=np.float32), perm_mask.shape).copy()
        return masked, perm_mask, target_mapping, labels

    def _choose_spans(self, row: np.ndarray, draw: Callable[[int, int], int]) -> None:
        begin = 0
        while begin < len(row):
            span = draw(1, self.max_span_length + 1)
            context = int(span / self.plm_probability)
            start = begin + draw(0, context - span + 1)
            row[start : start + span] = True
            begin += context


def _rows(features: list[Any]) -> list[Any]:
    if isinstance(features[0], Mapping):
        return [feature["input_ids"] for feature in features]
    return features


def _named(arrays: tuple[Any, Any, Any, Any]) -> dict[str, Any]:
    return dict(zip(("input_ids", "perm_mask", "target_mapping", "labels"), arrays, strict=True))
