"""BERT's own behaviour; its numbers are compared with the reference library in tests/parity."""

from __future__ import annotations

import inspect

import pytest
import torch
from model_tests import IDS, EncoderTests
from nanoformers import (
    BertConfig,
    BertForMaskedLM,
    BertForMultipleChoice,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertLMHeadModel,
    BertModel,
)

SHAPE = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 20,
    "max_position_embeddings": 12,
}


def config(**kwargs) -> BertConfig:
    return BertConfig(**SHAPE, **kwargs)


class TestBertModel(EncoderTests):
    model_class = BertModel
    config_class = BertConfig
    shape = SHAPE


class TestHeads:
    def test_an_empty_batch(self):
        model = BertForSequenceClassification(config()).eval()
        assert model(torch.zeros(0, 4, dtype=torch.long)).logits.shape == (0, 2)

    def test_arguments_are_the_documented_ones(self):
        names = list(inspect.signature(BertForSequenceClassification.forward).parameters)
        assert names[1:8] == [
            "input_ids",
            "attention_mask",
            "token_type_ids",
            "position_ids",
            "head_mask",
            "inputs_embeds",
            "labels",
        ]
        assert "end_positions" in inspect.signature(BertForQuestionAnswering.forward).parameters

    @pytest.mark.parametrize(
        ("labels", "num_labels", "problem_type"),
        [
            (torch.tensor([0, 1]), 2, "single_label_classification"),
            (torch.tensor([0.0, 1.0]), 1, "regression"),
            (torch.zeros(2, 3), 3, "multi_label_classification"),
        ],
    )
    def test_problem_type_is_found_out(self, labels, num_labels, problem_type):
        model = BertForSequenceClassification(config(num_labels=num_labels))
        assert model(IDS, labels=labels).loss.ndim == 0
        assert model.config.problem_type == problem_type

    def test_labels_of_minus_100_do_not_count(self):
        model = BertForMaskedLM(config()).eval()
        labels = torch.full_like(IDS, -100)
        labels[0, 1] = 7
        one = torch.nn.functional.cross_entropy(model(IDS).logits[0, 1][None], torch.tensor([7]))
        torch.testing.assert_close(model(IDS, labels=labels).loss, one)

    def test_answers_that_were_truncated_away_do_not_count(self):
        model = BertForQuestionAnswering(config()).eval()
        both = model(IDS, start_positions=torch.tensor([1, 99]), end_positions=torch.tensor([2, 99])).loss
        one = model(IDS[:1], start_positions=torch.tensor([1]), end_positions=torch.tensor([2])).loss
        torch.testing.assert_close(both, one)

    def test_choices(self):
        model = BertForMultipleChoice(config()).eval()
        assert model(IDS[None]).logits.shape == (1, 2)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model()

    def test_dropout_before_the_classifier(self):
        assert BertForSequenceClassification(config()).dropout.p == 0.1
        assert BertForSequenceClassification(config(classifier_dropout=0.0)).dropout.p == 0.0


class TestDecoder:
    def test_the_future_is_not_seen(self):
        model = BertLMHeadModel(config(is_decoder=True)).eval()
        changed = IDS.clone()
        changed[:, 3] = 9
        torch.testing.assert_close(model(IDS).logits[:, :3], model(changed).logits[:, :3])

    def test_the_cache_is_read_as_tuples(self):
        output = BertModel(config(is_decoder=True)).eval()(IDS, use_cache=True)
        key, value = output.past_key_values[0]
        assert key.shape == value.shape == (2, 4, 4, 4)
        assert len(output.past_key_values) == 2

    def test_tuples_of_older_code_go_on(self):
        model = BertLMHeadModel(config(is_decoder=True)).eval()
        with torch.no_grad():
            past = model(IDS[:, :3], use_cache=True).past_key_values.to_legacy_cache()
            step = model(IDS[:, 3:], past_key_values=past).logits
            torch.testing.assert_close(step[:, 0], model(IDS).logits[:, 3])

    def test_no_cache_in_an_encoder_or_with_labels(self):
        assert BertModel(config())(IDS, use_cache=True).past_key_values is None
        assert BertLMHeadModel(config(is_decoder=True))(IDS, labels=IDS).past_key_values is None

    def test_cross_attention_is_for_decoders(self):
        with pytest.raises(ValueError, match="needs is_decoder=True"):
            BertModel(config(add_cross_attention=True))
        with pytest.raises(ValueError, match="add_cross_attention=True"):
            BertModel(config(is_decoder=True))(IDS, encoder_hidden_states=torch.zeros(2, 3, 16))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": 18}, "not a multiple of the number of attention heads"),
        ({"position_embedding_type": "relative_key"}, "absolute positions"),
    ],
)
def test_configurations_that_cannot_be_built(change, message):
    with pytest.raises(ValueError, match=message):
        BertModel(BertConfig(**{**SHAPE, **change}))
