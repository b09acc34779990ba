"""Many model inputs as one batch, and one row of a batch's outputs as a batch of one.

A model input is what `Pipeline.preprocess` returns: a mapping of names to tensors of shape (1, s, ...),
perhaps with other values beside them. `b` is the number of inputs in a batch, `s` their length in positions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from ..tokenization import PreTrainedTokenizerBase

# A special or unwanted position is marked with 1 in these, so that what padding adds is never chosen.
_MASKS_OF_THE_UNWANTED = {"p_mask", "special_tokens_mask"}
_FEATURES = {"input_values", "input_features", "pixel_values"}
# Already of one shape; or of no use for a single row.
_NEVER_PADDED = {"pixel_values", "image"}
_DROPPED = {"past_key_values"}
MOST_PADDING = 0.25


@dataclass(frozen=True)
class PaddingRule:
    """What to pad with, and on which side.

    Attributes:
        side: "right" or "left".
        token: value for `input_ids`.
        feature: value for sound and picture features.
    """

    side: str = "right"
    token: int = 0
    feature: float = 0.0

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase | None, feature_extractor: Any | None) -> PaddingRule:
        """Read the rule from what a pipeline prepares its inputs with.

        Raises:
            ValueError: neither is given, the tokenizer has no padding token, or their padding sides differ.
        """
        if tokenizer is None and feature_extractor is None:
            raise ValueError("Pipeline without tokenizer or feature_extractor cannot do batching")
        if tokenizer is not None and tokenizer.pad_token_id is None:
            raise ValueError(
                "Pipeline with tokenizer without pad_token cannot do batching. You can try to set it with "
                "`pipe.tokenizer.pad_token_id = model.config.eos_token_id`."
            )
        parts: tuple[Any, ...] = (tokenizer, feature_extractor)
        sides = {part.padding_side for part in parts if getattr(part, "padding_side", None)}
        if len(sides) == 2:
            raise ValueError(
                "The tokenizer and the feature extractor pad on different sides: set the `padding_side` "
                'of both to "right" or of both to "left".'
            )
        return cls(
            side=sides.pop() if sides else "right",
            token=tokenizer.pad_token_id if tokenizer is not None else 0,
            feature=getattr(feature_extractor, "padding_value", None) or 0.0,
        )

    def value(self, name: str) -> float:
        """Return the value that pads the tensor called `name`."""
        if name == "input_ids":
            return self.token
        if name in _FEATURES:
            return self.feature
        return 1 if name in _MASKS_OF_THE_UNWANTED else 0


def input_length(model_inputs: Any) -> int:
    """Return the number of positions of one model input (0 when it has no sequence)."""
    if not isinstance(model_inputs, Mapping):
        return 0
    ids = model_inputs.get("input_ids")
    tensors = [ids] if ids is not None else model_inputs.values()
    return next(
        (value.shape[1] for value in tensors if isinstance(value, torch.Tensor) and value.ndim > 1), 0
    )


def plan_batches(
    lengths: Sequence[int], batch_size: int, most_padding: float = MOST_PADDING
) -> list[list[int]]:
    """Divide inputs into batches of similar length, the longest first.

    A batch ends before `batch_size` where one more input would make too much of it padding: a long
    text among many short ones then costs its own length, not a whole batch's. The longest come first, so
    that a batch that does not fit into memory fails at once.

    Args:
        lengths: number of positions of each input.
        batch_size: the most inputs in a batch.
        most_padding: the greatest share of a batch that may be padding; 0 for inputs of equal length only.

    Returns:
        The numbers of the inputs of each batch.
    """
    batches: list[list[int]] = []
    filled = 0  # positions of the last batch that are no padding
    for index in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        filled += lengths[index]
        if batches and len(batches[-1]) < batch_size:
            area = lengths[batches[-1][0]] * (len(batches[-1]) + 1)
            if area - filled <= area * most_padding:
                batches[-1].append(index)
                continue
        batches.append([index])
        filled = lengths[index]
    return batches


def pad_batch(items: Sequence[Mapping[str, Any]], rule: PaddingRule) -> dict[str, Any]:
    """Put model inputs of different lengths into one batch, key by key.

    Args:
        items: b mappings with the same keys; tensors have shape (1, s_i, ...), or (1,).
        rule: what to pad with.

    Returns:
        Tensors of shape (b, max s_i, ...); a list of the b values for what is not a tensor.

    Raises:
        ValueError: the items have different keys.
    """
    names = list(items[0].keys())
    for item in items:
        if set(item.keys()) != set(names):
            raise ValueError(
                f"The inputs of a batch need the same keys; one has {sorted(item.keys())}, "
                f"the first has {sorted(names)}."
            )
    return {name: _pad([item[name] for item in items], name, rule) for name in names}


def _pad(values: list[Any], name: str, rule: PaddingRule) -> Any:
    first = values[0]
    if not isinstance(first, torch.Tensor):
        return values
    if first.ndim < 2 or name in _NEVER_PADDED or all(value.shape == first.shape for value in values):
        return torch.cat(values)
    width = max(value.shape[1] for value in values)
    batch = first.new_full((len(values), width, *first.shape[2:]), rule.value(name))  # (b, s, ...)
    for row, value in zip(batch, values, strict=True):
        length = value.shape[1]
        row[width - length if rule.side == "left" else 0 :][:length] = value[0]
    return batch


def take_row(outputs: Any, row: int) -> Any:
    """Return row `row` of a batch's outputs, shaped like the outputs of a batch of one.

    Tensors keep their first dimension, tuples (hidden states, attentions) are taken tensor by tensor, and a
    list gives its element, as `pad_batch` made it.
    """
    if isinstance(outputs, torch.Tensor):
        return outputs[row : row + 1] if outputs.ndim else outputs
    if isinstance(outputs, tuple):
        return tuple(take_row(value, row) for value in outputs)
    if isinstance(outputs, list):
        return outputs[row]
    if isinstance(outputs, Mapping):
        picked = {key: take_row(value, row) for key, value in outputs.items() if key not in _DROPPED}
        return type(outputs)(picked)  # type: ignore[call-arg]
    return outputs
