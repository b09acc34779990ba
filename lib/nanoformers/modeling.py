"""The base class of all models: how one is built, loaded, saved, and changed.

Mirrors the documentation page `main_classes/model`.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import os
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, TypeVar

import torch
from torch import nn

from .adapters.files import AdapterSource
from .adapters.mixin import AdapterMixin
from .checkpoints import Weights, find_weights, load_sharded_checkpoint, write_weights
from .configuration import PretrainedConfig
from .dynamic_modules import custom_object_save
from .embeddings import EmbeddingsMixin
from .generation.configuration import GenerationConfig
from .generation.mixin import GenerationMixin
from .hub import HubOptions, PushToHubMixin
from .loading import default_dtype, dtype_of, fill, is_building_empty, take_dtype, without_memory
from .nn.fused_attention import FusedAttentionMixin
from .nn.layers import apply_chunking_to_forward, find_pruneable_heads_and_indices, prune_linear_layer
from .nn.measures import ModuleUtilsMixin
from .nn.recomputation import GradientCheckpointingMixin
from .nn.spans import PoolerAnswerClass, PoolerEndLogits, PoolerStartLogits, SQuADHead, SquadHeadOutput
from .nn.summary import SequenceSummary
from .outputs import register_with_torch
from .placement import Placement, PlacementOptions
from .utils import logging
from .utils.files import folder_to_save_in

__all__ = [
    "ModuleUtilsMixin",
    "PoolerAnswerClass",
    "PoolerEndLogits",
    "PoolerStartLogits",
    "PreTrainedModel",
    "PushToHubMixin",
    "SQuADHead",
    "SequenceSummary",
    "SquadHeadOutput",
    "apply_chunking_to_forward",
    "find_pruneable_heads_and_indices",
    "load_sharded_checkpoint",
    "prune_linear_layer",
]

logger = logging.get_logger(__name__)

register_with_torch()

ATTENTION_IMPLEMENTATIONS = ("sdpa", "eager")

Model = TypeVar("Model", bound="PreTrainedModel")


class PreTrainedModel(
    nn.Module,
    ModuleUtilsMixin,
    EmbeddingsMixin,
    GenerationMixin,
    GradientCheckpointingMixin,
    FusedAttentionMixin,
    AdapterMixin,
    PushToHubMixin,
):
    """Base of all models: a `torch.nn.Module` with a configuration, which reads and writes checkpoints.

    A subclass builds its modules in `__init__(self, config)`, under the names that checkpoints have, and
    ends it with `self.post_init()`.

    Raises:
        TypeError: `config` is no configuration.

    Attributes:
        config_class: the class of its configuration.
        base_model_prefix: the attribute under which models with a head keep the base model ("bert").
        main_input_name: its first input.
        _no_split_modules: names of the classes whose modules stay on one device when a `device_map` is made;
            None where nobody has looked.
        _preload_modules: names of the classes that use the weights of their parts without calling these: on
            disk or waiting in memory, all of them come before such a module runs.
        _keep_in_fp32_modules: parts of names of weights that stay in float32 when the model is in float16.
        _keys_to_ignore_on_load_missing: regular expressions of names that a checkpoint may lack.
        _keys_to_ignore_on_load_unexpected: those of names that it may have for no use.
        _copied_on_load: {name: another name}, where a checkpoint of this very class leaves out a weight that
            has the other's values.
    """

    config_class: ClassVar[type[PretrainedConfig]] = PretrainedConfig
    base_model_prefix: ClassVar[str] = ""
    main_input_name: str = "input_ids"
    _tied_weights_keys: ClassVar[list[str]] = []
    _no_split_modules: ClassVar[list[str] | None] = None
    _preload_modules: ClassVar[list[str]] = []
    _keep_in_fp32_modules: ClassVar[list[str]] = []
    _keys_to_ignore_on_load_missing: ClassVar[list[str]] = []
    _keys_to_ignore_on_load_unexpected: ClassVar[list[str]] = []
    _copied_on_load: ClassVar[dict[str, str]] = {}
    _auto_class: ClassVar[str | None] = None

    def __init__(self, config: PretrainedConfig, *inputs: Any, **kwargs: Any) -> None:
        super().__init__()
        if not isinstance(config, PretrainedConfig):
            raise TypeError(
                f"Parameter config in `{type(self).__name__}(config)` should be an instance of class "
                f"`PretrainedConfig`, not {type(config).__name__}. To create a model from a pretrained "
                f"model use `model = {type(self).__name__}.from_pretrained(PRETRAINED_MODEL_NAME)`"
            )
        if config._attn_implementation not in (None, *ATTENTION_IMPLEMENTATIONS):
            raise ValueError(
                f"attn_implementation={config._attn_implementation!r} is unknown; there are "
                f"{' and '.join(map(repr, ATTENTION_IMPLEMENTATIONS))}."
            )
        self.config = config
        self.generation_config = GenerationConfig.from_model_config(config) if self.can_generate() else None
        self.name_or_path = config.name_or_path
        self._placement: Placement | None = None

    def post_init(self) -> None:
        """Initialise the weights, and do what the configuration asks for; the last line of `__init__`."""
        self.init_weights()
        if getattr(self.config, "gradient_checkpointing", False):  # how configurations once asked for it
            self.gradient_checkpointing_enable()

    @property
    def framework(self) -> str:
        """Always "pt", for PyTorch."""
        return "pt"

    @property
    def base_model(self) -> nn.Module:
        """The model without its head (itself, when it has none)."""
        return getattr(self, self.base_model_prefix, self) if self.base_model_prefix else self

    @property
    def dummy_inputs(self) -> dict[str, torch.Tensor]:
        """A small input for a forward pass: `input_ids` (3, 5)."""
        ids = [[7, 6, 0, 0, 1], [1, 2, 3, 0, 0], [0, 0, 0, 4, 5]]
        return {"input_ids": torch.tensor(ids, device=self.device)}

    # Weights before anything is loaded

    def init_weights(self) -> None:
        """Prune the heads that the configuration names, give all weights random values, and tie them."""
        if self.config.pruned_heads and self.base_model is self:
            self._prune_all(self.config.pruned_heads)
        if not is_building_empty() and self.device.type != "meta":
            self.apply(self._init_weights)
        self.tie_weights()

    def _init_weights(self, module: nn.Module) -> None:
        """Give the weights of one module, its children left out, random values: N(0, initializer_range)."""
        spread = getattr(self.config, "initializer_range", 0.02)  # a configuration of one's own may lack it
        if isinstance(module, nn.Linear):
            module.weight.data.normal_(0.0, spread)
            if module.bias is not None:
                module.bias.data.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.data.normal_(0.0, spread)
            if module.padding_idx is not None:
                module.weight.data[module.padding_idx].zero_()
        elif isinstance(module, nn.LayerNorm):
            module.bias.data.zero_()
            module.weight.data.fill_(1.0)

    @classmethod
    def _from_config(cls: type[Model], config: PretrainedConfig, **kwargs: Any) -> Model:
        """Build a model with random weights.

        Args:
            config: its configuration.
            kwargs: `torch_dtype` (or `dtype`) of the weights; `attn_implementation`.
        """
        dtype = take_dtype(kwargs, cls)
        if "attn_implementation" in kwargs:
            config._attn_implementation = kwargs.pop("attn_implementation")
        dtype = config.torch_dtype if dtype == "auto" else dtype
        with default_dtype(dtype) if dtype is not None else contextlib.nullcontext():
            return cls(config, **kwargs)

    # Loading

    @classmethod
    def from_pretrained(
        cls: type[Model],
        pretrained_model_name_or_path: str | os.PathLike[str] | None,
        *model_args: Any,
        config: PretrainedConfig | str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Build a model with the weights of a checkpoint, in evaluation mode (`model.train()` to train it).

        Weights are mapped from the file, not read: memory is used once, and only for what is used. Of an
        adapter, its base model is built, and gets the adapter.

        Args:
            pretrained_model_name_or_path: a folder that `save_pretrained` wrote, or the name of a repository
                on the hub; None when both `config` and `state_dict` are given.
            model_args: passed to the class after the configuration.
            config: a configuration, or where to read one; by default the checkpoint's.
            kwargs: `cache_dir`, `force_download`, `local_files_only`, `token`, `revision`, `subfolder`:
                where to look, see `nanoformers.hub.HubOptions`.
                `torch_dtype` (or `dtype`): a floating `torch.dtype`, its name, or "auto" for the
                checkpoint's own; by default the weights become float32 (torch's default type).
                `ignore_mismatched_sizes`: initialise weights whose shape is another than the checkpoint's.
                `output_loading_info`: return (model, what `LoadingReport` says, as a dictionary).
                `state_dict`: weights to take in place of the checkpoint's.
                `use_safetensors`, `variant`: see `nanoformers.checkpoints.find_weights`.
                `attn_implementation`: "sdpa" (PyTorch's fused kernels) or "eager" (written out).
                `device_map` ("auto", "balanced", "balanced_low_0", "sequential", a device, or {module:
                device}), `max_memory`, `offload_folder`, `offload_buffers`: where weights live when memory is
                short, see `nanoformers.placement.PlacementOptions`; `model.hf_device_map` says it then.
                `low_cpu_mem_usage`, `offload_state_dict`, `trust_remote_code`: accepted; loading always is
                frugal, and runs no code but this class.
                `adapter_name`, `adapter_kwargs`: for an adapter, see `load_adapter`.
                Others override the configuration's attributes, or go to the class when `config` is an object.

        Raises:
            OSError: there is no such checkpoint, or its files are damaged.
            RuntimeError: shapes do not agree, and `ignore_mismatched_sizes` is not set.
            TypeError: there are unknown arguments.
            ValueError: `torch_dtype` is no floating type.
        """
        adapter = AdapterSource.take_from(kwargs, pretrained_model_name_or_path, config)
        if adapter is not None:
            return adapter.with_base(cls.from_pretrained, *model_args, **kwargs)
        options = HubOptions.take_from(kwargs)
        places = PlacementOptions.take_from(kwargs)
        for needless in ("_fast_init", "trust_remote_code", "code_revision"):  # the class is here already
            kwargs.pop(needless, None)
        ignore_mismatched_sizes = kwargs.pop("ignore_mismatched_sizes", False)
        output_loading_info = kwargs.pop("output_loading_info", False)
        state_dict = kwargs.pop("state_dict", None)
        variant, use_safetensors = kwargs.pop("variant", None), kwargs.pop("use_safetensors", None)
        for other in ("from_tf", "from_flax"):
            if kwargs.pop(other, False):
                raise ValueError(f"{other}=True: only checkpoints of PyTorch can be read; convert it first.")
        dtype = take_dtype(kwargs, cls)

        name = pretrained_model_name_or_path
        if name is None and (state_dict is None or config is None):
            raise ValueError("Without a checkpoint, `config` and `state_dict` have to be given.")
        own_config, kwargs = cls._config_for(name, config, options, kwargs)
        # weights of the commit that the configuration came from, when it came from this checkpoint
        if own_config.name_or_path == str(name) and (options.revision is None or config is None):
            options = options.at(own_config._commit_hash)
        own_config.name_or_path = str(name or "")
        if state_dict is not None:
            weights = Weights.of_tensors(state_dict)
        else:
            assert name is not None
            weights = Weights(find_weights(name, options, variant=variant, use_safetensors=use_safetensors))

        if dtype == "auto":
            dtype = own_config.torch_dtype or dtype_of(weights.outline)
        dtype = dtype or torch.get_default_dtype()
        cls._check_arguments(kwargs)
        with without_memory(dtype):
            model = cls(own_config, *model_args, **kwargs)
        dtype_of_name = partial(model._dtype_of_weight, dtype=dtype)
        placement = places.resolve(model, dtype_of_name)
        report = fill(
            model,
            weights,
            prefix=cls.base_model_prefix,
            dtype_of_name=dtype_of_name,
            initialize=model._init_weights,
            copies=cls._copied_on_load if cls.__name__ in (own_config.architectures or []) else None,
            placement=placement,
        )
        report.leave_out(cls._keys_to_ignore_on_load_missing, cls._keys_to_ignore_on_load_unexpected)
        model.tie_weights()
        model.eval()
        report.tell(model, ignore_mismatched_sizes)
        if name is not None and model.can_generate():
            model.generation_config = GenerationConfig.of_checkpoint(name, options) or model.generation_config
        if placement is not None:
            placement.dispatch(model)
            model._placement = placement
        return (model, vars(report)) if output_loading_info else model

    @classmethod
    def _check_arguments(cls, kwargs: dict[str, Any]) -> None:
        """Refuse keywords of `from_pretrained` that nobody knows."""
        known = inspect.signature(cls.__init__).parameters
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
            return
        unknown = ", ".join(name for name in kwargs if name not in known)
        if unknown:
            raise TypeError(
                f"{cls.__name__}.from_pretrained got unexpected keyword arguments: {unknown}. No option of "
                f"loading, attribute of {cls.config_class.__name__} or argument of the class has such a name."
            )

    @classmethod
    def _config_for(
        cls,
        name: str | os.PathLike[str] | None,
        config: PretrainedConfig | str | os.PathLike[str] | None,
        options: HubOptions,
        kwargs: dict[str, Any],
    ) -> tuple[PretrainedConfig, dict[str, Any]]:
        """Return the configuration of a model that is loaded, and what of `kwargs` is not for it."""
        if isinstance(config, PretrainedConfig):
            own = copy.deepcopy(config)
            if "attn_implementation" in kwargs:
                own._attn_implementation = kwargs.pop("attn_implementation")
            return own, kwargs
        source: Any = config if config is not None else name
        values, kwargs = cls.config_class.get_config_dict(source, **vars(options), **kwargs)
        return cls.config_class.from_dict(values, return_unused_kwargs=True, **kwargs)

    def _dtype_of_weight(self, name: str, dtype: torch.dtype) -> torch.dtype:
        """Return the type of a floating weight in a model of type `dtype`."""
        kept = dtype == torch.float16 and not set(self._keep_in_fp32_modules).isdisjoint(name.split("."))
        return torch.float32 if kept else dtype

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Any:
        """Refuse `to`, `cuda`, `half` and the like for a model whose weights are elsewhere."""
        if self._placement is not None:
            self._placement.refuse_to_move()
        return super()._apply(fn, recurse)

    # Saving

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        is_main_process: bool = True,
        state_dict: dict[str, torch.Tensor] | None = None,
        push_to_hub: bool = False,
        max_shard_size: int | str = "5GB",
        safe_serialization: bool = True,
        variant: str | None = None,
        save_peft_format: bool = True,
        **kwargs: Any,
    ) -> None:
        """Write configurations and weights into a folder, so that `from_pretrained` reads them again.

        Of a model with adapters, only the active adapter is written.

        Args:
            save_directory: the folder; created if needed.
            is_main_process: False writes nothing, for all but one of several processes.
            state_dict: weights to save in place of the model's own.
            push_to_hub: also upload them, to `repo_id` (by default the folder's name).
            max_shard_size: greatest size of one file, in bytes or such as "200KB"; beyond it, several are
                written.
            safe_serialization: safetensors, or else pickles (`pytorch_model.bin`).
            variant: written into the names of the files, as `model.<variant>.safetensors`.
            save_peft_format: give an adapter's weights the names that PEFT gives them, which begin with
                "base_model.model.".
            kwargs: arguments of `push_to_hub()`.

        Raises:
            NotADirectoryError: there is a file at that path.
            ValueError: several adapters are active.
        """
        if not is_main_process:
            return
        folder = folder_to_save_in(save_directory)
        save: dict[str, Any] = {
            "max_shard_size": max_shard_size,
            "safe_serialization": safe_serialization,
            "variant": variant,
        }
        if push_to_hub:
            kwargs |= {"state_dict": state_dict, "save_peft_format": save_peft_format}
            self.push_to_hub(kwargs.pop("repo_id", folder.name), **save, **kwargs)
        if self._hf_peft_config_loaded:
            self._save_adapter(
                folder, state_dict, safe_serialization=safe_serialization, peft_format=save_peft_format
            )
            return
        config = copy.deepcopy(self.config)
        config.architectures = [type(self).__name__]
        config.torch_dtype = self.dtype
        weights = self.state_dict() if state_dict is None else state_dict
        if self._placement is not None:
            self._placement.refuse_to_overwrite(folder)
            weights, save["fetch"] = self._placement.distinct(weights), self._placement.fetch
        if self._auto_class is not None:
            custom_object_save(self, folder, config=config)
        config.save_pretrained(folder)
        if self.generation_config is not None:
            self.generation_config.save_pretrained(folder)
        write_weights(folder, weights, **save)

    @classmethod
    def register_for_auto_class(cls, auto_class: str = "AutoModel") -> None:
        """Say that `save_pretrained` shall name this class under `auto_map`, for code in a checkpoint."""
        cls._auto_class = auto_class if isinstance(auto_class, str) else auto_class.__name__

    # Use

    def warn_if_padding_and_no_attention_mask(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None
    ) -> None:
        """Warn, once, when there seems to be padding in `input_ids` and no mask that hides it."""
        pad = self.config.pad_token_id
        if attention_mask is None and pad is not None and bool((input_ids[:, [0, -1]] == pad).any()):
            logger.warning_once(
                "We strongly recommend passing in an `attention_mask` since your input_ids may be padded: "
                "without it, padding is attended to like any token."
            )
