"""Enumerations of what an argument may be."""

from __future__ import annotations

from enum import Enum
from typing import Any

__all__ = ["ExplicitEnum"]


class ExplicitEnum(str, Enum):
    """A string enumeration whose error names the allowed values; a member prints as its value.

    Raises:
        ValueError: a value that no member has.
    """

    @classmethod
    def _missing_(cls, value: object) -> Any:
        raise ValueError(
            f"{value} is not a valid {cls.__name__}, please select one of {[choice.value for choice in cls]}"
        )

    def __str__(self) -> str:
        return self.value
