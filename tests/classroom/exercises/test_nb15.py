"""Checkers of notebook 15: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import math

import pytest
from classroom.exercises import Wrong, check, nb15

RIGHT = (
    "torchrun --nnodes 2 --nproc_per_node 4 --node_rank 1 --master_addr 10.0.0.1 --master_port 29500 train.py"
)


class TestRowsOfAProcess:
    def test_batches_in_turn_are_right(self):
        assert check("15.1", lambda p, s, n, b: range((s * n + p) * b, (s * n + p + 1) * b))

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda p, s, n, b: list(range(s * b, s * b + b)), "a single process would get"),
            (lambda p, s, n, b: [s * n * b + p + n * i for i in range(b)], "whole batches are"),
            (lambda p, s, n, b: [0], "gives 1 rows"),
            (lambda p, s, n, b: [7] * b, "begin at"),
            ([0, 1], "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb15.rows_of_a_process(answer)


class TestStepsOfTheOptimizer:
    def test_rounding_up_twice_is_right(self):
        assert check("15.2", lambda r, b, p, a, e: e * math.ceil(math.ceil(r / (b * p)) / a))

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda r, b, p, a, e: e * math.ceil(math.ceil(r / b) / a), "share the rows"),
            (lambda r, b, p, a, e: e * math.ceil(r / (b * p)), "make one step"),
            (lambda r, b, p, a, e: math.ceil(e * math.ceil(r / (b * p)) / a), "step of its own"),
            (lambda r, b, p, a, e: 5, "not 5"),
            (64, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb15.steps_of_the_optimizer(answer)


class TestSecondMachine:
    @pytest.mark.parametrize(
        "answer",
        [
            RIGHT,
            RIGHT.replace("torchrun", "python -m torch.distributed.run"),
            RIGHT.replace("--nproc_per_node 4", "--nproc-per-node=4"),
        ],
    )
    def test_torchrun_in_any_spelling_is_right(self, answer):
        assert check("15.3", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (RIGHT.replace("node_rank 1", "node_rank 2"), "count from 0"),
            (RIGHT.replace("node 4", "node 8"), "all together"),
            (RIGHT.replace(" --master_port 29500", ""), "--master_port is missing"),
            (RIGHT.replace(" train.py", ""), "comes train.py"),
            (RIGHT.replace("torchrun", "python"), "Begin with"),
            (2, "as a string"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb15.second_machine(answer)
