"""The documented `nanoformers.utils`: names that live in other modules, imported on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..hub import PushToHubMixin
    from ..outputs import ModelOutput
    from . import logging

__all__ = ["ModelOutput", "PushToHubMixin", "logging"]

_HOMES = {"ModelOutput": "nanoformers.outputs", "PushToHubMixin": "nanoformers.hub"}


def __getattr__(name: str) -> Any:
    if name == "logging":
        return importlib.import_module(f"{__name__}.logging")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
