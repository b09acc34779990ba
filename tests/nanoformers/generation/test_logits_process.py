"""Processors and warpers: what they refuse, and properties of what they return."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nanoformers import (
    LogitsProcessor,
    LogitsProcessorList,
    MinLengthLogitsProcessor,
    MinNewTokensLengthLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    top_k_top_p_filtering,
)

IDS = torch.tensor([[1, 2, 1]])
SCORES = torch.tensor([[0.5, -1.0, 2.0, 0.0]])


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (TemperatureLogitsWarper, [0.0], "strictly positive float.*set `do_sample=False`"),
        (TemperatureLogitsWarper, [-1.0], "`temperature` .=-1.0. has to be a strictly positive float"),
        (TemperatureLogitsWarper, [1], "strictly positive float"),
        (TopKLogitsWarper, [0], "`top_k` has to be a strictly positive integer, but is 0"),
        (TopKLogitsWarper, [0.5], "`top_k` has to be a strictly positive integer, but is 0.5"),
        (TopPLogitsWarper, [1.5], "`top_p` has to be a float > 0 and < 1, but is 1.5"),
        (TopPLogitsWarper, [0.5, 0.0, 0], "`min_tokens_to_keep` has to be a positive integer, but is 0"),
        (
            RepetitionPenaltyLogitsProcessor,
            [0.0],
            "`penalty` has to be a strictly positive float, but is 0.0",
        ),
        (NoRepeatNGramLogitsProcessor, [-2], "`ngram_size` has to be a strictly positive integer, but is -2"),
        (MinLengthLogitsProcessor, [-1, 0], "`min_length` has to be a non-negative integer, but is -1"),
        (
            MinLengthLogitsProcessor,
            [1, -1],
            "`eos_token_id` has to be a list of positive integers, but is -1",
        ),
        (MinNewTokensLengthLogitsProcessor, [1, -1, 0], "`min_new_tokens` has to be a non-negative integer"),
    ],
)
def test_refuses(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(*arguments)


@given(st.integers(1, 40), st.integers(0, 1000))
def test_top_k_keeps_k(k, seed):
    scores = torch.randn(2, 30, generator=torch.Generator().manual_seed(seed))
    kept = TopKLogitsWarper(k)(None, scores).isfinite().sum(-1)
    assert kept.tolist() == [min(k, 30)] * 2


@given(st.floats(0.01, 0.99), st.integers(0, 1000))
def test_top_p_keeps_the_smallest_set_that_is_enough(p, seed):
    scores = torch.randn(1, 30, generator=torch.Generator().manual_seed(seed)) * 2
    kept = TopPLogitsWarper(p)(None, scores).isfinite()
    probabilities = scores.softmax(-1)[kept]
    assert probabilities.sum() >= p - 1e-5
    assert probabilities.sum() - probabilities.min() < p + 1e-5


def test_a_list_applies_them_in_order():
    class Add(LogitsProcessor):
        def __call__(self, input_ids, scores):
            return scores + 1

    processed = LogitsProcessorList([Add(), TemperatureLogitsWarper(2.0)])(IDS, SCORES)
    assert torch.equal(processed, (SCORES + 1) / 2)


def test_a_list_passes_what_some_need():
    class Scale(LogitsProcessor):
        def __call__(self, input_ids, scores, factor):
            return scores * factor

    processors = LogitsProcessorList([Scale(), TemperatureLogitsWarper(2.0)])
    assert torch.equal(processors(IDS, SCORES, factor=4), SCORES * 2)
    with pytest.raises(ValueError, match=r"required parameters.*factor"):
        processors(IDS, SCORES, another=4)


def test_filtering_by_both_rules():
    kept = top_k_top_p_filtering(SCORES, top_k=3, top_p=0.5)
    assert kept.tolist() == [[-torch.inf, -torch.inf, 2.0, -torch.inf]]
    assert torch.equal(top_k_top_p_filtering(SCORES), SCORES)
