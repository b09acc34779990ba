"""Model cards: front matter that a hub reads, and tables that people read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import yaml


class Score(NamedTuple):
    """One measured number: the metric's type and name, its value, and what it was measured on."""

    type: str
    name: str
    value: float
    data: str


def card(
    name: str,
    task: str,
    scores: Sequence[Score],
    body: str,
    *,
    tags: Sequence[str],
    languages: Sequence[str] = ("en",),
    **more: Any,
) -> str:
    """Return a model card.

    Args:
        name: of the checkpoint, without its owner.
        task: the pipeline that the model is for.
        scores: what was measured.
        body: everything under the title.
        tags: beside "toyland".
        languages: of the texts.
        more: further entries of the front matter: `datasets`, `base_model`, `widget` ...
    """
    results = []
    for data in dict.fromkeys(score.data for score in scores):
        measured = [
            {"type": score.type, "name": score.name, "value": round(score.value, 4)}
            for score in scores
            if score.data == data
        ]
        results.append(
            {"task": {"type": task}, "dataset": {"type": "toyland", "name": data}, "metrics": measured}
        )
    front = {
        "license": "apache-2.0",
        "language": list(languages),
        "library_name": "nanoformers",
        "pipeline_tag": task,
        **more,
        "tags": [*tags, "toyland"],
        "metrics": list(dict.fromkeys(score.type for score in scores)),
        "model-index": [{"name": name, "results": results}],
    }
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{head}---\n\n# {name}\n\n{body}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def percent(share: float) -> str:
    """Return "98.7 %"."""
    return f"{100 * share:.1f} %"


def bound(share: float, margin: float = 0.02) -> int:
    """Return the percentage that a test holds the published files to: `margin` below what was measured."""
    return int(100 * (share - margin))
