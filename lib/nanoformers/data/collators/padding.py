"""Rows of unequal length to one array: what every collator needs, and what each training step waits for.

The tokenizer's own `pad` serves every kind of input; `pad_features` gives the same result for what data sets
hold (lists, arrays or tensors of ids), with one array made per column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ...tokenization import BatchEncoding, PaddingStrategy, PreTrainedTokenizerBase
from ...tokenization.strategies import plan_lengths
from ...tokenization.tensors import to_python
from .mixin import check_not_empty

__all__ = ["columns_of", "pad_features", "pad_rows", "padded_length", "stack_ids", "to_framework"]


def columns_of(features: Sequence[Any]) -> dict[str, list[Any]]:
    """Return {name: one value for each example}, with the names of the first example.

    Raises:
        ValueError: there are no examples, or one lacks what the first has.
    """
    check_not_empty(features)
    try:
        return {name: [feature[name] for feature in features] for name in features[0].keys()}  # noqa: SIM118
    except KeyError as error:
        raise ValueError(
            f"The examples of a batch need the same entries: one of them has no {error} as the first has."
        ) from None


def padded_length(longest: int, pad_to_multiple_of: int | None) -> int:
    """Return the next multiple of `pad_to_multiple_of`, or `longest` itself without one."""
    return -(-longest // pad_to_multiple_of) * pad_to_multiple_of if pad_to_multiple_of else longest


def pad_rows(rows: Sequence[Any], length: int, filler: int, side: str = "right") -> np.ndarray:
    """Return (rows, length) int64 from rows of ids (lists, arrays or tensors), filled up on one side.

    Raises:
        ValueError: a row is longer than `length`, or holds something other than numbers.
    """
    longest = max(map(len, rows))
    if longest > length:
        raise ValueError(f"A row of {longest} ids does not fit into {length} (its inputs are shorter).")
    if isinstance(rows[0], (list, tuple)):
        if side == "left":
            filled = [[filler] * (length - len(row)) + list(row) for row in rows]
        else:
            filled = [list(row) + [filler] * (length - len(row)) for row in rows]
        return np.array(filled, dtype=np.int64)
    padded = np.full((len(rows), length), filler, dtype=np.int64)
    for target, row in zip(padded, rows, strict=True):
        if side == "left":
            target[length - len(row) :] = row
        else:
            target[: len(row)] = row
    return padded


def to_framework(array: np.ndarray, return_tensors: str) -> Any:
    """Return the array itself for "np", or a torch tensor over the same memory for "pt"."""
    return torch.from_numpy(array) if return_tensors == "pt" else array


def pad_features(
    tokenizer: PreTrainedTokenizerBase,
    features: Sequence[Any],
    *,
    padding: bool | str | PaddingStrategy = True,
    max_length: int | None = None,
    pad_to_multiple_of: int | None = None,
    return_tensors: str = "pt",
) -> BatchEncoding:
    """Pad examples as `tokenizer.pad` does, without its advice to pad while tokenizing.

    Args:
        tokenizer: gives padding values and side.
        features: a list of {name: ids}.
        padding: as in calling the tokenizer.
        max_length: as in calling the tokenizer.
        pad_to_multiple_of: as in calling the tokenizer.
        return_tensors: "pt" or "np".

    Raises:
        ValueError: as `tokenizer.pad`.
    """
    if not isinstance(tokenizer, PreTrainedTokenizerBase):  # a feature extractor, or another library's
        return tokenizer.pad(
            list(features),
            padding=padding,
            max_length=max_length,
            pad_to_multiple_of=pad_to_multiple_of,
            return_tensors=return_tensors,
        )
    if return_tensors in ("pt", "np") and _is_plain(tokenizer, features):
        plan = plan_lengths(tokenizer, padding, False, max_length, pad_to_multiple_of, verbose=False)
        columns = columns_of(features)
        longest = max(map(len, columns[tokenizer.model_input_names[0]]))
        if plan.padding is PaddingStrategy.LONGEST:
            return _pad_columns(
                tokenizer, columns, padded_length(longest, pad_to_multiple_of), return_tensors
            )
        if plan.padding is PaddingStrategy.MAX_LENGTH and longest <= (plan.max_length or 0):
            target = padded_length(plan.max_length or 0, pad_to_multiple_of)
            return _pad_columns(tokenizer, columns, target, return_tensors)
    return tokenizer.pad(
        features if isinstance(features, Mapping) else columns_of(features),
        padding=padding,
        max_length=max_length,
        pad_to_multiple_of=pad_to_multiple_of,
        return_tensors=return_tensors,
        verbose=False,
    )


def _is_plain(tokenizer: PreTrainedTokenizerBase, features: Any) -> bool:
    """Whether these are examples whose ids are rows of numbers, and padding is the base class's."""
    if type(tokenizer).pad is not PreTrainedTokenizerBase.pad or isinstance(features, Mapping):
        return False
    first = features[0].get(tokenizer.model_input_names[0]) if len(features) else None
    if isinstance(first, (np.ndarray, torch.Tensor)):
        return first.ndim == 1
    return isinstance(first, (list, tuple)) and (not first or isinstance(first[0], (int, np.integer)))


def _pad_columns(
    tokenizer: PreTrainedTokenizerBase, columns: dict[str, list[Any]], length: int, return_tensors: str
) -> BatchEncoding:
    """Return the batch: entries that are known to go with the ids as (batch, length), others as they are."""
    name = tokenizer.model_input_names[0]
    fillers = {
        name: tokenizer.pad_token_id,
        "token_type_ids": tokenizer.pad_token_type_id,
        "special_tokens_mask": 1,
    }
    side = tokenizer.padding_side
    with_mask = "attention_mask" in tokenizer.model_input_names
    if with_mask:
        fillers["attention_mask"] = 0
        if "attention_mask" not in columns:
            columns["attention_mask"] = [[1] * len(ids) for ids in columns[name]]
    others = {key: to_python(values) for key, values in columns.items() if key not in fillers}
    converted = BatchEncoding(others, tensor_type=return_tensors)
    batch = {
        key: to_framework(pad_rows(values, length, fillers[key], side), return_tensors)
        if key in fillers
        else converted[key]
        for key, values in columns.items()
    }
    return BatchEncoding(batch)


def stack_ids(
    rows: Sequence[Any],
    tokenizer: PreTrainedTokenizerBase,
    pad_to_multiple_of: int | None,
    return_tensors: str,
) -> Any:
    """Return (rows, longest) ids from bare rows of ids; only unequal rows need a padding token.

    Raises:
        ValueError: something has to be padded and the tokenizer has no padding token.
    """
    lengths = {len(row) for row in rows}
    target = padded_length(max(lengths), pad_to_multiple_of)
    if lengths != {target} and tokenizer.pad_token is None:
        raise ValueError(
            "You are attempting to pad samples but the tokenizer you are using "
            f"({type(tokenizer).__name__}) does not have a pad token. Set one: "
            "`tokenizer.pad_token = tokenizer.eos_token`."
        )
    filler = 0 if tokenizer.pad_token is None else tokenizer.pad_token_id
    return to_framework(pad_rows(rows, target, filler, tokenizer.padding_side), return_tensors)
