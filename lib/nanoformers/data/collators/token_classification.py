"""`DataCollatorForTokenClassification`: inputs and the label of each token, padded together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...tokenization import BatchEncoding, PaddingStrategy, PreTrainedTokenizerBase
from .mixin import DataCollatorMixin
from .padding import pad_features, pad_rows, to_framework

__all__ = ["DataCollatorForTokenClassification"]


@dataclass
class DataCollatorForTokenClassification(DataCollatorMixin):
    """Pads inputs as `DataCollatorWithPadding` does, and `labels` (or `label`) to the same length.

    Args:
        tokenizer: gives padding values and side.
        padding: True or "longest" (of the batch), "max_length", False or "do_not_pad".
        max_length: the length for "max_length"; the model's own by default.
        pad_to_multiple_of: round the length up to a multiple of this.
        label_pad_token_id: the label of padding; losses ignore -100.
        return_tensors: "pt" or "np".
    """

    tokenizer: PreTrainedTokenizerBase
    padding: bool | str | PaddingStrategy = True
    max_length: int | None = None
    pad_to_multiple_of: int | None = None
    label_pad_token_id: int = -100
    return_tensors: str = "pt"

    def torch_call(self, features: list[dict[str, Any]]) -> BatchEncoding:
        """Return a batch of torch tensors, each (batch, longest)."""
        return self._collate(features, "pt")

    def numpy_call(self, features: list[dict[str, Any]]) -> BatchEncoding:
        """Return a batch of numpy arrays, each (batch, longest)."""
        return self._collate(features, "np")

    def _collate(self, features: list[dict[str, Any]], return_tensors: str) -> BatchEncoding:
        name = "label" if "label" in features[0] else "labels"
        batch = pad_features(
            self.tokenizer,
            [{key: value for key, value in feature.items() if key != name} for feature in features],
            padding=self.padding,
            max_length=self.max_length,
            pad_to_multiple_of=self.pad_to_multiple_of,
            return_tensors=return_tensors,
        )
        if name in features[0]:
            labels = [feature[name] for feature in features]
            length = batch[self.tokenizer.model_input_names[0]].shape[1]
            rows = pad_rows(labels, length, self.label_pad_token_id, self.tokenizer.padding_side)
            batch[name] = to_framework(rows, return_tensors)
        return batch
