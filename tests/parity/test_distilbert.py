"""DistilBERT against the reference library: same names, same numbers, same files."""

from __future__ import annotations

import json
from typing import Any

import nanoformers
import pytest
import torch
import transformers
from architecture_tests import CLOSE, GOLDEN, ArchitectureTests
from architectures import ANSWERS, TOKEN_CLASSES, TOKENS, Architecture, Head, sequence_classification
from nanoformers.models.distilbert import DistilBertOnnxConfig

DISTILBERT = Architecture(
    config="DistilBertConfig",
    shape={
        "vocab_size": 97,
        "dim": 24,
        "n_layers": 3,
        "n_heads": 4,
        "hidden_dim": 37,
        "max_position_embeddings": 40,
    },
    heads=[
        Head("DistilBertModel"),
        Head("DistilBertForMaskedLM", labels=TOKENS),
        Head("DistilBertForMaskedLM", {"tie_word_embeddings": False}, labels=TOKENS),
        *sequence_classification("DistilBertForSequenceClassification"),
        Head("DistilBertForMultipleChoice", labels={"labels": torch.tensor([2])}, choices=True),
        Head("DistilBertForTokenClassification", {"num_labels": 7}, labels=TOKEN_CLASSES),
        Head("DistilBertForQuestionAnswering", labels=ANSWERS),
    ],
    configurations=[{}, {"num_labels": 4}, {"dtype": "float16", "n_heads": 2}],
)


class TestDistilBert(ArchitectureTests):
    architecture = DISTILBERT


@pytest.mark.parametrize("width", [24, 20], ids=str)
def test_sinusoidal_positions(width):
    config = {"dim": width, "sinusoidal_pos_embds": True}
    ours = nanoformers.DistilBertModel(DISTILBERT.configure(nanoformers, **config))
    theirs = transformers.DistilBertModel(DISTILBERT.configure(transformers, **config))
    table = theirs.embeddings.position_embeddings.weight
    torch.testing.assert_close(ours.embeddings.position_embeddings.weight.data, table.data, **CLOSE)


# What release 5 of the reference library has no more: recorded from 4.57.6 by golden/make_distilbert.py

RECORDED = json.loads((GOLDEN / "distilbert.json").read_text())


def recorded_model(**config: Any) -> Any:
    """A model with the weights that the recording made."""
    model = nanoformers.DistilBertModel(nanoformers.DistilBertConfig(**RECORDED["shape"], **config))
    for index, (_, tensor) in enumerate(sorted(model.state_dict().items())):
        numbers = torch.arange(tensor.numel(), dtype=torch.float64)
        tensor.copy_((torch.sin(numbers * 1.7 + index) * 0.4).reshape(tensor.shape))
    return model.eval()


def recorded_inputs() -> dict[str, torch.Tensor]:
    return {name: torch.tensor(RECORDED[name]) for name in ("input_ids", "attention_mask")}


@pytest.mark.parametrize("case", RECORDED["masked"], ids=lambda case: str(case["head_mask"]))
def test_head_masks(case):
    head_mask = torch.tensor(case["head_mask"])
    with torch.no_grad():
        outputs = recorded_model()(**recorded_inputs(), head_mask=head_mask, output_attentions=True)
    recorded = torch.tensor(case["last_hidden_state"])
    torch.testing.assert_close(outputs.last_hidden_state, recorded, **CLOSE)
    for weights, total in zip(outputs.attentions, case["attentions"], strict=True):
        torch.testing.assert_close(weights.sum((2, 3)), torch.tensor(total), **CLOSE)


@pytest.mark.parametrize("case", RECORDED["pruned"], ids=lambda case: str(case["heads"]))
def test_pruned_heads(case):
    model = recorded_model()
    model.prune_heads({int(layer): heads for layer, heads in case["heads"].items()})
    with torch.no_grad():
        states = model(**recorded_inputs()).last_hidden_state
    torch.testing.assert_close(states, torch.tensor(case["last_hidden_state"]), **CLOSE)
    assert model.num_parameters() == case["parameters"]


@pytest.mark.parametrize("case", RECORDED["onnx"], ids=lambda case: case["task"])
def test_onnx_description(case):
    onnx = DistilBertOnnxConfig.from_model_config(nanoformers.DistilBertConfig(), task=case["task"])
    assert case == {
        "task": onnx.task,
        "inputs": json.loads(json.dumps(list(onnx.inputs.items()))),
        "outputs": json.loads(json.dumps(list(onnx.outputs.items()))),
        "values_override": onnx.values_override,
        "default_batch_size": onnx.default_batch_size,
        "default_sequence_length": onnx.default_sequence_length,
        "default_num_choices": onnx.default_num_choices,
        "default_onnx_opset": onnx.default_onnx_opset,
        "atol_for_validation": onnx.atol_for_validation,
        "external": [onnx.use_external_data_format(count) for count in (2**29 - 1, 2**29)],
    }


@pytest.mark.parametrize("case", RECORDED["dummies"], ids=lambda case: str(list(case.values())[:-1]))
def test_onnx_dummy_inputs(case, tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(RECORDED["vocabulary"]))
    tokenizer = nanoformers.BertTokenizer(str(tmp_path / "vocab.txt"))
    arguments = {name: value for name, value in case.items() if name not in ("task", "made")}
    onnx = DistilBertOnnxConfig(nanoformers.DistilBertConfig(), task=case["task"])
    made = onnx.generate_dummy_inputs(tokenizer, framework="pt", **arguments)
    assert {name: tensor.tolist() for name, tensor in made.items()} == case["made"]
