"""What the cases read: a checkpoint, and the sentences of a run."""

from __future__ import annotations

import json
import os
from pathlib import Path


def checkpoint() -> str:
    """Return the folder of all-MiniLM-L6-v2 (fetched once)."""
    from classroom.sources import minilm_folder

    return str(minilm_folder())


def texts(count: int) -> list[str]:
    """Return the sentences that the driver wrote down for this run."""
    return json.loads(Path(os.environ["BENCHMARK_SENTENCES"]).read_text(encoding="utf-8"))[:count]
