"""What can be said of any model: where it is, how big it is, what a mask or a list of heads means to it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from . import masks

__all__ = ["ModuleUtilsMixin"]


class ModuleUtilsMixin:
    """Adds to a `torch.nn.Module` what every model can answer."""

    config: Any
    main_input_name: str

    def _tensors(self) -> list[torch.Tensor]:
        module: Any = self
        return [*module.parameters(), *module.buffers()]

    @property
    def device(self) -> torch.device:
        """Device of the weights: of the first, when on several; the one that computes, when on disk."""
        first = next((tensor.device for tensor in self._tensors()), torch.device("cpu"))
        placement = getattr(self, "_placement", None)
        return placement.main_device if placement is not None and first.type == "meta" else first

    @property
    def dtype(self) -> torch.dtype:
        """Floating data type of the weights (of the first floating one)."""
        floating = (tensor.dtype for tensor in self._tensors() if tensor.is_floating_point())
        return next(floating, torch.get_default_dtype())

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """Count the numbers in the weights; tied ones count once.

        Args:
            only_trainable: leave out what does not require a gradient.
            exclude_embeddings: leave out the weights of `nn.Embedding` layers.
        """
        module: Any = self
        left_out = {
            id(layer.weight)
            for layer in module.modules()
            if exclude_embeddings and isinstance(layer, nn.Embedding)
        }
        return sum(
            parameter.numel()
            for parameter in module.parameters()
            if id(parameter) not in left_out and (parameter.requires_grad or not only_trainable)
        )

    def get_memory_footprint(self, return_buffers: bool = True) -> int:
        """Return the bytes that the weights take.

        Args:
            return_buffers: count buffers too.
        """
        module: Any = self
        tensors = self._tensors() if return_buffers else list(module.parameters())
        return sum(tensor.nbytes for tensor in tensors)

    def estimate_tokens(self, input_dict: dict[str, Any]) -> int:
        """Return how many tokens (elements of the main input) a batch has; 0 when it lacks that input."""
        main_input = input_dict.get(self.main_input_name)
        return 0 if main_input is None else main_input.numel()

    def floating_point_ops(self, input_dict: dict[str, Any], exclude_embeddings: bool = True) -> int:
        """Estimate the operations of a forward and a backward pass, for short sequences.

        It is the rule 6 · tokens · parameters of "Scaling Laws" (https://arxiv.org/abs/2001.08361), section
        2.1.
        """
        return (
            6 * self.estimate_tokens(input_dict) * self.num_parameters(exclude_embeddings=exclude_embeddings)
        )

    def invert_attention_mask(self, encoder_attention_mask: torch.Tensor) -> torch.Tensor:
        """Turn an encoder's mask, (b, k) or (b, q, k), into what is added to scores, (b, 1, 1 or q, k)."""
        mask = encoder_attention_mask
        mask = mask[:, None, :, :] if mask.ndim == 3 else mask[:, None, None, :]
        return masks.additive(mask, self.dtype)

    def get_extended_attention_mask(
        self, attention_mask: torch.Tensor, input_shape: tuple[int, ...], dtype: torch.dtype | None = None
    ) -> torch.Tensor:
        """Turn a mask, (b, k) or (b, q, k), into what is added to scores, causal for a decoder.

        Args:
            attention_mask: 1 for places to look at, 0 for others.
            input_shape: (b, q).
            dtype: floating type of the result; by default the model's.

        Returns:
            (b, 1, 1 or q, k).

        Raises:
            ValueError: the mask has another shape.
        """
        if attention_mask.ndim not in (2, 3):
            raise ValueError(
                f"Wrong shape for input_ids (shape {tuple(input_shape)}) or attention_mask (shape "
                f"{tuple(attention_mask.shape)}): the mask needs 2 or 3 dimensions."
            )
        queries, keys = input_shape[1], attention_mask.shape[-1]
        visible = (
            attention_mask[:, None, :, :] if attention_mask.ndim == 3 else attention_mask[:, None, None, :]
        )
        if attention_mask.ndim == 2 and self.config.is_decoder:
            visible = (visible != 0) & masks.causal(queries, keys, visible.device)
        return masks.additive(visible, dtype or self.dtype)

    def get_head_mask(
        self, head_mask: torch.Tensor | None, num_hidden_layers: int
    ) -> torch.Tensor | list[torch.Tensor | None]:
        """Give each layer its factors for attention heads.

        Args:
            head_mask: 1.0 to keep a head and 0.0 to silence it: (nh,) for all layers, or (layers, nh); or
                None.
            num_hidden_layers: how many layers there are.

        Returns:
            (layers, 1, nh, 1, 1), or a list with None for each layer.

        Raises:
            ValueError: the mask has another shape.
        """
        if head_mask is None:
            return [None] * num_hidden_layers
        if head_mask.ndim == 1:
            head_mask = head_mask.expand(num_hidden_layers, -1)
        if head_mask.ndim != 2 or head_mask.shape[0] != num_hidden_layers:
            raise ValueError(
                f"head_mask has shape {tuple(head_mask.shape)}; it must be (heads,) or "
                f"({num_hidden_layers} layers, heads)."
            )
        return head_mask[:, None, :, None, None].to(self.dtype)
