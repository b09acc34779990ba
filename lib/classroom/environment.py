"""The environment variables with which the stock clients talk to the course's hub and use its cache."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from urllib.parse import urlsplit

from classroom import paths
from classroom.atomic import write_text

REAL_HUB = "https://huggingface.co"

PIPELINE_DEFAULTS: dict[str, str] = {
    "feature-extraction": "sentence-transformers/all-MiniLM-L6-v2",
    "fill-mask": "toyland/fill-mask-bert",
    "ner": "toyland/entities-bert",
    "question-answering": "toyland/questions-bert",
    "sentiment-analysis": "nanoformers/sentiment-bert-tiny",
    "summarization": "toyland/text-to-text-t5",
    "text-classification": "nanoformers/sentiment-bert-tiny",
    "text-generation": "toyland/stories-gpt2",
    "text2text-generation": "toyland/text-to-text-t5",
    "token-classification": "toyland/entities-bert",
    "translation_en_to_fr": "toyland/text-to-text-t5",
    "zero-shot-classification": "toyland/entailment-bert",
}
"""The course's own checkpoint for each pipeline task, in place of the documented one.

"translation" has none: it would be taken for every pair of languages.
"""

_INHERITED_CACHE_VARIABLES = (
    "HUGGINGFACE_HUB_CACHE",
    "TRANSFORMERS_CACHE",
    "HF_ASSETS_CACHE",
    "HF_XET_CACHE",
    "HF_TOKEN_PATH",
    "HF_DATASETS_CACHE",
    "HF_MODULES_CACHE",
    "HF_EVALUATE_CACHE",
    "HF_METRICS_CACHE",
)
"""Variables that would move a part of the cache away from `HF_HOME`; they are unset for the course."""


class HubImportedTooEarlyError(RuntimeError):
    """`huggingface_hub` was imported, and had read its settings, before the course set them."""


def course_environment(endpoint: str, token: str, *, quiet: bool = True) -> dict[str, str]:
    """Return the variables for a hub at `endpoint`, with every cache under `paths.home()`.

    Writes the file that `NANOFORMERS_PIPELINE_DEFAULTS` names, when it differs from what is there.
    """
    cache = paths.cache_home()
    variables = {
        "CLASSROOM_HOME": str(paths.home()),
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(cache),
        "HF_HUB_CACHE": str(cache / "hub"),
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_HUB_DISABLE_XET": "1",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",  # or evaluate.load tells a server on the internet
        "TOKENIZERS_PARALLELISM": "false",
        # A thread of PyTorch that waits for another spins for so many rounds, and then sleeps. By default it
        # spins for milliseconds, and when other programs run, it keeps the core from the very thread it waits
        # for: beside three of them on two cores, a step of training took 0.51 s, now 0.19 s (alone 0.05 s).
        "GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", "1000"),
        "NANOFORMERS_PIPELINE_DEFAULTS": str(_write_pipeline_defaults()),
        **_without_proxy(endpoint),
    }
    if quiet:
        variables["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        variables["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
    return variables


def apply(
    variables: Mapping[str, str], target: MutableMapping[str, str] = os.environ
) -> dict[str, str | None]:
    """Set `variables` in `target`, unset what would override them, and return what was there before.

    Raises:
        HubImportedTooEarlyError: `huggingface_hub` has already read other settings in this process.
    """
    require_endpoint(variables["HF_ENDPOINT"])
    before = {name: target.get(name) for name in (*variables, *_INHERITED_CACHE_VARIABLES)}
    restore({name: variables.get(name) for name in before}, target)
    return before


def restore(values: Mapping[str, str | None], target: MutableMapping[str, str] = os.environ) -> None:
    """Set each variable to its value, and unset those whose value is None."""
    for name, value in values.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = value


def require_endpoint(endpoint: str) -> None:
    """Check that `huggingface_hub`, if it is imported already, talks to `endpoint`.

    Raises:
        HubImportedTooEarlyError: it talks to another one, and nothing but a new process can change that.
    """
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is None or endpoint.rstrip("/") == constants.ENDPOINT:
        return
    raise HubImportedTooEarlyError(
        f"huggingface_hub was imported before classroom.start() and reads from {constants.ENDPOINT}. It "
        f"takes its settings only once, at import, so it cannot be pointed to {endpoint} any more. Restart "
        "the kernel (menu Kernel, Restart) and run the cell with classroom.start() before every other import."
    )


def _write_pipeline_defaults() -> Path:
    path = paths.home() / "pipeline_defaults.json"
    defaults = {task: {"model": model, "revision": None} for task, model in PIPELINE_DEFAULTS.items()}
    text = json.dumps(defaults, indent=2) + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return path


def _without_proxy(endpoint: str) -> dict[str, str]:
    """Keep requests to the hub away from a proxy, whatever else the proxy serves."""
    hosts = ["127.0.0.1", "localhost", urlsplit(endpoint).hostname or ""]
    for name in ("NO_PROXY", "no_proxy"):
        hosts += os.environ.get(name, "").split(",")
    joined = ",".join(dict.fromkeys(host.strip() for host in hosts if host.strip()))
    return {"NO_PROXY": joined, "no_proxy": joined}
