"""What models return: dataclasses that are read by attribute, by key, or as tuples.

Mirrors the documentation page `main_classes/output`. In all of them, `b` is the batch, `s` the sequence, `d`
the width (`hidden_size`), `nh` the number of heads, and a field that was not asked for is None:

- `loss`: a scalar, when labels were given; `logits`: scores before softmax (or sigmoid).
- `last_hidden_state` (b, s, d): the last layer's states; `pooler_output` (b, d): one vector for the input.
- `hidden_states`: with `output_hidden_states=True`, a tuple of (b, s, d), the embeddings' and one a layer.
- `attentions`: with `output_attentions=True`, a tuple of (b, nh, s, s) attention weights, one a layer, after
  softmax; `cross_attentions` (b, nh, s, encoder s): a decoder's to the encoder.
- `past_key_values`: with `use_cache=True`, the cache that a decoder takes back for the next token.
- `encoder_...`, `decoder_...`: the same of the two halves of an encoder-decoder.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = [
    "BaseModelOutput",
    "BaseModelOutputWithCrossAttentions",
    "BaseModelOutputWithPast",
    "BaseModelOutputWithPastAndCrossAttentions",
    "BaseModelOutputWithPooling",
    "BaseModelOutputWithPoolingAndCrossAttentions",
    "CausalLMOutput",
    "CausalLMOutputWithCrossAttentions",
    "CausalLMOutputWithPast",
    "DepthEstimatorOutput",
    "ImageClassifierOutput",
    "ImageClassifierOutputWithNoAttention",
    "MaskedLMOutput",
    "ModelOutput",
    "MultipleChoiceModelOutput",
    "NextSentencePredictorOutput",
    "QuestionAnsweringModelOutput",
    "SampleTSPredictionOutput",
    "SemanticSegmenterOutput",
    "Seq2SeqLMOutput",
    "Seq2SeqModelOutput",
    "Seq2SeqQuestionAnsweringModelOutput",
    "Seq2SeqSequenceClassifierOutput",
    "Seq2SeqSpectrogramOutput",
    "Seq2SeqTSModelOutput",
    "Seq2SeqTSPredictionOutput",
    "SequenceClassifierOutput",
    "SequenceClassifierOutputWithPast",
    "TokenClassifierOutput",
    "Wav2Vec2BaseModelOutput",
    "XVectorOutput",
]


_not_registered: list[type[ModelOutput]] = []  # subclasses that were defined before torch was imported


class ModelOutput(OrderedDict):
    """Base of what models return.

    `output.logits`, `output["logits"]` and `output[1]` read the same; keys, length and tuple have only the
    fields that are not None. Iteration gives keys, as a dictionary's does: unpack `output.to_tuple()`.

    A subclass is a `@dataclass` with at least one field, of which only the first may lack a default.

    Raises:
        TypeError: the subclass is no dataclass.
        ValueError: it has no field, or requires more than the first; or a sequence of pairs given in place of
            the first field's value has something else than pairs in it.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _not_registered.append(cls)
        if "torch" in sys.modules:
            register_with_torch()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # a dataclass has its own __init__, so only a subclass without the decorator (or the copy of a plain
        # dictionary) arrives here
        super().__init__(*args, **kwargs)
        if type(self) is not ModelOutput and "__dataclass_fields__" not in type(self).__dict__:
            raise TypeError(
                f"{type(self).__module__}.{type(self).__name__} is not a dataclass. This is a subclass of "
                "ModelOutput and so must use the @dataclass decorator."
            )

    def __post_init__(self) -> None:
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        name = type(self).__name__
        if not fields:
            raise ValueError(f"{name} has no fields.")
        if not all(field.default is None for field in fields[1:]):
            raise ValueError(f"{name} should not have more than one required field.")

        first = getattr(self, fields[0].name)
        only_first = all(getattr(self, field.name) is None for field in fields[1:])
        if only_first and isinstance(first, dict):
            self._set_pairs(list(first.items()), fields[0].name, first)
        elif only_first and first is not None and not hasattr(first, "shape") and hasattr(first, "__iter__"):
            self._set_pairs(list(first), fields[0].name, first)
        else:
            for field in fields:
                value = getattr(self, field.name)
                if value is not None:
                    super().__setitem__(field.name, value)

    def _set_pairs(self, items: list[Any], first_name: str, first: Any) -> None:
        """Set fields from (name, value) pairs; anything else is the first field's value."""
        for index, item in enumerate(items):
            if not (isinstance(item, (list, tuple)) and len(item) == 2 and isinstance(item[0], str)):
                if index == 0:
                    super().__setitem__(first_name, first)
                    return
                raise ValueError(f"Cannot set key/value for {item}. It needs to be a tuple (key, value).")
            if index == 0:
                object.__setattr__(self, first_name, None)
            object.__setattr__(self, item[0], item[1])
            if item[1] is not None:
                super().__setitem__(item[0], item[1])
        if not items:
            super().__setitem__(first_name, first)

    def __getitem__(self, key: str | int | slice) -> Any:
        return super().__getitem__(key) if isinstance(key, str) else self.to_tuple()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        object.__setattr__(self, key, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self and value is not None:
            super().__setitem__(name, value)
        object.__setattr__(self, name, value)

    def to_tuple(self) -> tuple[Any, ...]:
        """Return the values that are not None, in the order of the fields."""
        return tuple(self[name] for name in self)

    def __reduce__(self) -> Any:
        if not dataclasses.is_dataclass(self):
            return super().__reduce__()
        values = tuple(getattr(self, field.name) for field in dataclasses.fields(self))
        return type(self), values

    def _forbidden(self, name: str) -> Any:
        raise Exception(f"You cannot use ``{name}`` on a {type(self).__name__} instance.")

    def __delitem__(self, *args: Any, **kwargs: Any) -> Any:
        self._forbidden("__delitem__")

    def setdefault(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: the fields are fixed."""
        self._forbidden("setdefault")

    def pop(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: the fields are fixed."""
        self._forbidden("pop")

    def update(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: the fields are fixed."""
        self._forbidden("update")


def register_with_torch() -> None:
    """Let `torch.export` and the like look for tensors inside of outputs, whose classes torch has to know.

    Called where torch is needed anyway, as this module does not import it.
    """
    from torch.utils import _pytree

    while _not_registered:
        cls = _not_registered.pop()
        _pytree.register_pytree_node(
            cls,
            _flatten,
            partial(_unflatten, cls=cls),
            serialized_type_name=f"{cls.__module__}.{cls.__qualname__}",
            flatten_with_keys_fn=_flatten_with_keys,
        )


def _flatten(output: ModelOutput) -> tuple[list[Any], list[str]]:
    return list(output.values()), list(output)


def _flatten_with_keys(output: ModelOutput) -> tuple[list[Any], list[str]]:
    from torch.utils._pytree import MappingKey

    return [(MappingKey(name), value) for name, value in output.items()], list(output)


def _unflatten(values: Any, names: list[str], cls: type[ModelOutput]) -> ModelOutput:
    return cls(**dict(zip(names, values, strict=True)))


@dataclass
class BaseModelOutput(ModelOutput):
    """Of a base model."""

    last_hidden_state: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class BaseModelOutputWithPooling(ModelOutput):
    """Of an encoder that also summarises its input in one vector."""

    last_hidden_state: torch.Tensor | None = None
    pooler_output: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class BaseModelOutputWithCrossAttentions(ModelOutput):
    """Of a decoder without a cache."""

    last_hidden_state: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None
    cross_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class BaseModelOutputWithPoolingAndCrossAttentions(ModelOutput):
    """Of a model that can be an encoder or a decoder, such as BERT."""

    last_hidden_state: torch.Tensor | None = None
    pooler_output: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    past_key_values: Any = None
    attentions: tuple[torch.Tensor, ...] | None = None
    cross_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class BaseModelOutputWithPast(ModelOutput):
    """Of a decoder with a cache."""

    last_hidden_state: torch.Tensor | None = None
    past_key_values: Any = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class BaseModelOutputWithPastAndCrossAttentions(ModelOutput):
    """Of a decoder with a cache that attends to an encoder."""

    last_hidden_state: torch.Tensor | None = None
    past_key_values: Any = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None
    cross_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class Seq2SeqModelOutput(ModelOutput):
    """Of an encoder-decoder's base model: the decoder's states first."""

    last_hidden_state: torch.Tensor | None = None
    past_key_values: Any = None
    decoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    decoder_attentions: tuple[torch.Tensor, ...] | None = None
    cross_attentions: tuple[torch.Tensor, ...] | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    encoder_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class CausalLMOutput(ModelOutput):
    """Of a language model; `logits` (b, s, vocab_size)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class CausalLMOutputWithPast(ModelOutput):
    """Of a language model with a cache; `logits` (b, s, vocab_size)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    past_key_values: Any = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class CausalLMOutputWithCrossAttentions(ModelOutput):
    """Of a language model with a cache that may attend to an encoder; `logits` (b, s, vocab_size)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    past_key_values: Any = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None
    cross_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class MaskedLMOutput(ModelOutput):
    """Of a masked language model; `logits` (b, s, vocab_size)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class Seq2SeqLMOutput(ModelOutput):
    """Of an encoder-decoder language model; `logits` (b, s, vocab_size)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    past_key_values: Any = None
    decoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    decoder_attentions: tuple[torch.Tensor, ...] | None = None
    cross_attentions: tuple[torch.Tensor, ...] | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    encoder_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class NextSentencePredictorOutput(ModelOutput):
    """Of a next sentence classifier; `logits` (b, 2), 0 for "follows"."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class SequenceClassifierOutput(ModelOutput):
    """Of a classifier of whole inputs; `logits` (b, num_labels)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class SequenceClassifierOutputWithPast(ModelOutput):
    """Of a decoder's classifier of whole inputs; `logits` (b, num_labels)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    past_key_values: Any = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class Seq2SeqSequenceClassifierOutput(ModelOutput):
    """Of an encoder-decoder's classifier of whole inputs; `logits` (b, num_labels)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    past_key_values: Any = None
    decoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    decoder_attentions: tuple[torch.Tensor, ...] | None = None
    cross_attentions: tuple[torch.Tensor, ...] | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    encoder_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class MultipleChoiceModelOutput(ModelOutput):
    """Of a model that chooses one of several; `logits` (b, num_choices)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class TokenClassifierOutput(ModelOutput):
    """Of a classifier of tokens; `logits` (b, s, num_labels)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class QuestionAnsweringModelOutput(ModelOutput):
    """Of a model that finds an answer's span; both logits (b, s)."""

    loss: torch.Tensor | None = None
    start_logits: torch.Tensor | None = None
    end_logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class Seq2SeqQuestionAnsweringModelOutput(ModelOutput):
    """Of an encoder-decoder that finds an answer's span; both logits (b, s)."""

    loss: torch.Tensor | None = None
    start_logits: torch.Tensor | None = None
    end_logits: torch.Tensor | None = None
    past_key_values: Any = None
    decoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    decoder_attentions: tuple[torch.Tensor, ...] | None = None
    cross_attentions: tuple[torch.Tensor, ...] | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    encoder_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class Seq2SeqSpectrogramOutput(ModelOutput):
    """Of a model that speaks; `spectrogram` (b, frames, num_bins)."""

    loss: torch.Tensor | None = None
    spectrogram: torch.Tensor | None = None
    past_key_values: Any = None
    decoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    decoder_attentions: tuple[torch.Tensor, ...] | None = None
    cross_attentions: tuple[torch.Tensor, ...] | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    encoder_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class SemanticSegmenterOutput(ModelOutput):
    """Of a segmentation model; `logits` (b, num_labels, h, w), often smaller than the picture."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class ImageClassifierOutput(ModelOutput):
    """Of a classifier of pictures; `logits` (b, num_labels)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class ImageClassifierOutputWithNoAttention(ModelOutput):
    """Of a convolutional classifier of pictures; `logits` (b, num_labels), states (b, channels, h, w)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None


@dataclass
class DepthEstimatorOutput(ModelOutput):
    """Of a depth model; `predicted_depth` (b, h, w)."""

    loss: torch.Tensor | None = None
    predicted_depth: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class Wav2Vec2BaseModelOutput(ModelOutput):
    """Of a speech encoder; `extract_features` (b, s, channels) come from its convolutions."""

    last_hidden_state: torch.Tensor | None = None
    extract_features: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class XVectorOutput(ModelOutput):
    """Of a speaker recogniser; `logits` and `embeddings` (b, xvector_output_dim)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    embeddings: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class Seq2SeqTSModelOutput(ModelOutput):
    """Of a time series model; `loc` and `scale` (b,) or (b, series) were taken out of the values."""

    last_hidden_state: torch.Tensor | None = None
    past_key_values: Any = None
    decoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    decoder_attentions: tuple[torch.Tensor, ...] | None = None
    cross_attentions: tuple[torch.Tensor, ...] | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    encoder_attentions: tuple[torch.Tensor, ...] | None = None
    loc: torch.Tensor | None = None
    scale: torch.Tensor | None = None
    static_features: torch.Tensor | None = None


@dataclass
class Seq2SeqTSPredictionOutput(ModelOutput):
    """Of a time series model with its distribution head; `params` as the distribution takes them."""

    loss: torch.Tensor | None = None
    params: tuple[torch.Tensor, ...] | None = None
    past_key_values: Any = None
    decoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    decoder_attentions: tuple[torch.Tensor, ...] | None = None
    cross_attentions: tuple[torch.Tensor, ...] | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: tuple[torch.Tensor, ...] | None = None
    encoder_attentions: tuple[torch.Tensor, ...] | None = None
    loc: torch.Tensor | None = None
    scale: torch.Tensor | None = None
    static_features: torch.Tensor | None = None


@dataclass
class SampleTSPredictionOutput(ModelOutput):
    """Of a time series model's sampling; `sequences` (b, samples, length) or (b, samples, length, series)."""

    sequences: torch.Tensor | None = None
