"""The project holds together: versions agree, layers point down, the public surface is lazy and complete."""

import ast
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomllib
import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# From the bottom up; a package may import those of lower rank and those beside it.
LAYERS = [
    {"utils", "hub", "source_files", "dynamic_modules", "reproducibility", "_import_paths"},
    {"configuration", "onnx_configuration", "outputs", "nn"},
    {"modeling", "embeddings", "checkpoints", "loading", "placement", "heads", "generation", "tokenization"}
    | {"adapters"},
    {"models", "data", "optimization"},
    {"auto"},
    {"pipelines"},
    {"training"},
    {"cli"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def requirement_name(line: str) -> str:
    return re.split(r"[<>=!~\[; ]", line.strip(), maxsplit=1)[0].lower().replace("_", "-")


def pinned_versions() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.split("#")[0].split(";")[0].strip() for line in lines]
    return {requirement_name(pin): pin.partition("==")[2] for pin in pins if pin}


def direct_requirements(*extras: str) -> set[str]:
    lines = [*PROJECT["dependencies"]]
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return {requirement_name(line) for line in lines}


class TestVersions:
    def test_every_direct_requirement_is_pinned(self):
        missing = direct_requirements(*PROJECT["optional-dependencies"]) - set(pinned_versions())
        assert not missing, f"name a version in constraints.txt for: {', '.join(sorted(missing))}"

    def test_every_pin_is_exact(self):
        assert all(re.fullmatch(r"[0-9][\w.]*", version) for version in pinned_versions().values())

    def test_the_conda_environment_installs_the_same_set(self):
        environment = yaml.safe_load((ROOT / "environment.yml").read_text())
        (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
        pinned = [line.split("==") for line in pip if not line.startswith("-")]
        packages = {requirement_name(name): version for name, version in pinned}
        pins = pinned_versions()
        assert packages == {name: pins[name] for name in direct_requirements("course", "test")}

    def test_the_package_knows_its_version(self):
        import nanoformers

        assert nanoformers.__version__ == PROJECT["version"]


def _nodes_that_run(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if (
            isinstance(child, ast.If)
            and isinstance(child.test, ast.Name)
            and child.test.id == "TYPE_CHECKING"
        ):
            continue
        yield child
        yield from _nodes_that_run(child)


def imported_modules(path: Path) -> set[str]:
    """Absolute names of the modules that a file imports, relative imports resolved."""
    parts = path.relative_to(ROOT / "lib").with_suffix("").parts
    package = parts[:-1]
    names = set()
    for node in _nodes_that_run(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            names.add(module)
            if node.level and not node.module:
                names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


LIBRARY = sorted((ROOT / "lib" / "nanoformers").rglob("*.py"))


class TestLayers:
    def test_nothing_imports_the_reference_library(self):
        for path in (ROOT / "lib").rglob("*.py"):
            assert not any(name.split(".")[0] == "transformers" for name in imported_modules(path)), path

    def test_the_library_does_not_know_the_classroom(self):
        for path in LIBRARY:
            assert not any(name.split(".")[0] == "classroom" for name in imported_modules(path)), path

    def test_imports_point_down(self):
        for path in LIBRARY:
            here = path.relative_to(ROOT / "lib" / "nanoformers").with_suffix("").parts[0]
            for name in imported_modules(path):
                package, _, rest = name.partition(".")
                there = rest.split(".")[0]
                if package == "nanoformers" and there in RANK and here in RANK:
                    assert RANK[there] <= RANK[here], f"{path.name} in `{here}` imports `{there}` above it"

    def test_every_module_has_its_layer(self):
        modules = {p.relative_to(ROOT / "lib" / "nanoformers").with_suffix("").parts[0] for p in LIBRARY}
        assert modules - {"__init__"} <= set(RANK), "give the new module a rank in LAYERS"


class TestPublicSurface:
    def test_importing_the_package_loads_nothing_heavy(self):
        heavy = "{'torch', 'tokenizers', 'numpy', 'huggingface_hub'}"
        code = f"import sys, nanoformers; print(*sorted({heavy} & set(sys.modules)))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == ""

    def test_every_public_name_resolves(self):
        import nanoformers

        for name in nanoformers.__all__:
            assert getattr(nanoformers, name) is not None

    def test_every_documented_path_resolves(self):
        from nanoformers._import_paths import DOCUMENTED_PATHS

        for documented in DOCUMENTED_PATHS:
            assert importlib.import_module(f"nanoformers.{documented}")

    def test_an_unknown_name_is_an_attribute_error(self):
        import nanoformers

        with pytest.raises(AttributeError, match="NoSuchThing"):
            _ = nanoformers.NoSuchThing


class TestFiles:
    @pytest.mark.parametrize(
        "name", ["LICENSE", "CONTRIBUTING.md", "README.md", "environment.yml", ".ci/run"]
    )
    def test_is_there(self, name):
        assert (ROOT / name).stat().st_size > 50

    def test_continuous_integration_runs_the_readme_command(self):
        assert os.access(ROOT / ".ci" / "run", os.X_OK)
        assert "make test" in (ROOT / ".ci" / "run").read_text()
        assert "make test" in (ROOT / "README.md").read_text()

    def test_seeded_files_are_small(self):
        total = sum(path.stat().st_size for path in (ROOT / "data" / "hub").rglob("*") if path.is_file())
        assert total < 80e6, f"data/hub holds {total / 1e6:.0f} MB; it may hold 80"
