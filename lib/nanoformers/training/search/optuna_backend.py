"""Search with Optuna.

Mirrors the back end `optuna` of the documentation page `hpo_train`: https://optuna.readthedocs.io.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .results import BestRun
from .spaces import suggest
from .trials import Objective, Trial, cast_values, run_trial, trial_name

if TYPE_CHECKING:
    import optuna

    from ..trainer import Trainer

__all__ = ["run_optuna"]

VALUES = "hyperparameters"  # user attribute of an Optuna trial: the values that were set


def run_optuna(
    trainer: Trainer, n_trials: int, direction: str | list[str], **kwargs: Any
) -> BestRun | list[BestRun] | None:
    """Run a study and return its best trial, or the Pareto front where there are several directions.

    Args:
        trainer: with `hp_space`, `compute_objective`, `hp_name` set.
        n_trials: trials to run.
        direction: one, or one for each objective.
        kwargs: of `optuna.create_study` and of `Study.optimize`. Without a `sampler`, values are drawn with
            the seed of the training arguments; a study that goes on draws others than it has tried.

    Returns:
        In several processes, the main one gets the result and the others None.

    Raises:
        TypeError: an argument that neither function has.
        RuntimeError: no trial was completed.
    """
    import optuna

    kwargs["direction" if isinstance(direction, str) else "directions"] = direction
    for_study, for_optimize = _split(kwargs)
    alone = for_optimize.get("n_jobs", 1) == 1
    if not alone and trainer.args.world_size > 1:
        raise ValueError(
            f"n_jobs={for_optimize['n_jobs']} runs trials in threads; with several processes it has to be 1."
        )
    if trainer.args.process_index > 0:
        _follow(trainer)
        return None
    trainers = _TrainerOfThread(trainer, alone)

    def objective(trial: optuna.Trial) -> Objective:
        own = trainers.get()
        values = cast_values(own.args, suggest(own.hp_space(trial), trial))
        trial.set_user_attr(VALUES, values)
        name = trial_name(own, trial, trial.number)
        if own.args.world_size > 1:
            own.engine.share((name, values, optuna.trial.FixedTrial(trial.params, trial.number)))

        def report(objective: Objective, step: int) -> None:
            prune = False
            _check(objective, direction)
            if isinstance(direction, str):
                trial.report(float(objective), step)  # type: ignore[arg-type]
                prune = trial.should_prune()
            if own.engine.share(prune) if own.args.world_size > 1 else prune:
                raise optuna.TrialPruned(f"stopped at step {step}")

        result = run_trial(own, Trial(trial, name, values, report))
        _check(result, direction)
        return result

    try:
        study = optuna.create_study(**for_study)
        if for_study.get("sampler") is None:
            tried = len(study.get_trials(deepcopy=False))
            study.sampler = optuna.samplers.TPESampler(seed=trainer.args.seed + tried)
        study.optimize(objective, n_trials=n_trials, **for_optimize)
    finally:
        if trainer.args.world_size > 1:
            trainer.engine.share(None)  # the others may go on
    return _best(study)


def _check(objective: Any, direction: str | list[str]) -> None:
    """Refuse an objective that is no number, or is not one for each direction."""
    several = isinstance(objective, Sequence) and not isinstance(objective, str)
    values = list(objective) if several else [objective]
    try:
        for value in values:
            float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"compute_objective has to return a number (or several); it returned {objective!r}."
        ) from error
    found = len(values)
    wanted = 1 if isinstance(direction, str) else len(direction)
    if found != wanted:
        raise ValueError(
            f"compute_objective gives {found} value(s), and direction={direction!r} asks for {wanted}: "
            "let it return one value for each direction."
        )


def _best(study: optuna.Study) -> BestRun | list[BestRun]:
    def as_run(trial: Any) -> BestRun:
        objective = trial.values if len(study.directions) > 1 else trial.value
        return BestRun(str(trial.number), objective, trial.user_attrs.get(VALUES, trial.params), study)

    import optuna

    if not study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)):
        raise RuntimeError(
            f"None of the {len(study.trials)} trials was completed: all were stopped early or failed (one "
            "whose objective is NaN has failed). A pruner with more warm-up steps stops fewer."
        )
    return (
        [as_run(trial) for trial in study.best_trials]
        if len(study.directions) > 1
        else as_run(study.best_trial)
    )


def _follow(trainer: Trainer) -> None:
    """Train what the main process proposes, until it proposes nothing more."""
    import optuna

    def report(objective: Objective, step: int) -> None:
        if trainer.engine.share(None):
            raise optuna.TrialPruned(f"stopped at step {step}")

    while (proposed := trainer.engine.share(None)) is not None:
        name, values, source = proposed
        try:
            run_trial(trainer, Trial(source, name, values, report))
        except optuna.TrialPruned:
            continue


def _split(kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments of `create_study`, and those of `Study.optimize`."""
    import optuna

    of_study = set(inspect.signature(optuna.create_study).parameters)
    of_optimize = set(inspect.signature(optuna.Study.optimize).parameters) - {"self", "func", "n_trials"}
    unknown = kwargs.keys() - of_study - of_optimize
    if unknown:
        raise TypeError(
            f"hyperparameter_search got {', '.join(sorted(unknown))}; with Optuna it takes "
            f"{', '.join(sorted(of_study | of_optimize))}."
        )
    return (
        {name: value for name, value in kwargs.items() if name in of_study},
        {name: value for name, value in kwargs.items() if name in of_optimize},
    )


class _TrainerOfThread:
    """Gives each thread of a study a Trainer of its own; a study without threads uses the one there is."""

    def __init__(self, trainer: Trainer, alone: bool) -> None:
        self._trainer = trainer
        self._alone = alone
        self._local = threading.local()
        self._copying = threading.Lock()

    def get(self) -> Trainer:
        if self._alone:
            return self._trainer
        if not hasattr(self._local, "trainer"):
            from .copies import copy_of_trainer

            with self._copying:
                self._local.trainer = copy_of_trainer(self._trainer)
            self._local.trainer.create_accelerator_and_postprocess()
        return self._local.trainer
