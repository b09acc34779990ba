"""Fetching all that a model needs to load, without loading it."""

from __future__ import annotations

import fnmatch
from pathlib import Path

from ..configuration import CONFIG_NAME
from ..hub import HubOptions, cached_file, commit_of

__all__ = ["fetch"]

_SETTINGS = ("*.json", "*.txt", "*.model", "*.jinja")  # configuration, tokenizer, processor
_SAFETENSORS = ("model.safetensors", "model-*.safetensors")
_PICKLES = ("pytorch_model.bin", "pytorch_model-*.bin")
_CODE = ("*.py",)


def fetch(name: str, options: HubOptions, *, trust_remote_code: bool = False) -> tuple[Path, dict[str, int]]:
    """Download a model's configuration, tokenizer and weights: safetensors, or else pickles.

    Files in folders of the repository, and weights for other frameworks, stay where they are.

    Args:
        name: a repository on the hub.
        options: where to look, and where to put it.
        trust_remote_code: download Python files too.

    Returns:
        (the folder in the cache, {file: bytes}).

    Raises:
        OSError: `name` is a local folder, there is no such repository, it may not be read, or it has no
            configuration.
    """
    from huggingface_hub import HfApi, snapshot_download

    if Path(name).expanduser().is_dir():
        raise OSError(f"{name} is a local folder: there is nothing to download.")
    config = cached_file(name, CONFIG_NAME, options)  # tells why, when a repository cannot be had
    assert config is not None
    commit = commit_of(config)
    there = HfApi(token=options.token).list_repo_files(name, revision=commit)
    wanted = _matching(there, _SETTINGS + (_CODE if trust_remote_code else ()))
    wanted += _matching(there, _SAFETENSORS) or _matching(there, _PICKLES)
    folder = Path(
        snapshot_download(
            name,
            revision=commit,
            cache_dir=Path(config).parents[3],
            force_download=options.force_download,
            token=options.token,
            allow_patterns=wanted,
        )
    )
    return folder, {file: (folder / file).stat().st_size for file in sorted(wanted)}


def _matching(files: list[str], patterns: tuple[str, ...]) -> list[str]:
    """Return those files that match a pattern and are in no folder."""
    return [
        file
        for file in files
        if "/" not in file and any(fnmatch.fnmatchcase(file, pattern) for pattern in patterns)
    ]
