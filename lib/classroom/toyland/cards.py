"""Cards: the README.md of a data set, whose YAML head tells a hub and `datasets` what is in the files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

from classroom.toyland.lexicon import CHARACTERS, PLACES

Feature = dict[str, Any]

_BODY = """# Toyland: {name}

{about}

Toyland is one small synthetic world of {characters} toy animals in {places} places. Every data set under
`toyland/` is another view of such scenes, so labels are exact by construction. It was made so that models
of a few million parameters learn it in minutes; it says nothing about the real world.

```json
{example}
```

| split | rows |
|---|---|
{table}

No row occurs in two splits. The same bytes come from
`classroom.toyland.write_dataset(folder, "{name}", seed={seed})`.
"""


def text(name: str) -> Feature:
    """Describe a column of strings."""
    return {"name": name, "dtype": "string"}


def texts(name: str) -> Feature:
    """Describe a column of lists of strings."""
    return {"name": name, "sequence": "string"}


def numbers(name: str) -> Feature:
    """Describe a column of lists of integers."""
    return {"name": name, "sequence": "int32"}


def label(name: str, names: Sequence[str]) -> Feature:
    """Describe a column of classes, stored as integers."""
    return {"name": name, "dtype": {"class_label": {"names": _numbered(names)}}}


def labels(name: str, names: Sequence[str]) -> Feature:
    """Describe a column of lists of classes."""
    return {"name": name, "sequence": {"class_label": {"names": _numbered(names)}}}


def record(name: str, *features: Feature) -> Feature:
    """Describe a column of records."""
    return {"name": name, "struct": list(features)}


def translation(name: str, languages: Sequence[str]) -> Feature:
    """Describe a column that holds the same text in several languages."""
    return {"name": name, "dtype": {"translation": {"languages": list(languages)}}}


def _numbered(names: Sequence[str]) -> dict[str, str]:
    return {str(number): name for number, name in enumerate(names)}


def card(
    name: str,
    about: str,
    features: Sequence[Feature],
    task: str | None,
    languages: Sequence[str],
    splits: dict[str, int],
    seed: int,
    example: dict[str, Any],
) -> str:
    """Return the text of a README.md with its YAML head."""
    files = [{"split": split, "path": f"{split}.jsonl"} for split in splits]
    head: dict[str, Any] = {
        "pretty_name": f"Toyland: {name}",
        "license": "apache-2.0",
        "language": list(languages),
        "task_categories": [task] if task else [],
        "tags": ["synthetic", "toyland"],
        "size_categories": [_size(sum(splits.values()))],
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {"config_name": "default", "features": list(features)},
    }
    body = _BODY.format(
        name=name,
        about=about,
        characters=len(CHARACTERS),
        places=len(PLACES),
        example=_one_column_a_line(example),
        table="\n".join(f"| {split} | {size:,} |" for split, size in splits.items()),
        seed=seed,
    )
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=1000)}---\n\n{body}"


def _one_column_a_line(row: dict[str, Any]) -> str:
    columns = (f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in row.items())
    return "{\n" + ",\n".join(columns) + "\n}"


def _size(n: int) -> str:
    """Return the Hub's name for this number of rows."""
    for limit, size in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K")):
        if n < limit:
            return size
    return "100K<n<1M"
