"""DeepSpeed: its settings and their "auto" values; where it is installed, training with it on the CPU."""

import gc
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.append(HERE)  # the worker is a program, too

import processes  # noqa: E402
from launching import run_part  # noqa: E402
from nanoformers import BertConfig, T5Config  # noqa: E402
from nanoformers.integrations import HfDeepSpeedConfig as DocumentedName  # noqa: E402
from nanoformers.training import (  # noqa: E402
    HfDeepSpeedConfig,
    HfTrainerDeepSpeedConfig,
    TrainingArguments,
    deepspeed_config,
    is_deepspeed_zero3_enabled,
    unset_hf_deepspeed_config,
)

INSTALLED = importlib.util.find_spec("deepspeed") is not None
THIRD = {"zero_optimization": {"stage": 3, "offload_param": {"device": "cpu"}}}


class TestHfDeepSpeedConfig:
    def test_is_where_the_documentation_says(self):
        assert DocumentedName is HfDeepSpeedConfig

    def test_asks_by_long_keys(self):
        config = HfDeepSpeedConfig(THIRD | {"fp16": {"enabled": False}})
        assert config.get_value("zero_optimization.stage") == 3
        assert config.get_value("zero_optimization.nothing.here", "default") == "default"
        assert config.is_false("fp16.enabled")
        assert not config.is_true("fp16.enabled")
        assert not config.is_false("bf16.enabled")
        assert config.find_config_node("no.such.key") == (None, "key")

    @pytest.mark.parametrize("stage", [0, 1, 2, 3])
    def test_stages(self, stage):
        config = HfDeepSpeedConfig({"zero_optimization": {"stage": stage}})
        assert config.is_zero2() == (stage == 2)
        assert config.is_zero3() == (stage == 3)

    @pytest.mark.parametrize(("device", "expected"), [("cpu", True), ("nvme", True), ("none", False)])
    def test_offloading(self, device, expected):
        config = {"zero_optimization": {"stage": 2, "offload_optimizer": {"device": device}}}
        assert HfDeepSpeedConfig(config).is_offload() == expected

    def test_deleting(self):
        config = HfDeepSpeedConfig(THIRD)
        config.del_config_sub_tree("zero_optimization.offload_param")
        assert config.config == {"zero_optimization": {"stage": 3}}
        config.del_config_sub_tree("optimizer")
        with pytest.raises(ValueError, match="Can't find optimizer"):
            config.del_config_sub_tree("optimizer", must_exist=True)
        assert "offload_param" in THIRD["zero_optimization"]

    def test_reads_a_file(self, tmp_path):
        file = tmp_path / "ds_config.json"
        file.write_text(json.dumps(THIRD))
        assert HfDeepSpeedConfig(file).is_zero3()

    def test_a_trailing_comma_as_on_the_page(self, tmp_path):
        file = tmp_path / "ds_config.json"
        file.write_text('{"fp16": {"enabled": false,}}')
        with pytest.raises(ValueError, match=r"ds_config\.json is no valid JSON"):
            HfDeepSpeedConfig(file)

    def test_no_such_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="existing deepspeed config"):
            HfDeepSpeedConfig(tmp_path / "other.json")


class TestSettingsInForce:
    def test_only_while_they_are_kept(self):
        config = HfDeepSpeedConfig(THIRD)
        assert is_deepspeed_zero3_enabled()
        assert deepspeed_config() == THIRD
        del config
        gc.collect()
        assert not is_deepspeed_zero3_enabled()
        assert deepspeed_config() is None

    def test_forgotten(self):
        config = HfDeepSpeedConfig(THIRD)
        unset_hf_deepspeed_config()
        assert not is_deepspeed_zero3_enabled()
        assert config.is_zero3()

    def test_stage_2_is_not_stage_3(self):
        config = HfDeepSpeedConfig({"zero_optimization": {"stage": 2}})
        assert not is_deepspeed_zero3_enabled()
        assert config.is_zero2()


AUTO = {
    "train_batch_size": "auto",
    "train_micro_batch_size_per_gpu": "auto",
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
    "fp16": {"enabled": "auto"},
    "bf16": {"enabled": "auto"},
    "optimizer": {
        "type": "AdamW",
        "params": {"lr": "auto", "betas": "auto", "eps": "auto", "weight_decay": "auto"},
    },
    "scheduler": {
        "type": "WarmupDecayLR",
        "params": {
            "warmup_min_lr": "auto",
            "warmup_max_lr": "auto",
            "warmup_num_steps": "auto",
            "total_num_steps": "auto",
        },
    },
    "zero_optimization": {
        "stage": 3,
        "reduce_bucket_size": "auto",
        "stage3_prefetch_bucket_size": "auto",
        "stage3_param_persistence_threshold": "auto",
    },
}


class Model:
    """All that the settings need of a model."""

    def __init__(self, config):
        self.config = config


def resolve(settings, config=None, steps=100, **options):
    args = TrainingArguments("out", use_cpu=True, **options)
    config = HfTrainerDeepSpeedConfig(settings) if config is None else config
    config.trainer_config_process(args)
    config.trainer_config_finalize(args, Model(BertConfig(hidden_size=64, num_attention_heads=2)), steps)
    return config.config


class TestAuto:
    def test_every_value(self):
        found = resolve(
            AUTO,
            per_device_train_batch_size=4,
            gradient_accumulation_steps=3,
            learning_rate=1e-3,
            weight_decay=0.1,
            adam_beta2=0.98,
            adam_epsilon=1e-6,
            max_grad_norm=0.7,
            warmup_ratio=0.1,
            bf16=True,
        )
        assert found["train_micro_batch_size_per_gpu"] == 4
        assert found["train_batch_size"] == 12
        assert found["gradient_accumulation_steps"] == 3
        assert found["gradient_clipping"] == 0.7
        assert (found["fp16"]["enabled"], found["bf16"]["enabled"]) == (False, True)
        params = {"lr": 1e-3, "betas": [0.9, 0.98], "eps": 1e-6, "weight_decay": 0.1}
        assert found["optimizer"]["params"] == params
        assert found["scheduler"]["params"] == {
            "warmup_min_lr": 0,
            "warmup_max_lr": 1e-3,
            "warmup_num_steps": 10,
            "total_num_steps": 100,
        }
        zero = found["zero_optimization"]
        assert zero["reduce_bucket_size"] == 64 * 64
        assert zero["stage3_prefetch_bucket_size"] == int(0.9 * 64 * 64)
        assert zero["stage3_param_persistence_threshold"] == 640
        assert "auto" not in json.dumps(found)

    def test_no_warmup_is_one_step(self):
        assert resolve(AUTO)["scheduler"]["params"]["warmup_num_steps"] == 1

    def test_what_is_not_there_is_not_made(self):
        assert resolve({"zero_optimization": {"stage": 1}}) == {"zero_optimization": {"stage": 1}}

    def test_equal_values_are_no_mismatch(self):
        settings = {"gradient_clipping": 1.0, "optimizer": {"params": {"lr": 5e-5, "betas": [0.9, 0.999]}}}
        assert resolve(settings) == settings

    def test_mismatches_are_named_together(self):
        settings = {"gradient_clipping": 0.5, "optimizer": {"params": {"lr": 1.0}}, "train_batch_size": 8}
        with pytest.raises(ValueError, match="mismatch TrainingArguments values") as error:
            resolve(settings)
        message = str(error.value)
        assert "- ds gradient_clipping=0.5 vs hf max_grad_norm=1.0" in message
        assert "- ds optimizer.params.lr=1.0 vs hf learning_rate=5e-05" in message
        assert "train_batch_size=" not in message
        assert "'auto'" in message

    def test_the_width_of_other_models(self):
        config = HfTrainerDeepSpeedConfig({"zero_optimization": {"reduce_bucket_size": "auto"}})
        args = TrainingArguments("out", use_cpu=True)
        config.trainer_config_finalize(args, Model(T5Config(d_model=32)), 10)
        assert config.config["zero_optimization"]["reduce_bucket_size"] == 1024

    def test_a_model_without_width(self):
        config = HfTrainerDeepSpeedConfig({"zero_optimization": {"reduce_bucket_size": "auto"}})
        with pytest.raises(ValueError, match="neither `hidden_size` nor `hidden_sizes`"):
            config.trainer_config_finalize(TrainingArguments("out", use_cpu=True), Model(None), 10)


class TestArguments:
    @pytest.mark.skipif(INSTALLED, reason="DeepSpeed is installed")
    def test_says_what_to_install(self):
        with pytest.raises(ImportError, match="pip install deepspeed"):
            TrainingArguments("out", use_cpu=True, deepspeed=THIRD)

    def test_not_together_with_fsdp(self):
        with pytest.raises(ValueError, match="deactivate one of those flags"):
            TrainingArguments("out", use_cpu=True, deepspeed=THIRD, fsdp="full_shard")


@pytest.mark.skipif(not INSTALLED, reason="DeepSpeed is not installed: pip install deepspeed")
class TestTraining:
    """Two processes on the CPU; ZeRO-2 and ZeRO-3."""

    @pytest.mark.parametrize("name", ["ours", "its optimizer", "stage 3"])
    def test_as_in_one_process_without_it(self, one, two, name):
        np.testing.assert_allclose(two[0][name]["losses"], one["losses"], atol=1e-6)
        found = two[0][name]["weights"]
        expected = [one["weights"][key] for key in found]
        np.testing.assert_allclose(list(found.values()), expected, rtol=1e-6, atol=1e-5)

    def test_its_own_schedule(self, two):
        assert two[0]["its schedule"]["losses"][-1] < two[0]["its schedule"]["losses"][0]

    @pytest.mark.parametrize("name", ["ours", "its optimizer", "its schedule", "stage 3"])
    def test_resuming_is_exact(self, two, name):
        for process in two:
            assert process[f"{name} resumed"]["losses"] == process[name]["losses"]
            assert process[f"{name} resumed"]["weights"] == process[name]["weights"]

    def test_files(self, two):
        expected = {"global_step4", "latest", "zero_to_fp32.py", "model.safetensors", "trainer_state.json"}
        assert expected <= set(two[0]["stage 3 files"])

    def test_accumulation_and_clipping(self, two, written):
        np.testing.assert_allclose(two[0]["written"]["losses"], written["losses"], atol=1e-6)

    def test_evaluation_counts_every_row_once(self, two):
        assert two[0]["evaluation"]["metrics"]["eval_rows"] == processes.EVAL_ROWS


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return processes.train(tmp_path_factory.mktemp("one"), 1, warmup_steps=2)[1]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    changes = {"gradient_accumulation_steps": 2, "max_grad_norm": 0.5, "language_model": True}
    return processes.train(folder, 1, **changes)[1]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return run_part("by_deepspeed", tmp_path_factory.mktemp("deepspeed"))
