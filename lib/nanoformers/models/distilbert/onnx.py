"""What an export to ONNX has to know of DistilBERT."""

from __future__ import annotations

from collections import OrderedDict

from ...onnx_configuration import Axes, OnnxConfig

__all__ = ["DistilBertOnnxConfig"]


class DistilBertOnnxConfig(OnnxConfig):
    """Describes DistilBERT: tokens and their mask, of any number and length."""

    @property
    def inputs(self) -> OrderedDict[str, Axes]:
        """`input_ids` and `attention_mask`: (batch, sequence), or (batch, choice, sequence)."""
        names = ["batch", "choice", "sequence"] if self.task == "multiple-choice" else ["batch", "sequence"]
        axes = dict(enumerate(names))
        return OrderedDict([("input_ids", dict(axes)), ("attention_mask", dict(axes))])
