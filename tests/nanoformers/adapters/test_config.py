"""Configurations of adapters: what they check, and their file."""

from __future__ import annotations

import json

import pytest
from nanoformers.adapters import (
    AdaLoraConfig,
    IA3Config,
    LoraConfig,
    PeftConfig,
    PeftType,
    PromptTuningConfig,
    TaskType,
)


class TestValues:
    def test_each_class_knows_its_method(self):
        assert LoraConfig().peft_type == PeftType.LORA == "LORA"
        assert IA3Config().peft_type == "IA3"
        assert AdaLoraConfig(total_step=10).peft_type == "ADALORA"
        assert PromptTuningConfig(num_virtual_tokens=2).peft_type == "PROMPT_TUNING"

    def test_a_task_may_be_text(self):
        assert LoraConfig(task_type="CAUSAL_LM").task_type is TaskType.CAUSAL_LM

    def test_lists_of_names_become_sets(self):
        assert LoraConfig(target_modules=["q", "v", "q"]).target_modules == {"q", "v"}
        assert LoraConfig(target_modules=r".*\.q").target_modules == r".*\.q"

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: LoraConfig(r=0), "`r` should be a positive integer"),
            (lambda: LoraConfig(r="8"), "`r` should be a positive integer"),
            (lambda: LoraConfig(r=2.5), "`r` should be a positive integer"),
            (lambda: LoraConfig(target_modules="(q"), "`target_modules` is no regular expression"),
            (lambda: LoraConfig(modules_to_save="classifier"), r"\['classifier'\], not 'classifier'"),
            (lambda: LoraConfig(use_dora=True, lora_bias=True), "`lora_bias` is not supported with"),
            (lambda: LoraConfig(bias="some"), "'none', 'all' and 'lora_only'"),
            (lambda: LoraConfig(init_lora_weights="pissa"), "True, False and 'gaussian'"),
            (lambda: LoraConfig(task_type="TO_SING"), "TO_SING is not a valid TaskType"),
            (lambda: LoraConfig(target_modules="q", layers_to_transform=[1]), "`layers_to_transform` cannot"),
            (lambda: LoraConfig(layers_pattern="h"), "must also be specified"),
            (lambda: AdaLoraConfig(), "`total_step` is None"),
            (lambda: AdaLoraConfig(total_step=10, tinit=6, tfinal=4), "budgeting phase"),
            (lambda: AdaLoraConfig(total_step=10, target_r=13), "more than `init_r`"),
            (lambda: AdaLoraConfig(total_step=10, beta1=1.0), "between 0 and 1"),
            (lambda: AdaLoraConfig(total_step=10, orth_reg_weight=-1), "`orth_reg_weight`"),
            (lambda: AdaLoraConfig(total_step=10, use_dora=True), "`use_dora`"),
            (lambda: IA3Config(target_modules=["k"], feedforward_modules=["wo"]), "lacks wo"),
            (lambda: PromptTuningConfig(), "`num_virtual_tokens` is None"),
            (
                lambda: PromptTuningConfig(num_virtual_tokens=2, prompt_tuning_init="TEXT"),
                "tokenizer_name_or_path can't be None",
            ),
            (
                lambda: PromptTuningConfig(num_virtual_tokens=2, tokenizer_kwargs={"use_fast": True}),
                "tokenizer_kwargs only valid",
            ),
        ],
    )
    def test_what_does_not_go_together_is_refused(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()


class TestFile:
    @pytest.mark.parametrize(
        "config",
        [
            LoraConfig(r=3, target_modules=["v", "q"], task_type="SEQ_CLS", modules_to_save=["classifier"]),
            IA3Config(target_modules=["k", "wo"], feedforward_modules=["wo"]),
            AdaLoraConfig(total_step=10, rank_pattern={"a.lora_E": [True, False]}),
            PromptTuningConfig(num_virtual_tokens=4, task_type="CAUSAL_LM"),
        ],
        ids=lambda config: config.peft_type.value,
    )
    def test_round_trip(self, config, tmp_path):
        config.save_pretrained(tmp_path)
        assert PeftConfig.from_pretrained(tmp_path) == config

    def test_is_json_with_sorted_names(self, tmp_path):
        LoraConfig(target_modules=["v", "q"]).save_pretrained(tmp_path)
        values = json.loads((tmp_path / "adapter_config.json").read_text())
        assert values["target_modules"] == ["q", "v"]
        assert list(values) == sorted(values)

    def test_settings_that_are_off_are_passed_over(self):
        values = {"peft_type": "LORA", "r": 4, "eva_config": None, "megatron_core": "megatron.core"}
        assert PeftConfig.from_dict(values).r == 4

    def test_a_setting_that_does_not_exist_here_is_refused(self):
        with pytest.raises(ValueError, match=r"needs `trainable_token_indices=\[3\]`"):
            PeftConfig.from_dict({"peft_type": "LORA", "trainable_token_indices": [3]})

    def test_one_without_a_method_is_refused(self):
        with pytest.raises(ValueError, match="`peft_type` is missing, and is one of LORA, IA3"):
            PeftConfig.from_dict({"r": 4})

    def test_an_unknown_method_is_refused(self):
        with pytest.raises(ValueError, match="no method 'BOFT' here; there are LORA, IA3"):
            PeftConfig.from_dict({"peft_type": "BOFT"})

    def test_a_folder_without_it(self, tmp_path):
        with pytest.raises(OSError, match=r"does not appear to have a file named adapter_config\.json"):
            PeftConfig.from_pretrained(tmp_path)

    def test_an_unknown_keyword(self, tmp_path):
        with pytest.raises(TypeError, match="unexpected keyword arguments: r"):
            LoraConfig.from_pretrained(tmp_path, r=3)
