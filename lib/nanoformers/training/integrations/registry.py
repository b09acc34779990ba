"""The names that `report_to` takes.

Mirrors `TrainingArguments.report_to` of the documentation page `main_classes/trainer`.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from .reporting import ReportingCallback

__all__ = [
    "get_available_reporting_integrations",
    "get_reporting_integration_callbacks",
    "resolve_report_to",
]

_CALLBACKS = {
    "codecarbon": ("services", "CodeCarbonCallback"),
    "dvclive": ("services", "DVCLiveCallback"),
    "mlflow": ("services", "MLflowCallback"),
    "tensorboard": ("tensorboard", "TensorBoardCallback"),
    "wandb": ("services", "WandbCallback"),
}

# Documented too, but each speaks only to a server with an account, which nobody could try here.
_NEEDS_A_SERVER = {
    "azure_ml": "Azure Machine Learning (azureml-core, a workspace)",
    "clearml": "ClearML (a server and its credentials)",
    "comet_ml": "Comet (an API key)",
    "dagshub": "DagsHub (a repository and a token); its MLflow server works through report_to='mlflow'",
    "flyte": "Flyte (a cluster on which the training runs as a task)",
    "neptune": "Neptune (an API token)",
    "swanlab": "SwanLab (an API key)",
    "trackio": "Trackio (a dashboard)",
}


def get_available_reporting_integrations() -> list[str]:
    """Return the names of the services whose packages are installed; `report_to="all"` means them."""
    return [name for name in _CALLBACKS if _callback(name).is_available()]


def resolve_report_to(report_to: str | Sequence[str] | None) -> list[str]:
    """Return the services that `report_to` names, each checked.

    Args:
        report_to: "none" (or None), "all" (what is installed), a name or several.

    Raises:
        ValueError: a name is unknown, or of a service that there is no callback for.
        RuntimeError: the package of a service is not installed.
    """
    names = [report_to] if isinstance(report_to, str) else list(report_to or [])
    if names in ([], ["none"]):
        return []
    if names == ["all"]:
        return get_available_reporting_integrations()
    for name in names:
        if name in _NEEDS_A_SERVER:
            raise ValueError(
                f"report_to={name!r}: reporting to {_NEEDS_A_SERVER[name]} is not built in. Write a "
                f"TrainerCallback whose `on_log` sends the logs, or use one of {_known()}."
            )
        if name not in _CALLBACKS:
            raise ValueError(f'report_to={name!r} is not supported: use "none", "all" or some of {_known()}.')
        callback = _callback(name)
        if not callback.is_available():
            raise RuntimeError(
                f"report_to={name!r} needs the package {callback.package}, which is not installed. "
                f'Run `{callback.install}`, or take report_to="none".'
            )
    return names


def get_reporting_integration_callbacks(
    report_to: str | Sequence[str] | None,
) -> list[type[ReportingCallback]]:
    """Return the classes of the callbacks for `report_to`; raises as `resolve_report_to`."""
    return [_callback(name) for name in resolve_report_to(report_to)]


def _callback(name: str) -> type[ReportingCallback]:
    module, cls = _CALLBACKS[name]
    return getattr(importlib.import_module(f".{module}", __package__), cls)


def _known() -> str:
    return ", ".join(_CALLBACKS)
