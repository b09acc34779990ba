"""Saving and loading adapters: folders, dictionaries, the hub."""

from __future__ import annotations

import json
import logging

import nanoformers
import pytest
import torch
from nanoformers.adapters import (
    AdaLoraConfig,
    IA3Config,
    LoraConfig,
    PeftModel,
    PromptTuningConfig,
)
from safetensors.torch import load_file, save_file

METHODS = {
    "lora": LoraConfig(r=3, init_lora_weights=False, modules_to_save=["lm_head"]),
    "embedding": LoraConfig(r=3, init_lora_weights=False, target_modules=["wte"]),
    "ia3": IA3Config(init_ia3_weights=False),
    "adalora": AdaLoraConfig(total_step=10, init_lora_weights=False),
    "prompt": PromptTuningConfig(num_virtual_tokens=3),
}


@pytest.fixture
def saved(gpt2, ids, tmp_path):
    """A folder with a LoRA of the GPT-2, and the logits with it."""
    gpt2.add_adapter(LoraConfig(r=3, init_lora_weights=False))
    gpt2.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter", gpt2(ids).logits


class TestSavePretrained:
    def test_writes_the_adapter_only(self, saved):
        folder, _ = saved
        assert {file.name for file in folder.iterdir()} == {
            "adapter_config.json",
            "adapter_model.safetensors",
        }
        assert json.loads((folder / "adapter_config.json").read_text())["inference_mode"] is True
        assert all(
            name.startswith("base_model.model.transformer.h.")
            for name in load_file(folder / "adapter_model.safetensors")
        )

    def test_as_a_pickle(self, gpt2, ids, make, tmp_path):
        gpt2.add_adapter(IA3Config(init_ia3_weights=False))
        gpt2.save_pretrained(tmp_path)
        gpt2.save_pretrained(tmp_path, safe_serialization=False)
        assert {file.name for file in tmp_path.iterdir()} == {"adapter_config.json", "adapter_model.bin"}
        model = make()
        model.load_adapter(tmp_path)
        assert torch.equal(model(ids).logits, gpt2(ids).logits)

    def test_without_the_prefix(self, gpt2, make, ids, tmp_path):
        gpt2.add_adapter(IA3Config(init_ia3_weights=False))
        gpt2.save_pretrained(tmp_path, save_peft_format=False)
        assert "transformer.h.0.attn.c_attn.ia3_l" in load_file(tmp_path / "adapter_model.safetensors")
        model = make()
        model.load_adapter(tmp_path)
        assert torch.equal(model(ids).logits, gpt2(ids).logits)

    def test_several_active_ones(self, gpt2, tmp_path):
        for name in ("first", "second"):
            gpt2.add_adapter(LoraConfig(), name)
        gpt2.set_adapter(["first", "second"])
        with pytest.raises(ValueError, match="Multiple active adapters detected"):
            gpt2.save_pretrained(tmp_path)

    def test_weights_that_were_collected_elsewhere(self, gpt2, tmp_path):
        gpt2.add_adapter(IA3Config())
        state = {name: torch.full_like(tensor, 7.0) for name, tensor in gpt2.state_dict().items()}
        gpt2.save_pretrained(tmp_path, state_dict=state)
        tensors = load_file(tmp_path / "adapter_model.safetensors")
        assert all((tensor == 7).all() for tensor in tensors.values())


class TestLoadAdapter:
    @pytest.mark.parametrize("config", METHODS.values(), ids=METHODS)
    def test_gives_the_same_output(self, config, gpt2, make, ids, tmp_path):
        gpt2.add_adapter(config)
        gpt2.save_pretrained(tmp_path)
        model = make()
        report = model.load_adapter(tmp_path)
        assert (report.missing_keys, report.unexpected_keys) == ([], [])
        assert torch.equal(model(ids).logits, gpt2(ids).logits)

    def test_is_frozen_and_evaluates(self, saved, make):
        model = make().train()
        model.load_adapter(saved[0])
        assert not model.training
        assert not any(parameter.requires_grad for parameter in model.parameters())

    def test_to_train_it_further(self, saved, make):
        model = make().train()
        model.load_adapter(saved[0], is_trainable=True)
        assert model.training
        assert any(parameter.requires_grad for parameter in model.parameters())

    def test_by_names_of_several(self, saved, make, ids):
        model = make()
        for name in ("first", "second"):
            model.load_adapter(saved[0], adapter_name=name)
        assert model.active_adapters() == ["second"]
        model.transformer.h[0].attn.c_attn.adapters["second"].lora_B.weight.data.zero_()
        model.set_adapter("first")
        assert torch.equal(model(ids).logits, saved[1])

    def test_from_a_dictionary(self, gpt2, make, ids):
        gpt2.add_adapter(LoraConfig(r=3, init_lora_weights=False))
        weights = gpt2.get_adapter_state_dict()
        assert "transformer.h.0.attn.c_attn.lora_A.weight" in weights
        model = make()
        model.load_adapter(peft_config=gpt2.peft_config["default"], adapter_state_dict=weights)
        assert torch.equal(model(ids).logits, gpt2(ids).logits)

    def test_into_the_model_without_its_head(self, saved, folders, ids):
        model = nanoformers.GPT2Model.from_pretrained(folders["GPT2LMHeadModel"])
        report = model.load_adapter(saved[0])
        assert report.missing_keys == []

    def test_in_place_of_one_that_is_there(self, saved, make, ids):
        model = make()
        model.add_adapter(LoraConfig(r=3))
        model.load_adapter(saved[0], "default", hotswap=True)
        assert torch.equal(model(ids).logits, saved[1])
        with pytest.raises(ValueError, match="To hotswap an adapter, there must already be"):
            model.load_adapter(saved[0], "other", hotswap=True)

    def test_from_a_subfolder(self, saved, make, ids):
        model = make()
        model.load_adapter(saved[0].parent, adapter_kwargs={"subfolder": "adapter"})
        assert torch.equal(model(ids).logits, saved[1])

    def test_nothing_to_load(self, gpt2):
        with pytest.raises(ValueError, match="You should either pass a `peft_model_id` or a `peft_config`"):
            gpt2.load_adapter()

    def test_a_folder_without_an_adapter(self, gpt2, tmp_path):
        with pytest.raises(ValueError, match="adapter model file not found in"):
            gpt2.load_adapter(tmp_path)

    def test_a_folder_without_weights(self, gpt2, tmp_path):
        LoraConfig().save_pretrained(tmp_path)
        with pytest.raises(OSError, match=r"neither adapter_model\.safetensors nor adapter_model\.bin"):
            gpt2.load_adapter(tmp_path)
        assert not gpt2._hf_peft_config_loaded

    def test_a_name_that_is_taken(self, saved, gpt2):
        with pytest.raises(ValueError, match="Adapter with name default already exists"):
            gpt2.load_adapter(saved[0])

    def test_other_shapes(self, saved, make):
        config = json.loads((saved[0] / "adapter_config.json").read_text())
        (saved[0] / "adapter_config.json").write_text(json.dumps(config | {"r": 5}))
        model = make()
        with pytest.raises(RuntimeError, match=r"size mismatch for .*lora_A.weight: .*\[3, 16\].*\[5, 16\]"):
            model.load_adapter(saved[0])
        assert not model._hf_peft_config_loaded

    def test_strange_and_missing_names_are_told(self, saved, make, caplog):
        file = saved[0] / "adapter_model.safetensors"
        tensors = load_file(file)
        key = "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight"
        tensors["base_model.model.elsewhere"] = tensors.pop(key)
        save_file(tensors, file)
        nanoformers.utils.logging.enable_propagation()
        with caplog.at_level(logging.WARNING):
            report = make().load_adapter(saved[0])
        nanoformers.utils.logging.disable_propagation()
        assert report.unexpected_keys == ["base_model.model.elsewhere"]
        assert "led to unexpected keys not found in the model" in caplog.text
        assert "missing keys, which are newly initialized" in caplog.text

    def test_an_unknown_argument(self, gpt2):
        with pytest.raises(TypeError, match="unexpected keyword arguments: rank"):
            gpt2.load_adapter("x/y", rank=3)


class TestFromPretrained:
    @pytest.mark.parametrize("loader", ["AutoModelForCausalLM", "GPT2LMHeadModel"])
    def test_an_adapter_brings_its_base_model(self, loader, saved, ids):
        model = getattr(nanoformers, loader).from_pretrained(saved[0], adapter_name="mine")
        assert model.active_adapters() == ["mine"]
        assert torch.equal(model(ids).logits, saved[1])

    def test_arguments_are_the_base_models(self, saved):
        model = nanoformers.AutoModelForCausalLM.from_pretrained(saved[0], torch_dtype=torch.bfloat16)
        assert model.transformer.wte.weight.dtype == torch.bfloat16

    def test_a_folder_with_both(self, saved, folders, ids, make, tmp_path):
        make().save_pretrained(tmp_path / "both")
        for file in saved[0].iterdir():
            (tmp_path / "both" / file.name).write_bytes(file.read_bytes())
        model = nanoformers.AutoModelForCausalLM.from_pretrained(tmp_path / "both")
        assert torch.equal(model(ids).logits, saved[1])

    def test_an_adapter_that_names_no_base_model(self, saved):
        config = json.loads((saved[0] / "adapter_config.json").read_text())
        config["base_model_name_or_path"] = None
        (saved[0] / "adapter_config.json").write_text(json.dumps(config))
        with pytest.raises(ValueError, match="does not name its base model"):
            nanoformers.AutoModelForCausalLM.from_pretrained(saved[0])

    def test_an_empty_folder_is_none(self, tmp_path):
        with pytest.raises(OSError, match=r"does not appear to have a file named config\.json"):
            nanoformers.AutoModelForCausalLM.from_pretrained(tmp_path)

    def test_the_entry_point_of_the_peft_library(self, saved, make, ids):
        model = make()
        assert PeftModel.from_pretrained(model, saved[0]) is model
        assert torch.equal(model(ids).logits, saved[1])


class TestHub:
    def test_push_and_load_by_name(self, run_python):
        printed = run_python(
            "import torch\n"
            "from nanoformers import AutoModelForCausalLM, pipeline\n"
            "from nanoformers.adapters import LoraConfig\n"
            "torch.manual_seed(0)\n"
            "model = AutoModelForCausalLM.from_pretrained('toyland/stories-gpt2')\n"
            "model.add_adapter(LoraConfig(init_lora_weights=False))\n"
            "model.push_to_hub('learner/tiny-adapter')\n"
            "again = AutoModelForCausalLM.from_pretrained('learner/tiny-adapter')\n"
            "ids = torch.tensor([[5, 6, 7]])\n"
            "print(torch.equal(model(ids).logits, again(ids).logits))\n"
            "base = AutoModelForCausalLM.from_pretrained('toyland/stories-gpt2')\n"
            "base.load_adapter('learner/tiny-adapter', revision='main', token=True)\n"
            "print(torch.equal(model(ids).logits, base(ids).logits))\n"
            "writer = pipeline('text-generation', 'learner/tiny-adapter')\n"
            "print(writer.model.active_adapters(), writer.tokenizer.name_or_path)\n"
        )
        assert printed.split() == ["True", "True", "['default']", "toyland/stories-gpt2"]

    def test_a_whole_model_costs_no_further_request(self, hub, run_python):
        before = len(hub.requests)
        run_python(
            "from nanoformers import AutoModelForCausalLM\n"
            "AutoModelForCausalLM.from_pretrained('toyland/stories-gpt2')\n"
        )
        seen = [(request.method, request.path.rpartition("/")[2]) for request in hub.requests[before:]]
        assert seen.count(("HEAD", "config.json")) == 1
        assert not any(name.startswith("adapter_") for _, name in seen)
