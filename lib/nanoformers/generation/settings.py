"""From a `GenerationConfig` to what the loop uses: lengths, processors, criteria."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from ..configuration import PretrainedConfig
from ..utils import logging
from .configuration import GenerationConfig
from .logits_process import (
    ForcedBOSTokenLogitsProcessor,
    ForcedEOSTokenLogitsProcessor,
    LogitNormalization,
    LogitsProcessorList,
    MinLengthLogitsProcessor,
    MinNewTokensLengthLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)
from .stopping_criteria import MaxLengthCriteria, MaxTimeCriteria, StoppingCriteriaList

__all__ = ["check_lengths", "criteria_for", "processors_for", "refuse_unavailable", "warpers_for"]

logger = logging.get_logger(__name__)

_UNAVAILABLE = (
    "encoder_repetition_penalty",
    "encoder_no_repeat_ngram_size",
    "bad_words_ids",
    "remove_invalid_values",
    "exponential_decay_length_penalty",
    "suppress_tokens",
    "begin_suppress_tokens",
    "forced_decoder_ids",
    "sequence_bias",
    "guidance_scale",
)
_UNAVAILABLE_IN_SAMPLING = ("typical_p", "epsilon_cutoff", "eta_cutoff")


def refuse_unavailable(config: GenerationConfig, **arguments: Any) -> None:
    """Refuse what would change the result and is not here.

    Args:
        config: how to generate.
        arguments: those of `generate` that have to be left out.

    Raises:
        ValueError: some are set; the message names them.
    """
    names = _UNAVAILABLE + (_UNAVAILABLE_IN_SAMPLING if config.do_sample else ())
    found = [name for name in names if config.is_set(name)]
    found += [
        name for name, value in arguments.items() if value not in (None, False) and name != "assistant_model"
    ]
    if found:
        raise ValueError(
            f"{', '.join(f'`{name}`' for name in found)} cannot be used: scores are changed by "
            "`temperature`, `top_k`, `top_p`, `repetition_penalty`, `no_repeat_ngram_size`, `min_length`, "
            "`min_new_tokens`, `forced_bos_token_id`, `forced_eos_token_id`, `renormalize_logits`, "
            "and by a `logits_processor` of your own."
        )


def check_lengths(
    config: GenerationConfig,
    prompt_length: int,
    num_embeddings: int,
    kwargs: dict[str, Any],
    is_encoder_decoder: bool,
) -> None:
    """Work out `max_length` and `min_length`, which count the prompt, and set them in `config`.

    Args:
        config: changed in place.
        prompt_length: tokens in the prompt (of an encoder-decoder, in the decoder's).
        num_embeddings: embeddings given in place of tokens; they count too, and are not returned.
        kwargs: the arguments of `generate`.
        is_encoder_decoder: for the message.

    Raises:
        ValueError: the prompt is as long as the result may be.
    """
    if config.max_new_tokens is not None:
        if kwargs.get("max_length") is not None:
            logger.warning(
                f"Both `max_new_tokens` (={config.max_new_tokens}) and `max_length`(={config.max_length}) "
                "seem to have been set. `max_new_tokens` will take precedence."
            )
        config.max_length = config.max_new_tokens + prompt_length
    else:
        if kwargs.get("max_length") is None and config.max_length == GenerationConfig().max_length:
            warnings.warn(
                f"Using the model-agnostic default `max_length` (={config.max_length}) to control the "
                "generation length. We recommend setting `max_new_tokens` to control the maximum length of "
                "the generation.",
                UserWarning,
                stacklevel=4,
            )
        config.max_length -= num_embeddings
    if prompt_length >= config.max_length:
        name = "decoder_input_ids" if is_encoder_decoder else "input_ids"
        raise ValueError(
            f"Input length of {name} is {prompt_length + num_embeddings}, but `max_length` is set to "
            f"{config.max_length + num_embeddings}. This can lead to unexpected behavior. You should "
            "consider increasing `max_length` or, better yet, setting `max_new_tokens`."
        )
    if config.min_new_tokens is not None:
        config.min_length = config.min_new_tokens + prompt_length
    else:
        config.min_length = max((config.min_length or 0) - num_embeddings, 0)
    if config.min_length > config.max_length:
        name = "min_length" if config.min_new_tokens is None else "min_new_tokens"
        warnings.warn(
            f"Unfeasible length constraints: `{name}` asks for {config.min_length} tokens with the prompt's, "
            f"which is larger than the maximum possible length ({config.max_length}). Generation will stop "
            "at the defined maximum length. You should decrease the minimum length and/or increase the "
            "maximum length.",
            UserWarning,
            stacklevel=4,
        )


def processors_for(
    config: GenerationConfig, prompt_length: int, ends: list[int], custom: Sequence[Any] | None
) -> LogitsProcessorList:
    """Return the processors that the configuration asks for, then the caller's.

    Raises:
        ValueError: the caller gives one that the configuration asks for too; a value is not allowed.
    """
    found = LogitsProcessorList()
    if config.is_set("repetition_penalty"):
        found.append(RepetitionPenaltyLogitsProcessor(config.repetition_penalty))
    if config.is_set("no_repeat_ngram_size"):
        found.append(NoRepeatNGramLogitsProcessor(config.no_repeat_ngram_size))
    if ends and config.min_new_tokens:
        found.append(MinNewTokensLengthLogitsProcessor(prompt_length, config.min_new_tokens, ends))
    elif ends and config.min_length:
        found.append(MinLengthLogitsProcessor(config.min_length, ends))
    if config.forced_bos_token_id is not None:
        found.append(ForcedBOSTokenLogitsProcessor(config.forced_bos_token_id))
    if config.forced_eos_token_id is not None:
        found.append(ForcedEOSTokenLogitsProcessor(config.max_length, config.forced_eos_token_id))
    _add_custom(found, custom, "logits processor")
    if config.renormalize_logits:
        found.append(LogitNormalization())
    return found


def warpers_for(config: GenerationConfig) -> LogitsProcessorList:
    """Return the warpers that the configuration asks for.

    Raises:
        ValueError: a value is not allowed.
    """
    found = LogitsProcessorList()
    if config.is_set("temperature"):
        found.append(TemperatureLogitsWarper(config.temperature))
    if config.top_k not in (None, 0):
        found.append(TopKLogitsWarper(config.top_k))
    if config.is_set("top_p"):
        found.append(TopPLogitsWarper(config.top_p))
    if config.renormalize_logits:
        found.append(LogitNormalization())
    return found


def criteria_for(
    config: GenerationConfig, model_config: PretrainedConfig, custom: Sequence[Any] | None
) -> StoppingCriteriaList:
    """Return the criteria that the configuration asks for, then the caller's.

    Raises:
        ValueError: the caller gives one that the configuration asks for too.
    """
    longest = getattr(model_config, "max_position_embeddings", None)
    found = StoppingCriteriaList([MaxLengthCriteria(config.max_length, longest)])
    if config.max_time is not None:
        found.append(MaxTimeCriteria(config.max_time))
    _add_custom(found, custom, "stopping criteria")
    return found


def _add_custom(found: list[Any], custom: Sequence[Any] | None, kind: str) -> None:
    """Append the caller's processors or criteria, none of which may be of a type that is there already."""
    if callable(custom) and not isinstance(custom, Sequence):
        raise TypeError(f"A custom {kind} has to be in a list, also when it is the only one.")
    for item in custom or ():
        if any(type(item) is type(known) for known in found):
            raise ValueError(
                f"A custom {kind} of type {type(item).__name__} has been passed to `.generate()`, and there "
                "is one already, because an argument of `.generate()` or the model's generation "
                "configuration asks for it. Leave one of them out."
            )
    found.extend(custom or ())
