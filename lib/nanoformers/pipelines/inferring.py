"""Which task a model on the hub is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .registry import PIPELINE_REGISTRY

_LIBRARIES = (None, "transformers", "nanoformers")


def get_task(
    model: Any,
    token: str | bool | None = None,
    revision: str | None = None,
    use_auth_token: str | bool | None = None,
) -> str:
    """Read the task of a repository from its `pipeline_tag` on the hub.

    Args:
        model: name of the repository.
        token: access token for the hub, or True for the stored one.
        revision: branch, tag or commit.
        use_auth_token: the older spelling of `token`.

    Raises:
        RuntimeError: it cannot be read, or the model is made for another library.
    """
    from ..hub import is_offline

    if model is None:
        raise RuntimeError(
            "Impossible to instantiate a pipeline without either a task or a model being specified. "
            f"Pass a task, one of {_tasks()}, or the name of a model on the hub."
        )
    if not isinstance(model, str):
        raise RuntimeError(
            "Inferring the task automatically requires to check the hub with a model_id defined as a `str`; "
            f"a {type(model).__name__} has no page there. Pass `task`, one of {_tasks()}."
        )
    if Path(model).is_dir():
        raise RuntimeError(
            f"{model} is a local folder, and the task is read from a model's page on the hub. "
            f"Pass `task`, one of {_tasks()}."
        )
    if is_offline():
        raise RuntimeError(
            "You cannot infer task automatically within `pipeline` when using offline mode. "
            f"Pass `task`, one of {_tasks()}."
        )
    from huggingface_hub import model_info

    try:
        info = model_info(model, revision=revision, token=use_auth_token if token is None else token)
    except Exception as error:  # the client's own, and those of the HTTP library that it is built on
        raise RuntimeError(
            f"The hub could not say which task {model} is for ({error}). Check the name, or pass `task`, "
            f"one of {_tasks()}."
        ) from error
    if not info.pipeline_tag:
        raise RuntimeError(
            f"The model {model} does not seem to have a correct `pipeline_tag` set to infer the task "
            f"automatically. Pass `task`, one of {_tasks()}."
        )
    if info.library_name not in _LIBRARIES:
        raise RuntimeError(
            f"This model is meant to be used with {info.library_name} not with transformers: {model} cannot "
            "be loaded here. Choose another model."
        )
    return info.pipeline_tag


def _tasks() -> list[str]:
    return PIPELINE_REGISTRY.get_supported_tasks()
