"""Checkpoints of the reference library's Trainer and of ours: each resumes from the other's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nanoformers
import nanoformers.training
import pytest
import torch
import transformers

SHAPE = {
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 8,
}
ROWS = [
    {"input_ids": [index % 30, (3 * index) % 30, 5], "attention_mask": [1, 1, 1], "labels": index % 2}
    for index in range(26)
]
OURS, THEIRS = nanoformers, transformers


def trainer(library: Any, folder: Path, **changes: Any) -> Any:
    """Build a Trainer of either library over the same model and data."""
    training = library.training if library is OURS else library
    model = library.BertForSequenceClassification(library.BertConfig(**SHAPE))
    generator = torch.Generator().manual_seed(0)
    for _, weight in sorted(model.named_parameters()):
        weight.data.normal_(0, 0.1, generator=generator)
    values = {
        "num_train_epochs": 3,
        "per_device_train_batch_size": 4,
        "save_steps": 2,
        "logging_steps": 2,
        "learning_rate": 0.01,
        "optim": "adamw_torch",
        "disable_tqdm": True,
        "use_cpu": True,
        "report_to": "none",
        "warmup_steps": 2,
    }
    args = training.TrainingArguments(str(folder), **{**values, **changes})
    return training.Trainer(model, args, train_dataset=ROWS, eval_dataset=ROWS[:8])


def assert_close(ours: Any, theirs: Any) -> None:
    """Compare logged losses and weights."""
    assert losses(ours) == pytest.approx(losses(theirs), abs=1e-5)
    assert_weights_close(ours.model, theirs.model)


def assert_weights_close(ours: torch.nn.Module, theirs: torch.nn.Module) -> None:
    expected = dict(theirs.state_dict())
    for name, value in ours.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-4)


def losses(run: Any) -> dict[int, float]:
    return {entry["step"]: entry["loss"] for entry in run.state.log_history if "loss" in entry}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """An uninterrupted training by each library, with dropout."""
    runs = {}
    for name, library in (("ours", OURS), ("theirs", THEIRS)):
        runs[name] = trainer(library, tmp_path_factory.mktemp(name))
        runs[name].train()
    return runs


class TestResuming:
    @pytest.mark.parametrize("step", [4, 10, 14, 20], ids=lambda step: f"step {step} of 7 in an epoch")
    def test_ours_from_theirs(self, step: int, whole: dict[str, Any], tmp_path: Path):
        folder = Path(whole["theirs"].args.output_dir) / f"checkpoint-{step}"
        ours = trainer(OURS, tmp_path)
        ours.train(resume_from_checkpoint=str(folder))
        assert_close(ours, whole["theirs"])

    @pytest.mark.parametrize("step", [4, 10, 14, 20], ids=lambda step: f"step {step} of 7 in an epoch")
    def test_theirs_from_ours(self, step: int, whole: dict[str, Any], tmp_path: Path):
        folder = Path(whole["ours"].args.output_dir) / f"checkpoint-{step}"
        theirs = trainer(THEIRS, tmp_path)
        theirs.train(resume_from_checkpoint=str(folder))
        assert_close(whole["ours"], theirs)

    def test_with_accumulated_gradients(self, tmp_path: Path):
        changes = {"gradient_accumulation_steps": 3, "per_device_train_batch_size": 2, "save_steps": 1}
        theirs = trainer(THEIRS, tmp_path / "theirs", **changes)
        theirs.train()
        ours = trainer(OURS, tmp_path / "ours", **changes)
        ours.train(resume_from_checkpoint=str(tmp_path / "theirs" / "checkpoint-8"))
        assert_close(ours, theirs)


class TestFiles:
    def test_names(self, whole: dict[str, Any]):
        ours, theirs = (
            {path.name for path in (Path(whole[name].args.output_dir) / "checkpoint-4").iterdir()}
            for name in ("ours", "theirs")
        )
        assert ours - theirs <= {"loop_state.pt", "generation_config.json"}
        assert theirs <= ours

    def test_the_state_has_the_same_entries(self, whole: dict[str, Any]):
        ours, theirs = (
            json.loads(
                (Path(whole[name].args.output_dir) / "checkpoint-4" / "trainer_state.json").read_text()
            )
            for name in ("ours", "theirs")
        )
        assert ours.keys() == theirs.keys()
        for name in ("global_step", "epoch", "max_steps", "num_train_epochs", "save_steps", "logging_steps"):
            assert ours[name] == theirs[name]
        assert ours["stateful_callbacks"].keys() == theirs["stateful_callbacks"].keys()


class TestBestModel:
    CHANGES = {  # noqa: RUF012
        "eval_strategy": "steps",
        "eval_steps": 2,
        "load_best_model_at_end": True,
        "metric_for_best_model": "loss",
        "learning_rate": 0.05,
    }

    @pytest.mark.parametrize("limit", [None, 1, 2, 3])
    def test_the_same_checkpoints_stay_and_the_same_one_is_loaded(self, limit: int | None, tmp_path: Path):
        ours = trainer(OURS, tmp_path / "ours", **self.CHANGES, save_total_limit=limit)
        ours.train()
        theirs = trainer(THEIRS, tmp_path / "theirs", **self.CHANGES, save_total_limit=limit)
        theirs.train()
        left = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("ours", "theirs")]
        assert left[0] == left[1]
        assert ours.state.best_global_step == theirs.state.best_global_step < 20
        assert ours.state.best_metric == pytest.approx(theirs.state.best_metric, abs=1e-4)
        assert Path(ours.state.best_model_checkpoint).name == Path(theirs.state.best_model_checkpoint).name
        assert_weights_close(ours.model, theirs.model)
