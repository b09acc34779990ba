"""`default_data_collator`: examples of equal shape, stacked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .mixin import DataCollatorMixin, check_not_empty

__all__ = ["DefaultDataCollator", "default_data_collator"]


def default_data_collator(features: list[Any], return_tensors: str = "pt") -> dict[str, Any]:
    """Stack examples into one batch; nothing is padded.

    `label` (a number for each example) and `label_ids` (a list for each) become `labels`: int64 when the
    first is a whole number, float32 otherwise. Entries that are text or None are left out.

    Args:
        features: dictionaries, or objects whose attributes are taken.
        return_tensors: "pt" or "np".

    Raises:
        ValueError: there are no examples, an entry's values differ in shape, or another kind is asked for.
    """
    if return_tensors not in ("pt", "np"):
        raise ValueError(
            f"Framework {return_tensors!r} not recognized! Allowed are 'pt' (torch) and 'np' (numpy)."
        )
    check_not_empty(features)
    if not isinstance(features[0], Mapping):
        features = [vars(feature) for feature in features]
    first = features[0]
    batch = {}
    for label in ("label", "label_ids"):
        if first.get(label) is not None:
            batch["labels"] = _stack(label, [feature[label] for feature in features], return_tensors, True)
            break
    for name, value in first.items():
        if name not in ("label", "label_ids") and value is not None and not isinstance(value, str):
            batch[name] = _stack(name, [feature[name] for feature in features], return_tensors, False)
    return batch


def _stack(name: str, values: list[Any], return_tensors: str, is_label: bool) -> Any:
    """Return one array or tensor with a leading axis; labels are int64 or float32."""
    try:
        if return_tensors == "pt" and isinstance(values[0], torch.Tensor):
            stacked = torch.stack(values)
            if is_label and stacked.dim() == 1:  # a number each
                return stacked.float() if stacked.is_floating_point() else stacked.long()
            return stacked
        array = np.stack(values) if isinstance(values[0], np.ndarray) else np.array(values)
    except (ValueError, RuntimeError):
        raise ValueError(
            f"The values of {name!r} differ in shape from example to example, and nothing is padded here: "
            "use `DataCollatorWithPadding`, or pad while tokenizing."
        ) from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"The values of {name!r} are no numbers: a model takes tensors only.")
    if is_label and not isinstance(values[0], np.ndarray):
        array = array.astype(np.int64 if array.dtype.kind in "biu" else np.float32)
    if return_tensors == "np":
        return array
    if array.dtype == np.float64 and not isinstance(values[0], np.ndarray):
        array = array.astype(np.float32)
    return torch.from_numpy(array)


@dataclass
class DefaultDataCollator(DataCollatorMixin):
    """`default_data_collator` as an object, which remembers the kind of tensors.

    Args:
        return_tensors: "pt" or "np".
    """

    return_tensors: str = "pt"

    def __call__(self, features: list[Any], return_tensors: str | None = None) -> dict[str, Any]:
        """Stack examples into one batch; see `default_data_collator`."""
        return default_data_collator(
            features, self.return_tensors if return_tensors is None else return_tensors
        )
