"""FSDP on two processes: each strategy trains as one process does; checkpoints whole and sharded."""

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
from nanoformers import GPT2LMHeadModel  # noqa: E402
from nanoformers.training import FSDPOption, Trainer, TrainingArguments  # noqa: E402
from nanoformers.training.sharding_options import ShardingOptions  # noqa: E402

CLOSE = 1e-6
EXACT = [name for name in processes.SHARDINGS if name != "bf16"]
KINDS = ["full_state_dict", "sharded_state_dict"]


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """What one process gets, with twice the batch."""
    folder = tmp_path_factory.mktemp("one")
    return {
        "epoch": processes.train(folder, 1)[1],
        "epochs": processes.train(folder, 1, num_train_epochs=2)[1],
        "written": processes.train(folder, 1, language_model=True, gradient_accumulation_steps=2)[1],
        "bf16": processes.train(folder, 1, bf16=True)[1],
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sharded")


@pytest.fixture(scope="module")
def two(folder):
    return run_part("sharded", folder)


@pytest.fixture(scope="module")
def others(folder, two):
    """What one process gets that goes on from the checkpoints of two."""
    return run_part("resumed_by_others", folder, processes=1)


def assert_same_training(found, expected, tolerance=CLOSE):
    np.testing.assert_allclose(found["losses"], expected["losses"], atol=tolerance)
    np.testing.assert_allclose(found["norms"], expected["norms"], atol=tolerance)
    names = list(expected["weights"])
    weights = [found["weights"][name] for name in names]
    np.testing.assert_allclose(
        weights, [expected["weights"][name] for name in names], rtol=tolerance, atol=1e-5
    )


class TestTraining:
    @pytest.mark.parametrize("name", EXACT)
    def test_as_in_one_process(self, one, two, name):
        assert_same_training(two[0][name], one["epoch"])

    def test_a_language_model_with_tied_weights_and_accumulation(self, one, two):
        assert_same_training(two[0]["written"], one["written"])

    def test_bf16(self, one, two):
        np.testing.assert_allclose(two[0]["bf16"]["losses"], one["bf16"]["losses"], atol=2e-3)
        assert two[0]["bf16"]["losses"] != one["epoch"]["losses"]

    @pytest.mark.parametrize("name", list(processes.SHARDINGS))
    def test_each_process_holds_its_share(self, two, name):
        expected = 1.0 if name == "no_shard" else 0.5
        assert [process[name]["share"] for process in two] == [expected, expected]

    def test_whole_weights_are_on_the_main_process_alone(self, two):
        assert two[1]["full_shard"]["weights"] is None

    def test_the_class_keeps_its_name(self, two):
        assert two[0]["full_shard"]["class"] == "BertForSequenceClassification"

    def test_a_cpu_cannot_offload_to_itself(self, two):
        assert "leave `offload` out" in two[0]["offload"]

    def test_evaluation_without_training(self, tmp_path, two):
        trainer = Trainer(model=processes.classifier(), args=processes.arguments(tmp_path))
        expected = trainer.evaluate(processes.Sentences(processes.EVAL_ROWS, seed=1))["eval_loss"]
        assert [process["untrained"] for process in two] == pytest.approx([expected] * 2, abs=CLOSE)

    def test_evaluation_counts_every_row_once(self, two):
        assert two[0]["evaluation"]["metrics"]["eval_rows"] == processes.EVAL_ROWS
        assert len(two[1]["evaluation"]["predictions"]) == processes.EVAL_ROWS


class TestFiles:
    def test_the_saved_model_loads_in_one_process(self, folder, two):
        model = GPT2LMHeadModel.from_pretrained(folder / "written")
        expected = two[0]["written"]["weights"]["transformer.wte.weight"]
        assert model.transformer.wte.weight.double().abs().sum().item() == pytest.approx(expected)
        assert model.config.architectures == ["GPT2LMHeadModel"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_resuming_is_exact(self, one, two, kind):
        for process in two:
            assert process[f"{kind} resumed"]["losses"] == process[kind]["losses"]
            assert process[f"{kind} resumed"]["weights"] == process[kind]["weights"]
        assert_same_training(two[0][kind], one["epochs"])

    def test_whole_weights_in_a_checkpoint(self, two):
        files = two[0]["full_state_dict files"]
        assert {"model.safetensors", "optimizer_0", "scheduler.pt", "config.json"} <= set(files)
        assert "pytorch_model_fsdp_0" not in files

    def test_shards_in_a_checkpoint(self, folder, two):
        files = two[0]["sharded_state_dict files"]
        assert {"pytorch_model_fsdp_0", "optimizer_0", "config.json"} <= set(files)
        assert "model.safetensors" not in files
        shards = folder / "sharded_state_dict" / "checkpoint-4" / "pytorch_model_fsdp_0"
        assert sorted(file.name for file in shards.iterdir()) == [".metadata", "__0_0.distcp", "__1_0.distcp"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_another_number_of_processes_goes_on(self, folder, two, others, kind):
        assert_same_training(others[0][kind], two[0][kind])


def arguments(**options):
    return TrainingArguments("out", use_cpu=True, **options)


class TestArguments:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"fsdp": "offload"}, "can't work on its own"),
            ({"fsdp": "full_shard shard_grad_op"}, "is not compatible with"),
            ({"fsdp": "full shard"}, "full is not a valid FSDPOption"),
            ({"fsdp": "auto_wrap"}, "name one of full_shard"),
            ({"fsdp": "full_shard", "fsdp_config": {"backward_prefetch": "backward_pos"}}, "backward_post"),
            ({"fsdp": "full_shard", "fsdp_config": {"state_dict_type": "half"}}, "sharded_state_dict"),
            ({"fsdp": "full_shard", "fsdp_config": {"min_num_parameters": 1}}, "no min_num_parameters"),
            (
                {
                    "fsdp": "full_shard",
                    "fsdp_config": {"min_num_params": 1, "transformer_layer_cls_to_wrap": "A"},
                },
                "mutually exclusive",
            ),
        ],
    )
    def test_what_cannot_be(self, options, message):
        with pytest.raises(ValueError, match=message):
            arguments(**options)

    def test_xla_needs_its_package(self):
        with pytest.raises(ImportError, match="torch_xla"):
            arguments(fsdp="full_shard", fsdp_config={"xla": True})

    @pytest.mark.parametrize("prefix", ["", "fsdp_"])
    def test_settings_with_and_without_prefix(self, prefix):
        config = {
            f"{prefix}transformer_layer_cls_to_wrap": "BertLayer, T5Block",
            f"{prefix}forward_prefetch": True,
        }
        args = arguments(fsdp="full_shard auto_wrap", fsdp_config=config)
        assert args.fsdp == [FSDPOption.FULL_SHARD, FSDPOption.AUTO_WRAP]
        options = ShardingOptions.of(args)
        assert options.layer_classes == ("BertLayer", "T5Block")
        assert options.forward_prefetch

    def test_settings_from_a_file(self, tmp_path):
        file = tmp_path / "fsdp_config.json"
        file.write_text(json.dumps({"min_num_params": 7}))
        assert (
            arguments(fsdp="full_shard auto_wrap", fsdp_config=str(file)).fsdp_config["min_num_params"] == 7
        )
        with pytest.raises(FileNotFoundError, match="no such file"):
            arguments(fsdp="full_shard", fsdp_config=str(tmp_path / "other.json"))
        file.write_text("{,}")
        with pytest.raises(ValueError, match="no valid JSON"):
            arguments(fsdp="full_shard", fsdp_config=str(file))

    def test_older_fields(self):
        args = arguments(fsdp="full_shard auto_wrap", fsdp_min_num_params=9)
        assert args.fsdp_config["min_num_params"] == 9
        args = arguments(fsdp="full_shard auto_wrap", fsdp_transformer_layer_cls_to_wrap="BertLayer")
        assert args.fsdp_config["transformer_layer_cls_to_wrap"] == ["BertLayer"]

    @pytest.mark.parametrize("value", [True, "full_shard", ["full_shard"], [FSDPOption.FULL_SHARD]])
    def test_spellings(self, value):
        assert arguments(fsdp=value).fsdp == [FSDPOption.FULL_SHARD]

    def test_what_accelerate_launch_says(self, monkeypatch):
        for name, value in {
            "ACCELERATE_USE_FSDP": "true",
            "FSDP_SHARDING_STRATEGY": "2",
            "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
            "FSDP_TRANSFORMER_CLS_TO_WRAP": "BertLayer",
            "FSDP_STATE_DICT_TYPE": "SHARDED_STATE_DICT",
        }.items():
            monkeypatch.setenv(name, value)
        options = ShardingOptions.of(arguments())
        assert (options.strategy, options.auto_wrap) == ("shard_grad_op", True)
        assert options.layer_classes == ("BertLayer",)
        assert options.sharded_state_dict

    def test_one_process_cannot_shard(self):
        with pytest.raises(ValueError, match=r"Using fsdp only works in distributed training\."):
            Trainer(model=processes.classifier(), args=arguments(fsdp="full_shard"))


class TestLayers:
    @pytest.fixture
    def model(self):
        return processes.classifier()

    def names(self, model, **config):
        options = ShardingOptions.of(arguments(fsdp="full_shard auto_wrap", fsdp_config=config))
        named = {id(module): name for name, module in model.named_modules()}
        return [named[id(module)] for module in options.layers_of(model)]

    def test_those_that_the_model_names(self, model):
        layers = ["bert.encoder.layer.0", "bert.encoder.layer.1"]
        assert [name for name in self.names(model) if ".layer." in name] == layers

    def test_those_of_a_class(self, model):
        found = self.names(model, transformer_layer_cls_to_wrap=["BertLayer"])
        assert found == ["bert.encoder.layer.0", "bert.encoder.layer.1"]

    def test_an_unknown_class(self, model):
        with pytest.raises(ValueError, match="Could not find the transformer layer class GPTJBlock"):
            self.names(model, transformer_layer_cls_to_wrap=["GPTJBlock"])

    def test_large_ones(self, model):
        assert self.names(model, min_num_params=8000) == ["bert.encoder.layer.0", "bert.encoder.layer.1"]
        for module in self.names(model, min_num_params=3000):
            assert sum(weight.numel() for weight in model.get_submodule(module).parameters()) >= 3000

    def test_tied_weights_stay_with_those_who_share_them(self):
        found = self.names(processes.writer(), min_num_params=1000)
        assert "transformer.wte" not in found
        assert "lm_head" not in found
        assert "transformer.h.0.mlp.c_fc" in found

    def test_without_auto_wrap_the_model_is_one_piece(self, model):
        assert ShardingOptions.of(arguments(fsdp="full_shard")).layers_of(model) == []
