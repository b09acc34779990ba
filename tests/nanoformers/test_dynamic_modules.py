"""Code that comes with a checkpoint: local folders, a running hub with revisions, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub import HfApi
from nanoformers import AutoConfig, AutoModel, AutoTokenizer, BertConfig, BertModel, logging
from nanoformers.dynamic_modules import (
    check_imports,
    custom_object_save,
    get_cached_module_file,
    get_class_from_dynamic_module,
    get_imports,
    modules_cache,
    resolve_trust_remote_code,
)
from nanoformers.source_files import relative_imports

CONFIGURATION = """
try:
    from nanoformers import PretrainedConfig
except ImportError:
    from transformers import PretrainedConfig


class ShelfConfig(PretrainedConfig):
    model_type = "shelf"

    def __init__(self, width=4, **kwargs):
        self.width = width
        super().__init__(**kwargs)
"""
MODELING = """
from torch import nn

try:
    from nanoformers import PreTrainedModel
except ImportError:
    from transformers import PreTrainedModel

from .configuration_shelf import ShelfConfig
from .scaling import FACTOR


class ShelfModel(PreTrainedModel):
    config_class = ShelfConfig

    def __init__(self, config):
        super().__init__(config)
        self.layer = nn.Linear(config.width, config.width)
        self.post_init()

    def _init_weights(self, module):
        pass

    def forward(self, x):
        return FACTOR * self.layer(x)
"""
TOKENIZATION = """
from nanoformers import BertTokenizer, BertTokenizerFast


class ShelfTokenizer(BertTokenizer):
    pass


class ShelfTokenizerFast(BertTokenizerFast):
    slow_tokenizer_class = ShelfTokenizer
"""
FILES = {
    "configuration_shelf.py": CONFIGURATION,
    "modeling_shelf.py": MODELING,
    "scaling.py": "FACTOR = 2\n",
}
AUTO_MAP = {"AutoConfig": "configuration_shelf.ShelfConfig", "AutoModel": "modeling_shelf.ShelfModel"}


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    return tmp_path / "modules"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A package of the reader's own, importable, with a configuration and a model."""
    folder = tmp_path / "src" / f"shelf_{tmp_path.name}"
    folder.mkdir(parents=True)
    for name, text in {**FILES, "tokenization_shelf.py": TOKENIZATION, "__init__.py": ""}.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    return lambda module: __import__(f"{folder.name}.{module}", fromlist=["*"])


@pytest.fixture
def checkpoint(tmp_path: Path, package) -> Path:
    """What `save_pretrained` writes after `register_for_auto_class`."""
    config_class = package("configuration_shelf").ShelfConfig
    model_class = package("modeling_shelf").ShelfModel
    config_class.register_for_auto_class()
    model_class.register_for_auto_class("AutoModel")
    model_class(config_class(width=3)).save_pretrained(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


class TestSaving:
    def test_files_and_auto_map(self, checkpoint):
        present = {entry.name for entry in checkpoint.iterdir()}
        assert present == {"config.json", "model.safetensors", *FILES}
        assert json.loads((checkpoint / "config.json").read_text())["auto_map"] == AUTO_MAP
        assert (checkpoint / "modeling_shelf.py").read_text() == MODELING

    def test_a_configuration_alone(self, tmp_path, package):
        config = package("configuration_shelf").ShelfConfig()
        type(config).register_for_auto_class()
        config.save_pretrained(tmp_path / "alone")
        assert {entry.name for entry in (tmp_path / "alone").iterdir()} == {
            "config.json",
            "configuration_shelf.py",
        }
        assert not hasattr(config, "auto_map")

    def test_without_registering_nothing_is_copied(self, tmp_path, package):
        package("modeling_shelf").ShelfModel(package("configuration_shelf").ShelfConfig()).save_pretrained(
            tmp_path / "plain"
        )
        assert not list((tmp_path / "plain").glob("*.py"))

    def test_a_class_of_a_notebook(self, tmp_path):
        program = (
            "from nanoformers import BertConfig\n"
            "class Mine(BertConfig): model_type = 'mine'\n"
            f"Mine.register_for_auto_class(); Mine().save_pretrained({str(tmp_path / 'mine')!r})\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert "as it's been defined in __main__" in done.stderr
        assert "auto_map" not in (tmp_path / "mine" / "config.json").read_text()

    def test_the_files_are_named(self, checkpoint, tmp_path):
        model = AutoModel.from_pretrained(checkpoint, trust_remote_code=True)
        values: dict = {}
        written = custom_object_save(model, tmp_path, values)
        assert {path.name for path in written} == set(FILES)
        assert values == {"auto_map": {"AutoModel": "modeling_shelf.ShelfModel"}}


class TestLoading:
    def test_trusted(self, checkpoint):
        model = AutoModel.from_pretrained(checkpoint, trust_remote_code=True)
        assert type(model).__name__ == "ShelfModel"
        assert type(model.config) is type(model).config_class
        assert model.config.width == 3
        x = torch.ones(1, 3)
        assert torch.equal(model(x), 2 * model.layer(x))

    def test_saved_again_it_keeps_its_code(self, checkpoint, tmp_path):
        AutoModel.from_pretrained(checkpoint, trust_remote_code=True).save_pretrained(tmp_path / "again")
        assert {entry.name for entry in tmp_path.joinpath("again").iterdir()} == {
            entry.name for entry in checkpoint.iterdir()
        }
        assert AutoConfig.from_pretrained(tmp_path / "again", trust_remote_code=True).width == 3

    def test_from_config(self, checkpoint):
        config = AutoConfig.from_pretrained(checkpoint, trust_remote_code=True, width=5)
        assert AutoModel.from_config(config, trust_remote_code=True).layer.weight.shape == (5, 5)
        with pytest.raises(ValueError, match="trust_remote_code=True"):
            AutoModel.from_config(config)

    @pytest.mark.parametrize("trust", [None, False])
    @pytest.mark.parametrize("auto_class", [AutoConfig, AutoModel])
    def test_not_trusted(self, checkpoint, modules, auto_class, trust):
        (checkpoint / "configuration_shelf.py").write_text("raise SystemExit('it ran')")
        with pytest.raises(ValueError, match=r"(?s)contains custom code.*inspect.*trust_remote_code=True"):
            auto_class.from_pretrained(checkpoint, trust_remote_code=trust)
        assert not modules.exists()

    def test_code_of_ours_comes_first_unless_trusted(self, tmp_path, package):
        """A checkpoint of a known architecture may bring its own version along."""
        BertModel(BertConfig(hidden_size=4, num_attention_heads=2, intermediate_size=4)).save_pretrained(
            tmp_path
        )
        values = json.loads((tmp_path / "config.json").read_text())
        values["auto_map"] = {"AutoModel": "modeling_own.OwnBert"}
        (tmp_path / "config.json").write_text(json.dumps(values))
        (tmp_path / "modeling_own.py").write_text(
            "from nanoformers import BertModel\nclass OwnBert(BertModel):\n    pass\n"
        )
        assert type(AutoModel.from_pretrained(tmp_path)) is BertModel
        assert type(AutoModel.from_pretrained(tmp_path, trust_remote_code=True)).__name__ == "OwnBert"

    def test_code_that_changes_is_read_again(self, checkpoint):
        first = AutoModel.from_pretrained(checkpoint, trust_remote_code=True)
        (checkpoint / "scaling.py").write_text("FACTOR = 5\n")
        second = AutoModel.from_pretrained(checkpoint, trust_remote_code=True)
        x = torch.ones(1, 3)
        assert torch.equal(first(x), 2 * first.layer(x))
        assert torch.equal(second(x), 5 * first.layer(x))

    def test_nothing_half_written(self, checkpoint, modules):
        AutoModel.from_pretrained(checkpoint, trust_remote_code=True)
        assert not list(modules.rglob("*.part"))
        assert {path.name for path in modules.rglob("*.py")} == set(FILES)

    def test_missing_packages_are_named(self, checkpoint):
        (checkpoint / "scaling.py").write_text("import no_such_package_a, os\nfrom no_such_b.c import d\n")
        with pytest.raises(
            ImportError, match=r"no_such_b, no_such_package_a. Run `pip install no_such_b no_such"
        ):
            AutoModel.from_pretrained(checkpoint, trust_remote_code=True)

    def test_a_missing_file(self, checkpoint):
        (checkpoint / "scaling.py").unlink()
        with pytest.raises(OSError, match=r"scaling\.py"):
            AutoModel.from_pretrained(checkpoint, trust_remote_code=True)

    def test_a_missing_class(self, checkpoint):
        with pytest.raises(ValueError, match="has no class Other"):
            get_class_from_dynamic_module("scaling.Other", checkpoint)

    @pytest.mark.parametrize("reference", ["Shelf", "../scaling.Shelf", "a/b.C", "m.not-a-class", ".x.Y"])
    def test_references_that_are_none(self, checkpoint, reference):
        with pytest.raises(ValueError, match="is no reference to a class"):
            get_class_from_dynamic_module(reference, checkpoint)

    def test_imports_stay_inside(self, checkpoint):
        (checkpoint / "scaling.py").write_text("from ..secrets import KEY\n")
        with pytest.raises(OSError, match=r"imports \.\.secrets, which is outside"):
            AutoModel.from_pretrained(checkpoint, trust_remote_code=True)

    def test_code_written_for_another_library(self, checkpoint):
        (checkpoint / "configuration_shelf.py").write_text("class ShelfConfig:\n    pass\n")
        with pytest.raises(ValueError, match=r"not derived from nanoformers\.PretrainedConfig"):
            AutoConfig.from_pretrained(checkpoint, trust_remote_code=True)

    def test_the_path_of_a_copy(self, checkpoint, modules):
        file = get_cached_module_file(checkpoint, "modeling_shelf.py")
        assert (modules / file).read_text() == MODELING
        assert modules_cache() == str(modules)


class TestTokenizers:
    @pytest.fixture
    def folder(self, tmp_path, package) -> Path:
        (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n")
        fast = package("tokenization_shelf").ShelfTokenizerFast
        fast.register_for_auto_class()
        fast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "tokenizer")
        return tmp_path / "tokenizer"

    def test_saved(self, folder):
        values = json.loads((folder / "tokenizer_config.json").read_text())
        names = ["tokenization_shelf.ShelfTokenizer", "tokenization_shelf.ShelfTokenizerFast"]
        assert values["auto_map"] == {"AutoTokenizer": names}
        assert (folder / "tokenization_shelf.py").read_text() == TOKENIZATION

    @pytest.mark.parametrize(("use_fast", "name"), [(True, "ShelfTokenizerFast"), (False, "ShelfTokenizer")])
    def test_trusted(self, folder, use_fast, name):
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=use_fast, trust_remote_code=True)
        assert type(tokenizer).__name__ == name
        assert tokenizer("a b").input_ids == [2, 5, 6, 3]

    def test_not_trusted(self, folder):
        with pytest.raises(ValueError, match="trust_remote_code=True"):
            AutoTokenizer.from_pretrained(folder)

    def test_named_by_the_configuration(self, folder):
        values = json.loads((folder / "tokenizer_config.json").read_text())
        del values["auto_map"], values["tokenizer_class"]
        (folder / "tokenizer_config.json").write_text(json.dumps(values))
        auto_map = {"AutoTokenizer": ["tokenization_shelf.ShelfTokenizer", None]}
        (folder / "config.json").write_text(json.dumps({"model_type": "shelf", "auto_map": auto_map}))
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
        assert type(tokenizer).__name__ == "ShelfTokenizer"


class TestImports:
    def test_what_a_module_needs(self, tmp_path):
        text = """
            import os, numpy as np
            from torch import nn
            from .near import x
            if True:
                import safetensors.torch
            try:
                import flash_attn
            except ImportError:
                flash_attn = None
            if is_flash_attn_2_available():
                import flash_attn_2
            def later():
                import tokenizers
        """
        (tmp_path / "m.py").write_text(textwrap.dedent(text))
        assert get_imports(tmp_path / "m.py") == ["numpy", "safetensors", "tokenizers", "torch"]
        check_imports(tmp_path / "m.py")
        assert relative_imports(tmp_path / "m.py", "m.py") == ["near.py"]
        assert relative_imports(tmp_path / "m.py", "sub/m.py") == ["sub/near.py"]

    def test_what_is_not_python(self, tmp_path):
        (tmp_path / "m.py").write_text("def (")
        with pytest.raises(OSError, match="is no module of Python"):
            get_imports(tmp_path / "m.py")


class TestTrust:
    @pytest.mark.parametrize(
        ("said", "local", "remote", "run"),
        [
            (True, False, True, True),
            (True, True, True, True),
            (True, True, False, False),
            (None, True, True, False),
            (False, True, True, False),
            (None, False, False, False),
        ],
    )
    def test_decisions(self, said, local, remote, run):
        assert resolve_trust_remote_code(said, "name", local, remote) is run

    def test_the_message_says_where_to_look(self, tmp_path):
        with pytest.raises(ValueError, match=str(tmp_path)):
            resolve_trust_remote_code(None, str(tmp_path), False, True)
        with pytest.raises(ValueError, match=r"https?://[^ ]*/owner/name"):
            resolve_trust_remote_code(False, "owner/name", False, True)

    @pytest.mark.parametrize(("answer", "runs"), [("y\n", True), ("no\n", False), ("", False)])
    def test_a_terminal_is_asked(self, checkpoint, answer, runs):
        program = (
            "import pty, os, sys\n"
            "import nanoformers.dynamic_modules as d\n"
            "d.SECONDS_TO_ANSWER = 1\n"
            "main, terminal = pty.openpty(); os.dup2(terminal, 0)\n"
            f"os.write(main, {answer.encode()!r})\n"
            "from nanoformers import AutoConfig\n"
            f"print(AutoConfig.from_pretrained({str(checkpoint)!r}).width)\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        assert "Do you wish to run the custom code? [y/N]" in done.stdout
        assert (done.returncode == 0) is runs
        assert ("trust_remote_code=True" in done.stderr) is not runs


class TestHub:
    @pytest.fixture
    def api(self, hub) -> HfApi:
        return HfApi(endpoint=hub.endpoint, token="hf_learner_write")

    @pytest.fixture
    def run(self, hub_environment, tmp_path) -> Callable[[str], tuple[str, str]]:
        def run(code: str) -> tuple[str, str]:
            environment = {**hub_environment, "HF_MODULES_CACHE": str(tmp_path / "hub modules")}
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=100
            )
            assert done.returncode == 0, done.stderr
            return done.stdout, done.stderr

        return run

    def test_revisions_do_not_mix(self, api, run, checkpoint, tmp_path):
        name = "learner/shelf-1.0"
        api.create_repo(name)
        first = api.upload_folder(repo_id=name, folder_path=checkpoint).oid
        (checkpoint / "scaling.py").write_text("FACTOR = 5\n")
        api.upload_folder(repo_id=name, folder_path=checkpoint)
        out, err = run(f"""
import torch
from nanoformers import AutoModel
new = AutoModel.from_pretrained({name!r}, trust_remote_code=True)
old = AutoModel.from_pretrained({name!r}, trust_remote_code=True, revision={first!r})
x = torch.ones(1, 3)
print(torch.equal(new(x), 5 * new.layer(x)), torch.equal(old(x), 2 * new.layer(x)))
print(type(old).__module__)
new.save_pretrained({str(tmp_path / "mine")!r})
try:
    AutoModel.from_pretrained({name!r})
except ValueError as error:
    print(error)
""")
        assert out.startswith("True True\n")
        assert f"nanoformers_modules.learner.shelf_2d_1_2e_0.{'_' * first[0].isdigit()}{first}" in out
        assert f"/{name}" in out
        assert "A new version of the following files was downloaded from learner/shelf-1.0" in err
        assert "- scaling.py" in err
        assert err.count("A new version") == 2  # for configuration and model; none for the pinned revision
        saved = json.loads((tmp_path / "mine" / "config.json").read_text())
        assert saved["auto_map"] == AUTO_MAP
        assert (tmp_path / "mine" / "scaling.py").read_text() == "FACTOR = 5\n"

    def test_code_of_another_repository(self, api, run, checkpoint):
        code, weights = "learner/shelf-code", "learner/shelf-weights"
        api.create_repo(code)
        api.create_repo(weights)
        old = api.upload_folder(repo_id=code, folder_path=checkpoint, allow_patterns="*.py").oid
        values = json.loads((checkpoint / "config.json").read_text())
        values["auto_map"] = {key: f"{code}--{reference}" for key, reference in AUTO_MAP.items()}
        (checkpoint / "config.json").write_text(json.dumps(values))
        (checkpoint / "scaling.py").write_text("FACTOR = 7\n")
        api.upload_folder(repo_id=code, folder_path=checkpoint, allow_patterns="*.py")
        api.upload_folder(repo_id=weights, folder_path=checkpoint, ignore_patterns="*.py")
        out, _ = run(f"""
import torch
from nanoformers import AutoConfig, AutoModel
x = torch.ones(1, 3)
for arguments in ({{}}, {{"code_revision": {old!r}}}):
    for where in ({weights!r}, {str(checkpoint)!r}):
        model = AutoModel.from_pretrained(where, trust_remote_code=True, **arguments)
        print((model(x) / model.layer(x)).round().unique().tolist())
print(AutoConfig.from_pretrained({weights!r}, trust_remote_code=True).auto_map["AutoModel"])
""")
        assert out.splitlines() == ["[7.0]", "[7.0]", "[2.0]", "[2.0]", f"{code}--modeling_shelf.ShelfModel"]

    def test_offline_after_a_first_time(self, api, run, checkpoint):
        name = "learner/shelf-offline"
        api.create_repo(name)
        api.upload_folder(repo_id=name, folder_path=checkpoint)
        program = f"""
from nanoformers import AutoModel
print(type(AutoModel.from_pretrained({name!r}, trust_remote_code=True)).__name__)
"""
        assert run(program)[0] == "ShelfModel\n"
        out, err = run(f"import os; os.environ['HF_HUB_OFFLINE'] = '1'{program}")
        assert out == "ShelfModel\n"
        assert "A new version" not in err

    def test_push_to_hub_takes_the_code_along(self, api, run, package, checkpoint, tmp_path):
        out, _ = run(f"""
from nanoformers import AutoModel
model = AutoModel.from_pretrained({str(checkpoint)!r}, trust_remote_code=True)
model.push_to_hub("shelf-pushed")
print(type(AutoModel.from_pretrained("learner/shelf-pushed", trust_remote_code=True)).__name__)
""")
        assert out == "ShelfModel\n"
        assert set(FILES) < set(api.list_repo_files("learner/shelf-pushed"))


def test_the_documented_path():
    import nanoformers.dynamic_module_utils as documented

    assert documented.get_class_from_dynamic_module is get_class_from_dynamic_module
    assert os.environ["HF_MODULES_CACHE"] == documented.HF_MODULES_CACHE
    logging.set_verbosity_warning()
