"""Checkers of notebook 13: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from classroom.exercises import Wrong, check, nb13
from nanoformers import get_scheduler


def linear(step, warmup, total):
    return step / warmup if step < warmup else (total - step) / (total - warmup)


def stars(predicted):
    distance = np.abs(predicted.predictions.argmax(-1) - predicted.label_ids)
    return {"stars_off": distance.mean(), "within_one": (distance <= 1).mean()}


def signed(predicted):
    distance = predicted.predictions.argmax(-1) - predicted.label_ids
    return {"stars_off": distance.mean(), "within_one": (np.abs(distance) <= 1).mean()}


class TestOptimizerSteps:
    @pytest.mark.parametrize("answer", [96, 96.0])
    def test_whole_steps_of_whole_epochs_are_right(self, answer):
        assert check("13.1", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (189, "number of batches"),
            (188, "run on"),
            (93, "left over"),
            (32, "one epoch"),
            (7, "it is not"),
            ("96", "number"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb13.optimizer_steps(answer)


class TestLinearSchedule:
    def test_up_and_down_is_right(self):
        assert check("13.2", linear)

    @pytest.mark.parametrize(("warmup", "total"), [(10, 100), (0, 40), (5, 6)])
    def test_it_is_the_schedule_of_the_library(self, warmup, total):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        schedule = get_scheduler("linear", optimizer, num_warmup_steps=warmup, num_training_steps=total)
        for step in range(total):
            assert nb13._factor(step, warmup, total) == pytest.approx(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda step, warmup, total: 1 - step / total, "At step 0"),
            (lambda step, warmup, total: min(1, step / warmup), "the factor is|divides by zero"),
            (lambda step, warmup, total: step / 0, "divides by zero"),
            (0.5, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb13.linear_schedule(answer)


class TestStars:
    def test_distances_are_right(self):
        assert check("13.3", stars)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (signed, "absolute"),
            (lambda predicted: {"stars_off": 1.2, "within_one": 0.4}, "still within one"),
            (lambda predicted: {"stars_off": 1.2, "within_one": 0.9}, "Three of five"),
            (lambda predicted: {"stars_off": 2.0, "within_one": 0.6}, "on average"),
            (lambda predicted: {"stars_off": 1.2}, "no within_one"),
            (lambda predicted: 1.2, "dictionary"),
            (None, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb13.stars(answer)
