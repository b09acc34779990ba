"""What the pipelines that generate text have in common."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from ..modeling import PreTrainedModel


class Arguments:
    """Arguments of `generate`, kept from being taken apart with the tensors of a batch."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values


class GeneratesText:
    """A pipeline whose model has `generate`.

    Arguments of `generate` come from the call, then from what the model's configuration says about the task
    (`task_specific_params`), then from `model.generation_config`.

    Attributes:
        prefix: text before every input, from the configuration.
        task_settings: arguments of `generate` from `task_specific_params`.
    """

    model: PreTrainedModel
    tokenizer: Any
    task: str

    def _read_task_settings(self) -> None:
        """Set `prefix` and `task_settings`."""
        config = self.model.config
        settings = dict((getattr(config, "task_specific_params", None) or {}).get(self.task, {}))
        self.prefix: str = settings.pop("prefix", None) or getattr(config, "prefix", None) or ""
        self.task_settings: dict[str, Any] = settings

    def _generate(self, inputs: dict[str, torch.Tensor], generate_kwargs: dict[str, Any]) -> torch.Tensor:
        """Generate n sequences for each of b inputs: (b, n, s)."""
        settings = {} if "generation_config" in generate_kwargs else self.task_settings
        if generate_kwargs.get("max_new_tokens") is not None:  # the caller's limit, in place of the task's
            settings = {name: value for name, value in settings.items() if name != "max_length"}
        if self._setting("pad_token_id", generate_kwargs) is None and self.tokenizer.pad_token_id is not None:
            settings = {**settings, "pad_token_id": self.tokenizer.pad_token_id}
        model: Any = self.model
        generated = model.generate(**inputs, **{**settings, **generate_kwargs})
        sequences = generated if isinstance(generated, torch.Tensor) else generated.sequences
        return sequences.unflatten(0, (len(next(iter(inputs.values()))), -1))

    def _setting(self, name: str, generate_kwargs: dict[str, Any]) -> Any:
        """Return the value that an argument of `generate` will have."""
        given = generate_kwargs.get("generation_config")
        if generate_kwargs.get(name) is not None:
            return generate_kwargs[name]
        if given is not None and getattr(given, name, None) is not None:
            return getattr(given, name)
        if given is None and name in self.task_settings:
            return self.task_settings[name]
        return getattr(self.model.generation_config, name, None)

    def _without_what_follows_the_end(
        self, sequences: torch.Tensor, start: int, generate_kwargs: dict[str, Any]
    ) -> torch.Tensor:
        """Cut the padding off that other inputs of a batch made necessary.

        Args:
            sequences: (1, n, s) what was generated for one input.
            start: where the new tokens begin.
            generate_kwargs: arguments of `generate`.

        Returns:
            (1, n, t): nothing follows the end token of the longest of the n sequences.
        """
        ends = self._setting("eos_token_id", generate_kwargs)
        ends = [] if ends is None else [ends] if isinstance(ends, int) else list(ends)
        longest = max(
            next((place + 1 for place, token in enumerate(tokens) if token in ends), len(tokens))
            for tokens in sequences[0, :, start:].tolist()
        )
        return sequences[..., : start + longest]


def token_to_stop_at(tokenizer: Any, stop_sequence: str | Sequence[str]) -> int | list[int]:
    """Return the token (or tokens) that ends a text: the first one of the stop sequence.

    Raises:
        ValueError: the sequence has no token.
    """
    if not isinstance(stop_sequence, str):
        return [_first_token(tokenizer, sequence) for sequence in stop_sequence]
    return _first_token(tokenizer, stop_sequence)


def _first_token(tokenizer: Any, text: str) -> int:
    tokens = tokenizer.encode(text, add_special_tokens=False)
    if not tokens:
        raise ValueError(f"`stop_sequence` {text!r} has no token: pass a text that is not empty.")
    if len(tokens) > 1:
        warnings.warn(
            "Stopping on a multiple token sequence is not yet supported on transformers. The first token of "
            "the stop sequence will be used as the stop sequence string in the interim.",
            UserWarning,
            stacklevel=4,
        )
    return tokens[0]


def one_of_the_kinds(return_text: bool | None, return_tensors: bool | None) -> bool | None:
    """Tell whether token ids are asked for (None: nothing is said).

    Raises:
        ValueError: text and ids are asked for at once.
    """
    if return_text and return_tensors:
        raise ValueError("`return_text` is mutually exclusive with `return_tensors`: pass one of them.")
    return return_tensors if return_tensors is not None else None if return_text is None else not return_text
