"""What a Python file imports, read from its text without running it."""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

__all__ = ["get_imports", "relative_imports", "sources_of"]


def get_imports(filename: str | os.PathLike[str]) -> list[str]:
    """Return the packages that a module cannot do without.

    Imports inside `try` are not counted, nor those under an `if` that asks whether a package is available,
    nor what comes with Python.

    Raises:
        OSError: the file is not Python.
    """
    names: set[str] = set()
    for node in _needed(_parse(filename)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    top_level = {name.partition(".")[0] for name in names}
    return sorted(top_level - set(sys.stdlib_module_names))


def relative_imports(filename: str | os.PathLike[str], path_inside: str) -> list[str]:
    """Return the files that a module imports relatively.

    Args:
        filename: the module.
        path_inside: its path in the folder that they share, with "/" between its parts.

    Returns:
        Paths in that folder.

    Raises:
        OSError: the file is not Python, or an import leaves the folder.
    """
    found: set[str] = set()
    for node in ast.walk(_parse(filename)):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        folder = PurePosixPath(path_inside).parent
        if node.level - 1 > len(folder.parts):
            raise OSError(
                f"{path_inside} imports {'.' * node.level}{node.module or ''}, which is outside of the "
                "folder that is kept with the checkpoint: import from the installed package by its name."
            )
        for _ in range(node.level - 1):
            folder = folder.parent
        modules = [node.module] if node.module else [alias.name for alias in node.names]
        found |= {(folder / f"{module.replace('.', '/')}.py").as_posix() for module in modules}
    return sorted(found)


def sources_of(cls: type) -> dict[str, Path]:
    """Return {path in a folder of their own: file} of a class's module and what it imports relatively.

    Raises:
        OSError: a file is not there.
    """
    file = Path(inspect.getfile(cls))
    found: dict[str, Path] = {}
    waiting = [file.name]
    while waiting:
        inside = waiting.pop()
        if inside not in found:
            found[inside] = file.parent / inside
            waiting += relative_imports(found[inside], inside)
    return found


def _parse(filename: str | os.PathLike[str]) -> ast.Module:
    try:
        return ast.parse(Path(filename).read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise OSError(f"{filename} is no module of Python: {error}") from error


def _needed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run in any case."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Try):
            continue
        if isinstance(child, ast.If) and _asks(child.test):
            continue
        yield child
        yield from _needed(child)


def _asks(test: ast.AST) -> bool:
    """Tell whether a condition is TYPE_CHECKING, or a call such as `is_flash_attn_2_available()`."""
    names = [getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(test)]
    return any(name == "TYPE_CHECKING" or name.endswith("_available") for name in names)
