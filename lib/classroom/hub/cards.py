"""What a repository says about itself: the YAML in its README, its configuration, its file names."""

from __future__ import annotations

import json
import re
import struct
from datetime import date, datetime
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import yaml

from classroom.hub.repository import Manifest, Repository

_LONGEST_CARD = 1_000_000
_LONGEST_HEADER = 25_000_000
_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)

_TASK_OF_ENDING = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "ForSpeechSeq2Seq": "automatic-speech-recognition",
    "ForCTC": "automatic-speech-recognition",
    "ForAudioClassification": "audio-classification",
    "ForImageClassification": "image-classification",
    "ForObjectDetection": "object-detection",
    "ForSemanticSegmentation": "image-segmentation",
}
_AUTO_MODEL_OF_TASK = {
    "text-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
    "question-answering": "AutoModelForQuestionAnswering",
    "fill-mask": "AutoModelForMaskedLM",
    "text-generation": "AutoModelForCausalLM",
    "text2text-generation": "AutoModelForSeq2SeqLM",
    "automatic-speech-recognition": "AutoModelForCTC",
    "audio-classification": "AutoModelForAudioClassification",
    "image-classification": "AutoModelForImageClassification",
    "object-detection": "AutoModelForObjectDetection",
    "image-segmentation": "AutoModelForSemanticSegmentation",
}
_FORMATS = {
    ".safetensors": "safetensors",
    ".onnx": "onnx",
    ".h5": "tf",
    ".msgpack": "jax",
    ".parquet": "format:parquet",
    ".csv": "format:csv",
    ".json": "format:json",
    ".jsonl": "format:json",
}


def front_matter(readme: str) -> dict[str, Any] | None:
    """The YAML block that a README begins with, None when there is none or it is not a mapping."""
    match = _FRONT_MATTER.match(readme)
    if match is None:
        return None
    try:
        found = yaml.safe_load(match[1])
    except (yaml.YAMLError, ValueError):
        return None
    return _as_json(found) if isinstance(found, dict) else None


def _as_json(value: Any) -> Any:
    """YAML knows dates and keys that are no strings; JSON does not."""
    if isinstance(value, dict):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value


class Card:
    """What is shown about one revision of a repository.

    Args:
        repository: the repository.
        sha: commit hash of the revision.
        kind: 'models', 'datasets' or 'spaces'.
    """

    def __init__(self, repository: Repository, sha: str, kind: str) -> None:
        self.manifest: Manifest = repository.manifest(sha)
        self.kind = kind
        self.data: dict[str, Any] | None = front_matter(_text(repository, self.manifest, "README.md"))
        self.config: dict[str, Any] = {}
        if kind == "models":
            configuration = _json_object(_text(repository, self.manifest, "config.json"))
            self.config = {
                key: configuration[key]
                for key in ("architectures", "model_type", "auto_map", "quantization_config")
                if key in configuration
            }
            self.safetensors = self._count_parameters(repository)
        else:
            self.safetensors = None
        self.library_name = self._library_name() if kind == "models" else None
        self.pipeline_tag = self._pipeline_tag() if kind == "models" else None
        self.tags = self._tags()

    def transformers_info(self) -> dict[str, Any] | None:
        """Which Auto class loads the model."""
        if self.library_name != "transformers" or "model_type" not in self.config:
            return None
        found: dict[str, Any] = {
            "auto_model": _AUTO_MODEL_OF_TASK.get(self._task_of_config() or "", "AutoModel")
        }
        if self.pipeline_tag:
            found["pipeline_tag"] = self.pipeline_tag
        if "tokenizer_config.json" in self.manifest.files:
            found["processor"] = "AutoTokenizer"
        return found

    def _library_name(self) -> str | None:
        stated = (self.data or {}).get("library_name")
        if stated:
            return str(stated)
        if "modules.json" in self.manifest.files:
            return "sentence-transformers"
        if "adapter_config.json" in self.manifest.files:
            return "peft"
        return "transformers" if "model_type" in self.config else None

    def _pipeline_tag(self) -> str | None:
        stated = (self.data or {}).get("pipeline_tag")
        return str(stated) if stated else self._task_of_config()

    def _task_of_config(self) -> str | None:
        for architecture in self.config.get("architectures") or []:
            for ending, task in _TASK_OF_ENDING.items():
                if str(architecture).endswith(ending):
                    return task
        return None

    def _tags(self) -> list[str]:
        data = self.data or {}
        found: list[str] = []
        if self.library_name:
            found.append(self.library_name)
        for path in self.manifest.files:
            suffix = path[path.rfind(".") :] if "." in path else ""
            if path in ("pytorch_model.bin", "pytorch_model.bin.index.json"):
                found.append("pytorch")
            elif suffix in _FORMATS and _FORMATS[suffix].startswith("format:") == (self.kind == "datasets"):
                found.append(_FORMATS[suffix])
        if "model_type" in self.config:
            found.append(str(self.config["model_type"]))
        found += _list(data.get("tags"))
        if self.pipeline_tag:
            found.append(self.pipeline_tag)
        prefix = "language:" if self.kind == "datasets" else ""
        found += [f"{prefix}{language}" for language in _list(data.get("language"))]
        for key in (
            "task_categories",
            "task_ids",
            "size_categories",
            "multilinguality",
            "annotations_creators",
            "language_creators",
            "source_datasets",
        ):
            found += [f"{key}:{value}" for value in _list(data.get(key))]
        found += [f"dataset:{value}" for value in _list(data.get("datasets"))]
        found += [f"base_model:{value}" for value in _list(data.get("base_model"))]
        found += [f"license:{value}" for value in _list(data.get("license"))]
        if self.kind == "spaces" and data.get("sdk"):
            found.append(str(data["sdk"]))
        return list(dict.fromkeys([*found, "region:us"]))

    def _count_parameters(self, repository: Repository) -> dict[str, Any] | None:
        entry = self.manifest.files.get("model.safetensors")
        if entry is None or entry.large is None:
            return None
        return _parameters_of(repository.objects.path(entry.large.sha256))


@lru_cache(maxsize=1024)
def card_of(repository: Repository, sha: str, kind: str) -> Card:
    """The card of a revision; a revision never changes, so it is read once."""
    return Card(repository, sha, kind)


@lru_cache(maxsize=256)
def _parameters_of(path: Path) -> dict[str, Any] | None:
    """Number of parameters by dtype, from the header of a safetensors file."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > _LONGEST_HEADER:
                return None
            header = json.loads(file.read(length))
        counts: dict[str, int] = {}
        for name, tensor in header.items():
            if name != "__metadata__":
                counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + prod(tensor["shape"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error):
        return None
    return {"parameters": counts, "total": sum(counts.values())}


def _text(repository: Repository, manifest: Manifest, path: str) -> str:
    entry = manifest.files.get(path)
    if entry is None or entry.size > _LONGEST_CARD:
        return ""
    try:
        return repository.content(entry).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
