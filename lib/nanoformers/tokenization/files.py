"""The files of a tokenizer: finding, reading and writing them, in the layout that all libraries share.

tokenizer_config.json     arguments of the class, its name, added tokens, chat template
tokenizer.json            a whole fast tokenizer, in the format of the `tokenizers` library
special_tokens_map.json   special tokens (older files have them only here)
added_tokens.json         {added token: id} (older files, and slow tokenizers)
vocab.txt, ...            what `vocab_files_names` of the class says
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import AddedToken

from ..hub import HubOptions, cached_file, commit_of
from .special_tokens import NAMES, SINGLE_NAMES, tokens_from_json

__all__ = [
    "ADDED_TOKENS_FILE",
    "FULL_TOKENIZER_FILE",
    "SPECIAL_TOKENS_MAP_FILE",
    "TOKENIZER_CONFIG_FILE",
    "TokenizerFiles",
    "find_files",
    "read_json",
    "write_json",
    "write_whole",
]

SPECIAL_TOKENS_MAP_FILE = "special_tokens_map.json"
ADDED_TOKENS_FILE = "added_tokens.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
FULL_TOKENIZER_FILE = "tokenizer.json"

# Entries of tokenizer_config.json that describe the file, and are no arguments of the class.
_NOT_ARGUMENTS = ("tokenizer_class", "auto_map", "tokenizer_file", "backend", "is_local", "local_files_only")


class TokenizerFiles(NamedTuple):
    """What was found for one tokenizer.

    Attributes:
        paths: {argument of the class: path}, such as {"vocab_file": ".../vocab.txt"}; only what exists.
        arguments: arguments of the class, from the JSON files.
        tokenizer_class: name of the class that wrote the files, if they say.
    """

    paths: dict[str, str]
    arguments: dict[str, Any]
    tokenizer_class: str | None


def find_files(
    name_or_path: str | os.PathLike[str],
    wanted: dict[str, str],
    options: HubOptions,
    *,
    convertible: bool = False,
) -> TokenizerFiles:
    """Find and read the files of a tokenizer, with as few requests as possible.

    The first file fixes the commit that all others are taken from. tokenizer.json makes the vocabulary files
    of the slow tokenizer needless, and so does a list of added tokens in tokenizer_config.json with the two
    older JSON files.

    Args:
        name_or_path: a local folder or the name of a repository.
        wanted: {argument: file name} of the class, in order of preference: with "tokenizer_file" present,
            the others are asked for only when tokenizer.json does not exist.
        options: see `HubOptions`.
        convertible: whether tokenizer.json will do where vocabulary files are missing.

    Raises:
        OSError: not all of the wanted files exist, or the repository cannot be reached.
        ValueError: a JSON file cannot be read.
    """
    config_path = cached_file(name_or_path, TOKENIZER_CONFIG_FILE, options, required=False)
    options = options.at(commit_of(config_path))
    config = read_json(config_path) if config_path else {}
    arguments = {key: value for key, value in config.items() if key not in _NOT_ARGUMENTS}

    paths: dict[str, str] = {}
    if "tokenizer_file" in wanted:
        path = cached_file(name_or_path, wanted["tokenizer_file"], options, required=False)
        if path is not None:
            paths["tokenizer_file"] = path
            options = options.at(commit_of(path))
    if "tokenizer_file" not in paths:
        paths |= _vocabulary_files(name_or_path, wanted, options, convertible)

    if "added_tokens_decoder" in arguments:
        arguments["added_tokens_decoder"] = {
            int(index): token if isinstance(token, AddedToken) else AddedToken(**token)
            for index, token in arguments["added_tokens_decoder"].items()
        }
    else:
        _read_older_files(name_or_path, options, arguments, "tokenizer_file" in paths)
    _take_newer_spellings(arguments)
    return TokenizerFiles(paths, _special_tokens_as_objects(arguments), config.get("tokenizer_class"))


def _vocabulary_files(
    name_or_path: str | os.PathLike[str], wanted: dict[str, str], options: HubOptions, convertible: bool
) -> dict[str, str]:
    names = {argument: file for argument, file in wanted.items() if argument != "tokenizer_file"}
    paths: dict[str, str] = {}
    for argument, file in names.items():
        path = cached_file(name_or_path, file, options, required=False)
        if path is not None:
            paths[argument] = path
            options = options.at(commit_of(path))
    missing = [file for argument, file in wanted.items() if argument not in paths]
    if missing == list(wanted.values()) or names.keys() != paths.keys():
        full = (
            cached_file(name_or_path, FULL_TOKENIZER_FILE, options, required=False) if convertible else None
        )
        if full is not None:
            return {"tokenizer_file": full}
        # asking for it as required gives the error that tells what is wrong: repository, revision or network
        cached_file(name_or_path, missing[0], options, required=True)
    return paths


def _read_older_files(
    name_or_path: str | os.PathLike[str],
    options: HubOptions,
    arguments: dict[str, Any],
    has_full_tokenizer: bool,
) -> None:
    """Add to `arguments` what special_tokens_map.json and added_tokens.json say."""
    path = cached_file(name_or_path, SPECIAL_TOKENS_MAP_FILE, options, required=False)
    for name, value in (read_json(path) if path else {}).items():
        if name in NAMES:
            arguments[name] = value
    if has_full_tokenizer:
        return  # which lists its added tokens itself
    path = cached_file(name_or_path, ADDED_TOKENS_FILE, options, required=False)
    if path is None:
        return
    special = {
        token.content if isinstance(token, AddedToken) else str(token)
        for name in NAMES
        for token in _listed(tokens_from_json(_typed(arguments.get(name))))
    }
    arguments["added_tokens_decoder"] = {
        index: AddedToken(text, normalized=text not in special, special=text in special)
        for text, index in read_json(path).items()
    }


def _take_newer_spellings(arguments: dict[str, Any]) -> None:
    """`extra_special_tokens` (a list, or named ones in a dictionary) is `additional_special_tokens` here."""
    extra = arguments.pop("extra_special_tokens", None)
    if extra:
        given = list(arguments.get("additional_special_tokens") or ())
        known = given + [arguments.get(name) for name in SINGLE_NAMES]
        new = extra.values() if isinstance(extra, dict) else extra
        arguments["additional_special_tokens"] = given + [token for token in new if token not in known]


def _special_tokens_as_objects(arguments: dict[str, Any]) -> dict[str, Any]:
    """Turn special tokens into `AddedToken`s where more is known of them than their text."""
    added = {token.content: token for token in arguments.get("added_tokens_decoder", {}).values()}

    def as_object(token: Any) -> Any:
        if isinstance(token, dict):
            fields = {key: value for key, value in token.items() if key != "__type"}
            return AddedToken(**fields | {"special": True})
        return added.get(token, token)  # with its properties, where they are known

    for name in SINGLE_NAMES:
        if arguments.get(name) is not None:
            arguments[name] = as_object(arguments[name])
    if arguments.get("additional_special_tokens"):
        arguments["additional_special_tokens"] = [
            as_object(token) for token in arguments["additional_special_tokens"]
        ]
    return arguments


def _typed(value: Any) -> Any:
    """Mark a dictionary without a type as a token."""
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return {"__type": "AddedToken", **value} if isinstance(value, dict) else value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def read_json(path: str | os.PathLike[str]) -> Any:
    """Return what a JSON file says.

    Raises:
        ValueError: the file is not JSON in UTF-8.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:  # bad JSON and bad UTF-8 alike
        raise ValueError(
            f"{path} is not a valid JSON file ({error}): download or write it once more."
        ) from error


def write_json(path: Path, value: Any, *, sort_keys: bool = False) -> str:
    """Write `value` as indented JSON with a final newline; return the path."""
    text = json.dumps(value, indent=2, sort_keys=sort_keys, ensure_ascii=False) + "\n"
    return write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def write_whole(path: Path, write: Callable[[Path], Any]) -> str:
    """Let `write` write a file beside `path` and rename it to `path`, so that no reader sees half a file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        write(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return str(path)
