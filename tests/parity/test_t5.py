"""T5 against the reference library: same names, same numbers, same files."""

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

SHAPE = {
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
}
CLOSE = {"rtol": 0, "atol": 1e-5}

IDS = torch.randint(2, 97, (3, 11), generator=torch.Generator().manual_seed(0))
IDS[:, -1] = 1
RIGHT = torch.tensor([[1] * 11, [1] * 7 + [0] * 4, [1] + [0] * 10])
LEFT = RIGHT.flip(1)
TARGET = torch.randint(2, 97, (3, 6), generator=torch.Generator().manual_seed(1))
TARGET_RIGHT = torch.tensor([[1] * 6, [1] * 4 + [0] * 2, [1] * 1 + [0] * 5])
LABELS = torch.where(TARGET_RIGHT == 1, TARGET, -100)

KINDS = {
    "relu-tied": {"feed_forward_proj": "relu"},
    "gated-gelu-untied": {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    "gated-silu-tied": {"feed_forward_proj": "gated-silu"},
}
# class, configuration, what it takes beside input_ids, labels
HEADS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("T5Model", {}, {"decoder_input_ids": TARGET}, {}),
    ("T5ForConditionalGeneration", {}, {"decoder_input_ids": TARGET}, {"labels": LABELS}),
    ("T5EncoderModel", {}, {}, {}),
    ("T5ForSequenceClassification", {"num_labels": 5}, {}, {"labels": torch.tensor([0, 4, 2])}),
    ("T5ForSequenceClassification", {"num_labels": 1}, {}, {"labels": torch.tensor([0.5, -1.0, 2.0])}),
    (
        "T5ForSequenceClassification",
        {"num_labels": 3, "problem_type": "multi_label_classification"},
        {},
        {"labels": torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])},
    ),
    ("T5ForTokenClassification", {"num_labels": 7}, {}, {"labels": IDS.clamp(max=6)}),
    (
        "T5ForQuestionAnswering",
        {},
        {},
        {"start_positions": torch.tensor([0, 3, 11]), "end_positions": torch.tensor([4, 200, 11])},
    ),
]
NAMES = [
    f"{name}-{config.get('problem_type', config.get('num_labels', ''))}".rstrip("-")
    for name, config, _, _ in HEADS
]
parametrize_heads = pytest.mark.parametrize(("name", "config", "extra", "labels"), HEADS, ids=NAMES)
parametrize_kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("transformers").setLevel(logging.ERROR)


def pair(name: str, config: dict[str, Any], implementation: str = "eager") -> tuple[Any, Any]:
    """Our model and the reference's, with the same weights, in evaluation mode."""
    torch.manual_seed(1)
    theirs = getattr(transformers, name)._from_config(
        transformers.T5Config(**SHAPE, **config), attn_implementation=implementation
    )
    if hasattr(theirs, "lm_head") and config.get("tie_word_embeddings") is False:
        # today's reference ties them in the end, unless a checkpoint has two
        theirs.lm_head.weight = torch.nn.Parameter(torch.randn_like(theirs.lm_head.weight))
    for parameter in theirs.parameters():  # norms too, so that a mix-up of names shows
        parameter.data.mul_(0.6).add_(torch.randn_like(parameter) * 0.05)
    ours = getattr(nanoformers, name)(nanoformers.T5Config(**SHAPE, **config))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    return ours.eval(), theirs.eval()


def assert_same(ours: Any, theirs: Any, **tolerance: float) -> None:
    # today's reference keeps an empty tuple of cross attentions in models that have none
    assert list(ours) == [key for key in theirs if theirs[key] != ()]
    for key in ours:
        mine, reference = ours[key], theirs[key]
        if key == "past_key_values":
            continue
        mine, reference = (x if isinstance(x, tuple) else (x,) for x in (mine, reference))
        assert len(mine) == len(reference), key
        for a, b in zip(mine, reference, strict=True):
            assert a.shape == b.shape
            torch.testing.assert_close(
                a, b, **(CLOSE | tolerance), msg=lambda text, key=key: f"{key}: {text}"
            )


@parametrize_kinds
@parametrize_heads
def test_forward_states_and_attentions(name, config, extra, labels, kind):
    ours, theirs = pair(name, config | KINDS[kind])
    everything = {"output_hidden_states": True, "output_attentions": True}
    for mask in (None, RIGHT, LEFT):
        inputs = {"input_ids": IDS, "attention_mask": mask, **extra}
        with torch.no_grad():
            reference = theirs(**inputs, **everything)
            assert_same(ours(**inputs, **everything), reference)
            fused = ours(**inputs)  # the fused kernel, where nobody wants to see the weights
        for key in fused.keys() - {"past_key_values"}:
            torch.testing.assert_close(fused[key], reference[key], **CLOSE)


@parametrize_kinds
@pytest.mark.parametrize(
    ("name", "config", "extra", "labels"),
    [head for head in HEADS if head[3]],
    ids=[name for name, head in zip(NAMES, HEADS, strict=True) if head[3]],
)
def test_loss_and_gradients(name, config, extra, labels, kind):
    ours, theirs = pair(name, config | KINDS[kind])
    inputs = {"input_ids": IDS, "attention_mask": RIGHT}
    mine, reference = ours(**inputs, **labels), theirs(**inputs, **labels)
    torch.testing.assert_close(mine.loss, reference.loss, **CLOSE)
    mine.loss.backward()
    reference.loss.backward()
    gradients = {key: value.grad for key, value in theirs.named_parameters() if value.grad is not None}
    assert gradients.keys() == {key for key, value in ours.named_parameters() if value.grad is not None}
    for key, value in ours.named_parameters():
        if value.grad is not None:
            torch.testing.assert_close(value.grad, gradients[key], rtol=1e-4, atol=1e-5, msg=key)


@parametrize_heads
def test_tuples(name, config, extra, labels):
    ours, theirs = pair(name, config)
    inputs = {"input_ids": IDS, "attention_mask": RIGHT, "output_hidden_states": True, **extra, **labels}
    with torch.no_grad():
        mine, reference = ours(**inputs, return_dict=False), theirs(**inputs, return_dict=False)
    # where nothing is, today's reference has an empty tuple of cross attentions
    reference = [value for value in reference if not (isinstance(value, tuple) and value == ())]
    assert len(mine) == len(reference)
    for a, b in zip(mine, reference, strict=True):
        if isinstance(a, torch.Tensor):
            torch.testing.assert_close(a, b, **CLOSE)


@parametrize_heads
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_half_precision(name, config, extra, labels, dtype):
    ours, theirs = pair(name, config, implementation="sdpa")
    inputs = {"input_ids": IDS, "attention_mask": RIGHT, **extra}
    with torch.no_grad():
        mine, reference = ours.to(dtype)(**inputs), theirs.to(dtype)(**inputs)
    for key in mine:
        if key != "past_key_values":
            assert mine[key].dtype == dtype
            rtol = 1e-2 if dtype == torch.float16 else 8e-2
            torch.testing.assert_close(mine[key], reference[key], rtol=rtol, atol=rtol)


@parametrize_kinds
def test_a_float16_checkpoint_keeps_what_overflows_in_float32(kind, tmp_path):
    ours, _ = pair("T5ForConditionalGeneration", KINDS[kind])
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
    ours, theirs = pair("T5EncoderModel", {}, implementation="sdpa")
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


@pytest.mark.parametrize("kind", ["relu-tied", "gated-gelu-untied"])
@parametrize_heads
def test_our_checkpoint_loads_in_the_reference(name, config, extra, labels, kind, tmp_path):
    ours, _ = pair(name, config | KINDS[kind])
    ours.save_pretrained(tmp_path)
    theirs, info = getattr(transformers, name).from_pretrained(
        tmp_path, output_loading_info=True, attn_implementation="eager"
    )
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    inputs = {"input_ids": IDS, "attention_mask": RIGHT, **extra}
    with torch.no_grad():
        assert_same(ours(**inputs), theirs.eval()(**inputs))


@pytest.mark.parametrize("kind", ["relu-tied", "gated-gelu-untied"])
@parametrize_heads
def test_the_reference_checkpoint_loads_in_ours(name, config, extra, labels, kind, tmp_path):
    _, theirs = pair(name, config | KINDS[kind])
    theirs.save_pretrained(tmp_path)
    ours, info = getattr(nanoformers, name).from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    inputs = {"input_ids": IDS, "attention_mask": RIGHT, **extra}
    with torch.no_grad():
        assert_same(ours(**inputs), theirs(**inputs))


def test_an_older_checkpoint(tmp_path, caplog):
    """Every name of the shared weight, and a bias that nothing uses."""
    ours, theirs = pair("T5ForConditionalGeneration", {})
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


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 40), (5, 13)], ids=str)
@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_odd_sizes(shape, implementation):
    ours, theirs = pair("T5Model", {}, implementation)
    ids, target = torch.randint(1, 97, shape), torch.randint(1, 97, (shape[0], 23 - shape[1] // 2))
    with torch.no_grad():
        assert_same(ours(ids, decoder_input_ids=target), theirs(ids, decoder_input_ids=target))


def test_written_out_attention():
    _, theirs = pair("T5ForConditionalGeneration", {})
    config = nanoformers.T5Config(**SHAPE, attn_implementation="eager")
    ours = nanoformers.T5ForConditionalGeneration(config).eval()
    ours.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        inputs = {"input_ids": IDS, "attention_mask": LEFT, "decoder_input_ids": TARGET}
        assert_same(ours(**inputs), theirs(**inputs))


@pytest.mark.parametrize("side", ["right", "left"])
def test_padding_in_the_decoder(side):
    ours, theirs = pair("T5ForConditionalGeneration", {})
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


def test_embeddings_as_input():
    ours, theirs = pair("T5Model", {})
    inputs = {"inputs_embeds": torch.randn(2, 6, 24), "decoder_inputs_embeds": torch.randn(2, 4, 24)}
    with torch.no_grad():
        assert_same(ours(**inputs), theirs(**inputs))


@pytest.mark.parametrize("form", ["output", "tuple", "list"])
def test_states_of_the_encoder_as_input(form):
    ours, theirs = pair("T5ForConditionalGeneration", {})
    with torch.no_grad():
        whole = theirs(input_ids=IDS, attention_mask=RIGHT, decoder_input_ids=TARGET)
        encoded: Any = ours.get_encoder()(IDS, attention_mask=RIGHT)
        if form != "output":
            encoded = {"tuple": tuple, "list": list}[form](encoded.to_tuple())
        mine = ours(encoder_outputs=encoded, attention_mask=RIGHT, decoder_input_ids=TARGET)
        assert_same(mine, whole)


@parametrize_kinds
@pytest.mark.parametrize("steps", [[6], [1] * 6, [3, 1, 2]], ids=str)
def test_decoding_with_a_cache(kind, steps):
    ours, theirs = pair("T5ForConditionalGeneration", KINDS[kind])
    with torch.no_grad():
        whole = theirs(IDS, attention_mask=LEFT, decoder_input_ids=TARGET, use_cache=False).logits
        encoded = ours.encoder(IDS, attention_mask=LEFT)
        past, pieces, end = None, [], 0
        for step in steps:
            output = ours(
                encoder_outputs=encoded,
                attention_mask=LEFT,
                decoder_input_ids=TARGET[:, end : end + step],
                past_key_values=past,
                use_cache=True,
            )
            past, end = output.past_key_values, end + step
            pieces.append(output.logits)
        now = ours(IDS, attention_mask=LEFT, decoder_input_ids=TARGET, use_cache=False).logits
    torch.testing.assert_close(torch.cat(pieces, 1), whole, **CLOSE)
    torch.testing.assert_close(now, whole, **CLOSE)


def test_decoding_far_beyond_the_buckets():
    ours, theirs = pair("T5ForConditionalGeneration", {}, implementation="sdpa")
    target = torch.randint(2, 97, (2, 40))
    with torch.no_grad():
        whole = theirs(IDS[:2], decoder_input_ids=target, use_cache=False).logits
        past, pieces = None, []
        for place in range(40):
            output = ours(IDS[:2], decoder_input_ids=target[:, [place]], past_key_values=past, use_cache=True)
            past = output.past_key_values
            pieces.append(output.logits)
    torch.testing.assert_close(torch.cat(pieces, 1), whole, **CLOSE)


FOLDER = Path(__file__).parent / "golden"
GOLDEN = json.loads((FOLDER / "t5_heads.json").read_text(encoding="utf-8"))


def golden_module() -> Any:
    """The script that made the file: it knows the weights and the inputs."""
    spec = importlib.util.spec_from_file_location("make_t5_heads", FOLDER / "make_t5_heads.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: "-".join(case.get("masks", ["pruned"])))
def test_masked_and_pruned_heads(case, tmp_path):
    golden = golden_module()
    model = nanoformers.T5Model(nanoformers.T5Config(**GOLDEN["shape"])).eval()
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


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"num_decoder_layers": 4, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
        {"feed_forward_proj": "gated-silu", "dtype": "float16", "classifier_dropout": 0.25, "num_labels": 4},
        {"feed_forward_proj": "gelu", "decoder_start_token_id": 0, "eos_token_id": 7},
    ],
    ids=str,
)
def test_configurations_are_interchangeable(config, tmp_path):
    transformers.T5Config(**config).save_pretrained(tmp_path / "theirs")
    ours = nanoformers.T5Config.from_pretrained(tmp_path / "theirs")
    assert ours == nanoformers.T5Config(**config)
    ours.save_pretrained(tmp_path / "ours")
    theirs = transformers.T5Config.from_pretrained(tmp_path / "ours")
    # today's reference always ties, and says otherwise what that used to mean
    assert theirs.scale_decoder_outputs == ours.tie_word_embeddings
    known = ours.to_dict().keys() & theirs.to_dict().keys()
    for key in known - {"transformers_version", "tie_word_embeddings"}:
        assert getattr(ours, key) == getattr(theirs, key), key
    for common, own in ours.attribute_map.items():
        assert getattr(ours, common) == getattr(theirs, own)
    assert str(ours.torch_dtype) == str(theirs.dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_that_a_file_leaves_out_are_the_embeddings(kind, tmp_path):
    # whatever the release, the reference trains one weight, and writes it once
    theirs = transformers.T5ForConditionalGeneration(transformers.T5Config(**SHAPE, **KINDS[kind])).eval()
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
    shape = SHAPE | {"d_model": 80, "d_kv": 24, "d_ff": 150, "vocab_size": 300, "initializer_factor": 0.8}
    kind = {"feed_forward_proj": "gated-gelu", "num_labels": 40}
    for name in ("T5ForConditionalGeneration", "T5ForSequenceClassification", "T5ForTokenClassification"):
        torch.manual_seed(0)
        ours = getattr(nanoformers, name)(nanoformers.T5Config(**shape, **kind))
        expected = getattr(transformers, name)(transformers.T5Config(**shape, **kind)).state_dict()
        for key, value in ours.state_dict().items():
            if value.numel() > 1000:
                torch.testing.assert_close(value.std(), expected[key].std(), rtol=0.06, atol=0, msg=key)
            elif "norm" in key or "bias" in key.rsplit(".")[-1]:
                assert torch.equal(value, expected[key])


def test_untied_scores_start_as_wide_as_embeddings():
    config = nanoformers.T5Config(**SHAPE, tie_word_embeddings=False)
    assert 0.9 < nanoformers.T5ForConditionalGeneration(config).lm_head.weight.std() < 1.1
