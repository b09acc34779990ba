"""From attention that is written out to PyTorch's fused kernels, and back, in a model that is loaded."""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = ["FusedAttentionMixin"]

Self = TypeVar("Self", bound="FusedAttentionMixin")


class FusedAttentionMixin:
    """Adds the documented `to_bettertransformer` and `reverse_bettertransformer` to a `torch.nn.Module`.

    Once they called another package. Fused kernels are part of PyTorch today, and the default here: the
    conversion matters for a model that was loaded with `attn_implementation="eager"`.
    """

    _attention_before: str | None = None  # what `reverse_bettertransformer` goes back to

    def to_bettertransformer(self: Self) -> Self:
        """Compute attention by PyTorch's fused kernels (`attn_implementation="sdpa"`); return the model.

        Raises:
            ValueError: the model has been converted already.
        """
        if self._attention_before is not None:
            raise ValueError(
                "The model has been converted already; `reverse_bettertransformer()` takes it back."
            )
        self._attention_before = self._use_attention("sdpa")
        return self

    def reverse_bettertransformer(self: Self) -> Self:
        """Compute attention as before `to_bettertransformer`; return the model.

        Raises:
            ValueError: the model has not been converted.
        """
        if self._attention_before is None:
            raise ValueError("The model has not been converted: call `to_bettertransformer()` first.")
        self._use_attention(self._attention_before)
        self._attention_before = None
        return self

    def _use_attention(self, implementation: str) -> str:
        """Let all layers attend in that way; return in which they did."""
        model: Any = self
        before = model.config._attn_implementation or "sdpa"
        for module in model.modules():
            if hasattr(module, "write_out"):
                module.write_out = implementation == "eager"
            if hasattr(module, "config"):
                module.config._attn_implementation = implementation
        return before
