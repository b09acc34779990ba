"""Checkers of notebook 101: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import pytest
from classroom.exercises import Wrong, check, nb101
from nanoformers.trainer_callback import TrainerCallback

PLAN = {
    "max_steps": 300,
    "warmup_steps": 30,
    "per_device_train_batch_size": 16,
    "gradient_accumulation_steps": 4,
    "eval_strategy": "steps",
    "eval_steps": 50,
    "save_strategy": "steps",
    "save_steps": 50,
    "load_best_model_at_end": True,
}


class TestPlan:
    @pytest.mark.parametrize(
        "answer",
        [
            PLAN,
            PLAN | {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 8},
            PLAN | {"warmup_steps": 0, "warmup_ratio": 0.1},
        ],
    )
    def test_any_way_to_the_same_steps_is_right(self, answer):
        assert check("101.1", answer)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"per_device_train_batch_size": 64, "gradient_accumulation_steps": 1}, "16 examples at once"),
            ({"gradient_accumulation_steps": 1}, "16 x 1 = 16 examples"),
            ({"max_steps": -1}, "max_steps is -1"),
            ({"warmup_steps": 0}, "warm-up has 0 steps"),
            ({"eval_steps": 25}, "not evaluated every 50"),
            ({"load_best_model_at_end": False}, "not the best"),
            ({"save_strategy": "epoch"}, "refuses these"),
        ],
    )
    def test_anything_else_gets_a_reason(self, change, reason):
        with pytest.raises(Wrong, match=reason):
            nb101.plan(PLAN | change)

    def test_a_dictionary_is_asked_for(self):
        with pytest.raises(Wrong, match="dictionary"):
            nb101.plan(300)


class TestLinearFactor:
    def test_two_lines_are_right(self):
        assert check("101.2", lambda t: t / 20 if t < 20 else max(0, (100 - t) / 80))

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda t: max(0, (100 - t) / 100), "step 0, in the warm-up"),
            (lambda t: t / 20 if t < 20 else (100 - t) / 100, "step 20, after the warm-up"),
            (lambda t: t / 20 if t < 20 else (100 - t) / 80, "after the end"),
            (0.5, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb101.linear_factor(answer)


class Right(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kwargs):
        if not (logs or {}).get("loss", 0) <= 10:
            control.should_training_stop = True


class Blind(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kwargs):
        if logs.get("loss", 0) > 10:
            control.should_training_stop = True


class Careless(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kwargs):
        control.should_training_stop = not logs["loss"] <= 10


class Eager(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kwargs):
        control.should_training_stop = True


class TestRunaway:
    def test_a_callback_that_knows_nan_is_right(self):
        assert check("101.3", Right)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Blind, "nan.*should stop"),
            (Careless, "KeyError"),
            (Eager, "should go on"),
            (Right(), "the class itself"),
            (TrainerCallback, "should stop"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb101.runaway(answer)
