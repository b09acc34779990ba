"""The embeddings of a model, and its heads of attention: finding, tying, resizing and pruning them."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from torch import nn

__all__ = ["EmbeddingsMixin"]


class EmbeddingsMixin:
    """Adds to a model what changes its vocabulary and its attention heads.

    An architecture's base model writes `get_input_embeddings` and `set_input_embeddings`; a model with a head
    over the vocabulary writes `get_output_embeddings` and `set_output_embeddings`.
    """

    config: Any
    base_model: Any
    _placement: Any

    def get_input_embeddings(self) -> nn.Module:
        """Return the layer that turns token ids into vectors."""
        base = self.base_model
        if base is self:
            raise AttributeError(f"{type(self).__name__} has no input embeddings.")
        return base.get_input_embeddings()  # type: ignore[operator]

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Put another layer in place of the one that turns token ids into vectors."""
        base = self.base_model
        if base is self:
            raise AttributeError(f"{type(self).__name__} has no input embeddings.")
        base.set_input_embeddings(value)  # type: ignore[operator]

    def get_output_embeddings(self) -> nn.Module | None:
        """Return the layer that turns states into scores of tokens (None without one)."""
        return None

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Put another layer in place of the one that turns states into scores of tokens."""
        raise AttributeError(f"{type(self).__name__} has no output embeddings.")

    def tie_weights(self) -> None:
        """Let the output embeddings be the input embeddings, where the configuration says so."""
        output = self.get_output_embeddings()
        if output is not None and self.config.tie_word_embeddings:
            output.weight = self.get_input_embeddings().weight

    def resize_token_embeddings(
        self, new_num_tokens: int | None = None, pad_to_multiple_of: int | None = None
    ) -> nn.Embedding:
        """Make room for added tokens (or drop the last ones), in the input and output embeddings.

        Args:
            new_num_tokens: size of the new vocabulary; new rows are random, as at initialisation. None
                leaves it.
            pad_to_multiple_of: round the size up, which some accelerators like.

        Returns:
            The input embeddings, `weight` (vocab_size, d).

        Raises:
            ValueError: the size is no whole number, or below 1.
        """
        if new_num_tokens is not None and (not isinstance(new_num_tokens, Integral) or new_num_tokens < 1):
            raise ValueError(
                f"`new_num_tokens` is {new_num_tokens!r}: a vocabulary has a whole number of tokens, 1 or "
                "more (usually `len(tokenizer)`)."
            )
        if self._placement is not None:
            self._placement.refuse_to_move()
        embeddings: Any = self.get_input_embeddings()
        size = new_num_tokens if new_num_tokens is not None else embeddings.weight.shape[0]
        if pad_to_multiple_of is not None:
            size = -(-size // pad_to_multiple_of) * pad_to_multiple_of
        if size == embeddings.weight.shape[0]:
            return embeddings
        resized = nn.Embedding(
            size, embeddings.weight.shape[1], padding_idx=embeddings.padding_idx, device="meta"
        )
        resized.weight = self._resized(embeddings.weight, size)
        self.set_input_embeddings(resized)
        output: Any = self.get_output_embeddings()
        if output is not None:
            if not self.config.tie_word_embeddings:
                output.weight = self._resized(output.weight, size)
            if getattr(output, "bias", None) is not None:
                output.bias = self._resized(output.bias, size, spread=0.0)
            output.out_features = size
        self.config.vocab_size = size
        self.tie_weights()
        return resized

    def _resized(self, parameter: nn.Parameter, size: int, spread: float | None = None) -> nn.Parameter:
        """Return the parameter with `size` rows."""
        new = parameter.detach().new_empty((size, *parameter.shape[1:]))
        new.normal_(0.0, self.config.initializer_range if spread is None else spread)
        kept = min(size, parameter.shape[0])
        new[:kept] = parameter.detach()[:kept]
        return nn.Parameter(new, requires_grad=parameter.requires_grad)

    def prune_heads(self, heads_to_prune: dict[int, list[int]]) -> None:
        """Remove attention heads for good; the configuration remembers which.

        Args:
            heads_to_prune: {layer: heads}, numbered as before anything was pruned.

        Raises:
            ValueError: there is no such layer or head, or none would remain.
        """
        num_layers, num_heads = self.config.num_hidden_layers, self.config.num_attention_heads
        pruned = {layer: set(heads) for layer, heads in self.config.pruned_heads.items()}
        for layer, heads in heads_to_prune.items():
            pruned[layer] = pruned.get(layer, set()) | set(heads)
            if layer not in range(num_layers) or not pruned[layer] < set(range(num_heads)):
                raise ValueError(
                    f"The heads {sorted(pruned[layer])} of layer {layer} cannot be pruned: layers are 0 to "
                    f"{num_layers - 1}, their heads 0 to {num_heads - 1}, and one of these has to remain."
                )
        self.base_model._prune_all(heads_to_prune)  # type: ignore[operator]
        self.config.pruned_heads = {layer: sorted(heads) for layer, heads in pruned.items()}

    def _prune_all(self, heads_to_prune: dict[int, list[int]]) -> None:
        """Remove heads from this base model's layers; an architecture that can do it overrides this."""
        raise AttributeError(f"The heads of {type(self).__name__} cannot be pruned.")
