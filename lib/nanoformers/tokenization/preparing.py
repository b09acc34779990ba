"""From token ids to model inputs: special tokens, truncation, padding, tensors.

Mirrors the documentation page `pad_truncation`. Everything here works on lists of ids, so it serves slow and
fast tokenizers alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..utils import logging
from .encoding import BatchEncoding
from .strategies import LengthPlan, PaddingStrategy, TensorType, TruncationStrategy, plan_lengths
from .tensors import framework_of, to_python

if TYPE_CHECKING:
    from .base import PreTrainedTokenizerBase

__all__ = ["pad", "pad_in_place", "prepare_for_model", "truncate_sequences"]

logger = logging.get_logger(__name__)


def prepare_for_model(
    tokenizer: PreTrainedTokenizerBase,
    ids: list[int],
    pair_ids: list[int] | None,
    plan: LengthPlan,
    *,
    add_special_tokens: bool = True,
    stride: int = 0,
    return_token_type_ids: bool | None = None,
    return_overflowing_tokens: bool = False,
    return_special_tokens_mask: bool = False,
    verbose: bool = True,
) -> dict[str, list[int] | int]:
    """Truncate one text (or pair) and put its special tokens around it; padding comes later.

    Returns:
        `input_ids`, and what was asked for of `token_type_ids`, `special_tokens_mask`, `overflowing_tokens`
        and `num_truncated_tokens`.

    Raises:
        ValueError: `token_type_ids` are asked for without special tokens, or overflowing tokens of pairs
            without saying which of the two is truncated.
    """
    if return_token_type_ids and not add_special_tokens:
        raise ValueError(
            "Asking to return token_type_ids while setting add_special_tokens to False results in an "
            "undefined behavior. Please set add_special_tokens to True or set return_token_type_ids to None."
        )
    if (
        return_overflowing_tokens
        and plan.truncation is TruncationStrategy.LONGEST_FIRST
        and pair_ids is not None
    ):
        raise ValueError(
            "Not possible to return overflowing tokens for pair of sequences with the `longest_first`. "
            "Please select another truncation strategy than `longest_first`, for instance `only_second` or "
            "`only_first`."
        )
    pair = pair_ids is not None
    total = len(ids) + (len(pair_ids) if pair_ids is not None else 0)
    if add_special_tokens:
        total += tokenizer.num_special_tokens_to_add(pair=pair)

    prepared: dict[str, list[int] | int] = {}
    overflowing: list[int] = []
    if (
        plan.truncation is not TruncationStrategy.DO_NOT_TRUNCATE
        and plan.max_length is not None
        and total > plan.max_length
    ):
        ids, pair_ids, overflowing = truncate_sequences(
            ids, pair_ids, total - plan.max_length, plan.truncation, stride, tokenizer.truncation_side
        )
    if return_overflowing_tokens:
        prepared["overflowing_tokens"] = overflowing
        prepared["num_truncated_tokens"] = total - (plan.max_length or 0)

    if add_special_tokens:
        sequence = tokenizer.build_inputs_with_special_tokens(ids, pair_ids)
    else:
        sequence = ids + pair_ids if pair_ids is not None else ids
    prepared["input_ids"] = sequence
    if (
        "token_type_ids" in tokenizer.model_input_names
        if return_token_type_ids is None
        else return_token_type_ids
    ):
        if add_special_tokens:
            token_type_ids = tokenizer.create_token_type_ids_from_sequences(ids, pair_ids)
        else:
            token_type_ids = [0] * len(ids) + [0] * (len(pair_ids) if pair_ids is not None else 0)
        prepared["token_type_ids"] = token_type_ids
    if return_special_tokens_mask:
        if add_special_tokens:
            prepared["special_tokens_mask"] = tokenizer.get_special_tokens_mask(ids, pair_ids)
        else:
            prepared["special_tokens_mask"] = [0] * len(sequence)
    tokenizer.warn_if_too_long(len(sequence), plan.max_length, verbose)
    return prepared


def truncate_sequences(
    ids: list[int],
    pair_ids: list[int] | None,
    num_tokens_to_remove: int,
    strategy: TruncationStrategy,
    stride: int,
    side: str,
) -> tuple[list[int], list[int] | None, list[int]]:
    """Remove tokens from one text or from both members of a pair.

    `longest_first` takes them one by one from whichever member is longer (the second, when they are equally
    long), and says nothing about what it took from a pair.

    Returns:
        The two members, and the tokens that were cut off together with `stride` of those beside them.
    """
    if num_tokens_to_remove <= 0 or strategy is TruncationStrategy.DO_NOT_TRUNCATE:
        return ids, pair_ids, []
    if strategy is TruncationStrategy.LONGEST_FIRST and pair_ids is not None:
        logger.warning_once(
            "Be aware, overflowing tokens are not returned for the setting you have chosen, i.e. sequence "
            "pairs with the 'longest_first' truncation strategy: their list is empty even where tokens were "
            "removed."
        )
        keep_first, keep_second = _share(len(ids), len(pair_ids), num_tokens_to_remove)
        return _keep(ids, keep_first, side), _keep(pair_ids, keep_second, side), []

    from_second = strategy is TruncationStrategy.ONLY_SECOND and pair_ids is not None
    if strategy is TruncationStrategy.ONLY_SECOND and pair_ids is None:
        return ids, pair_ids, []
    member: list[int] = pair_ids if from_second and pair_ids is not None else ids
    if len(member) <= num_tokens_to_remove:
        which = "second" if from_second else "first"
        remedy = (
            " Please select another truncation strategy than "
            f"{strategy}, for instance 'longest_first' or 'only_{'first' if from_second else 'second'}'."
            if strategy is not TruncationStrategy.LONGEST_FIRST
            else ""
        )
        logger.error(
            f"We need to remove {num_tokens_to_remove} to truncate the input but the {which} sequence has a "
            f"length {len(member)}.{remedy}"
        )
        return ids, pair_ids, []
    window = min(len(member), stride + num_tokens_to_remove)
    overflowing = member[:window] if side == "left" else member[-window:]
    member = _keep(member, len(member) - num_tokens_to_remove, side)
    return (ids, member, overflowing) if from_second else (member, pair_ids, overflowing)


def _share(first: int, second: int, remove: int) -> tuple[int, int]:
    """Return two lengths after `remove` tokens have gone, each from the longer member."""
    level = min(abs(first - second), remove)  # until both are equally long, only the longer one shrinks
    if first > second:
        first -= level
    else:
        second -= level
    rest = remove - level
    return max(first - rest // 2, 0), max(second - (rest - rest // 2), 0)


def _keep(ids: list[int], count: int, side: str) -> list[int]:
    """Return `count` ids, cut off at `side`."""
    return ids[len(ids) - count :] if side == "left" else ids[:count]


def pad(
    tokenizer: PreTrainedTokenizerBase,
    encoded_inputs: Any,
    padding: bool | str | PaddingStrategy,
    max_length: int | None,
    pad_to_multiple_of: int | None,
    return_attention_mask: bool | None,
    return_tensors: str | TensorType | None,
    verbose: bool,
) -> BatchEncoding:
    """Do what `PreTrainedTokenizerBase.pad` documents."""
    if (
        isinstance(encoded_inputs, (list, tuple))
        and encoded_inputs
        and isinstance(encoded_inputs[0], Mapping)
    ):
        encoded_inputs = {
            key: [example[key] for example in encoded_inputs]
            for key in encoded_inputs[0].keys()  # noqa: SIM118
        }
    name = tokenizer.model_input_names[0]
    if not isinstance(encoded_inputs, Mapping) or name not in encoded_inputs:
        got = list(encoded_inputs) if isinstance(encoded_inputs, Mapping) else type(encoded_inputs).__name__
        raise ValueError(
            "You should supply an encoding or a list of encodings to this method that includes "
            f"{name}, but you provided {got}"
        )
    required = encoded_inputs[name]
    data = dict(encoded_inputs)
    if required is None or (hasattr(required, "__len__") and len(required) == 0):
        if return_attention_mask:
            data["attention_mask"] = []
        return BatchEncoding(data)

    if return_tensors is None:
        return_tensors = framework_of(required)
        if return_tensors is None and isinstance(required, (list, tuple)):
            filled = next((item for item in required if not isinstance(item, (list, tuple)) or item), None)
            while isinstance(filled, (list, tuple)):
                filled = filled[0] if filled else None
            return_tensors = framework_of(filled)
    data = {key: to_python(value) for key, value in data.items()}
    required = data[name]
    if not isinstance(required, list):
        raise ValueError(
            f"type of {required!r} unknown: {type(required).__name__}. `{name}` should be a list, an array "
            "or a tensor, of one or two dimensions."
        )
    plan = plan_lengths(tokenizer, padding, None, max_length, pad_to_multiple_of, verbose)
    single = not isinstance(required[0], list)
    if single:
        data = {key: [value] for key, value in data.items()}
    size = len(data[name])
    if any(not isinstance(value, list) or len(value) != size for value in data.values()):
        raise ValueError("Some items in the output dictionary have a different batch size than others.")
    pad_in_place(tokenizer, data, plan, return_attention_mask)
    if single:
        data = {key: value[0] for key, value in data.items()}
    return BatchEncoding(data, tensor_type=return_tensors)


def pad_in_place(
    tokenizer: PreTrainedTokenizerBase,
    data: dict[str, list[Any]],
    plan: LengthPlan,
    return_attention_mask: bool | None = None,
) -> None:
    """Pad the entries of a batch whose meaning for padding is known, and make `attention_mask`.

    Args:
        tokenizer: gives padding side and values.
        data: {name: one list for each member}; changed.
        plan: `padding`, `max_length` and `pad_to_multiple_of` are used.
        return_attention_mask: whether there is to be a mask; by default as `model_input_names` says.
    """
    name = tokenizer.model_input_names[0]
    if return_attention_mask is None:
        return_attention_mask = "attention_mask" in tokenizer.model_input_names
    lengths = [len(ids) for ids in data[name]]
    if return_attention_mask and "attention_mask" not in data:
        data["attention_mask"] = [[1] * length for length in lengths]
    if plan.padding is PaddingStrategy.DO_NOT_PAD:
        return
    target = max(lengths) if plan.padding is PaddingStrategy.LONGEST else plan.max_length or 0
    if plan.pad_to_multiple_of is not None:
        target = -(-target // plan.pad_to_multiple_of) * plan.pad_to_multiple_of
    fillers = {
        name: tokenizer.pad_token_id,
        "token_type_ids": tokenizer.pad_token_type_id,
        "special_tokens_mask": 1,
    }
    if return_attention_mask:
        fillers["attention_mask"] = 0
    left = tokenizer.padding_side == "left"
    for key, filler in fillers.items():
        if key in data:
            data[key] = _padded(data[key], lengths, target, filler, left)


def _padded(members: Sequence[Any], lengths: list[int], target: int, filler: int, left: bool) -> list[Any]:
    if left:
        return [
            [filler] * (target - length) + list(member)
            for member, length in zip(members, lengths, strict=True)
        ]
    return [
        list(member) + [filler] * (target - length) for member, length in zip(members, lengths, strict=True)
    ]
