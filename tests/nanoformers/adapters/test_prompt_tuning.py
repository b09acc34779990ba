"""Virtual tokens before the text."""

from __future__ import annotations

import nanoformers
import pytest
import torch
from nanoformers.adapters import PromptTuningConfig

CLOSE = {"rtol": 0, "atol": 1e-5}


@pytest.fixture
def config() -> PromptTuningConfig:
    return PromptTuningConfig(num_virtual_tokens=3)


class TestDecoder:
    def test_is_what_embeddings_before_the_text_are(self, config, gpt2, make, ids):
        gpt2.add_adapter(config)
        prompt = gpt2.adapters["default"].prompt_embeddings.expand(2, -1, -1)
        base = make()
        embeddings = torch.cat((prompt, base.get_input_embeddings()(ids)), 1)
        expected = base(inputs_embeds=embeddings).logits
        assert torch.equal(gpt2(ids).logits, expected)
        assert torch.equal(gpt2(inputs_embeds=base.get_input_embeddings()(ids)).logits, expected)

    def test_only_the_prompt_is_trained(self, config, gpt2, ids):
        gpt2.add_adapter(config)
        gpt2(ids, labels=ids).loss.backward()
        with_gradient = [name for name, p in gpt2.named_parameters() if p.grad is not None]
        assert with_gradient == ["adapters.default.prompt_embeddings"]

    def test_generates_with_a_cache_and_without(self, config, gpt2, ids):
        gpt2.add_adapter(config)
        arguments = {"max_new_tokens": 12, "do_sample": False, "attention_mask": torch.ones_like(ids)}
        expected = gpt2.generate(ids, use_cache=False, **arguments)
        assert torch.equal(gpt2.generate(ids, **arguments), expected)
        gpt2.disable_adapters()
        assert not torch.equal(gpt2.generate(ids, **arguments), expected)

    def test_generates_the_same_in_a_padded_batch(self, config, gpt2, ids):
        gpt2.add_adapter(config)
        mask = torch.ones_like(ids)
        mask[1, :3] = 0
        arguments = {"max_new_tokens": 8, "do_sample": False}
        batch = gpt2.generate(ids.masked_fill(mask == 0, 0), attention_mask=mask, **arguments)
        alone = gpt2.generate(ids[1:, 3:], attention_mask=mask[1:, 3:], **arguments)
        assert batch[1, 3 : 3 + alone.shape[1]].tolist() == alone[0].tolist()

    def test_with_gradient_checkpointing(self, config, gpt2, ids):
        gpt2.add_adapter(config)
        gpt2.gradient_checkpointing_enable({"use_reentrant": True})
        gpt2.train()(ids, labels=ids).loss.backward()
        assert gpt2.adapters["default"].prompt_embeddings.grad.abs().sum() > 0


class TestEncoder:
    def test_types_and_masks_grow_along(self, config, bert, ids):
        mask = torch.ones_like(ids)
        mask[0, 5:] = 0
        bert.add_adapter(config)
        padded = bert(ids, attention_mask=mask, token_type_ids=torch.zeros_like(ids)).logits
        alone = bert(ids[:1, :5]).logits
        torch.testing.assert_close(padded[:1], alone, **CLOSE)

    def test_another_task_is_refused(self, config, folders):
        model = nanoformers.BertForTokenClassification.from_pretrained(
            folders["BertForSequenceClassification"]
        )
        with pytest.raises(ValueError, match=r"BertForTokenClassification .* is not possible"):
            model.add_adapter(config)

    def test_a_model_that_takes_tokens_only(self, config, folders):
        model = nanoformers.T5ForSequenceClassification.from_pretrained(folders["T5ForConditionalGeneration"])
        with pytest.raises(ValueError, match=r"T5ForSequenceClassification is not possible: it takes tokens"):
            model.add_adapter(config)
        assert not model._hf_peft_config_loaded


class TestEncoderDecoder:
    def test_the_encoder_reads_the_prompt(self, config, make, ids):
        model = make("T5ForConditionalGeneration")
        base = make("T5ForConditionalGeneration")
        model.add_adapter(config)
        prompt = model.adapters["default"].prompt_embeddings
        assert prompt.shape == (6, 16)
        embeddings = torch.cat((prompt[:3].expand(2, -1, -1), base.shared(ids)), 1)
        expected = base(inputs_embeds=embeddings, decoder_input_ids=ids).logits
        torch.testing.assert_close(model(ids, decoder_input_ids=ids).logits, expected, **CLOSE)
        encoded = model.get_encoder()(ids)
        assert encoded.last_hidden_state.shape == (2, 10, 16)
        again = model(encoder_outputs=encoded, decoder_input_ids=ids).logits
        torch.testing.assert_close(again, expected, **CLOSE)

    def test_generates_the_same_in_a_padded_batch(self, config, make, ids):
        model = make("T5ForConditionalGeneration")
        model.add_adapter(config)
        mask = torch.ones_like(ids)
        mask[1, 4:] = 0
        arguments = {"max_new_tokens": 8, "do_sample": False}
        batch = model.generate(ids, attention_mask=mask, **arguments)
        alone = model.generate(ids[1:, :4], attention_mask=mask[1:, :4], **arguments)
        assert batch[1, : alone.shape[1]].tolist() == alone[0].tolist()


class TestBeginning:
    def test_tokens_by_chance(self, gpt2):
        gpt2.add_adapter(PromptTuningConfig(num_virtual_tokens=3, prompt_tuning_init="SAMPLE_VOCAB"))
        rows = gpt2.adapters["default"].prompt_embeddings
        vocabulary = gpt2.get_input_embeddings().weight
        assert all((vocabulary == row).all(1).any() for row in rows)

    def test_a_text(self, gpt2, tmp_path):
        from tokenizers import Tokenizer, models, pre_tokenizers

        backend = Tokenizer(models.WordLevel({"<unk>": 0, "a": 5, "red": 6, "ball": 7}, unk_token="<unk>"))
        backend.pre_tokenizer = pre_tokenizers.Whitespace()
        nanoformers.PreTrainedTokenizerFast(tokenizer_object=backend).save_pretrained(tmp_path)
        gpt2.add_adapter(
            PromptTuningConfig(
                num_virtual_tokens=5,
                prompt_tuning_init="TEXT",
                prompt_tuning_init_text="a red ball",
                tokenizer_name_or_path=str(tmp_path),
            )
        )
        expected = gpt2.get_input_embeddings().weight[torch.tensor([5, 6, 7, 5, 6])]
        assert torch.equal(gpt2.adapters["default"].prompt_embeddings, expected)
