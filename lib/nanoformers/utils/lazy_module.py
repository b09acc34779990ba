"""A module that imports its parts when they are asked for."""

from __future__ import annotations

import importlib
import importlib.machinery
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["_LazyModule"]


class _LazyModule(ModuleType):
    """Stands in `sys.modules` for a package whose submodules are imported on first use of their names.

    The last lines of such a package's `__init__.py`:

        structure = {"shapes": ["Circle", "Square"], "colours": ["mix"]}
        sys.modules[__name__] = _LazyModule(__name__, __file__, structure, module_spec=__spec__)

    (This library's own packages use `lazy_loader`, whose stub files editors can read.)

    Args:
        name: the package's `__name__`.
        module_file: its `__file__`.
        import_structure: {submodule: its public names}.
        module_spec: its `__spec__`.
        extra_objects: {name: object} that are there already.
    """

    def __init__(
        self,
        name: str,
        module_file: str | os.PathLike[str],
        import_structure: Mapping[str, Sequence[str]],
        module_spec: importlib.machinery.ModuleSpec | None = None,
        extra_objects: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name)
        self.__file__ = os.fspath(module_file)
        self.__path__ = [str(Path(module_file).parent)]
        self.__spec__ = module_spec
        self.__all__ = [*import_structure, *(name for names in import_structure.values() for name in names)]
        self._import_structure = import_structure
        self._home_of = {name: module for module, names in import_structure.items() for name in names}
        self._extra_objects = dict(extra_objects or {})

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__all__, *self._extra_objects})

    def __getattr__(self, name: str) -> Any:
        if name in self._extra_objects:
            return self._extra_objects[name]
        if name in self._home_of:
            value = getattr(self._submodule(self._home_of[name]), name)
        elif name in self._import_structure:
            value = self._submodule(name)
        else:
            raise AttributeError(f"module {self.__name__} has no attribute {name}")
        setattr(self, name, value)
        return value

    def _submodule(self, name: str) -> ModuleType:
        """Import a part.

        Raises:
            RuntimeError: it fails; the message says why.
        """
        try:
            return importlib.import_module(f".{name}", self.__name__)
        except Exception as error:
            raise RuntimeError(
                f"Failed to import {self.__name__}.{name} because of the following error (look up to see its "
                f"traceback):\n{error}"
            ) from error

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.__name__, self.__file__, self._import_structure)
