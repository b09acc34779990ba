"""The tests that all architectures pass, against the reference library.

A module of tests has an `Architecture`, a subclass of two lines for each class here, and what is special:

    BERT = Architecture(config="BertConfig", shape={...}, heads=[Head("BertModel"), ...])

    class TestBert(ArchitectureTests):
        architecture = BERT
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nanoformers
import pytest
import torch
import transformers
from architectures import LEFT, RIGHT, Architecture, Head

CLOSE: dict[str, Any] = {"rtol": 0, "atol": 1e-5}
GOLDEN = Path(__file__).parent / "golden"
MASKS = {"unpadded": None, "right": RIGHT, "left": LEFT}
SIZES = [(1, 1, 23), (2, 1, 23), (1, 40, 3), (5, 13, 17)]  # rows, tokens, tokens of the decoder


def assert_same(ours: Any, theirs: Any, **tolerance: float) -> None:
    """Two outputs or dictionaries have the same parts in the same order: tensors, tuples of them, caches."""
    # today's reference keeps an empty tuple of cross attentions in models that have none
    assert list(ours) == [name for name in theirs if theirs[name] != ()]
    mine, reference = (
        {place: tensor for name in ours for place, tensor in _tensors(name, output[name])}
        for output in (ours, theirs)
    )
    assert list(mine) == list(reference)
    for place, tensor in mine.items():
        torch.testing.assert_close(
            tensor, reference[place], **(CLOSE | tolerance), msg=lambda text, place=place: f"{place}: {text}"
        )


def _tensors(name: str, value: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of a part of an output, each with its place: `logits`, `attentions[2]`."""
    if isinstance(value, torch.Tensor):
        yield name, value
        return
    for index, item in enumerate(_layers(value) if isinstance(value, transformers.Cache) else value):
        yield from _tensors(f"{name}[{index}]", item)


def _layers(cache: Any) -> list[tuple[torch.Tensor, ...]]:
    """The reference's cache as ours reads: for each layer its keys and values, then those of the encoder."""
    if isinstance(cache, transformers.EncoderDecoderCache):
        caches = _layers(cache.self_attention_cache), _layers(cache.cross_attention_cache)
        return [own + encoder for own, encoder in zip(*caches, strict=True)]
    return [(layer.keys, layer.values) for layer in cache.layers]


def gradients(model: torch.nn.Module, output: Any) -> dict[str, torch.Tensor]:
    """The gradients of an output's losses, or of a weighted sum of its first part if it has none."""
    losses = [value for name, value in output.items() if name.endswith("loss")]
    if not losses:
        weights = torch.linspace(-1, 1, output[0].numel()).view_as(output[0])
        losses = [(output[0] * weights).sum()]
    torch.stack(losses).sum().backward()
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


def golden_module(name: str) -> Any:
    """The script that recorded a golden file: it knows the weights and the inputs."""
    spec = importlib.util.spec_from_file_location(name, GOLDEN / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class ArchitectureTests:
    """What every architecture passes, for each row of its table. A subclass names its architecture."""

    architecture: Architecture

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        architecture = self.architecture
        resizable: dict[str, Head] = {}  # the first row of each class that says no inputs of a size
        for head in architecture.heads:
            if not head.inputs:
                resizable.setdefault(head.name, head)
        tables: dict[str, Iterable[Any]] = {
            "head": architecture.heads,
            "resizable": resizable.values(),
            "dtype": architecture.half_precision,
            "configuration": architecture.configurations,
        }
        for name, table in tables.items():  # in one order: processes share the tests
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, table, ids=lambda value: str(value).removeprefix("torch."))

    @pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
    def test_forward_states_and_attentions(self, head, mask):
        ours, theirs = self.architecture.pair(head.name, head.config)
        inputs = self.architecture.inputs(head, mask)
        everything = {"output_hidden_states": True, "output_attentions": True}
        with torch.no_grad():
            assert_same(ours(**inputs), theirs(**inputs))  # fused attention against the written-out one
            assert_same(ours(**inputs, **everything), theirs(**inputs, **everything))

    @pytest.mark.parametrize("mode", ["evaluation", "training"])
    def test_loss_and_gradients(self, head, mode):
        names = self.architecture.configure(nanoformers).to_dict().keys() | {"classifier_dropout"}
        no_dropout = {name: 0.0 for name in names if "drop" in name}
        ours, theirs = self.architecture.pair(head.name, {**head.config, **no_dropout})
        inputs = self.architecture.inputs(head, RIGHT)
        if "labels" in head.labels:
            inputs.pop("decoder_input_ids", None)  # the decoder reads the labels, one place later
        outputs = [model.train(mode == "training")(**inputs, **head.labels) for model in (ours, theirs)]
        losses = [{name: value for name, value in part.items() if name.endswith("loss")} for part in outputs]
        assert bool(losses[0]) == bool(head.labels)
        assert_same(*losses)
        mine, reference = map(gradients, (ours, theirs), outputs)
        assert_same(mine, reference)

    def test_tuples(self, head):
        ours, theirs = self.architecture.pair(head.name, head.config)
        inputs = self.architecture.inputs(head, RIGHT) | dict(head.labels)
        asked = {"output_hidden_states": True, "return_dict": False}
        with torch.no_grad():
            mine, reference = ours(**inputs, **asked), theirs(**inputs, **asked)
        assert type(mine) is type(reference) is tuple
        assert tuple in map(type, mine)  # the hidden states
        parts = [part for part in reference if part != ()]
        assert_same(*({f"[{place}]": part for place, part in enumerate(output)} for output in (mine, parts)))

    def test_half_precision(self, head, dtype):
        ours, theirs = self.architecture.pair(head.name, head.config, attention="sdpa")
        inputs = {
            name: value.to(dtype) if value.is_floating_point() else value
            for name, value in self.architecture.inputs(head, RIGHT).items()
        }
        with torch.no_grad():
            mine, reference = ours.to(dtype)(**inputs), theirs.to(dtype)(**inputs)
        assert {tensor.dtype for name in mine for _, tensor in _tensors(name, mine[name])} == {dtype}
        assert_same(mine, reference, **self.architecture.half_precision[dtype])

    def test_our_checkpoint_loads_in_the_reference(self, head, tmp_path):
        ours, _ = self.architecture.pair(head.name, head.config)
        ours.save_pretrained(tmp_path)
        theirs, info = getattr(transformers, head.name).from_pretrained(
            tmp_path, output_loading_info=True, attn_implementation="eager"
        )
        assert not info["missing_keys"]
        assert not info["unexpected_keys"]
        inputs = self.architecture.inputs(head, RIGHT)
        with torch.no_grad():
            assert_same(ours(**inputs), theirs.eval()(**inputs))

    def test_the_reference_checkpoint_loads_in_ours(self, head, tmp_path):
        _, theirs = self.architecture.pair(head.name, head.config)
        theirs.save_pretrained(tmp_path)
        ours, info = getattr(nanoformers, head.name).from_pretrained(tmp_path, output_loading_info=True)
        assert not any(info.values())
        inputs = self.architecture.inputs(head, RIGHT)
        with torch.no_grad():
            assert_same(ours(**inputs), theirs(**inputs))

    @pytest.mark.parametrize("attention", ["eager", "sdpa"])
    @pytest.mark.parametrize("size", SIZES, ids=str)
    def test_odd_sizes(self, resizable, size, attention):
        ours, theirs = self.architecture.pair(resizable.name, resizable.config, attention)
        inputs = self.architecture.inputs(resizable, None, size)
        with torch.no_grad():
            assert_same(ours(**inputs), theirs(**inputs))

    def test_embeddings_and_positions_as_input(self):
        ours, theirs = self.architecture.pair(self.architecture.heads[0].name)
        width = ours.get_input_embeddings().embedding_dim
        values = {
            "inputs_embeds": torch.randn(2, 6, width),
            "position_ids": torch.arange(6).flip(0)[None],
            "decoder_inputs_embeds": torch.randn(2, 4, width),
        }
        known = {name for model in (ours, theirs) for name in inspect.signature(model.forward).parameters}
        inputs = {name: value for name, value in values.items() if name in known}
        with torch.no_grad():
            assert_same(ours(**inputs), theirs(**inputs))

    @pytest.mark.parametrize("size", ["small", "default"])
    def test_configurations_are_interchangeable(self, configuration, size, tmp_path):
        our_class, their_class = (
            getattr(library, self.architecture.config) for library in (nanoformers, transformers)
        )
        arguments = {**(self.architecture.shape if size == "small" else {}), **configuration}
        their_class(**arguments).save_pretrained(tmp_path / "theirs")
        ours = our_class.from_pretrained(tmp_path / "theirs")
        assert ours == our_class(**arguments)
        ours.save_pretrained(tmp_path / "ours")
        theirs = their_class.from_pretrained(tmp_path / "ours")
        known = ours.to_dict().keys() & theirs.to_dict().keys()
        for name in known - {"transformers_version", *self.architecture.spelled_otherwise}:
            assert getattr(ours, name) == getattr(theirs, name), name
        for common, own in ours.attribute_map.items():
            assert getattr(ours, common) == getattr(theirs, own), common
        assert str(ours.torch_dtype) == str(theirs.dtype)


class DecodingTests:
    """What every decoder with a cache passes. A subclass names its architecture and the heads that decode."""

    architecture: Architecture
    decoders: Sequence[Head]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        metafunc.parametrize("head", self.decoders, ids=str)

    def inputs(self, head: Head, model: Any, mask: torch.Tensor | None) -> dict[str, Any]:
        """What a model decodes; for an encoder-decoder, with the states that its encoder makes of rows."""
        inputs = self.architecture.inputs(head, mask, (*LEFT.shape, LEFT.shape[1]))
        if not head.decodes:
            return inputs
        decoder = {"decoder_input_ids": inputs.pop("decoder_input_ids")}
        decoder["encoder_outputs"] = model.get_encoder()(**inputs)
        return decoder if mask is None else decoder | {"attention_mask": mask}

    def step(self, head: Head, inputs: dict[str, Any], start: int, end: int) -> dict[str, Any]:
        """What a step from one place to another reads of the inputs; a mask reaches back to the first."""
        of_the_encoder = {*head.inputs, "encoder_outputs"} | ({"attention_mask"} if head.decodes else set())
        starts = dict.fromkeys(inputs, start) | {"attention_mask": 0}
        return {
            name: value if name in of_the_encoder else value[:, starts[name] : end]
            for name, value in inputs.items()
        }

    @pytest.mark.parametrize("legacy", [False, True], ids=["cache", "tuples"])
    @pytest.mark.parametrize("steps", [[11], [1] * 11, [4, 1, 1, 5], [3, 8]], ids=str)
    def test_decoding_with_a_cache(self, head, steps, legacy):
        """Step by step, padded rows of a batch give what the reference gives at once."""
        ours, theirs = self.architecture.pair(head.name, head.config)
        with torch.no_grad():
            inputs = self.inputs(head, ours, LEFT)
            whole = theirs(**self.inputs(head, theirs, LEFT), use_cache=False)
            assert_same(ours(**inputs, use_cache=False), whole)
            past, pieces, end = None, [], 0
            for length in steps:
                start, end = end, end + length
                output = ours(**self.step(head, inputs, start, end), past_key_values=past, use_cache=True)
                past = output.past_key_values.to_legacy_cache() if legacy else output.past_key_values
                pieces.append(output.logits)
        real = torch.ones_like(LEFT) if head.decodes else LEFT  # a padded place sees itself in a step
        assert_same({"logits": torch.cat(pieces, 1)[real == 1]}, {"logits": whole.logits[real == 1]})

    @pytest.mark.parametrize("mask", [None, LEFT], ids=["unpadded", "left"])
    def test_steps_equal_the_references_steps(self, head, mask):
        models = self.architecture.pair(head.name, head.config)
        pasts: list[Any] = [None, None]
        with torch.no_grad():
            inputs = [self.inputs(head, model, mask) for model in models]
            for place in range(LEFT.shape[1]):
                mine, reference = (
                    model(**self.step(head, given, place, place + 1), past_key_values=past, use_cache=True)
                    for model, given, past in zip(models, inputs, pasts, strict=True)
                )
                assert_same(mine, reference)
                pasts = [mine.past_key_values, reference.past_key_values]
