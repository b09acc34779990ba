"""The model card that a Trainer drafts, read by the library of the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from huggingface_hub import ModelCard
from nanoformers import (
    BertConfig,
    BertForMultipleChoice,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
)
from nanoformers.training import Trainer, TrainerState, TrainingArguments
from nanoformers.training.model_card import create_model_card
from nanoformers.training.training_record import final_results, results_table

SHAPE = {
    "vocab_size": 20,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 8,
}
ROWS = [{"input_ids": [index, 2, 3], "labels": index % 2} for index in range(16)]

HISTORY = [
    {"eval_loss": 0.9, "eval_accuracy": 0.5, "eval_runtime": 1.0, "epoch": 0.5, "step": 5},
    {"loss": 0.8, "learning_rate": 0.1, "epoch": 1.0, "step": 10},
    {"eval_loss": 0.6, "eval_accuracy": 0.75, "eval_runtime": 1.0, "epoch": 1.0, "step": 10},
    {"loss": 0.4, "learning_rate": 0.1, "epoch": 2.0, "step": 20},
    {"eval_loss": 0.7, "eval_accuracy": 0.7, "eval_samples_per_second": 3.0, "epoch": 2.0, "step": 20},
    {"train_runtime": 9.0, "train_loss": 0.6, "epoch": 2.0, "step": 20},
]


def trainer(
    folder: Path, model: Any = None, history: list[dict[str, Any]] | None = None, **changes: Any
) -> Trainer:
    data = changes.pop("data", ROWS)
    args = TrainingArguments(str(folder), **{"use_cpu": True, "disable_tqdm": True, **changes})
    model = model or BertForSequenceClassification(BertConfig(**SHAPE))
    made = Trainer(model, args, train_dataset=data, eval_dataset=data)
    made.state.log_history = HISTORY if history is None else history
    return made


def card_of(folder: Path) -> ModelCard:
    return ModelCard.load(folder / "README.md")


class TestFrontMatter:
    @pytest.fixture
    def card(self, tmp_path: Path) -> ModelCard:
        trainer(tmp_path).create_model_card(
            language=["en", "fr"],
            license="apache-2.0",
            tags="owls",
            model_name="Owl finder",
            finetuned_from="toyland/fill-mask-bert",
            tasks="text-classification",
            dataset_tags="toyland/sentiment",
            dataset="Toyland sentiment",
            dataset_args="moods",
        )
        return card_of(tmp_path)

    def test_what_was_given(self, card: ModelCard):
        assert card.data.language == ["en", "fr"]
        assert card.data.license == "apache-2.0"
        assert card.data.tags == ["owls", "generated_from_trainer"]
        assert card.data.base_model == "toyland/fill-mask-bert"
        assert card.data.datasets == ["toyland/sentiment"]
        assert card.data.pipeline_tag == "text-classification"
        assert card.data.library_name == "nanoformers"
        assert card.data.metrics == ["accuracy"]

    def test_results_with_their_task_and_data(self, card: ModelCard):
        (result,) = card.data.eval_results
        assert card.data.model_name == "Owl finder"
        assert (result.task_type, result.task_name) == ("text-classification", "Text classification")
        assert (result.dataset_type, result.dataset_name) == ("toyland/sentiment", "Toyland sentiment")
        assert result.dataset_args == {"args": "moods"}
        assert (result.metric_type, result.metric_name, result.metric_value) == ("accuracy", "Accuracy", 0.7)

    def test_without_data_there_is_no_result_that_the_hub_would_refuse(self, tmp_path: Path):
        trainer(tmp_path).create_model_card()
        data = card_of(tmp_path).data
        assert data.eval_results is None
        assert data.metrics == ["accuracy"]
        assert data.tags == ["generated_from_trainer"]

    def test_several_tasks_and_data_sets(self, tmp_path: Path):
        trainer(tmp_path).create_model_card(
            tasks=["text-classification", "zero-shot-classification"],
            dataset_tags=["a/b", "c/d"],
            dataset=["B", "D"],
        )
        results = card_of(tmp_path).data.eval_results
        assert {(result.task_type, result.dataset_name) for result in results} == {
            (task, name) for task in ("text-classification", "zero-shot-classification") for name in "BD"
        }

    def test_kinds_of_rouge_are_one_metric(self, tmp_path: Path):
        history = [{"eval_loss": 0.5, "eval_rouge1": 0.4, "eval_rougeL": 0.3, "step": 5}]
        trainer(tmp_path, history=history).create_model_card(tasks="summarization", dataset_tags="a/b")
        data = card_of(tmp_path).data
        assert data.metrics == ["rouge"]
        assert {(result.metric_type, result.metric_name) for result in data.eval_results} == {
            ("rouge", "Rouge1"),
            ("rouge", "RougeL"),
        }


class TestWhatIsFoundOut:
    @pytest.mark.parametrize(
        ("model", "task"),
        [
            (BertForSequenceClassification(BertConfig(**SHAPE)), "text-classification"),
            (GPT2LMHeadModel(GPT2Config(vocab_size=9, n_embd=8, n_layer=1, n_head=2)), "text-generation"),
            (BertForMultipleChoice(BertConfig(**SHAPE)), "multiple-choice"),
            (torch.nn.Linear(2, 2), None),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, torch.nn.Module) else "",
    )
    def test_the_task(self, model: Any, task: str | None, tmp_path: Path):
        create_model_card(trainer(tmp_path, model))
        assert card_of(tmp_path).data.get("pipeline_tag") == task

    def test_the_name_of_the_folder(self, tmp_path: Path):
        trainer(tmp_path / "my-owls").create_model_card()
        assert card_of(tmp_path / "my-owls").text.strip().splitlines()[2] == "# my-owls"

    def test_the_data_set_of_the_hub(self, tmp_path: Path):
        data = datasets.Dataset.from_list(ROWS, split=datasets.NamedSplit("validation"))
        data.info.download_checksums = {"hf://datasets/toyland/sentiment@0123/data.parquet": {}}
        trainer(tmp_path, data=data).create_model_card()
        card = card_of(tmp_path)
        assert card.data.datasets == ["toyland/sentiment"]
        assert card.data.eval_results[0].dataset_split == "validation"
        assert "on toyland/sentiment." in card.text

    def test_the_model_it_was_loaded_from(self, tmp_path: Path):
        model = BertForSequenceClassification(BertConfig(**SHAPE))
        model.name_or_path = "toyland/fill-mask-bert"
        trainer(tmp_path, model).create_model_card(license="mit")
        assert card_of(tmp_path).data.base_model == "toyland/fill-mask-bert"

    def test_a_folder_is_not_named_as_the_base(self, tmp_path: Path):
        model = BertForSequenceClassification(BertConfig(**SHAPE))
        model.name_or_path = str(tmp_path)
        trainer(tmp_path, model).create_model_card()
        card = card_of(tmp_path)
        assert card.data.get("base_model") is None
        assert "Trained from random weights" in card.text


class TestText:
    def test_results_hyperparameters_course_and_versions(self, tmp_path: Path):
        trainer(
            tmp_path, learning_rate=0.003, gradient_accumulation_steps=4, warmup_steps=5
        ).create_model_card()
        text = card_of(tmp_path).text
        assert "- Loss: 0.7000\n- Accuracy: 0.7000" in text
        for line in ("learning_rate: 0.003", "train_batch_size: 8", "total_train_batch_size: 32", "seed: 42"):
            assert f"- {line}\n" in text
        assert "- optimizer: adamw" in text
        assert "- warmup_steps: 5" in text
        assert "| Training loss | Epoch | Step | Validation loss | Accuracy |" in text
        assert "| 0.4000 | 2.0000 | 20 | 0.7000 | 0.7000 |" in text
        assert f"- PyTorch: {torch.__version__}" in text

    def test_an_untrained_model(self, tmp_path: Path):
        trainer(tmp_path, history=[]).create_model_card()
        text = card_of(tmp_path).text
        assert "Results" not in text
        assert "Course of the training" not in text

    def test_written_anew_with_what_is_known_now(self, tmp_path: Path):
        made = trainer(tmp_path, history=HISTORY[:1])
        made.create_model_card(tags="owls")
        made.state.log_history = HISTORY
        made.create_model_card(tags=["birds"])
        card = card_of(tmp_path)
        assert "- Accuracy: 0.7000" in card.text
        assert card.data.tags == ["birds", "owls", "generated_from_trainer"]

    def test_the_text_of_a_person_stays(self, tmp_path: Path):
        """Their front matter is brought up to date, and keeps the licence and tags that they chose."""
        (tmp_path / "README.md").write_text(
            "---\nlicense: mit\ntags:\n- mine\n---\n\n# Mine\n\nMy own words.\n"
        )
        trainer(tmp_path).create_model_card(language="en")
        card = card_of(tmp_path)
        assert "My own words." in card.text
        assert "Hyperparameters" not in card.text
        assert card.data.license == "mit"
        assert card.data.tags == ["mine", "generated_from_trainer"]
        assert card.data.language == ["en"]

    def test_a_card_whose_front_matter_is_broken_keeps_its_text(self, tmp_path: Path):
        (tmp_path / "README.md").write_text("---\n- a list\n---\n# Mine\n")
        trainer(tmp_path).create_model_card()
        assert "# Mine" in card_of(tmp_path).text

    def test_other_processes_write_nothing(self, tmp_path: Path):
        made = trainer(tmp_path)
        made.engine.is_main_process = False
        made.create_model_card()
        assert not (tmp_path / "README.md").exists()


class TestRecord:
    def test_one_row_for_each_evaluation(self):
        assert results_table(HISTORY) == [
            {"Training loss": "not logged", "Epoch": 0.5, "Step": 5, "Validation loss": 0.9, "Accuracy": 0.5},
            {"Training loss": 0.8, "Epoch": 1.0, "Step": 10, "Validation loss": 0.6, "Accuracy": 0.75},
            {"Training loss": 0.4, "Epoch": 2.0, "Step": 20, "Validation loss": 0.7, "Accuracy": 0.7},
        ]

    def test_several_sets_at_one_step_are_one_row(self):
        history = [
            {"eval_news_loss": 0.5, "epoch": 1.0, "step": 4},
            {"eval_tales_loss": 0.6, "epoch": 1.0, "step": 4},
        ]
        (row,) = results_table(history)
        assert (row["News loss"], row["Tales loss"]) == (0.5, 0.6)

    @pytest.mark.parametrize(
        ("load_best", "after", "accuracy"), [(False, [], 0.7), (True, [], 0.75), (True, [0.8], 0.8)]
    )
    def test_final_results_are_those_of_the_model_at_hand(
        self, load_best: bool, after: list[float], accuracy: float, tmp_path: Path
    ):
        """With the best model loaded, its own evaluation counts; and one after the training before all."""
        later = [{"eval_loss": 0.1, "eval_accuracy": value, "epoch": 2.0, "step": 20} for value in after]
        state = TrainerState(log_history=HISTORY + later, best_model_checkpoint="out/checkpoint-10")
        args = TrainingArguments(
            str(tmp_path), load_best_model_at_end=load_best, eval_strategy="epoch", save_strategy="epoch"
        )
        assert final_results(state, args)["accuracy"] == accuracy
