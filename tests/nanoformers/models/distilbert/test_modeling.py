"""DistilBERT's own behaviour; its numbers are compared with the reference library in tests/parity."""

from __future__ import annotations

import inspect

import pytest
import torch
from model_tests import IDS, EncoderTests
from nanoformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    BertConfig,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForMultipleChoice,
    DistilBertForQuestionAnswering,
    DistilBertForSequenceClassification,
    DistilBertForTokenClassification,
    DistilBertModel,
)
from nanoformers.models.distilbert import DistilBertOnnxConfig
from nanoformers.onnx import OnnxConfig

SHAPE = {
    "vocab_size": 50,
    "dim": 16,
    "n_layers": 2,
    "n_heads": 4,
    "hidden_dim": 20,
    "max_position_embeddings": 12,
}


def config(**kwargs) -> DistilBertConfig:
    return DistilBertConfig(**SHAPE | kwargs)


class TestConfiguration:
    def test_common_names(self):
        shape = config()
        assert (shape.hidden_size, shape.num_attention_heads, shape.num_hidden_layers) == (16, 4, 2)
        shape.hidden_size = 32
        assert shape.dim == 32

    def test_common_names_as_arguments(self):
        shape = DistilBertConfig(hidden_size=32, num_hidden_layers=3)
        assert (shape.dim, shape.n_layers, shape.n_heads) == (32, 3, 12)
        assert "hidden_size" not in shape.to_dict()


class TestDistilBertModel(EncoderTests):
    model_class = DistilBertModel
    config_class = DistilBertConfig
    shape = SHAPE


class TestInput:
    def test_there_are_no_token_types(self):
        with pytest.raises(TypeError, match="token_type_ids"):
            DistilBertForSequenceClassification(config())(IDS, token_type_ids=torch.zeros_like(IDS))


class TestHeads:
    def test_an_empty_batch(self):
        model = DistilBertForSequenceClassification(config()).eval()
        assert model(torch.zeros(0, 4, dtype=torch.long)).logits.shape == (0, 2)

    @pytest.mark.parametrize(
        "head",
        [
            DistilBertForMaskedLM,
            DistilBertForSequenceClassification,
            DistilBertForTokenClassification,
            DistilBertForMultipleChoice,
        ],
    )
    def test_arguments_are_the_documented_ones(self, head):
        assert list(inspect.signature(head.forward).parameters)[1:9] == [
            "input_ids",
            "attention_mask",
            "head_mask",
            "inputs_embeds",
            "labels",
            "output_attentions",
            "output_hidden_states",
            "return_dict",
        ]

    def test_arguments_in_their_documented_order(self):
        model = DistilBertForSequenceClassification(config()).eval()
        mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
        output = model(IDS, mask, torch.ones(4), None, torch.tensor([0, 1]), True, True, False)
        assert [type(value) for value in output[-2:]] == [tuple, tuple]
        torch.testing.assert_close(output[1], model(IDS, attention_mask=mask).logits)

    def test_each_head_has_its_own_dropout(self):
        shape = config(dropout=0.3, qa_dropout=0.4, seq_classif_dropout=0.5)
        heads = (
            DistilBertForTokenClassification,
            DistilBertForQuestionAnswering,
            DistilBertForSequenceClassification,
            DistilBertForMultipleChoice,
        )
        assert [head(shape).dropout.p for head in heads] == [0.3, 0.4, 0.5, 0.5]

    def test_the_scores_of_tokens_are_tied_to_the_embeddings(self):
        model = DistilBertForMaskedLM(config())
        assert model.vocab_projector.weight is model.distilbert.embeddings.word_embeddings.weight
        model.resize_token_embeddings(60)
        assert model(IDS).logits.shape == (2, 4, 60)
        assert model.vocab_projector.weight is model.get_input_embeddings().weight

    def test_an_answer_has_two_ends(self):
        with pytest.raises(ValueError, match=r"num_labels should be 2 .* but it is 3"):
            DistilBertForQuestionAnswering(config(num_labels=3))

    def test_choices(self):
        model = DistilBertForMultipleChoice(config()).eval()
        assert model(IDS[None]).logits.shape == (1, 2)
        assert model(inputs_embeds=torch.zeros(3, 2, 4, 16)).logits.shape == (3, 2)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model()

    def test_by_the_auto_classes(self):
        assert isinstance(AutoModel.from_config(config()), DistilBertModel)
        classifier = AutoModelForSequenceClassification.from_config(config(num_labels=3))
        assert isinstance(classifier, DistilBertForSequenceClassification)
        assert classifier(IDS).logits.shape == (2, 3)


class TestPositions:
    def test_sinusoids_are_not_trained(self):
        model = DistilBertForMaskedLM(config(sinusoidal_pos_embds=True))
        model(IDS, labels=IDS).loss.backward()
        assert model.get_position_embeddings().weight.grad is None
        assert model.get_position_embeddings().weight[0].tolist() == [0.0, 1.0] * 8

    def test_sinusoids_survive_saving(self, tmp_path):
        model = DistilBertModel(config(sinusoidal_pos_embds=True))
        model.save_pretrained(tmp_path)
        again = DistilBertModel.from_pretrained(tmp_path)
        weight = again.get_position_embeddings().weight
        assert torch.equal(weight, model.get_position_embeddings().weight)
        assert not weight.requires_grad

    @pytest.mark.parametrize("length", [8, 20])
    @pytest.mark.parametrize("sinusoidal", [False, True], ids=["learned", "sinusoidal"])
    def test_resized(self, length, sinusoidal):
        model = DistilBertForSequenceClassification(config(sinusoidal_pos_embds=sinusoidal)).eval()
        before, logits = model.get_position_embeddings().weight.clone(), model(IDS).logits
        model.resize_position_embeddings(length)
        after = model.get_position_embeddings().weight
        kept = min(12, length)
        torch.testing.assert_close(after[:kept], before[:kept])
        torch.testing.assert_close(model(IDS).logits, logits)
        assert model.config.max_position_embeddings == after.shape[0] == length
        assert after.requires_grad is not sinusoidal
        assert model(torch.ones(1, length, dtype=torch.long)).logits.shape == (1, 2)


class TestTraining:
    def test_gradient_checkpointing_changes_no_gradient(self):
        torch.manual_seed(0)
        model = DistilBertForSequenceClassification(config(dropout=0.0, attention_dropout=0.0)).train()
        model.dropout.p = 0.0
        labels = torch.tensor([0, 1])
        model(IDS, labels=labels).loss.backward()
        plain = {name: parameter.grad for name, parameter in model.named_parameters()}
        model.zero_grad()
        model.gradient_checkpointing_enable()
        model(IDS, labels=labels).loss.backward()
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(parameter.grad, plain[name])

    def test_pruned_heads_are_remembered(self, tmp_path):
        model = DistilBertModel(config()).eval()
        model.prune_heads({0: [1], 1: [0, 3]})
        model.save_pretrained(tmp_path)
        again = DistilBertModel.from_pretrained(tmp_path)
        assert again.config.pruned_heads == {0: [1], 1: [0, 3]}
        torch.testing.assert_close(again(IDS).last_hidden_state, model(IDS).last_hidden_state)


class TestOnnxConfig:
    def test_outputs_as_the_guide_prints_them(self):
        assert list(DistilBertOnnxConfig(DistilBertConfig()).outputs.keys()) == ["last_hidden_state"]

    def test_it_describes_the_model(self):
        onnx = DistilBertOnnxConfig(config(), task="question-answering")
        assert isinstance(onnx, OnnxConfig)
        inputs = {name: IDS if name == "input_ids" else torch.ones_like(IDS) for name in onnx.inputs}
        assert list(DistilBertForQuestionAnswering(config())(**inputs)) == list(onnx.outputs)

    def test_axes_are_the_caller_s_own(self):
        onnx = DistilBertOnnxConfig(config())
        onnx.outputs["last_hidden_state"][0] = "changed"
        onnx.inputs["input_ids"][0] = "changed"
        assert onnx.outputs["last_hidden_state"][0] == onnx.inputs["input_ids"][0] == "batch"

    def test_an_unknown_task(self):
        with pytest.raises(ValueError, match=r"dancing is not a supported task, .* masked-lm"):
            DistilBertOnnxConfig(config(), task="dancing")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({}, "Please provide a tokenizer, not NoneType"),
            ({"preprocessor": "tokenizer"}, "Please provide a tokenizer, not str"),
            ({"preprocessor": 1, "tokenizer": 2}, "both a tokenizer and a preprocessor"),
        ],
        ids=str,
    )
    def test_dummy_inputs_need_a_tokenizer(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            DistilBertOnnxConfig(config()).generate_dummy_inputs(**arguments)

    def test_a_cache_is_switched_off(self):
        assert OnnxConfig(config()).values_override is None
        assert OnnxConfig(BertConfig()).values_override == {"use_cache": False}

    def test_inputs_are_named_by_the_architecture(self):
        with pytest.raises(TypeError, match="OnnxConfig does not say which inputs"):
            _ = OnnxConfig(config()).inputs


def test_heads_that_do_not_divide_the_width():
    with pytest.raises(ValueError, match=r"dim=18.* not a multiple .*n_heads=4"):
        DistilBertModel(config(dim=18))
