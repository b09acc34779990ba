"""From what `generate` is called with to what the loop begins with: tokens, masks, the encoder's output."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from ..nn.cache import KeyValueCache
from ..nn.masks import nothing_hidden
from ..utils import logging
from .configuration import GenerationConfig

__all__ = ["Prompt", "accepted_by", "check_model_kwargs", "continued", "length_of", "positions_of", "prepare"]

logger = logging.get_logger(__name__)

Tensor = torch.Tensor


def accepted_by(function: Any) -> set[str]:
    """Return the names of a function's parameters (of a method, remembered: it is asked for every token)."""
    method = getattr(function, "__func__", None)
    return set(_parameters(method)) if method is not None else set(inspect.signature(function).parameters)


@lru_cache
def _parameters(method: Any) -> frozenset[str]:
    """Return the names of the parameters of a class's method."""
    return frozenset(inspect.signature(method).parameters)


@dataclass
class Prompt:
    """What generation begins with.

    Attributes:
        tokens: (b, s) the prompt; of an encoder-decoder, the decoder's.
        model_kwargs: the other arguments of `prepare_inputs_for_generation`.
        num_embeddings: how many embeddings the prompt has beyond its tokens.
        pad: the token that pads, if one is known.
        ends: the tokens that end a sequence.
    """

    tokens: Tensor
    model_kwargs: dict[str, Any]
    num_embeddings: int
    pad: int | None
    ends: list[int]


def prepare(
    model: Any, inputs: Tensor | None, model_kwargs: dict[str, Any], config: GenerationConfig
) -> Prompt:
    """Make a prompt of the arguments of `generate`: find the input, its mask, and let an encoder read it.

    Args:
        model: has `prepare_inputs_for_generation`.
        inputs: the main input, if it was not given under its own name.
        model_kwargs: what was given under names.
        config: how to generate; `use_cache` is set where there is no other way.

    Raises:
        ValueError: see `first_tokens` and `decoder_start`; a mask has more than two dimensions.
    """
    model_kwargs = {name: value for name, value in model_kwargs.items() if name != "labels"}
    is_encoder_decoder = model.config.is_encoder_decoder
    mask = model_kwargs.get("attention_mask")
    pad, ends = special_tokens(config, mask is not None)
    main, name = first_tokens(model, inputs, model_kwargs, config.bos_token_id)
    if mask is not None and name == "input_ids" and mask.ndim > 2:
        raise ValueError("`attention_mask` passed to `generate` must be 2D.")
    if mask is None and "attention_mask" in accepted_by(model.forward):
        model_kwargs["attention_mask"] = mask_of(main, pad, ends)
    for key in ("attention_mask", "decoder_attention_mask"):
        model_kwargs[key] = without_if_nothing_hidden(model_kwargs.get(key))
    model_kwargs = {key: value for key, value in model_kwargs.items() if value is not None}

    num_embeddings = 0
    if is_encoder_decoder:
        if "encoder_outputs" not in model_kwargs:
            model_kwargs["encoder_outputs"] = encode(model, main, name, model_kwargs, config)
        tokens = decoder_start(model, main.shape[0], model_kwargs, config)
    elif name == "inputs_embeds":
        tokens = model_kwargs.pop("input_ids")
        num_embeddings = main.shape[1] - tokens.shape[1]
        config.use_cache = True  # embeddings are for the first step, and its results have to be kept
    else:
        tokens = main
        last = main[:, -1] if mask is None else mask[:, -1]
        hidden = 0 if mask is not None else -1 if pad is None else pad
        if len(main) > 1 and bool(last.eq(hidden).any()):
            logger.warning(
                "A decoder-only architecture is being used, but right-padding was detected! For correct "
                "generation results, please set `padding_side='left'` when initializing the tokenizer."
            )
    if (config.num_return_sequences or 1) > 1:
        tokens = repeated(tokens, config.num_return_sequences)
        model_kwargs = {
            key: repeated(value, config.num_return_sequences) for key, value in model_kwargs.items()
        }
    return Prompt(tokens, model_kwargs, num_embeddings, pad, ends)


def check_model_kwargs(model: Any, model_kwargs: dict[str, Any]) -> None:
    """Refuse arguments that neither generation nor the model knows.

    Raises:
        ValueError: there are some; the message names them.
    """
    known = accepted_by(model.prepare_inputs_for_generation)
    if "kwargs" in known or "model_kwargs" in known:
        known |= accepted_by(model.forward)
    if model.config.is_encoder_decoder:
        known |= accepted_by(model.get_encoder().forward) | {"decoder_input_ids"}
        known |= {f"decoder_{name}" for name in accepted_by(model.get_decoder().forward)}
    unused = [name for name, value in model_kwargs.items() if value is not None and name not in known]
    if unused:
        raise ValueError(
            f"The following `model_kwargs` are not used by the model: {unused} (note: typos in the generate "
            "arguments will also show up in this list)"
        )


def special_tokens(config: GenerationConfig, has_attention_mask: bool) -> tuple[int | None, list[int]]:
    """Return (the token that pads, those that end a sequence), as the configuration says or implies."""
    ids = config.eos_token_id
    ends = [] if ids is None else [int(ids)] if not isinstance(ids, (list, tuple)) else [int(i) for i in ids]
    if any(token < 0 for token in ends):
        logger.warning(
            f"`eos_token_id` should consist of positive integers, but is {ids}: no sequence ends "
            "at a negative one."
        )
        ends = [token for token in ends if token >= 0]
    pad = config.pad_token_id
    if pad is None and ends:
        if not has_attention_mask:
            logger.warning(
                "The attention mask and the pad token id were not set. As a consequence, you may observe "
                "unexpected behavior. Please pass your input's `attention_mask` to obtain reliable results."
            )
        pad = ends[0]
        logger.warning(f"Setting `pad_token_id` to `eos_token_id`:{pad} for open-end generation.")
    return pad, ends


def first_tokens(
    model: Any, inputs: Tensor | None, model_kwargs: dict[str, Any], bos_token_id: int | None
) -> tuple[Tensor, str]:
    """Take the model's main input out of the arguments of `generate`.

    Returns:
        (the input, its name): tokens (b, s) under the model's own name, or `inputs_embeds` (b, s, d).

    Raises:
        TypeError: it is no tensor.
        ValueError: it was given twice; it is no batch; there is none, and no `bos_token_id` to begin with;
            embeddings are given to a model that cannot generate from them.
    """
    name = model.main_input_name
    given = model_kwargs.pop(name, None)
    if given is not None and inputs is not None:
        raise ValueError(
            f"`inputs` and `{name}` were both passed, which is not allowed: they are the same. Keep one."
        )
    inputs = given if given is not None else inputs
    if inputs is not None:
        _check_is_batch(inputs, name)
    embeddings = model_kwargs.get("inputs_embeds")
    if embeddings is None:
        model_kwargs.pop("inputs_embeds", None)
    elif model.config.is_encoder_decoder:
        if inputs is not None:
            raise ValueError("You passed `inputs_embeds` and `input_ids` to `.generate()`. Please pick one.")
        return model_kwargs.pop("inputs_embeds"), "inputs_embeds"
    else:
        known = accepted_by(model.prepare_inputs_for_generation)
        if "inputs_embeds" not in known or "inputs_embeds" not in accepted_by(model.forward):
            raise ValueError(
                f"You passed `inputs_embeds` to `.generate()`, but {type(model).__name__} does not take them "
                "in `forward` and `prepare_inputs_for_generation`."
            )
        if inputs is None:
            inputs = torch.empty(embeddings.shape[0], 0, dtype=torch.long, device=embeddings.device)
        model_kwargs["input_ids"] = inputs
        return embeddings, "inputs_embeds"

    if inputs is None and model.config.is_encoder_decoder and model_kwargs.get("encoder_outputs") is not None:
        states = model_kwargs["encoder_outputs"][0]  # (b, encoder s, d): encoded already
        return torch.full(states.shape[:2], -100, dtype=torch.long, device=states.device), name
    if inputs is None or (inputs.ndim == 2 and inputs.shape[1] == 0):
        if bos_token_id is None:
            raise ValueError("`bos_token_id` has to be defined when no `input_ids` are provided.")
        tensors = [value for value in model_kwargs.values() if isinstance(value, Tensor)]
        rows = inputs.shape[0] if inputs is not None else tensors[0].shape[0] if tensors else 1
        if inputs is not None:
            model_kwargs.pop("attention_mask", None)  # of nothing
        return torch.full((rows, 1), bos_token_id, dtype=torch.long, device=model.device), name
    return inputs, name


def _check_is_batch(inputs: Any, name: str) -> None:
    """Refuse a text, a list, what a tokenizer returns as a whole, or a single row in place of the input."""
    if not isinstance(inputs, Tensor):
        raise TypeError(
            f"`generate` takes `{name}` as a tensor, and not as a {type(inputs).__name__}: pass what a "
            'tokenizer returns with `return_tensors="pt"`, as in `generate(**tokenizer(...))`.'
        )
    if inputs.ndim < 2:
        raise ValueError(
            f"`{name}` has the shape {tuple(inputs.shape)}, and not (batch, length): a single prompt is a "
            "batch of one, `tensor[None]`."
        )


def mask_of(tokens: Tensor, pad_token_id: int | None, eos_token_ids: list[int]) -> Tensor | None:
    """Guess the attention mask (b, s) of tokens (b, s): None where they show no padding.

    Padding shows when there is a token for it which is not also that of the end.
    """
    if (
        tokens.ndim != 2
        or tokens.is_floating_point()
        or pad_token_id is None
        or pad_token_id in eos_token_ids
    ):
        return None
    mask = (tokens != pad_token_id).long()
    return None if bool(mask.all()) else mask


def without_if_nothing_hidden(mask: Tensor | None) -> Tensor | None:
    """Return None for a mask of ones, so that attention can do without one (asked once, on any device)."""
    return None if mask is None or nothing_hidden(mask) or bool((mask == 1).all()) else mask


def encode(
    model: Any, inputs: Tensor, name: str, model_kwargs: dict[str, Any], config: GenerationConfig
) -> Any:
    """Return the encoder's output for `inputs`, with those of the arguments that it takes."""
    encoder = model.get_encoder()
    known = accepted_by(encoder.forward)
    kwargs = {key: value for key, value in model_kwargs.items() if key in known and key != "use_cache"}
    flags = {
        "output_attentions": bool(config.output_attentions),
        "output_hidden_states": bool(config.output_hidden_states),
    }
    return encoder(**{**kwargs, name: inputs}, **flags, return_dict=True)


def decoder_start(model: Any, rows: int, model_kwargs: dict[str, Any], config: GenerationConfig) -> Tensor:
    """Return the tokens (b, s) that the decoder begins with: the start token, then those that were given.

    Raises:
        ValueError: no start token is known; there are not as many rows given as the encoder has.
    """
    start = config.decoder_start_token_id
    start = config.bos_token_id if start is None else start
    if start is None:
        raise ValueError(
            "`decoder_start_token_id` or `bos_token_id` has to be defined for encoder-decoder generation."
        )
    given = model_kwargs.pop("decoder_input_ids", None)
    first = torch.full((rows, 1), start, dtype=torch.long, device=model.device)
    if given is None:
        return first
    if given.ndim != 2 or len(given) != rows:
        raise ValueError(
            f"`decoder_input_ids` has the shape {tuple(given.shape)}, and not ({rows}, length): the encoder "
            f"has {rows} rows."
        )
    if bool((given[:, 0] == start).any()):
        return given
    if (mask := model_kwargs.get("decoder_attention_mask")) is not None:
        model_kwargs["decoder_attention_mask"] = torch.cat((torch.ones_like(mask[:, :1]), mask), 1)
    return torch.cat((first, given), 1)


def repeated(value: Any, times: int) -> Any:
    """Repeat each row of a tensor, or of the tensors in a cache or a model's output, `times` times."""
    if isinstance(value, Tensor):
        return value.repeat_interleave(times, dim=0)
    if isinstance(value, KeyValueCache):
        return KeyValueCache.of(repeated(value.to_legacy_cache(), times))
    if isinstance(value, tuple):
        return tuple(repeated(inner, times) for inner in value)
    if isinstance(value, dict):
        return type(value)(**{key: repeated(inner, times) for key, inner in value.items()})
    return value


def length_of(past_key_values: Any) -> int:
    """Return how many tokens a cache, or the tuples of older code, have seen."""
    if past_key_values is None or len(past_key_values) == 0:
        return 0
    counts = getattr(past_key_values, "get_seq_length", None)
    return counts() if counts is not None else past_key_values[0][0].shape[2]


def positions_of(mask: Tensor, count: int) -> Tensor:
    """Return the places (b, count) of the last tokens among those that a mask (b, n) shows."""
    if count == 1:
        return (mask.sum(-1, keepdim=True) - 1).clamp_(min=0)
    return (mask.cumsum(-1) - 1).clamp_(min=0)[:, -count:]


def continued(values: Tensor, start: int, stop: int, step: int) -> Tensor:
    """Return columns `start` to `stop` of values (b, n), which go on after the last with `step` a column."""
    length = values.shape[1]
    known = values[:, start:stop]
    if stop <= length:
        return known
    beyond = torch.arange(max(start, length), stop, device=values.device) - (length - 1)
    return torch.cat((known, values[:, -1:] + step * beyond), 1)
