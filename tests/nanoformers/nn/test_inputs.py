"""What models are given: the right shape, or an error that names it."""

from __future__ import annotations

import pytest
import torch
from nanoformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    GPT2Config,
    GPT2Model,
    T5Config,
    T5Model,
)
from nanoformers.nn.inputs import check_length, given_length

IDS, EMBEDDINGS = torch.ones(2, 5, dtype=torch.long), torch.ones(2, 5, 8)


class TestGivenLength:
    def test_of_tokens_or_embeddings(self):
        assert given_length(IDS, None) == given_length(None, EMBEDDINGS) == 5

    def test_of_choices_where_a_model_takes_them(self):
        assert (
            given_length(IDS[None], None, choices=True)
            == given_length(None, EMBEDDINGS[None], choices=True)
            == 5
        )
        with pytest.raises(ValueError, match=r"input_ids has the shape \(1, 2, 5\)"):
            given_length(IDS[None], None)

    @pytest.mark.parametrize("given", [(None, None), (IDS, EMBEDDINGS)])
    def test_exactly_one(self, given):
        with pytest.raises(ValueError, match="either decoder_input_ids or decoder_inputs_embeds"):
            given_length(*given, prefix="decoder_")

    def test_a_single_text_is_a_batch_of_one(self):
        with pytest.raises(ValueError, match=r"shape \(5,\), and not \(batch, length\).*`tensor\[None\]`"):
            given_length(IDS[0], None)
        with pytest.raises(ValueError, match=r"\(5, 8\), and not \(batch, length, width\)"):
            given_length(None, EMBEDDINGS[0])

    def test_a_list_is_no_tensor(self):
        with pytest.raises(TypeError, match='not a list: tokenizers make one with `return_tensors="pt"`'):
            given_length([[1, 2]], None)  # type: ignore[arg-type]


def test_more_tokens_than_positions():
    check_length(8, 8)
    with pytest.raises(ValueError, match="has 9 tokens, and this model has positions for 8: truncate it"):
        check_length(9, 8)


@pytest.mark.parametrize(
    "model",
    [
        BertModel(BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, vocab_size=9)),
        DistilBertModel(DistilBertConfig(dim=8, n_layers=1, n_heads=2, hidden_dim=8, vocab_size=9)),
        GPT2Model(GPT2Config(n_embd=8, n_layer=1, n_head=2, vocab_size=9)),
        T5Model(T5Config(d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, vocab_size=9)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_model_says_what_is_wrong_with_a_single_text(model):
    with pytest.raises(ValueError, match="a single text is a batch of one"):
        model(torch.tensor([1, 2, 3]))
