"""Exercises of notebook 74: big models, shards and device maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from classroom.exercises import Wrong, exercise

if TYPE_CHECKING:
    from torch import nn

CHECKPOINTS: list[tuple[dict[str, int], int, list[list[str]]]] = [
    ({"a": 60, "b": 40, "c": 10}, 100, [["a", "b"], ["c"]]),
    ({"a": 60, "b": 50, "c": 30, "d": 70}, 100, [["a"], ["b", "c"], ["d"]]),
    ({"small": 10, "giant": 500, "last": 20}, 100, [["small"], ["giant"], ["last"]]),
    ({"giant": 500, "small": 10}, 100, [["giant"], ["small"]]),
    ({"all": 10, "of it": 20}, 100, [["all", "of it"]]),
]
GIGABYTES = {0: 10, 1: 13}
MOST = 70_000_000
LAYERS = 6
SHAPE: dict[str, Any] = {
    "vocab_size": 12_000,
    "hidden_size": 512,
    "num_attention_heads": 8,
    "intermediate_size": 2048,
    "num_hidden_layers": LAYERS,
}


@exercise(
    "74.1",
    "Cut a checkpoint into shards.",
    hints=[
        "Go through the tensors in their order; keep the shard that is open, and how many bytes it has.",
        "Open a new shard when the next tensor would take the open one over the limit.",
        "... unless the open one is empty: a tensor larger than the limit gets a shard to itself.",
    ],
)
def shards(answer: Callable[[dict[str, int], int], list[list[str]]]) -> str:
    """A function, tried on five checkpoints."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for sizes, limit, expected in CHECKPOINTS:
        found = answer(dict(sizes), limit)
        if not isinstance(found, list) or not all(isinstance(shard, list | tuple) for shard in found):
            raise Wrong(f"It should return a list of lists of names; it returns {found!r}.")
        result = [list(shard) for shard in found]
        if result == expected:
            continue
        if [] in result:
            raise Wrong(f"For {sizes} and a limit of {limit} one of your shards is empty: {result}.")
        if [name for shard in result for name in shard] != list(sizes):
            raise Wrong(f"For {sizes} your shards do not hold each name once, in order: {result}.")
        if any(len(shard) > 1 and sum(sizes[name] for name in shard) > limit for shard in result):
            raise Wrong(f"For {sizes} a shard has more than {limit} bytes: {result}.")
        raise Wrong(f"For {sizes} and a limit of {limit}, {len(expected)} shards do: not {result}.")
    return "A shard ends where the next tensor would not fit, and a giant is never cut."


@exercise(
    "74.2",
    "How much memory does the page's map for T0pp take?",
    hints=[
        "`t0pp` is float32: as float16 each weight takes half.",
        "`gigabytes(model, device_map)` of section 5 counts by place.",
        "{gpu: round(value / 2) for gpu, value in gigabytes(t0pp, the_map).items()}",
    ],
)
def two_gpus(answer: Mapping[int, float]) -> str:
    """A dictionary of two numbers."""
    if not isinstance(answer, Mapping) or set(answer) != {0, 1}:
        raise Wrong("Answer with a dictionary that has the keys 0 and 1, one for each GPU.")
    found = {gpu: round(float(answer[gpu])) for gpu in (0, 1)}
    if found == GIGABYTES:
        return "So it takes two GPUs of 16 GB, with room to compute; as float32 it would take two of 32."
    reasons = {
        (19, 25): "That is float32: float16 takes two bytes a weight.",
        (19, 26): "That is float32: float16 takes two bytes a weight.",
        (9, 12): "Those look like GiB (2³⁰ bytes), or cut off in place of rounded; a GB has 10⁹ bytes.",
        (13, 10): "The decoder is the heavier one (it attends twice), and it is on GPU 1.",
        (10, 12): "Is `lm_head` in it? It is a table of its own here, as large as the embeddings.",
        (9, 13): "Is `shared` in it? The table of embeddings is on GPU 0.",
    }
    raise Wrong(reasons.get((found[0], found[1]), f"Not {found[0]} and {found[1]} GB."))


@exercise(
    "74.3",
    "A device map for 70 MB.",
    hints=[
        "The embeddings take 26 MB, a layer 13 MB, the pooler 1 MB.",
        "The names: embeddings, encoder.layer.0, ..., pooler. The places: 'cpu' and 'disk'.",
        "Three layers fit: {'embeddings': 'cpu', 'pooler': 'cpu', 'encoder.layer.0': 'cpu', ...: 'disk'}.",
    ],
)
def seventy(answer: Mapping[str, Any]) -> str:
    """A map, applied to the model without memory as `from_pretrained` would apply it."""
    import torch
    from nanoformers import BertConfig, BertModel
    from nanoformers.placement import PlacementOptions

    if not isinstance(answer, Mapping):
        raise Wrong(f"A map is a dictionary {{module: place}}; this is {type(answer).__name__}.")
    with torch.device("meta"):
        model = BertModel(BertConfig(**SHAPE))
    unknown = sorted(set(answer) - {name for name, _ in _parts(model)})
    if unknown:
        raise Wrong(f"The model has no part called {unknown[0]!r}.")
    try:
        placement = PlacementOptions(device_map=dict(answer)).resolve(model, lambda name: torch.float32)
    except ValueError as error:
        raise Wrong(f"from_pretrained would refuse it: {error}") from error
    assert placement is not None
    in_memory = {name: weight for name, weight in model.named_parameters() if placement.device_of(name)}
    total = sum(weight.nbytes for weight in in_memory.values())
    for part in ("embeddings", "pooler"):
        if any(name.startswith(part) and name not in in_memory for name, _ in model.named_parameters()):
            raise Wrong(f"The {part} should be in memory.")
    if total > MOST:
        raise Wrong(f"{total / 1e6:.1f} MB of weights are in memory: too much.")
    layers = [
        dict(layer.named_parameters(prefix=f"encoder.layer.{i}")) for i, layer in enumerate(_layers(model))
    ]
    whole = [len(layer.keys() & in_memory.keys()) / len(layer) for layer in layers]
    if any(share not in (0, 1) for share in whole):
        raise Wrong("A layer is cut in two: part of it is in memory, part on disk.")
    if sum(whole) < 3:
        raise Wrong(f"With {sum(whole):.0f} layers in memory there is room for another.")
    return f"{total / 1e6:.1f} MB in memory, the rest on disk. Which layers you chose makes no difference."


def _parts(model: nn.Module) -> list[tuple[str, Any]]:
    """Return everything that a map may name."""
    return [*model.named_modules(), *model.named_parameters(), *model.named_buffers()]


def _layers(model: Any) -> Any:
    return model.encoder.layer
