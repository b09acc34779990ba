"""Positions as biases of scores: distances fall into buckets that widen."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nanoformers.nn.positions import RelativePositionBias, relative_position_bucket, sinusoidal_positions

shapes = st.tuples(st.sampled_from([4, 8, 32, 320]), st.integers(0, 400)).map(
    lambda drawn: {"num_buckets": drawn[0], "max_distance": drawn[0] // 2 + 1 + drawn[1]}
)


class TestBuckets:
    @given(shapes, st.booleans())
    @settings(max_examples=60, deadline=None)
    def test_there_are_as_many_as_said(self, shape, bidirectional):
        places = torch.arange(-600, 601)
        buckets = relative_position_bucket(places, bidirectional, **shape)
        assert buckets.shape == places.shape
        assert buckets.dtype == torch.long
        assert buckets.min() == 0
        assert buckets.max() == shape["num_buckets"] - 1

    @given(shapes, st.booleans())
    @settings(max_examples=60, deadline=None)
    def test_farther_is_never_a_lower_bucket(self, shape, bidirectional):
        before = relative_position_bucket(-torch.arange(600), bidirectional, **shape)
        assert bool((before.diff() >= 0).all())

    @given(shapes, st.booleans())
    @settings(max_examples=60, deadline=None)
    def test_near_distances_have_a_bucket_each(self, shape, bidirectional):
        exact = shape["num_buckets"] // (4 if bidirectional else 2)
        near = relative_position_bucket(-torch.arange(exact), bidirectional, **shape)
        assert near.tolist() == list(range(exact))

    @given(shapes, st.booleans(), st.integers(0, 10**6))
    @settings(max_examples=60, deadline=None)
    def test_beyond_the_greatest_distance_all_are_one(self, shape, bidirectional, more):
        far = torch.tensor([-shape["max_distance"], -shape["max_distance"] - more])
        first, second = relative_position_bucket(far, bidirectional, **shape).tolist()
        assert first == second == shape["num_buckets"] // (2 if bidirectional else 1) - 1

    @given(shapes, st.integers(1, 10**6))
    @settings(max_examples=60, deadline=None)
    def test_after_mirrors_before_in_the_upper_half(self, shape, distance):
        both = relative_position_bucket(torch.tensor([-distance, distance]), True, **shape)
        assert both[1] - both[0] == shape["num_buckets"] // 2

    @given(shapes, st.integers(0, 10**6))
    @settings(max_examples=60, deadline=None)
    def test_one_direction_takes_what_comes_after_for_here(self, shape, distance):
        assert relative_position_bucket(torch.tensor(distance), False, **shape) == 0

    def test_those_of_the_paper(self):
        distances = torch.tensor([0, 1, 7, 8, 11, 12, 15, 16, 63, 64, 91, 127, 128, 5000])
        buckets = relative_position_bucket(-distances)
        assert buckets.tolist() == [0, 1, 7, 8, 8, 9, 9, 10, 13, 14, 15, 15, 15, 15]


class TestRelativePositionBias:
    @given(st.integers(1, 9), st.integers(0, 9), st.booleans())
    @settings(max_examples=40, deadline=None)
    def test_each_score_gets_the_bias_of_its_distance(self, queries, past, bidirectional):
        bias = RelativePositionBias(8, 3, bidirectional=bidirectional, max_distance=7)
        keys = past + queries
        values = bias(queries, keys)
        assert values.shape == (1, 3, queries, keys)
        distance = torch.arange(keys) - (past + torch.arange(queries))[:, None]  # (q, k)
        buckets = relative_position_bucket(distance, bidirectional, 8, 7)
        assert torch.equal(values[0], bias.weight[buckets].permute(2, 0, 1))

    @given(st.integers(2, 9), st.booleans())
    @settings(max_examples=20, deadline=None)
    def test_a_new_token_gets_the_last_row(self, length, bidirectional):
        bias = RelativePositionBias(8, 3, bidirectional=bidirectional, max_distance=7)
        assert torch.equal(bias(1, length), bias(length, length)[:, :, -1:])

    @pytest.mark.parametrize("queries", [1, 5])
    def test_gradients_add_up_by_bucket(self, queries):
        bias = RelativePositionBias(8, 2, max_distance=7)
        weights = torch.randn(1, 2, queries, 5)
        (bias(queries, 5) * weights).sum().backward()
        distance = torch.arange(5) - (5 - queries + torch.arange(queries))[:, None]
        buckets = relative_position_bucket(distance, True, 8, 7).flatten()
        expected = torch.zeros(8, 2).index_add(0, buckets, weights[0].flatten(1).T)
        torch.testing.assert_close(bias.weight.grad, expected)

    @pytest.mark.parametrize(
        "shape",
        [
            {"num_buckets": 3},
            {"num_buckets": 1, "bidirectional": False},
            {"num_buckets": 32, "max_distance": 8},
            {"num_buckets": 32, "max_distance": 16, "bidirectional": False},
        ],
        ids=str,
    )
    def test_too_few_buckets_or_too_near(self, shape):
        with pytest.raises(ValueError, match="buckets for distances up to"):
            RelativePositionBias(num_heads=2, **shape)


def test_sinusoidal_positions_are_unit_circles():
    vectors = sinusoidal_positions(7, 6)
    assert vectors.shape == (7, 6)
    assert vectors[0].tolist() == [0, 1, 0, 1, 0, 1]
    torch.testing.assert_close(vectors.square().view(7, 3, 2).sum(-1), torch.ones(7, 3))
