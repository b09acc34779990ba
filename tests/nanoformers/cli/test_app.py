"""The command `nanoformers-cli`: help, `env` and `download`."""

from __future__ import annotations

import importlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import nanoformers
import pytest
import tomllib
from nanoformers.cli.app import app
from typer.testing import CliRunner

ROOT = Path(__file__).parents[3]
FILL_MASK = "toyland/fill-mask-bert"


@pytest.fixture
def invoke():
    """Run the command in this process: `invoke("env")`."""
    return lambda *arguments: CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "TERM": "dumb"})


@pytest.fixture
def command(hub_environment, tmp_path):
    """Run the command in a process of its own, with the hub: `command("download", "owner/name")`."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "nanoformers.cli", *arguments],
            env=hub_environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


class TestCommand:
    def test_the_script_is_declared(self):
        scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
        module, _, name = scripts["nanoformers-cli"].partition(":")
        assert getattr(importlib.import_module(module), name) is app

    def test_without_arguments_it_helps(self, invoke):
        output = invoke().output
        assert all(name in output for name in ("env", "download", "serve"))

    @pytest.mark.parametrize("name", ["env", "download", "serve"])
    def test_every_command_has_an_example(self, invoke, name):
        done = invoke(name, "--help")
        assert done.exit_code == 0
        assert f"Example: nanoformers-cli {name}" in " ".join(done.output.split())

    def test_version(self, invoke):
        assert invoke("--version").output.strip() == nanoformers.__version__

    def test_help_loads_no_model_code(self):
        code = (
            "import sys; from typer.testing import CliRunner; from nanoformers.cli.app import app;"
            "assert CliRunner().invoke(app, ['serve', '--help']).exit_code == 0;"
            "print({'torch', 'tokenizers', 'starlette', 'uvicorn'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "set()"

    def test_the_library_does_not_load_the_command_line(self):
        code = (
            "import sys, nanoformers; nanoformers.pipeline; nanoformers.AutoModel;"
            "print({'typer', 'starlette', 'uvicorn'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "set()"


class TestEnv:
    def test_versions(self, invoke):
        lines = invoke("env").output.splitlines()
        assert f"- `nanoformers` version: {nanoformers.__version__}" in lines
        assert f"- Python version: {sys.version.split()[0]}" in lines
        for name in ("huggingface_hub", "safetensors", "tokenizers", "accelerate"):
            assert f"- {name.capitalize()} version: {importlib.metadata.version(name)}" in lines
        assert any(line.startswith("- PyTorch version (accelerator?): ") for line in lines)

    def test_settings_of_accelerate(self, invoke, tmp_path):
        settings = tmp_path / "settings.yaml"
        settings.write_text(
            "compute_environment: LOCAL_MACHINE\ndistributed_type: 'NO'\n"
            "mixed_precision: 'no'\nuse_cpu: true\n"
        )
        done = invoke("env", "--accelerate-config_file", str(settings))
        assert "\n\t- use_cpu: True\n" in done.output

    def test_settings_that_are_not_there(self, invoke):
        done = invoke("env", "--accelerate-config-file", "nowhere.yaml")
        assert done.exit_code == 1
        assert "nowhere.yaml" in done.output


class TestDownload:
    def test_what_it_fetches_loads_without_a_network(self, command, tmp_path, run_python):
        done = command("download", FILL_MASK, "--cache-dir", "models")
        assert done.returncode == 0, done.stderr
        *files, total = done.stdout.splitlines()
        names = {line.split()[-1] for line in files}
        assert {"config.json", "model.safetensors", "tokenizer_config.json"} <= names
        folder = Path(total.split(" in ")[1])
        assert folder.is_relative_to(tmp_path / "models") or not folder.is_absolute()
        code = (
            "from nanoformers import pipeline, AutoTokenizer, AutoModelForMaskedLM as Model\n"
            f"here = {{'cache_dir': 'models', 'local_files_only': True}}\n"
            f"print(type(Model.from_pretrained({FILL_MASK!r}, **here)).__name__,"
            f"AutoTokenizer.from_pretrained({FILL_MASK!r}, **here).mask_token)"
        )
        assert run_python(code, HF_ENDPOINT="http://127.0.0.1:9").split() == ["BertForMaskedLM", "[MASK]"]

    def test_what_is_in_the_cache_is_fetched_again_by_force_only(self, command, tmp_path):
        command("download", FILL_MASK, "--cache-dir", "models")
        (weights,) = tmp_path.glob("models/*/snapshots/*/model.safetensors")
        size = weights.stat().st_size
        weights.resolve().write_bytes(b"damaged")
        assert command("download", FILL_MASK, "--cache-dir", "models").returncode == 0
        assert weights.stat().st_size == 7
        assert command("download", FILL_MASK, "--cache-dir", "models", "--force").returncode == 0
        assert weights.stat().st_size == size

    def test_code_comes_only_when_it_is_trusted(self, command, run_python, tmp_path):
        run_python(
            "from huggingface_hub import HfApi; api = HfApi(); api.create_repo('coded')\n"
            "for name in ('config.json', 'modeling.py', 'notes.md', 'pytorch_model.bin', 'tf_model.h5'):\n"
            "    api.upload_file(path_or_fileobj=b'{}', path_in_repo=name, repo_id='learner/coded')"
        )
        plain = command("download", "learner/coded").stdout
        trusted = command("download", "learner/coded", "--trust-remote-code").stdout
        named = [{line.split()[-1] for line in out.splitlines()[:-1]} for out in (plain, trusted)]
        assert named[0] == {"config.json", "pytorch_model.bin"}
        assert named[1] == named[0] | {"modeling.py"}

    def test_a_revision(self, command):
        done = command("download", FILL_MASK, "--revision", "no-such-branch")
        assert done.returncode == 1
        assert "no-such-branch is not a branch, tag or commit" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_name_that_is_nowhere(self, command):
        done = command("download", "toyland/nothing")
        assert done.returncode == 1
        assert "toyland/nothing is neither a local folder nor a repository" in done.stderr

    def test_a_local_folder(self, invoke, tmp_path):
        done = invoke("download", str(tmp_path))
        assert done.exit_code == 1
        assert "nothing to download" in done.output
