"""GPT-2 against the reference library: same names, same numbers, same files."""

from __future__ import annotations

import json
from typing import Any

import nanoformers
import pytest
import torch
from architecture_tests import CLOSE, GOLDEN, ArchitectureTests, DecodingTests, assert_same, golden_module
from architectures import (
    ANSWERS,
    LEFT,
    PADDED_STATES,
    RIGHT,
    STATES,
    TOKEN_CLASSES,
    TOKENS,
    Architecture,
    Head,
    sequence_classification,
    tokens_and_mask,
)
from safetensors.torch import load_file, save_file

CROSS = {"add_cross_attention": True}


TYPES = {"token_type_ids": torch.tensor([[3] * 5 + [4] * 6] * 3)}


def reads(ids: torch.Tensor, mask: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """Tokens alone, or with a mask: padding where it says so, places that do not count that, two types."""
    if mask is None:
        return {"input_ids": ids}
    padded = tokens_and_mask(torch.where(mask == 1, ids, 0), mask)
    return padded | TYPES | {"position_ids": (mask.cumsum(-1) - 1).clamp(min=0)}


# choices of which the reference wants all but the tokens as rows
CHOICES = {"input_ids": torch.arange(3, 36).view(1, 3, 11), "mc_token_ids": torch.tensor([[10, 6, 0]])}
MEAN = {"summary_type": "mean", "summary_activation": "tanh", "summary_proj_to_labels": False}
ROWS = {"labels": TOKENS["labels"][None], "mc_labels": torch.tensor([1])}

GPT2 = Architecture(
    config="GPT2Config",
    shape={
        "vocab_size": 97,
        "n_embd": 24,
        "n_layer": 3,
        "n_head": 4,
        "n_inner": 37,
        "n_positions": 40,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    },
    heads=[
        Head("GPT2Model"),
        Head("GPT2Model", inputs=TYPES),
        Head("GPT2Model", {"scale_attn_weights": False}),
        Head("GPT2Model", {"scale_attn_by_inverse_layer_idx": True, "reorder_and_upcast_attn": True}),
        Head("GPT2LMHeadModel", labels=TOKENS),
        Head("GPT2LMHeadModel", {"tie_word_embeddings": False, "n_inner": None}, labels=TOKENS),
        Head("GPT2LMHeadModel", CROSS, inputs=STATES, labels=TOKENS),
        Head("GPT2LMHeadModel", CROSS, inputs=PADDED_STATES, labels=TOKENS),
        Head("GPT2DoubleHeadsModel", inputs=CHOICES, labels=ROWS),
        Head("GPT2DoubleHeadsModel", MEAN, labels=TOKENS),
        *sequence_classification("GPT2ForSequenceClassification"),
        Head("GPT2ForTokenClassification", {"num_labels": 7}, labels=TOKEN_CLASSES),
        Head("GPT2ForQuestionAnswering", {"num_labels": 3}, labels=ANSWERS),
    ],
    configurations=[{}, {"num_labels": 4}, {"dtype": "float16", "n_inner": 50}],
    reads=reads,
    half_precision={torch.float16: {"atol": 1e-2}, torch.bfloat16: {"atol": 3e-2}},
)


class TestGPT2(ArchitectureTests):
    architecture = GPT2


class TestGPT2AsDecoder(DecodingTests):
    architecture = GPT2
    decoders = (
        Head("GPT2LMHeadModel"),
        Head("GPT2LMHeadModel", CROSS, inputs=STATES),
        Head("GPT2LMHeadModel", {"scale_attn_by_inverse_layer_idx": True}),
    )


def test_old_checkpoint_of_the_base_model(tmp_path, caplog):
    """As `gpt2` is on the hub: no prefix, no head, and the causal masks as buffers."""
    _, theirs = GPT2.pair("GPT2LMHeadModel")
    theirs.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    old = {
        name.removeprefix("transformer."): tensor for name, tensor in weights.items() if "lm_head" not in name
    }
    for layer in range(3):
        old[f"h.{layer}.attn.bias"] = torch.ones(40, 40).tril()[None, None]
        old[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    save_file(old, tmp_path / "model.safetensors", metadata={"format": "pt"})
    ids = GPT2.tokens(3, 11)
    for name in ("GPT2LMHeadModel", "GPT2Model"):
        ours, info = getattr(nanoformers, name).from_pretrained(tmp_path, output_loading_info=True)
        assert not info["missing_keys"]
        assert not info["unexpected_keys"]
        reference = theirs if name == "GPT2LMHeadModel" else theirs.transformer
        with torch.no_grad():
            assert_same(ours(ids), reference(ids))
    assert not caplog.records


@pytest.mark.parametrize("name", ["GPT2LMHeadModel", "GPT2ForSequenceClassification"])
@pytest.mark.parametrize("mask", [None, LEFT], ids=["unpadded", "left"])
def test_embeddings_and_positions_as_input(name, mask):
    ours, theirs = GPT2.pair(name)
    embeds, positions = torch.randn(3, 11, 24), torch.arange(11).flip(0)[None]
    with torch.no_grad():
        inputs = {"inputs_embeds": embeds, "position_ids": positions, "attention_mask": mask}
        assert_same(ours(**inputs), theirs(**inputs))


def test_last_logits_only():
    ours, theirs = GPT2.pair("GPT2LMHeadModel")
    ids = GPT2.tokens(3, 11)
    with torch.no_grad():
        assert_same(ours(ids, logits_to_keep=2), theirs(ids, logits_to_keep=2))


@pytest.mark.parametrize("side", ["right", "left"])
def test_classification_finds_the_last_token(side):
    ours, _ = GPT2.pair("GPT2ForSequenceClassification", {"num_labels": 5})
    mask = RIGHT if side == "right" else LEFT
    with torch.no_grad():
        batch = GPT2.reads(GPT2.tokens(3, 11), mask)
        logits = ours(**batch).logits
        for row, visible in enumerate(mask.bool()):
            alone = ours(
                **{name: batch[name][row, visible][None] for name in ("input_ids", "token_type_ids")}
            )
            torch.testing.assert_close(logits[row], alone.logits[0], **CLOSE)


CASES = json.loads((GOLDEN / "gpt2_heads.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=[str({**case, "result": ""})[:60] for case in CASES])
def test_masked_and_pruned_heads(case, tmp_path):
    """What release 4 of the reference computed; its release 5 has neither."""
    golden = golden_module("make_gpt2_heads")
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
