"""`from_pretrained` and `save_pretrained` of tokenizers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dynamic_modules import custom_object_save
from ..hub import HubOptions, PushToHubMixin, checkpoint_name
from ..utils import logging
from ..utils.files import folder_to_save_in
from .converting import fast_counterpart, slow_files
from .files import (
    ADDED_TOKENS_FILE,
    SPECIAL_TOKENS_MAP_FILE,
    TOKENIZER_CONFIG_FILE,
    TokenizerFiles,
    find_files,
    write_json,
)
from .special_tokens import SpecialTokensMixin, tokens_to_json

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["PretrainedFilesMixin"]

logger = logging.get_logger(__name__)


class PretrainedFilesMixin(SpecialTokensMixin, PushToHubMixin):
    """Loads a tokenizer from a folder or hub, and saves it.

    Class attributes:
        vocab_files_names: {argument of the class: file name}.
    """

    vocab_files_names: dict[str, str] = {}  # noqa: RUF012 - documented; each subclass has its own
    slow_tokenizer_class: type[Any] | None = None
    _auto_class: str | None = None
    init_kwargs: dict[str, Any]
    name_or_path: str

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], *init_inputs: Any, **kwargs: Any
    ) -> Self:
        """Load a tokenizer.

        Args:
            pretrained_model_name_or_path: a folder that `save_pretrained` wrote, the name of a repository on
                the hub, or, for a class with a single vocabulary file, the path of that file.
            init_inputs: positional arguments of the class.
            kwargs: `cache_dir`, `force_download`, `local_files_only`, `token`, `revision`, `subfolder`
                (see `nanoformers.hub.HubOptions`); whatever else replaces arguments of the class, for example
                `padding_side="left"` or `unk_token="<unk>"`.

        Raises:
            OSError: no tokenizer is found under this name.
            ValueError: its files cannot be read.
        """
        options = HubOptions.take_from(kwargs)
        kwargs.pop("trust_remote_code", None)  # for `AutoTokenizer`; a class that is here needs no code
        name = checkpoint_name(pretrained_model_name_or_path)
        if Path(name).is_file():
            files = TokenizerFiles({cls._argument_of_single_file(name): name}, {}, None)
        else:
            convertible = fast_counterpart(cls) is not None
            files = find_files(name, cls.vocab_files_names, options, convertible=convertible)
        paths, arguments, saved_class = files
        cls._check_saved_class(saved_class, name)
        from_slow = kwargs.get("from_slow", False)
        if from_slow and "tokenizer_file" in paths:
            others = {key: file for key, file in cls.vocab_files_names.items() if key != "tokenizer_file"}
            paths = find_files(name, others, options).paths
        arguments = {**arguments, "name_or_path": name, **kwargs}
        if "tokenizer_file" in paths and "tokenizer_file" not in cls.vocab_files_names:
            with slow_files(cls, paths["tokenizer_file"], **arguments) as converted:
                return cls(*init_inputs, **{**arguments, **converted})
        return cls(*init_inputs, **{**paths, **arguments})

    @classmethod
    def _argument_of_single_file(cls, path: str) -> str:
        """Return the argument that a single file is for: by its name, or the only one that there is."""
        if path.endswith(".json") and "tokenizer_file" in cls.vocab_files_names:
            return "tokenizer_file"
        arguments = [argument for argument in cls.vocab_files_names if argument != "tokenizer_file"]
        if len(arguments) != 1:
            raise ValueError(
                f"{cls.__name__} needs the files {', '.join(cls.vocab_files_names.values())}: pass the "
                f"folder that has them in place of the single file {path}."
            )
        return arguments[0]

    @classmethod
    def _check_saved_class(cls, saved: str | None, name: str) -> None:
        generic = {"TokenizersBackend", "PythonBackend", "PreTrainedTokenizerFast", "PreTrainedTokenizer"}
        own = {c.__name__.removesuffix("Fast") for c in cls.__mro__}
        if saved is None or saved in generic or saved.removesuffix("Fast") in own or cls.__name__ in generic:
            return
        logger.warning(
            f"The tokenizer of {name} was saved by {saved} and is being loaded by {cls.__name__}, which may "
            "split texts differently: use `AutoTokenizer`, or that class."
        )

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
        push_to_hub: bool = False,
        **kwargs: Any,
    ) -> tuple[str, ...]:
        """Save the tokenizer, so that `from_pretrained` (of this library or the reference) gives it back.

        Args:
            save_directory: folder, created when it does not exist.
            legacy_format: of a fast tokenizer: True saves the slow one's vocabulary files only, False
                tokenizer.json only, None both where both exist.
            filename_prefix: put before the names of the files, followed by "-".
            push_to_hub: upload the saved files afterwards, to `repo_id` (by default the folder's name).
            kwargs: arguments of `push_to_hub`.

        Returns:
            The paths of the files.

        Raises:
            NotADirectoryError: `save_directory` is a file.
            ValueError: `legacy_format` asks for files that this tokenizer cannot write.
        """
        folder = folder_to_save_in(save_directory)
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        # what may fail is written first: a folder with a configuration has a vocabulary too
        vocabulary = self._save_vocabulary_files(folder, legacy_format, filename_prefix)
        config = self._config_to_save()
        code = custom_object_save(self, folder, config=config) if self._auto_class is not None else []
        files = [
            write_json(folder / f"{prefix}{TOKENIZER_CONFIG_FILE}", config, sort_keys=True),
            write_json(
                folder / f"{prefix}{SPECIAL_TOKENS_MAP_FILE}",
                tokens_to_json(_plainest(self.special_tokens_map_extended), with_type=False),
            ),
            *vocabulary,
            *map(str, code),
        ]
        if push_to_hub:
            self.push_to_hub(kwargs.pop("repo_id", folder.name), **kwargs)
        return tuple(files)

    @classmethod
    def register_for_auto_class(cls, auto_class: str = "AutoTokenizer") -> None:
        """Say that `save_pretrained` shall name this class under `auto_map`, and save its code.

        Raises:
            ValueError: `auto_class` is not "AutoTokenizer".
        """
        name = auto_class if isinstance(auto_class, str) else auto_class.__name__
        if name != "AutoTokenizer":
            raise ValueError(f"{name} is not an auto class of tokenizers: it is AutoTokenizer.")
        cls._auto_class = name

    def _save_vocabulary_files(
        self, folder: Path, legacy_format: bool | None, filename_prefix: str | None
    ) -> tuple[str, ...]:
        """Write the vocabulary and the added tokens; return the paths (fast tokenizers do more)."""
        if legacy_format is False:
            raise ValueError(
                "Only fast tokenizers can be saved in the format that `legacy_format=False` asks for "
                f"(tokenizer.json), and {type(self).__name__} is not one: use `legacy_format=None`."
            )
        return self._save_slow_files(folder, filename_prefix)

    def _save_slow_files(self, folder: Path, filename_prefix: str | None) -> tuple[str, ...]:
        files = self.save_vocabulary(str(folder), filename_prefix=filename_prefix)
        vocab_size = self.vocab_size  # type: ignore[attr-defined]
        beyond = {
            token: index
            for token, index in self.get_added_vocab().items()  # type: ignore[attr-defined]
            if index >= vocab_size
        }
        path = folder / f"{filename_prefix + '-' if filename_prefix else ''}{ADDED_TOKENS_FILE}"
        if beyond:
            return (*files, write_json(path, dict(sorted(beyond.items()))))
        path.unlink(missing_ok=True)  # an older tokenizer's, which would add its tokens to this one
        return files

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write the vocabulary files only (added tokens and arguments are not in them); return the paths."""
        raise NotImplementedError(f"{type(self).__name__} does not say how its vocabulary is saved.")

    def _config_to_save(self) -> dict[str, Any]:
        """Return what tokenizer_config.json says: arguments (as they are now), tokens, class."""
        config = {key: _json_or_none(getattr(self, key, value)) for key, value in self.init_kwargs.items()}
        for key in ("model_max_length", "clean_up_tokenization_spaces"):
            config[key] = getattr(self, key)
        for side in ("padding_side", "truncation_side"):
            if getattr(self, side) != getattr(type(self), side):
                config[side] = getattr(self, side)
        config |= self.special_tokens_map
        if self.chat_template is not None:  # type: ignore[attr-defined]
            config["chat_template"] = self.chat_template  # type: ignore[attr-defined]
        config["added_tokens_decoder"] = {
            str(index): tokens_to_json(token, with_type=False) | {"special": token.special}
            for index, token in sorted(self.added_tokens_decoder.items())  # type: ignore[attr-defined]
        }
        config["tokenizer_class"] = type(self).__name__
        if type(self).__name__ != "PreTrainedTokenizerFast":
            config["tokenizer_class"] = type(self).__name__.removesuffix("Fast")
        return config


def _plainest(value: Any) -> Any:
    """Return special tokens as text where an `AddedToken` says no more than that."""
    if isinstance(value, dict):
        return {key: _plainest(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plainest(item) for item in value]
    if isinstance(value, str) or value.lstrip or value.rstrip or value.single_word or value.normalized:
        return value
    return value.content


def _json_or_none(value: Any) -> Any:
    """Return `value` as JSON can hold it (an argument that is an object of Python cannot be saved)."""
    value = tokens_to_json(value)
    try:
        json.dumps(value)
    except TypeError:
        return None
    return value
