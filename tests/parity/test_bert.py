"""BERT against the reference library: same names, same numbers, same files."""

from __future__ import annotations

import logging
from typing import Any

import nanoformers
import pytest
import torch
import transformers
from classroom.sources import minilm_folder

SHAPE = {
    "vocab_size": 97,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 40,
}
CLOSE = {"rtol": 0, "atol": 1e-5}

IDS = torch.randint(1, 97, (3, 11), generator=torch.Generator().manual_seed(0))
RIGHT = torch.tensor([[1] * 11, [1] * 7 + [0] * 4, [1] + [0] * 10])
LEFT = RIGHT.flip(1)
TYPES = torch.tensor([[0] * 5 + [1] * 6] * 3)
TOKENS = torch.where(RIGHT == 1, IDS, -100)

# class, configuration, extra inputs, labels
HEADS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("BertModel", {}, {}, {}),
    (
        "BertForPreTraining",
        {},
        {},
        {"labels": TOKENS, "next_sentence_label": torch.tensor([0, 1, 1])},
    ),
    ("BertLMHeadModel", {"is_decoder": True}, {}, {"labels": TOKENS}),
    ("BertForMaskedLM", {}, {}, {"labels": TOKENS}),
    ("BertForNextSentencePrediction", {}, {}, {"labels": torch.tensor([0, 1, 1])}),
    ("BertForSequenceClassification", {"num_labels": 5}, {}, {"labels": torch.tensor([0, 4, 2])}),
    ("BertForSequenceClassification", {"num_labels": 1}, {}, {"labels": torch.tensor([0.5, -1.0, 2.0])}),
    (
        "BertForSequenceClassification",
        {"num_labels": 3, "problem_type": "multi_label_classification"},
        {},
        {"labels": torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])},
    ),
    (
        "BertForSequenceClassification",
        {"num_labels": 3, "problem_type": "regression"},
        {},
        {"labels": torch.tensor([[0.1, 1.0, 1.5], [0.0, -2.0, 0.0], [1.0, 0.0, 1.0]])},
    ),
    ("BertForMultipleChoice", {}, {"choices": True}, {"labels": torch.tensor([2])}),
    ("BertForTokenClassification", {"num_labels": 7}, {}, {"labels": TOKENS.clamp(max=6)}),
    (
        "BertForQuestionAnswering",
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


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("transformers").setLevel(logging.ERROR)


def pair(name: str, config: dict[str, Any], implementation: str = "eager") -> tuple[Any, Any]:
    """Our model and the reference's, with the same weights, in evaluation mode."""
    torch.manual_seed(1)
    theirs = getattr(transformers, name)._from_config(
        transformers.BertConfig(**SHAPE, **config), attn_implementation=implementation
    )
    for parameter in theirs.parameters():  # biases and layer norms too, so that a mix-up of names shows
        parameter.data.add_(torch.randn_like(parameter) * 0.05)
    ours = getattr(nanoformers, name)(nanoformers.BertConfig(**SHAPE, **config))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    return ours.eval(), theirs.eval()


def inputs_for(extra: dict[str, Any], mask: torch.Tensor | None) -> dict[str, Any]:
    inputs = {"input_ids": IDS, "token_type_ids": TYPES}
    if mask is not None:
        inputs["attention_mask"] = mask
    return {key: value[None] for key, value in inputs.items()} if extra.get("choices") else inputs


def assert_same(ours: Any, theirs: Any) -> None:
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
            torch.testing.assert_close(a, b, **CLOSE, msg=lambda text, key=key: f"{key}: {text}")


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
    inputs = inputs_for(extra, RIGHT)
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
def test_tuples(name, config, extra, labels):
    ours, theirs = pair(name, config)
    inputs = inputs_for(extra, RIGHT) | labels | {"output_hidden_states": True}
    with torch.no_grad():
        mine, reference = ours(**inputs, return_dict=False), theirs(**inputs, return_dict=False)
    assert len(mine) == len(reference)
    assert [type(value) for value in mine if not isinstance(value, torch.Tensor)][-1] is tuple
    for a, b in zip(mine, reference, strict=True):
        if isinstance(a, torch.Tensor):
            torch.testing.assert_close(a, b, **CLOSE)


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
            torch.testing.assert_close(mine[key], reference[key], rtol=0, atol=2e-2)


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
    assert not any(info.values())
    inputs = inputs_for(extra, RIGHT)
    with torch.no_grad():
        assert_same(ours(**inputs), theirs(**inputs))


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 40), (5, 13)], ids=str)
def test_odd_sizes(shape):
    ours, theirs = pair("BertModel", {}, implementation="sdpa")
    ids = torch.randint(1, 97, shape)
    with torch.no_grad():
        assert_same(ours(ids), theirs(ids))


def test_three_dimensional_mask():
    ours, theirs = pair("BertModel", {}, implementation="eager")
    mask = torch.ones(11, 11).tril()[None].expand(3, -1, -1)
    with torch.no_grad():
        # today's reference wants the heads' dimension and the added form; ours takes the documented shape
        reference = theirs(IDS, attention_mask=(1 - mask[:, None]) * torch.finfo(torch.float32).min)
        assert_same(ours(IDS, attention_mask=mask), reference)


def test_embeddings_and_positions_as_input():
    ours, theirs = pair("BertModel", {})
    embeds, positions = torch.randn(2, 6, 24), torch.arange(6).flip(0)[None]
    with torch.no_grad():
        inputs = {"inputs_embeds": embeds, "position_ids": positions}
        assert_same(ours(**inputs), theirs(**inputs))


DECODER = {"is_decoder": True, "add_cross_attention": True}


@pytest.mark.parametrize("mask", [None, RIGHT, LEFT], ids=["unpadded", "right", "left"])
def test_decoder_with_cross_attention(mask):
    ours, theirs = pair("BertLMHeadModel", DECODER)
    encoder = torch.randn(3, 5, 24)
    encoder_mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 1, 1, 0]])
    inputs = {
        "input_ids": IDS,
        "attention_mask": mask,
        "encoder_hidden_states": encoder,
        "encoder_attention_mask": encoder_mask,
        "use_cache": False,
    }
    with torch.no_grad():
        mine = ours(**inputs, output_attentions=True, output_hidden_states=True)
        assert_same(mine, theirs(**inputs, output_attentions=True, output_hidden_states=True))
        torch.testing.assert_close(mine.logits, ours(**inputs).logits, **CLOSE)


@pytest.mark.parametrize("steps", [[11], [1] * 11, [4, 1, 1, 5], [3, 8]], ids=str)
def test_decoding_with_a_cache(steps):
    ours, theirs = pair("BertLMHeadModel", DECODER)
    encoder = torch.randn(3, 5, 24)
    with torch.no_grad():
        whole = theirs(IDS, attention_mask=LEFT, encoder_hidden_states=encoder, use_cache=False).logits
        past, pieces, end = None, [], 0
        for step in steps:
            piece, end = IDS[:, end : end + step], end + step
            output = ours(
                piece,
                attention_mask=LEFT[:, :end],
                encoder_hidden_states=encoder,
                past_key_values=past,
                use_cache=True,
            )
            past = output.past_key_values
            pieces.append(output.logits)
    visible = LEFT.bool()
    torch.testing.assert_close(torch.cat(pieces, 1)[visible], whole[visible], **CLOSE)


def test_the_real_minilm(tmp_path):
    folder = minilm_folder()
    ours, info = nanoformers.AutoModel.from_pretrained(folder, output_loading_info=True)
    theirs = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32)
    assert not any(info.values())
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    sentences = ["A dog runs.", "The cat sleeps on the warm mat beside the stove.", "Paris"]
    inputs = tokenizer(sentences, padding=True, return_tensors="pt")

    def embed(model: Any) -> torch.Tensor:
        with torch.no_grad():
            states = model(**inputs).last_hidden_state
        weight = inputs["attention_mask"][..., None]
        return torch.nn.functional.normalize((states * weight).sum(1) / weight.sum(1), dim=-1)

    torch.testing.assert_close(embed(ours), embed(theirs), **CLOSE)
    ours.save_pretrained(tmp_path)
    again = transformers.AutoModel.from_pretrained(tmp_path)
    torch.testing.assert_close(embed(again), embed(theirs), **CLOSE)


@pytest.mark.parametrize("config", [{}, {"num_labels": 4}, {"dtype": "float16", "is_decoder": True}], ids=str)
def test_configurations_are_interchangeable(config, tmp_path):
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    transformers.BertConfig(**SHAPE, **config).save_pretrained(tmp_path / "theirs")
    ours = nanoformers.BertConfig.from_pretrained(tmp_path / "theirs")
    ours.save_pretrained(tmp_path / "ours")
    theirs = transformers.BertConfig.from_pretrained(tmp_path / "ours")
    known = nanoformers.BertConfig().to_dict().keys() & transformers.BertConfig().to_dict().keys()
    for key in known - {"transformers_version"}:
        assert getattr(ours, key) == getattr(theirs, key), key
    assert str(ours.torch_dtype) == str(theirs.dtype)
