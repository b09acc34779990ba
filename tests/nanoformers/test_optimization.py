"""Optimizers and schedules: what they refuse, what they warn of, and how training goes on."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from nanoformers import Adafactor, AdamW, SchedulerType, get_scheduler
from nanoformers.optimization import AdafactorSchedule, GreedyLR, get_constant_schedule


def a_weight(dtype: torch.dtype = torch.float32) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.linspace(-1, 1, 12, dtype=dtype).view(3, 4))


def train(weight: torch.nn.Parameter, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        weight.grad = torch.full_like(weight, 0.1 * (step + 1)) - weight.detach()
        optimizer.step()


class TestAdamW:
    def test_warns_that_torch_has_one(self):
        with pytest.warns(FutureWarning, match=r"torch\.optim\.AdamW"):
            AdamW([a_weight()])

    @pytest.mark.parametrize(
        ("kwargs", "message"),
        [
            ({"lr": -1.0}, "Invalid learning rate: -1.0 - should be >= 0.0"),
            ({"betas": (1.0, 0.9)}, r"Invalid beta parameter: 1.0 - should be in \[0.0, 1.0\)"),
            ({"betas": (0.9, -0.1)}, r"Invalid beta parameter: -0.1 - should be in \[0.0, 1.0\)"),
            ({"eps": -1e-6}, "Invalid epsilon value: -1e-06 - should be >= 0.0"),
        ],
    )
    def test_refuses(self, kwargs, message):
        with pytest.raises(ValueError, match=message):
            AdamW([a_weight()], no_deprecation_warning=True, **kwargs)

    def test_refuses_sparse_gradients(self):
        embedding = torch.nn.Embedding(5, 3, sparse=True)
        embedding(torch.tensor([1])).sum().backward()
        with pytest.raises(RuntimeError, match="SparseAdam"):
            AdamW(embedding.parameters(), no_deprecation_warning=True).step()

    def test_decay_is_no_part_of_the_gradient(self):
        weight = a_weight()
        before = weight.detach().clone()
        weight.grad = torch.zeros_like(weight)
        AdamW([weight], lr=0.1, weight_decay=0.5, no_deprecation_warning=True).step()
        assert torch.allclose(weight, before * (1 - 0.1 * 0.5))

    def test_takes_parameters_of_several_dtypes(self):
        weights = [a_weight(), a_weight(torch.bfloat16), a_weight(torch.float64)]
        optimizer = AdamW(weights, lr=0.1, no_deprecation_warning=True)
        for weight in weights:
            weight.grad = torch.ones_like(weight)
        optimizer.step()
        assert all((weight < weight.new_tensor(1.0)).all() for weight in weights)


class TestAdafactor:
    @pytest.mark.parametrize(
        ("kwargs", "message"),
        [
            ({"lr": 1e-3}, "Cannot combine manual `lr` and `relative_step=True` options"),
            ({"lr": 1e-3, "relative_step": False, "warmup_init": True}, "requires `relative_step=True`"),
        ],
    )
    def test_refuses(self, kwargs, message):
        with pytest.raises(ValueError, match=message):
            Adafactor([a_weight()], **kwargs)

    def test_refuses_sparse_gradients(self):
        embedding = torch.nn.Embedding(5, 3, sparse=True)
        embedding(torch.tensor([1])).sum().backward()
        with pytest.raises(RuntimeError, match="sparse gradients"):
            Adafactor(embedding.parameters()).step()

    def test_a_matrix_costs_a_row_and_a_column(self):
        weight = torch.nn.Parameter(torch.ones(30, 50))
        weight.grad = torch.ones_like(weight)
        optimizer = Adafactor([weight])
        optimizer.step()
        held = [value for value in optimizer.state[weight].values() if isinstance(value, torch.Tensor)]
        assert sum(value.numel() for value in held) == 30 + 50 + 1  # and the scale of the weight

    def test_means_of_half_precision_are_float32(self):
        weight = a_weight(torch.float16)
        train(weight, optimizer := Adafactor([weight]), range(2))
        assert optimizer.state[weight]["exp_avg_sq_row"].dtype == torch.float32

    def test_the_schedule_shows_the_first_rate_before_a_step(self):
        assert AdafactorSchedule(Adafactor([a_weight()]), 0.5).get_last_lr() == [0.5]

    def test_the_schedule_still_knows_after_gradients_are_gone(self):
        weight = a_weight()
        optimizer = Adafactor([weight], scale_parameter=False)
        schedule = AdafactorSchedule(optimizer)
        train(weight, optimizer, range(3))
        optimizer.zero_grad()
        schedule.step()
        assert schedule.get_last_lr() == [1e-2]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    "make",
    [
        lambda weight: AdamW([weight], lr=0.01, weight_decay=0.1, no_deprecation_warning=True),
        lambda weight: Adafactor([weight], beta1=0.9),
        lambda weight: Adafactor([weight], lr=0.01, relative_step=False, weight_decay=0.1),
    ],
    ids=["adamw", "adafactor", "adafactor-manual"],
)
def test_resuming_is_exact(make, dtype, tmp_path):
    straight = a_weight(dtype)
    train(straight, make(straight), range(8))

    weight = a_weight(dtype)
    optimizer = make(weight)
    train(weight, optimizer, range(4))
    torch.save(optimizer.state_dict(), tmp_path / "optimizer.pt")

    resumed = torch.nn.Parameter(weight.detach().clone())
    again = make(resumed)
    again.load_state_dict(torch.load(tmp_path / "optimizer.pt", weights_only=True))
    train(resumed, again, range(4, 8))
    assert torch.equal(straight, resumed)


@pytest.mark.parametrize("optimizer_class", [AdamW, Adafactor])
def test_a_closure_computes_gradients(optimizer_class):
    weight = a_weight()
    kwargs = {"no_deprecation_warning": True} if optimizer_class is AdamW else {}
    optimizer = optimizer_class([weight], **kwargs)

    def closure():
        optimizer.zero_grad()
        loss = (weight**2).sum()
        loss.backward()
        return loss

    first = optimizer.step(closure)
    assert optimizer.step(closure) < first


class TestSchedules:
    def test_an_unknown_name_lists_the_known_ones(self):
        with pytest.raises(ValueError, match=r"steep is not a valid SchedulerType.*'linear', 'cosine'"):
            get_scheduler("steep", torch.optim.SGD([a_weight()]), 0, 10)

    @pytest.mark.parametrize("missing", ["num_warmup_steps", "num_training_steps"])
    def test_says_which_number_of_steps_is_missing(self, missing):
        steps = {"num_warmup_steps": 1, "num_training_steps": 10, missing: None}
        with pytest.raises(ValueError, match=f"cosine requires `{missing}`, please provide"):
            get_scheduler("cosine", torch.optim.SGD([a_weight()]), **steps)

    def test_the_end_of_a_polynomial_is_below_its_start(self):
        with pytest.raises(ValueError, match=r"lr_end \(0.5\) must be smaller than initial lr \(0.1\)"):
            get_scheduler(
                "polynomial",
                torch.optim.SGD([a_weight()], lr=0.1),
                0,
                9,
                scheduler_specific_kwargs={"lr_end": 0.5},
            )

    def test_takes_the_enumeration_too(self):
        schedule = get_scheduler(SchedulerType.CONSTANT, torch.optim.SGD([a_weight()], lr=0.1))
        assert schedule.get_last_lr() == [0.1]

    def test_last_epoch_goes_on_in_the_curve(self):
        optimizer = torch.optim.SGD([{"params": [a_weight()], "initial_lr": 0.1}], lr=0.1)
        assert get_constant_schedule(optimizer, last_epoch=6).last_epoch == 7

    @pytest.mark.parametrize("name", ["linear", "cosine_with_restarts", "warmup_stable_decay", "greedy"])
    def test_can_be_pickled_and_saved(self, name, tmp_path):
        optimizer = torch.optim.SGD([a_weight()], lr=0.1)
        kwargs = {"num_decay_steps": 3} if name == "warmup_stable_decay" else {}
        schedule = get_scheduler(name, optimizer, 2, 10, scheduler_specific_kwargs=kwargs)
        optimizer.step()
        schedule.step(*([1.0] if name == "greedy" else []))
        assert pickle.loads(pickle.dumps(schedule)).get_last_lr() == schedule.get_last_lr()
        torch.save(schedule.state_dict(), tmp_path / "scheduler.pt")
        state = torch.load(tmp_path / "scheduler.pt", weights_only=True)
        other = get_scheduler(name, copy.deepcopy(optimizer), 2, 10, scheduler_specific_kwargs=kwargs)
        other.load_state_dict(state)
        assert other.get_last_lr() == schedule.get_last_lr()

    def test_both_counts_of_a_stable_stretch_warn(self):
        with pytest.warns(UserWarning, match="num_stable_steps will be used"):
            get_scheduler(
                "warmup_stable_decay",
                torch.optim.SGD([a_weight()], lr=0.1),
                1,
                10,
                scheduler_specific_kwargs={"num_decay_steps": 2, "num_stable_steps": 3},
            )


class TestGreedy:
    @pytest.mark.parametrize(
        "kwargs",
        [{"factor": 1.0}, {"mode": "best"}, {"threshold_mode": "far"}, {"min_lr": [0.1, 0.2]}],
        ids=str,
    )
    def test_refuses(self, kwargs):
        with pytest.raises(ValueError, match=r"Factor|mode|expected 1 min_lrs, got 2"):
            GreedyLR(torch.optim.SGD([a_weight()], lr=0.1), **kwargs)

    def test_needs_an_optimizer(self):
        with pytest.raises(TypeError, match="str is not an Optimizer"):
            GreedyLR("adam")

    def test_prints_changes_when_asked(self, capsys):
        schedule = GreedyLR(torch.optim.SGD([a_weight()], lr=0.1), patience=0, verbose=True)
        for metric in (2.0, 3.0, 1.0):
            schedule.step(metric)
        printed = capsys.readouterr().out
        assert "increasing learning rate of group 0" in printed
        assert "reducing learning rate of group 0" in printed
