"""`TrainerState` and `TrainerControl`: what they hold, how they are stored, who reads them."""

import json
import math

import numpy as np
import pytest
from nanoformers.training import (
    EarlyStoppingCallback,
    ExportableState,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

transformers = pytest.importorskip("transformers")


@pytest.fixture
def state():
    return TrainerState(
        epoch=1.5,
        global_step=12,
        max_steps=40,
        num_train_epochs=5,
        total_flos=1e15,
        log_history=[{"loss": 0.5, "step": 5}, {"eval_loss": 0.25, "step": 10}],
        best_metric=0.25,
        best_global_step=10,
        best_model_checkpoint="out/checkpoint-10",
        trial_name="run-3",
        trial_params={"learning_rate": 1e-4},
        stateful_callbacks=[EarlyStoppingCallback(3), TrainerControl(should_save=True)],
    )


class TestTrainerState:
    def test_begins_before_training(self):
        state = TrainerState()
        assert (state.epoch, state.global_step, state.log_history) == (None, 0, [])
        assert state.is_world_process_zero
        assert not state.is_hyper_param_search

    def test_two_states_share_no_history(self):
        TrainerState().log_history.append({})
        assert TrainerState().log_history == []

    def test_comes_back_from_its_file(self, state, tmp_path):
        state.save_to_json(tmp_path / "trainer_state.json")
        assert TrainerState.load_from_json(tmp_path / "trainer_state.json") == state

    def test_the_reference_library_reads_it(self, state, tmp_path):
        state.save_to_json(tmp_path / "trainer_state.json")
        theirs = transformers.TrainerState.load_from_json(str(tmp_path / "trainer_state.json"))
        assert vars(theirs) == vars(state)

    def test_reads_what_the_reference_library_wrote(self, tmp_path):
        theirs = transformers.TrainerState(
            epoch=2.0,
            log_history=[{"loss": 1.0}],
            stateful_callbacks=[transformers.EarlyStoppingCallback(2), transformers.TrainerControl()],
        )
        theirs.save_to_json(str(tmp_path / "trainer_state.json"))
        assert vars(TrainerState.load_from_json(tmp_path / "trainer_state.json")) == vars(theirs)

    def test_reads_a_file_of_an_older_release(self, tmp_path):
        """Version 4.36 had no `best_global_step` and no `stateful_callbacks`."""
        (tmp_path / "old.json").write_text('{"global_step": 7, "log_history": [], "trial_params": null}')
        state = TrainerState.load_from_json(tmp_path / "old.json")
        assert (state.global_step, state.stateful_callbacks) == (7, {})

    def test_an_entry_of_another_release_is_left_out_with_a_warning(self, tmp_path, library_log):
        (tmp_path / "new.json").write_text('{"global_step": 7, "mood": "fine"}')
        assert TrainerState.load_from_json(tmp_path / "new.json").global_step == 7
        assert "mood" in library_log.text

    def test_numbers_of_numpy_and_torch_are_written_as_numbers(self, tmp_path):
        import torch

        history = [{"eval_f1": np.float32(0.5), "eval_loss": torch.tensor(0.25), "counts": np.arange(2)}]
        TrainerState(log_history=history).save_to_json(tmp_path / "s.json")
        assert json.loads((tmp_path / "s.json").read_text())["log_history"] == [
            {"eval_f1": 0.5, "eval_loss": 0.25, "counts": [0, 1]}
        ]

    def test_a_loss_that_is_no_number_survives(self, tmp_path):
        TrainerState(log_history=[{"loss": math.nan}]).save_to_json(tmp_path / "s.json")
        assert math.isnan(TrainerState.load_from_json(tmp_path / "s.json").log_history[0]["loss"])

    def test_a_write_that_fails_leaves_the_old_file(self, tmp_path):
        path = tmp_path / "s.json"
        TrainerState(global_step=1).save_to_json(path)
        with pytest.raises(TypeError, match="cannot be written"):
            TrainerState(global_step=2, log_history=[{"thing": object()}]).save_to_json(path)
        assert TrainerState.load_from_json(path).global_step == 1
        assert list(tmp_path.iterdir()) == [path]

    def test_a_broken_file_is_one_clear_error(self, tmp_path):
        (tmp_path / "s.json").write_text('{"global_step": ')
        with pytest.raises(OSError, match="not a valid JSON"):
            TrainerState.load_from_json(tmp_path / "s.json")

    def test_intervals_may_be_parts_of_the_training(self, tmp_path):
        args = TrainingArguments(
            tmp_path, logging_steps=0.1, eval_steps=0.333, save_steps=50, eval_strategy="steps"
        )
        state = TrainerState()
        state.compute_steps(args, max_steps=100)
        assert (state.logging_steps, state.eval_steps, state.save_steps) == (10, 34, 50)


class TestExportedStates:
    def test_several_of_a_class_are_a_list(self):
        state = TrainerState(stateful_callbacks=[EarlyStoppingCallback(1), EarlyStoppingCallback(2)])
        patience = [
            entry["args"]["early_stopping_patience"]
            for entry in state.stateful_callbacks["EarlyStoppingCallback"]
        ]
        assert patience == [1, 2]

    def test_what_has_no_state_is_a_type_error(self):
        with pytest.raises(TypeError, match="ExportableState"):
            TrainerState(stateful_callbacks=[object()])

    def test_a_class_without_state_says_what_to_define(self):
        class Forgetful(ExportableState):
            pass

        with pytest.raises(TypeError, match="define a method `state`"):
            Forgetful().state()

    def test_builds_an_object_from_a_state(self):
        callback = EarlyStoppingCallback(3, 0.5)
        callback.early_stopping_patience_counter = 2
        again = EarlyStoppingCallback.from_state(callback.state())
        assert vars(again) == vars(callback)

    def test_control_is_stored_as_the_reference_library_stores_it(self):
        control = TrainerControl(should_log=True)
        assert control.state() == transformers.TrainerControl(should_log=True).state()
        assert TrainerControl.from_state(control.state()) == control
