"""T5 against the reference library: same names, same numbers, same files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import nanoformers
import pytest
import torch
import transformers
from architecture_tests import CLOSE, GOLDEN, ArchitectureTests, DecodingTests, assert_same, golden_module
from architectures import ANSWERS, LEFT, RIGHT, Architecture, Head, sequence_classification
from safetensors.torch import load_file, save_file

TARGET = torch.randint(2, 97, (3, 6), generator=torch.Generator().manual_seed(1))
TARGET_RIGHT = torch.tensor([[1] * 6, [1] * 4 + [0] * 2, [1] * 1 + [0] * 5])
LABELS = {"labels": torch.where(TARGET_RIGHT == 1, TARGET, -100)}
KINDS: dict[str, dict[str, Any]] = {
    "relu-tied": {"feed_forward_proj": "relu"},
    "gated-gelu-untied": {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    "gated-silu-tied": {"feed_forward_proj": "gated-silu"},
}
parametrize_kinds = pytest.mark.parametrize("kind", KINDS)
HEADS = [
    Head("T5Model", decodes=True),
    Head("T5ForConditionalGeneration", labels=LABELS, decodes=True),
    Head("T5EncoderModel"),
    *sequence_classification("T5ForSequenceClassification"),
    Head("T5ForTokenClassification", {"num_labels": 7}, labels={"labels": torch.arange(33).view(3, 11) % 7}),
    Head("T5ForQuestionAnswering", labels=ANSWERS),
]


def in_all_kinds(heads: list[Head]) -> list[Head]:
    return [replace(head, config={**head.config, **kind}) for head in heads for kind in KINDS.values()]


def prepare(model: Any, config: Mapping[str, Any]) -> None:
    """Weights of a moderate size, and two of them where ours are two."""
    if hasattr(model, "lm_head") and config.get("tie_word_embeddings") is False:
        # today's reference ties them in the end, unless a checkpoint has two
        model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight))
    for parameter in model.parameters():
        parameter.data.mul_(0.6)


T5 = Architecture(
    config="T5Config",
    shape={
        "vocab_size": 97,
        "d_model": 24,
        "d_kv": 5,
        "d_ff": 37,
        "num_layers": 3,
        "num_decoder_layers": 2,
        "num_heads": 4,
        "relative_attention_num_buckets": 8,
        "relative_attention_max_distance": 14,
        "decoder_start_token_id": 0,
    },
    heads=in_all_kinds(HEADS),
    configurations=[
        {},
        {"num_decoder_layers": 4, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
        {"feed_forward_proj": "gated-silu", "dtype": "float16", "classifier_dropout": 0.25, "num_labels": 4},
        {"feed_forward_proj": "gelu", "decoder_start_token_id": 0, "eos_token_id": 7},
    ],
    spelled_otherwise=["tie_word_embeddings"],
    ends_with=1,
    prepare=prepare,
    half_precision={
        torch.float16: {"rtol": 1e-2, "atol": 1e-2},
        torch.bfloat16: {"rtol": 8e-2, "atol": 8e-2},
    },
)
IDS = T5.tokens(3, 11)


class TestT5(ArchitectureTests):
    architecture = T5


class TestT5AsDecoder(DecodingTests):
    architecture = T5
    decoders = in_all_kinds([Head("T5ForConditionalGeneration", decodes=True)])


@parametrize_kinds
def test_a_float16_checkpoint_keeps_what_overflows_in_float32(kind, tmp_path):
    ours, _ = T5.pair("T5ForConditionalGeneration", KINDS[kind])
    ours.save_pretrained(tmp_path)
    inputs = {"input_ids": IDS, "attention_mask": LEFT, "decoder_input_ids": TARGET}
    for dtype in (torch.float16, torch.bfloat16):
        mine = nanoformers.T5ForConditionalGeneration.from_pretrained(tmp_path, torch_dtype=dtype)
        reference = transformers.T5ForConditionalGeneration.from_pretrained(tmp_path, dtype=dtype)
        types = {name: parameter.dtype for name, parameter in reference.named_parameters()}
        assert {name: parameter.dtype for name, parameter in mine.named_parameters()} == types
        assert (torch.float32 in types.values()) == (dtype == torch.float16)
        with torch.no_grad():
            a, b = mine(**inputs), reference(**inputs)
        assert a.logits.dtype == b.logits.dtype
        rtol = 1e-2 if dtype == torch.float16 else 8e-2
        torch.testing.assert_close(a.logits, b.logits, rtol=rtol, atol=rtol)


def test_float16_that_overflows():
    ours, theirs = T5.pair("T5EncoderModel", attention="sdpa")
    embeds = torch.full((1, 3, 24), 60000.0, dtype=torch.float16)
    for model in (ours, theirs):
        model.half()
        model.encoder.block[0].layer[1].DenseReluDense.wo.weight.data.fill_(100.0)
        model.encoder.block[0].layer[1].DenseReluDense.wi.weight.data.fill_(100.0)
    with torch.no_grad():
        mine = ours(inputs_embeds=embeds, output_hidden_states=True)
        reference = theirs(inputs_embeds=embeds, output_hidden_states=True)
    assert mine.hidden_states[1].abs().max() == torch.finfo(torch.float16).max - 1000
    torch.testing.assert_close(mine.hidden_states[1], reference.hidden_states[1])


def test_an_older_checkpoint(tmp_path, caplog):
    """Every name of the shared weight, and a bias that nothing uses."""
    ours, theirs = T5.pair("T5ForConditionalGeneration")
    ours.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    weights["encoder.embed_tokens.weight"] = weights["shared.weight"].clone()
    weights["decoder.embed_tokens.weight"] = weights["shared.weight"].clone()
    weights["lm_head.weight"] = weights["shared.weight"].clone()
    weights["decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"] = torch.zeros(8, 4)
    save_file(weights, file, metadata={"format": "pt"})
    again, info = nanoformers.T5ForConditionalGeneration.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    assert again.lm_head.weight is again.shared.weight is again.decoder.embed_tokens.weight
    encoder, info = nanoformers.T5EncoderModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    assert info["unexpected_keys"] == ["lm_head.weight"]
    with torch.no_grad():
        inputs = {"input_ids": IDS, "decoder_input_ids": TARGET}
        assert_same(again(**inputs), theirs(**inputs))
        states = theirs.encoder(IDS).last_hidden_state
        torch.testing.assert_close(encoder(IDS).last_hidden_state, states, **CLOSE)


def test_written_out_attention():
    _, theirs = T5.pair("T5ForConditionalGeneration")
    config = T5.configure(nanoformers, attn_implementation="eager")
    ours = nanoformers.T5ForConditionalGeneration(config).eval()
    ours.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        inputs = {"input_ids": IDS, "attention_mask": LEFT, "decoder_input_ids": TARGET}
        assert_same(ours(**inputs), theirs(**inputs))


@pytest.mark.parametrize("side", ["right", "left"])
def test_padding_in_the_decoder(side):
    ours, theirs = T5.pair("T5ForConditionalGeneration")
    mask = TARGET_RIGHT if side == "right" else TARGET_RIGHT.flip(1)
    inputs = {
        "input_ids": IDS,
        "attention_mask": LEFT,
        "decoder_input_ids": TARGET,
        "decoder_attention_mask": mask,
    }
    with torch.no_grad():
        mine, reference = ours(**inputs).logits, theirs(**inputs).logits
    visible = mask.bool()  # what a padded place gives depends on the kernel
    torch.testing.assert_close(mine[visible], reference[visible], **CLOSE)


@pytest.mark.parametrize("form", ["output", "tuple", "list"])
def test_states_of_the_encoder_as_input(form):
    ours, theirs = T5.pair("T5ForConditionalGeneration")
    with torch.no_grad():
        whole = theirs(input_ids=IDS, attention_mask=RIGHT, decoder_input_ids=TARGET)
        encoded: Any = ours.get_encoder()(IDS, attention_mask=RIGHT)
        if form != "output":
            encoded = {"tuple": tuple, "list": list}[form](encoded.to_tuple())
        mine = ours(encoder_outputs=encoded, attention_mask=RIGHT, decoder_input_ids=TARGET)
        assert_same(mine, whole)


def test_decoding_far_beyond_the_buckets():
    ours, theirs = T5.pair("T5ForConditionalGeneration", attention="sdpa")
    target = torch.randint(2, 97, (2, 40))
    with torch.no_grad():
        whole = theirs(IDS[:2], decoder_input_ids=target, use_cache=False).logits
        past, pieces = None, []
        for place in range(40):
            output = ours(IDS[:2], decoder_input_ids=target[:, [place]], past_key_values=past, use_cache=True)
            past = output.past_key_values
            pieces.append(output.logits)
    torch.testing.assert_close(torch.cat(pieces, 1), whole, **CLOSE)


RECORDED = json.loads((GOLDEN / "t5_heads.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: "-".join(case.get("masks", ["pruned"])))
def test_masked_and_pruned_heads(case, tmp_path):
    golden = golden_module("make_t5_heads")
    model = nanoformers.T5Model(nanoformers.T5Config(**RECORDED["shape"])).eval()
    golden.give_weights(model)
    for heads in case.get("prune", []):
        model.prune_heads({int(layer): numbers for layer, numbers in heads.items()})
    masks = {name: torch.tensor(mask) for name, mask in case.get("masks", {}).items()}
    model.save_pretrained(tmp_path)
    for same in (model, nanoformers.T5Model.from_pretrained(tmp_path)):
        with torch.no_grad():
            output = same(**golden.inputs(), **masks, output_attentions=True)
            fused = same(**golden.inputs(), **masks)
        torch.testing.assert_close(fused.last_hidden_state, output.last_hidden_state, **CLOSE)
        for name, numbers in case["output"].items():
            value = output[name][-1] if name.endswith("attentions") else output[name]
            torch.testing.assert_close(value.flatten(), torch.tensor(numbers), **CLOSE)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_that_a_file_leaves_out_are_the_embeddings(kind, tmp_path):
    # whatever the release, the reference trains one weight, and writes it once
    theirs = transformers.T5ForConditionalGeneration(T5.configure(transformers, **KINDS[kind])).eval()
    theirs.save_pretrained(tmp_path / "theirs")
    for part in ("theirs", "ours"):
        ours, info = nanoformers.T5ForConditionalGeneration.from_pretrained(
            tmp_path / part, output_loading_info=True
        )
        assert info["missing_keys"] == info["unexpected_keys"] == []
        inputs = {"input_ids": torch.tensor([[5, 6, 1]]), "labels": torch.tensor([[7, 8, 1]])}
        torch.testing.assert_close(ours(**inputs).logits, theirs(**inputs).logits, **CLOSE)
        ours.save_pretrained(tmp_path / "ours")
    again = transformers.T5ForConditionalGeneration.from_pretrained(tmp_path / "ours")
    torch.testing.assert_close(again(**inputs).logits, theirs(**inputs).logits, **CLOSE)


def test_random_weights_are_spread_alike():
    wider = {"d_model": 80, "d_kv": 24, "d_ff": 150, "vocab_size": 300, "initializer_factor": 0.8}
    config = {**wider, "feed_forward_proj": "gated-gelu", "num_labels": 40}
    for name in ("T5ForConditionalGeneration", "T5ForSequenceClassification", "T5ForTokenClassification"):
        torch.manual_seed(0)
        ours = getattr(nanoformers, name)(T5.configure(nanoformers, **config))
        expected = getattr(transformers, name)(T5.configure(transformers, **config)).state_dict()
        for key, value in ours.state_dict().items():
            if value.numel() > 1000:
                torch.testing.assert_close(value.std(), expected[key].std(), rtol=0.06, atol=0, msg=key)
            elif "norm" in key or "bias" in key.rsplit(".")[-1]:
                assert torch.equal(value, expected[key])


def test_untied_scores_start_as_wide_as_embeddings():
    config = T5.configure(nanoformers, tie_word_embeddings=False)
    assert 0.9 < nanoformers.T5ForConditionalGeneration(config).lm_head.weight.std() < 1.1
