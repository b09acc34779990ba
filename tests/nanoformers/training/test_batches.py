"""Data loaders: order, columns, the arguments `dataloader_*`, data sets of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.data_loader import SeedableRandomSampler
from nanoformers import BertConfig, BertForSequenceClassification
from nanoformers.training import Trainer, TrainingArguments
from nanoformers.training.batches import has_length
from nanoformers.training.samplers import (
    LengthGroupedSampler,
    ShuffledSampler,
    get_length_grouped_indices,
    lengths_of,
)

datasets = pytest.importorskip("datasets")


def rows(number: int = 12) -> list[dict[str, Any]]:
    return [{"input_ids": [1 + index % 5] * (1 + index % 7), "labels": index % 2} for index in range(number)]


def columns(number: int = 12) -> Any:
    return datasets.Dataset.from_list([row | {"text": "words"} for row in rows(number)])


def pad(features: list[dict[str, Any]]) -> dict[str, Any]:
    longest = max(len(feature["input_ids"]) for feature in features)
    ids = [feature["input_ids"] + [0] * (longest - len(feature["input_ids"])) for feature in features]
    batch = {"input_ids": torch.tensor(ids), "labels": torch.tensor([row["labels"] for row in features])}
    return batch | {name: True for feature in features for name in feature if name not in batch}


class Stream(torch.utils.data.IterableDataset):
    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.epochs: list[int] = []

    def __iter__(self):
        return iter(self.items)

    def set_epoch(self, epoch: int) -> None:
        self.epochs.append(epoch)


@pytest.fixture
def make(tmp_path: Path):
    def trainer(data: Any, **options: Any) -> Trainer:
        config = BertConfig(
            vocab_size=10, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
        )
        defaults = {
            "use_cpu": True,
            "disable_tqdm": True,
            "save_strategy": "no",
            "per_device_train_batch_size": 4,
        }
        args = TrainingArguments(str(tmp_path), **defaults | options)
        model = BertForSequenceClassification(config)
        return Trainer(model, args, data_collator=pad, train_dataset=data, eval_dataset=data)

    return trainer


class TestOrder:
    def test_that_of_accelerate(self):
        torch.manual_seed(5)
        theirs = SeedableRandomSampler(range(20), data_seed=3)
        ours = ShuffledSampler(20, 3)
        assert [list(ours), list(ours)] == [list(theirs), list(theirs)]

    def test_an_epoch_is_found_again(self):
        sampler = ShuffledSampler(20, 3)
        first, second = list(sampler), list(sampler)
        sampler.set_epoch(1)
        assert list(sampler) == second != first
        assert sorted(first) == list(range(20))

    def test_data_seed_goes_before_seed(self, make):
        orders = [
            list(make(rows(), data_seed=data_seed, seed=seed).get_train_dataloader().sampler)
            for data_seed, seed in ((7, 1), (7, 2), (8, 1))
        ]
        assert orders[0] == orders[1] != orders[2]

    def test_evaluation_keeps_the_order(self, make):
        loader = make(rows(), group_by_length=True).get_eval_dataloader()
        assert torch.cat([batch["labels"] for batch in loader]).tolist() == [index % 2 for index in range(12)]

    def test_one_after_the_other(self, make):
        loader = make(rows(), train_sampling_strategy="sequential").get_train_dataloader()
        assert list(loader.sampler) == list(range(12))

    def test_without_the_sampler_of_accelerate(self, make):
        loader = make(rows(), accelerator_config={"use_seedable_sampler": False}).get_train_dataloader()
        assert isinstance(loader.sampler, torch.utils.data.RandomSampler)


class TestGroupByLength:
    def test_neighbours_are_about_as_long(self):
        lengths = [index % 10 for index in range(200)]
        order = get_length_grouped_indices(lengths, batch_size=4)
        assert sorted(order) == list(range(200))
        assert lengths[order[0]] == 9
        spread = [
            max(lengths[i] for i in batch) - min(lengths[i] for i in batch)
            for batch in (order[start : start + 4] for start in range(4, 200, 4))
        ]
        assert sum(spread) / len(spread) < 1.5

    def test_nothing(self):
        assert get_length_grouped_indices([], 4) == []

    def test_a_generator(self):
        samplers = [LengthGroupedSampler(2, [1, 2, 3, 4], torch.Generator().manual_seed(1)) for _ in range(2)]
        assert list(samplers[0]) == list(samplers[1])
        assert len(samplers[0]) == 4

    def test_lengths_from_a_column(self):
        data = datasets.Dataset.from_dict({"input_ids": [[1]] * 3, "size": [7, 8, 9]})
        assert lengths_of(data, "size", "input_ids") == [7, 8, 9]
        assert lengths_of(data, "length", "input_ids") == [1, 1, 1]
        assert lengths_of(rows(3), "length", "input_ids") == [1, 2, 3]

    def test_lengths_that_cannot_be_known(self):
        with pytest.raises(ValueError, match="length_column_name"):
            lengths_of([(1, 2)], "length", "input_ids")

    def test_training(self, make):
        trainer = make(columns(), group_by_length=True, num_train_epochs=1)
        assert isinstance(trainer.get_train_dataloader().sampler, LengthGroupedSampler)
        assert trainer.train().global_step == 3

    def test_data_without_length_is_warned_about(self, make, library_log):
        make(Stream(rows()), group_by_length=True, max_steps=1)._get_train_sampler()
        assert "group_by_length" in library_log.text


class TestColumns:
    @pytest.mark.parametrize("data", [rows, columns], ids=["list", "datasets"])
    def test_unused_ones_are_left_out(self, make, data):
        items = data() if data is columns else [row | {"text": "words"} for row in rows()]
        batch = next(iter(make(items).get_train_dataloader()))
        assert set(batch) == {"input_ids", "labels"}

    @pytest.mark.parametrize("data", [rows, columns], ids=["list", "datasets"])
    def test_kept_where_asked_for(self, make, data):
        items = data() if data is columns else [row | {"text": "words"} for row in rows()]
        batch = next(iter(make(items, remove_unused_columns=False).get_train_dataloader()))
        assert "text" in batch

    def test_none_is_left(self, make):
        data = datasets.Dataset.from_dict({"text": ["words"]})
        with pytest.raises(ValueError, match="No columns in the dataset match"):
            make(data).get_train_dataloader()

    def test_a_batch_of_nothing(self, make):
        trainer = make(rows())
        with pytest.raises(ValueError, match="batch received was empty"):
            trainer.training_step(trainer.model, {})

    def test_names_of_labels_are_kept(self, make):
        trainer = make(rows(), label_names=["target"])
        assert "target" in trainer.signature_columns


class TestLoaders:
    def test_the_last_batch(self, make):
        assert len(list(make(rows(10)).get_train_dataloader())) == 3
        assert len(list(make(rows(10), dataloader_drop_last=True).get_train_dataloader())) == 2

    def test_processes_that_load(self, make):
        trainer = make(
            rows(),
            dataloader_num_workers=1,
            dataloader_prefetch_factor=3,
            dataloader_persistent_workers=True,
            dataloader_multiprocessing_context="fork",
            dataloader_in_order=False,
            max_steps=2,
        )
        loader = trainer.get_train_dataloader()
        assert (loader.num_workers, loader.prefetch_factor, loader.persistent_workers) == (1, 3, True)
        assert trainer.train().global_step == 2

    def test_evaluation_keeps_persistent_processes(self, make):
        trainer = make(
            rows(),
            dataloader_num_workers=1,
            dataloader_persistent_workers=True,
            dataloader_multiprocessing_context="fork",
        )
        assert trainer.get_eval_dataloader() is trainer.get_eval_dataloader()

    def test_sizes(self, make):
        trainer = make(rows(), per_device_eval_batch_size=5, gradient_accumulation_steps=2)
        assert trainer.get_train_dataloader().batch_size == 4
        assert trainer.get_test_dataloader(rows()).batch_size == 5
        assert trainer.num_examples(trainer.get_train_dataloader()) == 12
        assert trainer.get_total_train_batch_size(trainer.args) == 8

    def test_tokens(self, make):
        trainer = make([{"input_ids": [1, 2, 3], "labels": 0}] * 8)
        assert trainer.num_tokens(trainer.get_train_dataloader()) == 24
        assert trainer.num_tokens(trainer.get_train_dataloader(), max_steps=5) == 60

    def test_a_stream(self, make):
        data = Stream(rows())
        output = make(data, max_steps=8).train()
        assert output.global_step == 8
        assert data.epochs == [0, 1, 2]

    def test_a_streaming_data_set(self, make):
        data = columns(40).to_iterable_dataset(num_shards=2)
        assert make(data, max_steps=5).train().global_step == 5

    def test_a_stream_that_ends_stops_the_training(self, make, library_log):
        class Once(torch.utils.data.IterableDataset):
            items = iter(rows(8))

            def __iter__(self):
                return self.items

        assert make(Once(), max_steps=10).train().global_step == 2
        assert "gave no example" in library_log.text

    def test_length(self):
        assert has_length([])
        assert not has_length(Stream([]))
