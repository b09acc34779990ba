"""The words that fit where a text has a mask. Mirrors `FillMaskPipeline` of `main_classes/pipelines`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ..auto.registry import model_classes
from ..utils import logging
from .base import Pipeline, PipelineException

logger = logging.get_logger(__name__)


class FillMaskPipeline(Pipeline):
    """Fill the masks of a text with a masked language model.

    Several masks in a text are filled independently of each other: the scores of each are
    its own, not those of a combination.

    Its parameters are given at construction or per call.

    Args:
        top_k: how many words to return for each mask (5).
        targets: score only these words; one that is not a token of the vocabulary stands for its first
            token, and a warning says so.
        tokenizer_kwargs: further arguments of the tokenizer, as a dictionary.

    Raises:
        PipelineException: the tokenizer has no mask token, or a text has no mask.
    """

    batch_padding_side = "right"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.check_model_type(dict(model_classes("ForMaskedLM")))

    def _sanitize_parameters(
        self,
        top_k: int | None = None,
        targets: str | Sequence[str] | None = None,
        tokenizer_kwargs: dict[str, Any] | None = None,
    ) -> tuple[dict, dict, dict]:
        if self.tokenizer.mask_token_id is None:
            raise self._failure("The tokenizer does not define a `mask_token`.")
        postprocess: dict[str, Any] = {}
        if top_k is not None:
            if not isinstance(top_k, int) or top_k < 1:
                raise ValueError(f"`top_k` is {top_k!r}; pass a number of words, 1 or more.")
            postprocess["top_k"] = top_k
        if targets is not None:
            postprocess["target_ids"] = self.get_target_ids(targets)
        return dict(tokenizer_kwargs or {}), {}, postprocess

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Fill the masks of one text, a list or a stream of them.

        Args:
            inputs: a text with at least one mask, a list of them, a data set or a generator.
            kwargs: see the class and `Pipeline.__call__`.

        Returns:
            For each text a list of `{"score", "token", "token_str", "sequence"}`, best first; for a text with
            several masks a list of such lists, one a mask. A list of one text gives what the
            text alone gives, as documented.
        """
        answers = super().__call__(inputs, **kwargs)
        return answers[0] if isinstance(inputs, list) and len(inputs) == 1 else answers

    def preprocess(self, inputs: Any, **tokenizer_kwargs: Any) -> Mapping[str, Any]:
        """Encode a text and see that it has a mask."""
        model_inputs = self.tokenizer(inputs, return_tensors="pt", **tokenizer_kwargs)
        if not (model_inputs["input_ids"] == self.tokenizer.mask_token_id).any():
            raise self._failure(
                f"No mask_token ({self.tokenizer.mask_token}) found on the input {inputs!r}"
                + (" after tokenization." if self.tokenizer.mask_token in inputs else ".")
            )
        return model_inputs

    def _forward(self, model_inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        return {"logits": self.model(**model_inputs)["logits"], "input_ids": model_inputs["input_ids"]}

    def postprocess(
        self, model_outputs: Any, top_k: int = 5, target_ids: torch.Tensor | None = None
    ) -> list[dict[str, Any]] | list[list[dict[str, Any]]]:
        """Turn logits of shape (1, s, vocabulary) and ids of shape (1, s) into words for each mask."""
        ids = model_outputs["input_ids"][0]  # (s)
        masks = (ids == self.tokenizer.mask_token_id).nonzero().flatten()  # (m)
        scores = model_outputs["logits"][0, masks].float().softmax(-1)  # (m, vocabulary)
        if target_ids is not None:
            scores = scores[:, target_ids]  # (m, targets)
        best = scores.topk(min(top_k, scores.shape[-1]))
        tokens = best.indices if target_ids is None else target_ids[best.indices]
        answers = [
            [
                self._filled(ids, mask, token, score, alone=len(masks) == 1)
                for score, token in zip(*row, strict=True)
            ]
            for mask, *row in zip(masks.tolist(), best.values.tolist(), tokens.tolist(), strict=True)
        ]
        return answers[0] if len(answers) == 1 else answers

    def _filled(
        self, ids: torch.Tensor, mask: int, token: int, score: float, *, alone: bool
    ) -> dict[str, Any]:
        """Describe one word for one mask; special tokens show when other masks do."""
        filled = ids.clone()
        filled[mask] = token
        filled = filled[filled != self.tokenizer.pad_token_id]
        return {
            "score": score,
            "token": token,
            "token_str": self.tokenizer.decode([token]),
            "sequence": self.tokenizer.decode(filled.tolist(), skip_special_tokens=alone),
        }

    def get_target_ids(self, targets: str | Sequence[str]) -> torch.Tensor:
        """Return the token ids of the words that `targets` names, each once.

        Raises:
            ValueError: no word is left.
        """
        vocabulary = self.tokenizer.get_vocab()
        found: list[int] = []
        for target in [targets] if isinstance(targets, str) else targets:
            token = vocabulary.get(target)
            if token is None:
                pieces = self.tokenizer(target, add_special_tokens=False)["input_ids"]
                if not pieces:
                    logger.warning(
                        f"The target {target!r} does not exist in the model vocabulary: it is ignored."
                    )
                    continue
                token = pieces[0]
                logger.warning(
                    f"The target {target!r} does not exist in the model vocabulary: "
                    f"its first token, {self.tokenizer.convert_ids_to_tokens(token)!r}, takes its place."
                )
            found.append(token)
        if not found:
            raise ValueError("At least one target must be provided when `targets` is passed.")
        return torch.tensor(list(dict.fromkeys(found)))

    def _failure(self, reason: str) -> PipelineException:
        return PipelineException("fill-mask", self.model.base_model_prefix, reason)
