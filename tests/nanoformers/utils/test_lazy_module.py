"""`_LazyModule`, on a package written for the test."""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from nanoformers.utils import _LazyModule

INIT = """
import sys
from nanoformers.utils import _LazyModule

structure = {"shapes": ["Circle", "area"], "broken": ["Nothing"]}
sys.modules[__name__] = _LazyModule(
    __name__, __file__, structure, module_spec=__spec__, extra_objects={"__version__": "1.2"}
)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    folder = tmp_path / "drawing"
    folder.mkdir()
    (folder / "__init__.py").write_text(INIT)
    (folder / "shapes.py").write_text("class Circle: pass\n\ndef area(): return 3\n")
    (folder / "broken.py").write_text("raise OSError('no paper')\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("drawing")
    for name in [name for name in sys.modules if name.partition(".")[0] == "drawing"]:
        del sys.modules[name]


def test_nothing_is_imported_before_it_is_asked_for(package):
    assert isinstance(package, _LazyModule)
    assert "drawing.shapes" not in sys.modules
    assert package.area() == 3
    assert "drawing.shapes" in sys.modules


def test_names_and_submodules(package):
    from drawing import Circle, shapes  # type: ignore[import-not-found]

    assert Circle is shapes.Circle
    assert package.__version__ == "1.2"
    assert importlib.import_module("drawing.shapes") is shapes


def test_dir_lists_what_there_will_be(package):
    assert {"shapes", "Circle", "area", "broken", "Nothing", "__version__"} <= set(dir(package))
    assert set(package.__all__) == {"shapes", "Circle", "area", "broken", "Nothing"}


def test_an_unknown_name(package):
    with pytest.raises(AttributeError, match="module drawing has no attribute Square"):
        _ = package.Square


def test_a_part_that_fails(package):
    with pytest.raises(
        RuntimeError, match=r"Failed to import drawing.broken because(.|\n)*no paper"
    ) as caught:
        _ = package.Nothing
    assert isinstance(caught.value.__cause__, OSError)


def test_it_can_be_pickled(package):
    again = pickle.loads(pickle.dumps(package))
    assert isinstance(again, _LazyModule)
    assert again.area() == 3
