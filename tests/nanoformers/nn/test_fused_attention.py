"""A model goes from written-out attention to fused kernels, and back."""

from __future__ import annotations

import pytest
import torch
from nanoformers import BertConfig, BertModel, T5Config, T5EncoderModel
from nanoformers.nn import attention

SIZES = {"vocab_size": 30, "num_attention_heads": 2, "num_hidden_layers": 1, "hidden_size": 8}


@pytest.fixture
def fused_calls(monkeypatch):
    """How often the fused kernel was called."""
    calls = []
    kernel = attention.F.scaled_dot_product_attention

    def counted(*args, **kwargs):
        calls.append(1)
        return kernel(*args, **kwargs)

    monkeypatch.setattr(attention.F, "scaled_dot_product_attention", counted)
    return calls


def written_out():
    torch.manual_seed(0)
    config = BertConfig(**SIZES, intermediate_size=8, attn_implementation="eager")
    return BertModel(config).eval()


def test_there_and_back_with_the_same_states(fused_calls):
    model, ids = written_out(), torch.tensor([[1, 2, 3]])
    expected = model(ids).last_hidden_state
    assert not fused_calls
    torch.testing.assert_close(model.to_bettertransformer()(ids).last_hidden_state, expected)
    assert fused_calls
    assert model.config._attn_implementation == "sdpa"
    fused_calls.clear()
    torch.testing.assert_close(model.reverse_bettertransformer()(ids).last_hidden_state, expected)
    assert not fused_calls
    assert model.config._attn_implementation == "eager"


def test_parts_with_configurations_of_their_own_follow():
    config = T5Config(vocab_size=30, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    config._attn_implementation = "eager"
    model = T5EncoderModel(config).to_bettertransformer()
    assert model.encoder.config._attn_implementation == "sdpa"


def test_twice_or_back_first_is_an_error():
    model = written_out()
    with pytest.raises(ValueError, match="not been converted"):
        model.reverse_bettertransformer()
    with pytest.raises(ValueError, match="converted already"):
        model.to_bettertransformer().to_bettertransformer()
