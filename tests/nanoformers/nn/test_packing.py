"""Training leaves padding out, and nothing but the time it takes changes."""

from __future__ import annotations

import pytest
import torch
from nanoformers import (
    BertConfig,
    BertForMaskedLM,
    BertForMultipleChoice,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertLMHeadModel,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    T5Config,
    T5ForConditionalGeneration,
    T5ForTokenClassification,
)
from nanoformers.nn import packing
from nanoformers.nn.packing import Dropout, Packing, reading

BERT = {"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
BERT |= {"intermediate_size": 48}
DISTILBERT = {"vocab_size": 60, "dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4}
GPT2 = {"vocab_size": 60, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 32}
T5 = {
    "vocab_size": 60,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 4,
    "decoder_start_token_id": 0,
}
LENGTHS = (3, 9, 5, 2)


def batch(lengths=LENGTHS, side="right"):
    """Ids and their mask, padded with 0."""
    generator = torch.Generator().manual_seed(7)
    longest = max(lengths)
    mask = torch.tensor([[int(place < n) for place in range(longest)] for n in lengths])
    if side == "left":
        mask = mask.flip(1)
    ids = torch.randint(5, 60, mask.shape, generator=generator) * mask
    return {"input_ids": ids, "attention_mask": mask}


def with_token_labels(side="right"):
    inputs = batch(side=side)
    return inputs | {"labels": inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)}


def masked_words():
    inputs = with_token_labels()
    inputs["labels"][:, ::2] = -100
    return inputs


def classes():
    return batch() | {"labels": torch.tensor([0, 1, 1, 0])}


def choices():
    inputs = batch()
    return {name: rows.view(2, 2, -1) for name, rows in inputs.items()} | {"labels": torch.tensor([0, 1])}


def two_texts():
    target = batch((4, 2, 7, 3))
    labels = target["input_ids"].masked_fill(target["attention_mask"] == 0, -100)
    return batch() | {"labels": labels}


CASES = {
    "BertForSequenceClassification": (BertForSequenceClassification, BertConfig, BERT, classes),
    "BertForTokenClassification": (
        BertForTokenClassification,
        BertConfig,
        BERT | {"num_labels": 60},
        masked_words,
    ),
    "BertForMaskedLM": (BertForMaskedLM, BertConfig, BERT, masked_words),
    "BertForMultipleChoice": (BertForMultipleChoice, BertConfig, BERT, choices),
    "BertLMHeadModel": (BertLMHeadModel, BertConfig, BERT | {"is_decoder": True}, with_token_labels),
    "DistilBertForSequenceClassification": (
        DistilBertForSequenceClassification,
        DistilBertConfig,
        DISTILBERT,
        classes,
    ),
    "DistilBertForMaskedLM": (DistilBertForMaskedLM, DistilBertConfig, DISTILBERT, masked_words),
    "GPT2LMHeadModel": (GPT2LMHeadModel, GPT2Config, GPT2, with_token_labels),
    "T5ForConditionalGeneration": (T5ForConditionalGeneration, T5Config, T5, two_texts),
    "T5ForTokenClassification": (T5ForTokenClassification, T5Config, T5 | {"num_labels": 60}, masked_words),
}
each_head = pytest.mark.parametrize("name", CASES)


def built(name, **changes):
    model_class, config_class, sizes, inputs = CASES[name]
    torch.manual_seed(0)
    return model_class(config_class(**sizes, **changes)).train(), inputs()


def step(model, inputs):
    """Loss, gradients and logits of one step, from the same random numbers."""
    model.zero_grad()
    torch.manual_seed(3)
    outputs = model(**inputs)
    outputs.loss.backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return outputs.loss.detach(), gradients, outputs.logits.detach(), torch.rand(())


@pytest.fixture
def padded_too(monkeypatch):
    """A switch that lets models compute all places."""

    def switch():
        monkeypatch.setattr(packing, "_WORTH_IT", -1.0)

    return switch


class TestTheSameTraining:
    @each_head
    def test_losses_gradients_and_random_numbers_with_dropout(self, name, padded_too):
        model, inputs = built(name)
        loss, gradients, _, after = step(model, inputs)
        padded_too()
        expected_loss, expected, _, expected_after = step(model, inputs)
        torch.testing.assert_close(loss, expected_loss, atol=1e-6, rtol=0)
        assert after == expected_after
        assert gradients.keys() == expected.keys()
        for weight, gradient in gradients.items():
            torch.testing.assert_close(gradient, expected[weight], atol=2e-6, rtol=1e-4, msg=weight)

    @each_head
    def test_logits_of_real_tokens(self, name, padded_too):
        model, inputs = built(name)
        _, _, logits, _ = step(model, inputs)
        padded_too()
        _, _, expected, _ = step(model, inputs)
        if logits.ndim == 3:
            mask = inputs["attention_mask"] if name[:2] != "T5" else inputs["labels"] != -100
            logits, expected = logits[mask != 0], expected[mask != 0]
        torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)

    def test_padding_on_the_left(self, padded_too):
        model, _ = built("GPT2LMHeadModel")
        inputs = with_token_labels(side="left")
        loss, *_ = step(model, inputs)
        padded_too()
        torch.testing.assert_close(loss, step(model, inputs)[0], atol=1e-6, rtol=0)

    @pytest.mark.parametrize("name", ["BertForTokenClassification", "T5ForTokenClassification"])
    def test_labels_on_padding_count_as_they_do_elsewhere(self, name, padded_too):
        model, _ = built(name)
        inputs = batch()
        inputs["labels"] = inputs["input_ids"].clone()  # 0 on padding, not -100
        loss, *_ = step(model, inputs)
        padded_too()
        torch.testing.assert_close(loss, step(model, inputs)[0], atol=1e-6, rtol=0)

    def test_bfloat16(self, padded_too):
        model, inputs = built("BertForSequenceClassification")
        with torch.autocast("cpu", torch.bfloat16):
            loss, *_ = step(model, inputs)
            padded_too()
            torch.testing.assert_close(loss, step(model, inputs)[0], atol=1e-2, rtol=0)


class TestWhen:
    @pytest.fixture
    def rows(self, monkeypatch):
        """How many tokens each linear layer of the feed-forward part sees."""

        def count(model, inputs):
            seen = []
            layer = next(m for n, m in model.named_modules() if n.endswith("intermediate.dense"))
            handle = layer.register_forward_hook(lambda _, args, out: seen.append(out.shape[:-1].numel()))
            model(**inputs)
            handle.remove()
            return seen[0]

        return count

    def test_only_real_tokens_are_computed(self, rows):
        model, inputs = built("BertForMaskedLM")
        assert rows(model, inputs) == sum(LENGTHS)

    def test_nothing_is_left_out_in_evaluation(self, rows):
        model, inputs = built("BertForMaskedLM")
        assert rows(model.eval(), inputs) == inputs["input_ids"].numel()

    def test_nothing_is_left_out_without_labels(self, rows):
        model, inputs = built("BertForMaskedLM")
        del inputs["labels"]
        assert rows(model, inputs) == inputs["input_ids"].numel()

    def test_nor_when_all_states_are_wanted(self, rows):
        model, inputs = built("BertForMaskedLM")
        assert rows(model, inputs | {"output_hidden_states": True}) == inputs["input_ids"].numel()

    def test_nor_under_gradient_checkpointing(self, rows):
        model, inputs = built("BertForMaskedLM")
        model.gradient_checkpointing_enable()
        assert rows(model, inputs) == inputs["input_ids"].numel()

    def test_nor_for_answers_whose_loss_reads_padding_too(self):
        torch.manual_seed(0)
        model = BertForQuestionAnswering(BertConfig(**BERT, hidden_dropout_prob=0.0)).train()
        ends = torch.tensor([1, 2, 3, 1])
        logits = model(**batch(), start_positions=ends, end_positions=ends).start_logits
        assert (logits[0, LENGTHS[0] :].diff() != 0).all()  # each place has a score of its own

    def test_a_cache_that_is_asked_for_is_kept(self):
        model, inputs = built("GPT2LMHeadModel")
        assert model(**inputs, use_cache=True).past_key_values is not None


class TestPacking:
    def test_there_and_back(self):
        kept = torch.tensor([[True, False, True], [False, True, False]])
        states = torch.arange(12.0).view(2, 3, 2)
        found = Packing(kept)
        packed = found.pack(states)
        assert packed.tolist() == [[[0, 1], [4, 5], [8, 9]]]
        torch.testing.assert_close(found.unpack(packed), states * kept[..., None])

    def test_an_error_inside_leaves_nothing_behind(self):
        with pytest.raises(RuntimeError), reading(torch.ones(1, 1)), Packing(torch.ones(2, 2).bool()):
            raise RuntimeError
        assert packing.active_packing() is None

    def test_dropout_of_other_tensors_is_that_of_torch(self):
        ours, torchs = Dropout(0.5), torch.nn.Dropout(0.5)
        states = torch.ones(3, 4)
        torch.manual_seed(0)
        expected = torchs(states)
        torch.manual_seed(0)
        torch.testing.assert_close(ours(states), expected)
