"""AutoConfig: the configuration of a checkpoint, of whichever architecture."""

from __future__ import annotations

import os
from typing import Any

from ..configuration import PretrainedConfig
from .registry import ARCHITECTURES, Architecture, config_class_for
from .remote_code import remote_class, where_to_look

__all__ = ["AutoConfig"]


class AutoConfig:
    """Reads the configuration of a checkpoint in the class that its `model_type` names.

    It is made by `from_pretrained` only.
    """

    def __init__(self) -> None:
        raise OSError(
            "AutoConfig is designed to be instantiated using the "
            "`AutoConfig.from_pretrained(pretrained_model_name_or_path)` method."
        )

    @classmethod
    def for_model(cls, model_type: str, *args: Any, **kwargs: Any) -> PretrainedConfig:
        """Make a configuration of that architecture, with its defaults and the arguments given.

        Raises:
            ValueError: there is no such architecture.
        """
        return config_class_for(model_type)(*args, **kwargs)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """Read the configuration of a checkpoint.

        Args:
            pretrained_model_name_or_path: a folder with a `config.json`, the path of such a file, or the
                name of a repository on the hub.
            kwargs: as `PretrainedConfig.from_pretrained` takes them; `trust_remote_code=True` to run the
                code of a configuration that the checkpoint brings along, of `code_revision` if that is
                another repository's.

        Raises:
            OSError: there is no such file, or it is not JSON.
            ValueError: its `model_type` is missing, or none of those that exist here; or it brings code along
                that is not trusted.
        """
        trust_remote_code, where = kwargs.pop("trust_remote_code", None), where_to_look(kwargs)
        where["code_revision"] = kwargs.pop("code_revision", None)
        values, unused = PretrainedConfig.get_config_dict(pretrained_model_name_or_path, **kwargs)
        remote = remote_class(
            "AutoConfig",
            PretrainedConfig,
            (values.get("auto_map") or {}).get("AutoConfig"),
            os.fspath(pretrained_model_name_or_path),
            trust_remote_code=trust_remote_code,
            has_local_code=values.get("model_type") in ARCHITECTURES,
            _commit_hash=values["_commit_hash"],
            **where,
        )
        if remote is not None:
            return remote.from_dict(values, **unused)
        if "model_type" in values:
            return config_class_for(values["model_type"]).from_dict(values, **unused)
        # older checkpoints say nothing but their own name
        name = str(pretrained_model_name_or_path)
        for model_type in sorted(ARCHITECTURES, key=len, reverse=True):
            if model_type in name:
                return config_class_for(model_type).from_dict(values, **unused)
        raise ValueError(
            f"Unrecognized model in {name}. Should have a `model_type` key in its config.json, or contain "
            f"one of the following strings in its name: {', '.join(sorted(ARCHITECTURES))}"
        )

    @staticmethod
    def register(model_type: str, config: type[PretrainedConfig], exist_ok: bool = False) -> None:
        """Make an architecture of your own known.

        Args:
            model_type: its name, the class's `model_type`.
            config: the class of its configurations.
            exist_ok: take the place of an architecture with that name.

        Raises:
            ValueError: the class has another `model_type`, or the name is taken.
        """
        if config.model_type != model_type:
            raise ValueError(
                "The config you are passing has a `model_type` attribute that is not consistent with the "
                f"model type you passed (config has {config.model_type} and you passed {model_type}. Fix "
                "one of those!"
            )
        if model_type in ARCHITECTURES and not exist_ok:
            raise ValueError(f"'{model_type}' is already used by a Transformers config, pick another name.")
        ARCHITECTURES[model_type] = Architecture(package=None, config=config)
