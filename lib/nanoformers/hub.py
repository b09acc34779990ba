"""Files of a checkpoint: from a local folder, from the cache, or from a hub; and back to a hub.

Everything that is downloaded goes through `huggingface_hub`, into its cache; nothing here speaks HTTP itself.
The library of that name reads its settings when it is imported, so it is imported on first use.
"""

from __future__ import annotations

import itertools
import os
import re
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .utils import logging

__all__ = [
    "HubOptions",
    "PushToHubMixin",
    "cache_folder",
    "cached_file",
    "checkpoint_name",
    "commit_of",
    "is_offline",
]

logger = logging.get_logger(__name__)

_COMMIT = re.compile(r"[0-9a-f]{40}")
_TRUE = {"1", "ON", "YES", "TRUE"}


@dataclass(frozen=True)
class HubOptions:
    """Where to look for the files of a checkpoint, and how.

    Attributes:
        cache_dir: folder of the cache; by default the one that `cache_folder()` returns.
        force_download: download even what is in the cache.
        local_files_only: make no request; what is neither local nor in the cache is an error.
        token: access token, or True for the one stored by `hf auth login`.
        revision: branch, tag or commit; by default the newest commit of `main`.
        subfolder: folder inside the repository (or inside the local folder) that has the files.
    """

    cache_dir: str | os.PathLike[str] | None = None
    force_download: bool = False
    local_files_only: bool = False
    token: str | bool | None = field(default=None, repr=False)
    revision: str | None = None
    subfolder: str = ""

    @classmethod
    def take_from(cls, kwargs: dict[str, Any]) -> HubOptions:
        """Pop the documented keywords out of `kwargs`, older spellings included.

        Raises:
            ValueError: both `token` and `use_auth_token` are given.
        """
        token, older_token = kwargs.pop("token", None), kwargs.pop("use_auth_token", None)
        if older_token is not None:
            if token is not None:
                raise ValueError("`token` and `use_auth_token` are both specified: keep `token`.")
            logger.warning_once("`use_auth_token` is the older name of `token`; please use `token`.")
            token = older_token
        if kwargs.pop("resume_download", None) is not None:
            logger.warning_once(
                "`resume_download` changes nothing: a download that breaks off resumes by itself."
            )
        if kwargs.pop("proxies", None) is not None:
            logger.warning_once(
                "`proxies` changes nothing: set the environment variables HTTP_PROXY and HTTPS_PROXY, "
                "which the download client reads."
            )
        commit, revision = kwargs.pop("_commit_hash", None), kwargs.pop("revision", None)
        return cls(
            cache_dir=kwargs.pop("cache_dir", None),
            force_download=bool(kwargs.pop("force_download", False)),
            local_files_only=bool(kwargs.pop("local_files_only", False)),
            token=token,
            revision=commit or revision,
            subfolder=kwargs.pop("subfolder", None) or "",
        )

    def at(self, commit: str | None) -> HubOptions:
        """Return the same options pinned to `commit` (unchanged when it is None)."""
        return self if commit is None else replace(self, revision=commit)


def is_offline() -> bool:
    """Tell whether HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids requests."""
    from huggingface_hub import constants

    now = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return constants.HF_HUB_OFFLINE or now.upper() in _TRUE


def cache_folder() -> str:
    """Return the folder of the cache.

    In order of precedence: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, TRANSFORMERS_CACHE (and its two older names),
    HF_HOME + "/hub", XDG_CACHE_HOME + "/huggingface/hub", ~/.cache/huggingface/hub. The first two, and the
    last three, are resolved by `huggingface_hub`.
    """
    from huggingface_hub import constants

    if not (os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")):
        for name in ("TRANSFORMERS_CACHE", "PYTORCH_TRANSFORMERS_CACHE", "PYTORCH_PRETRAINED_BERT_CACHE"):
            if folder := os.environ.get(name):
                return os.path.expandvars(Path(folder).expanduser())
    return constants.HF_HUB_CACHE


def commit_of(path: str | os.PathLike[str] | None) -> str | None:
    """Return the commit that a cached file belongs to.

    Args:
        path: what `cached_file` returned.

    Returns:
        40 hexadecimal digits, or None for a file that is not in a hub cache.
    """
    parts = Path(path).parts if path is not None else ()
    for folder, name in itertools.pairwise(parts):
        if folder == "snapshots" and _COMMIT.fullmatch(name):
            return name
    return None


def checkpoint_name(name_or_path: str | os.PathLike[str]) -> str:
    """Return the name of a checkpoint, or the path of its folder, as text.

    Raises:
        OSError: it is empty.
        TypeError: it is neither text nor path.
    """
    if not isinstance(name_or_path, (str, os.PathLike)):
        raise TypeError(
            f"A checkpoint is named by the path of its folder, or as a repository on the hub (`owner/name`), "
            f"and not by {name_or_path!r}."
        )
    name = os.fspath(name_or_path)
    if not name:
        raise OSError("The name of the checkpoint is empty: pass a folder, or a repository on the hub.")
    return name


def cached_file(
    name_or_path: str | os.PathLike[str],
    filename: str,
    options: HubOptions = HubOptions(),
    *,
    required: bool = True,
) -> str | None:
    """Return the local path of one file of a checkpoint, downloading it when needed.

    Args:
        name_or_path: a local folder (which wins), or the name of a repository on the hub.
        filename: the file's path inside it.
        options: see `HubOptions`. When `revision` is a commit and the file is cached, no request is made.
        required: whether a missing file is an error.

    Returns:
        The path, or None when the file does not exist and is not required.

    Raises:
        OSError: the folder, repository, revision or required file does not exist, may not be read, or cannot
            be reached; the message says which, and what to do.
    """
    name = checkpoint_name(name_or_path)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _local_file(folder, filename, options, required)
    if folder.is_file():
        raise OSError(
            f"{name} is a file, and a folder (or the name of a repository) is needed: "
            f"pass the folder that has {filename} in it."
        )
    return _hub_file(name, filename, options, required)


def _local_file(folder: Path, filename: str, options: HubOptions, required: bool) -> str | None:
    path = folder / options.subfolder / filename
    if path.is_file():
        return str(path)
    if not required:
        return None
    present = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
    raise OSError(
        f"{folder} does not appear to have a file named {Path(options.subfolder, filename).as_posix()}. "
        f"It has {', '.join(present) or 'nothing'}. If you mean a repository of that name on the hub, "
        "run from another folder: a local folder wins over the hub."
    )


def _hub_file(name: str, filename: str, options: HubOptions, required: bool) -> str | None:
    """`cached_file` for the name of a repository."""
    from huggingface_hub import constants, errors, try_to_load_from_cache

    from . import __version__

    cache = os.fspath(options.cache_dir) if options.cache_dir is not None else cache_folder()
    revision = options.revision or constants.DEFAULT_REVISION
    path_in_repository = f"{options.subfolder.strip('/')}/{filename}" if options.subfolder else filename
    offline = options.local_files_only or is_offline()
    where = f"{path_in_repository} of the repository {name} (revision {revision})"

    try:
        if not required and _COMMIT.fullmatch(revision) and not options.force_download:
            known = try_to_load_from_cache(name, path_in_repository, cache_dir=cache, revision=revision)
            if known is not None:  # a path, or the mark of a file that this commit does not have
                return known if isinstance(known, str) else None
        return _download(
            name,
            path_in_repository,
            revision=revision,
            cache_dir=cache,
            force_download=options.force_download and not offline,
            local_files_only=offline,
            token=options.token,
            library_name="nanoformers",
            library_version=__version__,
        )
    except errors.GatedRepoError as error:
        raise OSError(
            f"{name} is a gated repository: its owner gives access person by person. Ask for access on "
            f"{constants.ENDPOINT}/{name}, then log in with `hf auth login` or pass `token=`."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise OSError(
            f"{name} is neither a local folder nor a repository that {constants.ENDPOINT} shows you. Check "
            "the spelling; if the repository is private, log in with `hf auth login` or pass "
            "`token=`."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise OSError(
            f"{revision} is not a branch, tag or commit of the repository {name}. Its revisions are on "
            f"{constants.ENDPOINT}/{name}/commits/main."
        ) from error
    except errors.LocalEntryNotFoundError as error:
        if not required:
            return None
        if offline:
            raise OSError(
                f"Cannot find {where} in the cache at {cache}, and requests are switched off "
                "(`local_files_only=True`, or HF_HUB_OFFLINE / TRANSFORMERS_OFFLINE is set). Load it once "
                "with a connection, or give the path of a local folder."
            ) from error
        raise OSError(
            f"We couldn't connect to {constants.ENDPOINT} to load {where}, and it is not in the "
            f"cache at {cache}. Check the connection (or HF_ENDPOINT); without one, work from the cache or "
            "a local folder with `local_files_only=True` or HF_HUB_OFFLINE=1."
        ) from error
    except errors.EntryNotFoundError as error:
        if not required:
            return None
        raise OSError(
            f"There is no {where}. Its files are listed on {constants.ENDPOINT}/{name}/tree/{revision}."
        ) from error
    except errors.HFValidationError as error:
        raise OSError(
            f"{name} is not a local folder (we looked in {Path.cwd()}), and it cannot be the name of a "
            f"repository on the hub either, which looks like `owner/name`: {error}"
        ) from error
    except errors.HfHubHTTPError as error:
        raise OSError(
            f"{constants.ENDPOINT} answered with an error when asked for {where}: {error}"
        ) from error


def _download(*arguments: Any, **options: Any) -> str:
    """Call `hf_hub_download`, and raise its usual errors when `force_download=True` wraps them."""
    from huggingface_hub import errors, hf_hub_download

    try:
        return hf_hub_download(*arguments, **options)
    except ValueError as error:
        cause = error.__cause__
        if cause is None or isinstance(error, errors.HFValidationError):
            raise
        if isinstance(cause, errors.HfHubHTTPError | errors.EntryNotFoundError):
            raise cause from error
        raise errors.LocalEntryNotFoundError(str(cause)) from error


class PushToHubMixin:
    """Adds `push_to_hub` to a class that has `save_pretrained(folder, **kwargs)`."""

    def push_to_hub(
        self,
        repo_id: str,
        use_temp_dir: bool = True,
        commit_message: str | None = None,
        private: bool | None = None,
        token: str | bool | None = None,
        create_pr: bool = False,
        revision: str | None = None,
        commit_description: str | None = None,
        **save_arguments: Any,
    ) -> Any:
        """Save into a folder and upload that folder's files as one commit, creating the repository if needed.

        Args:
            repo_id: `name` (your own name space) or `owner/name`.
            use_temp_dir: save into a temporary folder; otherwise into `./name`, which stays.
            commit_message: by default "Upload" and the class's name.
            private: whether a repository that is created is private.
            token: access token, or True for the one stored by `hf auth login`.
            create_pr: open a pull request in place of committing to the branch.
            revision: branch to commit to (created if needed); by default `main`.
            commit_description: longer text of the commit.
            save_arguments: passed to `save_pretrained`, for example `max_shard_size="200KB"`.

        Returns:
            The `huggingface_hub.CommitInfo` of the commit (its `commit_url`, `oid`, `pr_url`).
        """
        if (older_token := save_arguments.pop("use_auth_token", None)) is not None:
            if token is not None:
                raise ValueError("`token` and `use_auth_token` are both specified: keep `token`.")
            token = older_token
        upload: dict[str, Any] = {
            "commit_message": commit_message,
            "private": private,
            "token": token,
            "create_pr": create_pr,
            "revision": revision,
            "commit_description": commit_description,
        }
        if not use_temp_dir:
            folder = Path(repo_id.rpartition("/")[2])
            before = _state_of(folder)
            self.save_pretrained(folder, **save_arguments)  # type: ignore[attr-defined]
            return self._upload_folder(folder, repo_id, unless=before, **upload)
        with tempfile.TemporaryDirectory() as temporary:
            self.save_pretrained(temporary, **save_arguments)  # type: ignore[attr-defined]
            return self._upload_folder(Path(temporary), repo_id, **upload)

    def _upload_folder(
        self,
        folder: Path,
        repo_id: str,
        *,
        unless: dict[str, tuple[int, int]] | None = None,
        commit_message: str | None = None,
        private: bool | None = None,
        token: str | bool | None = None,
        create_pr: bool = False,
        revision: str | None = None,
        commit_description: str | None = None,
    ) -> Any:
        """Upload what is in `folder` and is not as `unless` (from `_state_of`) says it was."""
        from huggingface_hub import HfApi

        from . import __version__

        api = HfApi(token=token, library_name="nanoformers", library_version=__version__)
        full_name = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        if revision is not None and not create_pr and not revision.startswith("refs/"):
            api.create_branch(full_name, branch=revision, exist_ok=True)
        unchanged = [name for name, state in _state_of(folder).items() if (unless or {}).get(name) == state]
        return api.upload_folder(
            repo_id=full_name,
            folder_path=folder,
            commit_message=commit_message or f"Upload {type(self).__name__}",
            commit_description=commit_description,
            create_pr=create_pr,
            revision=revision,
            ignore_patterns=unchanged or None,
        )


def _state_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Return {name: (modification time, size)} of the files of a folder."""
    if not folder.is_dir():
        return {}
    states = ((entry.name, entry.stat()) for entry in folder.iterdir() if entry.is_file())
    return {name: (state.st_mtime_ns, state.st_size) for name, state in states}
