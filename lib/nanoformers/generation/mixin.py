"""`GenerationMixin`: what makes a model write.

Mirrors the documentation pages `generation_strategies` and `main_classes/text_generation`.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from ..embeddings import EmbeddingsMixin
from ..nn.cache import KeyValueCache
from ..utils import logging
from .configuration import GenerationConfig, GenerationMode

if TYPE_CHECKING:
    from .logits_process import LogitsProcessorList
    from .stopping_criteria import StoppingCriteriaList
    from .streamers import BaseStreamer

__all__ = ["GenerationMixin"]

logger = logging.get_logger(__name__)

Tensor = torch.Tensor

_STRATEGIES = {GenerationMode.GREEDY_SEARCH: "greedy_search", GenerationMode.SAMPLE: "sample"}


class GenerationMixin:
    """Adds `generate` to models that predict the next token.

    A model needs a `forward` that returns `logits` (b, s, vocab_size), and may need another
    `prepare_inputs_for_generation` than the one here.
    """

    @classmethod
    def can_generate(cls) -> bool:
        """Tell whether the model can generate.

        That is one which prepares its inputs in a way of its own, or scores tokens and takes a cache.
        """
        if cls.prepare_inputs_for_generation is not GenerationMixin.prepare_inputs_for_generation:
            return True
        model: Any = cls
        scores_tokens = model.get_output_embeddings is not EmbeddingsMixin.get_output_embeddings
        return scores_tokens and "past_key_values" in inspect.signature(model.forward).parameters

    @torch.no_grad()
    def generate(
        self,
        inputs: Tensor | None = None,
        generation_config: GenerationConfig | None = None,
        logits_processor: LogitsProcessorList | None = None,
        stopping_criteria: StoppingCriteriaList | None = None,
        prefix_allowed_tokens_fn: Callable[[int, Tensor], list[int]] | None = None,
        synced_gpus: bool | None = None,
        assistant_model: Any = None,
        streamer: BaseStreamer | None = None,
        negative_prompt_ids: Tensor | None = None,
        negative_prompt_attention_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Go on from a prompt.

        Args:
            inputs: (b, s) tokens (or the model's other main input, which may also be given under its name);
                without any, generation begins with `bos_token_id`. Prompts of different length are padded on
                the left. In an encoder-decoder, this is what the encoder reads.
            generation_config: how; by default `self.generation_config`. Special tokens that it leaves open
                are the model's.
            logits_processor: further processors, applied after those that the configuration asks for.
            stopping_criteria: further criteria.
            prefix_allowed_tokens_fn: not available.
            synced_gpus: not available.
            assistant_model: not available.
            streamer: receives the prompt and each new token (one sequence only for those that print text).
            negative_prompt_ids: not available.
            negative_prompt_attention_mask: not available.
            kwargs: attributes of `GenerationConfig`, which take the place of its values; and inputs of the
                model, such as `attention_mask` (b, s), `inputs_embeds` (b, s, d), `past_key_values`,
                `encoder_outputs`, `decoder_input_ids`. `labels`, which a batch for training has too, are not
                used.

        Returns:
            Tokens (b * num_return_sequences, n): the prompt (of an encoder-decoder, the start token) and what
            follows, padded after the end. With `return_dict_in_generate=True` a
            `GenerateDecoderOnlyOutput` or `GenerateEncoderDecoderOutput`.

        Raises:
            TypeError: the model cannot generate; the input is no tensor; `generation_config` is something
                else.
            ValueError: an argument is unknown, or its value not allowed; the prompt is as long as the result
                may be.
        """
        from . import inputs as prompt
        from .decoding import MOST_ROOM
        from .settings import check_lengths, criteria_for, processors_for, refuse_unavailable, warpers_for

        model: Any = self
        if not model.can_generate():
            raise TypeError(
                f"The current model class ({type(self).__name__}) is not compatible with `.generate()`, as "
                "it doesn't have a language model head. Classes that do have names that end in LMHeadModel, "
                "ForCausalLM or ForConditionalGeneration."
            )
        config, model_kwargs = self._generation_settings(generation_config, kwargs)
        refuse_unavailable(
            config,
            prefix_allowed_tokens_fn=prefix_allowed_tokens_fn,
            synced_gpus=synced_gpus,
            assistant_model=assistant_model,
            negative_prompt_ids=negative_prompt_ids,
            negative_prompt_attention_mask=negative_prompt_attention_mask,
        )
        mode = config.get_generation_mode(assistant_model)
        if mode not in _STRATEGIES:
            raise ValueError(
                f"These arguments ask for the strategy {mode.value!r}; there are "
                f"{' and '.join(repr(known.value) for known in _STRATEGIES)}, which have `num_beams=1` and "
                "no `penalty_alpha`, `constraints`, `force_words_ids` or assistant."
            )
        prompt.check_model_kwargs(model, model_kwargs)
        start = prompt.prepare(model, inputs, model_kwargs, config)
        if streamer is not None:
            streamer.put(start.tokens.cpu())
        prompt_length = start.tokens.shape[1]
        check_lengths(config, prompt_length, start.num_embeddings, kwargs, model.config.is_encoder_decoder)
        model_kwargs = start.model_kwargs | {"use_cache": config.use_cache}
        accepted = prompt.accepted_by(model.forward)
        if "logits_to_keep" in accepted:  # of the prompt, only the last token's scores are of use
            model_kwargs.setdefault("logits_to_keep", 1)
        if config.use_cache and "past_key_values" not in model_kwargs and "past_key_values" in accepted:
            room = config.max_length + start.num_embeddings
            longest = getattr(model.config, "max_position_embeddings", None) or room
            most = start.num_embeddings + prompt_length + MOST_ROOM
            model_kwargs["past_key_values"] = KeyValueCache(max_length=min(room, longest, most))

        arguments: dict[str, Any] = {
            "logits_processor": processors_for(config, prompt_length, start.ends, logits_processor),
            "stopping_criteria": criteria_for(config, model.config, stopping_criteria),
            "pad_token_id": start.pad,
            "eos_token_id": start.ends,
            "output_attentions": config.output_attentions,
            "output_hidden_states": config.output_hidden_states,
            "output_scores": config.output_scores,
            "return_dict_in_generate": config.return_dict_in_generate,
            "streamer": streamer,
        }
        if mode == GenerationMode.SAMPLE:
            arguments["logits_warper"] = warpers_for(config)
        return getattr(self, _STRATEGIES[mode])(start.tokens, **arguments, **model_kwargs)

    def _generation_settings(
        self, given: GenerationConfig | None, kwargs: dict[str, Any]
    ) -> tuple[GenerationConfig, dict[str, Any]]:
        """Return (how to generate, the other arguments); without `given`, the model's own way."""
        if given is not None and not isinstance(given, GenerationConfig):
            raise TypeError(
                f"`generation_config` has to be a GenerationConfig, and not a {type(given).__name__}: give "
                "single settings by name, as in `generate(..., max_new_tokens=20)`."
            )
        model: Any = self
        own: GenerationConfig = model.generation_config
        if given is None and own.is_of_model_config:
            now = GenerationConfig.from_model_config(model.config)
            if now != own:
                warnings.warn(
                    "You have modified the pretrained model configuration to control generation. This is a "
                    "deprecated strategy to control generation and will be removed soon. Please set the "
                    "attributes of `model.generation_config` instead.",
                    UserWarning,
                    stacklevel=3,
                )
                model.generation_config = own = now
        config = copy.deepcopy(own if given is None else given)
        for name in ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"):
            if getattr(config, name) is None:
                setattr(config, name, getattr(own, name))
        model_kwargs = config.update(**kwargs)
        with warnings.catch_warnings():
            if not kwargs:  # it was said when the configuration was made
                warnings.simplefilter("ignore")
            config.validate()
        return config, {**config.generation_kwargs, **model_kwargs}

    # The strategies

    def greedy_search(
        self,
        input_ids: Tensor,
        logits_processor: LogitsProcessorList | None = None,
        stopping_criteria: StoppingCriteriaList | None = None,
        max_length: int | None = None,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        output_scores: bool | None = None,
        return_dict_in_generate: bool | None = None,
        streamer: BaseStreamer | None = None,
        **model_kwargs: Any,
    ) -> Any:
        """Take the most probable token, again and again (usually called by `generate`).

        Args:
            input_ids: (b, s) tokens that are there.
            logits_processor: changes the scores before the choice.
            stopping_criteria: when to stop, with a `MaxLengthCriteria` for the greatest length.
            max_length: the greatest length, where no criterion says it.
            pad_token_id: what follows the end.
            eos_token_id: the token (or tokens) of the end.
            output_attentions: return the attention weights of all steps and layers.
            output_hidden_states: return the states of all steps and layers.
            output_scores: return the scores of all steps.
            return_dict_in_generate: return these, and not only tokens.
            streamer: gets every token.
            model_kwargs: inputs of the model.

            What is None is as in `self.generation_config`.

        Returns:
            As `generate`.

        Raises:
            ValueError: there is a token for the end, and none to pad with.
        """
        from .decoding import take_best

        return self._decode(
            input_ids,
            take_best,
            logits_processor,
            stopping_criteria,
            streamer,
            model_kwargs,
            max_length=max_length,
            pad_token_id=pad_token_id,
            eos_token_id=eos_token_id,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            output_scores=output_scores,
            return_dict_in_generate=return_dict_in_generate,
        )

    def sample(
        self,
        input_ids: Tensor,
        logits_processor: LogitsProcessorList | None = None,
        stopping_criteria: StoppingCriteriaList | None = None,
        logits_warper: LogitsProcessorList | None = None,
        max_length: int | None = None,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        output_scores: bool | None = None,
        return_dict_in_generate: bool | None = None,
        streamer: BaseStreamer | None = None,
        **model_kwargs: Any,
    ) -> Any:
        """Draw tokens by their probabilities (usually called by `generate`).

        It takes what `greedy_search` takes, and `logits_warper`, which changes the scores after
        `logits_processor`.
        """
        from .decoding import draw
        from .logits_process import LogitsProcessorList

        return self._decode(
            input_ids,
            draw,
            LogitsProcessorList([*(logits_processor or ()), *(logits_warper or ())]),
            stopping_criteria,
            streamer,
            model_kwargs,
            max_length=max_length,
            pad_token_id=pad_token_id,
            eos_token_id=eos_token_id,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            output_scores=output_scores,
            return_dict_in_generate=return_dict_in_generate,
        )

    @torch.no_grad()
    def _decode(
        self,
        input_ids: Tensor,
        choose: Callable[[Tensor], Tensor],
        logits_processor: LogitsProcessorList | None,
        stopping_criteria: StoppingCriteriaList | None,
        streamer: BaseStreamer | None,
        model_kwargs: dict[str, Any],
        **settings: Any,
    ) -> Any:
        """Run the loop; `settings` are attributes of `GenerationConfig`, and None means the model's own."""
        from .decoding import Record, decode
        from .logits_process import LogitsProcessorList
        from .stopping_criteria import MaxLengthCriteria, StoppingCriteriaList

        own: GenerationConfig = self.generation_config  # type: ignore[attr-defined]
        values = {name: getattr(own, name) if value is None else value for name, value in settings.items()}
        criteria = StoppingCriteriaList(stopping_criteria or ())
        if settings["max_length"] is not None or not criteria:
            criteria.append(MaxLengthCriteria(values["max_length"]))
        ends = values["eos_token_id"]
        ends = [] if ends is None else [ends] if isinstance(ends, int) else list(ends)
        if ends and values["pad_token_id"] is None:
            raise ValueError("If `eos_token_id` is defined, make sure that `pad_token_id` is defined.")
        return decode(
            self,
            input_ids,
            model_kwargs,
            choose=choose,
            logits_processor=LogitsProcessorList(logits_processor or ()),
            stopping_criteria=criteria,
            pad_token_id=values["pad_token_id"],
            eos_token_ids=ends,
            record=Record(
                of_scores=bool(values["output_scores"]),
                of_attentions=bool(values["output_attentions"]),
                of_hidden_states=bool(values["output_hidden_states"]),
                as_output=bool(values["return_dict_in_generate"]),
            ),
            streamer=streamer,
        )

    # What models may do in another way

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        past_key_values: Any = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        encoder_outputs: Any = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Return the arguments of `forward` for the next token.

        Args:
            input_ids: (b, s) all tokens so far.
            past_key_values: what the cache has seen of them is left out.
            attention_mask: (b, s) where prompts are padded; positions are counted from it, where `forward`
                takes them. Of an encoder-decoder, the mask (b, encoder s) of what the encoder read.
            inputs_embeds: (b, s, d) in place of the prompt.
            encoder_outputs: of an encoder-decoder.
            kwargs: passed on; `token_type_ids` and `position_ids` of the prompt are continued.
        """
        from .inputs import accepted_by, continued, length_of, positions_of

        model: Any = self
        known = accepted_by(model.forward)
        seen = length_of(past_key_values)
        total = input_ids.shape[1]
        start = 0 if past_key_values is None or seen == 0 else seen if seen < total else total - 1
        inputs = {key: value for key, value in kwargs.items() if value is not None}
        inputs |= {"past_key_values": past_key_values, "attention_mask": attention_mask}
        if model.config.is_encoder_decoder:
            inputs |= {"decoder_input_ids": input_ids[:, start:], "encoder_outputs": encoder_outputs}
        elif inputs_embeds is not None and seen == 0:
            inputs["inputs_embeds"] = inputs_embeds
            start, total = 0, inputs_embeds.shape[1]
        else:
            inputs["input_ids"] = input_ids[:, start:]
        if not model.config.is_encoder_decoder and "position_ids" in known:
            if "position_ids" in inputs:
                inputs["position_ids"] = continued(inputs["position_ids"], start, total, step=1)
            elif attention_mask is not None:
                inputs["position_ids"] = positions_of(attention_mask, total - start)
        if "token_type_ids" in inputs:
            inputs["token_type_ids"] = continued(inputs["token_type_ids"], start, total, step=0)
        return {key: value for key, value in inputs.items() if value is not None and key in known}

    def _update_model_kwargs_for_generation(
        self, outputs: Any, model_kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the arguments of the next `prepare_inputs_for_generation`, with what this step gave."""
        cache = outputs.get("past_key_values")
        return model_kwargs if cache is None else {**model_kwargs, "past_key_values": cache}

    # What can be asked afterwards

    def compute_transition_scores(
        self,
        sequences: Tensor,
        scores: tuple[Tensor, ...],
        beam_indices: Tensor | None = None,
        normalize_logits: bool = False,
    ) -> Tensor:
        """Return the score that each generated token was chosen with.

        Args:
            sequences: (b, n) what `generate` returned.
            scores: t tensors (rows, vocab_size) that it returned with it.
            beam_indices: (b, t) the row of each step's scores that a sequence went through; -1 after its end.
                By default, each sequence has a row of its own.
            normalize_logits: make log-probabilities of the scores first.

        Returns:
            (b, t) scores, 0 after a sequence's end where `beam_indices` say so.
        """
        steps = torch.stack(scores)  # (t, rows, vocab_size)
        if normalize_logits:
            steps = steps.log_softmax(-1)
        if beam_indices is None:
            rows = torch.arange(len(sequences), device=sequences.device)[:, None].expand(-1, len(scores))
        else:
            rows = beam_indices
        ended = rows < 0
        length = int((~ended).sum(-1).max())
        rows, ended = rows[:, :length].clamp(min=0), ended[:, :length]
        tokens = sequences[:, sequences.shape[1] - length :]
        step = torch.arange(length, device=sequences.device)
        return steps[step, rows, tokens].masked_fill(ended, 0.0)
