"""Real sentences of mixed length for the measurements."""

from __future__ import annotations

import random
import re


def sentences(count: int, seed: int = 0) -> list[str]:
    """Return `count` sentences, the same on every call.

    They come from film and product reviews, tweets and editorials (see `classroom.sources`).

    Raises:
        OSError: they are not on this machine and cannot be fetched.
    """
    from classroom.sources import rated_sentences

    texts = [row["text"] for row in rated_sentences()]
    return random.Random(seed).sample(texts, count)


def python_manual_sentences(count: int, seed: int = 0) -> list[str]:
    """Return `count` sentences of the Python manual, which every Python carries: no download is needed."""
    from pydoc_data.topics import topics

    text = " ".join(" ".join(topics.values()).split())
    found = [part for part in re.split(r"(?<=[.?!])\s+(?=[A-Z])", text) if 10 < len(part) < 400]
    return random.Random(seed).sample(found, count)
