"""The back ends of a search: which are installed, and what each needs.

Mirrors the back ends of the documentation page `hpo_train`.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, ClassVar

from ...utils import logging
from . import spaces
from .results import BestRun, HPSearchBackend

if TYPE_CHECKING:
    from ..trainer import Trainer

__all__ = [
    "ALL_HYPERPARAMETER_SEARCH_BACKENDS",
    "OptunaBackend",
    "RayTuneBackend",
    "SearchBackend",
    "SigOptBackend",
    "WandbBackend",
    "default_hp_search_backend",
]

logger = logging.get_logger(__name__)


class SearchBackend:
    """A library that proposes hyperparameters: how to get it, its default space, and how to run it."""

    name: ClassVar[str]
    module: ClassVar[str]
    pip_package: ClassVar[str]
    service: ClassVar[str] = ""  # what it needs besides its package

    @classmethod
    def is_available(cls) -> bool:
        """Tell whether a search can run with it here."""
        return not cls.service and importlib.util.find_spec(cls.module) is not None

    @classmethod
    def pip_install(cls) -> str:
        """Return the command that installs it."""
        return f"`pip install {cls.pip_package}`"

    @classmethod
    def ensure_available(cls) -> None:
        """Check that a search can run with it here.

        Raises:
            RuntimeError: it is not installed, or needs a service that this library does not speak to.
        """
        if cls.service:
            raise RuntimeError(
                f"You picked the {cls.name} backend, but {cls.service}. Its spaces are understood: pass the "
                'function that returns one as hp_space with backend="optuna".'
            )
        if not cls.is_available():
            raise RuntimeError(
                f"You picked the {cls.name} backend, but it is not installed. Run {cls.pip_install()}."
            )

    @staticmethod
    def default_hp_space(trial: Any) -> Any:
        """Return the space that is searched when none is given."""
        raise TypeError("A search back end has to define `default_hp_space`.")

    @staticmethod
    def run(
        trainer: Trainer, n_trials: int, direction: str | list[str], **kwargs: Any
    ) -> BestRun | list[BestRun] | None:
        """Run the trials and return the best."""
        raise TypeError("A search back end has to define `run`.")


class OptunaBackend(SearchBackend):
    """Optuna: one or several objectives, pruning, several processes."""

    name, module, pip_package = "optuna", "optuna", "optuna"
    default_hp_space = staticmethod(spaces.default_hp_space_optuna)

    @staticmethod
    def run(
        trainer: Trainer, n_trials: int, direction: str | list[str], **kwargs: Any
    ) -> BestRun | list[BestRun] | None:
        """Run the trials and return the best."""
        from .optuna_backend import run_optuna

        return run_optuna(trainer, n_trials, direction, **kwargs)


class RayTuneBackend(SearchBackend):
    """Ray Tune: trials side by side in processes of their own."""

    name, module, pip_package = "ray", "ray.tune", "'ray[tune]'"
    default_hp_space = staticmethod(spaces.default_hp_space_ray)

    @classmethod
    def is_available(cls) -> bool:
        """Tell whether Ray and what its Tune needs are installed."""
        return all(importlib.util.find_spec(name) is not None for name in ("ray", "pyarrow", "tensorboardX"))

    @staticmethod
    def run(
        trainer: Trainer, n_trials: int, direction: str | list[str], **kwargs: Any
    ) -> BestRun | list[BestRun] | None:
        """Run the trials and return the best."""
        from .ray_backend import run_ray

        return run_ray(trainer, n_trials, direction, **kwargs)


class SigOptBackend(SearchBackend):
    """SigOpt, a service that has ended; its spaces are still read."""

    name, module, pip_package = "sigopt", "sigopt", "sigopt"
    service = "SigOpt is a hosted service that this library does not speak to (its last client is of 2024)"
    default_hp_space = staticmethod(spaces.default_hp_space_sigopt)


class WandbBackend(SearchBackend):
    """Weights & Biases sweeps: the service proposes the values, so there is nothing to run without it."""

    name, module, pip_package = "wandb", "wandb", "wandb"
    service = "a sweep of Weights & Biases is run by its server, which this library does not speak to"
    default_hp_space = staticmethod(spaces.default_hp_space_wandb)


ALL_HYPERPARAMETER_SEARCH_BACKENDS: dict[HPSearchBackend, type[SearchBackend]] = {
    HPSearchBackend.OPTUNA: OptunaBackend,
    HPSearchBackend.RAY: RayTuneBackend,
    HPSearchBackend.SIGOPT: SigOptBackend,
    HPSearchBackend.WANDB: WandbBackend,
}


def default_hp_search_backend() -> str:
    """Return the name of the first back end that is installed: optuna, then ray.

    Raises:
        RuntimeError: there is none.
    """
    available = [
        backend.name for backend in ALL_HYPERPARAMETER_SEARCH_BACKENDS.values() if backend.is_available()
    ]
    if not available:
        commands = [
            f" - To install {backend.name} run {backend.pip_install()}"
            for backend in ALL_HYPERPARAMETER_SEARCH_BACKENDS.values()
            if not backend.service
        ]
        raise RuntimeError("\n".join(["No hyperparameter search backend available.", *commands]))
    if len(available) > 1:
        logger.info(f"{len(available)} hyperparameter search backends available. Using {available[0]}.")
    return available[0]
