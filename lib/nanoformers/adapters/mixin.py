"""What a model can do with adapters: here it gets them, new or loaded, and trains them.

Mirrors the documentation page `peft`, and `main_classes/peft` (`PeftAdapterMixin`). What else there is comes
from `switching`, `weights` and `merging`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch

from ..hub import HubOptions
from .config import AdaLoraConfig, PeftConfig
from .files import find_adapter_weights, is_missing_file
from .layers import check_name
from .merging import MergingMixin
from .weights import WeightsMixin

if TYPE_CHECKING:
    from ..loading import LoadingReport
    from .adalora import RankAllocator

__all__ = ["AdapterMixin", "PeftAdapterMixin"]


class AdapterMixin(WeightsMixin, MergingMixin):
    """Adds to a model what the documentation calls `PeftAdapterMixin`.

    While a model has adapters, its own weights are frozen, and of the adapters those that are active are
    trained. Removing the last one makes trainable again what was so before.

    Attributes:
        peft_config: {name of an adapter: its configuration}.
    """

    def add_adapter(self, adapter_config: Any, adapter_name: str | None = None) -> None:
        """Add a new adapter, which is active from now on, and trained.

        Args:
            adapter_config: a `LoraConfig`, `IA3Config`, `AdaLoraConfig` or `PromptTuningConfig`; those of the
                `peft` library do as well.
            adapter_name: its name, by default "default".

        Raises:
            TypeError: `adapter_config` is none of these.
            ValueError: there is an adapter of that name, or one of another method; the name cannot be used;
                no layer has the names that the configuration asks for.
        """
        config = _as_config(adapter_config)
        config.base_model_name_or_path = getattr(self, "name_or_path", None) or config.base_model_name_or_path
        config.inference_mode = False
        name = adapter_name or "default"
        self._attach(config, name)
        self.set_adapter(name)

    def load_adapter(
        self,
        peft_model_id: str | os.PathLike[str] | None = None,
        adapter_name: str | None = None,
        revision: str | None = None,
        token: str | bool | None = None,
        device_map: Any = "auto",
        max_memory: Any = None,
        offload_folder: str | None = None,
        offload_index: Any = None,
        peft_config: Any = None,
        adapter_state_dict: dict[str, torch.Tensor] | None = None,
        adapter_kwargs: dict[str, Any] | None = None,
        is_trainable: bool = False,
        hotswap: bool = False,
        **kwargs: Any,
    ) -> LoadingReport:
        """Load an adapter, which is active from now on.

        Args:
            peft_model_id: a folder or a repository on the hub with `adapter_config.json` and the weights.
            adapter_name: the name it gets here, by default "default".
            revision: branch, tag or commit of the repository.
            token: access token for it.
            device_map: accepted; an adapter goes where its layers are.
            max_memory: accepted, too.
            offload_folder: accepted, too.
            offload_index: accepted, too.
            peft_config: the configuration (or a dictionary of it) for `adapter_state_dict`.
            adapter_state_dict: weights, in place of files: {name: tensor} as in a file, with or without
                "base_model.model.".
            adapter_kwargs: further options of where to look (`cache_dir`, `subfolder`, ...), see
                `nanoformers.hub.HubOptions`.
            is_trainable: train it further; otherwise it is frozen, and the model in evaluation mode.
            hotswap: give the weights to the adapter of this name that is there already, in place.
            kwargs: further such options, too.

        Returns:
            What happened to the names of the weights.

        Raises:
            OSError: there are no weights, or they cannot be read.
            RuntimeError: weights have other shapes than here.
            TypeError: there are unknown arguments.
            ValueError: there is no adapter there, or nothing to load; a name is taken; see `add_adapter`.
        """
        name = adapter_name or "default"
        where = {"revision": revision, "token": token, **(adapter_kwargs or {}), **kwargs}
        for needless in ("low_cpu_mem_usage", "use_safetensors"):
            where.pop(needless, None)
        options = HubOptions.take_from(where)
        if where:
            raise TypeError(f"load_adapter got unexpected keyword arguments: {', '.join(where)}.")
        if hotswap and name not in self._configs():
            raise ValueError(
                "To hotswap an adapter, there must already be an existing adapter with the same adapter name."
            )
        if name in self._configs() and not hotswap:
            raise ValueError(f"Adapter with name {name} already exists. Please use a different name.")
        if peft_model_id is None and (adapter_state_dict is None or peft_config is None):
            raise ValueError(
                "You should either pass a `peft_model_id` or a `peft_config` and `adapter_state_dict` to "
                "load an adapter."
            )
        if peft_config is not None:
            config = _as_config(peft_config)
        else:
            assert peft_model_id is not None
            config = _read_config(peft_model_id, options)
        if adapter_state_dict is None:
            assert peft_model_id is not None
            adapter_state_dict = find_adapter_weights(peft_model_id, options)
        config.inference_mode = True  # what weights begin as does not matter
        if not hotswap:
            self._attach(config, name)
        try:
            report = self._put_weights(name, adapter_state_dict, config)
        except Exception:
            if not hotswap:
                self.delete_adapter(name)
            raise
        self._tell(report, peft_model_id)
        self.peft_config[name].inference_mode = not is_trainable
        self._activate([name])
        if not is_trainable:
            self._module.eval()
        return report

    def _attach(self, config: PeftConfig, name: str) -> None:
        """Add an adapter with its first weights; it is not active yet."""
        from .adalora import RankAllocator
        from .building import attach, build

        model = self._module
        self._check_new(config, name)
        parts = build(model, config)
        if not self._hf_peft_config_loaded:
            self._hf_peft_config_loaded, self._enabled = True, True
            self.peft_config, self._active, self._allocators = {}, [], {}
            self._trainable_before = {path for path, p in model.named_parameters() if p.requires_grad}
            model.requires_grad_(False)
        attach(model, name, parts)
        self.peft_config[name] = config
        if isinstance(config, AdaLoraConfig):
            self._allocators[name] = RankAllocator(config, name, model)
        if getattr(model, "is_gradient_checkpointing", False):
            model.enable_input_require_grads()

    def _check_new(self, config: PeftConfig, name: str) -> None:
        """Refuse an adapter that cannot live beside those that are there."""
        check_name(name)
        configs = self._configs()
        if name in configs:
            raise ValueError(f"Adapter with name {name} already exists. Please use a different name.")
        others = {str(other.peft_type) for other in configs.values()} - {str(config.peft_type)}
        if others:
            raise ValueError(
                f"An adapter of type {config.peft_type} cannot be added to a model whose adapters are of "
                f"type {', '.join(others)}: all have to be of one type. Delete those first, or load the "
                "model again."
            )
        with_bias = [other for other in configs.values() if getattr(other, "bias", "none") != "none"]
        if configs and (with_bias or getattr(config, "bias", "none") != "none"):
            raise ValueError(
                "There can be only 1 adapter with bias, since biases are the base model's. When using "
                "multiple adapters, set bias to 'none' for all adapters."
            )
        if self._merged():
            raise ValueError("Some adapters are merged: call `unmerge_adapter` before you add another.")

    # Training

    def _after_optimizer_step(self, global_step: int) -> None:
        """Do what `update_and_allocate` does where there is something to do; `Trainer` calls it."""
        if self._hf_peft_config_loaded and self._enabled and self._trained_allocators():
            self.update_and_allocate(global_step)

    def _trained_allocators(self) -> list[RankAllocator]:
        return [
            self._allocators[name]
            for name in self.active_adapters()
            if name in self._allocators and not self.peft_config[name].inference_mode
        ]

    def update_and_allocate(self, global_step: int) -> None:
        """Let AdaLoRA look at the gradients of a step, and take ranks away when it is time.

        Call it in every step, after `optimizer.step()` and before `optimizer.zero_grad()`; `Trainer` does.

        Args:
            global_step: the number of the step.

        Raises:
            ValueError: no AdaLoRA is active and trained; or there are no gradients.
        """
        trained = self._trained_allocators()
        if not trained:
            raise ValueError("`update_and_allocate` is for a trainable AdaLoRA adapter, and none is active.")
        for allocator in trained:
            allocator.update(self._module, global_step)

    def get_nb_trainable_parameters(self) -> tuple[int, int]:
        """Return how many numbers (are trained, there are), the adapters' included."""
        parameters = list(self._module.parameters())
        return sum(p.numel() for p in parameters if p.requires_grad), sum(p.numel() for p in parameters)

    def print_trainable_parameters(self) -> None:
        """Print how many numbers are trained."""
        trained, total = self.get_nb_trainable_parameters()
        share = 100 * trained / total
        print(f"trainable params: {trained:,d} || all params: {total:,d} || trainable%: {share:.4f}")


PeftAdapterMixin = AdapterMixin


def _as_config(config: Any) -> PeftConfig:
    """Return a copy of a configuration, of ours, of PEFT's, or of its dictionary."""
    if isinstance(config, dict):
        return PeftConfig.from_dict(config)
    if not hasattr(config, "peft_type") or not hasattr(config, "to_dict"):
        raise TypeError(f"adapter_config should be an instance of PeftConfig. Got {type(config)} instead.")
    if isinstance(config, PeftConfig) and config.method is None:
        raise TypeError(
            "adapter_config should be of a method, such as LoraConfig: a plain PeftConfig does not say which."
        )
    return PeftConfig.from_dict(config.to_dict())


def _read_config(source: str | os.PathLike[str], options: HubOptions) -> PeftConfig:
    """Read the configuration of an adapter."""
    try:
        return PeftConfig.from_pretrained(source, **vars(options))
    except OSError as error:
        if not is_missing_file(error):
            raise
        raise ValueError(
            f"adapter model file not found in {source}. Make sure you are passing the correct path to the "
            "adapter model."
        ) from error
