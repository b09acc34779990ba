"""`DataCollatorForMultipleChoice`: several continuations for each example, all padded to one length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...tokenization import PaddingStrategy, PreTrainedTokenizerBase
from .mixin import DataCollatorMixin
from .padding import pad_features, to_framework

__all__ = ["DataCollatorForMultipleChoice"]


@dataclass
class DataCollatorForMultipleChoice(DataCollatorMixin):
    """Pads every choice of every example to the longest of them.

    Args:
        tokenizer: gives padding values and side.
        padding: True or "longest" (of the batch), "max_length", False or "do_not_pad".
        max_length: the length for "max_length"; the model's own by default.
        pad_to_multiple_of: round the length up to a multiple of this.
        return_tensors: "pt" or "np".
    """

    tokenizer: PreTrainedTokenizerBase
    padding: bool | str | PaddingStrategy = True
    max_length: int | None = None
    pad_to_multiple_of: int | None = None
    return_tensors: str = "pt"

    def torch_call(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        """Return a batch of torch tensors: inputs (batch, choices, longest), labels (batch,)."""
        return self._collate(features, "pt")

    def numpy_call(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        """Return a batch of numpy arrays: inputs (batch, choices, longest), labels (batch,)."""
        return self._collate(features, "np")

    def _collate(self, features: list[dict[str, Any]], return_tensors: str) -> dict[str, Any]:
        name = "label" if "label" in features[0] else "labels"
        choices = {len(feature[self.tokenizer.model_input_names[0]]) for feature in features}
        if len(choices) != 1:
            raise ValueError(f"Every example of a batch needs as many choices; here are {sorted(choices)}.")
        (number,) = choices
        flat = [
            {key: value[choice] for key, value in feature.items() if key != name}
            for feature in features
            for choice in range(number)
        ]
        padded = pad_features(
            self.tokenizer,
            flat,
            padding=self.padding,
            max_length=self.max_length,
            pad_to_multiple_of=self.pad_to_multiple_of,
            return_tensors=return_tensors,
        )
        batch = {key: value.reshape(len(features), number, -1) for key, value in padded.items()}
        if name in features[0]:
            labels = np.array([int(feature[name]) for feature in features], dtype=np.int64)
            batch["labels"] = to_framework(labels, return_tensors)
        return batch
