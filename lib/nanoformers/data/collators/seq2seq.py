"""`DataCollatorForSeq2Seq`: inputs and target texts, each padded to its own longest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...tokenization import BatchEncoding, PaddingStrategy, PreTrainedTokenizerBase
from .mixin import check_not_empty
from .padding import pad_features, pad_rows, padded_length, to_framework

__all__ = ["DataCollatorForSeq2Seq"]


@dataclass
class DataCollatorForSeq2Seq:
    """Pads inputs as `DataCollatorWithPadding` does, and `labels` (or `label`) to the longest target.

    Args:
        tokenizer: gives padding values and side.
        model: when it can make decoder inputs from labels, the batch has `decoder_input_ids` too, which
            label smoothing needs.
        padding: True or "longest" (of the batch), "max_length", False or "do_not_pad".
        max_length: the length for "max_length", of inputs and labels.
        pad_to_multiple_of: round both lengths up to a multiple of this.
        label_pad_token_id: the label of padding; losses ignore -100.
        return_tensors: "pt" or "np".
    """

    tokenizer: PreTrainedTokenizerBase
    model: Any | None = None
    padding: bool | str | PaddingStrategy = True
    max_length: int | None = None
    pad_to_multiple_of: int | None = None
    label_pad_token_id: int = -100
    return_tensors: str = "pt"

    def __call__(self, features: list[dict[str, Any]], return_tensors: str | None = None) -> BatchEncoding:
        """Return one batch: inputs (batch, longest input), labels (batch, longest target).

        Args:
            features: the examples; without labels (or all None) the batch has none.
            return_tensors: "pt" or "np"; by default as given at creation.

        Raises:
            ValueError: the examples do not fit together, or there is no padding token.
        """
        check_not_empty(features)
        return_tensors = self.return_tensors if return_tensors is None else return_tensors
        name = "label" if "label" in features[0] else "labels"
        labels = [feature.get(name) for feature in features]
        batch = pad_features(
            self.tokenizer,
            [{key: value for key, value in feature.items() if key != name} for feature in features],
            padding=self.padding,
            max_length=self.max_length,
            pad_to_multiple_of=self.pad_to_multiple_of,
            return_tensors=return_tensors,
        )
        if any(row is None for row in labels):
            if all(row is None for row in labels):
                return batch
            raise ValueError(f"Some examples of the batch have `{name}` and others have none.")
        batch["labels"] = to_framework(self._pad_labels(labels), return_tensors)
        if self.model is not None and hasattr(self.model, "prepare_decoder_input_ids_from_labels"):
            batch["decoder_input_ids"] = self.model.prepare_decoder_input_ids_from_labels(
                labels=batch["labels"]
            )
        return batch

    def _pad_labels(self, labels: list[Any]) -> Any:
        """Return (batch, longest target)."""
        longest = max(map(len, labels))
        if self.padding is False or self.padding == PaddingStrategy.DO_NOT_PAD:
            if any(len(row) != longest for row in labels):
                raise ValueError(
                    "The labels differ in length, and `padding=False` leaves them so: they make no tensor."
                )
        elif self.padding == PaddingStrategy.MAX_LENGTH and self.max_length is not None:
            longest = padded_length(self.max_length, self.pad_to_multiple_of)
        else:
            longest = padded_length(longest, self.pad_to_multiple_of)
        return pad_rows(labels, longest, self.label_pad_token_id, self.tokenizer.padding_side)
