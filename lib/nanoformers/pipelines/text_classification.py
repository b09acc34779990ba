"""Texts or pairs to labels with scores. Mirrors `TextClassificationPipeline` of `main_classes/pipelines`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..auto.registry import model_classes
from ..utils import logging
from .base import Pipeline

logger = logging.get_logger(__name__)

# Values of `top_k` that nobody passes: what is asked for by not giving one, and by `return_all_scores=True`.
_ONLY_BEST = "only the best"
_IN_LABEL_ORDER = "all, in the order of the labels"


class TextClassificationPipeline(Pipeline):
    """Classify texts with a model for sequence classification.

    Its parameters are given at construction or per call.

    Args:
        top_k: how many labels to return, best first; None for all of them. Without it, one label.
        function_to_apply: what turns logits into scores: "sigmoid", "softmax", "none", or "default" (none for
            regression; sigmoid for one label or several that do not exclude each other; otherwise softmax).
        return_all_scores: the older spelling; True is `top_k=None` in the order of the labels.
        others: passed to the tokenizer (`truncation=True`, `max_length=128` ...).

    Example:
        >>> pipeline("sentiment-analysis")("we love you")
        [{'label': 'POSITIVE', 'score': ...}]
    """

    batch_padding_side = "right"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.check_model_type(dict(model_classes("ForSequenceClassification")))

    def _sanitize_parameters(
        self,
        top_k: int | str | None = _ONLY_BEST,
        function_to_apply: str | None = None,
        return_all_scores: bool | None = None,
        **tokenizer_kwargs: Any,
    ) -> tuple[dict, dict, dict]:
        postprocess: dict[str, Any] = {}
        if top_k is None or (isinstance(top_k, int) and top_k > 0):
            postprocess["top_k"] = top_k
        elif top_k != _ONLY_BEST:
            raise ValueError(
                f"`top_k` is {top_k!r}; pass a number of labels (1 or more), or None for all of them."
            )
        elif return_all_scores is not None:
            logger.warning_once(
                "`return_all_scores` is deprecated: use `top_k=None` in place of `return_all_scores=True` "
                "and `top_k=1` in place of `return_all_scores=False`."
            )
            postprocess["top_k"] = _IN_LABEL_ORDER if return_all_scores else _ONLY_BEST
        if function_to_apply is not None:
            postprocess["function_to_apply"] = _checked_function(function_to_apply)
        return tokenizer_kwargs, {}, postprocess

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Classify one text, a list or a stream of them.

        Args:
            inputs: a text; a dictionary with "text" and "text_pair"; a list, data set or generator of those.
            kwargs: see the class and `Pipeline.__call__`.

        Returns:
            For each input a dictionary with "label" and "score"; with `top_k` a list of those. A single text
            without `top_k` in the call gives a list of one answer, as documented.
        """
        answer = super().__call__(inputs, **kwargs)
        return [answer] if isinstance(inputs, str) and "top_k" not in kwargs else answer

    def preprocess(self, inputs: Any, **tokenizer_kwargs: Any) -> Mapping[str, Any]:
        """Encode a text or a pair."""
        if isinstance(inputs, Mapping):
            return self.tokenizer(**inputs, return_tensors="pt", **tokenizer_kwargs)
        if isinstance(inputs, list | tuple):
            raise ValueError(
                f"The pipeline received invalid inputs: {inputs!r} is not a text. For a pair of texts pass "
                '{"text": "My text", "text_pair": "My pair"}, for several texts a flat list.'
            )
        return self.tokenizer(inputs, return_tensors="pt", **tokenizer_kwargs)

    def _forward(self, model_inputs: Mapping[str, Any]) -> Any:
        return self.model(**model_inputs)

    def postprocess(
        self, model_outputs: Any, function_to_apply: str | None = None, top_k: int | str | None = _ONLY_BEST
    ) -> Any:
        """Turn logits of shape (1, labels) into labels with scores."""
        logits = model_outputs["logits"][0].float()  # (labels)
        scores = _SCORES[function_to_apply or self._default_function()](logits)
        names = self.model.config.id2label
        if top_k == _ONLY_BEST:
            best = int(scores.argmax())
            return {"label": names[best], "score": scores[best].item()}
        answers = [{"label": names[i], "score": score} for i, score in enumerate(scores.tolist())]
        if top_k == _IN_LABEL_ORDER:
            return answers
        ranked = sorted(answers, key=lambda answer: answer["score"], reverse=True)
        return ranked if top_k is None else ranked[: int(top_k)]

    def _default_function(self) -> str:
        config = self.model.config
        if config.problem_type == "regression":
            return "none"
        one_or_independent = config.num_labels == 1 or config.problem_type == "multi_label_classification"
        return "sigmoid" if one_or_independent else "softmax"


_SCORES = {
    "sigmoid": torch.sigmoid,
    "softmax": lambda logits: logits.softmax(-1),
    "none": lambda logits: logits,
}


def _checked_function(name: str) -> str | None:
    """Return the name of a function, or None for the model's default."""
    lowered = name.lower()
    if lowered == "default":
        return None
    if lowered not in _SCORES:
        raise ValueError(
            f'`function_to_apply` is {name!r}; allowed are "default", {", ".join(map(repr, _SCORES))}.'
        )
    return lowered
