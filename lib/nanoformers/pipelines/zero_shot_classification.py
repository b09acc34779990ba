"""Texts to labels named when asking. Mirrors `ZeroShotClassificationPipeline` of `main_classes/pipelines`.

A label is judged by a model for natural language inference: does the text entail "This example is {label}."?
(Yin et al., 2019, https://arxiv.org/abs/1909.00161)
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from ..auto.registry import model_classes
from ..utils import logging
from .base import ArgumentHandler, ChunkPipeline

logger = logging.get_logger(__name__)


class ZeroShotClassificationArgumentHandler(ArgumentHandler):
    """Makes of texts and labels the pairs that the model judges."""

    def __call__(
        self, sequences: str | Sequence[str], labels: str | Sequence[str], hypothesis_template: str
    ) -> tuple[list[list[str]], list[str]]:
        """Return [text, hypothesis] for each text and label, and the list of texts.

        Args:
            sequences: a text or texts.
            labels: labels, or a text with commas between them.
            hypothesis_template: the hypothesis, with {} in the place of the label.

        Raises:
            ValueError: there is no text or no label, or no {} in the template.
        """
        labels = self._parse_labels(labels)
        if not labels or not sequences:
            raise ValueError("You must include at least one label and at least one sequence.")
        texts = [sequences] if isinstance(sequences, str) else sequences
        if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"{sequences!r} has the wrong format: it should be a text, or a list of texts.")
        try:
            hypotheses = [hypothesis_template.format(label) for label in labels]
        except (IndexError, KeyError):  # it asks for more than a label
            hypotheses = [hypothesis_template]
        if hypotheses[0] == hypothesis_template:
            raise ValueError(
                f'The provided hypothesis_template "{hypothesis_template}" was not able to be formatted '
                "with the target labels. Make sure the passed template includes formatting syntax such as {} "
                "where the label should go."
            )
        return [[text, hypothesis] for text in texts for hypothesis in hypotheses], list(texts)

    @staticmethod
    def _parse_labels(labels: str | Sequence[str] | None) -> list[str]:
        if isinstance(labels, str):
            return [label.strip() for label in labels.split(",") if label.strip()]
        return list(labels or [])


class ZeroShotClassificationPipeline(ChunkPipeline):
    """Classify texts by labels of one's own, with a model for natural language inference.

    The model's configuration says which of its classes is the entailment: a name in `label2id` that
    begins with "entail".

    Its parameters are given at construction or per call.

    Args:
        candidate_labels: the labels, as a list or as a text with commas between them.
        hypothesis_template: what the text is to entail ("This example is {}.").
        multi_label: whether several labels may hold: each then has a score of its own, between 0 and 1. By
            default exactly one does, and the scores add up to 1. `multi_class` is the older spelling.

    Example:
        >>> oracle = pipeline("zero-shot-classification")
        >>> oracle("I have a problem with my iphone", candidate_labels=["phone", "tablet", "computer"])
        {'sequence': 'I have a problem with my iphone', 'labels': ['phone', ...], 'scores': [...]}
    """

    default_argument_handler = ZeroShotClassificationArgumentHandler
    batch_padding_side = "right"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.check_model_type(dict(model_classes("ForSequenceClassification")))
        if self.entailment_id == -1:
            logger.warning(
                "Failed to determine 'entailment' label id from the label2id mapping in the model config. "
                "Setting to -1. Define a descriptive label2id mapping in the model config to ensure correct "
                "outputs."
            )

    @property
    def entailment_id(self) -> int:
        """The class that means entailment; -1, the last one, when the configuration does not name it."""
        named = self.model.config.label2id.items()
        return next((number for label, number in named if label.lower().startswith("entail")), -1)

    def _sanitize_parameters(
        self,
        candidate_labels: str | Sequence[str] | None = None,
        hypothesis_template: str | None = None,
        multi_label: bool | None = None,
        multi_class: bool | None = None,
    ) -> tuple[dict, dict, dict]:
        if multi_class is not None:
            warnings.warn(
                "The `multi_class` argument has been deprecated and renamed to `multi_label`.",
                FutureWarning,
                stacklevel=3,
            )
            multi_label = multi_class if multi_label is None else multi_label
        preprocess: dict[str, Any] = {}
        if candidate_labels is not None:
            preprocess["candidate_labels"] = self._args_parser._parse_labels(candidate_labels)
        if hypothesis_template is not None:
            preprocess["hypothesis_template"] = hypothesis_template
        return preprocess, {}, {} if multi_label is None else {"multi_label": multi_label}

    def __call__(self, sequences: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """Classify one text, a list or a stream of them.

        Args:
            sequences: a text, a list of texts, a data set or a generator. What is too long is cut.
            args: `candidate_labels`.
            kwargs: see the class and `Pipeline.__call__`.

        Returns:
            For each text a dictionary with "sequence", "labels" (the most probable first) and "scores".
        """
        if len(args) > 1 or (args and "candidate_labels" in kwargs):
            raise ValueError(f"Unable to understand extra arguments {args}")
        if args:
            kwargs["candidate_labels"] = args[0]
        return super().__call__(sequences, **kwargs)

    def preprocess(
        self,
        inputs: str,
        candidate_labels: Sequence[str] = (),
        hypothesis_template: str = "This example is {}.",
    ) -> Iterator[dict[str, Any]]:
        """Encode a text with each hypothesis; of the two, only the text is cut."""
        pairs, (sequence,) = self._args_parser(inputs, candidate_labels, hypothesis_template)
        encoded = self.tokenizer(pairs, truncation="only_first")
        names = [name for name in self.tokenizer.model_input_names if name in encoded]
        for number, label in enumerate(candidate_labels):
            tensors = {name: torch.tensor([encoded[name][number]]) for name in names}
            yield {**tensors, "candidate_label": label, "sequence": sequence}

    def _forward(self, model_inputs: Mapping[str, Any]) -> dict[str, Any]:
        told = {name: model_inputs[name] for name in ("candidate_label", "sequence")}
        inputs = {name: value for name, value in model_inputs.items() if name not in told}
        return {**told, "logits": self.model(**inputs)["logits"]}

    def postprocess(
        self, model_outputs: Sequence[Mapping[str, Any]], multi_label: bool = False
    ) -> dict[str, Any]:
        """Turn the logits of all hypotheses, each of shape (1, classes), into scores of the labels."""
        labels = [outputs["candidate_label"] for outputs in model_outputs]
        logits = torch.cat([outputs["logits"] for outputs in model_outputs]).float()  # (labels, classes)
        entailment = self.entailment_id
        if multi_label or len(labels) == 1:
            contradiction = -1 if entailment == 0 else 0
            scores = logits[:, [contradiction, entailment]].softmax(-1)[:, 1]
        else:
            scores = logits[:, entailment].softmax(0)
        best = scores.sort(descending=True)
        return {
            "sequence": model_outputs[0]["sequence"],
            "labels": [labels[number] for number in best.indices.tolist()],
            "scores": best.values.tolist(),
        }
