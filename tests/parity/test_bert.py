"""BERT against the reference library: same names, same numbers, same files."""

from __future__ import annotations

from typing import Any

import nanoformers
import torch
import transformers
from architecture_tests import CLOSE, ArchitectureTests, DecodingTests, assert_same
from architectures import (
    ANSWERS,
    PADDED_STATES,
    STATES,
    TOKEN_CLASSES,
    TOKENS,
    Architecture,
    Head,
    sequence_classification,
    tokens_and_mask,
)
from classroom.sources import minilm_folder

DECODER = {"is_decoder": True, "add_cross_attention": True}


TYPES = {"token_type_ids": torch.tensor([[0] * 5 + [1] * 6] * 3)}


def reads(ids: torch.Tensor, mask: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """Tokens alone, or with a mask and two types."""
    return tokens_and_mask(ids, mask) | ({} if mask is None else TYPES)


BERT = Architecture(
    config="BertConfig",
    shape={
        "vocab_size": 97,
        "hidden_size": 24,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 37,
        "max_position_embeddings": 40,
    },
    heads=[
        Head("BertModel"),
        Head("BertModel", inputs=TYPES),
        Head("BertForPreTraining", labels={**TOKENS, "next_sentence_label": torch.tensor([0, 1, 1])}),
        Head("BertLMHeadModel", {"is_decoder": True}, labels=TOKENS),
        Head("BertLMHeadModel", DECODER, inputs=PADDED_STATES, labels=TOKENS),
        Head("BertForMaskedLM", labels=TOKENS),
        Head("BertForNextSentencePrediction", labels={"labels": torch.tensor([0, 1, 1])}),
        *sequence_classification("BertForSequenceClassification"),
        Head("BertForMultipleChoice", labels={"labels": torch.tensor([2])}, choices=True),
        Head("BertForTokenClassification", {"num_labels": 7}, labels=TOKEN_CLASSES),
        Head("BertForQuestionAnswering", labels=ANSWERS),
    ],
    configurations=[{}, {"num_labels": 4}, {"dtype": "float16", "is_decoder": True}],
    reads=reads,
)


class TestBert(ArchitectureTests):
    architecture = BERT


class TestBertAsDecoder(DecodingTests):
    architecture = BERT
    decoders = (
        Head("BertLMHeadModel", {"is_decoder": True}),
        Head("BertLMHeadModel", DECODER, inputs=STATES),
        Head("BertLMHeadModel", DECODER, inputs=PADDED_STATES),
    )


def test_three_dimensional_mask():
    ours, theirs = BERT.pair("BertModel")
    ids, mask = BERT.tokens(3, 11), torch.ones(11, 11).tril()[None].expand(3, -1, -1)
    with torch.no_grad():
        # today's reference wants the heads' dimension and the added form; ours takes the documented shape
        reference = theirs(ids, attention_mask=(1 - mask[:, None]) * torch.finfo(torch.float32).min)
        assert_same(ours(ids, attention_mask=mask), reference)


def test_the_real_minilm(tmp_path):
    folder = minilm_folder()
    ours, info = nanoformers.AutoModel.from_pretrained(folder, output_loading_info=True)
    theirs = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32)
    assert not any(info.values())
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    sentences = ["A dog runs.", "The cat sleeps on the warm mat beside the stove.", "Paris"]
    inputs = tokenizer(sentences, padding=True, return_tensors="pt")

    def embed(model: Any) -> torch.Tensor:
        with torch.no_grad():
            states = model(**inputs).last_hidden_state
        weight = inputs["attention_mask"][..., None]
        return torch.nn.functional.normalize((states * weight).sum(1) / weight.sum(1), dim=-1)

    torch.testing.assert_close(embed(ours), embed(theirs), **CLOSE)
    ours.save_pretrained(tmp_path)
    again = transformers.AutoModel.from_pretrained(tmp_path)
    torch.testing.assert_close(embed(again), embed(theirs), **CLOSE)
