"""Adapters in training: plain loops, `Trainer`, gradient checkpointing, AdaLoRA's ranks."""

from __future__ import annotations

import copy
import json

import nanoformers
import pytest
import torch
from nanoformers import Trainer, TrainingArguments
from nanoformers.adapters import AdaLoraConfig, IA3Config, LoraConfig, PromptTuningConfig
from safetensors.torch import load_file

METHODS = {
    "lora": LoraConfig(r=3),
    "ia3": IA3Config(),
    "adalora": AdaLoraConfig(init_r=4, target_r=2, total_step=6, tinit=1, tfinal=1),
    "prompt": PromptTuningConfig(num_virtual_tokens=3),
}
all_methods = pytest.mark.parametrize("config", METHODS.values(), ids=METHODS)


@pytest.fixture
def rows():
    """Forty sequences that repeat one token."""
    tokens = torch.randint(3, 61, (40, 1), generator=torch.Generator().manual_seed(1)).expand(-1, 8)
    return [{"input_ids": row.tolist(), "labels": row.tolist()} for row in tokens]


def arguments(folder, **options):
    return TrainingArguments(
        output_dir=str(folder),
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
        **{"learning_rate": 0.05, "max_steps": 6, "save_steps": 3, "logging_steps": 100, **options},
    )


def own_weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items() if ".adapters." not in name}


class TestPlainLoop:
    @all_methods
    def test_learns_and_leaves_the_base_model_alone(self, config, gpt2, ids):
        before = own_weights(gpt2)
        gpt2.add_adapter(config)
        optimizer = torch.optim.AdamW(gpt2.parameters(), lr=0.05, weight_decay=0.1)
        losses = []
        for step in range(6):
            loss = gpt2.train()(ids, labels=ids).loss
            losses.append(gpt2.eval()(ids, labels=ids).loss.item())
            loss.backward()
            optimizer.step()
            if "ADALORA" in str(config.peft_type):
                gpt2.update_and_allocate(step)
            optimizer.zero_grad()
        assert losses[-1] < losses[0]
        after = own_weights(gpt2)
        assert all(torch.equal(after[name], tensor) for name, tensor in before.items())

    @all_methods
    @pytest.mark.parametrize("use_reentrant", [True, False])
    def test_with_gradient_checkpointing(self, config, use_reentrant, make, ids):
        gradients = []
        for checkpointing in (False, True):
            torch.manual_seed(0)
            model = make()
            model.add_adapter(config)
            if checkpointing:
                model.gradient_checkpointing_enable({"use_reentrant": use_reentrant})
            model.transformer.drop.p = 0.0
            model.train()(ids, labels=ids).loss.backward()
            gradients.append([p.grad for p in model.parameters() if p.requires_grad])
        for plain, recomputed in zip(*gradients, strict=True):
            torch.testing.assert_close(recomputed, plain, rtol=0, atol=1e-6)

    def test_an_adapter_after_checkpointing_was_enabled(self, gpt2, ids):
        gpt2.gradient_checkpointing_enable({"use_reentrant": True})
        gpt2.add_adapter(LoraConfig())
        gpt2.train()(ids, labels=ids).loss.backward()
        assert all(p.grad is not None for p in gpt2.parameters() if p.requires_grad)

    def test_dropout_is_for_training_only(self, gpt2, ids):
        gpt2.add_adapter(LoraConfig(lora_dropout=0.5, init_lora_weights=False))
        assert torch.equal(gpt2(ids).logits, gpt2(ids).logits)
        for module in gpt2.transformer.modules():
            if module is gpt2.transformer.h[0].attn.c_attn.adapters["default"].dropout:
                module.train()
        assert not torch.equal(gpt2(ids).logits, gpt2(ids).logits)


class TestTrainer:
    @all_methods
    def test_saves_only_the_adapter(self, config, gpt2, rows, tmp_path):
        before = own_weights(gpt2)
        gpt2.add_adapter(config)
        trainer = Trainer(gpt2, arguments(tmp_path), train_dataset=rows)
        result = trainer.train()
        assert result.training_loss > 0
        trainer.save_model(tmp_path / "final")
        for folder in (tmp_path / "checkpoint-6", tmp_path / "final"):
            names = {file.name for file in folder.iterdir()}
            assert {"adapter_config.json", "adapter_model.safetensors"} <= names
            assert not {"model.safetensors", "config.json"} & names
        after = own_weights(gpt2)
        assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
        again = nanoformers.AutoModelForCausalLM.from_pretrained(tmp_path / "final")
        ids = torch.tensor([rows[0]["input_ids"]])
        torch.testing.assert_close(again(ids).logits, gpt2.eval()(ids).logits)

    @pytest.mark.parametrize("config", [METHODS["lora"], METHODS["ia3"], METHODS["prompt"]])
    def test_resumes_as_if_nothing_had_happened(self, config, make, rows, tmp_path):
        weights = []
        for resume in (False, True):
            torch.manual_seed(3)
            model = make()
            model.add_adapter(config)
            trainer = Trainer(model, arguments(tmp_path), train_dataset=rows)
            trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-3") if resume else None)
            assert trainer.state.global_step == 6
            weights.append(model.get_adapter_state_dict())
        for name, tensor in weights[0].items():
            torch.testing.assert_close(weights[1][name], tensor, rtol=0, atol=0)

    @pytest.mark.parametrize("make_frozen", ["disable_adapters", "merge_adapter"])
    def test_nothing_to_train_is_told(self, make_frozen, gpt2, rows, tmp_path):
        gpt2.add_adapter(LoraConfig())
        getattr(gpt2, make_frozen)()
        with pytest.raises(ValueError, match=r"nothing to train: all weights of the model are frozen"):
            Trainer(gpt2, arguments(tmp_path), train_dataset=rows).train()

    def test_ends_with_the_best(self, gpt2, rows, tmp_path):
        gpt2.add_adapter(LoraConfig(r=3))
        options = {"eval_strategy": "steps", "eval_steps": 3, "load_best_model_at_end": True}
        args = arguments(tmp_path, learning_rate=20.0, **options)  # so that it gets worse
        trainer = Trainer(gpt2, args, train_dataset=rows, eval_dataset=rows[:8])
        trainer.train()
        best = load_file(f"{trainer.state.best_model_checkpoint}/adapter_model.safetensors")
        for name, tensor in gpt2.get_adapter_state_dict().items():
            assert torch.equal(best[f"base_model.model.{name}"], tensor)
        assert any(p.requires_grad for p in gpt2.parameters())

    def test_takes_ranks_away_by_itself(self, gpt2, rows, tmp_path):
        gpt2.add_adapter(METHODS["adalora"])
        Trainer(gpt2, arguments(tmp_path), train_dataset=rows).train()
        pattern = gpt2.peft_config["default"].rank_pattern
        assert sum(map(sum, pattern.values())) == 2 * len(pattern)

    def test_checkpoints_layers_again(self, gpt2, rows, tmp_path):
        gpt2.add_adapter(LoraConfig())
        args = arguments(tmp_path, gradient_checkpointing=True)
        assert Trainer(gpt2, args, train_dataset=rows).train().training_loss > 0


class TestAdaLora:
    def train(self, model, ids, steps, start=0):
        optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.5)
        ranks = []
        for step in range(start, steps):
            model.train()(ids, labels=ids).loss.backward()
            optimizer.step()
            model.update_and_allocate(step)
            optimizer.zero_grad()
            layers = [block.attn.c_attn.adapters["default"].lora_E for block in model.transformer.h]
            ranks.append(sum(int((weights != 0).sum()) for weights in layers))
        return ranks

    def test_the_budget_shrinks_step_by_step(self, gpt2, ids):
        gpt2.add_adapter(AdaLoraConfig(init_r=8, target_r=2, total_step=14, tinit=3, tfinal=3))
        ranks = self.train(gpt2, ids, 14)
        assert ranks[:4] == [16] * 4
        assert ranks == sorted(ranks, reverse=True)
        assert ranks[11:] == [4] * 3

    def test_the_file_has_only_the_ranks_that_are_left(self, gpt2, make, ids, tmp_path):
        gpt2.add_adapter(AdaLoraConfig(init_r=8, target_r=2, total_step=8, tinit=1, tfinal=2))
        self.train(gpt2, ids, 8)
        gpt2.save_pretrained(tmp_path)
        tensors = load_file(tmp_path / "adapter_model.safetensors")
        assert sum(tensor.shape[0] for name, tensor in tensors.items() if name.endswith("lora_E")) == 4
        pattern = json.loads((tmp_path / "adapter_config.json").read_text())["rank_pattern"]
        assert {len(ranks) for ranks in pattern.values()} == {8}
        model = make()
        model.load_adapter(tmp_path)
        torch.testing.assert_close(model(ids).logits, gpt2.eval()(ids).logits, rtol=0, atol=1e-6)
        model.save_pretrained(tmp_path / "again")
        again = load_file(tmp_path / "again" / "adapter_model.safetensors")
        assert all(torch.equal(again[name], tensor) for name, tensor in tensors.items())

    def test_until_it_is_decided_the_file_has_all(self, gpt2, ids, tmp_path):
        gpt2.add_adapter(AdaLoraConfig(init_r=8, target_r=2, total_step=20))
        self.train(gpt2, ids, 10)
        gpt2.save_pretrained(tmp_path)
        assert json.loads((tmp_path / "adapter_config.json").read_text())["rank_pattern"] is None
        tensors = load_file(tmp_path / "adapter_model.safetensors")
        assert {tensor.shape[0] for name, tensor in tensors.items() if name.endswith("lora_E")} == {8}

    def test_weights_of_a_smaller_file_in_the_model_that_was_trained(self, gpt2, ids, tmp_path):
        gpt2.add_adapter(AdaLoraConfig(init_r=8, target_r=2, total_step=8, tfinal=2))
        twin = copy.deepcopy(gpt2)
        self.train(gpt2, ids, 8)
        gpt2.save_pretrained(tmp_path)
        twin.load_adapter(tmp_path, hotswap=True, is_trainable=True)
        expected = gpt2.eval()(ids).logits
        torch.testing.assert_close(twin.eval()(ids).logits, expected, rtol=0, atol=1e-6)
        self.train(twin, ids, 9, start=8)
        assert (
            sum(int((b.attn.c_attn.adapters["default"].lora_E != 0).sum()) for b in twin.transformer.h) == 4
        )

    def test_a_pattern_of_other_ranks_than_the_weights(self, gpt2, make):
        gpt2.add_adapter(AdaLoraConfig(init_r=4, target_r=2, total_step=5))
        weights, config = gpt2.get_adapter_state_dict(), gpt2.peft_config["default"].to_dict()
        layer = "transformer.h.0.attn.c_attn"
        weights[f"{layer}.lora_E"] = weights[f"{layer}.lora_E"][:3]
        config["rank_pattern"] = {f"{layer}.lora_E": [True, False, True, False]}
        model = make()
        with pytest.raises(RuntimeError, match=r"2 of 4 ranks are left, the weights have 3"):
            model.load_adapter(peft_config=config, adapter_state_dict=weights)
        assert not model._hf_peft_config_loaded

    def test_weights_that_a_file_with_a_pattern_lacks(self, gpt2, make):
        gpt2.add_adapter(AdaLoraConfig(init_r=4, target_r=2, total_step=5))
        weights, config = gpt2.get_adapter_state_dict(), gpt2.peft_config["default"].to_dict()
        layer = "transformer.h.0.attn.c_attn"
        config["rank_pattern"] = {f"{layer}.lora_E": [True, False, True, False]}
        weights[f"{layer}.lora_A"] = weights[f"{layer}.lora_A"][:2]
        weights[f"{layer}.lora_B"] = weights[f"{layer}.lora_B"][:, :2]
        del weights[f"{layer}.lora_E"]
        report = make().load_adapter(peft_config=config, adapter_state_dict=weights)
        assert report.missing_keys == [f"{layer}.adapters.default.lora_E"]

    def test_the_loss_counts_orthogonality_in_training_only(self, gpt2, ids):
        plain = gpt2(ids, labels=ids).loss
        gpt2.add_adapter(AdaLoraConfig(total_step=10))
        torch.testing.assert_close(gpt2(ids, labels=ids).loss, plain)
        gpt2.train()
        gpt2.transformer.drop.p = 0.0
        adapters = [block.attn.c_attn.adapters["default"] for block in gpt2.transformer.h]
        penalty = sum(adapter.not_orthogonal() for adapter in adapters) / 4
        torch.testing.assert_close(gpt2(ids, labels=ids).loss, plain + 0.5 * penalty)

    def test_needs_gradients(self, gpt2):
        gpt2.add_adapter(AdaLoraConfig(total_step=10))
        with pytest.raises(ValueError, match="needs the gradients of the adapter"):
            gpt2.update_and_allocate(0)

    def test_is_for_adalora(self, gpt2):
        gpt2.add_adapter(LoraConfig())
        with pytest.raises(ValueError, match="`update_and_allocate` is for a trainable AdaLoRA"):
            gpt2.update_and_allocate(0)


class TestOtherBases:
    def test_the_fast_path_of_one_row(self, gpt2, ids):
        gpt2.add_adapter(LoraConfig(init_lora_weights=False, target_modules=["c_attn", "c_proj", "lm_head"]))
        written = gpt2.generate(ids[:1], max_new_tokens=10, do_sample=False, eos_token_id=None)
        for length in range(7, 17):
            assert gpt2(written[:, :length]).logits[0, -1].argmax() == written[0, length]

    def test_eight_bit_layers(self, gpt2, make, ids):
        bnb = pytest.importorskip("bitsandbytes")
        model = make("T5ForConditionalGeneration")
        for block in model.encoder.block:
            layer = block.layer[0].SelfAttention.q
            eight = bnb.nn.Linear8bitLt(layer.in_features, layer.out_features, False, has_fp16_weights=False)
            weight = layer.weight.data.clone()
            eight.weight = bnb.nn.Int8Params(weight, has_fp16_weights=False, requires_grad=False)
            block.layer[0].SelfAttention.q = eight.to("cpu")
        model.add_adapter(LoraConfig(init_lora_weights=False))
        model(ids, labels=ids).loss.backward()
        assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
        with pytest.raises(ValueError, match=r"Linear8bitLt whose weight is torch\.int8"):
            model.merge_adapter()

    def test_weights_on_disk(self, folders, ids, tmp_path):
        expected = nanoformers.GPT2LMHeadModel.from_pretrained(folders["GPT2LMHeadModel"])
        torch.manual_seed(5)
        expected.add_adapter(LoraConfig(init_lora_weights=False))
        model = nanoformers.GPT2LMHeadModel.from_pretrained(
            folders["GPT2LMHeadModel"],
            device_map={"transformer": "disk", "lm_head": "cpu"},
            offload_folder=tmp_path,
        )
        model.load_adapter(
            peft_config=expected.peft_config["default"], adapter_state_dict=expected.get_adapter_state_dict()
        )
        torch.testing.assert_close(model(ids).logits, expected(ids).logits)
        with pytest.raises(ValueError, match="whose weight is not in memory"):
            model.merge_adapter()
