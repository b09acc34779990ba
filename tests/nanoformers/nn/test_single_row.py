"""One row times a matrix: the quick ways give what the usual way gives, and step aside where they must."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from nanoformers.nn.layers import Conv1D
from nanoformers.nn.single_row import Linear, linear_of_rows

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def layer(width: int, wide: int, bias: bool = True, dtype: torch.dtype = torch.float32) -> Linear:
    torch.manual_seed(0)
    return Linear(width, wide, bias=bias).to(dtype)


class TestLinear:
    @settings(max_examples=30)
    @given(width=st.integers(1, 70), wide=st.integers(1, 70), bias=st.booleans(), lead=st.integers(0, 3))
    def test_a_row_is_what_torch_makes_of_it(self, width, wide, bias, lead):
        linear = layer(width, wide, bias)
        row = torch.randn(*[1] * lead, width)
        with torch.no_grad():
            torch.testing.assert_close(linear(row), F.linear(row, linear.weight, linear.bias), **CLOSE)

    @pytest.mark.parametrize("shape", [(2, 8), (3, 1, 8), (0, 8)])
    def test_several_rows_are_bit_for_bit_those_of_torch(self, shape):
        linear, rows = layer(8, 5), torch.randn(*shape)
        with torch.no_grad():
            assert torch.equal(linear(rows), F.linear(rows, linear.weight, linear.bias))

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
    def test_other_types(self, dtype):
        linear, row = layer(8, 5, dtype=dtype), torch.randn(1, 8, dtype=dtype)
        with torch.no_grad():
            assert torch.equal(linear(row), F.linear(row, linear.weight, linear.bias))

    def test_gradients_flow(self):
        linear, row = layer(8, 5), torch.randn(1, 8, requires_grad=True)
        linear(row).sum().backward()
        torch.testing.assert_close(row.grad, linear.weight.sum(0, keepdim=True))
        torch.testing.assert_close(linear.weight.grad, row.detach().expand(5, 8))

    def test_it_is_traced_and_exported_as_a_linear_layer(self):
        linear, row = layer(8, 5).eval(), torch.randn(1, 8)
        with torch.no_grad():
            traced = torch.jit.trace(linear, row)
            assert "mkldnn" not in str(traced.graph)
            exported = torch.export.export(linear, (row,))
            assert "mkldnn" not in str(exported.graph)
        rows = torch.randn(3, 8)
        torch.testing.assert_close(traced(rows), linear(rows))

    def test_a_weight_that_is_a_view(self):
        linear, row = layer(8, 5), torch.randn(1, 8)
        linear.weight = torch.nn.Parameter(torch.randn(8, 5).t())
        with torch.no_grad():
            torch.testing.assert_close(linear(row), F.linear(row, linear.weight, linear.bias))

    def test_the_wrong_width_is_an_error(self):
        with torch.no_grad(), pytest.raises(RuntimeError):
            layer(8, 5)(torch.randn(1, 7))

    def test_it_is_a_linear_layer_to_those_who_look_for_one(self):
        assert isinstance(layer(8, 5), torch.nn.Linear)
        assert list(layer(8, 5).state_dict()) == ["weight", "bias"]
        assert copy.deepcopy(layer(8, 5)).out_features == 5


class TestLinearOfRows:
    @settings(max_examples=30)
    @given(width=st.integers(1, 70), wide=st.integers(1, 70), lead=st.integers(0, 3))
    def test_a_row_is_what_torch_makes_of_it(self, width, wide, lead):
        torch.manual_seed(0)
        weight, bias, row = torch.randn(width, wide), torch.randn(wide), torch.randn(*[1] * lead, width)
        with torch.no_grad():
            torch.testing.assert_close(
                linear_of_rows(row, weight, bias), row @ weight + bias, rtol=1e-5, atol=1e-4
            )

    @pytest.mark.parametrize("threads", [1, 2, 3, 16])
    def test_any_number_of_threads_shares_the_rows(self, threads):
        before = torch.get_num_threads()
        weight, bias, row = torch.randn(10, 5), torch.randn(5), torch.randn(1, 10)
        try:
            torch.set_num_threads(threads)
            with torch.no_grad():
                torch.testing.assert_close(linear_of_rows(row, weight, bias), row @ weight + bias, **CLOSE)
        finally:
            torch.set_num_threads(before)

    def test_a_layer_trains_on_a_single_row(self):
        conv, row = Conv1D(5, 8), torch.randn(1, 8, requires_grad=True)
        conv(row).sum().backward()
        torch.testing.assert_close(row.grad, conv.weight.sum(1)[None])
        torch.testing.assert_close(conv.weight.grad, row.detach().t().expand(8, 5))

    def test_an_infinite_input_stays_infinite(self):
        with torch.no_grad():
            assert not Conv1D(5, 8)(torch.full((1, 8), float("inf"))).isfinite().any()
