"""Texts to texts: answering by prefix, summaries, translations. Mirrors `main_classes/pipelines`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch

from ..auto.registry import model_classes
from ..utils import logging
from .base import Pipeline
from .generating import Arguments, GeneratesText, one_of_the_kinds, token_to_stop_at

logger = logging.get_logger(__name__)


class Text2TextGenerationPipeline(GeneratesText, Pipeline):
    """Turn a text into another one with an encoder-decoder.

    A configuration may say what the task needs under the task's name in `task_specific_params`: arguments of
    `generate`, and a `prefix` before every text.

    Its parameters are given at construction or per call.

    Args:
        return_tensors: return token ids in place of texts.
        return_text: return texts; the default.
        clean_up_tokenization_spaces: remove spaces before punctuation (False).
        truncation: passed to the tokenizer; by default nothing is cut.
        stop_sequence: the first token of this text ends a text.
        others: arguments of the model's `generate`: `max_new_tokens`, `do_sample`, `num_return_sequences` ...

    Attributes:
        return_name: what the keys of an answer begin with.

    Example:
        >>> pipeline("text2text-generation")("question: What is 42 ? context: 42 is the answer to life")
        [{'generated_text': 'the answer to life'}]
    """

    return_name: ClassVar[str] = "generated"
    batch_padding_side = "right"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.check_model_type(dict(model_classes("ForSeq2SeqLM")))
        self._read_task_settings()

    def _sanitize_parameters(
        self,
        return_tensors: bool | None = None,
        return_text: bool | None = None,
        clean_up_tokenization_spaces: bool | None = None,
        truncation: bool | str | None = None,
        stop_sequence: str | Sequence[str] | None = None,
        **generate_kwargs: Any,
    ) -> tuple[dict, dict, dict]:
        if stop_sequence is not None:
            generate_kwargs["eos_token_id"] = token_to_stop_at(self.tokenizer, stop_sequence)
        postprocess: dict[str, Any] = {}
        tensors = one_of_the_kinds(return_text, return_tensors)
        if tensors is not None:
            postprocess["return_tensors"] = tensors
        if clean_up_tokenization_spaces is not None:
            postprocess["clean_up_tokenization_spaces"] = clean_up_tokenization_spaces
        return {} if truncation is None else {"truncation": truncation}, generate_kwargs, postprocess

    def check_inputs(self, input_length: int, min_length: int, max_length: int) -> bool:
        """Warn about lengths that do not go together; tell whether all is well.

        Args:
            input_length: tokens of the text.
            min_length: least number of tokens to generate.
            max_length: greatest number of tokens to generate.
        """
        return True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Rewrite one text, a list or a stream of them.

        Args:
            args: a text, a list of texts, a data set or a generator.
            kwargs: see the class and `Pipeline.__call__`.

        Returns:
            For each text a dictionary with "generated_text" ("summary_text", "translation_text"), or with
            `return_tensors` "generated_token_ids" and so on; a list of them for a text with several answers,
            for a single text, and from streams.
        """
        answers = super().__call__(*args, **kwargs)
        if isinstance(args[0], list) and all(len(answer) == 1 for answer in answers):
            return [answer[0] for answer in answers]
        return answers

    def preprocess(self, inputs: str, truncation: bool | str = False) -> Mapping[str, Any]:
        """Encode a text, after the task's prefix."""
        if not isinstance(inputs, str):
            raise ValueError(f"{inputs!r} has the wrong format: it should be a text, or a list of texts.")
        return self.tokenizer(self.prefix + inputs, truncation=truncation, return_tensors="pt")

    def _forward(self, model_inputs: Mapping[str, torch.Tensor], **generate_kwargs: Any) -> dict[str, Any]:
        self.check_inputs(
            model_inputs["input_ids"].shape[1],
            self._setting("min_length", generate_kwargs) or 0,
            self._greatest_length(generate_kwargs),
        )
        inputs = {name: value for name, value in model_inputs.items() if name != "token_type_ids"}
        return {
            "output_ids": self._generate(inputs, generate_kwargs),
            "generate_kwargs": Arguments(generate_kwargs),
        }

    def _greatest_length(self, generate_kwargs: dict[str, Any]) -> int:
        new = self._setting("max_new_tokens", generate_kwargs)
        return self._setting("max_length", generate_kwargs) if new is None else new

    def _row(self, model_outputs: Any, row: int, length: int) -> Any:
        outputs = super()._row(model_outputs, row, length)
        kwargs = outputs["generate_kwargs"].values
        return {"output_ids": self._without_what_follows_the_end(outputs["output_ids"], 1, kwargs)}

    def postprocess(
        self,
        model_outputs: Mapping[str, torch.Tensor],
        return_tensors: bool = False,
        clean_up_tokenization_spaces: bool = False,
    ) -> list[dict[str, Any]]:
        """Turn the n sequences for a text, shape (1, n, s), into texts."""
        sequences = model_outputs["output_ids"][0]
        if return_tensors:
            return [{f"{self.return_name}_token_ids": sequence} for sequence in sequences]
        texts = (
            self.tokenizer.decode(
                sequence,
                skip_special_tokens=True,
                clean_up_tokenization_spaces=clean_up_tokenization_spaces,
            )
            for sequence in sequences.tolist()
        )
        return [{f"{self.return_name}_text": text} for text in texts]


class SummarizationPipeline(Text2TextGenerationPipeline):
    """Summarise a text. Parameters are those of `Text2TextGenerationPipeline`.

    Example:
        >>> pipeline("summarization")("An apple a day, keeps the doctor away", min_length=5, max_length=20)
        [{'summary_text': ...}]
    """

    return_name = "summary"

    def check_inputs(self, input_length: int, min_length: int, max_length: int) -> bool:
        """Warn when the summary would be as long as the text, or can have no length at all."""
        if max_length < min_length:
            logger.warning(
                f"Your min_length={min_length} must be inferior than your max_length={max_length}."
            )
        if input_length < max_length:
            logger.warning(
                f"Your max_length is set to {max_length}, but your input_length is only {input_length}. "
                "Since this is a summarization task, where outputs shorter than the input are typically "
                "wanted, you might consider decreasing max_length manually, e.g. summarizer('...', "
                f"max_length={input_length // 2})"
            )
        return min_length <= max_length <= input_length


class TranslationPipeline(Text2TextGenerationPipeline):
    """Translate a text. Further parameters are those of `Text2TextGenerationPipeline`.

    The task's name may say the languages: "translation_en_to_fr".

    Args:
        src_lang: language of the texts, for a model of several languages.
        tgt_lang: language to translate into.

    Example:
        >>> pipeline("translation_en_to_fr")("How old are you?")
        [{'translation_text': ...}]
    """

    return_name = "translation"

    def _sanitize_parameters(  # type: ignore[override]
        self, src_lang: str | None = None, tgt_lang: str | None = None, **kwargs: Any
    ) -> tuple[dict, dict, dict]:
        preprocess, forward, postprocess = super()._sanitize_parameters(**kwargs)
        if src_lang is not None:
            preprocess["src_lang"] = src_lang
        if tgt_lang is not None:
            preprocess["tgt_lang"] = tgt_lang
        return preprocess, forward, postprocess

    def check_inputs(self, input_length: int, min_length: int, max_length: int) -> bool:
        """Warn when the translation may not have room."""
        if input_length > 0.9 * max_length:
            logger.warning(
                f"Your input_length: {input_length} is bigger than 0.9 * max_length: {max_length}. You might "
                "consider increasing your max_length manually, e.g. translator('...', max_length=400)"
            )
        return input_length <= 0.9 * max_length

    def preprocess(
        self,
        inputs: str,
        truncation: bool | str = False,
        src_lang: str | None = None,
        tgt_lang: str | None = None,
    ) -> Mapping[str, Any]:
        """Encode a text, with the languages where the tokenizer has a place for them."""
        build = getattr(self.tokenizer, "_build_translation_inputs", None)
        if build is None:
            return super().preprocess(inputs, truncation=truncation)
        if src_lang is None and tgt_lang is None and self.task.count("_") == 3:
            _, src_lang, _, tgt_lang = self.task.split("_")
        return build(inputs, return_tensors="pt", truncation=truncation, src_lang=src_lang, tgt_lang=tgt_lang)
