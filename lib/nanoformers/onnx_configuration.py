"""What an export to ONNX has to know of an architecture: its inputs and outputs, and which axes may vary.

Mirrors `OnnxConfig` of the documentation pages `serialization` and `main_classes/onnx`. It describes only; an
exporter reads it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, ClassVar

from .configuration import PretrainedConfig

__all__ = ["Axes", "OnnxConfig"]

Axes = dict[int, str]
"""{axis of a tensor: name of its size, which may be another in each call}."""

_BATCH: Axes = {0: "batch"}
_SEQUENCE: Axes = {0: "batch", 1: "sequence"}
_OUTPUTS: dict[str, dict[str, Axes]] = {
    "causal-lm": {"logits": _SEQUENCE},
    "default": {"last_hidden_state": _SEQUENCE},
    "image-classification": {"logits": _SEQUENCE},
    "image-segmentation": {"logits": _SEQUENCE, "pred_boxes": _SEQUENCE, "pred_masks": _SEQUENCE},
    "masked-im": {"logits": _SEQUENCE},
    "masked-lm": {"logits": _SEQUENCE},
    "multiple-choice": {"logits": _BATCH},
    "object-detection": {"logits": _SEQUENCE, "pred_boxes": _SEQUENCE},
    "question-answering": {"start_logits": _SEQUENCE, "end_logits": _SEQUENCE},
    "semantic-segmentation": {"logits": {0: "batch", 1: "num_labels", 2: "height", 3: "width"}},
    "seq2seq-lm": {"logits": {0: "batch", 1: "decoder_sequence"}},
    "sequence-classification": {"logits": _BATCH},
    "speech2seq-lm": {"logits": _SEQUENCE},
    "token-classification": {"logits": _SEQUENCE},
    "vision2seq-lm": {"logits": _SEQUENCE},
}
_GREATEST_FILE = 2 * 1024**3  # bytes that one ONNX file (a protocol buffer) may have


class OnnxConfig:
    """Describes the model of one architecture, for one task; a subclass names its inputs.

    Args:
        config: the model's configuration.
        task: what the model's head does: "default" (none), "masked-lm", "causal-lm", "seq2seq-lm",
            "sequence-classification", "token-classification", "multiple-choice", "question-answering" ...

    Raises:
        ValueError: there is no such task; the message lists those that there are.

    Attributes:
        default_fixed_batch: inputs of a trial batch; more than one, so that no exporter takes 1 for granted.
        default_fixed_sequence: tokens of each.
        default_fixed_num_choices: choices of each.
    """

    default_fixed_batch: ClassVar[int] = 2
    default_fixed_sequence: ClassVar[int] = 8
    default_fixed_num_choices: ClassVar[int] = 4

    def __init__(self, config: PretrainedConfig, task: str = "default") -> None:
        if task not in _OUTPUTS:
            raise ValueError(f"{task} is not a supported task, supported tasks: {', '.join(_OUTPUTS)}")
        self._config = config
        self.task = task

    @classmethod
    def from_model_config(cls, config: PretrainedConfig, task: str = "default") -> OnnxConfig:
        """Describe a model with that configuration."""
        return cls(config, task=task)

    @property
    def inputs(self) -> OrderedDict[str, Axes]:
        """Inputs in order, each with its axes that vary."""
        raise TypeError(f"{type(self).__name__} does not say which inputs its models have.")

    @property
    def outputs(self) -> OrderedDict[str, Axes]:
        """Outputs in order, each with its axes that vary."""
        return OrderedDict((name, dict(axes)) for name, axes in _OUTPUTS[self.task].items())

    @property
    def values_override(self) -> dict[str, Any] | None:
        """What to change in the model's configuration before it is exported."""
        return {"use_cache": False} if hasattr(self._config, "use_cache") else None

    @property
    def default_batch_size(self) -> int:
        """Inputs of a trial batch."""
        return self.default_fixed_batch

    @property
    def default_sequence_length(self) -> int:
        """Tokens of each trial input."""
        return self.default_fixed_sequence

    @property
    def default_num_choices(self) -> int:
        """Choices of each trial input."""
        return self.default_fixed_num_choices

    @property
    def default_onnx_opset(self) -> int:
        """Least version of ONNX's set of operators that has what the model needs."""
        return 11

    @property
    def atol_for_validation(self) -> float:
        """By how much outputs may differ, before and after."""
        return 1e-5

    @staticmethod
    def use_external_data_format(num_parameters: int) -> bool:
        """Tell whether float32 weights, that many, need files beside the model's own."""
        return num_parameters * 4 >= _GREATEST_FILE

    def generate_dummy_inputs(
        self,
        preprocessor: Any = None,
        batch_size: int = -1,
        seq_length: int = -1,
        num_choices: int = -1,
        is_pair: bool = False,
        framework: Any = None,
        tokenizer: Any = None,
    ) -> dict[str, Any]:
        """Make a small batch of unknown tokens to trace a model with, or to try it.

        Args:
            preprocessor: the model's tokenizer.
            batch_size: how many inputs; -1 for `default_batch_size`.
            seq_length: tokens of each, special ones included; -1 for `default_sequence_length`.
            num_choices: choices of each, for "multiple-choice"; -1 for `default_num_choices`.
            is_pair: count the special tokens of a pair of texts.
            framework: what the tokenizer makes: "pt", "np" (see its `return_tensors`) or None for lists.
            tokenizer: the older name of `preprocessor`.

        Returns:
            The model's inputs, (batch_size, seq_length) each; with choices, pairs of texts in
            (batch_size, num_choices, length).

        Raises:
            ValueError: there are both or neither of `preprocessor` and `tokenizer`, or it is no tokenizer.
        """
        if preprocessor is not None and tokenizer is not None:
            raise ValueError(
                "You cannot provide both a tokenizer and a preprocessor to generate dummy inputs."
            )
        preprocessor = preprocessor if preprocessor is not None else tokenizer
        if not hasattr(preprocessor, "num_special_tokens_to_add"):
            raise ValueError(
                "Unable to generate dummy inputs for the model. Please provide a tokenizer, not "
                f"{type(preprocessor).__name__}."
            )
        batch_size = batch_size if batch_size > 0 else self.default_batch_size
        length = seq_length if seq_length > 0 else self.default_sequence_length
        text = (preprocessor.unk_token or "0") * (length - preprocessor.num_special_tokens_to_add(is_pair))
        if self.task != "multiple-choice":
            return dict(preprocessor([text] * batch_size, return_tensors=framework))
        num_choices = num_choices if num_choices > 0 else self.default_num_choices
        texts = [text] * (batch_size * num_choices)
        encoding = preprocessor(texts, text_pair=texts)
        for name, rows in encoding.items():
            encoding[name] = [rows[at : at + num_choices] for at in range(0, len(rows), num_choices)]
        return dict(encoding.convert_to_tensors(tensor_type=framework))
