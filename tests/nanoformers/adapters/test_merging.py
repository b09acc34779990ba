"""Adapters that become part of the weights."""

from __future__ import annotations

import copy

import nanoformers
import pytest
import torch
from nanoformers.adapters import AdaLoraConfig, IA3Config, LoraConfig, PromptTuningConfig

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
METHODS = {
    "lora": LoraConfig(r=3, init_lora_weights=False, target_modules="all-linear"),
    "lora-bias": LoraConfig(r=3, init_lora_weights=False, lora_bias=True),
    "dora": LoraConfig(r=3, init_lora_weights=False, use_dora=True),
    "embedding": LoraConfig(r=3, init_lora_weights=False, target_modules=["wpe"]),
    "ia3": IA3Config(init_ia3_weights=False),
    "adalora": AdaLoraConfig(total_step=10, init_lora_weights=False, lora_alpha=1),
}
all_methods = pytest.mark.parametrize("config", METHODS.values(), ids=METHODS)


class TestMergeAdapter:
    @all_methods
    def test_the_output_stays(self, config, gpt2, ids):
        gpt2.add_adapter(config)
        expected = gpt2(ids).logits
        gpt2.merge_adapter()
        torch.testing.assert_close(gpt2(ids).logits, expected, **CLOSE)

    @all_methods
    def test_unmerging_gives_back_every_bit(self, config, gpt2, ids):
        before = copy.deepcopy(gpt2.state_dict())
        gpt2.add_adapter(config)
        expected = gpt2(ids).logits
        gpt2.merge_adapter()
        gpt2.unmerge_adapter()
        assert all(torch.equal(gpt2.state_dict()[name], tensor) for name, tensor in before.items())
        assert torch.equal(gpt2(ids).logits, expected)

    def test_twice_is_once(self, gpt2, ids):
        gpt2.add_adapter(LoraConfig(init_lora_weights=False))
        gpt2.merge_adapter()
        once = gpt2(ids).logits
        gpt2.merge_adapter()
        assert torch.equal(gpt2(ids).logits, once)

    def test_one_of_two(self, gpt2, ids):
        for name in ("first", "second"):
            gpt2.add_adapter(LoraConfig(init_lora_weights=False), name)
        gpt2.set_adapter(["first", "second"])
        expected = gpt2(ids).logits
        gpt2.merge_adapter(["first"])
        torch.testing.assert_close(gpt2(ids).logits, expected, **CLOSE)

    def test_nothing_is_trained_meanwhile(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        trained = {name for name, weights in gpt2.named_parameters() if weights.requires_grad}
        gpt2.merge_adapter()
        assert not any(weights.requires_grad for weights in gpt2.parameters())
        gpt2.unmerge_adapter()
        assert (
            {name for name, weights in gpt2.named_parameters() if weights.requires_grad} == trained != set()
        )

    def test_nothing_can_be_added_meanwhile(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        gpt2.merge_adapter()
        with pytest.raises(ValueError, match="call `unmerge_adapter`"):
            gpt2.add_adapter(LoraConfig(), "second")

    def test_a_weight_that_two_layers_share(self, gpt2, ids):
        gpt2.add_adapter(LoraConfig(target_modules=["wte"]))
        with pytest.raises(
            ValueError, match=r"transformer.wte cannot be merged: its weight is that of lm_head"
        ):
            gpt2.merge_adapter()

    def test_an_unknown_name(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        with pytest.raises(ValueError, match="Adapter with name x not found"):
            gpt2.merge_adapter(["x"])

    def test_switching_unmerges(self, gpt2, ids):
        for name in ("first", "second"):
            gpt2.add_adapter(LoraConfig(init_lora_weights=False), name)
        expected = gpt2(ids).logits
        gpt2.set_adapter("first")
        gpt2.merge_adapter()
        gpt2.set_adapter("second")
        assert torch.equal(gpt2(ids).logits, expected)

    def test_a_broken_adapter(self, gpt2):
        before = copy.deepcopy(gpt2.state_dict())
        gpt2.add_adapter(LoraConfig())
        gpt2.transformer.h[1].attn.c_attn.adapters["default"].lora_B.weight.data[0, 0] = torch.nan
        with pytest.raises(ValueError, match="NaNs detected in the merged weights"):
            gpt2.merge_adapter()
        assert all(torch.equal(gpt2.state_dict()[name], tensor) for name, tensor in before.items())

    def test_a_prompt(self, gpt2):
        gpt2.add_adapter(PromptTuningConfig(num_virtual_tokens=2))
        with pytest.raises(ValueError, match="A prompt is part of the input"):
            gpt2.merge_adapter()


class TestMergeAndUnload:
    @all_methods
    def test_leaves_a_plain_model(self, config, gpt2, ids, tmp_path):
        names = list(gpt2.state_dict())
        gpt2.add_adapter(config)
        expected = gpt2(ids).logits
        merged = gpt2.merge_and_unload()
        assert merged is gpt2
        assert list(merged.state_dict()) == names
        assert all(parameter.requires_grad for parameter in merged.parameters())
        merged.save_pretrained(tmp_path)
        again = nanoformers.AutoModelForCausalLM.from_pretrained(tmp_path)
        torch.testing.assert_close(again(ids).logits, expected, **CLOSE)

    def test_keeps_the_classifier_that_was_trained(self, bert, ids):
        bert.add_adapter(LoraConfig(init_lora_weights=False, modules_to_save=["classifier"]))
        bert.classifier.adapters["default"].bias.data += 3
        expected = bert(ids).logits
        bert.merge_and_unload()
        torch.testing.assert_close(bert(ids).logits, expected, **CLOSE)
        assert set(dict(bert.classifier.named_parameters())) == {"weight", "bias"}

    def test_a_head_that_shares_its_weight(self, gpt2):
        gpt2.add_adapter(LoraConfig(modules_to_save=["lm_head"]))
        with pytest.raises(
            ValueError, match=r"lm_head cannot be merged: its weight is that of transformer.wte"
        ):
            gpt2.merge_and_unload()
        assert gpt2.active_adapters() == ["default"]

    def test_in_half_precision(self, make, ids):
        model = make("BertForSequenceClassification", torch_dtype=torch.bfloat16)
        model.add_adapter(LoraConfig(modules_to_save=["classifier"]))
        merged = model.merge_and_unload()
        assert {parameter.dtype for parameter in merged.parameters()} == {torch.bfloat16}
        merged(ids)

    @all_methods
    def test_unload_gives_the_base_model(self, config, gpt2, ids):
        before = gpt2(ids).logits
        gpt2.add_adapter(config)
        gpt2.merge_adapter()
        assert torch.equal(gpt2.unload()(ids).logits, before)
        assert not gpt2._hf_peft_config_loaded
