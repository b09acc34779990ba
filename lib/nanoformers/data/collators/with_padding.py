"""`DataCollatorWithPadding`: inputs padded to the longest of their batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...tokenization import BatchEncoding, PaddingStrategy, PreTrainedTokenizerBase
from .padding import pad_features

__all__ = ["DataCollatorWithPadding"]


@dataclass
class DataCollatorWithPadding:
    """Pads `input_ids` and what belongs to them; `label` and `label_ids` become `labels`.

    Args:
        tokenizer: gives padding values and side.
        padding: True or "longest" (of the batch), "max_length", False or "do_not_pad".
        max_length: the length for "max_length"; the model's own by default.
        pad_to_multiple_of: round the length up to a multiple of this (8 suits tensor cores).
        return_tensors: "pt" or "np".
    """

    tokenizer: PreTrainedTokenizerBase
    padding: bool | str | PaddingStrategy = True
    max_length: int | None = None
    pad_to_multiple_of: int | None = None
    return_tensors: str = "pt"

    def __call__(self, features: list[dict[str, Any]]) -> BatchEncoding:
        """Return one batch, each entry (batch, longest) or, for labels, (batch,).

        Raises:
            ValueError: the examples do not fit together, or there is no padding token.
        """
        batch = pad_features(
            self.tokenizer,
            features,
            padding=self.padding,
            max_length=self.max_length,
            pad_to_multiple_of=self.pad_to_multiple_of,
            return_tensors=self.return_tensors,
        )
        for name in ("label", "label_ids"):
            if name in batch:
                batch["labels"] = batch.pop(name)
        return batch
