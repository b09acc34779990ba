"""The search itself, as `Trainer.hyperparameter_search` runs it.

Mirrors the documentation page `hpo_train`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...utils import logging
from ..choices import ParallelMode
from .backends import ALL_HYPERPARAMETER_SEARCH_BACKENDS, default_hp_search_backend
from .results import BestRun, HPSearchBackend, default_compute_objective

if TYPE_CHECKING:
    from ..trainer import Trainer

__all__ = ["hyperparameter_search"]

logger = logging.get_logger(__name__)

DIRECTIONS = ("minimize", "maximize")


def hyperparameter_search(
    trainer: Trainer,
    hp_space: Callable[[Any], Any] | None = None,
    compute_objective: Callable[[dict[str, float]], Any] | None = None,
    n_trials: int = 20,
    direction: str | list[str] = "minimize",
    backend: str | HPSearchBackend | None = None,
    hp_name: Callable[[Any], str] | None = None,
    **kwargs: Any,
) -> BestRun | list[BestRun] | None:
    """Train many times with different arguments and return the best run.

    Each trial makes its model anew with `model_init`, and writes into `run-<trial>` inside `output_dir`. With
    the same `seed` in the training arguments, the same values are tried. Afterwards the arguments are what
    they were before; set those of the best run to use them: `setattr(trainer.args, name, value)`.

    Args:
        trainer: a Trainer that was given `model_init`.
        hp_space: a function from a trial to the values to try, or to the space, in the back end's form; with
            Optuna also in the form of SigOpt or of Weights & Biases.
        compute_objective: from the metrics of an evaluation to the objective (several for a list of
            directions); `default_compute_objective` if not given.
        n_trials: trials to run.
        direction: "minimize" or "maximize", or a list of them for several objectives (Optuna only).
        backend: "optuna" or "ray"; the first that is installed if not given.
        hp_name: a function from a trial to its name, in place of `run-<trial>`.
        kwargs: for Optuna those of `create_study` (`sampler`, `pruner`, `storage`, `study_name`, ...) and of
            `Study.optimize` (`timeout`, `n_jobs`, ...); for Ray those of `ray.tune.run`.

    Returns:
        The best run; for several directions the Pareto front, a list of runs none of which is beaten in all
        objectives. None on all but the main process.

    Raises:
        RuntimeError: the Trainer has no `model_init`, or the back end is not available.
        TypeError: `hp_space`, `compute_objective` or `hp_name` is no function.
        ValueError: an unknown back end or direction, or a back end that cannot do what is asked.
    """
    chosen = HPSearchBackend(default_hp_search_backend() if backend is None else backend)
    engine = ALL_HYPERPARAMETER_SEARCH_BACKENDS[chosen]
    engine.ensure_available()
    if trainer.model_init is None:
        raise RuntimeError(
            "To use hyperparameter search, you need to pass your model through a model_init function: every "
            "trial begins with a new model. Trainer(model_init=lambda: ...)"
        )
    given = {"hp_space": hp_space, "compute_objective": compute_objective, "hp_name": hp_name}
    for name, function in given.items():
        if function is not None and not callable(function):
            raise TypeError(f"{name} has to be a function; it is {function!r}.")
    _check(trainer, chosen, n_trials, direction)
    trainer.hp_search_backend = chosen
    trainer.hp_space = engine.default_hp_space if hp_space is None else hp_space
    trainer.hp_name = hp_name
    trainer.compute_objective = compute_objective or default_compute_objective
    try:
        return engine.run(trainer, n_trials, direction, **kwargs)
    finally:
        trainer.hp_search_backend = None


def _check(trainer: Trainer, backend: HPSearchBackend, n_trials: int, direction: str | list[str]) -> None:
    directions = [direction] if isinstance(direction, str) else list(direction)
    if not directions or any(one not in DIRECTIONS for one in directions):
        raise ValueError(f'direction={direction!r}: it is "minimize", "maximize", or a list of these.')
    if n_trials is not None and n_trials < 1:
        raise ValueError(f"n_trials={n_trials}: a search has at least one trial.")
    if backend is not HPSearchBackend.OPTUNA and not isinstance(direction, str):
        raise ValueError(
            f'Several directions need backend="optuna"; {backend.value} optimises one objective at a time.'
        )
    if trainer.args.parallel_mode == ParallelMode.NOT_PARALLEL:
        return
    if trainer.args.parallel_mode != ParallelMode.DISTRIBUTED or backend is not HPSearchBackend.OPTUNA:
        raise RuntimeError(
            "only support DDP optuna HPO for ParallelMode.DISTRIBUTED currently: in several processes, use "
            'backend="optuna" and start them with torchrun or accelerate launch.'
        )
