"""Hyperparameter search: spaces, objectives, Optuna and Ray Tune, pruning, several processes, errors."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nanoformers.training import (
    BestRun,
    HPSearchBackend,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    default_compute_objective,
    default_hp_search_backend,
    default_hp_space_optuna,
    default_hp_space_ray,
    default_hp_space_sigopt,
    default_hp_space_wandb,
)
from nanoformers.training.search import ALL_HYPERPARAMETER_SEARCH_BACKENDS, OptunaBackend, read_space

optuna = pytest.importorskip("optuna")
transformers = pytest.importorskip("transformers")
optuna.logging.set_verbosity(optuna.logging.WARNING)

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from search_cases import accuracy, examples, loss, make_trainer, new_model, space  # noqa: E402


def run_cases(*command, folder):
    """Run cases of `search_cases.py` in processes of their own."""
    *start, case = command
    done = subprocess.run(
        [sys.executable, *start, str(HERE / "search_cases.py"), case, str(folder)],
        capture_output=True,
        text=True,
        timeout=500,  # Ray takes its time to start on a busy machine
        cwd=folder,
        env=os.environ
        | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE), "RAY_raylet_start_wait_time_s": "120"},
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]


@pytest.fixture
def trainer(tmp_path):
    return make_trainer(tmp_path)


class Watch(TrainerCallback):
    """Notes what each trial trained with."""

    def __init__(self):
        self.trials = []

    def on_train_begin(self, args, state, control, **kwargs):
        self.trials.append(
            (state.trial_name, state.trial_params, args.learning_rate, state.is_hyper_param_search)
        )


class TestObjective:
    def test_the_loss_where_there_are_no_metrics(self):
        metrics = {"eval_loss": 0.5, "epoch": 1.0, "eval_runtime": 3.0, "eval_samples_per_second": 7.0}
        assert default_compute_objective(metrics) == 0.5

    def test_the_sum_of_metrics_otherwise(self):
        metrics = {
            "eval_loss": 0.5,
            "eval_f1": 0.25,
            "eval_accuracy": 0.5,
            "eval_steps_per_second": 9,
            "epoch": 2,
        }
        assert default_compute_objective(metrics) == 0.75
        assert default_compute_objective(metrics) == transformers.trainer_utils.default_compute_objective(
            metrics
        )

    def test_the_metrics_stay_as_they_are(self):
        metrics = {"eval_loss": 0.5, "epoch": 1.0}
        default_compute_objective(metrics)
        assert metrics == {"eval_loss": 0.5, "epoch": 1.0}


class TestSpaces:
    def test_the_default_of_optuna_is_the_documented_one(self):
        values = {"learning_rate": 5e-6, "num_train_epochs": 3, "seed": 7, "per_device_train_batch_size": 16}
        ours, theirs = optuna.trial.FixedTrial(values), optuna.trial.FixedTrial(values)
        assert default_hp_space_optuna(ours) == transformers.trainer_utils.default_hp_space_optuna(theirs)
        assert ours.distributions == theirs.distributions

    def test_the_default_of_ray_is_the_documented_one(self):
        pytest.importorskip("ray.tune")
        ours, theirs = default_hp_space_ray(None), transformers.trainer_utils.default_hp_space_ray(None)
        described = [{name: domain.domain_str for name, domain in one.items()} for one in (ours, theirs)]
        assert described[0] == described[1]

    def test_the_two_services_ask_for_the_same_four(self):
        names = ["learning_rate", "num_train_epochs", "seed", "per_device_train_batch_size"]
        for described in (default_hp_space_sigopt(None), default_hp_space_wandb(None)):
            assert [parameter.name for parameter in read_space(described)] == names

    def test_sigopt_ranges_and_choices(self):
        rate, size = read_space(
            [
                {"bounds": {"min": 1e-6, "max": 1e-4}, "name": "learning_rate", "type": "double"},
                {
                    "categorical_values": ["16", "32"],
                    "name": "per_device_train_batch_size",
                    "type": "categorical",
                },
            ]
        )
        assert (rate.low, rate.high, rate.whole, rate.log) == (1e-6, 1e-4, False, False)
        assert size.choices == ("16", "32")

    def test_wandb_distributions(self):
        parameters = {
            "learning_rate": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-3},
            "weight_decay": {"distribution": "q_uniform", "min": 0, "max": 0.3, "q": 0.1},
            "num_train_epochs": {"min": 1, "max": 6},
            "warmup_ratio": {"min": 0.0, "max": 0.5},
            "max_grad_norm": {"distribution": "log_uniform", "min": 0, "max": 1},
            "per_device_train_batch_size": {"values": [16, 32]},
            "seed": {"value": 3},
        }
        read = {p.name: p for p in read_space({"method": "bayes", "parameters": parameters})}
        assert read["learning_rate"].log
        assert read["weight_decay"].step == 0.1
        assert read["num_train_epochs"].whole
        assert not read["warmup_ratio"].whole
        assert read["max_grad_norm"].high == pytest.approx(np.e)
        assert (read["per_device_train_batch_size"].choices, read["seed"].choices) == ((16, 32), (3,))

    @pytest.mark.parametrize(
        ("described", "complaint"),
        [
            ({"learning_rate": 1}, "This is neither"),
            ([{"type": "double"}], "a dictionary with a `name`"),
            ([{"name": "seed", "type": "float"}], "none of double, int, categorical"),
            ([{"name": "seed", "type": "int"}], "needs `bounds`"),
            ([{"name": "seed", "type": "int", "bounds": {"min": 5, "max": 1}}], "from 5 to 1"),
            ([{"name": "seed", "type": "categorical"}], "categorical_values"),
            (
                [
                    {
                        "name": "learning_rate",
                        "type": "double",
                        "bounds": {"min": 0, "max": 1},
                        "transformation": "log",
                    }
                ],
                "begins above 0",
            ),
            ({"method": "magic", "parameters": {}}, "none of grid, random, bayes"),
            ({"method": "grid", "metric": "loss", "parameters": {}}, "a dictionary with `name` and `goal`"),
            (
                {"method": "grid", "metric": {"name": "loss", "goal": "best"}, "parameters": {}},
                "none of minimize, maximize",
            ),
            ({"method": "grid", "parameters": {"seed": [1, 2]}}, "is a dictionary"),
            ({"method": "grid", "parameters": {"seed": {"values": []}}}, "is empty"),
            ({"method": "grid", "parameters": {"seed": {}}}, "`values`, or `min` and `max`"),
            (
                {"method": "grid", "parameters": {"seed": {"distribution": "beta", "min": 1, "max": 2}}},
                "'beta' is not understood",
            ),
        ],
    )
    def test_what_is_wrong_with_a_space_is_said(self, described, complaint):
        with pytest.raises(ValueError, match=complaint):
            read_space(described)


class TestOptuna:
    def test_finds_the_best_of_its_trials(self, trainer):
        best = trainer.hyperparameter_search(space, loss, n_trials=4, backend="optuna")
        assert isinstance(best, BestRun)
        values = [trial.value for trial in best.run_summary.trials]
        assert best.objective == min(values)
        assert best.run_id == str(values.index(min(values)))
        assert best.hyperparameters.keys() == {"learning_rate", "per_device_train_batch_size"}

    def test_the_result_is_that_of_training_with_these_values(self, trainer, tmp_path):
        best = trainer.hyperparameter_search(space, loss, n_trials=3)
        again = make_trainer(tmp_path / "again", **best.hyperparameters)
        again.train()
        assert again.evaluate()["eval_loss"] == pytest.approx(best.objective, abs=1e-6)

    def test_trials_are_those_of_the_reference_library(self, trainer, tmp_path):
        theirs = transformers.Trainer(
            args=transformers.TrainingArguments(
                str(tmp_path / "theirs"),
                max_steps=8,
                eval_strategy="steps",
                eval_steps=4,
                logging_strategy="no",
                save_strategy="no",
                disable_tqdm=True,
                use_cpu=True,
                report_to="none",
            ),
            model_init=new_model,
            train_dataset=examples(128, 0),
            eval_dataset=examples(64, 1),
            compute_metrics=accuracy,
        )
        theirs.remove_callback(transformers.PrinterCallback)
        sampler = {"sampler": optuna.samplers.TPESampler(seed=42)}
        expected = theirs.hyperparameter_search(space, loss, n_trials=3, backend="optuna", **sampler)
        best = trainer.hyperparameter_search(space, loss, n_trials=3, backend="optuna")
        assert best.run_id == expected.run_id
        assert best.hyperparameters == expected.hyperparameters
        assert best.objective == pytest.approx(expected.objective, abs=1e-5)

    def test_the_seed_decides_the_trials(self, trainer, tmp_path):
        def tried(one):
            study = one.hyperparameter_search(space, loss, n_trials=3).run_summary
            return [trial.params for trial in study.trials]

        first = tried(trainer)
        assert tried(trainer) == first
        assert tried(make_trainer(tmp_path, seed=1)) != first

    def test_the_arguments_are_afterwards_what_they_were(self, trainer):
        trainer.hyperparameter_search(space, loss, n_trials=2)
        assert (trainer.args.learning_rate, trainer.args.per_device_train_batch_size) == (5e-5, 8)

    def test_also_after_a_trial_that_failed(self, tmp_path):
        def fails(trial):
            raise OSError("no model today")

        trainer = make_trainer(tmp_path)
        trainer.model_init = fails
        with pytest.raises(OSError, match="no model today"):
            trainer.hyperparameter_search(space, loss, n_trials=2)
        assert trainer.args.learning_rate == 5e-5
        assert trainer.trial is None

    def test_callbacks_hear_which_trial_it_is(self, tmp_path):
        watch = Watch()
        trainer = make_trainer(tmp_path, callbacks=[watch])
        trainer.hyperparameter_search(space, loss, n_trials=2)
        assert [name for name, *_ in watch.trials] == ["run-0", "run-1"]
        assert all(
            rate == values["learning_rate"] and searching for _, values, rate, searching in watch.trials
        )

    def test_each_trial_has_its_folder(self, tmp_path):
        trainer = make_trainer(tmp_path, save_strategy="steps", save_steps=4)
        trainer.hyperparameter_search(space, loss, n_trials=2)
        found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("run-*/checkpoint-*"))
        assert found == [f"run-{trial}/checkpoint-{step}" for trial in (0, 1) for step in (4, 8)]

    def test_trials_may_be_named(self, tmp_path):
        trainer = make_trainer(tmp_path, save_strategy="steps", save_steps=8)
        trainer.hyperparameter_search(space, loss, n_trials=1, hp_name=lambda trial: f"lr-{trial.number}")
        assert (tmp_path / "lr-0" / "checkpoint-8").is_dir()

    def test_model_init_may_take_the_trial(self, tmp_path):
        seen = []

        def model_init(trial):
            seen.append(trial.params if trial is not None else None)
            return new_model()

        make_trainer(tmp_path, model_init).hyperparameter_search(space, loss, n_trials=1)
        assert seen[0] is None, "the Trainer makes a model when it is built"
        assert seen[1].keys() == {"learning_rate", "per_device_train_batch_size"}

    def test_without_evaluation_in_training_there_is_one_after_it(self, tmp_path):
        best = make_trainer(tmp_path, eval_strategy="no").hyperparameter_search(space, loss, n_trials=2)
        assert best.objective > 0

    def test_several_objectives_give_the_pareto_front(self, trainer):
        front = trainer.hyperparameter_search(
            space,
            lambda metrics: (metrics["eval_loss"], metrics["eval_accuracy"]),
            n_trials=5,
            direction=["minimize", "maximize"],
        )
        trials = front[0].run_summary.trials
        for run in front:
            assert not any(
                trial.values[0] < run.objective[0] and trial.values[1] > run.objective[1] for trial in trials
            )

    @pytest.mark.parametrize(
        ("direction", "objective"),
        [
            (["minimize", "maximize"], loss),
            ("minimize", lambda metrics: (1.0, 2.0)),
            (["minimize"], lambda m: []),
        ],
    )
    def test_there_is_an_objective_for_each_direction(self, direction, objective, trainer):
        with pytest.raises(ValueError, match="one value for each direction"):
            trainer.hyperparameter_search(space, objective, n_trials=1, direction=direction)

    def test_trials_are_pruned(self, trainer):
        pruner = optuna.pruners.ThresholdPruner(upper=0.0)  # no loss is below 0: all are stopped at once
        with pytest.raises(RuntimeError, match="None of the 3 trials was completed"):
            trainer.hyperparameter_search(space, loss, n_trials=3, pruner=pruner)
        assert not trainer.is_in_train

    def test_a_pruned_trial_is_not_the_best(self, trainer):
        class FirstPruned(optuna.pruners.BasePruner):
            def prune(self, study, trial):
                return trial.number == 0

        best = trainer.hyperparameter_search(space, lambda m: 1.0, n_trials=2, pruner=FirstPruned())
        states = [(trial.state.name, sorted(trial.intermediate_values)) for trial in best.run_summary.trials]
        assert states == [("PRUNED", [4]), ("COMPLETE", [4, 8])]
        assert best.run_id == "1"

    def test_a_study_goes_on_from_its_storage(self, trainer, tmp_path):
        stored = {"storage": f"sqlite:///{tmp_path}/study.db", "study_name": "mine", "load_if_exists": True}
        trainer.hyperparameter_search(space, loss, n_trials=2, **stored)
        best = trainer.hyperparameter_search(space, loss, n_trials=2, **stored)
        assert len(best.run_summary.trials) == 4
        assert len({trial.params["learning_rate"] for trial in best.run_summary.trials}) == 4

    def test_the_sampler_may_be_another(self, trainer):
        grid = {"learning_rate": [1e-3, 1e-2], "per_device_train_batch_size": [8]}
        best = trainer.hyperparameter_search(
            space, loss, n_trials=2, sampler=optuna.samplers.GridSampler(grid)
        )
        assert {trial.params["learning_rate"] for trial in best.run_summary.trials} == {1e-3, 1e-2}

    def test_time_may_be_limited(self, trainer):
        best = trainer.hyperparameter_search(space, loss, n_trials=10_000, timeout=0.5)
        assert 1 <= len(best.run_summary.trials) < 10_000

    def test_threads_train_side_by_side(self, trainer):
        best = trainer.hyperparameter_search(space, loss, n_trials=4, n_jobs=2)
        assert [trial.state.name for trial in best.run_summary.trials] == ["COMPLETE"] * 4
        assert best.objective == min(trial.value for trial in best.run_summary.trials)

    @pytest.mark.parametrize("described", [default_hp_space_sigopt, default_hp_space_wandb])
    def test_searches_the_space_of_a_service(self, described, trainer):
        best = trainer.hyperparameter_search(described, n_trials=2)
        kinds = {name: type(value) for name, value in best.hyperparameters.items()}
        assert kinds == {
            "learning_rate": float,
            "num_train_epochs": float,
            "seed": int,
            "per_device_train_batch_size": int,
        }


class TestValues:
    def search(self, trainer, values):
        return trainer.hyperparameter_search(lambda trial: values, loss, n_trials=1).hyperparameters

    def test_are_cast_to_the_type_of_the_field(self, trainer):
        given = {
            "per_device_train_batch_size": "16",
            "num_train_epochs": "2",
            "learning_rate": 1,
            "group_by_length": "true",
            "lr_scheduler_type": "cosine",
        }
        cast = self.search(trainer, given)
        assert cast["per_device_train_batch_size"] == 16
        assert isinstance(cast["num_train_epochs"], float)
        assert isinstance(cast["learning_rate"], float)
        assert cast["group_by_length"] is True
        assert cast["lr_scheduler_type"] == "cosine"

    @pytest.mark.parametrize(
        ("values", "complaint"),
        [
            ({"per_device_train_batch_size": "many"}, "'many'; .* is int"),
            ({"group_by_length": "perhaps"}, "'perhaps'; .* is bool"),
            ({"lr_scheduler_type": "zigzag"}, "zigzag.*linear"),
        ],
    )
    def test_that_cannot_be_cast_are_an_error(self, values, complaint, trainer):
        with pytest.raises(ValueError, match=complaint):
            self.search(trainer, values)

    def test_of_an_unknown_name_are_a_warning(self, trainer, library_log):
        assert self.search(trainer, {"dropout_of_mine": 0.1}) == {"dropout_of_mine": 0.1}
        assert "Trying to set dropout_of_mine in the hyperparameter search" in library_log.text

    def test_have_to_be_a_dictionary(self, trainer):
        with pytest.raises(TypeError, match="hp_space has to return a dictionary"):
            self.search(trainer, 3)


class TestErrors:
    def test_a_trainer_without_model_init(self, tmp_path):
        trainer = Trainer(new_model(), TrainingArguments(str(tmp_path)), train_dataset=examples(8, 0))
        with pytest.raises(RuntimeError, match="pass your model through a model_init function"):
            trainer.hyperparameter_search(space)

    def test_a_back_end_that_does_not_exist(self, trainer):
        with pytest.raises(ValueError, match=r"optuna.*ray"):
            trainer.hyperparameter_search(space, backend="guess")

    @pytest.mark.parametrize("direction", ["up", [], ["minimize", "down"]])
    def test_a_direction_that_does_not_exist(self, direction, trainer):
        with pytest.raises(ValueError, match="minimize"):
            trainer.hyperparameter_search(space, direction=direction)

    @pytest.mark.parametrize("name", ["hp_space", "compute_objective", "hp_name"])
    def test_what_has_to_be_a_function(self, name, trainer):
        with pytest.raises(TypeError, match=f"{name} has to be a function"):
            trainer.hyperparameter_search(n_trials=1, **{name: {"learning_rate": [1e-3]}})

    @pytest.mark.parametrize("objective", [None, "good", ["a"]])
    def test_an_objective_that_is_no_number(self, objective, trainer):
        with pytest.raises(TypeError, match="compute_objective has to return a number"):
            trainer.hyperparameter_search(space, lambda metrics: objective, n_trials=1)

    def test_an_objective_that_is_never_a_number(self, trainer):
        with pytest.raises(RuntimeError, match="one whose objective is NaN has failed"):
            trainer.hyperparameter_search(space, lambda metrics: float("nan"), n_trials=2)

    def test_no_trials(self, trainer):
        with pytest.raises(ValueError, match="n_trials=0"):
            trainer.hyperparameter_search(space, n_trials=0)

    def test_an_argument_that_nobody_takes(self, trainer):
        with pytest.raises(TypeError, match=r"samplers; with Optuna it takes .*sampler"):
            trainer.hyperparameter_search(space, n_trials=1, samplers=None)

    @pytest.mark.parametrize("backend", ["sigopt", "wandb"])
    def test_a_service_is_explained(self, backend, trainer):
        with pytest.raises(RuntimeError, match=f'You picked the {backend} backend.*backend="optuna"'):
            trainer.hyperparameter_search(backend=backend)

    def test_a_back_end_that_is_not_installed(self):
        class Absent(OptunaBackend):
            name, module, pip_package = "absent", "no_such_module_here", "absent"

        with pytest.raises(RuntimeError, match=r"You picked the absent backend, .* Run `pip install absent`"):
            Absent.ensure_available()

    @pytest.mark.parametrize("hp_space", [space, lambda trial: [0.1]])
    def test_a_space_that_is_none_of_ray(self, hp_space, trainer):
        pytest.importorskip("ray.tune")
        with pytest.raises(
            TypeError, match="hp_space gets None in place of a trial and returns a dictionary"
        ):
            trainer.hyperparameter_search(hp_space, n_trials=1, backend="ray")

    def test_several_directions_need_optuna(self, trainer):
        pytest.importorskip("ray.tune")
        with pytest.raises(ValueError, match="one objective at a time"):
            trainer.hyperparameter_search(backend="ray", direction=["minimize", "maximize"])


class TestSurface:
    def test_the_signature_is_the_documented_one(self):
        ours = inspect.signature(Trainer.hyperparameter_search).parameters
        theirs = inspect.signature(transformers.Trainer.hyperparameter_search).parameters
        assert list(ours) == list(theirs)
        assert {name: p.default for name, p in ours.items()} == {
            name: p.default for name, p in theirs.items()
        }

    def test_a_best_run_is_a_tuple_with_the_documented_names(self):
        assert BestRun._fields == transformers.trainer_utils.BestRun._fields
        assert BestRun("1", 0.5, {}).run_summary is None

    def test_optuna_comes_first(self):
        assert default_hp_search_backend() == "optuna"

    def test_every_back_end_is_listed(self):
        assert set(ALL_HYPERPARAMETER_SEARCH_BACKENDS) == set(HPSearchBackend)

    def test_documented_paths(self):
        from nanoformers.hyperparameter_search import default_hp_search_backend as one
        from nanoformers.trainer_utils import HPSearchBackend as Backend

        assert (one, Backend) == (default_hp_search_backend, HPSearchBackend)


@pytest.mark.slow
class TestTwoProcesses:
    @pytest.fixture(scope="class")
    @staticmethod
    def found(tmp_path_factory):
        """What each of two processes found."""
        folder = tmp_path_factory.mktemp("two")
        run_cases("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "both", folder=folder)
        return [json.loads((folder / f"both-{rank}.json").read_text()) for rank in (0, 1)]

    def test_the_first_proposes_and_all_train(self, found):
        assert found[0]["states"] == ["PRUNED", "COMPLETE", "COMPLETE"]
        assert found[0]["objective"] > 0
        assert found[0]["names"] == found[1]["names"] == ["run-0", "run-1", "run-2"]
        assert found[0]["weights"] == pytest.approx(found[1]["weights"])

    def test_the_others_return_nothing(self, found):
        assert found[1]["objective"] is None

    def test_threads_and_ray_are_refused(self, found):
        for one in found:
            assert "n_jobs=2" in one["threads"]
            assert "only support DDP optuna HPO" in one["ray"]


@pytest.mark.slow
@pytest.mark.timeout(600)
class TestRay:
    """Ray starts processes of its own, so the searches run in a process that ends with them."""

    @pytest.fixture(scope="class")
    @staticmethod
    def found(tmp_path_factory):
        """One search that starts Ray, and one in a Ray that runs already."""
        pytest.importorskip("ray.tune")
        folder = tmp_path_factory.mktemp("ray")
        run_cases("ray", folder=folder)
        return json.loads((folder / "ray.json").read_text())

    def test_two_workers_share_the_trials(self, found):
        assert len(set(found["workers"])) == 2
        assert len(found["objectives"]) == 4

    def test_the_best_is_returned(self, found):
        best = found["objectives"].index(min(found["objectives"]))
        assert found["best"]["objective"] == found["objectives"][best]
        assert found["best"]["run_id"] == found["ids"][best]

    def test_values_have_the_types_of_the_fields(self, found):
        assert isinstance(found["best"]["values"]["per_device_train_batch_size"], int)

    def test_each_trial_has_its_folder(self, found):
        assert found["folders"] == sorted(f"run-{name}" for name in found["ids"])

    def test_the_seed_decides_the_trials(self, found):
        assert found["tried_again"] == found["tried"]

    def test_nothing_is_left_running(self, found):
        assert found["left"] == []

    def test_a_ray_that_ran_before_still_runs(self, found):
        assert found["still_runs"]

    def test_trials_report_to_a_scheduler(self, found):
        assert max(found["iterations"]) == 2  # which of them it stops before depends on who comes first
        assert set(found["iterations"]) <= {1, 2}

    def test_why_a_trial_failed_is_said(self, found):
        assert re.match(
            r"Trials of Ray Tune failed \(_train_\w+\): KeyError: 'eval_of_mine'", found["failed"]
        )

    def test_what_a_scheduler_needs_is_said(self, found):
        assert "moves weights from one trial into another" in found["population"]
        assert 'Set eval_strategy="steps"' in found["without_evaluation"]
