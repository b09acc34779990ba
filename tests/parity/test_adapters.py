"""Adapters against the PEFT library on the reference library's models: same files, same numbers."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import Any

import nanoformers
import peft
import pytest
import torch
import transformers
from nanoformers.adapters import (
    AdaLoraConfig,
    IA3Config,
    LoraConfig,
    PeftConfig,
    PromptTuningConfig,
    get_peft_model,
)
from safetensors.torch import load_file

CLOSE = {"rtol": 0, "atol": 1e-5}
MASK = torch.tensor([[1] * 9, [1] * 6 + [0] * 3])
IDS = torch.randint(5, 90, (2, 9), generator=torch.Generator().manual_seed(0))
TOKENS = torch.where(MASK == 1, IDS, -100)

SHAPES: dict[str, dict[str, Any]] = {
    "Bert": {
        "vocab_size": 97,
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 37,
        "max_position_embeddings": 40,
    },
    "DistilBert": {
        "vocab_size": 97,
        "dim": 24,
        "n_layers": 2,
        "n_heads": 4,
        "hidden_dim": 37,
        "max_position_embeddings": 40,
    },
    "GPT2": {
        "vocab_size": 97,
        "n_embd": 24,
        "n_layer": 2,
        "n_head": 4,
        "n_positions": 40,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    },
    "T5": {
        "vocab_size": 97,
        "d_model": 24,
        "d_kv": 6,
        "d_ff": 37,
        "num_layers": 2,
        "num_heads": 4,
        "decoder_start_token_id": 0,
    },
}
WITHOUT_DROPOUT = {
    "Bert": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
    "DistilBert": {"dropout": 0.0, "attention_dropout": 0.0, "seq_classif_dropout": 0.0},
    "GPT2": {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
    "T5": {"dropout_rate": 0.0},
}
# class of the model, the task that PEFT calls it by, labels
MODELS: dict[str, tuple[str, str, torch.Tensor]] = {
    "BertForSequenceClassification": ("Bert", "SEQ_CLS", torch.tensor([1, 0])),
    "DistilBertForSequenceClassification": ("DistilBert", "SEQ_CLS", torch.tensor([1, 0])),
    "GPT2LMHeadModel": ("GPT2", "CAUSAL_LM", TOKENS),
    "T5ForConditionalGeneration": ("T5", "SEQ_2_SEQ_LM", TOKENS),
}
EMBEDDINGS = {"Bert": "word_embeddings", "DistilBert": "word_embeddings", "GPT2": "wte", "T5": "shared"}
IN_ATTENTION = {
    "Bert": ["query", "value"],
    "DistilBert": ["q_lin", "v_lin"],
    "GPT2": ["c_attn"],
    "T5": ["q", "v"],
}
FEEDFORWARD = {"Bert": "output.dense", "DistilBert": "ffn.lin2", "GPT2": "mlp.c_proj", "T5": "wo"}


def lora(**options: Any) -> Any:
    return lambda kind: LoraConfig(
        **{"r": 4, "target_modules": IN_ATTENTION[kind], "init_lora_weights": False, **options}
    )


METHODS: dict[str, Any] = {
    "lora": lora(lora_alpha=16),
    "lora-usual-layers": lambda kind: LoraConfig(
        init_lora_weights=False, target_modules=["q_lin", "v_lin"] if kind == "DistilBert" else None
    ),
    "lora-all-linear": lora(target_modules="all-linear"),
    "lora-embedding": lambda kind: LoraConfig(
        r=3, target_modules=[EMBEDDINGS[kind], *IN_ATTENTION[kind]], init_lora_weights=False
    ),
    "lora-regular-expression": lambda kind: LoraConfig(
        target_modules=rf".*1\..*({'|'.join(IN_ATTENTION[kind])})", init_lora_weights=False
    ),
    "lora-one-layer": lora(layers_to_transform=1),
    "lora-patterns": lora(rank_pattern={r"1\..*": 2}, alpha_pattern={r".*0\..*": 32}),
    "rslora": lora(use_rslora=True, lora_alpha=16),
    "dora": lora(use_dora=True),
    "lora-bias": lora(bias="all"),
    "lora-bias-of-its-layers": lora(bias="lora_only"),
    "ia3": lambda kind: IA3Config(
        target_modules=[*IN_ATTENTION[kind], FEEDFORWARD[kind]],
        feedforward_modules=[FEEDFORWARD[kind]],
        init_ia3_weights=False,
    ),
    "adalora": lambda kind: AdaLoraConfig(
        target_modules=IN_ATTENTION[kind], init_r=6, target_r=2, total_step=10, init_lora_weights=False
    ),
    "prompt-tuning": lambda kind: PromptTuningConfig(num_virtual_tokens=5),
}
# those whose gradients are compared, too
WITH_GRADIENTS = ["lora", "lora-all-linear", "lora-embedding", "dora", "ia3", "adalora", "prompt-tuning"]


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    logging.getLogger("transformers").setLevel(logging.ERROR)
    transformers.utils.logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="peft")
        yield


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder with a base model of each kind."""
    folders = {}
    for name, (kind, _, _) in MODELS.items():
        torch.manual_seed(1)
        config = getattr(nanoformers, f"{kind}Config")(**SHAPES[kind], **WITHOUT_DROPOUT[kind], num_labels=2)
        folders[name] = tmp_path_factory.mktemp(name)
        getattr(nanoformers, name)(config).save_pretrained(folders[name])
    return folders


def ours(name: str, folder: Path) -> Any:
    return getattr(nanoformers, name).from_pretrained(folder)


def theirs(name: str, folder: Path) -> Any:
    return getattr(transformers, name).from_pretrained(folder)


def inputs_of(name: str, labels: bool = False) -> dict[str, torch.Tensor]:
    inputs = {"input_ids": IDS, "attention_mask": MASK}
    if labels:
        inputs["labels"] = MODELS[name][2]
    elif name.startswith("T5"):
        inputs["decoder_input_ids"] = IDS
    return inputs


def with_random_adapter(name: str, folder: Path, method: str) -> Any:
    """Our model with an adapter whose weights are random (classifiers and biases too)."""
    kind, task, _ = MODELS[name]
    config = METHODS[method](kind)
    config.task_type = task
    torch.manual_seed(2)
    model = get_peft_model(ours(name, folder), config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.1 * torch.randn_like(parameter)
    return model.eval()


def is_possible(name: str, method: str) -> bool:
    if name.startswith("T5"):  # has no biases; the embeddings are one layer here, and three there
        return method not in ("lora-bias", "lora-bias-of-its-layers", "lora-embedding")
    # there, `modules_to_save` finds "pre_classifier" too, and does not want to have an adapter on it
    return (name, method) != ("DistilBertForSequenceClassification", "lora-all-linear")


PAIRS = [(name, method) for name in MODELS for method in METHODS if is_possible(name, method)]
parametrize_pairs = pytest.mark.parametrize(("name", "method"), PAIRS, ids=["-".join(pair) for pair in PAIRS])


class TestFiles:
    @parametrize_pairs
    def test_what_is_written_here_loads_there(self, name, method, bases, tmp_path):
        model = with_random_adapter(name, bases[name], method)
        model.save_pretrained(tmp_path)
        reference = peft.PeftModel.from_pretrained(theirs(name, bases[name]), tmp_path).eval()
        with torch.no_grad():
            torch.testing.assert_close(
                model(**inputs_of(name)).logits, reference(**inputs_of(name)).logits, **CLOSE
            )

    @parametrize_pairs
    def test_what_is_written_there_loads_here(self, name, method, bases, tmp_path):
        with_random_adapter(name, bases[name], method).save_pretrained(tmp_path / "first")
        reference = peft.PeftModel.from_pretrained(theirs(name, bases[name]), tmp_path / "first").eval()
        reference.save_pretrained(tmp_path / "second")
        model = ours(name, bases[name])
        report = model.load_adapter(tmp_path / "second")
        assert report.missing_keys == []
        with torch.no_grad():
            torch.testing.assert_close(
                model(**inputs_of(name)).logits, reference(**inputs_of(name)).logits, **CLOSE
            )

    @parametrize_pairs
    def test_names_and_shapes_are_the_same(self, name, method, bases, tmp_path):
        with_random_adapter(name, bases[name], method).save_pretrained(tmp_path / "ours")
        reference = peft.PeftModel.from_pretrained(theirs(name, bases[name]), tmp_path / "ours")
        reference.save_pretrained(tmp_path / "theirs")
        written, expected = (
            load_file(tmp_path / who / "adapter_model.safetensors") for who in ("ours", "theirs")
        )
        repeated = {key for key in expected if "modules_to_save" in key or "original_module" in key}
        assert {key: tensor.shape for key, tensor in written.items()} == {
            key: tensor.shape for key, tensor in expected.items() if key not in repeated
        }

    @parametrize_pairs
    def test_configurations_agree(self, name, method, bases, tmp_path):
        with_random_adapter(name, bases[name], method).save_pretrained(tmp_path / "ours")
        reference = peft.PeftModel.from_pretrained(theirs(name, bases[name]), tmp_path / "ours")
        reference.save_pretrained(tmp_path / "theirs")
        written, expected = (
            json.loads((tmp_path / who / "adapter_config.json").read_text()) for who in ("ours", "theirs")
        )
        for key in ("target_modules", "modules_to_save"):
            for values in (written, expected):
                if isinstance(values.get(key), list):
                    values[key] = sorted(set(values[key]))
        different = {key for key in written if written[key] != expected[key]} - {"peft_version"}
        assert different <= {"init_lora_weights", "init_ia3_weights"} | (
            {"fan_in_fan_out"} if "embedding" in method else set()
        ) | (
            {"target_modules"} if "all-linear" in method else set()  # their names get shorter when loaded
        )


class TestGradients:
    @pytest.mark.parametrize(
        ("name", "method"), [pair for pair in PAIRS if pair[1] in WITH_GRADIENTS], ids="-".join
    )
    def test_are_equal(self, name, method, bases, tmp_path):
        model = with_random_adapter(name, bases[name], method)
        model.save_pretrained(tmp_path)
        reference: Any
        if method == "prompt-tuning":  # the library does not train one that was loaded
            config = peft.PeftConfig.from_pretrained(tmp_path)
            config.inference_mode, config.modules_to_save = False, None
            reference = peft.get_peft_model(theirs(name, bases[name]), config)
            tensors = load_file(tmp_path / "adapter_model.safetensors")
            reference.load_state_dict(
                {_long_name(key): tensor for key, tensor in tensors.items()}, strict=False
            )
        else:
            reference = peft.PeftModel.from_pretrained(theirs(name, bases[name]), tmp_path, is_trainable=True)
        model.train()(**inputs_of(name, labels=True)).loss.backward()
        reference.train()(**inputs_of(name, labels=True)).loss.backward()
        expected = {
            key.replace(".default", "").replace("modules_to_save.", ""): parameter.grad
            for key, parameter in reference.named_parameters()
            if parameter.grad is not None
        }
        found = {
            key.replace("adapters.default.", ""): parameter.grad
            for key, parameter in model.named_parameters()
            if parameter.grad is not None
        }
        assert len(found) == len(expected) > 0
        for key, gradient in found.items():
            (other,) = (value for full, value in expected.items() if _same(full, key))
            torch.testing.assert_close(gradient, other, **CLOSE)


def _long_name(in_file: str) -> str:
    if in_file == "prompt_embeddings":
        return "prompt_encoder.default.embedding.weight"
    module, _, weight = in_file.rpartition(".")
    return f"{module}.modules_to_save.default.{weight}"


def _same(theirs: str, ours: str) -> bool:
    theirs = theirs.removeprefix("base_model.model.").removeprefix("base_model.")
    theirs = theirs.removesuffix(".weight") if "magnitude" in theirs else theirs
    return theirs == ours or (ours == "prompt_embeddings" and theirs.startswith("prompt_encoder."))


class TestMerging:
    @pytest.mark.parametrize("method", ["lora-all-linear", "rslora", "dora", "ia3", "adalora"])
    @pytest.mark.parametrize("name", ["BertForSequenceClassification", "GPT2LMHeadModel"])
    def test_merged_weights_are_equal(self, name, method, bases, tmp_path):
        model = with_random_adapter(name, bases[name], method)
        model.save_pretrained(tmp_path)
        reference = peft.PeftModel.from_pretrained(theirs(name, bases[name]), tmp_path).merge_and_unload()
        merged = model.merge_and_unload().state_dict()
        for key, weight in reference.state_dict().items():
            torch.testing.assert_close(merged[key], weight, **CLOSE)


class TestAdaLora:
    def test_ranks_are_taken_away_from_the_same_layers(self, bases, tmp_path):
        name, steps = "GPT2LMHeadModel", 12
        config = AdaLoraConfig(
            init_r=6, target_r=2, total_step=steps, tinit=2, tfinal=3, task_type="CAUSAL_LM"
        )
        torch.manual_seed(3)
        model = get_peft_model(ours(name, bases[name]), config)
        model.save_pretrained(tmp_path / "start")
        reference = peft.PeftModel.from_pretrained(
            theirs(name, bases[name]), tmp_path / "start", is_trainable=True
        )
        for which in (model, reference):
            optimizer = torch.optim.SGD((p for p in which.parameters() if p.requires_grad), lr=0.5)
            which.train()
            for step in range(steps):
                which(**inputs_of(name, labels=True)).loss.backward()
                optimizer.step()
                (reference.base_model if which is reference else model).update_and_allocate(step)
                optimizer.zero_grad()
        expected = {
            key.replace(".default", ""): pattern
            for key, pattern in reference.peft_config["default"].rank_pattern.items()
        }
        assert model.peft_config["default"].rank_pattern == expected
        assert sum(map(sum, expected.values())) == 2 * len(expected)

        model.save_pretrained(tmp_path / "ours")
        loaded = peft.PeftModel.from_pretrained(theirs(name, bases[name]), tmp_path / "ours").eval()
        again = ours(name, bases[name])
        again.load_adapter(tmp_path / "ours")
        logits = model.eval()(**inputs_of(name)).logits
        torch.testing.assert_close(loaded(**inputs_of(name)).logits, logits, **CLOSE)
        torch.testing.assert_close(again(**inputs_of(name)).logits, logits, **CLOSE)
        torch.testing.assert_close(reference.eval()(**inputs_of(name)).logits, logits, **CLOSE)


class TestGeneration:
    @pytest.mark.parametrize("method", ["lora", "ia3", "prompt-tuning"])
    @pytest.mark.parametrize("name", ["GPT2LMHeadModel", "T5ForConditionalGeneration"])
    def test_the_same_tokens(self, name, method, bases, tmp_path):
        model = with_random_adapter(name, bases[name], method)
        model.save_pretrained(tmp_path)
        reference = peft.PeftModel.from_pretrained(theirs(name, bases[name]), tmp_path).eval()
        arguments = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}
        arguments |= {"max_new_tokens": 8, "do_sample": False}
        assert model.generate(**arguments).tolist() == reference.generate(**arguments).tolist()


class TestInterchange:
    @pytest.mark.parametrize(
        "config",
        [
            peft.LoraConfig(r=4, target_modules=["c_attn"], init_lora_weights=False),
            peft.IA3Config(target_modules=["c_attn"], feedforward_modules=[], init_ia3_weights=False),
            peft.AdaLoraConfig(total_step=10, target_modules=["c_attn"], init_lora_weights=False),
            peft.PromptTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM"),
        ],
        ids=lambda config: config.peft_type.value,
    )
    def test_a_configuration_of_the_library_is_accepted(self, config, bases):
        model = ours("GPT2LMHeadModel", bases["GPT2LMHeadModel"])
        model.add_adapter(config)
        assert model.active_adapters() == ["default"]
        assert model.peft_config["default"].peft_type == config.peft_type.value

    @pytest.mark.parametrize("method", ["LoraConfig", "IA3Config", "PromptTuningConfig"])
    def test_defaults_are_the_libraries(self, method):
        arguments = {"num_virtual_tokens": 3} if method == "PromptTuningConfig" else {}
        here = getattr(nanoformers.adapters, method)(**arguments).to_dict()
        there = getattr(peft, method)(**arguments).to_dict()
        assert {key: value for key, value in here.items() if value != there[key]} == {"peft_version": None}

    def test_the_model_of_the_reference_library_loads_our_adapter(self, bases, tmp_path):
        name = "BertForSequenceClassification"
        model = with_random_adapter(name, bases[name], "lora")
        model.save_pretrained(tmp_path)
        reference = theirs(name, bases[name])
        reference.load_adapter(str(tmp_path))
        torch.testing.assert_close(
            reference.eval()(**inputs_of(name)).logits, model(**inputs_of(name)).logits, **CLOSE
        )

    def test_the_layer_that_finds_answers_is_in_the_file(self, bases, tmp_path):
        folder = bases["BertForSequenceClassification"]
        model = get_peft_model(ours("BertForQuestionAnswering", folder), LoraConfig(task_type="QUESTION_ANS"))
        model.save_pretrained(tmp_path)
        reference = peft.PeftModel.from_pretrained(theirs("BertForQuestionAnswering", folder), tmp_path)
        outputs = (which.eval()(**inputs_of("Bert")) for which in (model, reference))
        starts, expected = (output.start_logits for output in outputs)
        torch.testing.assert_close(starts, expected, **CLOSE)

    def test_a_plain_configuration_finds_its_class(self, bases, tmp_path):
        peft.LoraConfig(r=3, target_modules=["c_attn"]).save_pretrained(tmp_path)
        config = PeftConfig.from_pretrained(tmp_path)
        assert isinstance(config, LoraConfig)
        assert config.r == 3
