"""Adding, switching, disabling and removing adapters."""

from __future__ import annotations

import copy
import logging
import pickle

import nanoformers
import pytest
import torch
from nanoformers.adapters import (
    AdaLoraConfig,
    IA3Config,
    LoraConfig,
    PeftConfig,
    PromptTuningConfig,
    get_peft_model,
)

METHODS = {
    "lora": LoraConfig(r=3, init_lora_weights=False),
    "dora": LoraConfig(r=3, init_lora_weights=False, use_dora=True),
    "embedding": LoraConfig(r=3, init_lora_weights=False, target_modules=["wte"]),
    "ia3": IA3Config(init_ia3_weights=False),
    "adalora": AdaLoraConfig(total_step=10, init_lora_weights=False),
    "prompt": PromptTuningConfig(num_virtual_tokens=3),
}
all_methods = pytest.mark.parametrize("config", METHODS.values(), ids=METHODS)


class TestAddAdapter:
    @all_methods
    def test_changes_the_output(self, config, gpt2, ids):
        before = gpt2(ids).logits
        gpt2.add_adapter(config)
        assert not torch.equal(gpt2(ids).logits[:, -7:], before)

    @pytest.mark.parametrize(
        "config",
        [
            LoraConfig(),
            LoraConfig(init_lora_weights="gaussian"),
            LoraConfig(target_modules=["wte", "c_attn"]),
            IA3Config(),
            AdaLoraConfig(total_step=10),
        ],
        ids=["lora", "gaussian", "embedding", "ia3", "adalora"],
    )
    def test_a_new_one_changes_nothing(self, config, gpt2, ids):
        before = gpt2(ids).logits
        gpt2.add_adapter(config)
        torch.testing.assert_close(gpt2(ids).logits, before, rtol=0, atol=1e-6)

    def test_only_the_adapter_is_trained(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        trained = {name for name, parameter in gpt2.named_parameters() if parameter.requires_grad}
        assert trained
        assert all(".adapters.default.lora_" in name for name in trained)

    def test_names_of_the_models_own_weights_stay(self, gpt2):
        names = set(gpt2.state_dict())
        gpt2.add_adapter(LoraConfig())
        assert names < set(gpt2.state_dict())
        assert not gpt2.load_state_dict(copy.deepcopy(gpt2.state_dict())).missing_keys

    def test_the_configuration_stays_the_callers(self, gpt2):
        config = LoraConfig()
        gpt2.add_adapter(config)
        assert config == LoraConfig()
        assert gpt2.peft_config["default"].target_modules == {"c_attn"}
        assert gpt2.peft_config["default"].base_model_name_or_path == gpt2.name_or_path

    def test_a_name_that_is_taken(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        with pytest.raises(ValueError, match=r"Adapter with name default already exists. Please use a diff"):
            gpt2.add_adapter(LoraConfig())

    @pytest.mark.parametrize("name", ["a.b", "items", "train", "active", "merged", "_hooks", "_base", 3])
    def test_a_name_that_cannot_be_one(self, gpt2, name):
        with pytest.raises(ValueError, match="cannot be the name of an adapter"):
            gpt2.add_adapter(LoraConfig(), name)
        assert not gpt2._hf_peft_config_loaded

    @pytest.mark.parametrize("config", [None, "LORA", 3, PeftConfig()])
    def test_something_else_than_a_configuration(self, gpt2, config):
        with pytest.raises(TypeError, match="adapter_config should be"):
            gpt2.add_adapter(config)

    def test_another_method_is_refused(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        with pytest.raises(
            ValueError, match="IA3 cannot be added to a model whose adapters are of type LORA"
        ):
            gpt2.add_adapter(IA3Config(), "second")
        assert list(gpt2.peft_config) == ["default"]

    def test_names_that_no_layer_has(self, gpt2):
        with pytest.raises(ValueError, match=r"'query'.* not found in the base model.*c_attn"):
            gpt2.add_adapter(LoraConfig(target_modules=["query"]))
        assert all(parameter.requires_grad for parameter in gpt2.parameters())

    def test_a_layer_that_the_method_is_not_for(self, gpt2):
        with pytest.raises(ValueError, match=r"transformer.ln_f \(LayerNorm\) is not supported: LORA is for"):
            gpt2.add_adapter(LoraConfig(target_modules=["ln_f"]))

    def test_an_architecture_without_usual_layers(self, gpt2):
        gpt2.config.model_type = "strange"
        with pytest.raises(
            ValueError, match=r"Please specify `target_modules`.*c_attn, c_fc, c_proj, lm_head"
        ):
            gpt2.add_adapter(LoraConfig())

    def test_biases_belong_to_one_adapter(self, bert):
        bert.add_adapter(LoraConfig(bias="lora_only"))
        trained = {name for name, parameter in bert.named_parameters() if parameter.requires_grad}
        assert "bert.encoder.layer.0.attention.self.query.bias" in trained
        with pytest.raises(ValueError, match="only 1 adapter with bias"):
            bert.add_adapter(LoraConfig(), "second")

    def test_a_copy_of_the_model_has_a_copy_of_it(self, gpt2, ids):
        gpt2.add_adapter(LoraConfig(init_lora_weights=False, modules_to_save=["lm_head"]))
        for twin in (copy.deepcopy(gpt2), pickle.loads(pickle.dumps(gpt2))):
            expected = gpt2(ids).logits
            torch.testing.assert_close(twin(ids).logits, expected)
            for parameter in twin.parameters():
                parameter.data.zero_()
            torch.testing.assert_close(gpt2(ids).logits, expected, rtol=0, atol=0)
            twin.delete_adapter("default")
            assert gpt2.active_adapters() == ["default"]


class TestSetAdapter:
    def test_the_last_added_is_active(self, gpt2):
        gpt2.add_adapter(LoraConfig(), "first")
        gpt2.add_adapter(LoraConfig(), "second")
        assert gpt2.active_adapters() == ["second"]

    def test_switches(self, gpt2, ids):
        outputs = {}
        for name in ("first", "second"):
            gpt2.add_adapter(LoraConfig(init_lora_weights=False), name)
            outputs[name] = gpt2(ids).logits
        assert not torch.equal(outputs["first"], outputs["second"])
        for name, output in outputs.items():
            gpt2.set_adapter(name)
            assert torch.equal(gpt2(ids).logits, output)

    def test_only_the_active_one_is_trained(self, gpt2):
        for name in ("first", "second"):
            gpt2.add_adapter(LoraConfig(), name)
        gpt2.set_adapter("first")
        trained = [name for name, parameter in gpt2.named_parameters() if parameter.requires_grad]
        assert trained
        assert all(".adapters.first." in name for name in trained)

    def test_several_add_up(self, gpt2, ids):
        for name in ("first", "second"):
            gpt2.add_adapter(LoraConfig(init_lora_weights=False, target_modules=["lm_head"]), name)
        base, one, other, both = (
            _logits(gpt2, ids, names) for names in ([], ["first"], ["second"], ["first", "second"])
        )
        torch.testing.assert_close(both - base, (one - base) + (other - base), rtol=0, atol=1e-5)

    def test_what_the_user_trains_beside_it_stays_so(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        gpt2.transformer.ln_f.requires_grad_(True)
        gpt2.set_adapter("default")
        assert gpt2.transformer.ln_f.weight.requires_grad

    def test_without_an_adapter(self, gpt2):
        with pytest.raises(ValueError, match=r"^No adapter loaded. Please load an adapter first.$"):
            gpt2.set_adapter("default")

    def test_an_unknown_name(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        with pytest.raises(
            ValueError,
            match=r"Adapter with name x not found. Please pass the correct adapter name among \['default'\]",
        ):
            gpt2.set_adapter("x")

    def test_unknown_names(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        with pytest.raises(ValueError, match=r"Following adapter\(s\) could not be found: x, y"):
            gpt2.set_adapter(["x", "default", "y"])

    def test_two_prompts(self, gpt2):
        for name in ("first", "second"):
            gpt2.add_adapter(PromptTuningConfig(num_virtual_tokens=2), name)
        with pytest.raises(ValueError, match="Only one prompt can be active"):
            gpt2.set_adapter(["first", "second"])
        assert gpt2.active_adapters() == ["second"]

    def test_a_name_twice_is_one(self, gpt2, ids):
        gpt2.add_adapter(LoraConfig(init_lora_weights=False))
        once = gpt2(ids).logits
        gpt2.set_adapter(["default", "default"])
        assert gpt2.active_adapters() == ["default"]
        assert torch.equal(gpt2(ids).logits, once)

    def test_no_name_at_all(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        with pytest.raises(ValueError, match="`disable_adapters` is for using none"):
            gpt2.set_adapter([])


def _logits(model, ids, names):
    if not names:
        with model.disable_adapter():
            return model(ids).logits
    model.set_adapter(names)
    return model(ids).logits


class TestDisableAdapters:
    @all_methods
    def test_gives_the_base_models_output_bit_for_bit(self, config, gpt2, ids):
        before = gpt2(ids).logits
        gpt2.add_adapter(config)
        changed = gpt2(ids).logits
        gpt2.disable_adapters()
        assert torch.equal(gpt2(ids).logits, before)
        gpt2.enable_adapters()
        assert torch.equal(gpt2(ids).logits, changed)

    def test_nothing_is_trained_meanwhile(self, gpt2):
        gpt2.add_adapter(LoraConfig(modules_to_save=["lm_head"]))
        gpt2.disable_adapters()
        assert not any(parameter.requires_grad for parameter in gpt2.parameters())
        gpt2.enable_adapters()
        assert any(parameter.requires_grad for parameter in gpt2.parameters())

    def test_for_a_block_of_code(self, gpt2, ids):
        before = gpt2(ids).logits
        gpt2.add_adapter(LoraConfig(init_lora_weights=False))
        gpt2.merge_adapter()
        merged = gpt2(ids).logits
        with gpt2.disable_adapter():
            assert torch.equal(gpt2(ids).logits, before)
        assert torch.equal(gpt2(ids).logits, merged)

    def test_for_a_block_of_code_without_an_adapter(self, gpt2):
        with pytest.raises(ValueError, match="No adapter loaded"), gpt2.disable_adapter():
            pass

    @pytest.mark.parametrize("method", ["disable_adapters", "enable_adapters", "active_adapters", "unload"])
    def test_without_an_adapter(self, gpt2, method):
        with pytest.raises(ValueError, match="No adapter loaded"):
            getattr(gpt2, method)()

    def test_the_deprecated_name_of_the_active_one(self, gpt2):
        gpt2.add_adapter(LoraConfig(), "mine")
        with pytest.warns(FutureWarning, match="active_adapters"):
            assert gpt2.active_adapter() == "mine"


class TestDeleteAdapter:
    @all_methods
    def test_the_last_one_leaves_the_model_as_it_was(self, config, gpt2, ids):
        before, names = gpt2(ids).logits, list(gpt2.state_dict())
        gpt2.transformer.wpe.weight.requires_grad = False
        gpt2.add_adapter(config)
        gpt2.delete_adapter("default")
        assert torch.equal(gpt2(ids).logits, before)
        assert list(gpt2.state_dict()) == names
        frozen = [name for name, parameter in gpt2.named_parameters() if not parameter.requires_grad]
        assert frozen == ["transformer.wpe.weight"]
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in gpt2.modules())
        gpt2.add_adapter(IA3Config())

    def test_another_becomes_active(self, gpt2):
        for name in ("first", "second", "third"):
            gpt2.add_adapter(LoraConfig(), name)
        gpt2.delete_adapter(["third", "second"])
        assert gpt2.active_adapters() == ["first"]

    def test_a_name_twice(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        gpt2.delete_adapter(["default", "default"])
        assert not gpt2._hf_peft_config_loaded

    def test_an_unknown_one(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        with pytest.raises(ValueError, match="not present and cannot be deleted: x"):
            gpt2.delete_adapter(["default", "x"])
        assert list(gpt2.peft_config) == ["default"]


class TestModulesToSave:
    def test_a_copy_is_trained_and_the_original_stays(self, bert, ids):
        original = bert.classifier.weight.clone()
        bert.add_adapter(LoraConfig(modules_to_save=["classifier"]))
        loss = bert(ids, labels=torch.tensor([0, 1])).loss
        loss.backward()
        own = bert.classifier.adapters["default"]
        assert own.weight.grad.abs().sum() > 0
        assert bert.classifier.weight.grad is None
        own.weight.data += 1
        assert torch.equal(bert.classifier.weight, original)

    def test_each_adapter_has_its_own(self, bert, ids):
        for name, value in (("first", 1.0), ("second", 2.0)):
            bert.add_adapter(LoraConfig(modules_to_save=["classifier"]), name)
            bert.classifier.adapters[name].bias.data += value
        second = bert(ids).logits
        bert.set_adapter("first")
        torch.testing.assert_close(bert(ids).logits + 1, second)

    def test_two_of_them_cannot_be_active(self, bert, ids):
        for name in ("first", "second"):
            bert.add_adapter(LoraConfig(modules_to_save=["classifier"], init_lora_weights=False), name)
        before = bert(ids).logits
        with pytest.raises(ValueError, match="only one of them can be active"):
            bert.set_adapter(["first", "second"])
        assert bert.active_adapters() == ["second"]
        assert torch.equal(bert(ids).logits, before)

    def test_a_module_cannot_be_both(self, bert):
        bert.add_adapter(LoraConfig(modules_to_save=["classifier"]), "first")
        with pytest.raises(ValueError, match="cannot have an adapter on it and"):
            bert.add_adapter(LoraConfig(target_modules=["classifier"]), "second")

    def test_get_peft_model_trains_the_classifier(self, bert):
        model = get_peft_model(bert, LoraConfig(task_type="SEQ_CLS"))
        assert model is bert
        assert bert.classifier.adapters["default"].weight.requires_grad

    def test_get_peft_model_trains_the_layer_that_finds_answers(self, folders):
        folder = folders["BertForSequenceClassification"]
        model = nanoformers.BertForQuestionAnswering.from_pretrained(folder)
        get_peft_model(model, LoraConfig(task_type="QUESTION_ANS"))
        assert model.qa_outputs.adapters["default"].weight.requires_grad

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
    def test_the_model_gets_another_type_later(self, gpt2, ids, dtype):
        gpt2.add_adapter(LoraConfig(modules_to_save=["ln_f"]))
        assert gpt2.to(dtype)(ids).logits.dtype == dtype

    def test_a_misspelt_name_is_told(self, bert, caplog):
        nanoformers.utils.logging.enable_propagation()
        with caplog.at_level(logging.WARNING):
            bert.add_adapter(LoraConfig(modules_to_save=["clasifier"]))
        nanoformers.utils.logging.disable_propagation()
        assert "names no module of this BertForSequenceClassification" in caplog.text
        assert "bert, dropout, classifier" in caplog.text


class TestTargets:
    def names(self, model, **options):
        model.add_adapter(LoraConfig(**options))
        found = {name.partition(".adapters.")[0] for name in model.state_dict() if ".adapters." in name}
        model.delete_adapter("default")
        return found

    def test_ends_of_names(self, gpt2):
        assert self.names(gpt2, target_modules=["mlp.c_proj"]) == {
            "transformer.h.0.mlp.c_proj",
            "transformer.h.1.mlp.c_proj",
        }

    def test_a_regular_expression_is_about_the_whole_name(self, gpt2):
        assert self.names(gpt2, target_modules=r".*h\.1\..*c_proj") == {
            "transformer.h.1.attn.c_proj",
            "transformer.h.1.mlp.c_proj",
        }

    def test_all_linear_leaves_out_the_head(self, gpt2, bert):
        assert len(self.names(gpt2, target_modules="all-linear")) == 8
        assert "classifier" not in self.names(bert, target_modules="all-linear", task_type="SEQ_CLS")

    def test_some_are_left_out(self, gpt2):
        found = self.names(gpt2, target_modules=["c_proj"], exclude_modules=["mlp.c_proj"])
        assert found == {"transformer.h.0.attn.c_proj", "transformer.h.1.attn.c_proj"}

    def test_layers_by_number(self, gpt2):
        for pattern in (None, "h"):
            assert self.names(
                gpt2, target_modules=["c_attn"], layers_to_transform=[1], layers_pattern=pattern
            ) == {"transformer.h.1.attn.c_attn"}

    def test_layers_that_are_not_there(self, gpt2):
        with pytest.raises(ValueError, match=r"in the layers \[7\] \(`layers_to_transform`\)"):
            gpt2.add_adapter(LoraConfig(target_modules=["c_attn"], layers_to_transform=[7]))

    def test_a_pattern_with_a_rank_that_is_none(self, gpt2):
        with pytest.raises(ValueError, match=r"gives transformer.h.0.attn.c_attn the rank 0"):
            gpt2.add_adapter(LoraConfig(rank_pattern={"c_attn": 0}))

    def test_ranks_by_pattern(self, gpt2):
        gpt2.add_adapter(
            LoraConfig(r=4, lora_alpha=8, rank_pattern={r"h\.1\..*": 2}, alpha_pattern={r"h\.0\..*": 16})
        )
        first, second = (block.attn.c_attn.adapters["default"] for block in gpt2.transformer.h)
        assert (first.lora_A.weight.shape[0], first.scaling) == (4, 4.0)
        assert (second.lora_A.weight.shape[0], second.scaling) == (2, 4.0)


class TestPrecision:
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    @all_methods
    def test_a_half_precision_model_has_float32_adapters(self, config, dtype, make, ids):
        model = make(torch_dtype=dtype)
        model.add_adapter(config)
        assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}
        output = model(ids, labels=ids)
        assert output.logits.dtype == dtype
        output.loss.backward()
        assert all(p.grad.dtype == torch.float32 for p in model.parameters() if p.requires_grad)

    def test_a_classifier_of_its_own(self, make, ids):
        model = make("BertForSequenceClassification", torch_dtype=torch.bfloat16)
        model.add_adapter(LoraConfig(modules_to_save=["classifier", "pooler"]))
        logits = model(ids).logits
        assert logits.dtype == torch.bfloat16
        assert model.classifier.adapters["default"].weight.dtype == torch.float32

    def test_merging_into_half_precision_and_back(self, make, ids):
        model = make(torch_dtype=torch.bfloat16)
        before = model(ids).logits
        model.add_adapter(LoraConfig(init_lora_weights=False))
        model.merge_adapter()
        assert model.dtype == torch.bfloat16
        model.unmerge_adapter()
        model.disable_adapters()
        assert torch.equal(model(ids).logits, before)
