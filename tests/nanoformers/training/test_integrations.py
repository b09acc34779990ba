"""Reporting: what `report_to` takes, TensorBoard's event files, the services that need no server."""

import sys
from pathlib import Path

import pytest
from nanoformers.training import (
    TensorBoardCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    get_available_reporting_integrations,
    get_reporting_integration_callbacks,
    rewrite_logs,
)
from nanoformers.training.integrations import (
    CodeCarbonCallback,
    DVCLiveCallback,
    MLflowCallback,
    ReportingCallback,
    WandbCallback,
    resolve_report_to,
)

sys.path.insert(0, str(Path(__file__).parent))
from search_cases import make_trainer


class TestNames:
    @pytest.mark.parametrize("nothing", [None, "none", [], ["none"]])
    def test_nothing_to_report_to(self, nothing):
        assert resolve_report_to(nothing) == []

    def test_nothing_is_the_default(self, tmp_path):
        assert get_reporting_integration_callbacks(TrainingArguments(str(tmp_path)).report_to) == []

    def test_all_means_what_is_installed(self):
        assert resolve_report_to("all") == get_available_reporting_integrations()

    def test_one_or_several(self):
        pytest.importorskip("tensorboard")
        assert get_reporting_integration_callbacks("tensorboard") == [TensorBoardCallback]
        assert resolve_report_to(["tensorboard"]) == ["tensorboard"]

    def test_an_unknown_name_is_told_the_known_ones(self):
        with pytest.raises(ValueError, match=r"'papyrus' is not supported.*tensorboard"):
            resolve_report_to("papyrus")

    def test_a_service_without_callback_says_what_to_do(self):
        with pytest.raises(ValueError, match=r"Comet.*not built in.*TrainerCallback"):
            resolve_report_to(["comet_ml"])

    def test_what_is_not_installed_says_how_to_install_it(self, monkeypatch):
        monkeypatch.setattr(MLflowCallback, "package", "no_such_package_here")
        with pytest.raises(RuntimeError, match="Run `pip install mlflow`"):
            resolve_report_to("mlflow")
        with pytest.raises(RuntimeError, match="MLflowCallback requires no_such_package_here"):
            MLflowCallback()


def test_logs_are_named_by_what_they_come_from():
    logs = {"loss": 1.0, "eval_loss": 2.0, "test_f1": 3.0, "learning_rate": 4.0, "epoch": 5.0}
    assert rewrite_logs(logs) == {
        "train/loss": 1.0,
        "eval/loss": 2.0,
        "test/f1": 3.0,
        "train/learning_rate": 4.0,
        "train/epoch": 5.0,
    }


class Notebook(ReportingCallback):
    """Writes down what it is asked to do."""

    package, install = "json", "nothing to install"

    def __init__(self):
        super().__init__()
        self.calls = []

    def open(self, args, state, model):
        self.calls.append("open")

    def write(self, logs, state):
        self.calls.append((state.global_step, logs))

    def close(self):
        self.calls.append("close")


def report(callback, args, logs=(), **state):
    """A training of two logs; returns the callback."""
    state, control = TrainerState(**state), TrainerControl()
    callback.on_train_begin(args, state, control)
    for step, entry in enumerate(logs, 1):
        state.global_step = step
        callback.on_log(args, state, control, logs=entry)
    callback.on_train_end(args, state, control)
    return callback


@pytest.fixture
def args(tmp_path):
    return TrainingArguments(str(tmp_path / "out"), run_name="a run")


class TestReporting:
    def test_a_run_is_opened_written_and_closed(self, args):
        calls = report(Notebook(), args, [{"loss": 1.0}, {"eval_loss": 2}]).calls
        assert calls == ["open", (1, {"train/loss": 1.0}), (2, {"eval/loss": 2}), "close"]

    def test_only_the_main_process_reports(self, args):
        assert report(Notebook(), args, [{"loss": 1.0}], is_world_process_zero=False).calls == []

    def test_an_evaluation_without_training_is_reported(self, args):
        callback = Notebook()
        callback.on_log(args, TrainerState(), TrainerControl(), logs={"eval_loss": 1.0})
        assert callback.calls == ["open", (0, {"eval/loss": 1.0})]

    def test_a_new_training_is_a_new_run(self, args):
        callback = report(report(Notebook(), args), args)
        assert callback.calls == ["open", "close"] * 2

    def test_what_is_no_number_is_left_out_with_a_warning(self, args, library_log):
        callback = report(Notebook(), args, [{"matrix": [[1]], "loss": 1.0}])
        assert callback.calls[1] == (1, {"train/loss": 1.0})
        assert "leaves out matrix=[[1]]" in library_log.text


class TestTensorBoard:
    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("tensorboard")

    def events(self, folder):
        """The scalars and texts in the event files of a folder."""
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        found = EventAccumulator(str(folder))
        found.Reload()
        scalars = {
            tag: [(event.step, event.value) for event in found.Scalars(tag)]
            for tag in found.Tags()["scalars"]
        }
        return scalars, found.Tags()["tensors"]

    def test_the_event_file_holds_what_was_logged(self, args):
        report(TensorBoardCallback(), args, [{"loss": 1.0, "epoch": 0.5}, {"eval_loss": 0.5, "note": "text"}])
        (folder,) = Path(args.output_dir, "runs").iterdir()
        scalars, texts = self.events(folder)
        assert scalars == {"train/loss": [(1, 1.0)], "train/epoch": [(1, 0.5)], "eval/loss": [(2, 0.5)]}
        assert set(texts) == {"args/text_summary", "train/note/text_summary"}

    def test_the_folder_may_be_chosen(self, args, tmp_path, monkeypatch):
        monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "here"))
        report(TensorBoardCallback(), args, [{"loss": 1.0}])
        assert self.events(tmp_path / "here")[0] == {"train/loss": [(1, 1.0)]}

    def test_trials_have_folders_of_their_own(self, args, tmp_path, monkeypatch):
        monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "here"))
        callback = TensorBoardCallback()
        for name in ("run-0", "run-1"):
            report(callback, args, [{"loss": 1.0}], is_hyper_param_search=True, trial_name=name)
        assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["run-0", "run-1"]

    def test_a_given_writer_is_used_and_left_open(self, args, tmp_path):
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(log_dir=str(tmp_path / "mine")) as writer:
            report(TensorBoardCallback(writer), args, [{"loss": 1.0}])
            writer.add_scalar("mine", 2.0, 7)
        assert self.events(tmp_path / "mine")[0] == {"train/loss": [(1, 1.0)], "mine": [(7, 2.0)]}

    def test_a_trainer_reports(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "here"))
        make_trainer(
            tmp_path / "out", report_to="tensorboard", logging_strategy="steps", logging_steps=4
        ).train()
        scalars, texts = self.events(tmp_path / "here")
        assert [step for step, _ in scalars["train/loss"]] == [4, 8]
        assert [step for step, _ in scalars["eval/accuracy"]] == [4, 8]
        assert "model_config/text_summary" in texts


class TestServices:
    """These run where the packages are installed; none of them reaches for a server."""

    LOGS = ({"loss": 1.0, "epoch": 0.5}, {"eval_loss": 0.5, "note": "text"})

    def test_wandb_offline(self, args, tmp_path, monkeypatch):
        pytest.importorskip("wandb")
        monkeypatch.setenv("WANDB_MODE", "offline")
        report(WandbCallback(), args, self.LOGS)
        assert list(tmp_path.glob("out/wandb/offline-run-*/*.wandb"))

    def test_mlflow_in_a_folder(self, args, tmp_path, monkeypatch):
        mlflow = pytest.importorskip("mlflow")
        monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
        report(MLflowCallback(), args, self.LOGS)
        (run,) = mlflow.search_runs(output_format="list")
        assert run.data.metrics == {"train/loss": 1.0, "train/epoch": 0.5, "eval/loss": 0.5}
        assert run.data.params["learning_rate"] == "5e-05"
        assert run.info.run_name == "a run"

    def test_dvclive_in_a_folder(self, args, tmp_path):
        dvclive = pytest.importorskip("dvclive")
        live = dvclive.Live(str(tmp_path / "live"), dvcyaml=None)
        report(DVCLiveCallback(live), args, self.LOGS)
        assert live.summary["train"]["loss"] == 1.0
        assert live.summary["eval"]["loss"] == 0.5

    @pytest.mark.skipif(sys.platform != "linux", reason="reads the counters of Linux")
    def test_codecarbon_writes_its_file(self, args, tmp_path, monkeypatch):
        pytest.importorskip("codecarbon")
        report(CodeCarbonCallback(), args, self.LOGS)
        assert (tmp_path / "out" / "emissions.csv").is_file()
