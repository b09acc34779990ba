"""The base class of all models: how one is built, loaded, saved, and changed.

Mirrors the documentation page `main_classes/model`.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, TypeVar

import torch
import torch.utils.checkpoint
from torch import nn

from .checkpoints import find_weights, load_sharded_checkpoint, read_weights, write_weights
from .configuration import PretrainedConfig
from .hub import HubOptions, PushToHubMixin
from .loading import LoadingReport, fill, is_building_empty, without_memory
from .nn.layers import apply_chunking_to_forward, find_pruneable_heads_and_indices, prune_linear_layer
from .nn.measures import ModuleUtilsMixin
from .utils import logging
from .utils.files import folder_to_save_in

__all__ = [
    "ModuleUtilsMixin",
    "PreTrainedModel",
    "PushToHubMixin",
    "apply_chunking_to_forward",
    "find_pruneable_heads_and_indices",
    "load_sharded_checkpoint",
    "prune_linear_layer",
]

logger = logging.get_logger(__name__)

ATTENTION_IMPLEMENTATIONS = ("sdpa", "eager")

Model = TypeVar("Model", bound="PreTrainedModel")


class PreTrainedModel(nn.Module, ModuleUtilsMixin, PushToHubMixin):
    """Base of all models: a `torch.nn.Module` with a configuration, which reads and writes checkpoints.

    A subclass builds its modules in `__init__(self, config)`, under the names that checkpoints have, and
    ends it with `self.post_init()`.

    Raises:
        TypeError: `config` is no configuration.

    Attributes:
        config_class: the class of its configuration.
        base_model_prefix: the attribute under which models with a head keep the base model ("bert").
        main_input_name: its first input.
        supports_gradient_checkpointing: whether its layers can be computed again in the backward pass: a
            module that runs layers has an attribute `gradient_checkpointing_func`, None while this is not
            wanted.
    """

    config_class: ClassVar[type[PretrainedConfig]] = PretrainedConfig
    base_model_prefix: ClassVar[str] = ""
    main_input_name: str = "input_ids"
    supports_gradient_checkpointing: ClassVar[bool] = False
    _tied_weights_keys: ClassVar[list[str]] = []
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
        self.name_or_path = config.name_or_path

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

    @classmethod
    def can_generate(cls) -> bool:
        """Tell whether the model has `generate`."""
        return hasattr(cls, "prepare_inputs_for_generation") and hasattr(cls, "generate")

    # Weights before anything is loaded

    def init_weights(self) -> None:
        """Prune the heads that the configuration names, give all weights random values, and tie them."""
        if self.config.pruned_heads and self.base_model is self:
            self._prune_all(self.config.pruned_heads)
        if not is_building_empty():
            self.apply(self._init_weights)
        self.tie_weights()

    def _init_weights(self, module: nn.Module) -> None:
        """Give the weights of one module, its children left out, random values: N(0, initializer_range)."""
        spread = self.config.initializer_range
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
        dtype = _dtype(kwargs, cls)
        if "attn_implementation" in kwargs:
            config._attn_implementation = kwargs.pop("attn_implementation")
        dtype = config.torch_dtype if dtype == "auto" else dtype
        default = torch.get_default_dtype()
        try:
            torch.set_default_dtype(dtype or default)
            return cls(config, **kwargs)
        finally:
            torch.set_default_dtype(default)

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

        Weights are mapped from the file, not read: memory is used once, and only for what is used.

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
                `low_cpu_mem_usage`: accepted; loading always is.
                Others override the configuration's attributes, or go to the class when `config` is an object.

        Raises:
            OSError: there is no such checkpoint, or its files are damaged.
            RuntimeError: shapes do not agree, and `ignore_mismatched_sizes` is not set.
            ValueError: `torch_dtype` is no floating type.
        """
        options = HubOptions.take_from(kwargs)
        kwargs.pop("low_cpu_mem_usage", None)
        kwargs.pop("_fast_init", None)
        ignore_mismatched_sizes = kwargs.pop("ignore_mismatched_sizes", False)
        output_loading_info = kwargs.pop("output_loading_info", False)
        weights = kwargs.pop("state_dict", None)
        variant, use_safetensors = kwargs.pop("variant", None), kwargs.pop("use_safetensors", None)
        for other in ("from_tf", "from_flax"):
            if kwargs.pop(other, False):
                raise ValueError(f"{other}=True: only checkpoints of PyTorch can be read; convert it first.")
        dtype = _dtype(kwargs, cls)

        name = pretrained_model_name_or_path
        if name is None and (weights is None or config is None):
            raise ValueError("Without a checkpoint, `config` and `state_dict` have to be given.")
        if isinstance(config, PretrainedConfig):
            own_config = copy.deepcopy(config)
            if "attn_implementation" in kwargs:
                own_config._attn_implementation = kwargs.pop("attn_implementation")
        else:
            source: Any = config if config is not None else name
            values, kwargs = cls.config_class.get_config_dict(source, **vars(options), **kwargs)
            own_config, kwargs = cls.config_class.from_dict(values, return_unused_kwargs=True, **kwargs)
        # weights of the commit that the configuration came from, when it came from this checkpoint
        if own_config.name_or_path == str(name) and (options.revision is None or config is None):
            options = options.at(own_config._commit_hash)
        own_config.name_or_path = str(name or "")
        if weights is None:
            assert name is not None
            weights = read_weights(
                find_weights(name, options, variant=variant, use_safetensors=use_safetensors)
            )

        if dtype == "auto":
            dtype = own_config.torch_dtype or _dtype_of(weights)
        dtype = dtype or torch.get_default_dtype()
        with without_memory(dtype):
            model = cls(own_config, *model_args, **kwargs)
        report = fill(
            model, weights, prefix=cls.base_model_prefix, dtype=dtype, initialize=model._init_weights
        )
        model.tie_weights()
        model.eval()
        model._say(report, ignore_mismatched_sizes)
        return (model, vars(report)) if output_loading_info else model

    def _say(self, report: LoadingReport, ignore_mismatched_sizes: bool) -> None:
        """Tell the user what was not loaded, or refuse."""
        name, checkpoint = type(self).__name__, self.name_or_path
        if report.mismatched_keys and not ignore_mismatched_sizes:
            lines = [
                f"size mismatch for {key}: copying a param with shape {list(theirs)} from checkpoint, the "
                f"shape in current model is {list(ours)}."
                for key, theirs, ours in report.mismatched_keys
            ]
            lines.append(
                "You may consider adding `ignore_mismatched_sizes=True` in the model `from_pretrained` "
                "method."
            )
            raise RuntimeError(f"Error(s) in loading state_dict for {name}:\n\t" + "\n\t".join(lines))
        if report.unexpected_keys:
            # another head's weights are no news, unless the checkpoint says that this very class made it
            expected_here = name in (self.config.architectures or [])
            (logger.warning if expected_here else logger.info)(
                f"Some weights of the model checkpoint at {checkpoint} were not used when initializing "
                f"{name}: {report.unexpected_keys}"
            )
        train_it = (
            "You should probably TRAIN this model on a down-stream task to be able to use it for "
            "predictions and inference."
        )
        if report.missing_keys:
            logger.warning(
                f"Some weights of {name} were not initialized from the model checkpoint at {checkpoint} and "
                f"are newly initialized: {sorted(report.missing_keys)}\n{train_it}"
            )
        if report.mismatched_keys:
            differences = "\n".join(
                f"- {key}: found shape {theirs} in the checkpoint and {ours} in the model instantiated"
                for key, theirs, ours in report.mismatched_keys
            )
            logger.warning(
                f"Some weights of {name} were not initialized from the model checkpoint at {checkpoint} and "
                f"are newly initialized because the shapes did not match:\n{differences}\n{train_it}"
            )

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
        **kwargs: Any,
    ) -> None:
        """Write the configuration and the weights into a folder, so that `from_pretrained` reads them again.

        Args:
            save_directory: the folder; created if needed.
            is_main_process: False writes nothing, for all but one of several processes.
            state_dict: weights to save in place of the model's own.
            push_to_hub: also upload them, to `repo_id` (by default the folder's name).
            max_shard_size: greatest size of one file, in bytes or such as "200KB"; beyond it, several are
                written.
            safe_serialization: safetensors, or else pickles (`pytorch_model.bin`).
            variant: written into the names of the files, as `model.<variant>.safetensors`.
            kwargs: arguments of `push_to_hub()`.

        Raises:
            NotADirectoryError: there is a file at that path.
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
            self.push_to_hub(kwargs.pop("repo_id", folder.name), state_dict=state_dict, **save, **kwargs)
        config = copy.deepcopy(self.config)
        config.architectures = [type(self).__name__]
        config.torch_dtype = self.dtype
        config.save_pretrained(folder)
        write_weights(folder, self.state_dict() if state_dict is None else state_dict, **save)

    @classmethod
    def register_for_auto_class(cls, auto_class: str = "AutoModel") -> None:
        """Say that `save_pretrained` shall name this class under `auto_map`, for code in a checkpoint."""
        cls._auto_class = auto_class if isinstance(auto_class, str) else auto_class.__name__

    # Embeddings and heads

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
        """
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
        """
        pruned = {layer: set(heads) for layer, heads in self.config.pruned_heads.items()}
        for layer, heads in heads_to_prune.items():
            pruned[layer] = pruned.get(layer, set()) | set(heads)
        self.base_model._prune_all(heads_to_prune)  # type: ignore[operator]
        self.config.pruned_heads = {layer: sorted(heads) for layer, heads in pruned.items()}

    def _prune_all(self, heads_to_prune: dict[int, list[int]]) -> None:
        """Remove heads from this base model's layers; an architecture that can do it overrides this."""
        raise AttributeError(f"The heads of {type(self).__name__} cannot be pruned.")

    # Training

    @property
    def is_gradient_checkpointing(self) -> bool:
        """Whether layers are computed again in the backward pass."""
        return any(
            getattr(module, "gradient_checkpointing_func", None) is not None for module in self.modules()
        )

    def gradient_checkpointing_enable(
        self, gradient_checkpointing_kwargs: dict[str, Any] | None = None
    ) -> None:
        """Keep no activations inside layers, and compute them again in the backward pass: slower, smaller.

        Args:
            gradient_checkpointing_kwargs: arguments of `torch.utils.checkpoint.checkpoint`.

        Raises:
            ValueError: the architecture does not support it.
        """
        if not self.supports_gradient_checkpointing:
            raise ValueError(f"{type(self).__name__} does not support gradient checkpointing.")
        arguments = {"use_reentrant": False, **(gradient_checkpointing_kwargs or {})}
        self._set_gradient_checkpointing(partial(torch.utils.checkpoint.checkpoint, **arguments))

    def gradient_checkpointing_disable(self) -> None:
        """Keep activations for the backward pass again."""
        self._set_gradient_checkpointing(None)

    def _set_gradient_checkpointing(self, function: Callable[..., Any] | None) -> None:
        for module in self.modules():
            if hasattr(module, "gradient_checkpointing_func"):
                module.gradient_checkpointing_func = function  # type: ignore[assignment]

    def enable_input_require_grads(self) -> None:
        """Let the embeddings' output require a gradient, as training adapters on frozen weights needs."""
        self._require_grads_hook = self.get_input_embeddings().register_forward_hook(
            lambda module, inputs, output: output.requires_grad_(True)
        )

    def disable_input_require_grads(self) -> None:
        """Undo `enable_input_require_grads`."""
        self._require_grads_hook.remove()

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


def _dtype_of(weights: Mapping[str, torch.Tensor]) -> torch.dtype | None:
    """Return the floating type of the first floating weight."""
    return next((tensor.dtype for tensor in weights.values() if tensor.is_floating_point()), None)


def _dtype(kwargs: dict[str, Any], cls: type) -> Any:
    """Take the data type of the weights out of `kwargs`: a floating type, "auto", or None."""
    newer, older = kwargs.pop("dtype", None), kwargs.pop("torch_dtype", None)
    dtype = newer if newer is not None else older
    if isinstance(dtype, str) and dtype != "auto":
        dtype = getattr(torch, dtype.removeprefix("torch."), dtype)
    if dtype is not None and dtype != "auto" and not isinstance(dtype, torch.dtype):
        raise ValueError(f'`torch_dtype` can be either `torch.dtype` or `"auto"`, but received {dtype!r}')
    if isinstance(dtype, torch.dtype) and not dtype.is_floating_point:
        raise ValueError(
            f"Can't instantiate {cls.__name__} model under dtype={dtype} since it is not a floating point "
            "dtype"
        )
    return dtype
