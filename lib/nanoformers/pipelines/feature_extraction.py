"""Texts to the vectors of the last layer. Mirrors `FeatureExtractionPipeline` of `main_classes/pipelines`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..outputs import ModelOutput
from .base import Pipeline


class FeatureExtractionPipeline(Pipeline):
    """Return the last hidden states of a base model: one vector for each token.

    In a batch, the vectors of the padding that batching added are left out, so an answer has the same shape
    for every batch size (padding asked for with `tokenize_kwargs` stays).

    Its parameters are given at construction or per call.

    Args:
        truncation: passed to the tokenizer.
        tokenize_kwargs: further arguments of the tokenizer, as a dictionary.
        return_tensors: return a tensor in place of nested lists.

    Example:
        >>> extractor("This is a simple test.", return_tensors=True).shape  # (1, tokens, width)
        torch.Size([1, 8, 384])
    """

    batch_padding_side = "right"

    def _sanitize_parameters(
        self,
        truncation: bool | str | None = None,
        tokenize_kwargs: dict[str, Any] | None = None,
        return_tensors: bool | str | None = None,
    ) -> tuple[dict, dict, dict]:
        preprocess = dict(tokenize_kwargs or {})
        if truncation is not None:
            if "truncation" in preprocess:
                raise ValueError(
                    "`truncation` is given twice: as an argument, and in `tokenize_kwargs`. Keep one."
                )
            preprocess["truncation"] = truncation
        return preprocess, {}, {} if return_tensors is None else {"return_tensors": return_tensors}

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Extract the features of one text, a list or a stream of them.

        Args:
            inputs: a text, a list of texts, a data set or a generator.
            kwargs: see the class and `Pipeline.__call__`.

        Returns:
            For each text, floats of shape (1, tokens, width) in nested lists; a tensor with `return_tensors`.
        """
        return super().__call__(inputs, **kwargs)

    def preprocess(self, inputs: Any, **tokenize_kwargs: Any) -> Mapping[str, Any]:
        """Encode a text."""
        return self.tokenizer(inputs, return_tensors="pt", **tokenize_kwargs)

    def _forward(self, model_inputs: Mapping[str, Any]) -> Any:
        return self.model(**model_inputs)

    def _row(self, model_outputs: Any, row: int, length: int) -> Any:
        outputs = super()._row(model_outputs, row, length)
        if not isinstance(outputs, ModelOutput):
            return outputs
        name = next(iter(outputs))
        features = outputs[name]
        if features.ndim == 3 and features.shape[1] > length:  # (1, s, d), padded
            outputs[name] = features[:, :length]
        return outputs

    def postprocess(self, model_outputs: Any, return_tensors: bool | str = False) -> Any:
        """Return the first of the model's outputs, shape (1, tokens, width)."""
        features = model_outputs[0]
        return features if return_tensors else features.tolist()
