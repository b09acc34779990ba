"""A run that is taken up again ends exactly as one that nobody interrupted.

Each test trains once, keeping all checkpoints, and then goes on from several of them, in a folder that is as
a killed process would have left it.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from nanoformers import BertConfig, BertForSequenceClassification
from nanoformers.adapters import LoraConfig
from nanoformers.training import (
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    get_last_checkpoint,
)
from nanoformers.training.rng import rng_states
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, RandomSampler


class Net(nn.Module):
    """A classifier of rows (5) with dropout, so that every random number counts."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(5, 8)
        self.norm = nn.BatchNorm1d(8)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(8, 2)

    def forward(self, row: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        logits = self.head(self.dropout(torch.relu(self.norm(self.hidden(row)))))
        if labels is None:
            return {"logits": logits}
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def examples(count: int, seed: int = 0) -> list[dict[str, Any]]:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, 5, generator=generator)
    return [{"row": row, "labels": int(row.sum() > 0)} for row in rows]


class Shaken(torch.utils.data.Dataset):
    """Examples with noise from all three generators, drawn when they are fetched."""

    def __init__(self, count: int) -> None:
        self.examples = examples(count)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        example = self.examples[index]
        noise = random.random() + float(np.random.rand()) + torch.randn(5)
        return {**example, "row": example["row"] + 0.1 * noise}


class Stream(IterableDataset):
    """Examples in an order that is drawn anew for each epoch, shared by worker processes."""

    def __init__(self, count: int) -> None:
        self.examples = examples(count)

    def __iter__(self):
        order = torch.randperm(len(self.examples)).tolist()
        worker = torch.utils.data.get_worker_info()
        if worker is not None:
            order = list(range(worker.id, len(self.examples), worker.num_workers))
        for index in order:
            yield {**self.examples[index], "row": self.examples[index]["row"] + torch.randn(5)}


def noisy_collator(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Draw from all three generators, as a collator that masks words does."""
    noise = random.random() + float(np.random.rand()) + torch.randn(5)
    return {
        "row": torch.stack([row["row"] for row in rows]) + 0.1 * noise,
        "labels": torch.tensor([row["labels"] for row in rows]),
    }


Make = Callable[[Path], Trainer]


def arguments(folder: Path, **changes: Any) -> TrainingArguments:
    values: dict[str, Any] = {
        "num_train_epochs": 3,
        "per_device_train_batch_size": 4,
        "learning_rate": 0.05,
        "save_steps": 1,
        "logging_steps": 3,  # between saves, so that sums of losses have to be carried over
        "disable_tqdm": True,
        "use_cpu": True,
    }
    return TrainingArguments(str(folder), **{**values, **changes})


def trained(make: Make, folder: Path, checkpoint: str | bool | None = None) -> dict[str, Any]:
    """Train, and return all that must be equal afterwards."""
    torch.manual_seed(99)  # what a process did before must not count
    random.seed(99)
    trainer = make(folder)
    if checkpoint and trainer.args.save_strategy == "steps" and not trainer.args.load_best_model_at_end:
        trainer.args.save_steps = 10**6  # only the last step: the others would say nothing new
    output = trainer.train(resume_from_checkpoint=checkpoint)
    return {
        "weights": {name: value.clone() for name, value in trainer.model.state_dict().items()},
        "optimizer": trainer.optimizer.state_dict(),
        "schedule": trainer.lr_scheduler.state_dict(),
        "loss": output.training_loss,
        "step": trainer.state.global_step,
        "epoch": trainer.state.epoch,
        "history": [without_times(entry) for entry in trainer.state.log_history],
        "best": (trainer.state.best_metric, trainer.state.best_global_step),
        "tokens": trainer.state.num_input_tokens_seen,
        "rng": rng_states(),
        "stopping": [
            callback.early_stopping_patience_counter
            for callback in trainer.callback_handler.callbacks
            if isinstance(callback, EarlyStoppingCallback)
        ],
    }


def without_times(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in entry.items() if "runtime" not in name and "per_second" not in name
    }


def assert_equal(found: Any, expected: Any, where: str = "") -> None:
    """Compare nested values; tensors bit by bit."""
    if isinstance(expected, torch.Tensor):
        assert torch.equal(found, expected), where
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for name, value in expected.items():
            assert_equal(found[name], value, f"{where}.{name}")
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected), where
        for index, (value, other) in enumerate(zip(found, expected, strict=True)):
            assert_equal(value, other, f"{where}[{index}]")
    else:
        assert found == expected, where


def check_checkpoints(make: Make, tmp_path: Path, every: int = 1) -> dict[str, Any]:
    """Train without a break, then go on from each nth checkpoint of that run, and the last; compare."""
    whole = trained(make, tmp_path / "whole")
    checkpoints = sorted((tmp_path / "whole").glob("checkpoint-*"), key=lambda path: int(path.name[11:]))
    assert checkpoints
    for index, checkpoint in enumerate(checkpoints):
        if index % every and index != len(checkpoints) - 1:
            continue
        folder = tmp_path / f"from-{checkpoint.name}"
        for earlier in checkpoints[: index + 1]:  # as they lay there when this one was the last
            shutil.copytree(earlier, folder / earlier.name)
        resumed = trained(make, folder, checkpoint=True)
        assert_equal(resumed, whole, checkpoint.name)
        shutil.rmtree(folder)
    return whole


class TestEndsEqually:
    def test_dropout_and_a_shuffled_order(self, tmp_path: Path):
        def make(folder: Path) -> Trainer:
            return Trainer(Net(), arguments(folder), train_dataset=examples(22))

        whole = check_checkpoints(make, tmp_path, every=3)
        assert whole["step"] == 18

    def test_accumulated_gradients_with_a_remainder(self, tmp_path: Path):
        def make(folder: Path) -> Trainer:
            args = arguments(folder, gradient_accumulation_steps=3, per_device_train_batch_size=2)
            return Trainer(Net(), args, train_dataset=examples(22))

        whole = check_checkpoints(make, tmp_path, every=3)
        assert whole["step"] == 12

    def test_random_numbers_drawn_while_examples_are_fetched(self, tmp_path: Path):
        def make(folder: Path) -> Trainer:
            return Trainer(Net(), arguments(folder), data_collator=noisy_collator, train_dataset=Shaken(22))

        check_checkpoints(make, tmp_path, every=4)

    def test_grouped_by_length(self, tmp_path: Path):
        rows = [{**example, "length": index % 7} for index, example in enumerate(examples(22))]

        def make(folder: Path) -> Trainer:
            args = arguments(folder, group_by_length=True, remove_unused_columns=True)
            return Trainer(Net(), args, train_dataset=datasets.Dataset.from_list(rows).with_format("torch"))

        check_checkpoints(make, tmp_path, every=4)

    def test_iterable_data(self, tmp_path: Path):
        """Six batches an epoch, gone through more than twice; their number is not known beforehand."""

        def make(folder: Path) -> Trainer:
            args = arguments(folder, max_steps=15, num_train_epochs=1)
            return Trainer(Net(), args, train_dataset=Stream(22))

        whole = check_checkpoints(make, tmp_path, every=3)
        assert whole["step"] == 15

    def test_streamed_and_shuffled_hub_data(self, tmp_path: Path):
        stream = (
            datasets.Dataset.from_list(examples(22)).with_format("torch").to_iterable_dataset(num_shards=2)
        )

        def make(folder: Path) -> Trainer:
            args = arguments(folder, max_steps=14)
            return Trainer(Net(), args, train_dataset=stream.shuffle(seed=3, buffer_size=8))

        check_checkpoints(make, tmp_path, every=3)

    @pytest.mark.parametrize("data", [Shaken, Stream])
    def test_processes_that_load_data(self, data: Any, tmp_path: Path):
        def make(folder: Path) -> Trainer:
            args = arguments(folder, dataloader_num_workers=2, max_steps=9, save_steps=2)
            return Trainer(Net(), args, data_collator=noisy_collator, train_dataset=data(22))

        check_checkpoints(make, tmp_path, every=2)

    def test_a_loader_with_a_generator_of_its_own(self, tmp_path: Path):
        class Own(Trainer):
            def get_train_dataloader(self) -> DataLoader:
                order = RandomSampler(self.train_dataset, generator=torch.Generator().manual_seed(5))
                return DataLoader(
                    self.train_dataset, batch_size=4, sampler=order, collate_fn=self.data_collator
                )

        def make(folder: Path) -> Trainer:
            return Own(Net(), arguments(folder), train_dataset=examples(22))

        check_checkpoints(make, tmp_path, every=4)

    @pytest.mark.parametrize(
        "changes",
        [
            {"optim": "adafactor", "lr_scheduler_type": "constant"},
            {"optim": "sgd", "lr_scheduler_type": "cosine", "warmup_steps": 3},
            {"lr_scheduler_type": "reduce_lr_on_plateau", "eval_strategy": "steps", "eval_steps": 2},
            {"bf16": True},
            {"save_safetensors": False},
            {"max_steps": 8},
            {"num_train_epochs": 1.5},
            {"dataloader_drop_last": True},
            {"include_num_input_tokens_seen": True},
            {"logging_first_step": True, "logging_steps": 5, "logging_nan_inf_filter": False},
        ],
        ids=lambda changes: next(iter(changes.items())).__repr__().replace("'", ""),
    )
    def test_arguments(self, changes: dict[str, Any], tmp_path: Path):
        def make(folder: Path) -> Trainer:
            args = arguments(folder, **changes)
            return Trainer(Net(), args, train_dataset=examples(22), eval_dataset=examples(9, seed=1))

        check_checkpoints(make, tmp_path, every=5)

    def test_all_at_the_end_of_epochs(self, tmp_path: Path):
        """A checkpoint is written after the evaluation, when the epoch is over."""

        def make(folder: Path) -> Trainer:
            each = {"save_strategy": "epoch", "eval_strategy": "epoch", "logging_strategy": "epoch"}
            args = arguments(folder, **each, metric_for_best_model="loss", load_best_model_at_end=True)
            return Trainer(Net(), args, train_dataset=examples(22), eval_dataset=examples(9, seed=1))

        whole = check_checkpoints(make, tmp_path)
        assert [entry["epoch"] for entry in whole["history"] if "eval_loss" in entry] == [1, 2, 3]

    def test_saved_at_the_last_step_of_an_epoch_whose_end_is_still_to_come(self, tmp_path: Path):
        """Six steps an epoch: after the sixth comes a checkpoint, and only then evaluation and log."""

        def make(folder: Path) -> Trainer:
            each = {"eval_strategy": "epoch", "logging_strategy": "epoch"}
            args = arguments(folder, **each, save_steps=6)
            return Trainer(Net(), args, train_dataset=examples(22), eval_dataset=examples(9, seed=1))

        whole = check_checkpoints(make, tmp_path)
        assert sum("eval_loss" in entry for entry in whole["history"]) == 3

    def test_an_adapter(self, tmp_path: Path):
        """Only the adapter is in the checkpoint, and in the optimizer."""
        rows = [{"input_ids": [index % 20, 2, 3], "labels": index % 2} for index in range(22)]
        shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}

        def make(folder: Path) -> Trainer:
            torch.manual_seed(3)
            model = BertForSequenceClassification(BertConfig(vocab_size=20, **shape))
            targets = ["query", "value"]
            model.add_adapter(
                LoraConfig(r=2, target_modules=targets, modules_to_save=["classifier"], lora_dropout=0.1)
            )
            return Trainer(model, arguments(folder), train_dataset=rows)

        check_checkpoints(make, tmp_path, every=7)
        names = {path.name for path in (tmp_path / "whole" / "checkpoint-1").iterdir()}
        assert "adapter_model.safetensors" in names
        assert "model.safetensors" not in names

    def test_an_adapter_of_the_peft_library(self, tmp_path: Path):
        peft = pytest.importorskip("peft")
        rows = [{"input_ids": [index % 20, 2, 3], "labels": index % 2} for index in range(22)]
        shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}

        def make(folder: Path) -> Trainer:
            torch.manual_seed(3)
            model = BertForSequenceClassification(BertConfig(vocab_size=20, **shape))
            config = peft.LoraConfig(r=2, target_modules=["query", "value"], lora_dropout=0.1)
            return Trainer(peft.get_peft_model(model, config), arguments(folder), train_dataset=rows)

        check_checkpoints(make, tmp_path, every=7)

    @pytest.mark.slow
    def test_two_processes(self, tmp_path: Path):
        """Each has random numbers and losses of its own; the loader fetches a batch before it is needed."""
        launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--standalone"]
        done = subprocess.run(
            [*launch, str(Path(__file__).with_name("resumed_processes.py")), str(tmp_path)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:]


class TestCallbacks:
    def test_early_stopping_counts_on(self, tmp_path: Path):
        def make(folder: Path) -> Trainer:
            args = arguments(
                folder,
                eval_strategy="steps",
                eval_steps=1,
                metric_for_best_model="loss",
                load_best_model_at_end=True,
                learning_rate=1.0,
                num_train_epochs=9,
            )
            stopping = EarlyStoppingCallback(early_stopping_patience=3)
            return Trainer(
                Net(),
                args,
                train_dataset=examples(22),
                eval_dataset=examples(9, seed=1),
                callbacks=[stopping],
            )

        whole = check_checkpoints(make, tmp_path)
        assert whole["stopping"] == [3]
        assert whole["step"] < 54

    @pytest.mark.parametrize("switch", ["should_training_stop", "should_epoch_stop"])
    def test_a_callback_that_stops_at_the_step_of_a_checkpoint(self, switch: str, tmp_path: Path):
        class Stops(TrainerCallback):
            def on_step_end(self, args, state, control, **kwargs):
                if state.global_step == 8:
                    setattr(control, switch, True)

        def make(folder: Path) -> Trainer:
            return Trainer(Net(), arguments(folder), train_dataset=examples(22), callbacks=[Stops])

        whole = check_checkpoints(make, tmp_path, every=7)
        assert whole["step"] == (8 if switch == "should_training_stop" else 14)


class TestGoingOnOtherwise:
    def make(self, folder: Path, **changes: Any) -> Trainer:
        return Trainer(Net(), arguments(folder, **changes), train_dataset=examples(22))

    def test_a_finished_run_has_nothing_left_to_do(self, tmp_path: Path):
        first = self.make(tmp_path)
        first.train()
        weights = {name: value.clone() for name, value in first.model.state_dict().items()}
        again = self.make(tmp_path)
        output = again.train(resume_from_checkpoint=True)
        assert output.global_step == 18
        assert_equal(dict(again.model.state_dict()), weights)

    def test_more_epochs_than_the_first_time(self, tmp_path: Path):
        self.make(tmp_path, num_train_epochs=1).train()
        assert self.make(tmp_path).train(resume_from_checkpoint=True).global_step == 18

    def test_another_interval_of_saves_holds(self, tmp_path: Path):
        self.make(tmp_path, num_train_epochs=1).train()
        self.make(tmp_path, save_steps=5).train(resume_from_checkpoint=str(tmp_path / "checkpoint-6"))
        assert {path.name for path in tmp_path.glob("checkpoint-*")} >= {"checkpoint-10", "checkpoint-15"}
        assert not (tmp_path / "checkpoint-7").exists()

    def test_another_optimizer_is_refused(self, tmp_path: Path):
        self.make(tmp_path, num_train_epochs=1).train()
        with pytest.raises(ValueError, match=r"optimizer\.pt.*momentum"):
            self.make(tmp_path, optim="sgd").train(resume_from_checkpoint=True)

    def test_ignore_data_skip_begins_the_epoch_anew(self, tmp_path: Path):
        seen: list[int] = []

        def collate(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
            seen.append(len(rows))
            return noisy_collator(rows)

        def make(**changes: Any) -> Trainer:
            args = arguments(tmp_path, **changes)
            return Trainer(Net(), args, data_collator=collate, train_dataset=examples(22))

        make(max_steps=8).train()
        seen.clear()
        trainer = make(ignore_data_skip=True)
        trainer.train(resume_from_checkpoint=True)
        assert trainer.state.global_step == 18
        assert seen == [4, 4, 4, 4, 4, 2, 4, 4, 4, 4]  # all of the second epoch, then up to step 18

    def test_used_examples_are_not_fetched_again(self, tmp_path: Path):
        class Counted(Shaken):
            fetched = 0

            def __getitem__(self, index: int) -> dict[str, Any]:
                type(self).fetched += 1
                return super().__getitem__(index)

        def make() -> Trainer:
            return Trainer(Net(), arguments(tmp_path, num_train_epochs=1), train_dataset=Counted(22))

        make().train()
        Counted.fetched = 0
        make().train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
        assert Counted.fetched == 6

    def test_without_the_optimizer_it_starts_anew_and_says_so(self, tmp_path: Path, library_log: Any):
        self.make(tmp_path, save_only_model=True, max_steps=5).train()
        names = {path.name for path in (tmp_path / "checkpoint-5").iterdir()}
        assert names == {"model.safetensors", "training_args.bin", "trainer_state.json"}
        trainer = self.make(tmp_path)
        trainer.train(resume_from_checkpoint=True)
        assert trainer.state.global_step == 18
        assert "save_only_model=True" in library_log.text

    def test_of_a_folder_without_a_state_only_the_weights_are_used(self, tmp_path: Path):
        first = self.make(tmp_path / "a", max_steps=2)
        first.train()
        first.save_model(str(tmp_path / "weights"))
        second = self.make(tmp_path / "b", max_steps=1, learning_rate=0.0)
        second.train(resume_from_checkpoint=str(tmp_path / "weights"))
        assert second.state.global_step == 1
        assert torch.equal(second.model.head.weight, first.model.head.weight)

    def test_weights_may_be_pickles(self, tmp_path: Path):
        self.make(tmp_path, save_safetensors=False, max_steps=3).train()
        assert (tmp_path / "checkpoint-3" / "pytorch_model.bin").is_file()
        assert self.make(tmp_path).train(resume_from_checkpoint=True).global_step == 18


class TestErrors:
    def make(self, folder: Path) -> Trainer:
        return Trainer(Net(), arguments(folder), train_dataset=examples(8))

    def test_true_without_a_checkpoint(self, tmp_path: Path):
        (tmp_path / "notes").mkdir()
        with pytest.raises(ValueError, match=r"No valid checkpoint found in output directory \(.*has notes"):
            self.make(tmp_path).train(resume_from_checkpoint=True)

    def test_a_folder_that_is_not_there(self, tmp_path: Path):
        with pytest.raises(ValueError, match="Can't find a valid checkpoint at nowhere"):
            self.make(tmp_path).train(resume_from_checkpoint="nowhere")

    def test_a_folder_without_weights(self, tmp_path: Path):
        (tmp_path / "checkpoint-3").mkdir()
        with pytest.raises(ValueError, match=r"Can't find a valid checkpoint at .*checkpoint-3"):
            self.make(tmp_path).train(resume_from_checkpoint=str(tmp_path / "checkpoint-3"))

    @pytest.mark.parametrize("value", [None, False])
    def test_nothing_to_resume_from(self, value: Any, tmp_path: Path):
        assert self.make(tmp_path).train(resume_from_checkpoint=value).global_step == 6

    def test_a_checkpoint_that_is_not_whole_is_passed_over(self, tmp_path: Path, library_log: Any):
        self.make(tmp_path).train()
        (tmp_path / "checkpoint-99").mkdir()
        self.make(tmp_path).train(resume_from_checkpoint=True)
        assert "checkpoint-99 is not whole" in library_log.text

    @pytest.mark.parametrize("name", ["model.safetensors", "scheduler.pt", "rng_state.pth", "loop_state.pt"])
    def test_a_damaged_file_is_named(self, name: str, tmp_path: Path):
        self.make(tmp_path).train()
        file = Path(str(get_last_checkpoint(tmp_path))) / name
        file.write_bytes(file.read_bytes()[:100])
        with pytest.raises(OSError, match=name):
            self.make(tmp_path).train(resume_from_checkpoint=True)

    def test_weights_of_another_model(self, tmp_path: Path):
        self.make(tmp_path).train()
        other = Trainer(nn.Linear(2, 2), arguments(tmp_path), train_dataset=examples(8))
        with pytest.raises(RuntimeError, match=r"hidden\.weight"):
            other.train(resume_from_checkpoint=True)
