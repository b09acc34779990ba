"""Which columns of a data set a model takes, and how the others are left out."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from ..utils import logging

__all__ = [
    "RemoveColumnsCollator",
    "base_model",
    "find_labels",
    "is_hub_dataset",
    "remove_unused_columns",
    "taken_columns",
]

logger = logging.get_logger(__name__)


def base_model(model: Any) -> Any:
    """Return the model inside a wrapper of the peft library; any other is its own base."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def find_labels(model: nn.Module) -> list[str]:
    """Return the names of the arguments of a model's forward that are labels."""
    model = base_model(model)
    names = inspect.signature(type(model).forward).parameters
    if "QuestionAnswering" in type(model).__name__:
        return [name for name in names if "label" in name or name in ("start_positions", "end_positions")]
    return [name for name in names if "label" in name]


def taken_columns(model: nn.Module, label_names: Sequence[str]) -> list[str]:
    """Return the columns that a model takes; `label` and `label_ids` become `labels` in default collators."""
    names = [*inspect.signature(base_model(model).forward).parameters, "label", "label_ids", *label_names]
    return list(dict.fromkeys(names))


def is_hub_dataset(dataset: Any) -> bool:
    """Return whether this is a `datasets.Dataset`."""
    datasets = sys.modules.get("datasets")
    return datasets is not None and isinstance(dataset, datasets.Dataset)


def remove_unused_columns(dataset: Any, taken: Sequence[str], model_name: str, description: str) -> Any:
    """Return a `datasets.Dataset` without the columns that the model does not take.

    Raises:
        ValueError: the model takes none of them.
    """
    ignored = [name for name in dataset.column_names if name not in taken]
    if len(ignored) == len(dataset.column_names):
        raise ValueError(
            f"No columns in the dataset match the model's forward method signature: ({', '.join(taken)}). "
            f"The following columns have been ignored: [{', '.join(ignored)}]. Please check the dataset and "
            "model. You may need to set `remove_unused_columns=False` in `TrainingArguments`."
        )
    if not ignored:
        return dataset
    logger.info(_ignored(ignored, description, model_name))
    return dataset.remove_columns(ignored)


def _ignored(ignored: Sequence[str], description: str, model_name: str) -> str:
    return (
        f"The following columns in the {description} set don't have a corresponding argument in "
        f"`{model_name}.forward` and have been ignored: {', '.join(ignored)}."
    )


class RemoveColumnsCollator:
    """A collator that leaves out what the model does not take, and hands on the rest.

    Args:
        data_collator: what makes a batch of the rest.
        signature_columns: names that are kept.
        model_name, description: of the model and the data set, for the log.
    """

    def __init__(
        self,
        data_collator: Callable[[list[Any]], Any],
        signature_columns: Sequence[str],
        model_name: str = "",
        description: str = "",
    ) -> None:
        self.data_collator = data_collator
        self.taken = frozenset(signature_columns)
        self.model_name = model_name
        self.description = description
        self._said = False

    def __call__(self, features: list[Any]) -> Any:
        """Make a batch."""
        return self.data_collator([self._kept(feature) for feature in features])

    def _kept(self, feature: Any) -> Any:
        if not isinstance(feature, Mapping) or self.taken.issuperset(feature):
            return feature
        if not self._said:
            self._said = True
            ignored = [name for name in feature if name not in self.taken]
            logger.info(_ignored(ignored, self.description, self.model_name))
        return {name: value for name, value in feature.items() if name in self.taken}
