"""Exercises of notebook 02: installation."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from classroom.exercises import Wrong, exercise

ON_THE_SHELF = ("1.0", "2.0")
TOMORROW = "1.5"
DEMANDS = ("moods<2", "moods>=1")


@exercise(
    "02.1",
    "Which package provides `import yaml`?",
    hints=[
        "The name that you import and the name that you install need not be the same.",
        "metadata.packages_distributions() is a dictionary: import name -> packages.",
        'metadata.packages_distributions()["yaml"]',
    ],
)
def package_of_yaml(answer: str) -> str:
    """PyYAML, in any spelling that pip accepts."""
    if isinstance(answer, (list, tuple, set)) and len(set(answer)) == 1:
        answer = next(iter(answer))
    if not isinstance(answer, str):
        raise Wrong("Give the name of the package, as text.")
    name = canonicalize_name(answer.strip())
    if name == "yaml":
        raise Wrong("That is the name to import. The name to install is another one here.")
    if name != "pyyaml":
        raise Wrong(f"{answer.strip()} does not provide a module called yaml.")
    return (
        "Import names and package names are two lists: `PIL` comes from pillow, `sklearn` from scikit-learn. "
        "Look the name up before you install it; somebody else may own the one that you guess."
    )


@exercise(
    "02.2",
    "Which constraints let both demands install, and always lead to the same version?",
    hints=[
        "The versions on the shelf are 1.0 and 2.0. Which of them do `moods<2` and `moods>=1` both allow?",
        "A range such as `moods<2` would take 1.5 as soon as it is there. What takes exactly one version?",
        'constraints = "moods==1.0"',
    ],
)
def pinning_constraints(answer: str) -> str:
    """One exact pin: moods==1.0."""
    if not isinstance(answer, str):
        raise Wrong('Give the text of the file, such as "moods==2.0".')
    lines = [line.partition("#")[0].strip() for line in answer.splitlines()]
    wanted = [_read(line) for line in lines if line]
    about_moods = [item for item in wanted if canonicalize_name(item.name) == "moods"]
    if not about_moods:
        raise Wrong("No line of it is about moods, so pip takes the newest version that a demand allows.")
    if any(item.extras for item in about_moods):
        raise Wrong("A constraint names no extras: pip refuses the file.")
    allowed = [
        version
        for version in (*ON_THE_SHELF, TOMORROW)
        if all(item.specifier.contains(version) for item in about_moods)
    ]
    installable = [version for version in ON_THE_SHELF if version in allowed]
    if not installable:
        raise Wrong("No version on the shelf satisfies that: there are 1.0 and 2.0.")
    for demand in DEMANDS:
        if not any(Requirement(demand).specifier.contains(version) for version in installable):
            raise Wrong(
                f"It allows {' and '.join(installable)} only, and '{demand}' excludes that: a conflict."
            )
    if len(allowed) > 1:
        raise Wrong(f"It allows {', '.join(sorted(allowed))}: which one is installed depends on the day.")
    return (
        "One exact version: a constraints file is where `==` belongs; what a package itself requires stays a "
        "range."
    )


@exercise(
    "02.3",
    "How do you ask whether a module is there, without importing it?",
    hints=[
        "Section 9 asks that very question.",
        "importlib.util.find_spec(name) returns None for a module that is not there.",
        "def importable(name): return importlib.util.find_spec(name) is not None",
    ],
)
def importable(answer: Callable[[str], bool]) -> str:
    """A function, tried on modules that are there or not, and on one that leaves a trace when it is run."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    if answer("json") is not True or answer("csv") is not True:
        raise Wrong(
            f"json and csv are parts of Python, but it says {answer('json')!r}. Return True or False."
        )
    if answer("no_such_module_anywhere") is not False:
        raise Wrong("For a module that is not there it must return False.")
    if _runs_the_module(answer):
        raise Wrong("Right answers, but the module was run: try it on torch and watch the clock.")
    return "Finding a module reads a few folders; importing torch runs a thousand files."


def _read(line: str) -> Requirement:
    try:
        return Requirement(line)
    except InvalidRequirement as error:
        raise Wrong(f"pip could not read the line {line!r}: write it as name==version.") from error


def _runs_the_module(answer: Callable[[str], bool]) -> bool:
    """Whether `answer` imports the module it is asked about (in this process or in another)."""
    name = "exercise_02_leaves_a_trace"
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        Path(folder, f"{name}.py").write_text(f"open({str(trace)!r}, 'w').close()\n", encoding="utf-8")
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            if answer(name) is not True:
                raise Wrong("It misses a module that lies in a folder of sys.path.")
            return trace.exists()
        finally:
            sys.path.remove(folder)
            sys.modules.pop(name, None)
            importlib.invalidate_caches()
