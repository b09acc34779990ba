"""GPT-2's own behaviour; its numbers are compared with the reference library in tests/parity."""

from __future__ import annotations

import inspect

import pytest
import torch
from model_tests import IDS, BaseModelTests
from nanoformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    GPT2Config,
    GPT2DoubleHeadsModel,
    GPT2ForQuestionAnswering,
    GPT2ForSequenceClassification,
    GPT2ForTokenClassification,
    GPT2LMHeadModel,
    GPT2Model,
)
from nanoformers.modeling_utils import SequenceSummary

SHAPE = {
    "vocab_size": 50,
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 12,
    "bos_token_id": 1,
    "eos_token_id": 1,
}


def config(**kwargs) -> GPT2Config:
    return GPT2Config(**SHAPE | kwargs)


class TestConfiguration:
    def test_defaults_are_those_of_the_released_model(self):
        assert (GPT2Config().vocab_size, GPT2Config().bos_token_id, GPT2Config().n_inner) == (
            50257,
            50256,
            None,
        )

    def test_common_names(self):
        shape = GPT2Config(
            hidden_size=8, num_attention_heads=2, num_hidden_layers=3, max_position_embeddings=5
        )
        assert (shape.n_embd, shape.n_head, shape.n_layer, shape.n_positions) == (8, 2, 3, 5)
        assert (shape.hidden_size, shape.max_position_embeddings) == (8, 5)

    def test_auto_classes(self):
        assert type(AutoModelForCausalLM.from_config(config())) is GPT2LMHeadModel
        assert type(AutoModelForSequenceClassification.from_config(config())) is GPT2ForSequenceClassification


class TestGPT2Model(BaseModelTests):
    model_class = GPT2Model
    config_class = GPT2Config
    shape = SHAPE


class TestInput:
    def test_padding_on_the_left_changes_nothing(self):
        model = GPT2Model(config()).eval()
        alone = model(torch.tensor([[5, 6]])).last_hidden_state
        mask = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])
        places = torch.tensor([[0, 1, 2, 3], [0, 0, 0, 1]])
        ids = torch.tensor([[1, 2, 3, 4], [9, 9, 5, 6]])
        padded = model(ids, attention_mask=mask, position_ids=places).last_hidden_state
        torch.testing.assert_close(padded[1:, 2:], alone)

    def test_the_future_is_not_seen(self):
        model = GPT2Model(config()).eval()
        torch.testing.assert_close(model(IDS).last_hidden_state[:, :2], model(IDS[:, :2]).last_hidden_state)

    def test_too_long_with_what_is_cached(self):
        model = GPT2Model(config()).eval()
        past = model(torch.ones(1, 12, dtype=torch.long)).past_key_values
        with pytest.raises(ValueError, match="The sequence has 13 tokens"):
            model(IDS[:1, :1], past_key_values=past)

    def test_the_mask_that_it_has_anyway(self):
        model = GPT2Model(config()).eval()
        causal = torch.ones(4, 4).tril().expand(2, 4, 4)
        torch.testing.assert_close(
            model(IDS, attention_mask=causal).last_hidden_state, model(IDS).last_hidden_state
        )

    def test_an_encoders_output_needs_cross_attention(self):
        with pytest.raises(ValueError, match="add_cross_attention=True"):
            GPT2Model(config())(IDS, encoder_hidden_states=torch.zeros(2, 3, 16))

    def test_heads_that_do_not_divide_the_width(self):
        with pytest.raises(ValueError, match="`embed_dim`: 16 and `num_heads`: 3"):
            GPT2Model(config(n_head=3))


class TestOutput:
    def test_tuples(self):
        logits, past = GPT2LMHeadModel(config())(IDS, return_dict=False)
        assert logits.shape == (2, 4, 50)
        assert len(past) == 2

    @pytest.mark.parametrize("asked", [True, False])
    def test_the_cache_is_read_as_tuples(self, asked):
        output = GPT2Model(config(use_cache=not asked))(IDS, use_cache=asked)
        assert (output.past_key_values is not None) == asked
        if asked:
            key, value = output.past_key_values[1]
            assert key.shape == value.shape == (2, 4, 4, 4)

    def test_a_step_keeps_the_cache_in_place(self):
        model = GPT2LMHeadModel(config()).eval()
        with torch.no_grad():
            past = model(IDS).past_key_values
            again = model(IDS[:, :1], past_key_values=past).past_key_values
        assert again is past
        assert past.get_seq_length() == 5

    def test_the_encoder_is_read_once(self):
        model = GPT2LMHeadModel(config(add_cross_attention=True)).eval()
        with torch.no_grad():
            past = model(IDS, encoder_hidden_states=torch.randn(2, 3, 16)).past_key_values
            key = past.encoder(1)[0]
            model(IDS[:, :1], encoder_hidden_states=torch.randn(2, 3, 16), past_key_values=past)
        assert past.encoder(1)[0] is key
        assert [tensor.shape[2] for tensor in past[0]] == [5, 5, 3, 3]

    def test_upcast_attention_answers_in_the_models_type(self):
        model = GPT2Model(config(reorder_and_upcast_attn=True)).half().eval()
        output = model(IDS, attention_mask=torch.tensor([[1, 1, 1, 1], [0, 1, 1, 1]]), output_attentions=True)
        assert {output.last_hidden_state.dtype, output.attentions[0].dtype} == {torch.float16}
        assert torch.isfinite(output.last_hidden_state).all()

    @pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
    def test_traced(self):
        model = GPT2LMHeadModel(config(torchscript=True, use_cache=False)).eval()
        traced = torch.jit.trace(model, (IDS,))
        torch.testing.assert_close(traced(IDS + 1)[0], model(IDS + 1)[0])

    @pytest.mark.parametrize(
        ("model", "names"),
        [
            (GPT2Model, "encoder_attention_mask use_cache"),
            (GPT2LMHeadModel, "encoder_hidden_states encoder_attention_mask labels use_cache"),
            (GPT2DoubleHeadsModel, "mc_token_ids labels mc_labels use_cache"),
            (GPT2ForSequenceClassification, "inputs_embeds labels use_cache"),
            (GPT2ForTokenClassification, "inputs_embeds labels use_cache"),
        ],
    )
    def test_arguments_are_the_documented_ones(self, model, names):
        first = "input_ids past_key_values attention_mask token_type_ids position_ids head_mask inputs_embeds"
        last = "output_attentions output_hidden_states return_dict"
        arguments = " ".join(inspect.signature(model.forward).parameters)
        assert arguments.startswith(f"self {first}")
        assert f"{names} {last}" in arguments


class TestHeads:
    def test_an_empty_batch(self):
        model = GPT2ForTokenClassification(config()).eval()
        assert model(torch.zeros(0, 4, dtype=torch.long)).logits.shape == (0, 4, 2)

    def test_the_scores_weight_is_the_embeddings(self):
        model = GPT2LMHeadModel(config())
        assert model.lm_head.weight is model.transformer.wte.weight
        assert GPT2LMHeadModel(config(tie_word_embeddings=False)).lm_head.weight is not model.lm_head.weight

    def test_labels_of_minus_100_do_not_count(self):
        model = GPT2LMHeadModel(config()).eval()
        some = torch.where(torch.arange(4) < 3, IDS, -100)
        torch.testing.assert_close(model(IDS, labels=some).loss, model(IDS[:, :3], labels=IDS[:, :3]).loss)

    def test_a_batch_needs_a_padding_token(self):
        model = GPT2ForSequenceClassification(config())
        assert model(IDS[:1]).logits.shape == (1, 2)
        with pytest.raises(ValueError, match=r"batch sizes > 1 if no padding token is defined.*pad_token_id"):
            model(IDS)

    def test_a_text_of_padding_only(self):
        model = GPT2ForSequenceClassification(config(pad_token_id=0)).eval()
        assert model(torch.zeros(2, 3, dtype=torch.long)).logits.shape == (2, 2)

    def test_choices_in_rows(self):
        model = GPT2DoubleHeadsModel(config()).eval()
        inputs = {"attention_mask": torch.tensor([[[1, 1, 1, 0], [1, 1, 1, 1]]]), "token_type_ids": IDS[None]}
        output = model(IDS[None], **inputs, mc_token_ids=torch.tensor([[2, 3]]), mc_labels=torch.tensor([1]))
        assert output.logits.shape == (1, 2, 4, 50)
        assert output.mc_logits.shape == (1, 2)
        assert output.mc_loss.shape == ()
        alone = model(IDS[:1, :3], token_type_ids=IDS[:1, :3])
        torch.testing.assert_close(output.mc_logits[0, 0], alone.mc_logits[0])

    @pytest.mark.parametrize("own", [{}, {"hidden_dropout": 0.3}, {"classifier_dropout": 0.2}])
    def test_dropout_before_the_classifier(self, own):
        model = GPT2ForTokenClassification(config(**own))
        assert model.dropout.p == next(iter(own.values()), 0.1)

    def test_answers_have_no_cache(self):
        assert list(GPT2ForQuestionAnswering(config())(IDS)) == ["start_logits", "end_logits"]


class TestSummary:
    STATES = torch.arange(24.0).view(2, 3, 4)

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("last", STATES[:, 2]),
            ("first", STATES[:, 0]),
            ("mean", STATES[:, 1]),
            ("cls_index", STATES[:, 2]),
        ],
    )
    def test_kinds(self, kind, expected):
        summary = SequenceSummary(config(n_embd=4, summary_type=kind, summary_use_proj=False)).eval()
        assert torch.equal(summary(self.STATES), expected)

    def test_place_by_row(self):
        summary = SequenceSummary(config(n_embd=4, summary_use_proj=False)).eval()
        expected = torch.stack([self.STATES[0, 1], self.STATES[1, 0]])
        assert torch.equal(summary(self.STATES, torch.tensor([1, 0])), expected)

    @pytest.mark.parametrize(("kind", "error"), [("attn", NotImplementedError), ("middle", ValueError)])
    def test_unknown_kind(self, kind, error):
        with pytest.raises(error, match="there are last, first, mean, cls_index"):
            SequenceSummary(config(summary_type=kind))


class TestWeights:
    def test_layers_that_add_up_start_smaller(self):
        model = GPT2Model(config(n_embd=64, n_layer=8))
        for layer in model.h:
            for part in (layer.attn, layer.mlp):
                torch.testing.assert_close(part.c_proj.weight.std().item(), 0.02 / 4, rtol=0.1, atol=0)
        torch.testing.assert_close(model.h[0].attn.c_attn.weight.std().item(), 0.02, rtol=0.1, atol=0)
        assert not model.h[0].attn.c_attn.bias.any()

    def test_resized_vocabulary(self):
        model = GPT2LMHeadModel(config()).eval()
        before = model(IDS).logits
        model.resize_token_embeddings(53)
        assert model.lm_head.weight is model.transformer.wte.weight
        logits = model(IDS).logits
        assert logits.shape == (2, 4, 53)
        torch.testing.assert_close(logits[..., :50], before)

    def test_pruned_heads_are_left_out(self):
        model = GPT2LMHeadModel(config()).eval()
        mask = torch.tensor([[1.0, 0, 1, 1], [0, 1, 1, 0]])
        masked = model(IDS, head_mask=mask).logits
        model.prune_heads({0: [1], 1: [0]})
        model.prune_heads({1: [0, 3]})
        assert model.config.pruned_heads == {0: [1], 1: [0, 3]}
        torch.testing.assert_close(model(IDS).logits, masked)
        with torch.no_grad():
            past = model(IDS[:, :3]).past_key_values
            torch.testing.assert_close(model(IDS[:, 3:], past_key_values=past).logits, masked[:, 3:])

    def test_gradient_checkpointing(self):
        model = GPT2LMHeadModel(config(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)).train()
        model(IDS, labels=IDS).loss.backward()
        gradients = [parameter.grad.clone() for parameter in model.parameters()]
        model.zero_grad()
        model.gradient_checkpointing_enable()
        output = model(IDS, labels=IDS, use_cache=True)
        assert output.past_key_values is None
        output.loss.backward()
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            torch.testing.assert_close(parameter.grad, gradient)
