"""Schedules and optimizers against the reference library's: learning rates and weights, step by step."""

from __future__ import annotations

import copy
import importlib.util
import json
import warnings
from pathlib import Path

import nanoformers
import nanoformers.optimization as ours
import pytest
import torch
import transformers.optimization as theirs

GOLDEN = Path(__file__).parent / "golden"

SCHEDULES = [
    ("constant", None, None, {}),
    ("constant_with_warmup", 5, None, {}),
    ("linear", 0, 20, {}),
    ("linear", 5, 20, {}),
    ("linear", 20, 20, {}),
    ("cosine", 0, 20, {}),
    ("cosine", 5, 20, {}),
    ("cosine", 5, 20, {"num_cycles": 2.25}),
    ("cosine_with_restarts", 5, 20, {}),
    ("cosine_with_restarts", 3, 20, {"num_cycles": 3}),
    ("polynomial", 5, 20, {}),
    ("polynomial", 2, 20, {"lr_end": 1e-4, "power": 2.5}),
    ("inverse_sqrt", 5, None, {}),
    ("inverse_sqrt", 0, 20, {}),
    ("inverse_sqrt", 5, None, {"timescale": 3}),
    ("cosine_with_min_lr", 4, 20, {"min_lr": 1e-4}),
    ("cosine_with_min_lr", 4, 20, {"min_lr_rate": 0.3, "num_cycles": 1.5}),
    ("cosine_warmup_with_min_lr", 4, 20, {"min_lr_rate": 0.3}),
    ("cosine_warmup_with_min_lr", 4, 20, {"min_lr": 1e-4, "warmup_lr_rate": 0.2}),
    ("warmup_stable_decay", 4, 20, {"num_decay_steps": 6}),
    ("warmup_stable_decay", 4, None, {"num_decay_steps": 6, "num_stable_steps": 5, "min_lr_ratio": 0.1}),
    ("warmup_stable_decay", 4, 20, {"num_decay_steps": 6, "warmup_type": "cosine", "decay_type": "linear"}),
    ("warmup_stable_decay", 4, 20, {"num_decay_steps": 6, "warmup_type": "1-sqrt", "decay_type": "1-sqrt"}),
]


def optimizer_of(lr: float = 1e-3, groups: int = 1) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        [{"params": [torch.nn.Parameter(torch.ones(2))], "lr": lr / (1 + index)} for index in range(groups)],
        lr=lr,
    )


def rates(library, name, warmup, total, kwargs, steps=26) -> list[list[float]]:
    optimizer = optimizer_of(groups=2)
    schedule = library.get_scheduler(name, optimizer, warmup, total, scheduler_specific_kwargs=kwargs)
    seen = []
    for _ in range(steps):
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    return seen


@pytest.mark.parametrize(
    ("name", "warmup", "total", "kwargs"), SCHEDULES, ids=[f"{row[0]}-{n}" for n, row in enumerate(SCHEDULES)]
)
class TestSchedules:
    def test_learning_rate_of_each_step(self, name, warmup, total, kwargs):
        assert rates(ours, name, warmup, total, kwargs) == rates(theirs, name, warmup, total, kwargs)

    def test_state_of_the_reference_goes_on_here(self, name, warmup, total, kwargs):
        expected = rates(ours, name, warmup, total, kwargs)
        optimizer = optimizer_of(groups=2)
        schedule = theirs.get_scheduler(name, optimizer, warmup, total, scheduler_specific_kwargs=kwargs)
        for _ in range(7):
            optimizer.step()
            schedule.step()
        again = optimizer_of(groups=2)
        resumed = ours.get_scheduler(name, again, warmup, total, scheduler_specific_kwargs=kwargs)
        again.load_state_dict(optimizer.state_dict())
        resumed.load_state_dict(schedule.state_dict())
        for step in range(7, 12):
            assert [group["lr"] for group in again.param_groups] == expected[step]
            again.step()
            resumed.step()


METRICS = [3.0, 2.0, 2.1, 2.2, 2.0, 2.3, 2.5, 1.0, 1.1, 1.2, 1.3, 1.4, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.9, 0.9]


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("reduce_lr_on_plateau", {"patience": 1, "factor": 0.5}),
        ("greedy", {"patience": 1, "factor": 0.5, "min_lr": 1e-5, "max_lr": 1.0}),
        ("greedy", {"patience": 1, "min_lr": 1e-4, "cooldown": 2, "warmup": 1, "threshold_mode": "rel"}),
        ("greedy", {"patience": 0, "min_lr": 5e-4, "factor": 0.7, "reset_start": 2, "mode": "max"}),
        ("greedy", {"patience": 0, "min_lr": 5e-4, "smooth": True, "window_size": 3}),
        ("greedy", {"patience": 0}),
    ],
)
def test_schedules_that_listen(name, kwargs):
    seen = []
    for library in (ours, theirs):
        optimizer = optimizer_of(groups=2)
        schedule = library.get_scheduler(name, optimizer, scheduler_specific_kwargs=kwargs)
        rows = []
        for metric in METRICS:
            schedule.step(metric)
            rows.append([group["lr"] for group in optimizer.param_groups])
        seen.append((rows, schedule.get_last_lr()))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("name", "warmup", "total", "kwargs"),
    [
        ("linear", None, 10, {}),
        ("linear", 2, None, {}),
        ("cosine_with_min_lr", 2, 10, {}),
        ("cosine_with_min_lr", 2, 10, {"min_lr": 1e-5, "min_lr_rate": 0.1}),
        ("polynomial", 2, 10, {"lr_end": 1.0}),
        ("warmup_stable_decay", 2, 10, {"num_decay_steps": 2, "decay_type": "steep"}),
        ("warmup_stable_decay", 2, None, {"num_decay_steps": 2}),
        ("linear", 2, 10, {"num_cycles": 2}),
        ("steep", 2, 10, {}),
    ],
)
def test_the_same_kind_of_error(name, warmup, total, kwargs):
    kinds = []
    for library in (ours, theirs):
        with pytest.raises((ValueError, TypeError)) as caught:
            library.get_scheduler(name, optimizer_of(), warmup, total, scheduler_specific_kwargs=kwargs)
        kinds.append(caught.type)
    assert kinds[0] is kinds[1]


@pytest.mark.parametrize("record", json.loads((GOLDEN / "adamw.json").read_text())["records"], ids=str)
def test_adamw(record):
    specification = importlib.util.spec_from_file_location("make_adamw", GOLDEN / "make_adamw.py")
    recording = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(recording)
    weights = recording.trained(nanoformers.AdamW, record["case"])
    assert torch.allclose(torch.tensor(weights), torch.tensor(record["weights"]), atol=1e-6, rtol=1e-6)


ADAFACTOR = [
    {},
    {"warmup_init": True},
    {"scale_parameter": False},
    {"lr": 1e-2, "relative_step": False, "scale_parameter": False},
    {"lr": 1e-2, "relative_step": False, "weight_decay": 0.1},
    {"beta1": 0.9, "weight_decay": 0.05},
    {"clip_threshold": 0.3, "decay_rate": -0.5, "eps": (1e-10, 1e-2)},
]
SHAPES = [(7, 5), (9,), (3, 4, 6), (), (1, 8), (6, 1)]


def adafactor_run(library, kwargs, dtype, steps=15):
    generator = torch.Generator().manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(shape, generator=generator).to(dtype)) for shape in SHAPES]
    optimizer = library.Adafactor(weights, **kwargs)
    for _ in range(steps):
        for weight in weights:
            weight.grad = torch.randn(weight.shape, generator=generator).to(dtype) + weight.detach()
        optimizer.step()
        yield weights, optimizer


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("kwargs", ADAFACTOR, ids=str)
def test_adafactor(kwargs, dtype):
    # One unit in the last place of half precision may differ where float32 rounds otherwise.
    tolerance = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}[dtype]
    for (mine, _), (other, _) in zip(
        adafactor_run(ours, kwargs, dtype), adafactor_run(theirs, kwargs, dtype), strict=True
    ):
        for a, b in zip(mine, other, strict=True):
            assert a.dtype == dtype
            assert torch.allclose(a.float(), b.float(), atol=tolerance, rtol=tolerance)


def test_adafactor_keeps_the_same_state():
    *_, (_, mine) = adafactor_run(ours, {"beta1": 0.9}, torch.float32, 3)
    *_, (_, other) = adafactor_run(theirs, {"beta1": 0.9}, torch.float32, 3)
    a, b = mine.state_dict(), other.state_dict()
    assert a["param_groups"] == b["param_groups"]
    for index, state in b["state"].items():
        assert list(a["state"][index]) == list(state)
        for name, value in state.items():
            assert torch.allclose(torch.as_tensor(a["state"][index][name]), torch.as_tensor(value), atol=1e-6)


def test_adafactor_goes_on_from_the_reference():
    *_, (weights, other) = adafactor_run(theirs, {}, torch.float32, 5)
    copies = [torch.nn.Parameter(weight.detach().clone()) for weight in weights]
    mine = ours.Adafactor(copies)
    mine.load_state_dict(copy.deepcopy(other.state_dict()))
    for a, b in zip(copies, weights, strict=True):
        a.grad = b.grad = torch.ones_like(b)
    mine.step()
    other.step()
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(copies, weights, strict=True))


@pytest.mark.parametrize("kwargs", [{}, {"warmup_init": True}, {"scale_parameter": False}], ids=str)
def test_adafactor_schedule(kwargs):
    seen = []
    for library in (ours, theirs):
        weights = [torch.nn.Parameter(torch.full((3, 3), 2.0)), torch.nn.Parameter(torch.full((2,), 0.1))]
        optimizer = library.Adafactor([{"params": [weight]} for weight in weights], **kwargs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schedule = library.get_adafactor_schedule(optimizer, initial_lr=0.25)
        rows = [schedule.get_last_lr()]
        for _ in range(5):
            for weight in weights:
                weight.grad = torch.ones_like(weight)
            optimizer.step()
            schedule.step()
            rows.append([float(rate) for rate in schedule.get_last_lr()])
        seen.append(rows)
    assert torch.allclose(torch.tensor(seen[0]), torch.tensor(seen[1]), atol=1e-8)
