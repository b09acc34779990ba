"""Code that comes with a checkpoint: fetching it, running it when it is trusted, and saving it.

A checkpoint's `config.json` names its own classes under `auto_map`, as "module.Class", or
"owner/repository--module.Class" for code kept elsewhere. Their files are copied to a folder of modules, one
sub-folder a commit (or, for a local checkpoint, a content), and imported from there.

Mirrors the documentation page `custom_models`.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import keyword
import os
import re
import select
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from .hub import HubOptions, cached_file, commit_of
from .source_files import get_imports, relative_imports, sources_of
from .utils import logging
from .utils.files import write_text

__all__ = [
    "add_repository",
    "check_imports",
    "custom_object_save",
    "get_cached_module_file",
    "get_class_from_dynamic_module",
    "get_imports",
    "modules_cache",
    "resolve_trust_remote_code",
]

logger = logging.get_logger(__name__)

PACKAGE = "nanoformers_modules"
SECONDS_TO_ANSWER = 15

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def modules_cache() -> str:
    """Return the folder of copied modules: HF_MODULES_CACHE, by default HF_HOME + "/modules"."""
    from huggingface_hub import constants

    return os.environ.get("HF_MODULES_CACHE") or str(Path(constants.HF_HOME) / "modules")


def __getattr__(name: str) -> str:
    if name == "HF_MODULES_CACHE":
        return modules_cache()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# Trust


def resolve_trust_remote_code(
    trust_remote_code: bool | None, model_name: str, has_local_code: bool, has_remote_code: bool
) -> bool:
    """Decide whether the code of a checkpoint is run.

    In a terminal, a question is asked when the caller did not say; it waits for fifteen seconds.

    Args:
        trust_remote_code: what the caller said; None for nothing.
        model_name: the checkpoint.
        has_local_code: whether the library (or a registered class) can do without that code.
        has_remote_code: whether there is such code.

    Raises:
        ValueError: the code is needed, and is not trusted.
    """
    if trust_remote_code is None and has_remote_code and not has_local_code and sys.stdin.isatty():
        trust_remote_code = _ask(model_name)
    if has_remote_code and not has_local_code and not trust_remote_code:
        raise ValueError(
            f"{_warning(model_name)}\nPlease pass the argument `trust_remote_code=True` to allow custom code "
            "to be run, and pin the `revision` that you have read."
        )
    return bool(trust_remote_code) and has_remote_code


def _warning(model_name: str) -> str:
    from huggingface_hub import constants

    where = Path(model_name).resolve() if Path(model_name).is_dir() else f"{constants.ENDPOINT}/{model_name}"
    return (
        f"The repository for {model_name} contains custom code which must be executed to correctly load the "
        f"model. You can inspect the repository content at {where}."
    )


def _ask(model_name: str) -> bool:
    """Ask in the terminal; no answer is a no."""
    print(f"{_warning(model_name)}\nDo you wish to run the custom code? [y/N] ", end="", flush=True)
    try:
        answered, _, _ = select.select([sys.stdin], [], [], SECONDS_TO_ANSWER)
    except OSError:  # where terminals cannot be waited for
        return False
    return bool(answered) and sys.stdin.readline().strip().lower() in ("y", "yes", "1")


# Fetching and importing


def get_class_from_dynamic_module(
    class_reference: str,
    pretrained_model_name_or_path: str | os.PathLike[str],
    *,
    code_revision: str | None = None,
    **kwargs: Any,
) -> type:
    """Return a class whose code is kept with a checkpoint. The code is run: call it for what you trust only.

    Args:
        class_reference: "module.Class", or "owner/repository--module.Class".
        pretrained_model_name_or_path: the checkpoint, where the first form looks.
        code_revision: branch, tag or commit of the code, when it is not the checkpoint's `revision`.
        kwargs: where to look, see `nanoformers.hub.HubOptions`.

    Raises:
        OSError: a file is not there.
        ImportError: the code needs packages that are not installed.
        ValueError: the reference cannot be read, or the module has no such class.
    """
    repository, _, reference = class_reference.rpartition("--")
    module, _, class_name = reference.rpartition(".")
    if not _MODULE.fullmatch(module) or not class_name.isidentifier():
        raise ValueError(
            f"{class_reference!r} is no reference to a class: it should look like 'module.Class' or "
            "'owner/repository--module.Class'."
        )
    name = os.fspath(pretrained_model_name_or_path)
    if repository and repository != name:
        for of_the_checkpoint in ("revision", "_commit_hash", "subfolder"):
            kwargs.pop(of_the_checkpoint, None)
        name = repository
    if code_revision is not None:
        kwargs |= {"revision": code_revision, "_commit_hash": None}
    file = get_cached_module_file(name, f"{module.replace('.', '/')}.py", **kwargs)
    _make_importable()
    imported = importlib.import_module(str(PurePosixPath(file).with_suffix("")).replace("/", "."))
    found = getattr(imported, class_name, None)
    if not isinstance(found, type):
        raise ValueError(
            f"The module {module} of {name} has no class {class_name}, which {class_reference} names."
        )
    return found


def get_cached_module_file(
    pretrained_model_name_or_path: str | os.PathLike[str], module_file: str, **kwargs: Any
) -> str:
    """Copy a module of a checkpoint, and those that it imports relatively, to the folder of modules.

    Args:
        pretrained_model_name_or_path: a local folder, or the name of a repository on the hub.
        module_file: the module's path inside it.
        kwargs: where to look, see `nanoformers.hub.HubOptions`.

    Returns:
        The copy's path inside the folder of modules, with "/" between its parts.

    Raises:
        OSError: a file is not there.
        ImportError: packages are missing; the message names them.
    """
    name = os.fspath(pretrained_model_name_or_path)
    asked_revision = kwargs.get("revision")
    options = replace(HubOptions.take_from(kwargs), subfolder="")
    files: dict[str, str] = {}
    waiting = [module_file]
    while waiting:
        path_inside = waiting.pop()
        if path_inside in files:
            continue
        path = cached_file(name, path_inside, options)
        assert path is not None
        options = options.at(commit_of(path))  # all of them from one commit
        files[path_inside] = path
        waiting += relative_imports(path, path_inside)
    check_imports(*files.values())

    package = _package(name, options.revision, files)
    new = [inside for inside, path in files.items() if _copy(path, Path(modules_cache(), package, inside))]
    if new and not Path(name).is_dir() and asked_revision is None:
        listed = "\n".join(f"- {inside}" for inside in new)
        logger.warning(
            f"A new version of the following files was downloaded from {name}:\n{listed}\nMake sure to "
            "double-check they do not contain any added malicious code. To avoid downloading new versions of "
            "the code file, you can pin a revision."
        )
    return (PurePosixPath(package) / module_file).as_posix()


def check_imports(*files: str | os.PathLike[str]) -> None:
    """Make sure that what some modules import is installed.

    Raises:
        ImportError: something is not.
    """
    wanted = {package for file in files for package in get_imports(file)}
    missing = sorted(package for package in wanted if importlib.util.find_spec(package) is None)
    if missing:
        raise ImportError(
            "This modeling file requires the following packages that were not found in your environment: "
            f"{', '.join(missing)}. Run `pip install {' '.join(missing)}`"
        )


def _package(name: str, commit: str | None, files: Mapping[str, str]) -> str:
    """Return the folder, inside that of modules, for one state of a checkpoint's code."""
    if Path(name).is_dir():
        content = hashlib.sha256()  # of all code there, so that its modules know each other
        beside = {file.name: str(file) for file in Path(name).glob("*.py")}
        for inside, path in sorted({**beside, **files}.items()):
            content.update(f"{inside}\0".encode() + Path(path).read_bytes() + b"\0")
        parts = ["local", Path(name).resolve().name, content.hexdigest()[:40]]
    else:
        parts = [*name.split("/"), commit or "main"]
    return "/".join([PACKAGE, *map(_identifier, parts)])


def _identifier(part: str) -> str:
    """Turn part of a repository's name into a name for a package, another for another."""
    spelled = re.sub(r"[^A-Za-z0-9]", lambda found: "_" if found[0] == "_" else f"_{ord(found[0]):x}_", part)
    return f"_{spelled}" if spelled[:1].isdigit() or keyword.iskeyword(spelled) or not spelled else spelled


def _copy(source: str, target: Path) -> bool:
    """Copy a module; return whether it was new. (The folders need no `__init__.py` to be packages.)"""
    content = Path(source).read_text(encoding="utf-8")
    if target.is_file() and target.read_text(encoding="utf-8") == content:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, content)
    importlib.invalidate_caches()
    return True


def _make_importable() -> None:
    """Let Python find the folder of modules (last: nothing there hides an installed package)."""
    folder = modules_cache()
    if folder not in sys.path:
        sys.path.append(folder)


# References


def add_repository(references: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Complete the references of an `auto_map` with the repository they were found in."""

    def complete(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [complete(item) for item in value]
        return f"{name}--{value}" if isinstance(value, str) and "--" not in value else value

    return {key: complete(value) for key, value in references.items()}


# Saving


def custom_object_save(obj: Any, folder: str | os.PathLike[str], config: Any = None) -> list[Path]:
    """Copy the code of an object's class to a folder, with the files that it imports relatively.

    Args:
        obj: a configuration, model, tokenizer or pipeline of a class of yours.
        folder: where it is saved.
        config: a configuration or dictionary, or several, whose `auto_map` shall name the class.

    Returns:
        The files written; none, with a warning, for a class that is defined in a notebook or script.
    """
    cls = type(obj)
    if cls.__module__ == "__main__":
        logger.warning(
            f"We can't save the code defining {cls.__name__} in {folder} as it's been defined in __main__. "
            "You should put this code in a separate module so we can include it in the saved folder and make "
            "it easier to share via the Hub."
        )
        return []
    for values in config if isinstance(config, list | tuple) else [config]:
        if isinstance(values, dict):
            values["auto_map"] = {**values.get("auto_map", {}), obj._auto_class: _reference(cls)}
        elif values is not None:
            values.auto_map = {**(getattr(values, "auto_map", None) or {}), obj._auto_class: _reference(cls)}
    written = []
    for inside, source in sources_of(cls).items():
        target = Path(folder, inside)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, source.read_text(encoding="utf-8"))
        written.append(target)
    return written


def _reference(cls: type) -> Any:
    """Return "module.Class"; of a tokenizer's class, (the one in Python, the fast one)."""
    name = f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"
    if "Tokenizer" not in cls.__name__:
        return name
    if not cls.__name__.endswith("Fast"):
        return (name, None)
    slow = getattr(cls, "slow_tokenizer_class", None)
    return (f"{slow.__module__.rpartition('.')[2]}.{slow.__name__}" if slow is not None else None, name)
