"""Changes to the scores of the next token, before one is chosen.

Mirrors the documentation page `internal/generation_utils`. A processor changes scores for any strategy; a
warper reshapes the distribution that tokens are drawn from. Each is called with `input_ids` (b, s), the
tokens so far, and `scores` (b, vocab_size), which are logits or log-probabilities, and returns new scores.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch

__all__ = [
    "ForcedBOSTokenLogitsProcessor",
    "ForcedEOSTokenLogitsProcessor",
    "LogitNormalization",
    "LogitsProcessor",
    "LogitsProcessorList",
    "LogitsWarper",
    "MinLengthLogitsProcessor",
    "MinNewTokensLengthLogitsProcessor",
    "NoRepeatNGramLogitsProcessor",
    "RepetitionPenaltyLogitsProcessor",
    "TemperatureLogitsWarper",
    "TopKLogitsWarper",
    "TopPLogitsWarper",
    "top_k_top_p_filtering",
]

Tensor = torch.Tensor


class LogitsProcessor:
    """Base of what changes scores."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return new scores (b, vocab_size) for the tokens (b, s) so far."""
        raise NotImplementedError(f"{type(self).__name__} needs a `__call__` of its own.")


class LogitsWarper(LogitsProcessor):
    """Base of what changes scores only where tokens are drawn at random."""


class LogitsProcessorList(list):
    """Processors, applied one after the other."""

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        """Return the scores (b, vocab_size) that the last one gives.

        Args:
            input_ids: (b, s) tokens so far.
            scores: (b, vocab_size).
            kwargs: what some processors need beside these, and others do not take.

        Raises:
            ValueError: something that a processor needs is missing.
        """
        for processor in self:
            wanted = list(inspect.signature(processor.__call__).parameters)[2:] if kwargs else []
            if missing := [name for name in wanted if name not in kwargs]:
                raise ValueError(
                    f"Make sure that all the required parameters: {missing} for {type(processor)} are passed "
                    "to the logits processor."
                )
            scores = processor(input_ids, scores, **kwargs) if wanted else processor(input_ids, scores)
        return scores


def _positive_integer(value: Any, name: str) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"`{name}` has to be a strictly positive integer, but is {value}")
    return value


def _non_negative_integer(value: Any, name: str) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"`{name}` has to be a non-negative integer, but is {value}")
    return value


def _token_ids(value: int | Sequence[int] | Tensor, name: str = "eos_token_id") -> Tensor:
    """Return one or several tokens as a tensor (n,)."""
    ids = torch.as_tensor([value] if isinstance(value, int) else value).reshape(-1)
    if ids.is_floating_point() or bool((ids < 0).any()):
        raise ValueError(f"`{name}` has to be a list of positive integers, but is {value}")
    return ids


def _forbidden(scores: Tensor, ids: Tensor) -> Tensor:
    ids = ids[ids < scores.shape[-1]]  # others are forbidden already
    return scores.index_fill(-1, ids.to(scores.device), -torch.inf)


def _only(scores: Tensor, ids: Tensor) -> Tensor:
    return torch.full_like(scores, -torch.inf).index_fill_(-1, ids.to(scores.device), 0.0)


class MinLengthLogitsProcessor(LogitsProcessor):
    """Forbids the end before a number of tokens, a decoder's prompt included.

    Args:
        min_length: that number.
        eos_token_id: the token (or tokens) of the end.

    Raises:
        ValueError: an argument is negative, or no integer.
    """

    def __init__(self, min_length: int, eos_token_id: int | list[int] | Tensor) -> None:
        self.min_length = _non_negative_integer(min_length, "min_length")
        self.eos_token_id = _token_ids(eos_token_id)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (b, vocab_size) in which the end may be impossible."""
        return _forbidden(scores, self.eos_token_id) if input_ids.shape[-1] < self.min_length else scores


class MinNewTokensLengthLogitsProcessor(LogitsProcessor):
    """Forbids the end before a number of tokens after the prompt.

    Args:
        prompt_length_to_skip: tokens of the prompt.
        min_new_tokens: the least number of others.
        eos_token_id: the token (or tokens) of the end.

    Raises:
        ValueError: an argument is negative, or no integer.
    """

    def __init__(
        self, prompt_length_to_skip: int, min_new_tokens: int, eos_token_id: int | list[int] | Tensor
    ) -> None:
        self.prompt_length_to_skip = _non_negative_integer(prompt_length_to_skip, "prompt_length_to_skip")
        self.min_new_tokens = _non_negative_integer(min_new_tokens, "min_new_tokens")
        self.eos_token_id = _token_ids(eos_token_id)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (b, vocab_size) in which the end may be impossible."""
        too_short = input_ids.shape[-1] - self.prompt_length_to_skip < self.min_new_tokens
        return _forbidden(scores, self.eos_token_id) if too_short else scores


class RepetitionPenaltyLogitsProcessor(LogitsProcessor):
    """Makes tokens that were there already less probable (CTRL, https://arxiv.org/abs/1909.05858).

    Their positive scores are divided by the penalty, and negative ones multiplied, once however often they
    were there.

    Args:
        penalty: 1.0 changes nothing; below it, repetition is encouraged.

    Raises:
        ValueError: `penalty` is no positive float.
    """

    def __init__(self, penalty: float) -> None:
        if not isinstance(penalty, float) or penalty <= 0:
            raise ValueError(f"`penalty` has to be a strictly positive float, but is {penalty}")
        self.penalty = penalty

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (b, vocab_size), those of tokens seen lowered."""
        seen = scores.gather(1, input_ids)
        return scores.scatter(1, input_ids, torch.where(seen < 0, seen * self.penalty, seen / self.penalty))


class NoRepeatNGramLogitsProcessor(LogitsProcessor):
    """Forbids tokens that would complete a run of n tokens that was there already.

    Args:
        ngram_size: n; 1 lets no token come twice.

    Raises:
        ValueError: `ngram_size` is no positive integer.
    """

    def __init__(self, ngram_size: int) -> None:
        self.ngram_size = _positive_integer(ngram_size, "ngram_size")

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (b, vocab_size) in which repetitions are impossible."""
        length = input_ids.shape[-1]
        if length < self.ngram_size:
            return scores
        runs = input_ids.unfold(1, self.ngram_size, 1)  # (b, length - n + 1, n)
        end = input_ids[:, length - self.ngram_size + 1 :]  # (b, n - 1): the run that the next token ends
        rows, places = (runs[..., :-1] == end[:, None]).all(-1).nonzero(as_tuple=True)
        scores = scores.clone()
        scores[rows, runs[rows, places, -1]] = -torch.inf
        return scores


class ForcedBOSTokenLogitsProcessor(LogitsProcessor):
    """Lets only one token follow the decoder's start, such as that of the language to translate to.

    Args:
        bos_token_id: that token.
    """

    def __init__(self, bos_token_id: int) -> None:
        self.bos_token_id = _token_ids(bos_token_id, "bos_token_id")

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (b, vocab_size) in which only that token may be possible."""
        return _only(scores, self.bos_token_id) if input_ids.shape[-1] == 1 else scores


class ForcedEOSTokenLogitsProcessor(LogitsProcessor):
    """Lets only the end come last, where the greatest length is reached.

    Args:
        max_length: that length, a decoder's prompt included.
        eos_token_id: the token (or tokens) of the end.
    """

    def __init__(self, max_length: int, eos_token_id: int | list[int]) -> None:
        self.max_length = _positive_integer(max_length, "max_length")
        self.eos_token_id = _token_ids(eos_token_id)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (b, vocab_size) in which only the end may be possible."""
        return _only(scores, self.eos_token_id) if input_ids.shape[-1] == self.max_length - 1 else scores


class TemperatureLogitsWarper(LogitsWarper):
    """Divides scores: below 1.0 the probable becomes more probable, above it less.

    Args:
        temperature: the divisor.

    Raises:
        ValueError: it is no positive float.
    """

    def __init__(self, temperature: float) -> None:
        if not isinstance(temperature, float) or temperature <= 0:
            message = (
                f"`temperature` (={temperature}) has to be a strictly positive float, otherwise your next "
                "token scores will be invalid."
            )
            if temperature == 0.0:
                message += " If you're looking for greedy decoding strategies, set `do_sample=False`."
            raise ValueError(message)
        self.temperature = temperature

    def __call__(self, input_ids: Tensor | None, scores: Tensor) -> Tensor:
        """Return scores (b, vocab_size) divided by the temperature."""
        return scores / self.temperature


class TopKLogitsWarper(LogitsWarper):
    """Keeps the k most probable tokens (and those as probable as the last of them).

    Args:
        top_k: k.
        filter_value: score of the others.
        min_tokens_to_keep: keep at least so many.

    Raises:
        ValueError: `top_k` is no positive integer.
    """

    def __init__(self, top_k: int, filter_value: float = -torch.inf, min_tokens_to_keep: int = 1) -> None:
        self.top_k = max(_positive_integer(top_k, "top_k"), min_tokens_to_keep)
        self.filter_value = filter_value

    def __call__(self, input_ids: Tensor | None, scores: Tensor) -> Tensor:
        """Return scores (b, vocab_size), all but k of them filtered."""
        least = scores.topk(min(self.top_k, scores.shape[-1])).values[..., -1:]
        return scores.masked_fill(scores < least, self.filter_value)


class TopPLogitsWarper(LogitsWarper):
    """Keeps the fewest tokens whose probabilities add up to p (nucleus, https://arxiv.org/abs/1904.09751).

    Args:
        top_p: p, from 0 to 1.
        filter_value: score of the others.
        min_tokens_to_keep: keep at least so many.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(self, top_p: float, filter_value: float = -torch.inf, min_tokens_to_keep: int = 1) -> None:
        if not 0.0 <= float(top_p) <= 1.0:
            raise ValueError(f"`top_p` has to be a float > 0 and < 1, but is {top_p}")
        if not isinstance(min_tokens_to_keep, int) or min_tokens_to_keep < 1:
            raise ValueError(
                f"`min_tokens_to_keep` has to be a positive integer, but is {min_tokens_to_keep}"
            )
        self.top_p = float(top_p)
        self.filter_value = filter_value
        self.min_tokens_to_keep = min_tokens_to_keep

    def __call__(self, input_ids: Tensor | None, scores: Tensor) -> Tensor:
        """Return scores (b, vocab_size), those outside the nucleus filtered."""
        ascending, order = scores.sort(descending=False)
        outside = ascending.softmax(-1).cumsum(-1) <= 1 - self.top_p
        outside[..., -self.min_tokens_to_keep :] = False
        return scores.masked_fill(outside.scatter(-1, order, outside), self.filter_value)


class LogitNormalization(LogitsWarper):
    """Makes log-probabilities of scores."""

    def __call__(self, input_ids: Tensor | None, scores: Tensor) -> Tensor:
        """Return scores (b, vocab_size) whose exponentials add up to 1."""
        return scores.log_softmax(-1)


def top_k_top_p_filtering(
    logits: Tensor,
    top_k: int = 0,
    top_p: float = 1.0,
    filter_value: float = -torch.inf,
    min_tokens_to_keep: int = 1,
) -> Tensor:
    """Filter scores by both rules, one after the other.

    Args:
        logits: (b, vocab_size).
        top_k: see `TopKLogitsWarper`; 0 for no such rule.
        top_p: see `TopPLogitsWarper`; 1.0 for no such rule.
        filter_value: score of what is filtered.
        min_tokens_to_keep: keep at least so many.
    """
    if top_k > 0:
        logits = TopKLogitsWarper(top_k, filter_value, min_tokens_to_keep)(None, logits)
    if 0 <= top_p < 1.0:
        logits = TopPLogitsWarper(top_p, filter_value, min_tokens_to_keep)(None, logits)
    return logits
