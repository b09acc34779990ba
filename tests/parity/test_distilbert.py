"""DistilBERT against the reference library: same names, same numbers, same files."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import nanoformers
import pytest
import torch
import transformers
from nanoformers.models.distilbert import DistilBertOnnxConfig

SHAPE = {
    "vocab_size": 97,
    "dim": 24,
    "n_layers": 3,
    "n_heads": 4,
    "hidden_dim": 37,
    "max_position_embeddings": 40,
}
CLOSE = {"rtol": 0, "atol": 1e-5}

IDS = torch.randint(1, 97, (3, 11), generator=torch.Generator().manual_seed(0))
RIGHT = torch.tensor([[1] * 11, [1] * 7 + [0] * 4, [1] + [0] * 10])
LEFT = RIGHT.flip(1)
TOKENS = torch.where(RIGHT == 1, IDS, -100)

# class, configuration, whether inputs are choices, labels
HEADS: list[tuple[str, dict[str, Any], bool, dict[str, Any]]] = [
    ("DistilBertModel", {}, False, {}),
    ("DistilBertForMaskedLM", {}, False, {"labels": TOKENS}),
    ("DistilBertForMaskedLM", {"tie_word_embeddings": False}, False, {"labels": TOKENS}),
    (
        "DistilBertForSequenceClassification",
        {"num_labels": 5},
        False,
        {"labels": torch.tensor([0, 4, 2])},
    ),
    (
        "DistilBertForSequenceClassification",
        {"num_labels": 1},
        False,
        {"labels": torch.tensor([0.5, -1.0, 2.0])},
    ),
    (
        "DistilBertForSequenceClassification",
        {"num_labels": 3, "problem_type": "multi_label_classification"},
        False,
        {"labels": torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])},
    ),
    ("DistilBertForMultipleChoice", {}, True, {"labels": torch.tensor([2])}),
    ("DistilBertForTokenClassification", {"num_labels": 7}, False, {"labels": TOKENS.clamp(max=6)}),
    (
        "DistilBertForQuestionAnswering",
        {},
        False,
        {"start_positions": torch.tensor([0, 3, 11]), "end_positions": torch.tensor([4, 200, 11])},
    ),
]
NAMES = [f"{name}-{'-'.join(map(str, config.values()))}".rstrip("-") for name, config, _, _ in HEADS]
parametrize_heads = pytest.mark.parametrize(("name", "config", "choices", "labels"), HEADS, ids=NAMES)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("transformers").setLevel(logging.ERROR)


def pair(name: str, config: dict[str, Any], implementation: str = "eager") -> tuple[Any, Any]:
    """Our model and the reference's, with the same weights, in evaluation mode."""
    torch.manual_seed(1)
    theirs = getattr(transformers, name)._from_config(
        transformers.DistilBertConfig(**SHAPE, **config), attn_implementation=implementation
    )
    for parameter in theirs.parameters():  # biases and layer norms too, so that a mix-up of names shows
        parameter.data.add_(torch.randn_like(parameter) * 0.05)
    ours = getattr(nanoformers, name)(nanoformers.DistilBertConfig(**SHAPE, **config))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    return ours.eval(), theirs.eval()


def inputs_for(choices: bool, mask: torch.Tensor | None) -> dict[str, Any]:
    inputs = {"input_ids": IDS} | ({} if mask is None else {"attention_mask": mask})
    return {key: value[None] for key, value in inputs.items()} if choices else inputs


def assert_same(ours: Any, theirs: Any) -> None:
    assert list(ours) == list(theirs)
    for key in ours:
        mine, reference = (x if isinstance(x, tuple) else (x,) for x in (ours[key], theirs[key]))
        assert len(mine) == len(reference), key
        for a, b in zip(mine, reference, strict=True):
            assert a.shape == b.shape
            torch.testing.assert_close(a, b, **CLOSE, msg=lambda text, key=key: f"{key}: {text}")


@parametrize_heads
@pytest.mark.parametrize("mask", [None, RIGHT, LEFT], ids=["unpadded", "right", "left"])
def test_forward_states_and_attentions(name, config, choices, labels, mask):
    ours, theirs = pair(name, config)
    inputs = inputs_for(choices, mask)
    with torch.no_grad():
        assert_same(ours(**inputs), theirs(**inputs))  # fused attention against the written-out one
        everything = {"output_hidden_states": True, "output_attentions": True}
        assert_same(ours(**inputs, **everything), theirs(**inputs, **everything))


@parametrize_heads
def test_loss_and_gradients(name, config, choices, labels):
    if not labels:
        pytest.skip("the bare model has no loss")
    ours, theirs = pair(name, config)
    inputs = inputs_for(choices, RIGHT)
    mine, reference = ours(**inputs, **labels), theirs(**inputs, **labels)
    torch.testing.assert_close(mine.loss, reference.loss, **CLOSE)
    mine.loss.backward()
    reference.loss.backward()
    gradients = {key: value.grad for key, value in theirs.named_parameters() if value.grad is not None}
    assert gradients.keys() == {key for key, value in ours.named_parameters() if value.grad is not None}
    for key, value in ours.named_parameters():
        if value.grad is not None:
            torch.testing.assert_close(value.grad, gradients[key], **CLOSE)


@parametrize_heads
def test_tuples(name, config, choices, labels):
    ours, theirs = pair(name, config)
    inputs = inputs_for(choices, RIGHT) | labels | {"output_hidden_states": True}
    with torch.no_grad():
        mine, reference = ours(**inputs, return_dict=False), theirs(**inputs, return_dict=False)
    assert [type(value) for value in mine] == [type(value) for value in reference]
    for a, b in zip(mine, reference, strict=True):
        if isinstance(a, torch.Tensor):
            torch.testing.assert_close(a, b, **CLOSE)


@parametrize_heads
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_half_precision(name, config, choices, labels, dtype):
    ours, theirs = pair(name, config, implementation="sdpa")
    inputs = inputs_for(choices, RIGHT)
    with torch.no_grad():
        mine, reference = ours.to(dtype)(**inputs), theirs.to(dtype)(**inputs)
    for key in mine:
        assert mine[key].dtype == dtype
        torch.testing.assert_close(mine[key], reference[key], rtol=0, atol=2e-2)


@parametrize_heads
def test_our_checkpoint_loads_in_the_reference(name, config, choices, labels, tmp_path):
    ours, _ = pair(name, config)
    ours.save_pretrained(tmp_path)
    theirs, info = getattr(transformers, name).from_pretrained(
        tmp_path, output_loading_info=True, attn_implementation="eager"
    )
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    inputs = inputs_for(choices, RIGHT)
    with torch.no_grad():
        assert_same(ours(**inputs), theirs.eval()(**inputs))


@parametrize_heads
def test_the_reference_checkpoint_loads_in_ours(name, config, choices, labels, tmp_path):
    _, theirs = pair(name, config)
    theirs.save_pretrained(tmp_path)
    ours, info = getattr(nanoformers, name).from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    inputs = inputs_for(choices, RIGHT)
    with torch.no_grad():
        assert_same(ours(**inputs), theirs(**inputs))


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 40), (5, 13)], ids=str)
def test_odd_sizes(shape):
    ours, theirs = pair("DistilBertModel", {}, implementation="sdpa")
    ids = torch.randint(1, 97, shape)
    with torch.no_grad():
        assert_same(ours(ids), theirs(ids))


def test_embeddings_and_positions_as_input():
    ours, theirs = pair("DistilBertModel", {})
    embeds, positions = torch.randn(2, 6, 24), torch.arange(6).flip(0)[None]
    with torch.no_grad():
        inputs = {"inputs_embeds": embeds, "position_ids": positions}
        assert_same(ours(**inputs), theirs(**inputs))


@pytest.mark.parametrize("width", [24, 20], ids=str)
def test_sinusoidal_positions(width):
    config = SHAPE | {"dim": width, "sinusoidal_pos_embds": True}
    ours = nanoformers.DistilBertModel(nanoformers.DistilBertConfig(**config))
    theirs = transformers.DistilBertModel(transformers.DistilBertConfig(**config))
    table = theirs.embeddings.position_embeddings.weight
    torch.testing.assert_close(ours.embeddings.position_embeddings.weight.data, table.data, **CLOSE)


@pytest.mark.parametrize("config", [{}, {"num_labels": 4}, {"dtype": "float16", "n_heads": 2}], ids=str)
def test_configurations_are_interchangeable(config, tmp_path):
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    transformers.DistilBertConfig(**SHAPE | config).save_pretrained(tmp_path / "theirs")
    ours = nanoformers.DistilBertConfig.from_pretrained(tmp_path / "theirs")
    ours.save_pretrained(tmp_path / "ours")
    theirs = transformers.DistilBertConfig.from_pretrained(tmp_path / "ours")
    known = nanoformers.DistilBertConfig().to_dict().keys() & transformers.DistilBertConfig().to_dict().keys()
    for key in known - {"transformers_version"}:
        assert getattr(ours, key) == getattr(theirs, key), key
    assert str(ours.torch_dtype) == str(theirs.dtype)


# What release 5 of the reference library has no more: recorded from 4.57.6 by golden/make_distilbert.py

GOLDEN = json.loads((Path(__file__).parent / "golden" / "distilbert.json").read_text())


def recorded_model(**config: Any) -> Any:
    """A model with the weights that the recording made."""
    model = nanoformers.DistilBertModel(nanoformers.DistilBertConfig(**GOLDEN["shape"], **config))
    for index, (_, tensor) in enumerate(sorted(model.state_dict().items())):
        numbers = torch.arange(tensor.numel(), dtype=torch.float64)
        tensor.copy_((torch.sin(numbers * 1.7 + index) * 0.4).reshape(tensor.shape))
    return model.eval()


def recorded_inputs() -> dict[str, torch.Tensor]:
    return {name: torch.tensor(GOLDEN[name]) for name in ("input_ids", "attention_mask")}


@pytest.mark.parametrize("case", GOLDEN["masked"], ids=lambda case: str(case["head_mask"]))
def test_head_masks(case):
    head_mask = torch.tensor(case["head_mask"])
    with torch.no_grad():
        outputs = recorded_model()(**recorded_inputs(), head_mask=head_mask, output_attentions=True)
    recorded = torch.tensor(case["last_hidden_state"])
    torch.testing.assert_close(outputs.last_hidden_state, recorded, **CLOSE)
    for weights, total in zip(outputs.attentions, case["attentions"], strict=True):
        torch.testing.assert_close(weights.sum((2, 3)), torch.tensor(total), **CLOSE)


@pytest.mark.parametrize("case", GOLDEN["pruned"], ids=lambda case: str(case["heads"]))
def test_pruned_heads(case):
    model = recorded_model()
    model.prune_heads({int(layer): heads for layer, heads in case["heads"].items()})
    with torch.no_grad():
        states = model(**recorded_inputs()).last_hidden_state
    torch.testing.assert_close(states, torch.tensor(case["last_hidden_state"]), **CLOSE)
    assert model.num_parameters() == case["parameters"]


@pytest.mark.parametrize("case", GOLDEN["onnx"], ids=lambda case: case["task"])
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


@pytest.mark.parametrize("case", GOLDEN["dummies"], ids=lambda case: str(list(case.values())[:-1]))
def test_onnx_dummy_inputs(case, tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(GOLDEN["vocabulary"]))
    tokenizer = nanoformers.BertTokenizer(str(tmp_path / "vocab.txt"))
    arguments = {name: value for name, value in case.items() if name not in ("task", "made")}
    onnx = DistilBertOnnxConfig(nanoformers.DistilBertConfig(), task=case["task"])
    made = onnx.generate_dummy_inputs(tokenizer, framework="pt", **arguments)
    assert {name: tensor.tolist() for name, tensor in made.items()} == case["made"]
