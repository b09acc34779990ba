"""Search with Ray Tune: trials side by side, each in a process of its own.

Mirrors the back end `ray` of the documentation page `hpo_train`: https://docs.ray.io/en/latest/tune/.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..choices import IntervalStrategy
from .copies import copy_of_trainer
from .results import BestRun
from .trials import Objective, Trial, cast_values, run_trial, trial_name

if TYPE_CHECKING:
    from ..trainer import Trainer

__all__ = ["run_ray"]

# Read by Ray when it starts: it sends no statistics, prints no banners, and leaves a worker in its folder.
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
}


def run_ray(trainer: Trainer, n_trials: int, direction: str | list[str], **kwargs: Any) -> BestRun:
    """Run the trials, as many at a time as there are free cores, and return the best.

    A Ray that runs already is used; otherwise one is started on this machine and shut down at the end. The
    Trainer is sent to the workers without its model, which each trial makes with `model_init`.

    Args:
        trainer: with `hp_space`, `compute_objective`, `hp_name` set.
        n_trials: trials to run.
        direction: "minimize" or "maximize".
        kwargs: of `ray.tune.run`. Unless given: one core (and one GPU, if there are any) a trial, values
            drawn with the seed of the training arguments, results below `output_dir`, no progress tables.

    Raises:
        RuntimeError: a scheduler that stops trials early would hear of no evaluation; or a trial failed.
        TypeError: `hp_space` gives no space of Ray Tune.
    """
    _check_scheduler(trainer, kwargs.get("scheduler"))
    space = _space_of(trainer)
    with _ray_running():
        from ray import tune
        from ray.tune import TuneError
        from ray.tune.search.basic_variant import BasicVariantGenerator

        defaults: dict[str, Any] = {
            "resources_per_trial": {"cpu": 1, **({"gpu": 1} if trainer.args.n_gpu > 0 else {})},
            "storage_path": str(Path(str(trainer.args.output_dir)).absolute() / "ray"),
            "name": "search",
            "verbose": 0,
            "progress_reporter": tune.CLIReporter(metric_columns=["objective"]),
            "reuse_actors": True,
            "log_to_file": False,
        }
        if "search_alg" not in kwargs:
            defaults["search_alg"] = BasicVariantGenerator(random_state=trainer.args.seed)
        try:
            analysis = tune.run(
                tune.with_parameters(_train, trainer=copy_of_trainer(trainer)),
                config=space,
                num_samples=n_trials,
                **(defaults | kwargs),
            )
        except TuneError as error:
            raise RuntimeError(_what_failed(error)) from error
        best = analysis.get_best_trial(
            metric="objective", mode=str(direction)[:3], scope=trainer.args.ray_scope or "last"
        )
        if best is None:
            raise RuntimeError(f"None of the {n_trials} trials of Ray Tune reported an objective.")
        values = cast_values(trainer.args, best.config)
        return BestRun(best.trial_id, best.last_result["objective"], values, analysis)


def _train(config: dict[str, Any], trainer: Trainer) -> None:
    """Run one trial, in a worker of Ray."""
    from ray import tune

    trainer.create_accelerator_and_postprocess()
    number = tune.get_context().get_trial_id()
    reported = False

    def report(objective: Objective, step: int) -> None:
        nonlocal reported
        reported = True
        tune.report({"objective": objective, "step": step})

    values = cast_values(trainer.args, config)
    objective = run_trial(trainer, Trial(config, trial_name(trainer, config, number), values, report))
    if not reported:
        tune.report({"objective": objective, "step": trainer.state.global_step})


def _space_of(trainer: Trainer) -> dict[str, Any]:
    """Return what `hp_space` gives, which Ray asks once and before there is any trial."""
    advice = (
        'with backend="ray", hp_space gets None in place of a trial and returns a dictionary from fields of '
        'TrainingArguments to distributions: {"learning_rate": ray.tune.loguniform(1e-5, 1e-3)}.'
    )
    try:
        space = trainer.hp_space(None)
    except AttributeError as error:  # None has no `suggest_float`
        raise TypeError(f"hp_space failed ({error}): {advice}") from error
    if not isinstance(space, dict):
        raise TypeError(f"hp_space returned {space!r}: {advice}")
    return space


def _what_failed(error: Exception) -> str:
    """Return what Ray's error is about: the names of the trials that failed, and the last words of one."""
    _, trials, *_ = (*error.args, None, None)
    if not trials:
        return f"Ray Tune failed: {error}"
    reason = str(trials[0].get_error() or "").strip().splitlines()[-1:]
    names = ", ".join(str(trial) for trial in trials)
    return f"Trials of Ray Tune failed ({names}): {''.join(reason)}"


def _check_scheduler(trainer: Trainer, scheduler: Any) -> None:
    name = type(scheduler).__name__
    if scheduler is None or name == "FIFOScheduler":
        return
    if name.startswith(("PopulationBased", "PB2")):
        raise RuntimeError(
            f"{name} moves weights from one trial into another, which this search does not do. Use a "
            "scheduler that only stops trials, such as ASHAScheduler or MedianStoppingRule."
        )
    if trainer.args.eval_strategy == IntervalStrategy.NO:
        raise RuntimeError(
            f"You are using {name} as a scheduler but you haven't enabled evaluation during training: it "
            'would hear of no results and stop nothing. Set eval_strategy="steps" (or "epoch").'
        )


def _start_ray() -> None:
    """Start a Ray here; on a busy machine, where half a minute was not enough, try again twice."""
    import ray

    for chance in range(3):
        try:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
            return
        except Exception as error:  # Ray raises nothing more special
            ray.shutdown()
            if "timed out" not in str(error) or chance == 2:
                raise RuntimeError(
                    f"Ray did not start on this machine: {error} Free some of it, or start one yourself with "
                    "ray.init(...) before the search."
                ) from error


@contextmanager
def _ray_running() -> Iterator[None]:
    """Have a Ray; one that is started here is shut down again."""
    set_here = [name for name in SETTINGS if name not in os.environ]
    os.environ.update({name: SETTINGS[name] for name in set_here})
    import ray

    own = not ray.is_initialized()
    try:
        if own:
            _start_ray()
        yield
    finally:
        if own:
            ray.shutdown()
        for name in set_here:
            del os.environ[name]
