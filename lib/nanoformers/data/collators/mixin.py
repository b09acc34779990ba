"""What collators have in common: which kind of tensors they return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["DataCollator", "DataCollatorMixin", "check_not_empty"]

DataCollator = Callable[[list[Any]], dict[str, Any]]
"""The type of a collator: a list of examples in, {name: tensor} out."""


def check_not_empty(features: Sequence[Any]) -> None:
    """Refuse a batch of nothing.

    Raises:
        ValueError: there are no examples.
    """
    if not len(features):
        raise ValueError("A batch needs at least one example, and this list is empty.")


class DataCollatorMixin:
    """Calls `torch_call` for "pt" and `numpy_call` for "np"; both are there to be overridden."""

    return_tensors: str

    def __call__(self, features: list[Any], return_tensors: str | None = None) -> Any:
        """Make one batch of a list of examples.

        Args:
            features: the examples.
            return_tensors: "pt" or "np"; by default as given at creation.

        Raises:
            ValueError: any other kind of tensors, or there are no examples.
        """
        check_not_empty(features)
        kind = self.return_tensors if return_tensors is None else return_tensors
        if kind == "pt":
            return self.torch_call(features)
        if kind == "np":
            return self.numpy_call(features)
        raise ValueError(f"Framework {kind!r} not recognized! Allowed are 'pt' (torch) and 'np' (numpy).")

    def torch_call(self, features: list[Any]) -> Any:
        """Make one batch of torch tensors."""
        raise TypeError(f"{type(self).__name__} makes no torch tensors; it may make others.")

    def numpy_call(self, features: list[Any]) -> Any:
        """Make one batch of numpy arrays."""
        raise TypeError(f"{type(self).__name__} makes no numpy arrays; it may make others.")
