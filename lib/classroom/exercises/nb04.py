"""Exercises of notebook 04: offline mode."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from classroom.exercises import Wrong, exercise

CHECKPOINT = "sentence-transformers/all-MiniLM-L6-v2"
NEEDED = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
MOST_SPARE_BYTES = 1_000_000
_TRUE = {"1", "on", "yes", "true"}


@exercise(
    "04.1",
    "With which environment variables does a job with a model, a data set and a metric ask nobody?",
    hints=[
        "Look at the picture of section 3: which rows together leave no step that asks?",
        "One variable silences everything that goes through huggingface_hub, data sets too. What is left?",
        'The metric. variables = {"HF_HUB_OFFLINE": "1", ...}, and the one that is named after evaluate.',
    ],
)
def silencing_variables(answer: dict[str, Any]) -> str:
    """HF_HUB_OFFLINE (or its older name) and HF_EVALUATE_OFFLINE, as strings."""
    if not isinstance(answer, dict):
        raise Wrong('Give a dictionary of environment variables, such as {"NAME": "1"}.')
    not_text = sorted(name for name, value in answer.items() if not isinstance(value, str))
    if not_text:
        raise Wrong(
            f"The value of {', '.join(not_text)} is no string, and environment variables are strings: "
            'os.environ refuses it. Write "1".'
        )
    on = {name for name, value in answer.items() if value.lower() in _TRUE}
    off = sorted(answer.keys() - on)
    if off:
        raise Wrong(
            f"{off[0]}={answer[off[0]]!r} switches nothing on: the libraries take 1, ON, YES or TRUE."
        )
    hub = on & {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"}
    if not hub and "HF_DATASETS_OFFLINE" in on:
        raise Wrong("HF_DATASETS_OFFLINE is for data sets only: the model and its tokenizer still ask.")
    if not hub:
        raise Wrong("With these, the model, its tokenizer and the data set still ask.")
    if "HF_EVALUATE_OFFLINE" not in on:
        raise Wrong("The metric still asks: evaluate does not go through huggingface_hub.")
    spare = sorted(on - {"HF_EVALUATE_OFFLINE", "HF_HUB_OFFLINE"}) if "HF_HUB_OFFLINE" in on else []
    if not spare:
        spare = sorted(on - {"HF_EVALUATE_OFFLINE"} - hub)
    if spare:
        raise Wrong(f"Nothing asks, but it is not the smallest: {', '.join(spare)} can go.")
    return "Two variables for four steps: one for all that goes through huggingface_hub, one for metrics."


@exercise(
    "04.2",
    "Which files of a carried folder are missing or changed?",
    hints=[
        "json.loads((folder / 'MANIFEST.json').read_text()) is a dictionary: name -> SHA-256.",
        "A missing file cannot be read: ask is_file() first.",
        "sorted(n for n in listed if not (folder / n).is_file() or sha256(folder / n) != listed[n])",
    ],
)
def damaged_files(answer: Callable[[Path], Any]) -> str:
    """A function that is tried on an intact and on a damaged folder made for the purpose."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    with tempfile.TemporaryDirectory() as scratch:
        folder, bad = _carried_folder(Path(scratch))
        try:
            found = list(answer(folder))
        except FileNotFoundError as error:
            raise Wrong("A listed file may be missing: the function stopped there with an error.") from error
        if found and set(found) <= set(bad) and "b/missing.json" not in found:
            raise Wrong(f"Tried on a folder in which {bad} are damaged, it overlooks the missing file.")
        if "d.safetensors" not in found and "b/missing.json" in found:
            raise Wrong(
                "It finds the missing file, but not the one in which a byte changed: compare the hashes."
            )
        if sorted(found) == bad and found != bad:
            raise Wrong("The right files, in another order: return them sorted.")
        if found != bad:
            raise Wrong(f"Tried on a folder in which {bad} are damaged, it says {found!r}.")
        _repair(folder)
        if list(answer(folder)):
            raise Wrong("On a folder in which nothing is damaged, it names files.")
    return "Size and date prove nothing, a hash does: a changed byte cannot hide, wherever it is."


@exercise(
    "04.3",
    "Which patterns fetch what AutoModel and AutoTokenizer need, and little else?",
    hints=[
        "In section 1, the request log names the files that a tokenizer and a model ask for.",
        "You need config.json, model.safetensors, tokenizer.json and tokenizer_config.json.",
        'patterns = ["config.json", "tokenizer*.json", "*.safetensors"]',
    ],
)
def patterns_for_a_model(answer: list[str]) -> str:
    """Patterns that select the needed files of all-MiniLM-L6-v2 and at most a megabyte more."""
    patterns = [answer] if isinstance(answer, str) else list(answer)
    if not all(isinstance(pattern, str) for pattern in patterns):
        raise Wrong('Give a list of patterns, such as ["*.txt"].')
    sizes = _sizes()
    chosen = {name for name in sizes if any(fnmatch.fnmatch(name, _pattern(p)) for p in patterns)}
    missing = [name for name in NEEDED if name not in chosen]
    if missing:
        raise Wrong(f"These are needed and not fetched: {', '.join(missing)}.")
    spare = {name: sizes[name] for name in chosen - set(NEEDED)}
    if "README.md" in spare or set(sizes) == chosen:
        raise Wrong("Everything needed is there, and the description for people too: name fewer files.")
    if sum(spare.values()) > MOST_SPARE_BYTES:
        raise Wrong(f"{sum(spare.values()):,} bytes more than needed: {', '.join(sorted(spare))}.")
    share = f"{len(chosen)} of {len(sizes)} files."
    return f"{share} On the real hub, where weights lie in several formats, it matters more."


def _pattern(pattern: str) -> str:
    """A pattern that ends in a slash stands for the folder, as in huggingface_hub."""
    return f"{pattern}*" if pattern.endswith("/") else pattern


def _sizes() -> dict[str, int]:
    from huggingface_hub import HfApi

    files = HfApi().model_info(CHECKPOINT, files_metadata=True).siblings or []
    return {file.rfilename: file.size or 0 for file in files}


def _carried_folder(folder: Path) -> tuple[Path, list[str]]:
    """Make a folder with a manifest, a missing and a changed file; return it and the names of the two."""
    contents = {"a.json": b"{}", "b/missing.json": b"[]", "c.txt": b"same", "d.safetensors": b"\x00" * 64}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "MANIFEST.json").write_text(json.dumps(dict(reversed(hashes.items()))))
    (folder / "b/missing.json").unlink()
    (folder / "d.safetensors").write_bytes(b"\x00" * 63 + b"\x01")  # the same size
    return folder, ["b/missing.json", "d.safetensors"]


def _repair(folder: Path) -> None:
    (folder / "b/missing.json").write_bytes(b"[]")
    (folder / "d.safetensors").write_bytes(b"\x00" * 64)
