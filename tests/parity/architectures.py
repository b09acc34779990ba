"""Architectures as tables: a small model, and its heads with what each reads and what makes its loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import nanoformers
import torch
import transformers

RIGHT = torch.tensor([[1] * 11, [1] * 7 + [0] * 4, [1] + [0] * 10])
LEFT = RIGHT.flip(1)

# labels for 3 rows of 11 tokens: the tokens, seven classes of tokens, the two ends of an answer
TOKENS = {"labels": torch.where(RIGHT == 1, torch.arange(3, 36).view(3, 11), -100)}
TOKEN_CLASSES = {"labels": torch.where(RIGHT == 1, torch.arange(33).view(3, 11) % 7, -100)}
ANSWERS = {"start_positions": torch.tensor([0, 3, 11]), "end_positions": torch.tensor([4, 200, 11])}

# what an encoder gives a decoder that is 24 wide, and the same with padding
STATES = {"encoder_hidden_states": torch.randn(3, 5, 24, generator=torch.Generator().manual_seed(2))}
PADDED_STATES = {
    **STATES,
    "encoder_attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 1, 1, 0]]),
}


@dataclass(frozen=True)
class Head:
    """A row of the table: a class of an architecture, and how it is called.

    Attributes:
        name: the class, of that name in both libraries.
        config: what its configuration says beside the architecture's shape.
        inputs: what it reads beside the tokens, or in their place.
        labels: what makes it compute a loss; without any, gradients are those of its first output.
        choices: whether a row of its inputs is a list of choices, (b, choices, s).
        decodes: whether it reads `decoder_input_ids`, and in their absence the labels.
    """

    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, torch.Tensor] = field(default_factory=dict)
    labels: Mapping[str, torch.Tensor] = field(default_factory=dict)
    choices: bool = False
    decodes: bool = False

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{key}={value}" for key, value in self.config.items()), *self.inputs])


def sequence_classification(name: str) -> list[Head]:
    """Rows for a class that gives a sequence classes, a number, several classes or several numbers."""
    several = torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])
    numbers = torch.tensor([[0.1, 1.0, 1.5], [0.0, -2.0, 0.0], [1.0, 0.0, 1.0]])
    kinds: list[tuple[dict[str, Any], torch.Tensor]] = [
        ({"num_labels": 5}, torch.tensor([0, 4, 2])),
        ({"num_labels": 1}, torch.tensor([0.5, -1.0, 2.0])),
        ({"num_labels": 3, "problem_type": "multi_label_classification"}, several),
        ({"num_labels": 3, "problem_type": "regression"}, numbers),
    ]
    return [Head(name, config, labels={"labels": labels}) for config, labels in kinds]


def tokens_and_mask(ids: torch.Tensor, mask: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """What a model reads that has nothing beside tokens (b, s) and their mask (b, s)."""
    return {"input_ids": ids} if mask is None else {"input_ids": ids, "attention_mask": mask}


@dataclass(frozen=True)
class Architecture:
    """A small model of an architecture, the same in both libraries.

    Attributes:
        config: the configuration's class, of that name in both libraries.
        shape: arguments of the configuration for a small model, with at least 40 positions; widths are odd
            where they may be.
        heads: the table; its first row is the base model.
        configurations: what a configuration may say beside the shape and keep in the other library.
        reads: what a model reads of tokens and their mask.
        spelled_otherwise: names in today's configurations that mean something else than ours.
        ends_with: a token that each row ends with.
        prepare: what to do with the reference's random weights, given its `Head.config`.
        half_precision: tolerances of outputs in types of 16 bits.
    """

    config: str
    shape: Mapping[str, Any]
    heads: Sequence[Head]
    configurations: Sequence[Mapping[str, Any]] = ({},)
    reads: Callable[[torch.Tensor, torch.Tensor | None], dict[str, torch.Tensor]] = tokens_and_mask
    spelled_otherwise: Sequence[str] = ()
    ends_with: int | None = None
    prepare: Callable[[Any, Mapping[str, Any]], None] = lambda model, config: None
    half_precision: Mapping[torch.dtype, Mapping[str, float]] = field(
        default_factory=lambda: {torch.float16: {"atol": 1e-2}, torch.bfloat16: {"atol": 2e-2}}
    )

    def configure(self, library: ModuleType, **config: Any) -> Any:
        """Return a library's configuration of the small model."""
        return getattr(library, self.config)(**{**self.shape, **config})

    def pair(
        self, name: str, config: Mapping[str, Any] | None = None, attention: str = "eager"
    ) -> tuple[Any, Any]:
        """Build our model and the reference's, with the same weights, in evaluation mode."""
        config = config or {}
        torch.manual_seed(1)
        theirs = getattr(transformers, name)._from_config(
            self.configure(transformers, **config), attn_implementation=attention
        )
        self.prepare(theirs, config)
        for parameter in theirs.parameters():  # biases and norms too, so that a mix-up of names shows
            parameter.data.add_(torch.randn_like(parameter) * 0.05)
        ours = getattr(nanoformers, name)(self.configure(nanoformers, **config))
        assert list(ours.state_dict()) == list(theirs.state_dict())
        ours.load_state_dict(theirs.state_dict())
        return ours.eval(), theirs.eval()

    def tokens(self, rows: int, length: int, seed: int = 0) -> torch.Tensor:
        """Return random tokens (rows, length), without the first three, which tables take as special."""
        generator = torch.Generator().manual_seed(seed)
        ids = torch.randint(3, self.shape["vocab_size"], (rows, length), generator=generator)
        if self.ends_with is not None:
            ids[:, -1] = self.ends_with
        return ids

    def inputs(
        self, head: Head, mask: torch.Tensor | None, size: tuple[int, int, int] = (3, 11, 6)
    ) -> dict[str, Any]:
        """Return what a head reads.

        Args:
            head: a row of the table.
            mask: (rows, tokens), 0 for padding.
            size: how many rows, tokens in a row, and tokens of the decoder where it reads any.
        """
        rows, length, target = size
        inputs = self.reads(self.tokens(rows, length), mask)
        if head.choices:
            inputs = {name: value[None] for name, value in inputs.items()}
        if head.decodes:
            inputs["decoder_input_ids"] = self.tokens(rows, target, seed=1)
        return inputs | dict(head.inputs)
