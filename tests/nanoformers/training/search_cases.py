"""A search that takes seconds, and cases that need processes: `python search_cases.py CASE FOLDER`."""

import json
import os
import sys
from pathlib import Path

import numpy as np
from nanoformers import BertConfig, BertForSequenceClassification
from nanoformers.training import PrinterCallback, Trainer, TrainerCallback, TrainingArguments


def examples(count, seed):
    """Twelve tokens each; the label says whether there are many multiples of three."""
    ids = np.random.default_rng(seed).integers(5, 60, size=(count, 12))
    return [
        {"input_ids": row.tolist(), "attention_mask": [1] * 12, "labels": int((row % 3 == 0).sum() > 3)}
        for row in ids
    ]


def new_model():
    """A classifier that takes a few milliseconds a step."""
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=64,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=16,
        )
    )


def accuracy(prediction):
    return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}


def loss(metrics):
    return metrics["eval_loss"]


def missing(metrics):
    return metrics["eval_of_mine"]


def space(trial):
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
        "per_device_train_batch_size": trial.suggest_categorical("per_device_train_batch_size", [8, 32]),
    }


def make_trainer(folder, model_init=new_model, callbacks=None, **settings):
    defaults = {
        "max_steps": 8,
        "eval_strategy": "steps",
        "eval_steps": 4,
        "logging_strategy": "no",
        "save_strategy": "no",
        "disable_tqdm": True,
        "use_cpu": True,
    }
    trainer = Trainer(
        args=TrainingArguments(str(folder), **(defaults | settings)),
        model_init=model_init,
        train_dataset=examples(128, 0),
        eval_dataset=examples(64, 1),
        compute_metrics=accuracy,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def message_of(function, **arguments):
    """The message of the error that a call ends with."""
    try:
        function(**arguments)
    except (RuntimeError, ValueError) as error:
        return str(error)
    return "no error"


class Names(TrainerCallback):
    """Notes the names of trials."""

    def __init__(self):
        self.names = []

    def on_train_begin(self, args, state, control, **kwargs):
        self.names.append(state.trial_name)


def both(folder):
    """A search in two processes, whose first trial is stopped early."""
    import optuna
    import torch

    class FirstPruned(optuna.pruners.BasePruner):
        def prune(self, study, trial):
            return trial.number == 0

    names = Names()
    trainer = make_trainer(folder / "out", callbacks=[names])
    best = trainer.hyperparameter_search(space, loss, n_trials=3, pruner=FirstPruned())
    found = {
        "objective": best and best.objective,
        "states": [trial.state.name for trial in best.run_summary.trials] if best else None,
        "names": names.names,
        "weights": sum(parameter.double().sum().item() for parameter in trainer.model.parameters()),
        "ray": message_of(trainer.hyperparameter_search, hp_space=space, n_trials=1, backend="ray"),
    }
    found["threads"] = message_of(trainer.hyperparameter_search, hp_space=space, n_trials=1, n_jobs=2)
    rank = trainer.args.process_index
    (folder / f"both-{rank}.json").write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


def ray(folder):
    """A search that starts Ray, and one in a Ray that runs already."""
    import psutil
    import ray
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler, PopulationBasedTraining

    def space(trial):
        sizes = tune.choice(["8", "32"])
        return {"learning_rate": tune.loguniform(1e-4, 1e-1), "per_device_train_batch_size": sizes}

    trainer = make_trainer(folder / "out", save_strategy="steps", save_steps=8)

    def search(**settings):
        return trainer.hyperparameter_search(space, loss, n_trials=4, backend="ray", **settings)

    first = search()
    trials = first.run_summary.trials
    found = {
        "best": {"objective": first.objective, "run_id": first.run_id, "values": first.hyperparameters},
        "ids": [trial.trial_id for trial in trials],
        "objectives": [trial.last_result["objective"] for trial in trials],
        "workers": [trial.last_result["pid"] for trial in trials],
        "tried": [trial.config for trial in trials],
        "folders": sorted(path.name for path in (folder / "out").glob("run-*")),
        "left": [child.name() for child in psutil.Process().children(recursive=True)],
    }
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    stops = ASHAScheduler(metric="objective", mode="min", grace_period=1, reduction_factor=2)
    second = search(scheduler=stops).run_summary.trials
    found["tried_again"] = [trial.config for trial in second]
    found["iterations"] = [trial.last_result["training_iteration"] for trial in second]
    found["still_runs"] = ray.is_initialized()
    found["failed"] = message_of(
        trainer.hyperparameter_search,
        hp_space=space,
        compute_objective=missing,
        n_trials=1,
        backend="ray",
    )
    mutations = PopulationBasedTraining(hyperparam_mutations={"learning_rate": [0.1]})
    found["population"] = message_of(search, scheduler=mutations)
    trainer.args.eval_strategy = "no"
    found["without_evaluation"] = message_of(search, scheduler=stops)
    (folder / "ray.json").write_text(json.dumps(found))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    {"both": both, "ray": ray}[sys.argv[1]](Path(sys.argv[2]))
