"""Configurations: the shape of a model as data, read from and written to `config.json`.

Mirrors the documentation page `main_classes/configuration`. The file is interchangeable with the reference
library's, releases 4 and 5: whichever wrote it, the other reads it.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from .dynamic_modules import add_repository, custom_object_save
from .hub import HubOptions, PushToHubMixin, cached_file, checkpoint_name, commit_of
from .utils import logging
from .utils.files import folder_to_save_in, read_json_object, write_text
from .utils.versions import DOCUMENTED_RELEASE

if TYPE_CHECKING:
    import torch

__all__ = ["CONFIG_NAME", "FORMAT_VERSION", "PretrainedConfig"]

logger = logging.get_logger(__name__)

CONFIG_NAME = "config.json"
FORMAT_VERSION = DOCUMENTED_RELEASE
"""The release of the reference library whose format `config.json` follows (its `transformers_version`)."""

_SUFFIXES_OF_WEIGHTS = {".safetensors", ".bin", ".pt"}

PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")

_COMMON_DEFAULTS: dict[str, Any] = {
    # what a model returns
    "return_dict": True,
    "output_hidden_states": False,
    "output_attentions": False,
    # how it is built
    "torchscript": False,
    "use_bfloat16": False,
    "tf_legacy_loss": False,
    "tie_word_embeddings": True,
    "chunk_size_feed_forward": 0,
    "is_encoder_decoder": False,
    "is_decoder": False,
    "cross_attention_hidden_size": None,
    "add_cross_attention": False,
    "tie_encoder_decoder": False,
    # what it was trained for
    "architectures": None,
    "finetuning_task": None,
    "problem_type": None,
    "task_specific_params": None,
    # its tokenizer
    "tokenizer_class": None,
    "prefix": None,
    "bos_token_id": None,
    "pad_token_id": None,
    "eos_token_id": None,
    "sep_token_id": None,
    "decoder_start_token_id": None,
    # how it generates, where no generation_config.json says so
    "max_length": 20,
    "min_length": 0,
    "do_sample": False,
    "early_stopping": False,
    "num_beams": 1,
    "num_beam_groups": 1,
    "diversity_penalty": 0.0,
    "temperature": 1.0,
    "top_k": 50,
    "top_p": 1.0,
    "typical_p": 1.0,
    "repetition_penalty": 1.0,
    "length_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "bad_words_ids": None,
    "num_return_sequences": 1,
    "output_scores": False,
    "return_dict_in_generate": False,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "remove_invalid_values": False,
    "exponential_decay_length_penalty": None,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
}

_NOT_IN_FILE = ("_name_or_path", "_commit_hash", "_dtype_name", "_attn_implementation")

Config = TypeVar("Config", bound="PretrainedConfig")


class PretrainedConfig(PushToHubMixin):
    """Base of all configurations: the attributes that every model shares, and their file.

    A subclass names its `model_type` and takes its own arguments, each with a default, and `**kwargs`, which
    it passes here. Every model also has `hidden_size`, `num_attention_heads` and `num_hidden_layers`; text
    models have `vocab_size`.

    Args:
        kwargs: the shared attributes above; `id2label`, `label2id` or `num_labels` (2); `torch_dtype` (or
            `dtype`), a name or a `torch.dtype`; `attn_implementation`, "sdpa" or "eager"; `name_or_path`.
            Anything else is kept as an attribute.

    Raises:
        ValueError: `label2id` is not a dictionary, or `problem_type` is not one of the three known ones.

    Attributes:
        model_type: the architecture's name in `config.json`, by which Auto classes find it.
        is_composition: whether it is made of other configurations, so that it has no defaults of its own.
        keys_to_ignore_at_inference: outputs that `Trainer` leaves out of predictions.
        attribute_map: {documented common name: this architecture's name for it}.
    """

    model_type: ClassVar[str] = ""
    is_composition: ClassVar[bool] = False
    keys_to_ignore_at_inference: ClassVar[list[str]] = []
    attribute_map: ClassVar[dict[str, str]] = {}
    _auto_class: ClassVar[str | None] = None

    def __init__(self, **kwargs: Any) -> None:
        for name, default in _COMMON_DEFAULTS.items():
            setattr(self, name, kwargs.pop(name, default))
        self.pruned_heads: dict[int, list[int]] = {  # keys are strings in JSON, and integers here
            int(layer): heads for layer, heads in kwargs.pop("pruned_heads", {}).items()
        }
        if self.problem_type not in (None, *PROBLEM_TYPES):
            raise ValueError(
                f"problem_type={self.problem_type!r} is unknown; it is one of {', '.join(PROBLEM_TYPES)}."
            )

        self._name_or_path = str(kwargs.pop("name_or_path", kwargs.pop("_name_or_path", "")))
        self._commit_hash: str | None = kwargs.pop("_commit_hash", None)
        self._attn_implementation: str | None = kwargs.pop("attn_implementation", None)
        self._dtype_name: str | None = None
        newer, older = kwargs.pop("dtype", None), kwargs.pop("torch_dtype", None)
        self.torch_dtype = newer if newer is not None else older
        self._set_labels(kwargs)

        self.transformers_version: str | None = kwargs.pop("transformers_version", None)
        for unused in (
            "model_type",
            "xla_device",
        ):  # the class says the first; nobody reads the second any more
            kwargs.pop(unused, None)
        for name, value in kwargs.items():
            setattr(self, name, value)

    def _set_labels(self, kwargs: dict[str, Any]) -> None:
        """Take `id2label`, `label2id` and `num_labels` out of `kwargs`."""
        id2label, label2id = kwargs.pop("id2label", None), kwargs.pop("label2id", None)
        count = kwargs.pop("num_labels", None)
        if label2id is not None and not isinstance(label2id, dict):
            raise ValueError("Argument label2id should be a dictionary.")
        if id2label is None:
            self.num_labels = 2 if count is None else count
            if label2id is not None:
                self.label2id = label2id
            return
        self.id2label = {int(index): label for index, label in id2label.items()}
        self.label2id = label2id or {label: index for index, label in self.id2label.items()}
        if count is not None and count != len(self.id2label):
            logger.warning(
                f"num_labels={count} does not agree with the {len(self.id2label)} labels of "
                f"id2label={self.id2label}; num_labels is taken to be {len(self.id2label)}."
            )

    # Attributes

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(type(self).attribute_map.get(name, name), value)

    def __getattr__(self, name: str) -> Any:
        """Look up a common name under the one that this architecture uses."""
        own_name = type(self).attribute_map.get(name)
        if own_name is not None:
            return getattr(self, own_name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def name_or_path(self) -> str:
        """The name or path that was given to `from_pretrained` ("" for a configuration made otherwise)."""
        return self._name_or_path

    @name_or_path.setter
    def name_or_path(self, value: str) -> None:
        self._name_or_path = str(value)

    @property
    def use_return_dict(self) -> bool:
        """Whether models return `ModelOutput` rather than tuples."""
        return self.return_dict and not self.torchscript

    @property
    def num_labels(self) -> int:
        """How many labels a classification head has; setting it names them `LABEL_0`, `LABEL_1` ..."""
        return len(self.id2label)

    @num_labels.setter
    def num_labels(self, count: int) -> None:
        if len(self.__dict__.get("id2label") or ()) != count:
            self.id2label = {index: f"LABEL_{index}" for index in range(count)}
            self.label2id = {label: index for index, label in self.id2label.items()}

    @property
    def torch_dtype(self) -> torch.dtype | None:
        """The data type of the checkpoint's weights, if the configuration says it."""
        if self._dtype_name is None:
            return None
        import torch

        return getattr(torch, self._dtype_name)

    @torch_dtype.setter
    def torch_dtype(self, value: torch.dtype | str | None) -> None:
        self._dtype_name = None if value is None else str(value).removeprefix("torch.")

    dtype = torch_dtype

    # Reading

    @classmethod
    def from_pretrained(
        cls: type[Config], pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> Config:
        """Read the configuration of a checkpoint.

        Args:
            pretrained_model_name_or_path: a folder with a `config.json`, the path of such a file, or the name
                of a repository on the hub.
            kwargs: `cache_dir`, `force_download`, `local_files_only`, `token`, `revision`, `subfolder` say
                where to look (see `nanoformers.hub.HubOptions`); `return_unused_kwargs=True` returns
                (configuration, the keywords that are no attribute of it); an attribute's name takes the
                place of the file's value.

        Raises:
            OSError: there is no such file, or it is not JSON.
        """
        values, kwargs = cls.get_config_dict(pretrained_model_name_or_path, **kwargs)
        written_for = values.get("model_type")
        if written_for and cls.model_type and written_for != cls.model_type:
            logger.warning(
                f"You are using a model of type {written_for} to instantiate a model of type "
                f"{cls.model_type}. This is not supported for all configurations of models and can yield "
                "errors."
            )
        return cls.from_dict(values, **kwargs)

    @classmethod
    def get_config_dict(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read the content of a checkpoint's `config.json`.

        Returns:
            (the content, with `_name_or_path` and `_commit_hash`; the keywords that do not say where to
            look).

        Raises:
            OSError: there is no such file, or it is not JSON.
        """
        options = HubOptions.take_from(kwargs)
        name = checkpoint_name(pretrained_model_name_or_path)
        file = Path(options.subfolder, name).expanduser()
        if file.suffix in _SUFFIXES_OF_WEIGHTS and file.is_file():
            raise OSError(f"{name} is a file of weights: pass the folder that it is in.")
        path = str(file) if file.is_file() else cached_file(name, CONFIG_NAME, options)
        assert path is not None
        values = cls._dict_from_json_file(path)
        commit = commit_of(path)
        if commit is not None:  # code is looked for in this repository, wherever the file is saved again
            if "auto_map" in values:
                values["auto_map"] = add_repository(values["auto_map"], name)
            for task in values.get("custom_pipelines", {}).values():
                task |= add_repository({"impl": task["impl"]}, name)
        return {**values, "_name_or_path": name, "_commit_hash": commit}, kwargs

    @classmethod
    def _dict_from_json_file(cls, path: str | os.PathLike[str]) -> dict[str, Any]:
        return read_json_object(path, "configuration file")

    @classmethod
    def from_dict(cls: type[Config], config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Make a configuration from a dictionary such as `to_dict` gives.

        Args:
            config_dict: attributes.
            kwargs: attributes that take their place; `return_unused_kwargs` as in `from_pretrained`.

        Raises:
            ValueError: `num_labels` and `id2label` among `kwargs` do not agree.
        """
        return_unused = kwargs.pop("return_unused_kwargs", False)
        labels = kwargs.get("id2label")
        if labels and kwargs.get("num_labels", len(labels)) != len(labels):
            raise ValueError(
                f"num_labels={kwargs['num_labels']} and id2label={labels} do not agree: leave num_labels out."
            )
        values = dict(config_dict)
        if "attn_implementation" in kwargs:
            values["attn_implementation"] = kwargs.pop("attn_implementation")
        config = cls(**values)
        for name in [name for name in kwargs if hasattr(config, name)]:
            value = kwargs[name]
            current = getattr(config, name)
            if isinstance(current, PretrainedConfig) and isinstance(value, dict):
                value = type(current)(**value)
            elif name == "id2label" and value is not None:
                value = {int(index): label for index, label in value.items()}
            setattr(config, name, value)
            # how a model is loaded, not only what its configuration says: the caller needs to see it too
            if name not in ("torch_dtype", "dtype"):
                del kwargs[name]
        return (config, kwargs) if return_unused else config

    @classmethod
    def from_json_file(cls: type[Config], json_file: str | os.PathLike[str]) -> Config:
        """Make a configuration from a JSON file."""
        return cls(**cls._dict_from_json_file(json_file))

    # Writing

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], push_to_hub: bool = False, **kwargs: Any
    ) -> None:
        """Write `config.json` into a folder, so that `from_pretrained` finds it.

        Args:
            save_directory: the folder; created if needed.
            push_to_hub: also upload it, to `repo_id` (by default the folder's name).
            kwargs: arguments of `push_to_hub()`.

        Raises:
            NotADirectoryError: there is a file at that path.
        """
        folder = folder_to_save_in(save_directory)
        if push_to_hub:
            self.push_to_hub(kwargs.pop("repo_id", folder.name), **kwargs)
        config = copy.copy(self)
        if self._auto_class is not None:
            custom_object_save(config, folder, config=config)
        config.to_json_file(folder / CONFIG_NAME)

    def to_dict(self) -> dict[str, Any]:
        """Return all attributes, in types that JSON knows."""
        values = {name: value for name, value in self.__dict__.items() if name not in _NOT_IN_FILE}
        values = {name: _plain(value, PretrainedConfig.to_dict) for name, value in values.items()}
        return values | self._class_values()

    def to_diff_dict(self) -> dict[str, Any]:
        """Return the attributes that a reader of the file cannot know.

        They are all of this architecture's own, and those shared ones that differ from the defaults.
        """
        common = PretrainedConfig().to_dict()
        own = {} if self.is_composition else type(self)().to_dict()
        different = {
            name: value
            for name, value in self.to_dict().items()
            if name not in common or value != common[name] or (name in own and value != own[name])
        }
        for name, value in self.__dict__.items():
            if isinstance(value, PretrainedConfig):
                different[name] = value.to_diff_dict()
        return different | self._class_values()

    def _class_values(self) -> dict[str, Any]:
        values: dict[str, Any] = {"transformers_version": FORMAT_VERSION}
        if self._dtype_name is not None:
            values["torch_dtype"] = self._dtype_name  # read by releases 4 and 5 of the reference library
        if self.model_type:
            values["model_type"] = self.model_type
        return values

    def to_json_string(self, use_diff: bool = True) -> str:
        """Return the configuration as JSON.

        Args:
            use_diff: leave out the shared attributes that have their default value.
        """
        values = self.to_diff_dict() if use_diff else self.to_dict()
        return json.dumps(values, indent=2, sort_keys=True) + "\n"

    def to_json_file(self, json_file_path: str | os.PathLike[str], use_diff: bool = True) -> None:
        """Write the configuration to a JSON file, whole or not at all."""
        write_text(json_file_path, self.to_json_string(use_diff=use_diff))

    # Changing

    def update(self, config_dict: dict[str, Any]) -> None:
        """Set attributes from a dictionary."""
        for name, value in config_dict.items():
            setattr(self, name, value)

    def update_from_string(self, update_str: str) -> None:
        """Set attributes from a string such as "n_embd=10,resid_pdrop=0.2,scale_attn_weights=false".

        Each keeps the type that it has: bool, int, float or str.

        Raises:
            ValueError: an attribute does not exist, has another type, or the text is not a value of its type.
        """
        for pair in update_str.split(","):
            name, equals, text = pair.partition("=")
            if not equals:
                raise ValueError(f"{pair!r} is not of the form name=value.")
            if not hasattr(self, name):
                raise ValueError(f"key {name} isn't in the original config dict")
            setattr(self, name, _parse_as(type(getattr(self, name)), text, name))

    @classmethod
    def register_for_auto_class(cls, auto_class: str = "AutoConfig") -> None:
        """Say that `save_pretrained` shall name this class under `auto_map`, for code kept with a checkpoint.

        Raises:
            ValueError: `auto_class` is not "AutoConfig".
        """
        name = auto_class if isinstance(auto_class, str) else auto_class.__name__
        if name != "AutoConfig":
            raise ValueError(f"{name} is not an auto class of configurations: it is AutoConfig.")
        cls._auto_class = name

    def dict_torch_dtype_to_str(self, d: dict[str, Any]) -> None:
        """Replace, in place and at any depth, a `torch.dtype` under "torch_dtype" by its bare name."""
        if d.get("torch_dtype") is not None and not isinstance(d["torch_dtype"], str):
            d["torch_dtype"] = str(d["torch_dtype"]).removeprefix("torch.")
        for value in d.values():
            if isinstance(value, dict):
                self.dict_torch_dtype_to_str(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PretrainedConfig) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"


def _plain(value: Any, of_config: Any) -> Any:
    """Return a copy of `value` with configurations inside it made dictionaries."""
    if isinstance(value, PretrainedConfig):
        return {name: inner for name, inner in of_config(value).items() if name != "transformers_version"}
    return copy.deepcopy(value)


def _parse_as(kind: type, text: str, name: str) -> bool | int | float | str:
    """Parse `text` as a value of a type (one of bool, int, float, str)."""
    if kind is bool:
        if text.lower() in ("true", "1", "y", "yes"):
            return True
        if text.lower() in ("false", "0", "n", "no"):
            return False
        raise ValueError(f"can't derive true or false from {text} (key {name})")
    if kind in (int, float, str):
        return kind(text)
    raise ValueError(
        f"You can only update int, float, bool or string values in the config; {name} is a {kind}."
    )
