"""The named choices of padding, truncation and tensors, and how the documented arguments spell them.

Mirrors the documentation page `pad_truncation`.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from ..utils import logging
from ..utils.enums import ExplicitEnum

if TYPE_CHECKING:
    from .base import PreTrainedTokenizerBase

__all__ = ["VERY_LARGE_INTEGER", "PaddingStrategy", "TensorType", "TruncationStrategy"]

logger = logging.get_logger(__name__)

VERY_LARGE_INTEGER = int(1e30)  # `model_max_length` of a model that has no maximum
_LARGEST_REAL_MAXIMUM = int(1e20)  # old files round that number; whatever is larger than this means the same


class PaddingStrategy(ExplicitEnum):
    """What `padding=` may be: up to the longest member, up to a length, not at all."""

    LONGEST = "longest"
    MAX_LENGTH = "max_length"
    DO_NOT_PAD = "do_not_pad"


class TruncationStrategy(ExplicitEnum):
    """What `truncation=` may be: which member of a pair gives up tokens."""

    ONLY_FIRST = "only_first"
    ONLY_SECOND = "only_second"
    LONGEST_FIRST = "longest_first"
    DO_NOT_TRUNCATE = "do_not_truncate"


class TensorType(ExplicitEnum):
    """What `return_tensors=` may be."""

    PYTORCH = "pt"
    NUMPY = "np"


class LengthPlan(NamedTuple):
    """The four arguments that decide on lengths, resolved."""

    padding: PaddingStrategy
    truncation: TruncationStrategy
    max_length: int | None
    pad_to_multiple_of: int | None


def plan_lengths(
    tokenizer: PreTrainedTokenizerBase,
    padding: bool | str | PaddingStrategy = False,
    truncation: bool | str | TruncationStrategy | None = None,
    max_length: int | None = None,
    pad_to_multiple_of: int | None = None,
    verbose: bool = True,
) -> LengthPlan:
    """Resolve the documented spellings of `padding`, `truncation` and `max_length` for one tokenizer.

    Returns:
        The plan; its `max_length` is None only where nothing needs one.

    Raises:
        ValueError: an unknown strategy; padding without a padding token; a truncation length that is not a
            multiple of `pad_to_multiple_of`, or negative.
    """
    if max_length is not None and max_length < 0:
        raise ValueError(f"`max_length` is a number of tokens, and cannot be {max_length}.")
    if max_length is not None and padding is False and truncation is None:
        if verbose:
            tokenizer.warn_once(
                "truncation-not-explicitly-activated",
                "Truncation was not explicitly activated but `max_length` is set, so texts are truncated to "
                "it ('longest_first' for pairs). Say `truncation=True` (or another strategy) to mean that, "
                "or `truncation=False` to keep every token.",
            )
        truncation = TruncationStrategy.LONGEST_FIRST

    truncation_plan = _truncation_strategy(truncation)
    padding_plan = _padding_strategy(padding)
    if (
        padding is True
        and verbose
        and max_length is not None
        and truncation_plan is TruncationStrategy.DO_NOT_TRUNCATE
    ):
        warnings.warn(
            "`max_length` is ignored when `padding`=`True` and nothing is truncated: say "
            "`padding='max_length'` to pad up to `max_length`.",
            stacklevel=4,
        )

    if max_length is None:
        has_maximum = tokenizer.model_max_length <= _LARGEST_REAL_MAXIMUM
        if padding_plan is PaddingStrategy.MAX_LENGTH:
            if has_maximum:
                max_length = tokenizer.model_max_length
            else:
                padding_plan = PaddingStrategy.DO_NOT_PAD
                _warn_no_maximum(tokenizer, "pad", verbose)
        if truncation_plan is not TruncationStrategy.DO_NOT_TRUNCATE:
            if has_maximum:
                max_length = tokenizer.model_max_length
            else:
                truncation_plan = TruncationStrategy.DO_NOT_TRUNCATE
                _warn_no_maximum(tokenizer, "truncate", verbose)

    if padding_plan is not PaddingStrategy.DO_NOT_PAD:
        check_can_pad(tokenizer)
        if (
            truncation_plan is not TruncationStrategy.DO_NOT_TRUNCATE
            and pad_to_multiple_of is not None
            and max_length is not None
            and max_length % pad_to_multiple_of != 0
        ):
            raise ValueError(
                "Truncation and padding are both activated but truncation length "
                f"({max_length}) is not a multiple of pad_to_multiple_of ({pad_to_multiple_of})."
            )
    return LengthPlan(padding_plan, truncation_plan, max_length, pad_to_multiple_of)


def check_can_pad(tokenizer: PreTrainedTokenizerBase) -> None:
    """Raise ValueError when the tokenizer has nothing to pad with."""
    pad_token_id = tokenizer.pad_token_id
    if pad_token_id is None or pad_token_id < 0:
        raise ValueError(
            "Asking to pad but the tokenizer does not have a padding token. Please select a token to use as "
            "`pad_token`, for example `tokenizer.pad_token = tokenizer.eos_token`, or add a new one with "
            "`tokenizer.add_special_tokens({'pad_token': '[PAD]'})`."
        )


def _padding_strategy(padding: bool | str | PaddingStrategy | None) -> PaddingStrategy:
    if padding is False or padding is None:
        return PaddingStrategy.DO_NOT_PAD
    return PaddingStrategy.LONGEST if padding is True else PaddingStrategy(padding)


def _truncation_strategy(truncation: bool | str | TruncationStrategy | None) -> TruncationStrategy:
    if truncation is False or truncation is None:
        return TruncationStrategy.DO_NOT_TRUNCATE
    return TruncationStrategy.LONGEST_FIRST if truncation is True else TruncationStrategy(truncation)


def _warn_no_maximum(tokenizer: PreTrainedTokenizerBase, verb: str, verbose: bool) -> None:
    if verbose:
        tokenizer.warn_once(
            f"asking-to-{verb}-without-maximum",
            f"Asking to {verb} to max_length but no maximum length is provided and the model has no "
            f"predefined maximum length, so nothing is {verb.rstrip('e')}ed: pass `max_length=`.",
        )


def take_older_spellings(
    kwargs: dict[str, Any],
    padding: bool | str | PaddingStrategy,
    truncation: bool | str | TruncationStrategy | None,
) -> tuple[bool | str | PaddingStrategy, bool | str | TruncationStrategy | None]:
    """Pop `pad_to_max_length` and `truncation_strategy` (before version 3) out of `kwargs`."""
    if kwargs.pop("pad_to_max_length", False):
        warnings.warn(
            "The `pad_to_max_length` argument is deprecated: use `padding=True` (longest member of the "
            "batch) or `padding='max_length'`.",
            FutureWarning,
            stacklevel=4,
        )
        if padding is False:
            padding = PaddingStrategy.MAX_LENGTH
    older = kwargs.pop("truncation_strategy", None)
    if older is not None:
        warnings.warn(
            "The `truncation_strategy` argument is deprecated: use `truncation=` with the same value.",
            FutureWarning,
            stacklevel=4,
        )
        if truncation is None:
            truncation = older
    return padding, truncation
