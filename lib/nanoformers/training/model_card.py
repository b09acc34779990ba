"""The model card that a Trainer drafts: what was trained, on what, how, and with which results.

Mirrors `Trainer.create_model_card` of the documentation page `main_classes/trainer`. The card is `README.md`
in the output folder; its front matter is what https://huggingface.co/docs/hub/model-cards describes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..auto.registry import model_classes
from ..hub import is_offline
from ..pipelines.registry import SUPPORTED_TASKS
from ..utils import logging
from ..utils.files import write_text
from .training_record import final_results, framework_versions, hyperparameters, results_table

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

    from .trainer import Trainer

__all__ = ["create_model_card"]

logger = logging.get_logger(__name__)

CARD_NAME = "README.md"
_GENERATED_TAG = "generated_from_trainer"
_MARK = (
    "<!-- Drafted by `Trainer.create_model_card`. Correct and complete it, and delete this comment: without "
    "it, the text stays as you wrote it when the card is updated. -->"
)
_HUB_SOURCE = re.compile(r"hf://datasets/([^/@]+/[^/@]+)@")
_PACKAGED_BUILDERS = {"arrow", "csv", "json", "pandas", "parquet", "text", "generator", "imagefolder"}


@dataclass
class _DataSet:
    """A data set as a card names it: an identifier on the hub, a name for readers, and which part of it."""

    tag: str
    name: str
    config: str | None = None
    split: str | None = None
    args: Any = None


@dataclass
class _Card:
    """What a card says."""

    model_name: str
    base: str | None
    tasks: list[str]
    datasets: list[_DataSet]
    language: list[str]
    license: str | None
    tags: list[str]
    results: dict[str, float] = field(default_factory=dict)
    named_datasets: list[str] = field(default_factory=list)

    def front_matter(self) -> ModelCardData:
        """Return what search engines of the hub read."""
        from huggingface_hub import ModelCardData

        results = self._eval_results()
        metrics = list(dict.fromkeys(_metric_type(name) for name in self._scores()))
        values: dict[str, Any] = {
            "language": self.language,
            "license": self.license,
            "library_name": "nanoformers",
            "pipeline_tag": self.tasks[0] if self.tasks else None,
            "base_model": self.base,
            "tags": self.tags,
            "datasets": [dataset.tag for dataset in self.datasets],
            "metrics": metrics,
            "eval_results": results or None,
            "model_name": self.model_name if results else None,
        }
        return ModelCardData(**{name: value for name, value in values.items() if value not in (None, [])})

    def _scores(self) -> dict[str, float]:
        return {name: value for name, value in self.results.items() if name != "loss"}

    def _eval_results(self) -> list[EvalResult]:
        """Return one entry for each task, data set and score; the hub refuses one that lacks any of these."""
        from huggingface_hub import EvalResult

        return [
            EvalResult(
                task_type=task,
                task_name=task.replace("-", " ").capitalize(),
                dataset_type=dataset.tag,
                dataset_name=dataset.name,
                dataset_config=dataset.config,
                dataset_split=dataset.split,
                dataset_args={"args": dataset.args} if dataset.args is not None else None,
                metric_type=_metric_type(name),
                metric_name=readable(name),
                metric_value=value,
            )
            for task in self.tasks
            for dataset in self.datasets
            for name, value in self._scores().items()
        ]

    def introduction(self) -> str:
        """Return the title and the first sentences."""
        names = self.named_datasets
        data = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        data = f"on {data}" if names else "on a data set that the training did not name"
        if self.base is None:
            first = f"Trained from random weights {data}."
        else:
            first = f"[{self.base}](https://huggingface.co/{self.base}), fine-tuned {data}."
        lines = [f"# {self.model_name}", "", first]
        if self.results:
            lines += ["", "Results on the evaluation data:", ""]
            lines += [f"- {readable(name)}: {shown(value)}" for name, value in self.results.items()]
        return "\n".join(lines)


def create_model_card(
    trainer: Trainer,
    language: str | list[str] | None = None,
    license: str | None = None,
    tags: str | list[str] | None = None,
    model_name: str | None = None,
    finetuned_from: str | None = None,
    tasks: str | list[str] | None = None,
    dataset_tags: str | list[str] | None = None,
    dataset: str | list[str] | None = None,
    dataset_args: str | list[str] | None = None,
) -> None:
    """Write the draft of a model card, `README.md`, into the output folder.

    A card that a person has taken over (by deleting the comment at its top) keeps its text; only its front
    matter is brought up to date. Tags that a card has are kept.

    Args:
        trainer: its model, data sets, arguments and logs are read.
        language: codes of the model's languages ("en").
        license: identifier; by default that of the model it was fine-tuned from, if the hub tells it.
        tags: further tags; `generated_from_trainer` is one in any case.
        model_name: by default the output folder's name.
        finetuned_from: repository of the model it started from; by default the one it was loaded from.
        tasks: identifiers of the hub ("text-classification"); by default what the model's class is for.
        dataset_tags: identifiers of the data sets on the hub; by default what the data set says of itself.
        dataset: their names for readers, in the same order.
        dataset_args: which configuration of each was used, in the same order.
    """
    if not trainer.is_world_process_zero():
        return
    path = Path(str(trainer.args.output_dir)) / CARD_NAME
    own_text, present = _present_card(path)
    base = finetuned_from or _base_model(trainer.model)
    datasets, named = _datasets(trainer, _listed(dataset_tags), _listed(dataset), _listed(dataset_args))
    card = _Card(
        model_name=model_name or Path(str(trainer.args.output_dir)).absolute().name,
        base=base,
        tasks=_listed(tasks) or _tasks_of(trainer.model),
        datasets=datasets,
        language=_listed(language),
        license=license or present.get("license") or _license_of(base),
        tags=list(dict.fromkeys([*_listed(tags), *_listed(present.get("tags")), _GENERATED_TAG])),
        results=final_results(trainer.state, trainer.args),
        named_datasets=named,
    )
    front_matter = card.front_matter().to_yaml().strip()
    text = own_text if own_text is not None else f"{_MARK}\n\n{_text(card, trainer)}"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, f"---\n{front_matter}\n---\n{text.rstrip()}\n")


def _text(card: _Card, trainer: Trainer) -> str:
    """Return the card below its front matter."""
    parts = [
        card.introduction(),
        "## Use and limits\n\nTo be written: whom the model serves, and what it must not be used for.",
        "## Data\n\nTo be written: what it was trained and evaluated on, and where that comes from.",
        "## Training",
        "### Hyperparameters\n\n" + _bullets(hyperparameters(trainer)),
    ]
    table = results_table(trainer.state.log_history)
    if table:
        parts.append("### Course of the training\n\n" + _markdown(table))
    parts.append("### Versions\n\n" + _bullets(framework_versions()))
    return "\n\n".join(parts)


def _present_card(path: Path) -> tuple[str | None, dict[str, Any]]:
    """Return the text of the card that is there if a person wrote it, and its front matter."""
    from huggingface_hub import ModelCard

    if not path.is_file():
        return None, {}
    try:
        card = ModelCard.load(path, ignore_metadata_errors=True)
    except ValueError as error:
        logger.warning(f"The front matter of {path} cannot be read ({error}): it is written anew.")
        return path.read_text(encoding="utf-8").rpartition("\n---\n")[2], {}
    return (None if _MARK in card.text else card.text), card.data.to_dict()


def _base_model(model: Any) -> str | None:
    """Return the repository that a model was loaded from; None for a folder, or for new weights."""
    name = getattr(model, "name_or_path", "") or getattr(getattr(model, "config", None), "name_or_path", "")
    return name if name and re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name) and not Path(name).exists() else None


def _license_of(base: str | None) -> str | None:
    """Ask the hub for the licence of the base model; None when it cannot be had at once."""
    from huggingface_hub import HfApi

    if base is None or is_offline():
        return None
    try:
        data = HfApi().model_info(base, timeout=5).card_data
    except Exception as error:  # no connection, no such repository, no right to see it: a draft lacks it then
        logger.info(f"The licence of {base} is not known: {error}")
        return None
    return data.get("license") if data is not None else None


def _tasks_of(model: Any) -> list[str]:
    """Return the task that models of this class do."""
    name = type(model).__name__
    for task, entry in SUPPORTED_TASKS.items():
        for loader in entry["pt"]:
            if any(name == model_class for _, model_class in model_classes(loader.removeprefix("AutoModel"))):
                return [task]
    return ["multiple-choice"] if name.endswith("ForMultipleChoice") else []


def _datasets(
    trainer: Trainer, tags: list[str], names: list[str], args: list[str]
) -> tuple[list[_DataSet], list[str]]:
    """Return the data sets that are on the hub, and the names of all for readers."""
    used = trainer.eval_dataset if trainer.eval_dataset is not None else trainer.train_dataset
    if isinstance(used, dict):
        used = next(iter(used.values()), None)
    info = getattr(used, "info", None)
    split = getattr(used, "split", None)
    config = getattr(used, "config_name", None)
    config = None if config in (None, "default") else config
    if not tags and info is not None:
        tags = _tags_of(info)
    names = names + tags[len(names) :]
    found = []
    for index, tag in enumerate(tags):
        argument = args[index] if index < len(args) else config
        found.append(_DataSet(tag, names[index], config, str(split) if split else None, argument))
    return found, names


def _tags_of(info: Any) -> list[str]:
    """Return the repository of a data set that `datasets` loaded from a hub; nothing for local files."""
    for source in info.download_checksums or {}:
        if match := _HUB_SOURCE.match(str(source)):
            return [match[1]]
    builder = info.builder_name
    return [builder] if builder and builder not in _PACKAGED_BUILDERS else []


def _metric_type(name: str) -> str:
    """Return the metric's identifier on the hub: the three kinds of ROUGE are one metric there."""
    return "rouge" if name.startswith("rouge") else name


def readable(name: str) -> str:
    """Return "Exact match" for `exact_match`."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def shown(value: Any) -> str:
    """Return a number with four digits after the point."""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _bullets(entries: dict[str, Any]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in entries.items())


def _markdown(rows: list[dict[str, Any]]) -> str:
    """Return a table; its columns are the keys of all rows."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [columns, ["---:"] * len(columns)]
    lines += [[shown(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(_cells(line))} |" for line in lines)


def _cells(line: Iterable[Any]) -> list[str]:
    return [str(cell).replace("|", "\\|") for cell in line]
