"""Prompts to their continuations. Mirrors `TextGenerationPipeline` of `main_classes/pipelines`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import torch

from ..auto.registry import model_classes
from .base import Pipeline
from .generating import Arguments, GeneratesText, one_of_the_kinds, token_to_stop_at


class ReturnType(Enum):
    """What an answer has: token ids, only the new text, or the prompt and the new text."""

    TENSORS = 0
    NEW_TEXT = 1
    FULL_TEXT = 2


class TextGenerationPipeline(GeneratesText, Pipeline):
    """Continue a text with a causal language model.

    Batches are padded on the left, whatever the tokenizer does; where a length counts the prompt's tokens
    (`max_length`, `min_length`), only prompts of equal length make a batch, so that the texts do not
    depend on the batch size.

    Its parameters are given at construction or per call.

    Args:
        return_full_text: whether a text begins with its prompt (True).
        return_tensors: return token ids, the prompt's included, in place of texts.
        return_text: return texts; the default.
        clean_up_tokenization_spaces: remove spaces before punctuation; by default as the tokenizer does.
        prefix: text before every prompt, which is not returned; by default the configuration's `prefix`.
        handle_long_generation: "hole" leaves out the beginning of a prompt that is too long for the model
            together with what is to be generated.
        stop_sequence: the first token of this text (or of each of these texts) ends a text.
        add_special_tokens, truncation, padding: passed to the tokenizer; with `truncation`, `max_length` too.
        others: arguments of the model's `generate`: `max_new_tokens`, `do_sample`, `num_return_sequences` ...

    Example:
        >>> pipeline("text-generation")("Once upon a time", max_new_tokens=5, do_sample=False)
        [{'generated_text': 'Once upon a time ...'}]
    """

    batch_padding_side = "left"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.check_model_type(dict(model_classes("ForCausalLM")))
        self._read_task_settings()
        if self.prefix and "prefix" not in self._preprocess_params:
            preprocess, forward, _ = self._sanitize_parameters(prefix=self.prefix)
            self._preprocess_params.update(preprocess)
            self._forward_params.update(forward)

    def _sanitize_parameters(
        self,
        return_full_text: bool | None = None,
        return_tensors: bool | None = None,
        return_text: bool | None = None,
        return_type: ReturnType | None = None,
        clean_up_tokenization_spaces: bool | None = None,
        prefix: str | None = None,
        handle_long_generation: str | None = None,
        stop_sequence: str | Sequence[str] | None = None,
        add_special_tokens: bool | None = None,
        truncation: bool | str | None = None,
        padding: bool | str | None = None,
        **generate_kwargs: Any,
    ) -> tuple[dict, dict, dict]:
        if handle_long_generation not in (None, "hole"):
            raise ValueError(
                f"{handle_long_generation!r} is not a valid value for `handle_long_generation` parameter "
                'expected [None, "hole"]'
            )
        tokenizer_kwargs = {
            "add_special_tokens": add_special_tokens,
            "truncation": truncation,
            "padding": padding,
        }
        preprocess: dict[str, Any] = {
            name: value for name, value in tokenizer_kwargs.items() if value is not None
        }
        for name in ("max_length", "max_new_tokens"):
            if generate_kwargs.get(name) is not None:
                preprocess[name] = generate_kwargs[name]
        if handle_long_generation is not None:
            preprocess["handle_long_generation"] = handle_long_generation
        forward = dict(generate_kwargs)
        if prefix is not None:
            preprocess["prefix"] = prefix
            special = {} if add_special_tokens is None else {"add_special_tokens": add_special_tokens}
            forward["prefix_length"] = len(self.tokenizer(prefix, **special)["input_ids"]) if prefix else 0
        if stop_sequence is not None:
            forward["eos_token_id"] = token_to_stop_at(self.tokenizer, stop_sequence)

        postprocess: dict[str, Any] = {}
        if return_type is None:
            return_type = _asked_for(return_full_text, return_text, return_tensors)
        if return_type is not None:
            postprocess["return_type"] = return_type
        if clean_up_tokenization_spaces is not None:
            postprocess["clean_up_tokenization_spaces"] = clean_up_tokenization_spaces
        return preprocess, forward, postprocess

    def __call__(self, text_inputs: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """Continue one prompt, a list or a stream of them.

        Args:
            text_inputs: a text, a list of texts, a data set or a generator.
            kwargs: see the class and `Pipeline.__call__`.

        Returns:
            For each prompt a list with a dictionary for each of its texts: "generated_text", or with
            `return_tensors` "generated_token_ids".
        """
        return super().__call__(text_inputs, **kwargs)

    def preprocess(
        self,
        prompt_text: str,
        prefix: str = "",
        handle_long_generation: str | None = None,
        max_length: int | None = None,
        max_new_tokens: int | None = None,
        **tokenizer_kwargs: Any,
    ) -> dict[str, Any]:
        """Encode a prompt."""
        if not isinstance(prompt_text, str):
            raise ValueError(
                f"A prompt is a text, not {prompt_text!r}. To continue a conversation, make a text of its "
                "messages, in the format that the model was trained on."
            )
        if max_length is not None and tokenizer_kwargs.get("truncation"):
            tokenizer_kwargs["max_length"] = max_length
        encoded = self.tokenizer(prefix + prompt_text, return_tensors="pt", **tokenizer_kwargs)
        inputs = {name: encoded[name] for name in ("input_ids", "attention_mask") if name in encoded}
        if inputs["input_ids"].shape[1] == 0:
            inputs = self._beginning()
        if handle_long_generation == "hole":
            keep = self._room_for_the_prompt(inputs["input_ids"].shape[1], max_length, max_new_tokens)
            inputs = {name: value[:, -keep:] for name, value in inputs.items()}
        return {**inputs, "prompt_text": prompt_text}

    def _beginning(self) -> dict[str, torch.Tensor]:
        """Return what an empty prompt is encoded as: the token that begins a text."""
        begin = self._setting("bos_token_id", self._forward_params)
        if begin is None:
            raise ValueError("The prompt is empty, and the model has no `bos_token_id` to begin with.")
        return {"input_ids": torch.tensor([[begin]]), "attention_mask": torch.ones(1, 1, dtype=torch.long)}

    def _room_for_the_prompt(self, length: int, max_length: int | None, max_new_tokens: int | None) -> int:
        """Return how many of a prompt's tokens can stay."""
        given = {
            name: value
            for name, value in {"max_length": max_length, "max_new_tokens": max_new_tokens}.items()
            if value is not None
        }
        new = self._setting("max_new_tokens", given)
        if new is None:
            new = self._setting("max_length", given) - length
            if new < 0:
                raise ValueError(
                    "We cannot infer how many new tokens are expected: `max_length` counts the prompt, which "
                    f"has {length} tokens. Pass `max_new_tokens`."
                )
        keep = self.tokenizer.model_max_length - new
        if keep <= 0:
            raise ValueError(
                "We cannot use `hole` to handle this generation the number of desired tokens exceeds the "
                f"models max length: {new} of {self.tokenizer.model_max_length}."
            )
        return min(keep, length)

    def _most_padding(self, forward_params: dict[str, Any]) -> float:
        counts_prompt = self._setting("max_new_tokens", forward_params) is None or (
            bool(self._setting("min_length", forward_params))
            and self._setting("min_new_tokens", forward_params) is None
        )
        return 0.0 if counts_prompt else super()._most_padding(forward_params)

    def _forward(self, model_inputs: Mapping[str, Any], **generate_kwargs: Any) -> dict[str, Any]:
        inputs = {name: value for name, value in model_inputs.items() if name != "prompt_text"}
        prefix_length = generate_kwargs.pop("prefix_length", 0)
        if prefix_length:  # lengths count the prompt; the prefix is no part of it
            for total, new in (("max_length", "max_new_tokens"), ("min_length", "min_new_tokens")):
                if self._setting(new, generate_kwargs) is None and self._setting(total, generate_kwargs):
                    generate_kwargs[total] = self._setting(total, generate_kwargs) + prefix_length
        return {
            "generated_sequence": self._generate(inputs, generate_kwargs),
            "prompt_length": inputs["input_ids"].shape[1],
            "prompt_text": model_inputs["prompt_text"],
            "generate_kwargs": Arguments(generate_kwargs),
        }

    def _row(self, model_outputs: Any, row: int, length: int) -> Any:
        outputs = super()._row(model_outputs, row, length)
        sequences = outputs["generated_sequence"][..., outputs["prompt_length"] - length :]  # (1, n, s)
        kwargs = outputs["generate_kwargs"].values
        sequences = self._without_what_follows_the_end(sequences, length, kwargs)
        return {**outputs, "generated_sequence": sequences, "prompt_length": length}

    def postprocess(
        self,
        model_outputs: Mapping[str, Any],
        return_type: ReturnType = ReturnType.FULL_TEXT,
        clean_up_tokenization_spaces: bool | None = None,
    ) -> list[dict[str, Any]]:
        """Turn the n sequences of a prompt, shape (1, n, s), into texts."""
        sequences = model_outputs["generated_sequence"][0].tolist()
        if return_type is ReturnType.TENSORS:
            return [{"generated_token_ids": sequence} for sequence in sequences]
        length = model_outputs["prompt_length"]
        before = model_outputs["prompt_text"] if return_type is ReturnType.FULL_TEXT else ""
        decoding = {
            "skip_special_tokens": True,
            "clean_up_tokenization_spaces": clean_up_tokenization_spaces,
        }
        prompt = self.tokenizer.decode(sequences[0][:length], **decoding)
        records = []
        for sequence in sequences:
            text = self.tokenizer.decode(sequence, **decoding)
            if text.startswith(prompt):  # decoded together, so that a space between them stays
                text = text[len(prompt) :]
            else:
                text = self.tokenizer.decode(sequence[length:], **decoding)
            records.append({"generated_text": before + text})
        return records


def _asked_for(
    return_full_text: bool | None, return_text: bool | None, return_tensors: bool | None
) -> ReturnType | None:
    """Return what the three documented arguments say together."""
    if return_full_text is not None:
        for name, value in {"return_text": return_text, "return_tensors": return_tensors}.items():
            if value is not None:
                raise ValueError(f"`{name}` is mutually exclusive with `return_full_text`: pass one of them.")
        return ReturnType.FULL_TEXT if return_full_text else ReturnType.NEW_TEXT
    tensors = one_of_the_kinds(return_text, return_tensors)
    return None if tensors is None else ReturnType.TENSORS if tensors else ReturnType.FULL_TEXT
