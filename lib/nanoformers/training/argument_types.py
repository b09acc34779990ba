"""Whether each argument of training has the type of its field."""

from __future__ import annotations

from dataclasses import fields
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np

from .argument_fields import TrainingFields

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = ["check_types"]

_NEEDED: dict[str, tuple[tuple[type, ...], str]] = {
    "bool": ((np.bool_, Integral), "True or False is needed"),  # True and 1 are Integral
    "int": ((Integral,), "a whole number is needed"),
    "float": ((Real,), "a number is needed"),
}


def check_types(args: TrainingArguments) -> None:
    """Refuse what is no number, or no truth value, where one is needed.

    Raises:
        ValueError: "1e-4" in place of 1e-4, None where there is no default, "false" in place of False.
    """
    for entry in fields(TrainingFields):
        kind, _, optional = str(entry.type).partition(" | ")
        value = getattr(args, entry.name)
        if kind not in _NEEDED or optional not in ("", "None"):
            continue
        if value is None and (optional or kind == "bool"):
            continue
        types, needed = _NEEDED[kind]
        if not isinstance(value, types) or (kind != "bool" and isinstance(value, bool)):
            is_text = isinstance(value, str) and kind == "float"
            hint = " YAML takes 1e-4 for text: write 1.0e-4 there." if is_text else ""
            raise ValueError(f"{entry.name}={value!r}: {needed}.{hint}")
