"""Checkpoints: what is in them, which stay, and which model is the best."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from nanoformers.training import Trainer, TrainerCallback, TrainingArguments
from nanoformers.training.best_model import best_checkpoint
from nanoformers.training.resuming import load_optimizer
from torch import nn


class Net(nn.Module):
    """Learns to give back 2; the loss is what is evaluated."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))

    def forward(self, row: torch.Tensor) -> dict[str, torch.Tensor]:
        guess = row * self.weight
        return {"loss": (guess - 2).pow(2).mean(), "guess": guess}


ROWS = [{"row": torch.ones(3)} for _ in range(8)]


class Scores(TrainerCallback):
    """Puts scores of our choice in place of those of the evaluations, one after the other."""

    def __init__(self, *scores: float) -> None:
        self.scores = list(scores)

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        score = self.scores.pop(0)
        metrics["eval_score"] = score
        state.log_history[-1]["eval_score"] = score


def trainer(folder: Path, *scores: float, **changes: Any) -> Trainer:
    values: dict[str, Any] = {
        "max_steps": 5,
        "save_steps": 1,
        "per_device_train_batch_size": 4,
        "disable_tqdm": True,
        "use_cpu": True,
        "learning_rate": 0.1,
    }
    if scores:
        values |= {"eval_strategy": "steps", "eval_steps": 1, "metric_for_best_model": "score"}
        values |= {"greater_is_better": True}
    args = TrainingArguments(str(folder), **{**values, **changes})
    return Trainer(
        Net(), args, train_dataset=ROWS, eval_dataset=ROWS, callbacks=[Scores(*scores)] if scores else []
    )


def steps(folder: Path) -> list[int]:
    return sorted(int(path.name.rpartition("-")[2]) for path in folder.iterdir())


class TestContent:
    def test_files(self, tmp_path: Path):
        trainer(tmp_path, max_steps=1).train()
        assert {path.name for path in (tmp_path / "checkpoint-1").iterdir()} == {
            "model.safetensors",
            "training_args.bin",
            "optimizer.pt",
            "scheduler.pt",
            "rng_state.pth",
            "loop_state.pt",
            "trainer_state.json",
        }

    @pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth", "loop_state.pt"])
    def test_no_file_needs_code_to_run(self, name: str, tmp_path: Path):
        trainer(tmp_path, max_steps=1).train()
        assert torch.load(tmp_path / "checkpoint-1" / name, weights_only=True)

    def test_only_the_model(self, tmp_path: Path):
        trainer(tmp_path, max_steps=1, save_only_model=True).train()
        names = {path.name for path in (tmp_path / "checkpoint-1").iterdir()}
        assert names == {"model.safetensors", "training_args.bin", "trainer_state.json"}

    def test_pickled_weights(self, tmp_path: Path):
        trainer(tmp_path, max_steps=1, save_safetensors=False).train()
        weights = torch.load(tmp_path / "checkpoint-1" / "pytorch_model.bin", weights_only=True)
        assert list(weights) == ["weight"]

    def test_the_state_names_the_checkpoint_it_is_in_as_the_best(self, tmp_path: Path):
        trainer(tmp_path, 0.5, max_steps=1).train()
        state = json.loads((tmp_path / "checkpoint-1" / "trainer_state.json").read_text())
        assert state["best_model_checkpoint"] == str(tmp_path / "checkpoint-1")

    def test_a_scaler_of_gradients_is_stored_and_comes_back(self, tmp_path: Path):
        """That of float16, which has work on an accelerator only, put in by hand."""

        def scaled() -> Trainer:
            made = trainer(tmp_path, max_steps=2)
            made.engine.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8, growth_interval=1)
            return made

        scaled().train()
        stored = torch.load(tmp_path / "checkpoint-1" / "scaler.pt", weights_only=True)
        assert stored["scale"] == 2.0**9  # it grew by the first step
        again = scaled()
        again.create_optimizer_and_scheduler(num_training_steps=2)
        load_optimizer(again, tmp_path / "checkpoint-1")
        assert again.engine.scaler.state_dict() == stored


class TestStaying:
    @pytest.mark.parametrize(
        ("scores", "limit", "stay"),
        [
            ((), None, [1, 2, 3, 4, 5]),
            ((), 2, [4, 5]),
            ((0.1, 0.9, 0.2, 0.3, 0.4), 2, [2, 5]),
            ((0.1, 0.2, 0.3, 0.4, 0.5), 2, [4, 5]),
            ((0.1, 0.9, 0.2, 0.3, 0.4), 3, [2, 4, 5]),
        ],
    )
    def test_save_total_limit_keeps_the_last_and_the_best(
        self, scores: tuple[float, ...], limit: int | None, stay: list[int], tmp_path: Path
    ):
        trainer(tmp_path, *scores, save_total_limit=limit).train()
        assert steps(tmp_path) == stay

    def test_with_a_limit_of_one_the_best_is_left_at_the_end(self, tmp_path: Path):
        trainer(tmp_path, 0.1, 0.9, 0.2, 0.3, 0.4, save_total_limit=1, load_best_model_at_end=True).train()
        assert steps(tmp_path) == [2]

    def test_those_of_an_earlier_run_go_first(self, tmp_path: Path):
        """The new run has fewer steps; its checkpoints are the ones to keep."""
        trainer(tmp_path, max_steps=7, save_steps=7).train()
        trainer(tmp_path, max_steps=3, save_total_limit=2).train()
        assert steps(tmp_path) == [2, 3]

    def test_a_checkpoint_of_the_same_step_is_replaced(self, tmp_path: Path):
        trainer(tmp_path, max_steps=1, learning_rate=0.1).train()
        second = trainer(tmp_path, max_steps=1, learning_rate=0.5)
        second.train()
        third = trainer(tmp_path, max_steps=1)
        third.train(resume_from_checkpoint=True)
        assert torch.equal(third.model.weight, second.model.weight)


class TestBestModel:
    def test_is_loaded_at_the_end(self, tmp_path: Path):
        made = trainer(tmp_path, 0.1, 0.9, 0.2, 0.3, 0.4, load_best_model_at_end=True)
        made.train()
        assert made.state.best_model_checkpoint == str(tmp_path / "checkpoint-2")
        assert (made.state.best_metric, made.state.best_global_step) == (0.9, 2)
        assert made.checkpoints.best() == tmp_path / "checkpoint-2"
        other = trainer(tmp_path / "two", max_steps=2, lr_scheduler_type="linear")
        other.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
        assert torch.equal(made.model.weight, other.model.weight)

    def test_smaller_may_be_better(self, tmp_path: Path):
        made = trainer(tmp_path, 0.5, 0.1, 0.3, 0.4, 0.2, greater_is_better=False)
        made.train()
        assert made.state.best_global_step == 2

    def test_the_first_of_two_equal_ones(self, tmp_path: Path):
        made = trainer(tmp_path, 0.1, 0.7, 0.7, 0.7, 0.2)
        made.train()
        assert made.state.best_model_checkpoint == str(tmp_path / "checkpoint-2")

    def test_a_score_that_is_no_number_is_not_the_best(self, tmp_path: Path):
        made = trainer(tmp_path, float("nan"), 0.1, 0.3, float("nan"), 0.2)
        made.train()
        assert made.state.best_global_step == 3

    def test_among_those_that_were_saved(self, tmp_path: Path):
        """Evaluations are more frequent than checkpoints: the best of all, at step 3, was not saved."""
        made = trainer(
            tmp_path, 0.1, 0.5, 0.9, 0.3, 0.0, 0.2, max_steps=6, save_steps=2, load_best_model_at_end=True
        )
        made.train()
        assert made.state.best_global_step == 3
        assert made.state.best_model_checkpoint == str(tmp_path / "checkpoint-2")

    def test_save_strategy_best_saves_nothing_else(self, tmp_path: Path):
        trainer(tmp_path, 0.1, 0.5, 0.4, 0.9, 0.0, save_strategy="best").train()
        assert steps(tmp_path) == [1, 2, 4]

    def test_a_metric_that_evaluation_does_not_give(self, tmp_path: Path):
        made = trainer(tmp_path, 0.1, metric_for_best_model="accuracy")
        with pytest.raises(KeyError, match=r"no eval_accuracy, only .*eval_score"):
            made.train()

    def test_nothing_was_evaluated_where_it_was_saved(self, tmp_path: Path, library_log: Any):
        made = trainer(tmp_path, max_steps=1)
        made.checkpoints.load_best()
        assert "the model stays the last one" in library_log.text

    def test_a_run_that_moved_finds_its_best_checkpoint(self, tmp_path: Path):
        first = trainer(tmp_path / "old", 0.9, 0.1, 0.2, max_steps=3)
        first.train()
        (tmp_path / "old").rename(tmp_path / "new")
        second = trainer(tmp_path / "new", 0.3, 0.4, load_best_model_at_end=True)
        second.train(resume_from_checkpoint=True)
        assert second.state.best_model_checkpoint == str(tmp_path / "new" / "checkpoint-1")

    def test_a_named_checkpoint_that_exists_stays_the_best_without_scores(self, tmp_path: Path):
        made = trainer(tmp_path, 0.1)
        made.state.best_model_checkpoint = str(tmp_path)
        assert best_checkpoint(made.args, made.state, []) == str(tmp_path)
        made.state.best_model_checkpoint = str(tmp_path / "gone")
        assert best_checkpoint(made.args, made.state, []) is None
