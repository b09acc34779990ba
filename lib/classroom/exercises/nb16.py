"""Exercises of notebook 16: adapters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from classroom.exercises import Wrong, exercise

if TYPE_CHECKING:
    import torch

LAST_FEED_FORWARD = {"transformer.h.2.mlp.c_fc", "transformer.h.2.mlp.c_proj"}


@exercise(
    "16.1",
    "How many numbers does a LoRA of rank r train on a linear layer?",
    hints=[
        "It trains two matrices, and leaves the weight alone.",
        "A leads from the input to r numbers, B from these to the output.",
        "def lora_size(r, width_in, width_out): return r * (...)",
    ],
)
def size_of_a_lora(answer: Callable[[int, int, int], int]) -> str:
    """A function of the rank and two widths, tried on three layers."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for r, width_in, width_out in ((4, 128, 512), (8, 768, 768), (1, 3, 5)):
        found, right = answer(r, width_in, width_out), r * (width_in + width_out)
        if found == right:
            continue
        if found == width_in * width_out:
            raise Wrong("That is the size of the weight, which is not trained.")
        if found == right + width_in * width_out:
            raise Wrong("That counts the weight too, which is not trained.")
        if found == r * width_in * width_out:
            raise Wrong("The widths stand side by side in two matrices: they are added, not multiplied.")
        raise Wrong(f"For r={r}, {width_in} in and {width_out} out there are {right}, and not {found}.")
    return "It grows with the sum of the widths and the weight with their product: hence the saving."


@exercise(
    "16.2",
    "Which weight does what W and its LoRA do together?",
    hints=[
        "W x + s B A x = (W + ...) x.",
        "The scale s is alpha / r.",
        "def merged(W, A, B, r, alpha): return W + (alpha / r) * ...",
    ],
)
def merged_weight(answer: Callable[..., torch.Tensor]) -> str:
    """A function of the three matrices, the rank and alpha."""
    import torch

    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    generator = torch.Generator().manual_seed(0)
    weight, first, second = (torch.randn(*shape, generator=generator) for shape in ((5, 7), (3, 7), (5, 3)))
    delta = second @ first
    try:
        found = answer(weight.clone(), first.clone(), second.clone(), 3, 12)
    except RuntimeError as error:
        raise Wrong(f"The shapes do not fit ({error}): B (out, r) comes before A (r, in).") from error
    for wrong, reason in (
        (weight + delta, "The scale is missing: LoRA multiplies the product by alpha / r."),
        (weight + 12 * delta, "The scale is alpha / r, and not alpha."),
        (weight + delta / 4, "The scale is alpha / r, and not r / alpha."),
        (4 * delta, "That is the change alone; the weight is added to it."),
    ):
        if found.shape == wrong.shape and torch.allclose(found, wrong, atol=1e-5):
            raise Wrong(reason)
    if found.shape != weight.shape or not torch.allclose(found, weight + 4 * delta, atol=1e-5):
        raise Wrong("For a random W, A and B, that weight gives another output than W x + (alpha / r) B A x.")
    return "One matrix again: after merging, an adapter costs no time at all."


@exercise(
    "16.3",
    "Which arguments put a LoRA of rank 2 on the feed-forward part of the last block only?",
    hints=[
        "`print(base)` shows the names of the layers; two of a block are called c_proj.",
        "The end of a name may have a dot in it; `layers_to_transform` counts from 0.",
        'answer = {"r": 2, "target_modules": ["mlp.c_fc", ...], "layers_to_transform": [...]}',
    ],
)
def last_feed_forward(answer: dict[str, Any]) -> str:
    """Keyword arguments of `LoraConfig`, tried on a GPT-2 of the same shape."""
    from nanoformers.adapters import LoraConfig

    if not isinstance(answer, dict):
        raise Wrong("Give a dictionary of keyword arguments.")
    model = _model()
    try:
        model.add_adapter(LoraConfig(**answer))
    except (TypeError, ValueError) as error:
        raise Wrong(f"These arguments are refused: {error}") from error
    names = [name for name in model.state_dict() if name.endswith(".lora_A.weight")]
    found = {name.partition(".adapters.")[0] for name in names}
    if found != LAST_FEED_FORWARD:
        extra, missing = sorted(found - LAST_FEED_FORWARD), sorted(LAST_FEED_FORWARD - found)
        raise Wrong(f"{'It is also on ' + extra[0] if extra else 'It is not on ' + missing[0]}.")
    rank = model.state_dict()[names[0]].shape[0]
    if rank != 2:
        raise Wrong(f"These are the right layers; the rank is {rank}, and not 2.")
    return "Names say which kind of layer, numbers say which block."


def _model() -> Any:
    from nanoformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(vocab_size=20, n_embd=8, n_layer=3, n_head=2, n_positions=8))
