"""The files of an adapter, as PEFT has them: `adapter_config.json` and `adapter_model.safetensors`.

A weight's name in the file is that in the model without the adapter's own name, after "base_model.model.":
`bert...query.adapters.default.lora_A.weight` is stored as `base_model.model.bert...query.lora_A.weight`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ..checkpoints import read_weights
from ..hub import HubOptions, cached_file, commit_of
from ..utils.files import read_json_object, written_whole
from .config import CONFIG_NAME, PeftConfig
from .layers import ATTRIBUTE

__all__ = [
    "SAFE_WEIGHTS_NAME",
    "WEIGHTS_NAME",
    "AdapterSource",
    "find_adapter_weights",
    "is_missing_file",
    "name_in_file",
    "names_in_model",
    "with_prefix",
    "write_adapter",
]

SAFE_WEIGHTS_NAME = "adapter_model.safetensors"
WEIGHTS_NAME = "adapter_model.bin"

_WHOLE_MODEL = "config.json"
_PREFIX = "base_model.model."
_PREFIX_OF_PROMPTS = "base_model."
_PROMPT = "prompt_embeddings"


def find_adapter_weights(
    name_or_path: str | os.PathLike[str], options: HubOptions
) -> dict[str, torch.Tensor]:
    """Return the tensors in an adapter's file of weights, downloaded when needed.

    Raises:
        OSError: there is no such file, or it is damaged.
    """
    for filename in (SAFE_WEIGHTS_NAME, WEIGHTS_NAME):
        path = cached_file(name_or_path, filename, options, required=False)
        if path is not None:
            return read_weights([path])
    raise OSError(
        f"{name_or_path} has neither {SAFE_WEIGHTS_NAME} nor {WEIGHTS_NAME}: the weights of the adapter that "
        f"its {CONFIG_NAME} is about."
    )


def write_adapter(
    folder: Path, config: PeftConfig, weights: Mapping[str, torch.Tensor], *, safe_serialization: bool = True
) -> None:
    """Write an adapter into an existing folder: first its weights, then its configuration.

    Args:
        folder: the folder.
        config: the adapter's; the file says that it is for inference, as PEFT's do.
        weights: {name in the file: tensor}.
        safe_serialization: safetensors, or else a pickle.
    """
    written = SAFE_WEIGHTS_NAME if safe_serialization else WEIGHTS_NAME
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    with written_whole(folder / written) as beside:
        if safe_serialization:
            from safetensors.torch import save_file

            distinct = {name: tensor.clone() for name, tensor in tensors.items()}
            save_file(distinct, beside, metadata={"format": "pt"})
        else:
            torch.save(tensors, beside)
    for other in {SAFE_WEIGHTS_NAME, WEIGHTS_NAME} - {written}:
        (folder / other).unlink(missing_ok=True)
    for_inference = type(config).from_dict(config.to_dict() | {"inference_mode": True})
    for_inference.save_pretrained(folder)


def name_in_file(name: str, adapter: str, config: PeftConfig, *, is_target: bool = False) -> str:
    """Return the name in the file, without prefix, of a weight of the model that belongs to an adapter.

    Args:
        name: `<layer>.adapters.<adapter>.<weight>`; or a bias of the base model that is trained along.
        adapter: the adapter's name.
        config: its configuration.
        is_target: whether that bias is the bias of a layer with the adapter, where PEFT has another name.
    """
    if is_target:
        layer, _, weight = name.rpartition(".")
        return f"{layer}.base_layer.{weight}"
    layer, _, weight = name.rpartition(f"{ATTRIBUTE}.{adapter}.")
    return layer + weight


def with_prefix(names: Mapping[str, torch.Tensor], config: PeftConfig) -> dict[str, torch.Tensor]:
    """Put before the names what PEFT puts there in files."""
    prefix = _PREFIX_OF_PROMPTS if config.is_prompt_learning else _PREFIX
    return {name if name == _PROMPT else prefix + name: tensor for name, tensor in names.items()}


def names_in_model(
    in_file: Iterable[str], in_model: Mapping[str, str], config: PeftConfig, base_prefix: str
) -> dict[str, str]:
    """Return {name in the file: name in the model} for those that belong together.

    Args:
        in_file: names in a file, or in what `get_adapter_state_dict` returns.
        in_model: {name in the file without prefix: name in the model} of the model's adapter.
        config: the adapter's.
        base_prefix: the base model's name inside models with a head ("bert"), which may be too much or
            missing when the adapter was made for the one and is loaded into the other.
    """
    found = {}
    for source in in_file:
        prefix = _PREFIX_OF_PROMPTS if config.is_prompt_learning else _PREFIX
        name = source.removeprefix(prefix)
        for candidate in (name, f"{base_prefix}.{name}", name.removeprefix(f"{base_prefix}.")):
            if candidate in in_model:
                found[source] = in_model[candidate]
                break
    return found


@dataclass
class AdapterSource:
    """An adapter that was given to `from_pretrained` in place of a whole model.

    Attributes:
        name: its folder or repository.
        options: where it is.
        base: its base model's folder or repository.
        revision: the base model's, if the adapter names one.
        adapter_name: the name it gets in the model.
    """

    name: str
    options: HubOptions
    base: str
    revision: str | None
    adapter_name: str | None

    @classmethod
    def take_from(
        cls, kwargs: dict[str, Any], name_or_path: str | os.PathLike[str] | None, config: Any
    ) -> AdapterSource | None:
        """Take what is for an adapter out of the keywords of `from_pretrained`.

        A repository is asked for its `config.json`, which is needed next anyway, and only when it has none
        for its `adapter_config.json`. A folder with both is a whole model with its adapter.

        Args:
            kwargs: the keywords; the commit of a whole model that was found is noted in them.
            name_or_path: what is loaded.
            config: a configuration that was given: then there is no question.

        Returns:
            None when it is no adapter.

        Raises:
            OSError: the repository does not exist, or may not be read.
            ValueError: the adapter does not say what its base model is.
        """
        adapter_name, own = kwargs.pop("adapter_name", None), kwargs.pop("adapter_kwargs", None) or {}
        known_to_be_whole = kwargs.pop("_without_adapter", False) or config is not None
        if known_to_be_whole or not name_or_path or not isinstance(name_or_path, (str, os.PathLike)):
            return None
        options = HubOptions.take_from(kwargs | own)
        folder = Path(name_or_path).expanduser()
        if folder.is_file():
            return None
        whole = cached_file(
            name_or_path, _WHOLE_MODEL, replace(options, force_download=False), required=False
        )
        if whole is not None and commit_of(whole) is not None:
            kwargs["_commit_hash"] = commit_of(whole)
        path = None
        if whole is None or folder.is_dir():
            path = cached_file(name_or_path, CONFIG_NAME, options, required=False)
        if path is None:
            return None
        values = read_json_object(path, "configuration of an adapter")
        base = os.fspath(name_or_path) if whole is not None else values.get("base_model_name_or_path")
        if not base:
            raise ValueError(
                f"{name_or_path} is an adapter whose {CONFIG_NAME} does not name its base model "
                "(`base_model_name_or_path`): load the base model, then call its `load_adapter`."
            )
        options = options.at(commit_of(path))  # the weights of the same commit
        return cls(os.fspath(name_or_path), options, base, values.get("revision"), adapter_name)

    def with_base(self, load: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Load the base model, and the adapter into it.

        Args:
            load: a `from_pretrained`.
            args: its further arguments.
            kwargs: its keywords; those that say where an adapter is (`revision`, `subfolder`) are not for it.
        """
        if self.base != self.name:
            for own in ("revision", "subfolder", "_commit_hash"):
                kwargs.pop(own, None)
            kwargs["revision"] = self.revision
        result = load(self.base, *args, _without_adapter=True, **kwargs)
        self.add_to(result[0] if isinstance(result, tuple) else result)
        return result

    def add_to(self, model: Any) -> None:
        """Load the adapter into its base model."""
        where = vars(self.options) | {"revision": None, "token": None}
        model.load_adapter(
            self.name,
            self.adapter_name,
            revision=self.options.revision,
            token=self.options.token,
            adapter_kwargs={key: value for key, value in where.items() if value is not None},
        )


def is_missing_file(error: BaseException) -> bool:
    """Tell whether an error of loading means that a folder or repository exists, and lacks a file."""
    from huggingface_hub import errors

    cause: Any = error.__cause__
    if cause is None:  # of a local folder
        return "does not appear to have a file named" in str(error)
    unknown = isinstance(cause, errors.LocalEntryNotFoundError)  # nobody was there to ask
    return isinstance(cause, errors.EntryNotFoundError) and not unknown
