"""PretrainedConfig: attributes, files, changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanoformers import BertConfig, PretrainedConfig, logging


class Renamed(PretrainedConfig):
    model_type = "renamed"
    attribute_map: ClassVar[dict[str, str]] = {"hidden_size": "dim"}

    def __init__(self, dim: int = 8, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim


class Composed(PretrainedConfig):
    model_type = "composed"
    is_composition = True

    def __init__(self, text=None, **kwargs):
        super().__init__(**kwargs)
        self.text = BertConfig(**text) if isinstance(text, dict) else text or BertConfig()


@pytest.fixture
def said(capsys):
    logging.set_verbosity_warning()
    return lambda: capsys.readouterr().err


class TestAttributes:
    def test_unknown_ones_are_kept(self):
        assert BertConfig(anything=3).anything == 3

    def test_missing_ones_are_an_attribute_error(self):
        with pytest.raises(AttributeError, match="'BertConfig' object has no attribute 'nothing'"):
            BertConfig().nothing  # noqa: B018

    def test_attribute_map_works_both_ways(self):
        config = Renamed(dim=12)
        assert config.hidden_size == 12
        config.hidden_size = 16
        assert config.dim == 16
        assert "hidden_size" not in config.to_dict()
        assert Renamed(hidden_size=4).dim == 4 or Renamed(dim=4).hidden_size == 4

    def test_num_labels_names_the_labels(self):
        config = BertConfig(num_labels=3)
        assert config.id2label == {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
        config.num_labels = 1
        assert config.label2id == {"LABEL_0": 0}

    def test_id2label_has_integer_keys(self):
        config = BertConfig(id2label={"0": "NEGATIVE", "1": "POSITIVE"})
        assert config.id2label == {0: "NEGATIVE", 1: "POSITIVE"}
        assert config.label2id == {"NEGATIVE": 0, "POSITIVE": 1}

    def test_disagreeing_num_labels_warns(self, said):
        assert BertConfig(id2label={0: "a"}, num_labels=4).num_labels == 1
        assert "num_labels=4 does not agree" in said()

    def test_label2id_must_be_a_dictionary(self):
        with pytest.raises(ValueError, match="label2id should be a dictionary"):
            BertConfig(label2id=["a"])

    def test_problem_type_is_one_of_three(self):
        with pytest.raises(ValueError, match="multi_label_classification"):
            BertConfig(problem_type="guess")

    @pytest.mark.parametrize("spelling", ["torch_dtype", "dtype"])
    def test_both_spellings_of_the_data_type(self, spelling):
        import torch

        config = BertConfig(**{spelling: torch.float16})
        assert config.torch_dtype is config.dtype is torch.float16
        assert config.to_dict()["torch_dtype"] == "float16"
        assert BertConfig(**{spelling: "bfloat16"}).torch_dtype is torch.bfloat16

    def test_use_return_dict(self):
        assert BertConfig().use_return_dict
        assert not BertConfig(torchscript=True).use_return_dict

    def test_mutable_defaults_are_not_shared(self):
        BertConfig().pruned_heads[0] = [1]
        assert BertConfig().pruned_heads == {}


class TestFiles:
    def test_round_trip(self, tmp_path: Path):
        config = BertConfig(
            hidden_size=12, num_labels=4, pruned_heads={1: [0]}, torch_dtype="float16", extra=[1, None]
        )
        config.save_pretrained(tmp_path / "new" / "folder")
        again = BertConfig.from_pretrained(tmp_path / "new" / "folder")
        assert again == config
        assert again.pruned_heads == {1: [0]}
        assert again.name_or_path == str(tmp_path / "new" / "folder")

    @given(
        st.dictionaries(
            st.from_regex(r"x_[a-z]{1,8}", fullmatch=True),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
                lambda inner: (
                    st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
                ),
                max_leaves=5,
            ),
            max_size=4,
        )
    )
    def test_json_round_trip_of_any_attributes(self, attributes):
        config = BertConfig(**attributes)
        for use_diff in (True, False):
            assert BertConfig(**json.loads(config.to_json_string(use_diff=use_diff))) == config

    def test_the_file_has_what_a_reader_cannot_know(self, tmp_path: Path):
        BertConfig(num_labels=3).save_pretrained(tmp_path)
        text = (tmp_path / "config.json").read_text()
        values = json.loads(text)
        assert values["model_type"] == "bert"
        assert values["hidden_size"] == 768
        assert values["id2label"] == {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}
        assert "num_beams" not in values
        assert str(tmp_path) not in text
        assert list(values) == sorted(values)

    def test_path_of_the_file_itself(self, tmp_path: Path):
        BertConfig(hidden_size=12).save_pretrained(tmp_path)
        assert BertConfig.from_pretrained(tmp_path / "config.json").hidden_size == 12

    def test_overrides_and_unused_keywords(self, tmp_path: Path):
        BertConfig().save_pretrained(tmp_path)
        config, unused = BertConfig.from_pretrained(
            tmp_path, hidden_size=6, num_labels=5, foo=False, return_unused_kwargs=True
        )
        assert (config.hidden_size, config.num_labels, unused) == (6, 5, {"foo": False})

    def test_another_model_type_warns(self, tmp_path: Path, said):
        BertConfig().save_pretrained(tmp_path)
        Renamed.from_pretrained(tmp_path)
        assert "a model of type bert to instantiate a model of type renamed" in said()

    def test_not_json(self, tmp_path: Path):
        (tmp_path / "config.json").write_text("{")
        with pytest.raises(OSError, match="is not a valid JSON file"):
            BertConfig.from_pretrained(tmp_path)

    def test_a_file_of_weights(self, tmp_path: Path):
        (tmp_path / "model.safetensors").write_bytes(b"")
        with pytest.raises(OSError, match="is a file of weights: pass the folder that it is in"):
            PretrainedConfig.from_pretrained(tmp_path / "model.safetensors")

    def test_an_empty_path_is_not_the_working_folder(self, tmp_path: Path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ValueError, match="The path of the folder to save in is empty"):
            PretrainedConfig().save_pretrained("")
        assert not any(tmp_path.iterdir())

    def test_a_file_where_the_folder_should_be(self, tmp_path: Path):
        (tmp_path / "taken").write_text("")
        with pytest.raises(NotADirectoryError, match="is a file"):
            BertConfig().save_pretrained(tmp_path / "taken")

    def test_a_failed_write_leaves_the_old_file(self, tmp_path: Path):
        BertConfig(hidden_size=12).save_pretrained(tmp_path)
        with pytest.raises(TypeError):
            BertConfig(extra=object()).save_pretrained(tmp_path)
        assert BertConfig.from_pretrained(tmp_path).hidden_size == 12
        assert [entry.name for entry in tmp_path.iterdir()] == ["config.json"]

    def test_composition(self, tmp_path: Path):
        Composed(text={"hidden_size": 6}).save_pretrained(tmp_path)
        again = Composed.from_pretrained(tmp_path)
        assert isinstance(again.text, BertConfig)
        assert again.text.hidden_size == 6
        assert "num_beams" not in json.loads((tmp_path / "config.json").read_text())["text"]


class TestUpdateFromString:
    def test_keeps_types(self):
        config = BertConfig()
        config.update_from_string("hidden_size=10,hidden_dropout_prob=0.2,use_cache=false,hidden_act=relu")
        values = (config.hidden_size, config.hidden_dropout_prob, config.use_cache, config.hidden_act)
        assert values == (10, 0.2, False, "relu")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("nothing=1", "isn't in the original config dict"),
            ("use_cache=perhaps", "can't derive true or false from perhaps"),
            ("id2label=3", "only update int, float, bool or string"),
            ("hidden_size", "not of the form name=value"),
            ("hidden_size=wide", "invalid literal"),
        ],
    )
    def test_refuses(self, text, message):
        with pytest.raises(ValueError, match=message):
            BertConfig().update_from_string(text)


def test_register_for_auto_class():
    class Mine(BertConfig):
        pass

    Mine.register_for_auto_class()
    assert Mine._auto_class == "AutoConfig"
    assert BertConfig._auto_class is None
    with pytest.raises(ValueError, match="AutoConfig"):
        Mine.register_for_auto_class("AutoModel")


def test_configurations_need_no_torch():
    code = """
import sys
from nanoformers import BertConfig
BertConfig(torch_dtype="float16")
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
