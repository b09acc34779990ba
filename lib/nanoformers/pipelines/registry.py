"""Which tasks there are, which classes do them, and which checkpoint a task uses when none is named."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from ..utils import logging

logger = logging.get_logger(__name__)

# A JSON file `{task: {"model": name, "revision": name or null}}` that replaces the defaults below.
DEFAULTS_VARIABLE = "NANOFORMERS_PIPELINE_DEFAULTS"


class Checkpoint(NamedTuple):
    """A repository and a revision of it (None: the newest)."""

    model: str
    revision: str | None


# Classes are named, not imported: looking at the table costs nothing. A dot starts a module of this package;
# "pt" has the Auto classes that load a model for the task, in the order in which they are tried.
SUPPORTED_TASKS: dict[str, dict[str, Any]] = {
    "feature-extraction": {
        "impl": ".feature_extraction.FeatureExtractionPipeline",
        "pt": ("AutoModel",),
        "default": {"model": {"pt": Checkpoint("distilbert-base-cased", "935ac13")}},
        "type": "text",
    },
    "fill-mask": {
        "impl": ".fill_mask.FillMaskPipeline",
        "pt": ("AutoModelForMaskedLM",),
        "default": {"model": {"pt": Checkpoint("distilroberta-base", "ec58a5b")}},
        "type": "text",
    },
    "text-classification": {
        "impl": ".text_classification.TextClassificationPipeline",
        "pt": ("AutoModelForSequenceClassification",),
        "default": {
            "model": {"pt": Checkpoint("distilbert-base-uncased-finetuned-sst-2-english", "af0f99b")}
        },
        "type": "text",
    },
    "token-classification": {
        "impl": ".token_classification.TokenClassificationPipeline",
        "pt": ("AutoModelForTokenClassification",),
        "default": {
            "model": {"pt": Checkpoint("dbmdz/bert-large-cased-finetuned-conll03-english", "f2482bf")}
        },
        "type": "text",
    },
    "question-answering": {
        "impl": ".question_answering.QuestionAnsweringPipeline",
        "pt": ("AutoModelForQuestionAnswering",),
        "default": {"model": {"pt": Checkpoint("distilbert-base-cased-distilled-squad", "626af31")}},
        "type": "text",
    },
    "text-generation": {
        "impl": ".text_generation.TextGenerationPipeline",
        "pt": ("AutoModelForCausalLM",),
        "default": {"model": {"pt": Checkpoint("gpt2", "6c0e608")}},
        "type": "text",
    },
    "text2text-generation": {
        "impl": ".text2text_generation.Text2TextGenerationPipeline",
        "pt": ("AutoModelForSeq2SeqLM",),
        "default": {"model": {"pt": Checkpoint("t5-base", "686f1db")}},
        "type": "text",
    },
    "summarization": {
        "impl": ".text2text_generation.SummarizationPipeline",
        "pt": ("AutoModelForSeq2SeqLM",),
        "default": {"model": {"pt": Checkpoint("sshleifer/distilbart-cnn-12-6", "a4f8f3e")}},
        "type": "text",
    },
    # The only task whose name has parameters: from which language to which.
    "translation": {
        "impl": ".text2text_generation.TranslationPipeline",
        "pt": ("AutoModelForSeq2SeqLM",),
        "default": {
            ("en", "fr"): {"model": {"pt": Checkpoint("t5-base", "686f1db")}},
            ("en", "de"): {"model": {"pt": Checkpoint("t5-base", "686f1db")}},
            ("en", "ro"): {"model": {"pt": Checkpoint("t5-base", "686f1db")}},
        },
        "type": "text",
    },
    "zero-shot-classification": {
        "impl": ".zero_shot_classification.ZeroShotClassificationPipeline",
        "pt": ("AutoModelForSequenceClassification",),
        "default": {"model": {"pt": Checkpoint("facebook/bart-large-mnli", "c626438")}},
        "type": "text",
    },
}
TASK_ALIASES = {"sentiment-analysis": "text-classification", "ner": "token-classification"}


class PipelineRegistry:
    """The tasks that `pipeline()` knows.

    Args:
        supported_tasks: task -> {"impl", "pt", "default", "type"}.
        task_aliases: other names of tasks.
    """

    def __init__(self, supported_tasks: dict[str, dict[str, Any]], task_aliases: dict[str, str]) -> None:
        self.supported_tasks = supported_tasks
        self.task_aliases = task_aliases

    def get_supported_tasks(self) -> list[str]:
        """Return all names of tasks, aliases included, in alphabetical order."""
        return sorted([*self.supported_tasks, *self.task_aliases])

    def check_task(self, task: str) -> tuple[str, dict[str, Any], Any]:
        """Look up a task.

        Returns:
            Its canonical name; its entry, with classes in place of their names; and the options that the
            name itself carries: (source, target) of "translation_XX_to_YY", otherwise None.

        Raises:
            KeyError: there is no such task.
        """
        name, options = self._name_and_options(task)
        entry = self.supported_tasks[name]
        resolved = {**entry, "impl": _resolve(entry["impl"]), "pt": tuple(map(_resolve, entry["pt"]))}
        return name, resolved, options

    def _name_and_options(self, task: str) -> tuple[str, tuple[str, str] | None]:
        name = self.task_aliases.get(task, task)
        if name in self.supported_tasks:
            return name, None
        if task.startswith("translation"):
            words = task.split("_")
            if len(words) != 4 or words[0] != "translation" or words[2] != "to":
                raise KeyError(f"Invalid translation task {task}, use 'translation_XX_to_YY' format")
            return "translation", (words[1], words[3])
        available = [*self.get_supported_tasks(), "translation_XX_to_YY"]
        raise KeyError(f"Unknown task {task}, available tasks are {available}")

    def register_pipeline(
        self,
        task: str,
        pipeline_class: type,
        pt_model: type | tuple[type, ...] | None = None,
        tf_model: type | tuple[type, ...] | None = None,
        default: dict[str, Any] | None = None,
        type: str | None = None,
    ) -> None:
        """Add a task, or put another class in place of a task's.

        Args:
            task: its name.
            pipeline_class: a subclass of `Pipeline`.
            pt_model: Auto classes (or model classes) that load a model for it.
            tf_model: the same for TensorFlow; kept in the entry.
            default: the checkpoint when none is named: `{"pt": (name, revision)}`.
            type: what goes in: "text", "audio", "image" or "multimodal".
        """
        if task in self.supported_tasks:
            logger.warning(f"{task} is already registered. Overwriting pipeline for task {task}...")
        entry: dict[str, Any] = {"impl": pipeline_class, "pt": _as_tuple(pt_model), "tf": _as_tuple(tf_model)}
        if default is not None:
            entry["default"] = default if "model" in default else {"model": default}
        if type is not None:
            entry["type"] = type
        self.supported_tasks[task] = entry
        pipeline_class._registered_impl = {task: entry}  # type: ignore[attr-defined]

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return the table of tasks."""
        return self.supported_tasks

    def default_checkpoint(self, task: str) -> Checkpoint:
        """Return the checkpoint of a task for which none is named.

        The file that the environment variable NANOFORMERS_PIPELINE_DEFAULTS names comes before the table.

        Raises:
            ValueError: the task has no default, or the file cannot be read.
        """
        name, options = self._name_and_options(task)
        replaced = _replaced_defaults()
        for asked in (task, name):
            if asked in replaced:
                return replaced[asked]
        defaults = self.supported_tasks[name].get("default", {})
        pairs = [pair for pair in defaults if isinstance(pair, tuple)]
        if pairs and options is None:
            raise ValueError(
                f"The task {task} has a default model for each pair of languages: say which, as in "
                f'"{name}_{pairs[0][0]}_to_{pairs[0][1]}", or name a model.'
            )
        default = (defaults.get(options, {}) if options else defaults).get("model", {}).get("pt")
        if default is None:
            known = f" (there are models for {', '.join(map(' to '.join, pairs))})" if pairs else ""
            raise ValueError(
                f"The task {task} has no default model{known}: name one, `pipeline({task!r}, model=...)`."
            )
        return Checkpoint(*default)


PIPELINE_REGISTRY = PipelineRegistry(SUPPORTED_TASKS, TASK_ALIASES)


def _as_tuple(value: type | tuple[type, ...] | None) -> tuple[type, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _resolve(name: str | type) -> Any:
    """Import what the table names."""
    if not isinstance(name, str):
        return name
    package = __package__ or ""
    if name.startswith("."):
        module, _, attribute = name.rpartition(".")
        return getattr(importlib.import_module(module, package), attribute)
    return getattr(importlib.import_module(package.partition(".")[0]), name)


def _replaced_defaults() -> dict[str, Checkpoint]:
    path = os.environ.get(DEFAULTS_VARIABLE)
    if not path:
        return {}
    try:
        table = json.loads(Path(path).read_text(encoding="utf-8"))
        return {task: Checkpoint(entry["model"], entry.get("revision")) for task, entry in table.items()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"The environment variable {DEFAULTS_VARIABLE} names {path}, which cannot be read ({error!r}). "
            'It should be a JSON file like {"fill-mask": {"model": "owner/name", "revision": null}}; '
            "unset the variable to do without."
        ) from error
