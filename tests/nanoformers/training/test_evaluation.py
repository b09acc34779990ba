"""Evaluation and prediction: what is collected, how it is joined, and which metrics come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nanoformers.training import (
    EvalPrediction,
    PredictionOutput,
    Trainer,
    TrainingArguments,
    nested_concat,
    nested_detach,
    nested_numpify,
)
from nanoformers.training.evaluation import Collected
from nanoformers.training.nested import find_batch_size, on_device


class Affine(torch.nn.Module):
    """Gives a loss, and what it was asked for."""

    def __init__(self, extra: Any = None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(2.0))
        self.extra = extra
        self.main_input_name = "x"

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, Any]:
        outputs: dict[str, Any] = {"logits": self.weight * x}
        if self.extra is not None:
            outputs["extra"] = self.extra(x)
        if labels is not None:
            outputs = {"loss": ((outputs["logits"] - labels) ** 2).mean(), **outputs}
        return outputs


def rows(number: int = 10) -> list[dict[str, float]]:
    return [{"x": float(x), "labels": 2.0 * x + x} for x in range(number)]


@pytest.fixture
def make(tmp_path: Path):
    def trainer(model: Any = None, cls: type[Trainer] = Trainer, **options: Any) -> Trainer:
        own = {"eval_dataset", "compute_metrics", "preprocess_logits_for_metrics", "data_collator"}
        given = {name: options.pop(name) for name in own & options.keys()}
        defaults = {"disable_tqdm": True, "use_cpu": True, "per_device_eval_batch_size": 4}
        args = TrainingArguments(str(tmp_path), **defaults | options)
        return cls(model or Affine(), args, **{"eval_dataset": rows()} | given)

    return trainer


class TestEvaluate:
    def test_what_it_gives(self, make):
        metrics = make().evaluate()
        assert set(metrics) == {
            "eval_loss",
            "eval_runtime",
            "eval_samples_per_second",
            "eval_steps_per_second",
        }
        assert metrics["eval_loss"] == pytest.approx(np.mean([x**2 for x in range(10)]))

    def test_it_is_logged(self, make):
        trainer = make()
        trainer.evaluate()
        assert "eval_loss" in trainer.state.log_history[-1]

    def test_metrics_of_ones_own_get_the_prefix(self, make):
        trainer = make(compute_metrics=lambda p: {"mean": np.float32(p.predictions.mean()), "eval_known": 1})
        metrics = trainer.evaluate()
        assert metrics["eval_mean"] == 9.0
        assert isinstance(metrics["eval_mean"], float)
        assert metrics["eval_known"] == 1
        assert make().evaluate(metric_key_prefix="other")["other_loss"] > 0

    def test_several_sets(self, make):
        metrics = make(eval_dataset={"small": rows(2), "big": rows(8)}).evaluate()
        assert metrics["eval_small_loss"] < metrics["eval_big_loss"]
        assert set(make().evaluate({"one": rows(1)})) >= {"eval_one_loss"}

    def test_another_set(self, make):
        assert make().evaluate(rows(1))["eval_loss"] == 0.0

    def test_no_set(self, make):
        with pytest.raises(ValueError, match="evaluation requires an eval_dataset"):
            make(eval_dataset=None).evaluate()

    def test_an_empty_set(self, make):
        with pytest.raises(ValueError, match="not a single example"):
            make(eval_dataset=[]).evaluate()

    def test_inputs_for_metrics(self, make):
        seen = {}

        def compute(prediction: EvalPrediction) -> dict[str, float]:
            seen["inputs"], seen["number"] = prediction.inputs, len(list(prediction))
            return {}

        make(compute_metrics=compute, include_inputs_for_metrics=True).evaluate()
        np.testing.assert_array_equal(seen["inputs"], np.arange(10.0))
        assert seen["number"] == 3

    def test_losses_for_metrics(self, make):
        seen = []
        make(compute_metrics=lambda p: seen.append(p.losses) or {}, include_for_metrics=["loss"]).evaluate()
        assert seen[0].shape == (10,)

    def test_metrics_batch_by_batch(self, make):
        total, calls = [0.0], []

        def compute(prediction: EvalPrediction, compute_result: bool) -> dict[str, float]:
            total[0] += float(prediction.predictions.sum())
            calls.append(compute_result)
            return {"sum": total[0]} if compute_result else {}

        assert make(compute_metrics=compute, batch_eval_metrics=True).evaluate()["eval_sum"] == 90.0
        assert calls == [False, False, True]

    def test_metrics_batch_by_batch_need_an_argument(self, make):
        with pytest.raises(ValueError, match="compute_result"):
            make(compute_metrics=lambda p: {}, batch_eval_metrics=True)

    @pytest.mark.parametrize("result", [None, 0.5])
    def test_metrics_that_are_no_dictionary(self, make, result):
        with pytest.raises(TypeError, match=r"compute_metrics.*\{name: value\}"):
            make(compute_metrics=lambda prediction: result).evaluate()

    def test_logits_may_be_made_smaller_first(self, make):
        trainer = make(
            compute_metrics=lambda p: {"seen": float(p.predictions.sum())},
            preprocess_logits_for_metrics=lambda logits, labels: (logits > 10).long(),
        )
        assert trainer.evaluate()["eval_seen"] == 4.0

    def test_the_model_is_in_evaluation_mode(self, make):
        trainer = make()
        trainer.model.train()
        trainer.evaluate()
        assert not trainer.model.training

    @pytest.mark.parametrize("option", ["use_legacy_prediction_loop", "bf16_full_eval"])
    def test_other_ways(self, make, option):
        assert make(**{option: True}).evaluate()["eval_loss"] == pytest.approx(28.5, rel=1e-2)

    def test_the_older_loop_needs_a_length(self, make):
        class Stream(torch.utils.data.IterableDataset):
            def __iter__(self):
                return iter(rows())

        with pytest.raises(ValueError, match="__len__"):
            make(eval_dataset=Stream(), use_legacy_prediction_loop=True).evaluate()
        assert make(eval_dataset=Stream()).evaluate()["eval_loss"] == pytest.approx(28.5)

    def test_before_training_and_after_each_epoch(self, make, tmp_path):
        trainer = make(eval_on_start=True, eval_strategy="epoch", num_train_epochs=2, save_strategy="no")
        trainer.train_dataset = rows()
        trainer.train()
        steps = [entry["step"] for entry in trainer.state.log_history if "eval_loss" in entry]
        assert steps == [0, 2, 4]

    def test_it_waits(self, make):
        trainer = make(eval_strategy="epoch", eval_delay=2, num_train_epochs=3, save_strategy="no")
        trainer.train_dataset = rows()
        trainer.train()
        assert sum("eval_loss" in entry for entry in trainer.state.log_history) == 2


class TestPredict:
    def test_what_it_gives(self, make):
        output = make().predict(rows(5))
        assert isinstance(output, PredictionOutput)
        np.testing.assert_array_equal(output.predictions, 2.0 * np.arange(5))
        np.testing.assert_array_equal(output.label_ids, 3.0 * np.arange(5))
        assert output.metrics["test_loss"] == 6.0

    def test_without_labels(self, make):
        output = make().predict([{"x": 1.0}, {"x": 2.0}])
        np.testing.assert_array_equal(output.predictions, [2.0, 4.0])
        assert output.label_ids is None
        assert "test_loss" not in output.metrics

    def test_an_output_that_is_none_is_left_out(self, make):
        class Plain(Affine):
            def forward(self, x, labels=None):
                outputs = super().forward(x, labels)
                return {"loss": None} | outputs  # as people write it: a key, whether there are labels or not

        result = make(Plain()).predict([{"x": 3.0}, {"x": 4.0}])
        assert result.predictions.tolist() == [6.0, 8.0]

    def test_several_outputs(self, make):
        output = make(Affine(lambda x: (x, {"twice": 2 * x}))).predict(rows(5))
        _logits, (same, named) = output.predictions
        np.testing.assert_array_equal(same, np.arange(5.0))
        np.testing.assert_array_equal(named["twice"], 2 * np.arange(5.0))

    def test_outputs_left_out(self, make):
        output = make(Affine(lambda x: x)).predict(rows(5), ignore_keys=["extra"])
        assert isinstance(output.predictions, np.ndarray)

    def test_lengths_that_differ_are_padded(self, make):
        trainer = make(Affine(lambda x: torch.ones(len(x), 1 + int(x.max()))))
        _logits, extra = trainer.predict(rows(10)).predictions
        assert extra.shape == (10, 10)
        assert (extra[:4, 4:] == -100).all()

    @pytest.mark.parametrize("every", [1, 2, 100])
    def test_moved_to_the_cpu_now_and_then(self, make, every):
        output = make(eval_accumulation_steps=every).predict(rows(10))
        np.testing.assert_array_equal(output.predictions, 2.0 * np.arange(10))

    def test_batches_kept_apart(self, make):
        output = make(eval_do_concat_batches=False).predict(rows(10))
        assert [len(batch) for batch in output.predictions] == [4, 4, 2]

    def test_the_loss_alone(self, make):
        output = make(prediction_loss_only=True).predict(rows(3))
        assert output.predictions is None
        assert output.metrics["test_loss"] > 0

    def test_dropping_the_last_batch(self, make):
        output = make(dataloader_drop_last=True).predict(rows(10))
        assert len(output.predictions) == 8
        with pytest.raises(ValueError, match="dataloader_drop_last"):
            make(dataloader_drop_last=True).predict(rows(3))

    def test_a_step_that_gives_a_loss_for_each_example(self, make):
        class OneEach(Trainer):
            def prediction_step(self, model, inputs, prediction_loss_only, ignore_keys=None):
                return (model(inputs["x"])["logits"] - inputs["labels"]) ** 2, None, None

        assert make(cls=OneEach).evaluate()["eval_loss"] == make().evaluate()["eval_loss"]

    def test_an_overridden_step(self, make):
        class Own(Trainer):
            def prediction_step(self, model, inputs, prediction_loss_only, ignore_keys=None):
                return None, inputs["x"] + 1, None

        output = make(cls=Own).predict(rows(4))
        np.testing.assert_array_equal(output.predictions, np.arange(4.0) + 1)


class TestEvalPrediction:
    def test_it_unpacks(self):
        predictions, labels = EvalPrediction(np.ones(2), np.zeros(2))
        assert predictions.sum() == 2
        assert labels.sum() == 0

    def test_it_is_indexed(self):
        prediction = EvalPrediction(np.ones(2), np.zeros(2), inputs=np.full(2, 3.0))
        assert prediction[2].sum() == 6
        with pytest.raises(IndexError, match="tuple index out of range"):
            EvalPrediction(np.ones(2), np.zeros(2))[2]


class TestNested:
    def test_join(self):
        joined = nested_concat([{"a": (torch.ones(2, 3), torch.tensor(1.0))}] * 2)
        assert joined["a"][0].shape == (4, 3)
        assert joined["a"][1].tolist() == [1.0, 1.0]

    def test_join_arrays_of_other_lengths(self):
        joined = nested_concat([np.ones((1, 2), int), np.ones((2, 3), int)], padding_index=0)
        assert joined.tolist() == [[1, 1, 0], [1, 1, 1], [1, 1, 1]]

    def test_lists_of_other_lengths(self):
        boxes = [{"boxes": torch.zeros(2, 4)}]
        with pytest.raises(ValueError, match="eval_do_concat_batches=False"):
            nested_concat([boxes * 3, boxes])

    def test_forms_that_differ(self):
        with pytest.raises(TypeError, match="same form"):
            nested_concat([torch.ones(1), (torch.ones(1),)])
        with pytest.raises(TypeError, match="str"):
            nested_concat(["a", "b"])

    def test_arrays(self):
        arrays = nested_numpify([torch.ones(2, dtype=torch.bfloat16), (torch.tensor(1),)])
        assert arrays[0].dtype == np.float32
        assert arrays[1][0] == 1

    def test_detach(self):
        assert not nested_detach((torch.ones(1, requires_grad=True),))[0].requires_grad

    def test_what_is_there_already_is_not_copied(self):
        batch = {"x": torch.ones(1)}
        assert on_device(batch, torch.device("cpu")) is batch

    def test_size_of_a_batch(self):
        assert find_batch_size({"a": None, "b": [torch.ones(3, 2)]}) == 3
        assert find_batch_size({"a": 1}) is None

    def test_nothing_was_collected(self):
        collected = Collected()
        collected.add(None)
        assert collected.result() is None
