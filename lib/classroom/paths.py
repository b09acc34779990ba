"""Where the course keeps its files: one place that says it, for every other module."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_APPLICATION = "nanoformers"


def repository_root() -> Path | None:
    """Folder of the checkout that this package is imported from; None for an installed wheel."""
    root = _PACKAGE.parents[1]
    is_checkout = (root / "pyproject.toml").is_file() and (root / "lib" / "classroom").is_dir()
    return root if is_checkout else None


def home() -> Path:
    """Folder of everything that the course writes: the hub's store, the cache. Delete it to start anew.

    `$CLASSROOM_HOME` when set, else `.classroom` in the checkout, else the user's data folder. It is not
    created here.
    """
    chosen = os.environ.get("CLASSROOM_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    root = repository_root()
    if root is not None:
        return root / ".classroom"
    import platformdirs

    return platformdirs.user_data_path(_APPLICATION, appauthor=False) / "classroom"


def data_root() -> Path:
    """Folder with the course's own data (`hub/`, and `recipes/` in a checkout)."""
    root = repository_root()
    return root / "data" if root is not None else _PACKAGE / "_data"


def examples_root() -> Path:
    """Folder of the example scripts (`pytorch/<task>/run_*.py`): the checkout's, or the copy in a wheel."""
    root = repository_root()
    return root / "examples" if root is not None else _PACKAGE / "_data" / "examples"


def downloads() -> Path:
    """Folder for files fetched once at set-up, outside the repository, shared by all checkouts.

    `$CLASSROOM_DOWNLOADS` when set (a class may prepare one folder for all machines), else the user's cache
    folder. It is not created here.
    """
    chosen = os.environ.get("CLASSROOM_DOWNLOADS")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return platformdirs.user_cache_path(_APPLICATION, appauthor=False) / "downloads"


def notebooks_root() -> Path | None:
    """Folder of the course's notebooks in a checkout; None for an installed wheel, which carries none."""
    root = repository_root()
    return root / "notebooks" if root is not None else None


def store_root() -> Path:
    """Folder of the embedded hub's repositories."""
    return home() / "store"


def cache_home() -> Path:
    """`HF_HOME` of the course: the cache that its notebooks fill, apart from the reader's own.

    `$CLASSROOM_CACHE` when set (the runner gives each notebook an empty one), else a folder in `home()`.
    """
    chosen = os.environ.get("CLASSROOM_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else home() / "huggingface"
