"""Auto classes: the right class for a checkpoint; registered classes; messages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nanoformers
import pytest
import torch
from nanoformers import AutoConfig, AutoModel, BertConfig, BertModel, PretrainedConfig, PreTrainedModel
from nanoformers.auto import modeling
from nanoformers.auto.registry import ARCHITECTURES

SHAPE = {
    "vocab_size": 30,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}
HEADS = {
    "AutoModel": "BertModel",
    "AutoModelForPreTraining": "BertForPreTraining",
    "AutoModelForCausalLM": "BertLMHeadModel",
    "AutoModelForMaskedLM": "BertForMaskedLM",
    "AutoModelForNextSentencePrediction": "BertForNextSentencePrediction",
    "AutoModelForSequenceClassification": "BertForSequenceClassification",
    "AutoModelForMultipleChoice": "BertForMultipleChoice",
    "AutoModelForTokenClassification": "BertForTokenClassification",
    "AutoModelForQuestionAnswering": "BertForQuestionAnswering",
}


class MyConfig(PretrainedConfig):
    model_type = "my_model"

    def __init__(self, width: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.width = width


class MyModel(PreTrainedModel):
    config_class = MyConfig

    def __init__(self, config: MyConfig):
        super().__init__(config)
        self.layer = torch.nn.Linear(config.width, config.width)
        self.post_init()

    def _init_weights(self, module):
        pass


@pytest.fixture
def _registry_restored() -> Iterator[None]:
    before = dict(ARCHITECTURES)
    yield
    ARCHITECTURES.clear()
    ARCHITECTURES.update(before)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    BertModel(BertConfig(**SHAPE)).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("auto", "expected"), HEADS.items())
class TestHeads:
    def test_from_config(self, auto, expected):
        model = getattr(nanoformers, auto).from_config(BertConfig(**SHAPE), torch_dtype=torch.float16)
        assert type(model).__name__ == expected
        assert model.dtype is torch.float16

    def test_from_pretrained(self, auto, expected, checkpoint):
        model, info = getattr(nanoformers, auto).from_pretrained(
            checkpoint, torch_dtype=torch.bfloat16, hidden_dropout_prob=0.3, output_loading_info=True
        )
        assert type(model).__name__ == expected
        assert model.dtype is torch.bfloat16
        assert model.config.hidden_dropout_prob == 0.3
        assert set(info) == {"missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"}


class TestAutoConfig:
    def test_reads_the_model_type(self, checkpoint):
        assert isinstance(AutoConfig.from_pretrained(checkpoint), BertConfig)
        assert AutoConfig.from_pretrained(checkpoint / "config.json", num_labels=7).num_labels == 7

    def test_for_model(self):
        assert AutoConfig.for_model("bert", hidden_size=8).hidden_size == 8

    def test_unknown_model_type(self, tmp_path):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "unheard-of"}))
        with pytest.raises(ValueError, match=r"'unheard-of'.*bert"):
            AutoConfig.from_pretrained(tmp_path)

    def test_no_model_type(self, tmp_path):
        for name, found in (("bert-of-old", True), ("nothing", False)):
            (tmp_path / name).mkdir()
            (tmp_path / name / "config.json").write_text("{}")
            if found:
                assert isinstance(AutoConfig.from_pretrained(tmp_path / name), BertConfig)
        with pytest.raises(ValueError, match=r"Should have a `model_type` key"):
            AutoConfig.from_pretrained(tmp_path / "nothing")

    def test_is_not_instantiated(self):
        with pytest.raises(OSError, match=r"AutoConfig\.from_pretrained"):
            AutoConfig()


def test_a_name_is_no_configuration():
    with pytest.raises(ValueError, match=r"a configuration, and not 'bert'.*AutoModel.from_pretrained"):
        AutoModel.from_config("bert")


class TestWithoutTheHead:
    def test_message(self, checkpoint):
        with pytest.raises(
            ValueError,
            match=r"Unrecognized configuration class <class '.*BertConfig'> for this kind of AutoModel: "
            r"AutoModelForCTC.\nModel type should be one of",
        ):
            nanoformers.AutoModelForCTC.from_pretrained(checkpoint)

    def test_lists_those_that_have_it(self):
        with pytest.raises(ValueError, match="Model type should be one of BertConfig"):
            nanoformers.AutoModelForQuestionAnswering.from_config(MyConfig())

    @pytest.mark.parametrize("name", modeling.__all__)
    def test_none_is_instantiated(self, name):
        with pytest.raises(OSError, match=rf"`{name}.from_config\(config\)`"):
            getattr(nanoformers, name)()


@pytest.mark.usefixtures("_registry_restored")
class TestRegister:
    def test_a_model_of_ones_own(self, tmp_path):
        AutoConfig.register("my_model", MyConfig)
        AutoModel.register(MyConfig, MyModel)
        AutoModel.from_config(MyConfig(width=3)).save_pretrained(tmp_path)
        model = AutoModel.from_pretrained(tmp_path)
        assert isinstance(model, MyModel)
        assert model.config.width == 3

    def test_names_must_agree_and_be_new(self):
        with pytest.raises(ValueError, match="config has my_model and you passed other"):
            AutoConfig.register("other", MyConfig)
        with pytest.raises(ValueError, match="'bert' is already used"):
            AutoConfig.register("bert", BertConfig)

    def test_classes_must_belong_together(self):
        with pytest.raises(ValueError, match="Fix one of those"):
            AutoModel.register(BertConfig, MyModel)

    def test_the_configuration_comes_first(self):
        with pytest.raises(ValueError, match=r"AutoConfig.register\('my_model', MyConfig\)"):
            AutoModel.register(MyConfig, MyModel)

    def test_twice_needs_exist_ok(self):
        AutoConfig.register("my_model", MyConfig)
        AutoModel.register(MyConfig, MyModel)
        with pytest.raises(ValueError, match="already used"):
            AutoModel.register(MyConfig, MyModel)
        AutoModel.register(MyConfig, MyModel, exist_ok=True)


def test_every_row_of_the_table_resolves():
    for architecture in ARCHITECTURES.values():
        for name in (architecture.config, *architecture.tokenizers, *architecture.models.values()):
            assert name is None or isinstance(architecture.resolve(name), type)


def test_importing_the_library_imports_no_torch():
    code = (
        "import sys, nanoformers, nanoformers.auto, nanoformers.models.bert\n"
        "print({'torch', 'tokenizers', 'huggingface_hub'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_documented_import_paths():
    from nanoformers import configuration_utils, models
    from nanoformers.modeling_outputs import SequenceClassifierOutput
    from nanoformers.modeling_utils import ModuleUtilsMixin, load_sharded_checkpoint
    from nanoformers.models import auto, bert
    from nanoformers.utils import ModelOutput, PushToHubMixin, logging

    assert configuration_utils.PretrainedConfig is PretrainedConfig
    assert models.auto.AutoModel is auto.AutoModel is AutoModel
    assert bert.BertModel is BertModel
    assert issubclass(SequenceClassifierOutput, ModelOutput)
    assert issubclass(PreTrainedModel, (ModuleUtilsMixin, PushToHubMixin))
    assert logging is nanoformers.logging
    assert callable(load_sharded_checkpoint)


class TestCommits:
    """All files of one `from_pretrained` are of one commit, unless the configuration comes from elsewhere."""

    NAME = "sentence-transformers/all-MiniLM-L6-v2"

    def test_all_files_of_one_commit(self, hub, run_python):
        before = len(hub.requests)
        run_python(f"from nanoformers import AutoModel; AutoModel.from_pretrained({self.NAME!r})")
        paths = [request.path for request in hub.requests[before:] if "/resolve/" in request.path]
        weights = [path for path in paths if path.endswith("model.safetensors")]
        assert weights
        assert all("/resolve/main/" not in path for path in weights)

    def test_a_configuration_from_elsewhere(self, run_python):
        code = f"""
from nanoformers import AutoConfig, AutoModel
config = AutoConfig.from_pretrained({self.NAME!r})
config.name_or_path, config._commit_hash = "someone/else", "0" * 40
print(AutoModel.from_pretrained({self.NAME!r}, config=config).config.name_or_path)
config.name_or_path = {self.NAME!r}
print(AutoModel.from_pretrained({self.NAME!r}, config=config, revision="main").config.name_or_path)
"""
        assert run_python(code).split() == [self.NAME] * 2
