"""Showing how training goes: bars in a terminal, a live table and curves in a notebook."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .display import ProgressDisplay
from .terminal import ProgressCallback

if TYPE_CHECKING:
    from ..callbacks import TrainerCallback
    from .notebook import NotebookProgressBar, NotebookProgressCallback, NotebookTrainingTracker

__all__ = [
    "NotebookProgressBar",
    "NotebookProgressCallback",
    "NotebookTrainingTracker",
    "ProgressCallback",
    "ProgressDisplay",
    "default_progress_callback",
    "in_notebook",
]


def in_notebook() -> bool:
    """Tell whether this process is a notebook's kernel (not a child that was forked from one)."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    kernel = getattr(shell, "kernel", None)
    return kernel is not None and getattr(kernel.session, "pid", os.getpid()) == os.getpid()


def default_progress_callback() -> type[TrainerCallback]:
    """Return the class of the progress callback for the place we run in."""
    if not in_notebook():
        return ProgressCallback
    from .notebook import NotebookProgressCallback

    return NotebookProgressCallback


def __getattr__(name: str) -> object:
    if name in __all__:
        from . import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
