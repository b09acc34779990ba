"""The documented `nanoformers.utils`: names that live in other modules, imported on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..hub import PushToHubMixin
    from ..outputs import ModelOutput
    from ..tokenization import PaddingStrategy, TensorType
    from . import logging
    from .cached import cached_property
    from .docstrings import (
        add_code_sample_docstrings,
        add_end_docstrings,
        add_start_docstrings,
        add_start_docstrings_to_model_forward,
        replace_return_docstrings,
    )
    from .enums import ExplicitEnum
    from .lazy_module import _LazyModule
    from .versions import check_min_version

__all__ = [
    "ExplicitEnum",
    "ModelOutput",
    "PaddingStrategy",
    "PushToHubMixin",
    "TensorType",
    "_LazyModule",
    "add_code_sample_docstrings",
    "add_end_docstrings",
    "add_start_docstrings",
    "add_start_docstrings_to_model_forward",
    "cached_property",
    "check_min_version",
    "logging",
    "replace_return_docstrings",
]

_HOMES = {
    "ExplicitEnum": ".enums",
    "ModelOutput": "..outputs",
    "PaddingStrategy": "..tokenization.strategies",
    "PushToHubMixin": "..hub",
    "TensorType": "..tokenization.strategies",
    "_LazyModule": ".lazy_module",
    "add_code_sample_docstrings": ".docstrings",
    "add_end_docstrings": ".docstrings",
    "add_start_docstrings": ".docstrings",
    "add_start_docstrings_to_model_forward": ".docstrings",
    "cached_property": ".cached",
    "check_min_version": ".versions",
    "replace_return_docstrings": ".docstrings",
}


def __getattr__(name: str) -> Any:
    if name == "logging":
        return importlib.import_module(f"{__name__}.logging")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
