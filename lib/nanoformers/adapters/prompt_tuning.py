"""Prompt tuning: "The Power of Scale for Parameter-Efficient Prompt Tuning", https://arxiv.org/abs/2104.08691.

Nothing in the model changes: learned embeddings stand before those of the text, as if there were tokens for
them. A decoder sees them once and keeps them in its cache; of an encoder-decoder, the encoder reads them.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from ..generation.inputs import length_of
from .config import PromptTuningConfig, PromptTuningInit, TaskType
from .layers import Adapters

__all__ = ["Prompts", "fill_in_shape", "prompt_on"]

Tensor = torch.Tensor

_TASKS = (TaskType.CAUSAL_LM, TaskType.SEQ_2_SEQ_LM, TaskType.SEQ_CLS, TaskType.FEATURE_EXTRACTION)


def fill_in_shape(config: PromptTuningConfig, model: Any) -> None:
    """Put into a configuration what it leaves to the model.

    Raises:
        ValueError: the task is not one that can be tuned so.
    """
    if config.task_type is None:
        if model.config.is_encoder_decoder:
            config.task_type = TaskType.SEQ_2_SEQ_LM
        elif model.can_generate():
            config.task_type = TaskType.CAUSAL_LM
        elif type(model).__name__.endswith("ForSequenceClassification"):
            config.task_type = TaskType.SEQ_CLS
        elif model.base_model is model:
            config.task_type = TaskType.FEATURE_EXTRACTION
    if config.task_type not in _TASKS:
        raise ValueError(
            f"Prompt tuning of a {type(model).__name__} (task {config.task_type}) is not possible: virtual "
            f"tokens would get outputs too. The tasks are {', '.join(task.value for task in _TASKS)}."
        )
    if model.config.is_encoder_decoder and not hasattr(model, "get_encoder"):
        raise ValueError(
            f"Prompt tuning of a {type(model).__name__} is not possible: it takes tokens, and no embeddings "
            "that stand before theirs."
        )
    is_seq2seq = model.config.is_encoder_decoder and config.task_type == TaskType.SEQ_2_SEQ_LM
    config.num_transformer_submodules = config.num_transformer_submodules or (2 if is_seq2seq else 1)
    config.token_dim = config.token_dim or model.get_input_embeddings().weight.shape[1]
    config.num_layers = config.num_layers or model.config.num_hidden_layers
    config.num_attention_heads = config.num_attention_heads or model.config.num_attention_heads


def prompt_on(model: Any, config: PromptTuningConfig) -> VirtualTokens:
    """Make the virtual tokens of a model, whose shape `fill_in_shape` has completed."""
    embeddings = model.get_input_embeddings().weight.detach()
    assert config.num_virtual_tokens is not None
    assert config.num_transformer_submodules is not None
    count = config.num_virtual_tokens * config.num_transformer_submodules
    if config.inference_mode or config.prompt_tuning_init == PromptTuningInit.RANDOM:
        start = torch.randn(count, embeddings.shape[1], device=embeddings.device)
    elif config.prompt_tuning_init == PromptTuningInit.SAMPLE_VOCAB:
        start = embeddings[torch.randint(len(embeddings), (count,), device=embeddings.device)]
    else:
        start = embeddings[torch.tensor(_tokens_of_text(config, count), device=embeddings.device)]
    return VirtualTokens(start.float().clone(), config)


def _tokens_of_text(config: PromptTuningConfig, count: int) -> list[int]:
    """Return the tokens of the initial text, repeated or cut so that there are `count`."""
    from ..tokenization import PreTrainedTokenizerFast

    assert config.tokenizer_name_or_path is not None
    tokenizer = PreTrainedTokenizerFast.from_pretrained(
        config.tokenizer_name_or_path, **(config.tokenizer_kwargs or {})
    )
    tokens = tokenizer(config.prompt_tuning_init_text)["input_ids"]
    if not tokens:
        raise ValueError(f"`prompt_tuning_init_text`, {config.prompt_tuning_init_text!r}, has no tokens.")
    return [tokens[i % len(tokens)] for i in range(count)]


class VirtualTokens(nn.Module):
    """The learned embeddings of one adapter.

    Args:
        start: (n, d) what they begin as.
        config: the adapter's.

    Attributes:
        prompt_embeddings: (n, d); n is twice `num_virtual_tokens` for an encoder-decoder, which uses the
            first half.
    """

    def __init__(self, start: Tensor, config: PromptTuningConfig) -> None:
        super().__init__()
        assert config.num_virtual_tokens is not None
        self.count = config.num_virtual_tokens
        self.has_token_labels = config.task_type == TaskType.CAUSAL_LM
        self.prompt_embeddings = nn.Parameter(start)

    def before(self, embeddings: Tensor) -> Tensor:
        """Put them before the embeddings of a text: (b, s, d) -> (b, v + s, d)."""
        own = self.prompt_embeddings[: self.count].to(embeddings.dtype)
        return torch.cat((own.expand(len(embeddings), -1, -1), embeddings), 1)

    def beside(self, values: Tensor | None, value: float) -> Tensor | None:
        """Put `value` before the columns of a mask, of labels or the like: (b, s) -> (b, v + s)."""
        if values is None:
            return None
        return torch.cat((values.new_full((len(values), self.count), value), values), 1)


class Prompts(Adapters):
    """The prompts of one model.

    Args:
        model: from now on it begins its input with the prompt that is active.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        if model.config.is_encoder_decoder:
            self._hooks.append(model.register_forward_pre_hook(self._lengthen_mask, with_kwargs=True))
            model_that_reads = model.get_encoder()
        else:
            model_that_reads = model
        self._hooks.append(model_that_reads.register_forward_pre_hook(self._begin_input, with_kwargs=True))

    def check_together(self, model: nn.Module, names: list[str]) -> None:
        """Refuse several prompts.

        Raises:
            ValueError: there are several.
        """
        mine = [name for name in names if name in self]
        if len(mine) > 1:
            raise ValueError(f"Only one prompt can be active at a time, and not {mine}.")

    def merge(self, model: nn.Module, names: list[str]) -> None:
        """Refuse: a prompt is no part of any weight.

        Raises:
            ValueError: always.
        """
        raise ValueError("A prompt is part of the input, and cannot be merged into the weights of a model.")

    def _prompt(self) -> Any:
        return self[self.active[0]] if self.active else None

    def _begin_input(self, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Change the arguments of the model, or of the encoder, that reads the prompt."""
        prompt = self._prompt()
        if prompt is None:
            return None
        inputs = _by_name(model, args, kwargs)
        past = length_of(inputs.get("past_key_values"))  # a cache has the prompt already
        mask = inputs.get("attention_mask")
        if mask is not None and mask.shape[1] < (past or prompt.count) + _length(inputs):
            inputs["attention_mask"] = prompt.beside(mask, 1)
        positions = inputs.get("position_ids")
        if positions is not None:
            positions = positions + prompt.count
            if not past:
                first = torch.arange(prompt.count, device=positions.device).expand(len(positions), -1)
                positions = torch.cat((first, positions), 1)
            inputs["position_ids"] = positions
        if past:
            return (), inputs
        embeddings, tokens = inputs.get("inputs_embeds"), inputs.pop("input_ids", None)
        if embeddings is None:
            embeddings = model.get_input_embeddings()(tokens)
        inputs["inputs_embeds"] = prompt.before(embeddings)
        if "token_type_ids" in inputs:
            inputs["token_type_ids"] = prompt.beside(inputs["token_type_ids"], 0)
        if prompt.has_token_labels and inputs.get("labels") is not None:
            inputs["labels"] = prompt.beside(inputs["labels"], -100)
        return (), inputs

    def _lengthen_mask(self, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Let the decoder look at the prompt, too: its mask is that of what the encoder read."""
        prompt = self._prompt()
        if prompt is None:
            return None
        inputs = _by_name(model, args, kwargs)
        inputs["attention_mask"] = prompt.beside(inputs.get("attention_mask"), 1)
        return (), inputs


def _by_name(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a model's `forward` by their names."""
    signature = inspect.signature(model.forward)
    inputs = dict(signature.bind(*args, **kwargs).arguments)
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            inputs |= inputs.pop(name, {})
    return inputs


def _length(inputs: dict[str, Any]) -> int:
    """Return how many tokens the input has."""
    given = inputs.get("input_ids")
    return (given if given is not None else inputs["inputs_embeds"]).shape[1]
