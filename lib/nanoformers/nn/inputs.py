"""What a model is given: tokens or their embeddings, of a length that the model has places for."""

from __future__ import annotations

import torch

__all__ = ["check_length", "given_length"]


def given_length(
    input_ids: torch.Tensor | None,
    inputs_embeds: torch.Tensor | None,
    *,
    prefix: str = "",
    choices: bool = False,
) -> int:
    """Return the length s of what a model is given.

    Args:
        input_ids: (b, s) tokens; or None.
        inputs_embeds: (b, s, d) embeddings in place of tokens; or None.
        prefix: put before the names in messages: `"decoder_"`, for instance.
        choices: tokens may also be (b, c, s), and embeddings (b, c, s, d).

    Raises:
        TypeError: it is no tensor.
        ValueError: there are both or neither; it has another number of dimensions.
    """
    if (input_ids is None) == (inputs_embeds is None):
        raise ValueError(
            f"You have to specify either {prefix}input_ids or {prefix}inputs_embeds, and not both."
        )
    given, name, shape = input_ids, "input_ids", "(batch, length)"
    if given is None:
        given, name, shape = inputs_embeds, "inputs_embeds", "(batch, length, width)"
    if not isinstance(given, torch.Tensor):
        raise TypeError(
            f"{prefix}{name} has to be a tensor of shape {shape}, and not a {type(given).__name__}: "
            'tokenizers make one with `return_tensors="pt"`.'
        )
    excess = given.ndim - shape.count(",") - 1
    if excess != 0 and not (choices and excess == 1):
        raise ValueError(
            f"{prefix}{name} has the shape {tuple(given.shape)}, and not {shape}: a single text is a batch "
            "of one, `tensor[None]`."
        )
    return given.shape[1 + excess]


def check_length(length: int, most: int) -> None:
    """Refuse a sequence that is longer than a model has positions for.

    Args:
        length: how many tokens there are, cached ones included.
        most: how many positions there are.

    Raises:
        ValueError: it is longer.
    """
    if length > most:
        raise ValueError(
            f"The sequence has {length} tokens, and this model has positions for {most}: truncate it "
            "(`truncation=True` in the tokenizer's call), or cut it into pieces."
        )
