"""Reporting to Weights & Biases, MLflow, DVCLive and CodeCarbon; each also works without a server.

Mirrors the callbacks of the same names on the documentation page `main_classes/callback`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..state import TrainerState
from .reporting import ReportingCallback

if TYPE_CHECKING:
    from ..arguments import TrainingArguments

__all__ = ["CodeCarbonCallback", "DVCLiveCallback", "MLflowCallback", "WandbCallback"]


class WandbCallback(ReportingCallback):
    """Reports to Weights & Biases; the environment variable WANDB_MODE=offline keeps a run on this machine.

    WANDB_PROJECT names the project (default "huggingface", as documented).
    """

    package = "wandb"
    install = "pip install wandb"

    def open(self, args: TrainingArguments, state: TrainerState, model: Any) -> None:
        """Begin a run, unless the caller has begun one."""
        import wandb

        self._own = wandb.run is None
        if self._own:
            wandb.init(
                project=os.environ.get("WANDB_PROJECT", "huggingface"),
                name=state.trial_name or args.run_name,
                config=_settings(args, model),
                dir=str(args.output_dir),
            )
        wandb.define_metric("train/global_step")
        wandb.define_metric("*", step_metric="train/global_step", step_sync=True)

    def write(self, logs: dict[str, Any], state: TrainerState) -> None:
        """Send one row."""
        import wandb

        wandb.log({**logs, "train/global_step": state.global_step})

    def close(self) -> None:
        """End the run that was begun here."""
        import wandb

        if self._own:
            wandb.finish()


class MLflowCallback(ReportingCallback):
    """Reports to MLflow: to MLFLOW_TRACKING_URI, which may be a folder or a database file of this machine."""

    package = "mlflow"
    install = "pip install mlflow"

    def open(self, args: TrainingArguments, state: TrainerState, model: Any) -> None:
        """Begin a run (inside the caller's, if there is one) and store what it was started with."""
        import mlflow

        if experiment := os.environ.get("MLFLOW_EXPERIMENT_NAME"):
            mlflow.set_experiment(experiment)
        mlflow.start_run(run_name=state.trial_name or args.run_name, nested=mlflow.active_run() is not None)
        settings = {name: str(value)[:500] for name, value in _settings(args, model).items()}
        for start in range(0, len(settings), 100):  # MLflow takes a hundred at a time, of 500 characters
            mlflow.log_params(dict(list(settings.items())[start : start + 100]))

    def write(self, logs: dict[str, Any], state: TrainerState) -> None:
        """Send the numbers of one log."""
        import mlflow

        numbers = {name: value for name, value in logs.items() if not isinstance(value, str)}
        mlflow.log_metrics(numbers, step=state.global_step)

    def close(self) -> None:
        """End the run."""
        import mlflow

        mlflow.end_run()


class DVCLiveCallback(ReportingCallback):
    """Reports to DVCLive: files in the folder `dvclive`, or those of a `Live` that you give.

    Args:
        live: the `dvclive.Live` to use; ending it is up to you.
    """

    package = "dvclive"
    install = "pip install dvclive"

    def __init__(self, live: Any = None) -> None:
        super().__init__()
        self._given = live
        self.live = live

    def open(self, args: TrainingArguments, state: TrainerState, model: Any) -> None:
        """Begin a run and store what it was started with."""
        if self._given is None:
            from dvclive import Live

            self.live = Live()
        self.live.log_params(args.to_sanitized_dict())

    def write(self, logs: dict[str, Any], state: TrainerState) -> None:
        """Write the numbers of one log at the current step."""
        for name, value in logs.items():
            if not isinstance(value, str):
                self.live.log_metric(name, value)
        self.live.step = state.global_step
        self.live.sync()

    def close(self) -> None:
        """End the run that was begun here."""
        if self._given is None:
            self.live.end()


class CodeCarbonCallback(ReportingCallback):
    """Measures the energy of a training with CodeCarbon; `emissions.csv` in `output_dir` has the result."""

    package = "codecarbon"
    install = "pip install codecarbon"

    def open(self, args: TrainingArguments, state: TrainerState, model: Any) -> None:
        """Begin to measure."""
        from codecarbon import EmissionsTracker

        Path(str(args.output_dir)).mkdir(parents=True, exist_ok=True)
        self._tracker = EmissionsTracker(output_dir=str(args.output_dir), log_level="error")
        self._tracker.start()

    def close(self) -> None:
        """Stop, and write the file."""
        self._tracker.stop()


def _settings(args: TrainingArguments, model: Any) -> dict[str, Any]:
    """The model's configuration and the training arguments, in one table."""
    config: Any = getattr(model, "config", None)
    return {**(config.to_dict() if hasattr(config, "to_dict") else {}), **args.to_dict()}
