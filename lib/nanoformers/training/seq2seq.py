# ruff: noqa: RUF009 - `described` makes fields
"""Training of models that turn one sequence into another, evaluated on what they generate.

Mirrors `Seq2SeqTrainer` and `Seq2SeqTrainingArguments` of the documentation page `main_classes/trainer`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..generation.configuration import GenerationConfig
from .argument_fields import described
from .arguments import TrainingArguments
from .nested import nested_detach
from .outputs import PredictionOutput
from .trainer import Trainer

__all__ = ["Seq2SeqTrainer", "Seq2SeqTrainingArguments"]


@dataclass(repr=False)
class Seq2SeqTrainingArguments(TrainingArguments):
    """Arguments of training with what concerns generation."""

    sortish_sampler: bool = described(False, "Deprecated: the same as group_by_length.")
    predict_with_generate: bool = described(
        False, "Evaluate on generated sequences, for metrics as ROUGE, BLEU."
    )
    generation_max_length: int | None = described(None, "Greatest length of what is generated.")
    generation_num_beams: int | None = described(None, "Number of beams.")
    generation_config: str | Path | GenerationConfig | None = described(
        None, "A generation configuration, its folder or file, or the name of a repository that has one."
    )

    def __post_init__(self) -> None:
        if self.sortish_sampler:
            self.group_by_length = True
        super().__post_init__()


class Seq2SeqTrainer(Trainer):
    """A `Trainer` that can evaluate on generated sequences (`predict_with_generate`).

    Arguments are those of `Trainer`. A `generation_config` of the arguments replaces the model's.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gen_kwargs: dict[str, Any] = {}
        config = getattr(self.args, "generation_config", None)
        if config is not None:
            model: Any = self.model
            model.generation_config = self.load_generation_config(config)

    @staticmethod
    def load_generation_config(gen_config_arg: str | Path | GenerationConfig) -> GenerationConfig:
        """Return a generation configuration.

        Args:
            gen_config_arg: one, the folder or file of one, or the name of a repository that has one.

        Raises:
            ValueError: its values contradict each other.
            OSError: there is none.
        """
        if isinstance(gen_config_arg, GenerationConfig):
            config = copy.deepcopy(gen_config_arg)
        else:
            path = Path(gen_config_arg)
            if path.is_file():
                config = GenerationConfig.from_pretrained(path.parent, path.name)
            else:
                config = GenerationConfig.from_pretrained(gen_config_arg)
        config.validate()
        return config

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
        **gen_kwargs: Any,
    ) -> dict[str, float]:
        """Evaluate; see `Trainer.evaluate`.

        Args:
            eval_dataset: as there.
            ignore_keys: as there.
            metric_key_prefix: as there.
            gen_kwargs: for `generate`, such as `max_length` and `num_beams`; they go before the arguments'.
        """
        self._gen_kwargs = self._with_defaults(gen_kwargs)
        return super().evaluate(eval_dataset, ignore_keys, metric_key_prefix)

    def predict(
        self,
        test_dataset: Any,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "test",
        **gen_kwargs: Any,
    ) -> PredictionOutput:
        """Predict; see `Trainer.predict`. With `predict_with_generate` predictions are token ids.

        Args:
            test_dataset: as there.
            ignore_keys: as there.
            metric_key_prefix: as there.
            gen_kwargs: for `generate`, such as `max_length` and `num_beams`; they go before the arguments'.
        """
        self._gen_kwargs = self._with_defaults(gen_kwargs)
        return super().predict(test_dataset, ignore_keys, metric_key_prefix)

    def _with_defaults(self, gen_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return arguments of `generate`, those of the training arguments where there are no others."""
        kwargs = {name: value for name, value in gen_kwargs.items() if value is not None}
        length = getattr(self.args, "generation_max_length", None)
        beams = getattr(self.args, "generation_num_beams", None)
        if length is not None and not kwargs.keys() & {"max_length", "max_new_tokens"}:
            kwargs["max_length"] = length
        if beams is not None:
            kwargs.setdefault("num_beams", beams)
        return kwargs

    def prediction_step(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
        **gen_kwargs: Any,
    ) -> tuple[torch.Tensor | None, Any, Any]:
        """Run a batch without gradients, and return loss, generated ids and labels.

        Args:
            model: as in `Trainer.prediction_step`.
            inputs: as there.
            prediction_loss_only: as there.
            ignore_keys: as there.
            gen_kwargs: for `generate`; by default those of `evaluate` or `predict`.
        """
        if prediction_loss_only or not getattr(self.args, "predict_with_generate", False):
            return super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)
        inputs = self._prepare_inputs(inputs)
        labels = inputs.get("labels")
        loss = None
        if labels is not None:
            loss, _, _ = super().prediction_step(model, dict(inputs), True, ignore_keys)
        kwargs = gen_kwargs or self._gen_kwargs or self._with_defaults({})
        generator: Any = self.model
        generated = generator.generate(**_for_generation(inputs), **kwargs)
        length = self._final_length(kwargs)
        generated = self._pad(generated, length)
        if labels is not None:
            labels = self._pad(nested_detach(labels), length)
        return loss, generated, labels

    def _final_length(self, kwargs: dict[str, Any]) -> int:
        """Return the length to which generated ids and labels are padded."""
        config: Any = self.model.generation_config
        new = kwargs.get("max_new_tokens")
        if new is None and "max_length" not in kwargs:
            new = config.max_new_tokens
        return new + 1 if new is not None else kwargs.get("max_length") or config.max_length or 20

    def _pad(self, ids: torch.Tensor, length: int) -> torch.Tensor:
        """Return ids (batch, length), padded on the right if they are shorter.

        Raises:
            ValueError: neither the tokenizer nor the model has a padding token.
        """
        if ids.shape[-1] >= length:
            return ids
        tokenizer = self.processing_class
        padding = getattr(tokenizer, "pad_token_id", None)
        if padding is None:
            padding = getattr(tokenizer, "eos_token_id", None)
        if padding is None:
            padding = getattr(self.model.config, "pad_token_id", None)
        if padding is None:
            raise ValueError(
                "Pad_token_id must be set in the configuration of the model, in order to pad tensors"
            )
        padded = ids.new_full((ids.shape[0], length), padding)
        padded[:, : ids.shape[-1]] = ids
        return padded


def _for_generation(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return what `generate` takes of a batch; decoder inputs made from labels would give the answer away."""
    labels, decoder_ids = inputs.get("labels"), inputs.get("decoder_input_ids")
    taken = {name: value for name, value in inputs.items() if name != "labels"}
    if labels is not None and decoder_ids is not None and labels.shape == decoder_ids.shape:
        taken.pop("decoder_input_ids")
        taken.pop("decoder_attention_mask", None)
    return taken
