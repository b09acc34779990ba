"""`DataCollatorWithFlattening`: a batch as one long row, with no padding at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from .default import DefaultDataCollator
from .mixin import check_not_empty
from .padding import to_framework

__all__ = ["DataCollatorWithFlattening"]


class DataCollatorWithFlattening(DefaultDataCollator):
    """Joins the examples of a batch into one row of shape (1, tokens of all).

    Positions begin anew with each example; an attention that looks at them (or at the lengths) keeps the
    examples apart. A model that does not look lets every example see those before it.

    Args:
        return_tensors: "pt" or "np".
        return_position_ids: whether the batch has `position_ids`.
        separator_id: the label at the first token of each example; losses ignore -100.
        return_flash_attn_kwargs: whether the batch has `cu_seq_lens_q`, `cu_seq_lens_k` (where examples
            begin, and the end; int32) and `max_length_q`, `max_length_k` (the longest example).
        return_seq_idx: whether the batch has `seq_idx`, the number of each token's example (int32).
        position_ids_start: the position of each example's first token; RoBERTa's begin with 2.
    """

    def __init__(
        self,
        return_tensors: str = "pt",
        *,
        return_position_ids: bool = True,
        separator_id: int = -100,
        return_flash_attn_kwargs: bool = False,
        return_seq_idx: bool = False,
        position_ids_start: int = 0,
    ) -> None:
        super().__init__(return_tensors)
        self.return_position_ids = return_position_ids
        self.separator_id = separator_id
        self.return_flash_attn_kwargs = return_flash_attn_kwargs
        self.return_seq_idx = return_seq_idx
        self.position_ids_start = position_ids_start

    def __call__(
        self, features: list[Any], return_tensors: str | None = None, separator_id: int | None = None
    ) -> dict[str, Any]:
        """Return one row of all examples.

        Args:
            features: {"input_ids": ids, "labels": ids}; without labels, the ids are the labels.
            return_tensors: "pt" or "np"; by default as given at creation.
            separator_id: as given at creation by default.

        Raises:
            ValueError: another kind of tensors is asked for, or there are no examples.
        """
        kind = self.return_tensors if return_tensors is None else return_tensors
        if kind not in ("pt", "np"):
            raise ValueError(f'return_tensors must be one of ("pt", "np"), {kind!r} is not supported.')
        check_not_empty(features)
        rows = [np.asarray(feature["input_ids"], dtype=np.int64) for feature in features]
        source = "labels" if "labels" in features[0] else "input_ids"
        labels = np.concatenate([np.asarray(feature[source], dtype=np.int64) for feature in features])
        lengths = np.array([len(row) for row in rows])
        ends = np.cumsum(lengths)
        starts = ends - lengths
        labels[starts[lengths > 0]] = self.separator_id if separator_id is None else separator_id
        batch: dict[str, Any] = {"input_ids": np.concatenate(rows)[None], "labels": labels[None]}
        if self.return_position_ids:
            within = np.arange(ends[-1]) - np.repeat(starts, lengths)
            batch["position_ids"] = within[None] + self.position_ids_start
        if self.return_seq_idx:
            batch["seq_idx"] = np.repeat(np.arange(len(rows), dtype=np.int32), lengths)[None]
        if self.return_flash_attn_kwargs:
            bounds = np.concatenate([[0], ends]).astype(np.int32)
            batch["cu_seq_lens_q"] = batch["cu_seq_lens_k"] = bounds
            batch["max_length_q"] = batch["max_length_k"] = int(lengths.max())
        return {
            name: value if isinstance(value, int) else to_framework(value, kind)
            for name, value in batch.items()
        }
