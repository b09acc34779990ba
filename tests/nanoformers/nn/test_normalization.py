"""Normalisation of states by their root mean square."""

from __future__ import annotations

import pytest
import torch
from nanoformers.nn.normalization import RMSNorm


def test_the_mean_square_becomes_the_weight_squared():
    norm = RMSNorm(6)
    norm.weight.data.fill_(3.0)
    normal = norm(torch.randn(2, 4, 6) * 50)
    torch.testing.assert_close(normal.square().mean(-1), torch.full((2, 4), 9.0))


def test_zero_stays_zero():
    assert torch.equal(RMSNorm(6)(torch.zeros(2, 6)), torch.zeros(2, 6))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_result_has_the_type_of_the_weight(dtype):
    norm = RMSNorm(6).to(dtype)
    states = torch.randn(2, 6)
    torch.testing.assert_close(norm(states), norm(states.to(dtype)), rtol=2e-2, atol=2e-2)
    assert norm(states).dtype == dtype
    assert RMSNorm(6)(states.to(dtype)).dtype == torch.float32


def test_large_half_precision_states_do_not_overflow():
    normal = RMSNorm(6).half()(torch.full((1, 6), 60000.0, dtype=torch.float16))
    torch.testing.assert_close(normal, torch.ones(1, 6, dtype=torch.float16))
