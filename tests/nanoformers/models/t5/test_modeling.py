"""T5's own behaviour; its numbers are compared with the reference library in tests/parity."""

from __future__ import annotations

import inspect
import json

import pytest
import torch
from nanoformers import (
    AutoModel,
    AutoModelForSeq2SeqLM,
    AutoModelForTextEncoding,
    T5Config,
    T5EncoderModel,
    T5ForConditionalGeneration,
    T5ForQuestionAnswering,
    T5ForSequenceClassification,
    T5ForTokenClassification,
    T5Model,
)
from nanoformers.heads.encoder_decoders import shift_tokens_right

SHAPE = {
    "vocab_size": 50,
    "d_model": 16,
    "d_kv": 3,
    "d_ff": 20,
    "num_layers": 2,
    "num_heads": 4,
    "decoder_start_token_id": 0,
}
IDS = torch.tensor([[5, 6, 7, 1], [8, 9, 3, 1]])
TARGET = torch.tensor([[4, 5, 6], [7, 8, 9]])


def config(**kwargs) -> T5Config:
    return T5Config(**{**SHAPE, **kwargs})


class TestConfiguration:
    @pytest.mark.parametrize(
        ("projection", "activation", "gated"),
        [
            ("relu", "relu", False),
            ("gated-gelu", "gelu_new", True),
            ("gated-silu", "silu", True),
            ("gelu", "gelu", False),
        ],
    )
    def test_the_feed_forward_projection(self, projection, activation, gated):
        read = T5Config(feed_forward_proj=projection)
        assert (read.dense_act_fn, read.is_gated_act) == (activation, gated)

    @pytest.mark.parametrize("projection", ["gate-gelu", "gated-gelu-new", "gated-", ""])
    def test_a_projection_of_another_form(self, projection):
        with pytest.raises(ValueError, match=r"format `gated-\{ACT_FN\}`"):
            T5Config(feed_forward_proj=projection)

    def test_an_unknown_activation(self):
        with pytest.raises(KeyError, match="'nosuch' is no activation"):
            T5Model(config(feed_forward_proj="gated-nosuch"))

    def test_the_decoder_is_as_deep_by_default(self):
        assert T5Config(num_layers=4).num_decoder_layers == 4
        model = T5Model(config(num_decoder_layers=1))
        assert (len(model.encoder.block), len(model.decoder.block)) == (2, 1)

    def test_common_names(self):
        small = T5Config()
        names = ("hidden_size", "num_attention_heads", "num_hidden_layers", "head_dim")
        assert [getattr(small, name) for name in names] == [512, 8, 6, 64]
        assert T5Config(hidden_size=32).d_model == 32

    @pytest.mark.parametrize("scaled", [True, False])
    def test_the_newer_name_of_tied_weights(self, scaled):
        newer = T5Config(scale_decoder_outputs=scaled, tie_word_embeddings=True)
        assert newer.tie_word_embeddings is scaled

    def test_too_few_buckets(self):
        with pytest.raises(ValueError, match="at least 4 buckets"):
            T5Model(config(relative_attention_num_buckets=2))


class TestInput:
    def test_padding_that_is_masked_changes_nothing(self):
        model = T5Model(config()).eval()
        alone = model(torch.tensor([[5, 6]]), decoder_input_ids=TARGET[:1]).last_hidden_state
        for ids, mask in (([5, 6, 0, 0], [1, 1, 0, 0]), ([0, 0, 5, 6], [0, 0, 1, 1])):
            padded = model(
                torch.tensor([ids, [5, 6, 7, 8]]),
                attention_mask=torch.tensor([mask, [1] * 4]),
                decoder_input_ids=TARGET,
            )
            torch.testing.assert_close(padded.last_hidden_state[:1], alone)

    @pytest.mark.parametrize("inputs", [{}, {"input_ids": IDS, "inputs_embeds": torch.zeros(2, 4, 16)}])
    def test_ids_or_embeddings_of_the_encoder(self, inputs):
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            T5Model(config())(**inputs, decoder_input_ids=TARGET)

    def test_ids_or_embeddings_of_the_decoder(self):
        with pytest.raises(ValueError, match="either decoder_input_ids or decoder_inputs_embeds"):
            T5ForConditionalGeneration(config())(IDS)

    def test_masks_of_another_length(self):
        model = T5Model(config())
        with pytest.raises(ValueError, match=r"attention_mask has shape \(2, 3\)"):
            model(IDS, attention_mask=torch.ones(2, 3), decoder_input_ids=TARGET)
        with pytest.raises(ValueError, match=r"attention_mask has shape \(2, 5\)"):
            model(IDS, decoder_input_ids=TARGET, decoder_attention_mask=torch.ones(2, 5))

    def test_a_mask_for_each_query(self):
        model = T5EncoderModel(config()).eval()
        causal = torch.ones(4, 4).tril().expand(2, -1, -1)
        changed = IDS.clone()
        changed[:, -1] = 40
        states, others = (model(ids, attention_mask=causal).last_hidden_state for ids in (IDS, changed))
        torch.testing.assert_close(states[:, :3], others[:, :3])

    def test_an_encoder_keeps_no_cache(self):
        model = T5Model(config())
        with pytest.raises(ValueError, match="Only a decoder"):
            model.encoder(IDS, use_cache=True)
        with pytest.raises(ValueError, match="Only a decoder"):
            model.encoder(IDS, encoder_hidden_states=torch.zeros(2, 4, 16))

    @pytest.mark.parametrize("mask", ["head_mask", "decoder_head_mask", "cross_attn_head_mask"])
    def test_head_masks(self, mask):
        model = T5Model(config()).eval()
        seen = {
            "head_mask": "encoder_attentions",
            "decoder_head_mask": "decoder_attentions",
            "cross_attn_head_mask": "cross_attentions",
        }
        zeros = {mask: torch.zeros(2, 4)}
        output = model(IDS, decoder_input_ids=TARGET, **zeros, output_attentions=True)
        assert all(weights.abs().sum() == 0 for weights in output[seen[mask]])
        with pytest.raises(ValueError, match="head_mask has shape"):
            model(IDS, decoder_input_ids=TARGET, **{mask: torch.ones(3, 4)})

    def test_the_encoders_head_mask_is_the_decoders_unless_it_has_its_own(self):
        model = T5Model(config()).eval()
        mask = torch.tensor([1.0, 0.0, 1.0, 1.0])
        both = model(IDS, decoder_input_ids=TARGET, head_mask=mask, decoder_head_mask=mask)
        one = model(IDS, decoder_input_ids=TARGET, head_mask=mask)
        torch.testing.assert_close(one.last_hidden_state, both.last_hidden_state)


class TestOutput:
    def test_what_the_configuration_asks_for(self):
        model = T5Model(config(output_hidden_states=True, output_attentions=True, num_decoder_layers=1))
        output = model(IDS, decoder_input_ids=TARGET)
        assert [state.shape for state in output.encoder_hidden_states] == [(2, 4, 16)] * 3
        assert [state.shape for state in output.decoder_hidden_states] == [(2, 3, 16)] * 2
        assert [weights.shape for weights in output.encoder_attentions] == [(2, 4, 4, 4)] * 2
        assert [weights.shape for weights in output.decoder_attentions] == [(2, 4, 3, 3)]
        assert [weights.shape for weights in output.cross_attentions] == [(2, 4, 3, 4)]

    def test_tuples(self):
        assert isinstance(T5Model(config(return_dict=False))(IDS, decoder_input_ids=TARGET), tuple)
        assert isinstance(T5EncoderModel(config())(IDS, return_dict=False), tuple)

    def test_arguments_are_the_documented_ones(self):
        names = list(inspect.signature(T5ForConditionalGeneration.forward).parameters)
        assert names[1:] == [
            "input_ids",
            "attention_mask",
            "decoder_input_ids",
            "decoder_attention_mask",
            "head_mask",
            "decoder_head_mask",
            "cross_attn_head_mask",
            "encoder_outputs",
            "past_key_values",
            "inputs_embeds",
            "decoder_inputs_embeds",
            "labels",
            "use_cache",
            "output_attentions",
            "output_hidden_states",
            "return_dict",
        ]


class TestDecoder:
    def test_the_future_is_not_seen(self):
        model = T5ForConditionalGeneration(config()).eval()
        changed = TARGET.clone()
        changed[:, 2] = 40
        one, other = (model(IDS, decoder_input_ids=ids).logits[:, :2] for ids in (TARGET, changed))
        torch.testing.assert_close(one, other)

    def test_the_encoders_keys_are_made_once(self):
        model = T5ForConditionalGeneration(config()).eval()
        calls = []
        model.decoder.block[0].layer[1].EncDecAttention.k.register_forward_hook(lambda *_: calls.append(1))
        encoded, past = model.get_encoder()(IDS), None
        with torch.no_grad():
            for place in range(3):
                past = model(
                    encoder_outputs=encoded, decoder_input_ids=TARGET[:, [place]], past_key_values=past
                ).past_key_values
        assert len(calls) == 1
        assert [tensor.shape for tensor in past[0]] == [
            (2, 4, 3, 3),
            (2, 4, 3, 3),
            (2, 4, 4, 3),
            (2, 4, 4, 3),
        ]

    def test_tuples_of_older_code_go_on(self):
        model = T5ForConditionalGeneration(config()).eval()
        with torch.no_grad():
            whole = model(IDS, decoder_input_ids=TARGET)
            past = model(IDS, decoder_input_ids=TARGET[:, :2]).past_key_values.to_legacy_cache()
            step = model(IDS, decoder_input_ids=TARGET[:, 2:], past_key_values=past).logits
        torch.testing.assert_close(step[:, 0], whole.logits[:, 2])

    def test_rows_that_beam_search_reorders(self):
        model = T5ForConditionalGeneration(config()).eval()
        rows = torch.tensor([1, 1, 0])
        with torch.no_grad():
            whole = model(IDS[rows], decoder_input_ids=TARGET[rows]).logits
            past = model(IDS, decoder_input_ids=TARGET[:, :2]).past_key_values
            past.reorder(rows)
            encoded = model.encoder(IDS[rows])
            step = model(
                encoder_outputs=encoded, decoder_input_ids=TARGET[rows, 2:], past_key_values=past
            ).logits
        torch.testing.assert_close(step[:, 0], whole[:, 2])

    def test_no_cache_with_checkpointing_in_training(self):
        model = T5ForConditionalGeneration(config()).train()
        model.gradient_checkpointing_enable()
        assert model(IDS, decoder_input_ids=TARGET, use_cache=True).past_key_values is None


class TestLabels:
    def test_the_decoder_reads_them_one_place_later(self):
        model = T5ForConditionalGeneration(config()).eval()
        labels = torch.tensor([[4, 5, 1], [7, 1, -100]])
        shifted = model.prepare_decoder_input_ids_from_labels(labels)
        assert shifted.tolist() == [[0, 4, 5], [0, 7, 1]]
        given = model(IDS, decoder_input_ids=shifted)
        torch.testing.assert_close(model(IDS, labels=labels).logits, given.logits)

    def test_what_does_not_count_becomes_padding(self):
        assert shift_tokens_right(torch.tensor([[3, -100, -100]]), 9, 2).tolist() == [[2, 3, 9]]

    @pytest.mark.parametrize("token", ["decoder_start_token_id", "pad_token_id"])
    def test_a_configuration_without_the_first_token(self, token):
        model = T5ForConditionalGeneration(config(**{token: None}))
        with pytest.raises(ValueError, match=f"config.{token} has to be defined"):
            model(IDS, labels=TARGET)


class TestClassification:
    @pytest.mark.parametrize(
        ("ids", "message"),
        [([[1, 5, 1], [4, 5, 1]], "the same number of <eos>"), ([[4, 5, 6]], "at least one <eos>")],
    )
    def test_ends_of_sequences(self, ids, message):
        with pytest.raises(ValueError, match=message):
            T5ForSequenceClassification(config())(torch.tensor(ids))

    def test_the_last_end_counts(self):
        model = T5ForSequenceClassification(config()).eval()
        ids = torch.tensor([[5, 1, 6, 1, 0]])
        alone = model(ids[:, :4]).logits
        mask = torch.tensor([[1, 1, 1, 1, 0]])
        torch.testing.assert_close(model(ids, attention_mask=mask).logits, alone)

    def test_embeddings_do_not_show_the_end(self):
        with pytest.raises(ValueError, match="needs input_ids"):
            T5ForSequenceClassification(config())(inputs_embeds=torch.zeros(2, 4, 16))

    def test_a_decoder_of_another_length(self):
        with pytest.raises(ValueError, match="has to be that of input_ids"):
            T5ForSequenceClassification(config())(IDS, decoder_input_ids=TARGET)

    def test_an_answer_needs_something_to_read(self):
        with pytest.raises(ValueError, match="`input_ids` cannot be `None`"):
            T5ForQuestionAnswering(config())(inputs_embeds=torch.zeros(2, 4, 16))

    def test_dropout_before_the_classifier(self):
        assert T5ForTokenClassification(config()).dropout.p == 0.0
        assert (
            T5ForSequenceClassification(config(classifier_dropout=0.3)).classification_head.dropout.p == 0.3
        )


class TestEmbeddings:
    def test_one_weight_for_all(self):
        model = T5ForConditionalGeneration(config())
        assert model.get_input_embeddings() is model.encoder.embed_tokens is model.decoder.embed_tokens
        assert model.get_output_embeddings().weight is model.shared.weight
        assert (
            T5ForConditionalGeneration(config(tie_word_embeddings=False)).lm_head.weight is not model.shared
        )

    @pytest.mark.parametrize("tied", [True, False])
    @pytest.mark.parametrize("size", [57, 40])
    def test_resizing(self, size, tied, tmp_path):
        model = T5ForConditionalGeneration(config(tie_word_embeddings=tied)).eval()
        before, scores = model.shared.weight.clone(), model.lm_head.weight.clone()
        model.resize_token_embeddings(size)
        assert model.config.vocab_size == model.shared.num_embeddings == size
        assert model.encoder.embed_tokens is model.decoder.embed_tokens is model.shared
        assert (model.lm_head.weight is model.shared.weight) == tied
        kept = min(size, 50)
        assert torch.equal(model.shared.weight[:kept], before[:kept])
        assert torch.equal(model.lm_head.weight[:kept], scores[:kept])
        assert model(IDS, labels=TARGET).logits.shape == (2, 3, size)
        model.save_pretrained(tmp_path)
        again = T5ForConditionalGeneration.from_pretrained(tmp_path)
        torch.testing.assert_close(again(IDS, labels=TARGET).logits, model(IDS, labels=TARGET).logits)

    def test_scores_that_begin_as_a_copy_are_no_tied_weight(self, tmp_path):
        model = T5ForConditionalGeneration(config(tie_word_embeddings=False))
        weights = {name: value for name, value in model.state_dict().items() if name != "lm_head.weight"}
        model.save_pretrained(tmp_path, state_dict=weights)
        again = T5ForConditionalGeneration.from_pretrained(tmp_path)
        assert torch.equal(again.lm_head.weight, model.shared.weight)
        with torch.no_grad():
            again.lm_head.weight.zero_()
        assert torch.equal(again.shared.weight, model.shared.weight)

    def test_scores_of_a_checkpoint_that_never_had_any_are_new(self, tmp_path):
        base = T5Model(config(tie_word_embeddings=False))
        base.save_pretrained(tmp_path)
        model, info = T5ForConditionalGeneration.from_pretrained(tmp_path, output_loading_info=True)
        assert info["missing_keys"] == ["lm_head.weight"]
        assert not torch.equal(model.lm_head.weight, base.shared.weight)

    def test_a_file_says_a_shared_weight_once(self, tmp_path):
        T5ForConditionalGeneration(config()).save_pretrained(tmp_path, max_shard_size="5KB")
        names = json.loads((tmp_path / "model.safetensors.index.json").read_text())["weight_map"]
        assert "shared.weight" in names
        assert not any("embed_tokens" in name or "lm_head" in name for name in names)


class TestTraining:
    def test_checkpointing_gives_the_same_gradients(self):
        torch.manual_seed(0)
        model = T5ForConditionalGeneration(config(dropout_rate=0.0)).train()
        gradients = []
        for enable in (False, True):
            model.zero_grad()
            if enable:
                model.gradient_checkpointing_enable()
            model(IDS, labels=TARGET).loss.backward()
            gradients.append([parameter.grad.clone() for parameter in model.parameters()])
        for one, other in zip(*gradients, strict=True):
            torch.testing.assert_close(one, other)

    def test_mixed_precision(self):
        model = T5ForConditionalGeneration(config()).eval()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(IDS, attention_mask=(IDS != 1).long(), labels=TARGET).loss
        loss.backward()
        torch.testing.assert_close(
            loss.float(), model(IDS, (IDS != 1).long(), labels=TARGET).loss, rtol=0.05, atol=0
        )

    def test_it_learns(self):
        torch.manual_seed(0)
        model = T5ForConditionalGeneration(config(dropout_rate=0.0)).train()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        losses = []
        for _ in range(30):
            loss = model(IDS, labels=TARGET).loss
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert losses[-1] < 0.2 * losses[0]


class TestPruning:
    def test_heads_of_the_encoder_go_for_good(self, tmp_path):
        model = T5ForSequenceClassification(config()).eval()
        model.prune_heads({0: [1, 2]})
        attention = model.transformer.encoder.block[0].layer[0].SelfAttention
        assert attention.q.weight.shape == (6, 16)
        assert attention.relative_attention_bias.weight.shape == (32, 4)  # the other blocks use it too
        model.save_pretrained(tmp_path)
        again = T5ForSequenceClassification.from_pretrained(tmp_path)
        torch.testing.assert_close(again(IDS).logits, model(IDS).logits)

    def test_a_pruned_head_is_a_masked_head(self):
        model = T5EncoderModel(config()).eval()
        mask = torch.tensor([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
        masked = model(IDS, head_mask=mask).last_hidden_state
        model.prune_heads({0: [1, 2]})
        torch.testing.assert_close(model(IDS).last_hidden_state, masked)


@pytest.mark.parametrize(
    ("auto", "cls"),
    [
        (AutoModel, T5Model),
        (AutoModelForSeq2SeqLM, T5ForConditionalGeneration),
        (AutoModelForTextEncoding, T5EncoderModel),
    ],
)
def test_auto_classes(auto, cls, tmp_path):
    T5ForConditionalGeneration(config()).save_pretrained(tmp_path)
    assert type(auto.from_pretrained(tmp_path)) is cls


def test_dummy_inputs():
    model = T5Model(config())
    assert model(**model.dummy_inputs).last_hidden_state.shape == (3, 5, 16)
