"""When `generate` stops.

Mirrors the documentation page `internal/generation_utils`.
"""

from __future__ import annotations

import time
from typing import Any

import torch

from ..utils import logging

__all__ = ["MaxLengthCriteria", "MaxTimeCriteria", "StoppingCriteria", "StoppingCriteriaList"]

logger = logging.get_logger(__name__)


class StoppingCriteria:
    """Base of what is asked after every token whether to stop."""

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> bool | torch.Tensor:
        """Tell whether to stop.

        Args:
            input_ids: (b, s) tokens so far.
            scores: the scores of the steps so far, where `output_scores=True` asks for them, else None.
            kwargs: left to subclasses.

        Returns:
            One answer for all, or a boolean for each row (b,); a row that stops is padded from there on.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a `__call__` of its own.")


class MaxLengthCriteria(StoppingCriteria):
    """Stops at a number of tokens, a decoder's prompt included.

    Args:
        max_length: that number.
        max_position_embeddings: for how many tokens the model was made; beyond it, there is a warning.
    """

    def __init__(self, max_length: int, max_position_embeddings: int | None = None) -> None:
        self.max_length = max_length
        self.max_position_embeddings = max_position_embeddings

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> bool:
        """Tell whether there are as many tokens as may be."""
        length = input_ids.shape[-1]
        is_done = length >= self.max_length
        if (
            self.max_position_embeddings is not None
            and not is_done
            and length >= self.max_position_embeddings
        ):
            logger.warning_once(
                "This is a friendly reminder - the current text generation call will exceed the model's "
                f"predefined maximum length ({self.max_position_embeddings}). Depending on the model, you "
                "may observe exceptions, performance degradation, or nothing at all."
            )
        return is_done


class MaxTimeCriteria(StoppingCriteria):
    """Stops after a time; the token that is being computed is finished first.

    Args:
        max_time: seconds.
        initial_timestamp: when they begin, as `time.time()` gives it; by default now.
    """

    def __init__(self, max_time: float, initial_timestamp: float | None = None) -> None:
        self.max_time = max_time
        self.initial_timestamp = time.time() if initial_timestamp is None else initial_timestamp

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> bool:
        """Tell whether the time is over."""
        return time.time() - self.initial_timestamp > self.max_time


class StoppingCriteriaList(list):
    """Several criteria: any of them stops."""

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> bool | torch.Tensor:
        """Ask all of them.

        Returns:
            One answer, or one for each row (b,) when some criterion gives that.
        """
        done: bool | torch.Tensor = False
        for criterion in self:
            done = done | criterion(input_ids, scores, **kwargs)
        return done

    @property
    def max_length(self) -> int | None:
        """The number of tokens at which a `MaxLengthCriteria` among them stops."""
        lengths = (criterion.max_length for criterion in self if isinstance(criterion, MaxLengthCriteria))
        return next(lengths, None)
