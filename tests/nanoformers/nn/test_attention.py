"""`attend`, and the masks that go into it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nanoformers.nn import masks
from nanoformers.nn.attention import attend, merge_heads, split_heads


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_heads_are_split_and_merged():
    states = random(2, 3, 8)
    assert split_heads(states, 4).shape == (2, 4, 3, 2)
    assert torch.equal(split_heads(states, 4)[0, 1, 2], states[0, 2, 2:4])
    assert torch.equal(merge_heads(split_heads(states, 4)), states)


@given(
    b=st.integers(1, 3),
    q=st.integers(1, 6),
    extra=st.integers(0, 4),
    causal=st.booleans(),
    seed=st.integers(0, 99),
)
def test_both_ways_agree(b, q, extra, causal, seed):
    generator = torch.Generator().manual_seed(seed)
    query, key, value = (torch.randn(b, 2, n, 4, generator=generator) for n in (q, q + extra, q + extra))
    mask = torch.randint(0, 2, (b, q + extra), generator=generator)
    bias, is_causal = masks.attention_bias(
        mask, num_queries=q, num_keys=q + extra, dtype=query.dtype, device=query.device, is_decoder=causal
    )
    fused, none = attend(query, key, value, bias=bias, is_causal=is_causal)
    written, weights = attend(query, key, value, bias=bias, is_causal=is_causal, need_weights=True)
    assert none is None
    assert weights.shape == (b, 2, q, q + extra)
    visible = mask[:, None, None, :].bool()
    if causal:
        visible = visible & masks.causal(q, q + extra)
    rows = visible.expand(b, 2, q, -1).any(-1)  # rows that see something
    torch.testing.assert_close(fused[rows], written[rows])
    assert not torch.isnan(fused).any()
    assert not torch.isnan(written).any()
    assert (weights[rows][~visible.expand(b, 2, q, -1)[rows]] == 0).all()


def test_causal_without_a_mask():
    states = random(1, 2, 5, 4)
    _, weights = attend(states, states, states, is_causal=True, need_weights=True)
    assert torch.equal(weights.triu(1), torch.zeros_like(weights))
    fused, _ = attend(states, states, states, is_causal=True)
    torch.testing.assert_close(fused, weights @ states)


def test_a_silenced_head_says_nothing():
    states = random(1, 2, 5, 4)
    context, _ = attend(states, states, states, head_mask=torch.tensor([1.0, 0.0])[None, :, None, None])
    assert context[:, 1].abs().sum() == 0
    assert context[:, 0].abs().sum() > 0


def test_scale():
    states = random(1, 1, 3, 4)
    for need_weights in (True, False):
        context, _ = attend(states, states, states, scale=0.0, need_weights=need_weights)
        torch.testing.assert_close(context, states.mean(2, keepdim=True).expand_as(states))


COMMON = {"dtype": torch.float32, "device": torch.device("cpu")}


class TestAttentionBias:
    @pytest.mark.parametrize("mask", [None, torch.ones(2, 4), torch.ones(2, 4, dtype=torch.long)], ids=str)
    def test_nothing_is_passed_when_nothing_is_hidden(self, mask):
        assert masks.attention_bias(mask, num_queries=4, num_keys=4, **COMMON) == (None, False)
        assert masks.attention_bias(mask, num_queries=4, num_keys=4, is_decoder=True, **COMMON) == (
            None,
            True,
        )
        assert masks.attention_bias(mask, num_queries=1, num_keys=4, is_decoder=True, **COMMON) == (
            None,
            False,
        )

    def test_cached_tokens_are_seen(self):
        bias, is_causal = masks.attention_bias(None, num_queries=2, num_keys=4, is_decoder=True, **COMMON)
        assert not is_causal
        assert (bias == 0).tolist() == [[True, True, True, False], [True, True, True, True]]

    @pytest.mark.parametrize("shape", [(2, 3), (3,), (1, 2, 3, 4, 5)])
    def test_other_shapes_are_refused(self, shape):
        with pytest.raises(ValueError, match=r"it must be \(batch, 4\)"):
            masks.attention_bias(torch.zeros(shape), num_queries=4, num_keys=4, **COMMON)

    def test_a_mask_for_each_query_is_taken_as_it_is(self):
        mask = torch.tensor([[[1, 1], [0, 1]]])
        bias, _ = masks.attention_bias(mask, num_queries=2, num_keys=2, is_decoder=True, **COMMON)
        assert (bias == 0).tolist() == [[[[True, True], [False, True]]]]

    def test_on_a_device_that_would_have_to_be_waited_for(self):
        assert not masks.nothing_hidden(torch.ones(1, 2, device="meta"))
