"""Exercises of notebook 53: custom models."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from classroom.exercises import Wrong, exercise

if TYPE_CHECKING:
    import torch

LABELS = {0: "diamond", 1: "box", 2: "delta"}
IMPORTS = [
    ("import torch\nx = 1\n", set(), "nothing is called there at all"),
    ("print('a')\n", {1}, "a call in the first line of a file runs"),
    ("def f():\n    print('later')\n", set(), "the body of a function waits until it is called"),
    ("def f():\n    print('later')\n\nf()\n", {4}, "only the call of `f` stands in the file itself"),
    ("class A:\n    x = f()\n\n    def g(self):\n        h()\n", {2}, "the body of a class runs"),
    ("if True:\n    x = [f(i)\n         for i in g()]\n", {2, 3}, "calls may be deep inside a statement"),
    ("@f(1)\ndef g(a=h()):\n    k()\n", {1, 2}, "decorators and defaults run, the body does not"),
    ("f = lambda: g()\nh = lambda x=k(): g()\n", {2}, "the body of a lambda waits as well"),
    ("async def f():\n    g()\n", set(), "the body of an `async def` waits as well"),
    ("def f(*, a=g()):\n    pass\n", {1}, "keyword-only arguments have defaults, too"),
]


@exercise(
    "53.1",
    "A configuration of your own.",
    hints=[
        "Derive it from PretrainedConfig, check `width` first, store both arguments as attributes.",
        "Everything else arrives in **kwargs and has to reach super().__init__.",
        "A list as a default is shared by all objects: take a tuple, and store list(sizes).",
    ],
)
def kite_config(answer: Any) -> str:
    """A class, whose objects are saved, read, and changed."""
    from nanoformers import PretrainedConfig

    if not isinstance(answer, type) or not issubclass(answer, PretrainedConfig):
        raise Wrong("Give the class itself, derived from PretrainedConfig.")
    kind: Any = answer
    if kind.model_type != "kite":
        raise Wrong(f"Its `model_type` is {kind.model_type!r}, not 'kite'.")
    try:
        default, wide = kind(), kind(width=12, id2label=LABELS)
    except TypeError as error:
        raise Wrong(f"KiteConfig(width=12, id2label=...) fails: {error}") from error
    for name, value in {"width": 8, "sizes": [3, 5]}.items():
        if getattr(default, name, None) != value:
            raise Wrong(f"By default `{name}` is {getattr(default, name, None)!r}, not {value!r}.")
    for width in (0, -3):
        try:
            kind(width=width)
        except ValueError:
            continue
        raise Wrong(f"width={width} is accepted.")
    with tempfile.TemporaryDirectory() as folder:
        wide.save_pretrained(folder)
        again = kind.from_pretrained(folder)
    if again.width != wide.width:
        raise Wrong(f"Saved with width=12, it is read with width={again.width}.")
    if again.id2label != LABELS:
        raise Wrong(f"The labels get lost: {again.id2label}. Do all keywords reach super().__init__?")
    default.sizes.append(9)
    if kind().sizes != [3, 5]:
        raise Wrong("Changing `sizes` of one configuration changed the default of all: the list is shared.")
    return "It checks, it survives a file, and no two share a list."


@exercise(
    "53.2",
    "Weights with other names.",
    hints=[
        "Two steps: rename the keys, then keep those that the model has.",
        "Replace the prefix at the start of a name only: `module.` may stand inside a name as well.",
        "'model.' + name.removeprefix('module.'), if that is in model.state_dict().",
    ],
)
def adapted(answer: Callable[[dict[str, Any], Any], dict[str, Any]]) -> str:
    """A function, tried on a model that has a submodule called `module`."""
    import torch

    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    model = _small_model()
    source = _small_model()
    theirs = {f"module.{name.removeprefix('model.')}": value for name, value in source.state_dict().items()}
    theirs["module.seen"] = torch.tensor(7)
    before = list(theirs)
    found = answer(theirs, model)
    if not isinstance(found, dict):
        raise Wrong(f"Return a dictionary; this is {type(found).__name__}.")
    if list(theirs) != before:
        raise Wrong("It changes the dictionary that it was given: make a new one.")
    try:
        model.load_state_dict(found)
    except RuntimeError as error:
        raise Wrong(f"load_state_dict complains: {error}") from error
    for name, value in source.state_dict().items():
        if not torch.equal(model.state_dict()[name], value):
            raise Wrong(f"After loading, {name} is not what it was in theirs.")
    return "All weights are in place, and strict loading has nothing to say."


@exercise(
    "53.3",
    "What runs when a file is imported?",
    hints=[
        "ast.walk goes everywhere. Walk by yourself: a list of waiting nodes, and ast.iter_child_nodes.",
        "At a FunctionDef, AsyncFunctionDef or Lambda, go on with decorators and defaults, not the body.",
        "Defaults are node.args.defaults and node.args.kw_defaults (which may hold None).",
    ],
)
def runs_at_import(answer: Callable[[str], set[int]]) -> str:
    """A function of a source, tried on ten."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for source, expected, why in IMPORTS:
        try:
            found = set(answer(source))
        except Exception as error:
            raise Wrong(
                f"It fails with {type(error).__name__}: {error}\non this source:\n{source}"
            ) from error
        if found != expected:
            raise Wrong(
                f"It finds {sorted(found)} where {sorted(expected)} is right: {why}. The source:\n{source}"
            )
    return "Class bodies, decorators and defaults run; function bodies wait."


def _small_model() -> torch.nn.Module:
    """A model with `model.conv1`, `model.bn1` and a part whose own name is `module`."""
    from torch import nn

    inner = nn.Module()
    inner.conv1, inner.bn1 = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
    inner.inner = nn.ModuleDict({"module": nn.Linear(2, 2)})
    model = nn.Module()
    model.model = inner
    return model
