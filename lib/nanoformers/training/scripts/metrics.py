"""Metrics of the scripts, fetched when they are needed."""

from __future__ import annotations

from typing import Any

__all__ = ["load_metric"]


def load_metric(name: str, configuration: str | None = None) -> Any:
    """Return a metric of evaluate, an object with `compute(predictions=..., references=...)`.

    The package is imported here and not when a script starts: it takes seconds, which `--help` and a
    training without metrics need not wait for.

    Args:
        name: on the hub, such as "rouge".
        configuration: of the metric, such as the task of "glue".

    Raises:
        ImportError: the package evaluate is not installed.
    """
    try:
        import evaluate
    except ImportError as error:
        raise ImportError("The example scripts measure with evaluate: pip install evaluate.") from error
    return evaluate.load(name, configuration)
