"""`Seq2SeqTrainer`: evaluation on what the model generates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nanoformers import GenerationConfig, T5Config, T5ForConditionalGeneration
from nanoformers.training import Seq2SeqTrainer, Seq2SeqTrainingArguments


def t5() -> T5ForConditionalGeneration:
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=12,
        d_model=16,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    return T5ForConditionalGeneration(config)


def rows(number: int = 6) -> list[dict[str, list[int]]]:
    return [{"input_ids": [2 + index, 3, 4, 1], "labels": [2 + index, 1]} for index in range(number)]


@pytest.fixture
def make(tmp_path: Path):
    def trainer(model: Any = None, **options: Any) -> Seq2SeqTrainer:
        compute_metrics = options.pop("compute_metrics", None)
        defaults = {
            "use_cpu": True,
            "disable_tqdm": True,
            "save_strategy": "no",
            "predict_with_generate": True,
        }
        args = Seq2SeqTrainingArguments(str(tmp_path), **defaults | options)
        return Seq2SeqTrainer(
            model or t5(), args, train_dataset=rows(), eval_dataset=rows(), compute_metrics=compute_metrics
        )

    return trainer


class TestGeneration:
    def test_predictions_are_ids(self, make):
        output = make(generation_max_length=7).predict(rows())
        assert output.predictions.shape == (6, 7)
        assert output.predictions.dtype == np.int64
        assert output.label_ids.shape == (6, 7)
        assert output.metrics["test_loss"] > 0

    def test_they_are_those_of_generate(self, make):
        trainer = make()
        output = trainer.predict(rows(), max_length=9)
        ids = torch.tensor([row["input_ids"] for row in rows()])
        expected = trainer.model.generate(ids, max_length=9).numpy()
        np.testing.assert_array_equal(output.predictions[:, : expected.shape[1]], expected)
        assert (output.predictions[:, expected.shape[1] :] == 0).all()

    def test_arguments_of_the_call_go_first(self, make):
        assert make(generation_max_length=7).predict(rows(), max_new_tokens=3).predictions.shape == (6, 4)

    def test_the_loss_is_that_of_the_labels(self, make):
        with_ids, without = make().evaluate(), make(predict_with_generate=False).evaluate()
        assert with_ids["eval_loss"] == pytest.approx(without["eval_loss"])

    def test_metrics_get_ids(self, make):
        seen = []
        trainer = make(
            compute_metrics=lambda p: seen.append(p.predictions.shape) or {}, generation_max_length=5
        )
        trainer.evaluate()
        assert seen == [(6, 5)]

    def test_logits_without_generation(self, make):
        predictions = make(predict_with_generate=False).predict(rows()).predictions
        assert predictions[0].shape == (6, 2, 12)

    def test_without_labels(self, make):
        output = make(generation_max_length=5).predict([{"input_ids": [2, 3, 1]}] * 2)
        assert output.label_ids is None
        assert output.predictions.shape == (2, 5)

    def test_decoder_inputs_made_of_labels_do_not_give_the_answer_away(self, make):
        data = [row | {"decoder_input_ids": [0, row["labels"][0]]} for row in rows()]
        trainer = make(generation_max_length=5)
        np.testing.assert_array_equal(trainer.predict(data).predictions, trainer.predict(rows()).predictions)

    def test_while_training(self, make):
        trainer = make(eval_strategy="epoch", num_train_epochs=1, generation_max_length=4)
        trainer.train()
        assert any("eval_loss" in entry for entry in trainer.state.log_history)

    def test_nothing_to_pad_with(self, make):
        trainer = make(generation_max_length=9)
        trainer.model.config.pad_token_id = None
        with pytest.raises(ValueError, match="Pad_token_id"):
            trainer._pad(torch.ones(1, 2, dtype=torch.long), 9)


class TestGenerationConfig:
    def test_in_the_arguments(self, make):
        assert make(generation_config=GenerationConfig(max_length=6)).model.generation_config.max_length == 6

    @pytest.mark.parametrize("as_file", [True, False])
    def test_from_a_folder(self, make, tmp_path, as_file):
        GenerationConfig(max_length=6).save_pretrained(tmp_path / "config")
        path = tmp_path / "config" / "generation_config.json" if as_file else tmp_path / "config"
        assert make(generation_config=path).model.generation_config.max_length == 6

    def test_it_is_a_copy(self):
        config = GenerationConfig(max_length=6)
        assert Seq2SeqTrainer.load_generation_config(config) is not config
