"""Gradient checkpointing: keep no activations inside layers, and compute them again in the backward pass.

Chen et al. 2016, https://arxiv.org/abs/1604.06174.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import torch.utils.checkpoint

__all__ = ["GradientCheckpointingMixin"]

_ARGUMENTS = {"preserve_rng_state"} | {
    name
    for name, parameter in inspect.signature(torch.utils.checkpoint.checkpoint).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY
}


class GradientCheckpointingMixin:
    """Adds to a `torch.nn.Module` what trades time for memory in training.

    Attributes:
        supports_gradient_checkpointing: whether its layers can be computed again in the backward pass: a
            module that runs layers has an attribute `gradient_checkpointing_func`, None while this is not
            wanted.
    """

    supports_gradient_checkpointing: ClassVar[bool] = False

    @property
    def is_gradient_checkpointing(self) -> bool:
        """Whether layers are computed again in the backward pass."""
        model: Any = self
        return any(
            getattr(module, "gradient_checkpointing_func", None) is not None for module in model.modules()
        )

    def gradient_checkpointing_enable(
        self, gradient_checkpointing_kwargs: dict[str, Any] | None = None
    ) -> None:
        """Keep no activations inside layers, and compute them again in the backward pass: slower, smaller.

        Args:
            gradient_checkpointing_kwargs: arguments of `torch.utils.checkpoint.checkpoint`.

        Raises:
            ValueError: the architecture does not support it, or there is no such argument.
        """
        unknown = set(gradient_checkpointing_kwargs or {}) - _ARGUMENTS
        if unknown:
            raise ValueError(
                f"gradient_checkpointing_kwargs: no argument {', '.join(sorted(unknown))}; there are "
                f"{', '.join(sorted(_ARGUMENTS))}."
            )
        if not self.supports_gradient_checkpointing:
            raise ValueError(f"{type(self).__name__} does not support gradient checkpointing.")
        arguments = {"use_reentrant": False, **(gradient_checkpointing_kwargs or {})}
        self._set_gradient_checkpointing(partial(torch.utils.checkpoint.checkpoint, **arguments))
        if getattr(self, "_hf_peft_config_loaded", False):
            self.enable_input_require_grads()  # else nothing that goes into a layer has a gradient

    def gradient_checkpointing_disable(self) -> None:
        """Keep activations for the backward pass again."""
        self._set_gradient_checkpointing(None)

    def _set_gradient_checkpointing(self, function: Callable[..., Any] | None) -> None:
        model: Any = self
        for module in model.modules():
            if hasattr(module, "gradient_checkpointing_func"):
                module.gradient_checkpointing_func = function

    def enable_input_require_grads(self) -> None:
        """Let the embeddings' output require a gradient, as training adapters on frozen weights needs."""
        model: Any = self
        if getattr(self, "_require_grads_hook", None) is not None:
            return
        self._require_grads_hook = model.get_input_embeddings().register_forward_hook(
            lambda module, inputs, output: output.requires_grad_(True)
        )

    def disable_input_require_grads(self) -> None:
        """Undo `enable_input_require_grads`."""
        self._require_grads_hook.remove()
        self._require_grads_hook = None
