"""PreTrainedModel: loading, saving, changing, on a tiny BERT."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from nanoformers import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertForSequenceClassification,
    BertModel,
    PretrainedConfig,
    PreTrainedModel,
    logging,
)
from nanoformers.loading import is_building_empty, without_memory

SHAPE = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 20,
    "max_position_embeddings": 12,
}
IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 0, 0]])


def config(**kwargs) -> BertConfig:
    return BertConfig(**SHAPE, **kwargs)


def same(a, b) -> bool:
    first, second = a.state_dict(), b.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def said(capsys):
    logging.set_verbosity_info()
    yield lambda: capsys.readouterr().err
    logging.set_verbosity_warning()


class TestFromPretrained:
    def test_building_the_model_does_not_import_the_compiler_of_torch(self, tmp_path: Path):
        BertModel(config()).save_pretrained(tmp_path)
        program = (
            "import sys; from nanoformers import BertModel; BertModel.from_pretrained(sys.argv[1]); "
            "print('torch._dynamo' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "False"

    @pytest.mark.parametrize(
        "how",
        [{}, {"safe_serialization": False}, {"max_shard_size": "4KB"}],
        ids=["safe", "pickle", "shards"],
    )
    def test_round_trip(self, tmp_path: Path, how):
        model = BertForMaskedLM(config())
        model.save_pretrained(tmp_path, **how)
        again, info = BertForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
        assert not any(info.values())
        assert same(again, model)
        assert not again.training
        assert again.config.architectures == ["BertForMaskedLM"]
        assert all(parameter.requires_grad for parameter in again.parameters())

    def test_weights_are_mapped_and_the_model_can_be_trained(self, tmp_path: Path):
        model = BertModel(config())
        model.save_pretrained(tmp_path)
        content = (tmp_path / "model.safetensors").read_bytes()
        again = BertModel.from_pretrained(tmp_path).train()
        again(IDS).pooler_output.sum().backward()
        torch.optim.SGD(again.parameters(), lr=1.0).step()
        assert (tmp_path / "model.safetensors").read_bytes() == content
        assert not same(again, model)
        again.save_pretrained(tmp_path)  # over the file that its weights are mapped from
        assert same(BertModel.from_pretrained(tmp_path), again)

    def test_a_head_on_a_bare_checkpoint(self, tmp_path: Path, said):
        base = BertModel(config())
        base.save_pretrained(tmp_path)
        model, info = BertForSequenceClassification.from_pretrained(
            tmp_path, num_labels=3, output_loading_info=True
        )
        assert info["missing_keys"] == ["classifier.weight", "classifier.bias"]
        assert info["unexpected_keys"] == []
        assert same(model.bert, base)
        assert model.classifier.bias.tolist() == [0, 0, 0]
        assert 0 < model.classifier.weight.std() < 0.1
        assert (
            "newly initialized: ['classifier.bias', 'classifier.weight']\nYou should probably TRAIN" in said()
        )

    def test_a_bare_model_from_a_checkpoint_with_a_head(self, tmp_path: Path, said):
        model = BertForPreTraining(config())
        model.save_pretrained(tmp_path)
        base, info = BertModel.from_pretrained(tmp_path, output_loading_info=True)
        assert same(base, model.bert)
        assert info["missing_keys"] == []
        assert "cls.predictions.bias" in info["unexpected_keys"]
        assert "were not used when initializing BertModel" in said()

    def test_another_head(self, tmp_path: Path):
        model = BertForPreTraining(config())
        model.save_pretrained(tmp_path)
        other, info = BertForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
        assert torch.equal(
            other.cls.predictions.transform.dense.weight, model.cls.predictions.transform.dense.weight
        )
        assert info["unexpected_keys"] == [
            "bert.pooler.dense.bias",
            "bert.pooler.dense.weight",
            "cls.seq_relationship.bias",
            "cls.seq_relationship.weight",
        ]

    def test_mismatched_sizes(self, tmp_path: Path, said):
        BertForSequenceClassification(config(num_labels=3)).save_pretrained(tmp_path)
        with pytest.raises(
            RuntimeError, match=r"(?s)mismatch for classifier.weight.*ignore_mismatched_sizes=True"
        ):
            BertForSequenceClassification.from_pretrained(tmp_path, num_labels=5)
        model, info = BertForSequenceClassification.from_pretrained(
            tmp_path, num_labels=5, ignore_mismatched_sizes=True, output_loading_info=True
        )
        assert info["mismatched_keys"] == [
            ("classifier.bias", (3,), (5,)),
            ("classifier.weight", (3, 16), (5, 16)),
        ]
        assert info["missing_keys"] == []
        assert model(IDS).logits.shape == (2, 5)
        assert "because the shapes did not match" in said()

    def test_old_names_of_layer_norms(self, tmp_path: Path):
        model = BertModel(config())
        state = model.state_dict()
        old = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
                "LayerNorm.bias", "LayerNorm.beta"
            ): tensor
            for name, tensor in state.items()
        }
        model.save_pretrained(tmp_path, state_dict=old)
        again, info = BertModel.from_pretrained(tmp_path, output_loading_info=True)
        assert same(again, model)
        assert info["unexpected_keys"] == []

    def test_buffers_of_old_checkpoints_are_no_surprise(self, tmp_path: Path):
        model = BertModel(config())
        old = model.state_dict() | {"embeddings.position_ids": torch.arange(12)[None]}
        model.save_pretrained(tmp_path, state_dict=old)
        assert BertModel.from_pretrained(tmp_path, output_loading_info=True)[1]["unexpected_keys"] == []

    def test_only_the_decoder_of_a_tied_pair_in_the_file(self, tmp_path: Path):
        model = BertForMaskedLM(config())
        state = model.state_dict()
        state.pop("bert.embeddings.word_embeddings.weight")
        model.save_pretrained(tmp_path, state_dict=state)
        again, info = BertForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
        assert info["missing_keys"] == []
        assert same(again, model)
        assert again.get_output_embeddings().weight is again.get_input_embeddings().weight

    def test_untied(self, tmp_path: Path):
        model = BertForMaskedLM(config(tie_word_embeddings=False))
        model.save_pretrained(tmp_path)
        again = BertForMaskedLM.from_pretrained(tmp_path)
        assert same(again, model)
        assert again.get_output_embeddings().weight is not again.get_input_embeddings().weight

    def test_a_thread_that_loads_leaves_another_alone(self):
        inside, done = threading.Event(), threading.Event()

        def load() -> None:
            with without_memory(torch.float16):
                inside.set()
                done.wait(30)

        thread = threading.Thread(target=load)
        thread.start()
        assert inside.wait(30)
        try:
            model = BertModel(config())
        finally:
            done.set()
            thread.join()
        assert model.device.type == "cpu"
        assert 0.01 < model.embeddings.word_embeddings.weight.std() < 0.03  # they have been initialised

    def test_threads_that_load_in_different_types(self, tmp_path: Path):
        model = BertModel(config())
        model.save_pretrained(tmp_path)
        dtypes = [torch.float16, torch.float64, torch.bfloat16, torch.float32] * 4
        with ThreadPoolExecutor(8) as pool:
            loaded = pool.map(lambda dtype: BertModel.from_pretrained(tmp_path, torch_dtype=dtype), dtypes)
            assert [again.dtype for again in loaded] == dtypes
        assert torch.get_default_dtype() == torch.float32
        assert not is_building_empty()

    def test_unknown_arguments(self, tmp_path: Path):
        BertForMaskedLM(config()).save_pretrained(tmp_path)
        with pytest.raises(TypeError, match=r"BertForMaskedLM.*unexpected keyword arguments: colour, sise\."):
            BertForMaskedLM.from_pretrained(tmp_path, colour=1, hidden_dropout_prob=0.0, sise=2)

    def test_state_dict_in_place_of_a_file(self):
        model = BertModel(config())
        assert same(
            BertModel.from_pretrained(None, config=model.config, state_dict=model.state_dict()), model
        )

    def test_a_module_half_of_which_is_missing(self, tmp_path: Path):
        model = BertModel(config())
        state = model.state_dict()
        state.pop("pooler.dense.bias")
        model.save_pretrained(tmp_path, state_dict=state)
        again = BertModel.from_pretrained(tmp_path)
        assert torch.equal(again.pooler.dense.weight, model.pooler.dense.weight)
        assert again.pooler.dense.bias.tolist() == [0] * 16

    def test_a_parameter_of_your_own_keeps_what_the_constructor_gave_it(self, tmp_path: Path):
        class Scaled(BertModel):
            def __init__(self, config: BertConfig) -> None:
                super().__init__(config)
                self.scale = torch.nn.Parameter(torch.full((3,), 2.0))
                self.post_init()

        BertModel(config()).save_pretrained(tmp_path)
        model, info = Scaled.from_pretrained(tmp_path, output_loading_info=True)
        assert info["missing_keys"] == ["scale"]
        assert model.scale.tolist() == [2.0, 2.0, 2.0]

    def test_what_cannot_be(self, tmp_path: Path):
        with pytest.raises(OSError, match=r"does not appear to have a file named config\.json"):
            BertModel.from_pretrained(tmp_path)
        config().save_pretrained(tmp_path)
        with pytest.raises(OSError, match=r"does not have a file named model\.safetensors"):
            BertModel.from_pretrained(tmp_path)
        with pytest.raises(ValueError, match="`config` and `state_dict` have to be given"):
            BertModel.from_pretrained(None)
        with pytest.raises(ValueError, match="only checkpoints of PyTorch"):
            BertModel.from_pretrained(tmp_path, from_tf=True)


class TestDataTypes:
    @pytest.fixture
    def half(self, tmp_path: Path) -> Path:
        BertModel(config()).half().save_pretrained(tmp_path)
        return tmp_path

    @pytest.mark.parametrize("spelling", ["torch_dtype", "dtype"])
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (None, torch.float32),
            ("auto", torch.float16),
            (torch.bfloat16, torch.bfloat16),
            ("float64", torch.float64),
        ],
    )
    def test_of_loaded_weights(self, half: Path, spelling, given, expected):
        model = BertModel.from_pretrained(half, **{spelling: given})
        assert {parameter.dtype for parameter in model.parameters()} == {expected}
        assert torch.get_default_dtype() is torch.float32

    def test_auto_looks_at_the_weights_when_the_configuration_is_silent(self, half: Path):
        config().save_pretrained(half)
        assert BertModel.from_pretrained(half, torch_dtype="auto").dtype is torch.float16

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (torch.int8, "not a floating point dtype"),
            ("huge", 'either `torch.dtype` or `"auto"`'),
            (3, "received 3"),
        ],
    )
    def test_others_are_refused(self, half: Path, given, message):
        with pytest.raises(ValueError, match=message):
            BertModel.from_pretrained(half, torch_dtype=given)

    def test_saved_in_the_configuration(self, half: Path):
        assert BertConfig.from_pretrained(half).torch_dtype is torch.float16


class TestEmbeddings:
    @pytest.mark.parametrize("size", [60, 40])
    @pytest.mark.parametrize("tied", [True, False])
    def test_resize(self, size, tied, tmp_path: Path):
        model = BertForMaskedLM(config(tie_word_embeddings=tied))
        before = model.get_input_embeddings().weight.clone()
        model.resize_token_embeddings(size)
        assert model.config.vocab_size == size
        assert torch.equal(model.get_input_embeddings().weight[:40], before[:40])
        assert model(torch.tensor([[size - 1]])).logits.shape == (1, 1, size)
        assert (model.get_output_embeddings().weight is model.get_input_embeddings().weight) == tied
        model.save_pretrained(tmp_path)
        assert same(BertForMaskedLM.from_pretrained(tmp_path), model)

    def test_resize_to_a_multiple(self):
        model = BertModel(config())
        assert model.resize_token_embeddings(51, pad_to_multiple_of=8).weight.shape == (56, 16)
        assert model.resize_token_embeddings().weight.shape == (56, 16)

    @pytest.mark.parametrize("size", [0, -5, 60.0, "60"])
    def test_resize_to_what_is_no_size(self, size):
        with pytest.raises(ValueError, match=rf"is {size!r}: a vocabulary has a whole number of tokens"):
            BertModel(config()).resize_token_embeddings(size)

    def test_new_rows_can_be_trained(self):
        model = BertForMaskedLM(config())
        model.resize_token_embeddings(60)
        model(torch.tensor([[55]]), labels=torch.tensor([[56]])).loss.backward()
        assert model.get_input_embeddings().weight.grad[55].abs().sum() > 0


class TestPruning:
    def test_a_pruned_head_is_a_silenced_one(self):
        model = BertModel(config()).eval()
        head_mask = torch.ones(2, 4)
        head_mask[0, 1] = head_mask[1, 0] = head_mask[1, 3] = 0
        with torch.no_grad():
            expected = model(IDS, head_mask=head_mask).last_hidden_state
            model.prune_heads({0: [1], 1: [0]})
            model.prune_heads({1: [3, 0]})
            torch.testing.assert_close(model(IDS).last_hidden_state, expected)
        assert model.config.pruned_heads == {0: [1], 1: [0, 3]}

    @pytest.mark.parametrize("heads", [{2: [0]}, {0: [4]}, {1: [0, 1, 2, 3]}, {1: [1, 2, 3]}])
    def test_heads_that_are_not_there_or_the_last(self, heads):
        model = BertModel(config())
        model.prune_heads({1: [0]})
        with pytest.raises(ValueError, match=r"layers are 0 to 1, their heads 0 to 3, and one .* remain"):
            model.prune_heads(heads)
        assert model.config.pruned_heads == {1: [0]}

    def test_a_pruned_model_is_saved_and_loaded(self, tmp_path: Path):
        model = BertForSequenceClassification(config()).eval()
        model.prune_heads({0: [1, 2]})
        model.save_pretrained(tmp_path)
        again = BertForSequenceClassification.from_pretrained(tmp_path)
        assert same(again, model)
        torch.testing.assert_close(again(IDS).logits, model(IDS).logits)


class TestGradientCheckpointing:
    def test_same_gradients(self):
        torch.manual_seed(0)
        model = BertForSequenceClassification(
            config(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        ).train()
        model(IDS, labels=torch.tensor([0, 1])).loss.backward()
        expected = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
        model.zero_grad()
        model.gradient_checkpointing_enable()
        assert model.is_gradient_checkpointing
        model(IDS, labels=torch.tensor([0, 1])).loss.backward()
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(parameter.grad, expected[name])
        model.gradient_checkpointing_disable()
        assert not model.is_gradient_checkpointing

    def test_asked_for_in_an_old_configuration(self):
        assert BertModel(config(gradient_checkpointing=True)).is_gradient_checkpointing


class TestMeasures:
    def test_numbers(self):
        model = BertForMaskedLM(config())
        assert model.num_parameters() == sum(p.numel() for p in model.parameters())
        assert model.num_parameters() - model.num_parameters(exclude_embeddings=True) == (50 + 12 + 2) * 16
        assert model.get_memory_footprint(return_buffers=False) == 4 * model.num_parameters()
        assert model.half().get_memory_footprint(return_buffers=False) == 2 * model.num_parameters()
        model.bert.requires_grad_(False)
        assert model.num_parameters(only_trainable=True) < model.num_parameters()
        assert model.estimate_tokens({"input_ids": IDS}) == 8
        assert model.floating_point_ops({"input_ids": IDS}) == 48 * model.num_parameters(
            exclude_embeddings=True
        )
        assert (model.device, model.dtype) == (torch.device("cpu"), torch.float16)

    def test_extended_attention_mask(self):
        mask = torch.tensor([[1, 1, 0]])
        lowest = torch.finfo(torch.float32).min
        assert BertModel(config()).get_extended_attention_mask(mask, (1, 3)).tolist() == [[[[0, 0, lowest]]]]
        causal = BertModel(config(is_decoder=True)).get_extended_attention_mask(mask, (1, 3))
        assert causal[0, 0].tolist() == [[0, lowest, lowest], [0, 0, lowest], [0, 0, lowest]]
        with pytest.raises(ValueError, match="Wrong shape"):
            BertModel(config()).get_extended_attention_mask(mask[0], (1, 3))


def test_a_configuration_is_needed():
    with pytest.raises(TypeError, match="should be an instance of class `PretrainedConfig`"):
        BertModel("bert-base-uncased")


def test_an_unknown_attention_implementation():
    with pytest.raises(ValueError, match="'sdpa' and 'eager'"):
        BertModel(config(attn_implementation="flash_attention_9"))


def test_input_gradients_for_adapters():
    model = BertModel(config())
    model.requires_grad_(False)
    model.enable_input_require_grads()
    assert model(IDS).last_hidden_state.requires_grad
    model.disable_input_require_grads()
    assert not model(IDS).last_hidden_state.requires_grad


class TestModelsOfOnesOwn:
    def test_a_configuration_need_not_say_how_weights_begin(self, tmp_path: Path):
        class OwnConfig(PretrainedConfig):
            model_type = "own"

        class OwnModel(PreTrainedModel):
            config_class = OwnConfig

            def __init__(self, config):
                super().__init__(config)
                self.layer = torch.nn.Linear(100, 100)
                self.post_init()

        model = OwnModel(OwnConfig())
        assert 0.015 < model.layer.weight.std() < 0.025
        model.save_pretrained(tmp_path)
        assert same(OwnModel.from_pretrained(tmp_path), model)


class TestWhatArchitecturesDeclare:
    def test_parts_that_stay_in_float32(self, tmp_path: Path):
        class Careful(BertModel):
            _keep_in_fp32_modules: ClassVar[list[str]] = ["LayerNorm"]

        BertModel(config()).save_pretrained(tmp_path)
        half = Careful.from_pretrained(tmp_path, torch_dtype=torch.float16)
        assert half.embeddings.LayerNorm.weight.dtype == torch.float32
        assert half.pooler.dense.weight.dtype == torch.float16
        other = Careful.from_pretrained(tmp_path, torch_dtype=torch.bfloat16)
        assert other.embeddings.LayerNorm.weight.dtype == torch.bfloat16

    def test_names_that_are_no_news(self, tmp_path: Path, said):
        class Knowing(BertModel):
            _keys_to_ignore_on_load_missing: ClassVar[list[str]] = [r"pooler\.dense"]
            _keys_to_ignore_on_load_unexpected: ClassVar[list[str]] = [r"^cls\.predictions"]

        BertForMaskedLM(config()).save_pretrained(tmp_path)
        _, info = Knowing.from_pretrained(tmp_path, output_loading_info=True)
        assert not any(info.values())
        assert said() == ""

    def test_what_only_other_classes_need_is_accepted(self, tmp_path: Path):
        BertModel(config()).save_pretrained(tmp_path)
        arguments = {"trust_remote_code": True, "code_revision": None, "low_cpu_mem_usage": True}
        assert BertModel.from_pretrained(tmp_path, offload_state_dict=True, **arguments).training is False
