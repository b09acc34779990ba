"""Exercises of notebook 96: configurations, models, outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from classroom.exercises import Wrong, exercise

if TYPE_CHECKING:
    import torch

VOCABULARY, LAYERS, FEWEST, MOST = 1000, 3, 1_000_000, 1_100_000


@exercise(
    "96.1",
    "A BertConfig of about a million parameters.",
    hints=[
        "Start with hidden_size=128, and count: AutoModel.from_config(config).num_parameters().",
        "A layer has about 4 d² + 2 d·intermediate_size parameters; the rest is embeddings.",
        "Four layers of width 132 with 4 heads, intermediate_size=512 and 256 positions are close.",
    ],
)
def a_million(answer: Any) -> str:
    """A configuration, built on the meta device and counted."""
    from nanoformers import BertConfig

    if not isinstance(answer, BertConfig):
        raise Wrong(f"Give a BertConfig; this is {type(answer).__name__}.")
    if answer.vocab_size != VOCABULARY:
        raise Wrong(f"The vocabulary has {answer.vocab_size:,} tokens, not {VOCABULARY:,}.")
    if answer.num_hidden_layers < LAYERS:
        raise Wrong(f"{answer.num_hidden_layers} layers are too few.")
    try:
        size = _empty(answer).num_parameters()
    except ValueError as error:
        raise Wrong(f"Such a model cannot be built: {error}") from error
    if not FEWEST <= size <= MOST:
        which = "few" if size < FEWEST else "many"
        raise Wrong(f"It has {size / 1e6:.2f} million parameters: too {which}.")
    return f"{size / 1e6:.2f} million, in {answer.num_hidden_layers} layers of {answer.hidden_size}."


@exercise(
    "96.2",
    "What would the weights take?",
    hints=[
        "The meta device has shapes without numbers: `with torch.device('meta'):`.",
        "from_config takes a dtype; get_memory_footprint counts bytes.",
        "model.get_memory_footprint(return_buffers=False) / 1e6, for the model built on the meta device.",
    ],
)
def megabytes(answer: Callable[[Any, torch.dtype], float]) -> str:
    """A function, tried on three configurations; one of them would not fit into this machine."""
    import torch
    from nanoformers import BertConfig, GPT2Config

    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    cases = [
        (
            BertConfig(vocab_size=100, hidden_size=8, num_hidden_layers=1, num_attention_heads=2),
            torch.float32,
        ),
        (
            BertConfig(vocab_size=100, hidden_size=8, num_hidden_layers=1, num_attention_heads=2),
            torch.float16,
        ),
        (GPT2Config(n_embd=12288, n_layer=4, n_head=96), torch.bfloat16),
    ]
    for config, dtype in cases:
        expected = _empty(config).num_parameters() * torch.finfo(dtype).bits / 8 / 1e6
        found = float(answer(config, dtype))
        if abs(found - expected) <= 0.01 * expected:
            continue
        if abs(found - expected * 1e6) <= 0.01 * expected * 1e6:
            raise Wrong("Those are bytes; a megabyte has a million of them.")
        if abs(found * torch.finfo(dtype).bits / 32 - expected) <= 0.01 * expected:
            raise Wrong(f"As {dtype}, a weight takes {torch.finfo(dtype).bits // 8} bytes: is `dtype` used?")
        raise Wrong(f"For {type(config).__name__} as {dtype} it says {found:.3f}, and it is {expected:.3f}.")
    return "The last one tried has 8 billion parameters, and nothing was allocated."


def _empty(config: Any) -> Any:
    import torch
    from nanoformers import AutoModel

    with torch.device("meta"):
        return AutoModel.from_config(config)
