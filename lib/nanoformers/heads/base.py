"""What the heads of all architectures have in common."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import nn

from ..configuration import PretrainedConfig
from ..modeling import PreTrainedModel
from ..nn.packing import reading

__all__ = ["Head", "classifier_dropout"]


class Head(PreTrainedModel):
    """A base model under its documented name, with dropout and a linear layer on top.

    An architecture says which base model (`make_base_model`), and overrides what it does otherwise: which
    layers there are (`add_head`), how a whole input becomes one vector (`pool`), how logits come about
    (`to_logits`).

    Attributes:
        pools_first_token: `pool` reads nothing but the state of the first token.
    """

    pools_first_token: ClassVar[bool] = False

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.num_labels = config.num_labels
        setattr(self, self.base_model_prefix, self.make_base_model())
        self.add_head()
        self.post_init()

    def make_base_model(self) -> PreTrainedModel:
        """Build the base model; the architecture says which."""
        raise TypeError(f"{type(self).__name__} does not say which base model it has.")

    def add_head(self) -> None:
        """Build the layers on top."""
        self.dropout = nn.Dropout(classifier_dropout(self.config))
        self.classifier = nn.Linear(self.config.hidden_size, self.num_labels)

    def pool(self, outputs: Any) -> torch.Tensor:
        """Return one vector for each input, (b, d), from the base model's output: what its pooler made."""
        return outputs.pooler_output

    def to_logits(self, outputs: Any) -> torch.Tensor:
        """Return the scores of each input, (b, number of scores), from the base model's output."""
        return self.classifier(self.dropout(self.pool(outputs)))

    def run_base_model(self, *, read: torch.Tensor | None = None, **inputs: Any) -> Any:
        """Run the base model on those of the inputs that are given, and return its `ModelOutput`.

        Args:
            read: (b, s) True for the states that the loss needs, so that training may leave out others that
                are padding; by default all.
            inputs: what the base model takes.
        """
        given = {name: value for name, value in inputs.items() if value is not None}
        with reading(read):
            return self.base_model(**given, return_dict=True)

    def first_places(self, attention_mask: torch.Tensor | None, labels: torch.Tensor | None) -> Any:
        """Return what a head with labels reads that pools the first token, (b, s); None for any other."""
        if not self.pools_first_token or attention_mask is None or labels is None:
            return None
        read = torch.zeros_like(attention_mask, dtype=torch.bool)
        read[:, 0] = True
        return read


def classifier_dropout(config: PretrainedConfig) -> float:
    """Return the probability with which a classifier drops what it sees."""
    own = getattr(config, "classifier_dropout", None)
    return config.hidden_dropout_prob if own is None else own
