"""Pipelines whose code is kept with a checkpoint: `custom_pipelines` in its configuration.

    {"custom_pipelines": {"task": {"impl": "module.Class", "pt": ["AutoModel"], "type": "text"}}}

Mirrors the documentation page `add_new_pipeline`.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dynamic_modules import custom_object_save, get_class_from_dynamic_module

if TYPE_CHECKING:
    from .base import Pipeline

_PACKAGE = __name__.partition(".")[0]


def custom_tasks(config: Any) -> dict[str, dict[str, Any]]:
    """Return the tasks that a configuration describes (none, when it is not loaded)."""
    return getattr(config, "custom_pipelines", None) or {}


def the_only_task(tasks: dict[str, dict[str, Any]]) -> str | None:
    """Return the task of a checkpoint that describes one; None when it describes none.

    Raises:
        RuntimeError: it describes several.
    """
    if len(tasks) > 1:
        raise RuntimeError(
            "We can't infer the task automatically for this model as there are multiple tasks available. "
            f"Pick one in {', '.join(tasks)}"
        )
    return next(iter(tasks), None)


def custom_entry(
    description: dict[str, Any],
    name_or_path: str | None,
    pipeline_class: type[Pipeline] | None,
    trust_remote_code: bool | None,
    **where: Any,
) -> dict[str, Any]:
    """Make an entry, like those of the registry, of what a configuration says about a task.

    Args:
        description: "impl", "pt" and perhaps "type".
        name_or_path: the checkpoint, which has the code.
        pipeline_class: a class to use in place of that code.
        trust_remote_code: whether the code may be run.
        where: see `nanoformers.hub.HubOptions`, and `code_revision`.

    Raises:
        RuntimeError: the description has no class.
        ValueError: the code is needed and not trusted.
    """
    if "impl" not in description:
        raise RuntimeError("This model introduces a custom pipeline without specifying its implementation.")
    if pipeline_class is None:
        if not trust_remote_code:
            raise ValueError(
                "Loading this pipeline requires you to execute the code in the pipeline file in that repo on "
                "your local machine. Make sure you have read the code there to avoid malicious use, then set "
                "the option `trust_remote_code=True` to remove this error."
            )
        pipeline_class = get_class_from_dynamic_module(description["impl"], name_or_path or "", **where)
    names = description.get("pt") or ()
    library = importlib.import_module(_PACKAGE)
    classes = tuple(getattr(library, name) for name in ([names] if isinstance(names, str) else names))
    return {"impl": pipeline_class, "pt": classes, "type": description.get("type")}


def save_code(pipeline: Pipeline, folder: Path) -> None:
    """Copy the code of a registered pipeline into a folder, and name it in the model's configuration."""
    cls = type(pipeline)
    registered = vars(cls).get("_registered_impl")
    if registered is None or cls.__module__.partition(".")[0] == _PACKAGE:
        return
    if not custom_object_save(pipeline, folder):
        return
    pipeline.model.config.custom_pipelines = {
        task: {
            **entry,
            "impl": f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}",
            "pt": [model.__name__ for model in entry["pt"]],
            "tf": [model.__name__ for model in entry["tf"]],
        }
        for task, entry in registered.items()
    }
