"""GPT-2 against the reference library: same names, same numbers, same files."""

from __future__ import annotations

import importlib.util
import json
import logging
from pathlib import Path
from typing import Any

import nanoformers
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

SHAPE = {
    "vocab_size": 97,
    "n_embd": 24,
    "n_layer": 3,
    "n_head": 4,
    "n_inner": 37,
    "n_positions": 40,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
CLOSE = {"rtol": 0, "atol": 1e-5}

RIGHT = torch.tensor([[1] * 11, [1] * 7 + [0] * 4, [1] + [0] * 10])
LEFT = RIGHT.flip(1)
IDS = torch.randint(3, 97, (3, 11), generator=torch.Generator().manual_seed(0))
TYPES = torch.tensor([[3] * 5 + [4] * 6] * 3)
TOKENS = torch.where(RIGHT == 1, IDS, -100)

# class, configuration, extra inputs, labels
HEADS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("GPT2Model", {}, {}, {}),
    ("GPT2Model", {"scale_attn_weights": False}, {}, {}),
    ("GPT2Model", {"scale_attn_by_inverse_layer_idx": True, "reorder_and_upcast_attn": True}, {}, {}),
    ("GPT2LMHeadModel", {}, {}, {"labels": TOKENS}),
    ("GPT2LMHeadModel", {"tie_word_embeddings": False, "n_inner": None}, {}, {"labels": TOKENS}),
    (
        "GPT2DoubleHeadsModel",
        {},
        {"choices": True, "mc_token_ids": torch.tensor([[10, 6, 0]])},
        {"labels": TOKENS[None], "mc_labels": torch.tensor([1])},
    ),
    (
        "GPT2DoubleHeadsModel",
        {"summary_type": "mean", "summary_activation": "tanh", "summary_proj_to_labels": False},
        {},
        {"labels": TOKENS},
    ),
    ("GPT2ForSequenceClassification", {"num_labels": 5}, {}, {"labels": torch.tensor([0, 4, 2])}),
    ("GPT2ForSequenceClassification", {"num_labels": 1}, {}, {"labels": torch.tensor([0.5, -1.0, 2.0])}),
    (
        "GPT2ForSequenceClassification",
        {"num_labels": 3, "problem_type": "multi_label_classification"},
        {},
        {"labels": torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])},
    ),
    ("GPT2ForTokenClassification", {"num_labels": 7}, {}, {"labels": TOKENS.clamp(max=6)}),
    (
        "GPT2ForQuestionAnswering",
        {"num_labels": 3},
        {},
        {"start_positions": torch.tensor([0, 3, 11]), "end_positions": torch.tensor([4, 200, 11])},
    ),
]
NAMES = [f"{name}-{'-'.join(map(str, config.values()))}".rstrip("-") for name, config, _, _ in HEADS]
parametrize_heads = pytest.mark.parametrize(("name", "config", "extra", "labels"), HEADS, ids=NAMES)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("transformers").setLevel(logging.ERROR)


def pair(name: str, config: dict[str, Any], implementation: str = "eager") -> tuple[Any, Any]:
    """Our model and the reference's, with the same weights, in evaluation mode."""
    torch.manual_seed(1)
    shape = SHAPE | config
    theirs = getattr(transformers, name)._from_config(
        transformers.GPT2Config(**shape), attn_implementation=implementation
    )
    for parameter in theirs.parameters():  # biases and layer norms too, so that a mix-up of names shows
        parameter.data.add_(torch.randn_like(parameter) * 0.05)
    ours = getattr(nanoformers, name)(nanoformers.GPT2Config(**shape))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    return ours.eval(), theirs.eval()


def places(mask: torch.Tensor) -> torch.Tensor:
    """Places of the tokens that are no padding, from 0."""
    return (mask.cumsum(-1) - 1).clamp(min=0)


def inputs_for(extra: dict[str, Any], mask: torch.Tensor | None) -> dict[str, Any]:
    """A batch: padded and with its own places if there is a mask, and as choices if it shall be."""
    inputs = {"input_ids": IDS, "token_type_ids": TYPES}
    if mask is not None:
        inputs["input_ids"] = torch.where(mask == 1, IDS, 0)
        inputs |= {"attention_mask": mask, "position_ids": places(mask)}
    if not extra.get("choices"):
        return inputs | extra
    rows = {key: value[None] for key, value in inputs.items()}
    if mask is not None:
        rows["position_ids"] = rows["position_ids"][0]  # the reference wants them as rows already
        rows["attention_mask"] = rows["attention_mask"][0]
    rows["token_type_ids"] = rows["token_type_ids"][0]
    return rows | {key: value for key, value in extra.items() if key != "choices"}


def assert_same(ours: Any, theirs: Any) -> None:
    # today's reference keeps an empty tuple of cross attentions in models that have none
    assert list(ours) == [key for key in theirs if theirs[key] != ()]
    for key in ours:
        mine, reference = ours[key], theirs[key]
        if key == "past_key_values":
            reference = getattr(reference, "self_attention_cache", reference)
            mine = [tensor for layer in mine for tensor in layer[:2]]
            reference = [tensor for layer in reference.layers for tensor in (layer.keys, layer.values)]
        mine, reference = (x if isinstance(x, (tuple, list)) else (x,) for x in (mine, reference))
        assert len(mine) == len(reference), key
        for a, b in zip(mine, reference, strict=True):
            assert a.numel() == b.numel()
            close = torch.testing.assert_close
            close(a, b.view(a.shape), **CLOSE, msg=lambda text, key=key: f"{key}: {text}")


@parametrize_heads
@pytest.mark.parametrize("mask", [None, RIGHT, LEFT], ids=["unpadded", "right", "left"])
def test_forward_states_and_attentions(name, config, extra, labels, mask):
    ours, theirs = pair(name, config)
    inputs = inputs_for(extra, mask)
    with torch.no_grad():
        assert_same(ours(**inputs), theirs(**inputs))  # fused attention against the written-out one
        everything = {"output_hidden_states": True, "output_attentions": True}
        assert_same(ours(**inputs, **everything), theirs(**inputs, **everything))


@parametrize_heads
def test_loss_and_gradients(name, config, extra, labels):
    if not labels:
        pytest.skip("the bare model has no loss")
    ours, theirs = pair(name, config)
    for model in (ours, theirs):
        model.train()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
            if hasattr(module, "dropout_prob"):
                module.dropout_prob = 0.0
    inputs = inputs_for(extra, RIGHT)
    mine, reference = ours(**inputs, **labels), theirs(**inputs, **labels)
    for key in ("loss", "mc_loss"):
        if reference.get(key) is not None:
            torch.testing.assert_close(mine[key], reference[key], **CLOSE)
    (mine.loss + mine.get("mc_loss", 0)).backward()
    (reference.loss + reference.get("mc_loss", 0)).backward()
    gradients = {key: value.grad for key, value in theirs.named_parameters() if value.grad is not None}
    assert gradients.keys() == {key for key, value in ours.named_parameters() if value.grad is not None}
    for key, value in ours.named_parameters():
        if value.grad is not None:
            torch.testing.assert_close(value.grad, gradients[key], **CLOSE)


@parametrize_heads
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_half_precision(name, config, extra, labels, dtype):
    ours, theirs = pair(name, config, implementation="sdpa")
    inputs = inputs_for(extra, RIGHT)
    with torch.no_grad():
        mine, reference = ours.to(dtype)(**inputs), theirs.to(dtype)(**inputs)
    for key in mine:
        if key != "past_key_values":
            assert mine[key].dtype == dtype
            torch.testing.assert_close(mine[key], reference[key], rtol=0, atol=3e-2)


@parametrize_heads
def test_our_checkpoint_loads_in_the_reference(name, config, extra, labels, tmp_path):
    ours, _ = pair(name, config)
    ours.save_pretrained(tmp_path)
    theirs, info = getattr(transformers, name).from_pretrained(
        tmp_path, output_loading_info=True, attn_implementation="eager"
    )
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    inputs = inputs_for(extra, RIGHT)
    with torch.no_grad():
        assert_same(ours(**inputs), theirs.eval()(**inputs))


@parametrize_heads
def test_the_reference_checkpoint_loads_in_ours(name, config, extra, labels, tmp_path):
    _, theirs = pair(name, config)
    theirs.save_pretrained(tmp_path)
    ours, info = getattr(nanoformers, name).from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    inputs = inputs_for(extra, RIGHT)
    with torch.no_grad():
        assert_same(ours(**inputs), theirs(**inputs))


def test_old_checkpoint_of_the_base_model(tmp_path, caplog):
    """As `gpt2` is on the hub: no prefix, no head, and the causal masks as buffers."""
    _, theirs = pair("GPT2LMHeadModel", {})
    theirs.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    old = {
        name.removeprefix("transformer."): tensor for name, tensor in weights.items() if "lm_head" not in name
    }
    for layer in range(3):
        old[f"h.{layer}.attn.bias"] = torch.ones(40, 40).tril()[None, None]
        old[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    save_file(old, tmp_path / "model.safetensors", metadata={"format": "pt"})
    for name in ("GPT2LMHeadModel", "GPT2Model"):
        ours, info = getattr(nanoformers, name).from_pretrained(tmp_path, output_loading_info=True)
        assert not info["missing_keys"]
        assert not info["unexpected_keys"]
        reference = theirs if name == "GPT2LMHeadModel" else theirs.transformer
        with torch.no_grad():
            assert_same(ours(IDS), reference(IDS))
    assert not caplog.records


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 40), (5, 13)], ids=str)
def test_odd_sizes(shape):
    ours, theirs = pair("GPT2LMHeadModel", {}, implementation="sdpa")
    ids = torch.randint(3, 97, shape)
    with torch.no_grad():
        assert_same(ours(ids), theirs(ids))


@pytest.mark.parametrize("name", ["GPT2LMHeadModel", "GPT2ForSequenceClassification"])
@pytest.mark.parametrize("mask", [None, LEFT], ids=["unpadded", "left"])
def test_embeddings_and_positions_as_input(name, mask):
    ours, theirs = pair(name, {})
    embeds, positions = torch.randn(3, 11, 24), torch.arange(11).flip(0)[None]
    with torch.no_grad():
        inputs = {"inputs_embeds": embeds, "position_ids": positions, "attention_mask": mask}
        assert_same(ours(**inputs), theirs(**inputs))


def test_last_logits_only():
    ours, theirs = pair("GPT2LMHeadModel", {})
    with torch.no_grad():
        assert_same(ours(IDS, logits_to_keep=2), theirs(IDS, logits_to_keep=2))


CROSS = {"add_cross_attention": True}
ENCODER = torch.randn(3, 5, 24, generator=torch.Generator().manual_seed(2))
ENCODER_MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 1, 1, 0]])


@pytest.mark.parametrize("encoder_mask", [None, ENCODER_MASK], ids=["all", "masked"])
@pytest.mark.parametrize("mask", [None, RIGHT, LEFT], ids=["unpadded", "right", "left"])
def test_cross_attention(mask, encoder_mask):
    ours, theirs = pair("GPT2LMHeadModel", CROSS)
    inputs = {
        "input_ids": IDS,
        "attention_mask": mask,
        "encoder_hidden_states": ENCODER,
        "encoder_attention_mask": encoder_mask,
    }
    with torch.no_grad():
        everything = {"output_attentions": True, "output_hidden_states": True}
        assert_same(ours(**inputs, **everything), theirs(**inputs, **everything))
        assert_same(ours(**inputs), theirs(**inputs))


def test_cross_attention_gradients():
    ours, theirs = pair("GPT2LMHeadModel", CROSS)
    for model in (ours, theirs):
        model(IDS, encoder_hidden_states=ENCODER, labels=IDS).loss.backward()
    gradients = {key: value.grad for key, value in theirs.named_parameters()}
    for key, value in ours.named_parameters():
        torch.testing.assert_close(value.grad, gradients[key], **CLOSE)


@pytest.mark.parametrize("legacy", [False, True], ids=["cache", "tuples"])
@pytest.mark.parametrize("config", [{}, CROSS, {"scale_attn_by_inverse_layer_idx": True}], ids=str)
@pytest.mark.parametrize("steps", [[11], [1] * 11, [4, 1, 1, 5], [3, 8]], ids=str)
def test_decoding_with_a_cache(steps, config, legacy):
    """Step by step, left-padded rows of a batch give what the reference gives at once."""
    ours, theirs = pair("GPT2LMHeadModel", config)
    encoder = {"encoder_hidden_states": ENCODER} if config is CROSS else {}
    inputs = {"attention_mask": LEFT, "position_ids": places(LEFT)}
    with torch.no_grad():
        whole = theirs(IDS, **inputs, **encoder, use_cache=False).logits
        torch.testing.assert_close(ours(IDS, **inputs, **encoder).logits, whole, **CLOSE)
        past, pieces, end = None, [], 0
        for step in steps:
            start, end = end, end + step
            output = ours(
                IDS[:, start:end],
                attention_mask=LEFT[:, :end],
                position_ids=places(LEFT)[:, start:end],
                **encoder,
                past_key_values=past,
                use_cache=True,
            )
            past = output.past_key_values.to_legacy_cache() if legacy else output.past_key_values
            pieces.append(output.logits)
    visible = LEFT.bool()
    torch.testing.assert_close(torch.cat(pieces, 1)[visible], whole[visible], **CLOSE)


@pytest.mark.parametrize("config", [{}, CROSS], ids=["decoder", "cross attention"])
def test_steps_equal_the_references_steps(config):
    ours, theirs = pair("GPT2LMHeadModel", config)
    encoder = {"encoder_hidden_states": ENCODER} if config else {}
    past = None
    their_past: Any = DynamicCache()
    if config:
        their_past = EncoderDecoderCache(DynamicCache(), DynamicCache())
    with torch.no_grad():
        for token in IDS.split(1, dim=1):
            mine = ours(token, **encoder, past_key_values=past, use_cache=True)
            assert_same(mine, theirs(token, **encoder, past_key_values=their_past, use_cache=True))
            past = mine.past_key_values


@pytest.mark.parametrize("side", ["right", "left"])
def test_classification_finds_the_last_token(side):
    ours, _ = pair("GPT2ForSequenceClassification", {"num_labels": 5})
    mask = RIGHT if side == "right" else LEFT
    with torch.no_grad():
        batch = ours(**inputs_for({}, mask)).logits
        for row, visible in enumerate(mask.bool()):
            alone = ours(IDS[row, visible][None], token_type_ids=TYPES[row, visible][None]).logits
            torch.testing.assert_close(batch[row], alone[0], **CLOSE)


@pytest.mark.parametrize("config", [{}, {"num_labels": 4}, {"dtype": "float16", "n_inner": 50}], ids=str)
def test_configurations_are_interchangeable(config, tmp_path):
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    transformers.GPT2Config(**SHAPE | config).save_pretrained(tmp_path / "theirs")
    ours = nanoformers.GPT2Config.from_pretrained(tmp_path / "theirs")
    ours.save_pretrained(tmp_path / "ours")
    theirs = transformers.GPT2Config.from_pretrained(tmp_path / "ours")
    known = nanoformers.GPT2Config().to_dict().keys() & transformers.GPT2Config().to_dict().keys()
    for key in known - {"transformers_version"}:
        assert getattr(ours, key) == getattr(theirs, key), key
    assert str(ours.torch_dtype) == str(theirs.dtype)


GOLDEN = Path(__file__).parent / "golden"


def golden_module() -> Any:
    spec = importlib.util.spec_from_file_location("make_gpt2_heads", GOLDEN / "make_gpt2_heads.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = json.loads((GOLDEN / "gpt2_heads.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=[str({**case, "result": ""})[:60] for case in CASES])
def test_masked_and_pruned_heads(case, tmp_path):
    """What release 4 of the reference computed; its release 5 has neither."""
    golden = golden_module()
    model = nanoformers.GPT2Model(nanoformers.GPT2Config(**golden.SHAPE, **case.get("config", {}))).eval()
    golden.give_weights(model)
    for heads in case.get("prune", []):
        model.prune_heads({int(layer): numbers for layer, numbers in heads.items()})
    inputs: dict[str, Any] = {}
    if "head_mask" in case:
        inputs["head_mask"] = torch.tensor(case["head_mask"])
    if case.get("encoder"):
        inputs["encoder_hidden_states"] = golden.encoder_states()
    expected = case["result"]
    shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
    assert shapes == expected["shapes"]
    model.save_pretrained(tmp_path)  # the configuration remembers what was pruned
    for same in (model, nanoformers.GPT2Model.from_pretrained(tmp_path)):
        with torch.no_grad():
            output = same(golden.tokens(), **inputs, output_attentions=True)
        for name, mine in (
            ("last_hidden_state", output.last_hidden_state),
            ("attentions", output.attentions[-1]),
        ):
            torch.testing.assert_close(mine, torch.tensor(expected[name]), **CLOSE)
