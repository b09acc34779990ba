"""Saving and loading, and the files of older and newer libraries."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from nanoformers import AddedToken, AutoTokenizer, BertTokenizer, BertTokenizerFast, PreTrainedTokenizerFast

TEXT = "Hello, <new> world [MASK] <Sp>!"


def state(tokenizer):
    """Return what has to survive saving and loading."""
    return {
        "ids": tokenizer(TEXT)["input_ids"],
        "special": tokenizer.special_tokens_map,
        "added": tokenizer.get_added_vocab(),
        "maximum": tokenizer.model_max_length,
        "sides": (tokenizer.padding_side, tokenizer.truncation_side),
        "template": tokenizer.chat_template,
        "clean": tokenizer.clean_up_tokenization_spaces,
    }


@pytest.fixture
def changed(tokenizer):
    tokenizer.add_tokens(["<new>"])
    tokenizer.add_special_tokens({"additional_special_tokens": [AddedToken("<Sp>", lstrip=True)]})
    tokenizer.padding_side = tokenizer.truncation_side = "left"
    tokenizer.model_max_length = 77
    tokenizer.clean_up_tokenization_spaces = False
    tokenizer.chat_template = "{{ messages }}"
    return tokenizer


class TestRoundTrip:
    def test_everything_comes_back(self, changed, tmp_path):
        changed.save_pretrained(tmp_path)
        assert state(type(changed).from_pretrained(tmp_path)) == state(changed)

    def test_twice_writes_the_same_bytes(self, changed, tmp_path):
        changed.save_pretrained(tmp_path / "1")
        type(changed).from_pretrained(tmp_path / "1").save_pretrained(tmp_path / "2")
        for file in (tmp_path / "1").iterdir():
            assert file.read_bytes() == (tmp_path / "2" / file.name).read_bytes()

    def test_slow_and_fast_read_each_other(self, changed, tmp_path):
        changed.save_pretrained(tmp_path)
        other = BertTokenizer if changed.is_fast else BertTokenizerFast
        assert state(other.from_pretrained(tmp_path)) == state(changed)

    def test_names_of_the_files(self, fast, slow, tmp_path):
        common = {"tokenizer_config.json", "special_tokens_map.json", "vocab.txt"}
        names = {os.path.basename(file) for file in slow.save_pretrained(tmp_path / "slow")}  # noqa: PTH119
        assert names == common == {file.name for file in (tmp_path / "slow").iterdir()}
        fast.save_pretrained(tmp_path / "fast")
        assert {file.name for file in (tmp_path / "fast").iterdir()} == common | {"tokenizer.json"}
        config = json.loads((tmp_path / "fast/tokenizer_config.json").read_text())
        assert config["tokenizer_class"] == "BertTokenizer"

    def test_legacy_format(self, fast, slow, tmp_path):
        fast.save_pretrained(tmp_path / "new", legacy_format=False)
        assert not (tmp_path / "new/vocab.txt").exists()
        fast.save_pretrained(tmp_path / "old", legacy_format=True)
        assert not (tmp_path / "old/tokenizer.json").exists()
        with pytest.raises(ValueError, match="legacy_format=None"):
            slow.save_pretrained(tmp_path, legacy_format=False)

    def test_prefix(self, fast, tmp_path):
        fast.save_pretrained(tmp_path, filename_prefix="mine")
        assert {file.name.partition("-")[0] for file in tmp_path.iterdir()} == {"mine"}

    def test_into_a_file(self, tokenizer, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(NotADirectoryError, match="needs the path of a folder"):
            tokenizer.save_pretrained(tmp_path / "file")

    def test_padding_of_a_call_is_not_saved(self, fast, tmp_path):
        fast(["a", "b c"], padding=True, truncation=True)
        fast.save_pretrained(tmp_path)
        saved = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
        assert (saved["padding"], saved["truncation"]) == (None, None)


class TestLoading:
    def test_arguments_win_over_files(self, checkpoint):
        tokenizer = BertTokenizerFast.from_pretrained(checkpoint, padding_side="left", unk_token="[PAD]")
        assert (tokenizer.padding_side, tokenizer.unk_token_id) == ("left", 0)

    def test_single_vocabulary_file(self, checkpoint):
        assert BertTokenizer.from_pretrained(checkpoint / "vocab.txt").tokenize("a b") == ["a", "b"]
        fast = PreTrainedTokenizerFast.from_pretrained(checkpoint / "tokenizer.json")
        assert fast.tokenize("a b") == ["a", "b"]

    def test_vocabulary_alone_makes_a_fast_one(self, checkpoint, tmp_path):
        shutil.copy(checkpoint / "vocab.txt", tmp_path)
        built = BertTokenizerFast.from_pretrained(tmp_path)
        assert built("a [MASK]", "b") == BertTokenizerFast.from_pretrained(checkpoint)("a [MASK]", "b")

    def test_older_added_tokens(self, checkpoint, tmp_path):
        shutil.copy(checkpoint / "vocab.txt", tmp_path)
        (tmp_path / "added_tokens.json").write_text('{"<new>": 30522, "<Sp>": 30523}')
        (tmp_path / "special_tokens_map.json").write_text(
            '{"additional_special_tokens": ["<Sp>"], "mask_token": {"content": "[MASK]", "lstrip": true}}'
        )
        for kind in (BertTokenizer, BertTokenizerFast):
            tokenizer = kind.from_pretrained(tmp_path)
            assert tokenizer.convert_tokens_to_ids(["<new>", "<Sp>"]) == [30522, 30523]
            assert tokenizer.additional_special_tokens == ["<Sp>"]
            assert tokenizer.decode([30522, 30523], skip_special_tokens=True) == "<new>"

    def test_nothing_there(self, tmp_path):
        with pytest.raises(OSError, match=r"vocab\.txt"):
            BertTokenizer.from_pretrained(tmp_path)

    @pytest.mark.parametrize("name", ["tokenizer_config.json", "tokenizer.json"])
    def test_broken_file(self, checkpoint, tmp_path, name):
        shutil.copytree(
            checkpoint, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.safetensors")
        )
        (tmp_path / name).write_text('{"trunc')
        with pytest.raises(ValueError, match=name):
            BertTokenizerFast.from_pretrained(tmp_path)

    def test_another_class(self, checkpoint, tmp_path, logged):
        shutil.copy(checkpoint / "vocab.txt", tmp_path)
        (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "OtherTokenizer"}')
        BertTokenizer.from_pretrained(tmp_path)
        assert any("saved by OtherTokenizer" in message for message in logged())


class TestAuto:
    def test_fast_by_default(self, checkpoint):
        assert type(AutoTokenizer.from_pretrained(checkpoint)) is BertTokenizerFast
        assert type(AutoTokenizer.from_pretrained(checkpoint, use_fast=False)) is BertTokenizer

    @pytest.mark.parametrize(
        "name", ["BertTokenizerFast", "TokenizersBackend", "PreTrainedTokenizerFast", None]
    )
    def test_names_of_other_versions(self, checkpoint, tmp_path, name):
        for file in ("tokenizer.json", "config.json"):
            shutil.copy(checkpoint / file, tmp_path)
        config = {} if name is None else {"tokenizer_class": name}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        assert type(AutoTokenizer.from_pretrained(tmp_path)) is BertTokenizerFast

    def test_generic_without_a_configuration(self, checkpoint, tmp_path):
        shutil.copy(checkpoint / "tokenizer.json", tmp_path)
        config = {"tokenizer_class": "TokenizersBackend", "extra_special_tokens": ["[MASK]"]}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        tokenizer = AutoTokenizer.from_pretrained(tmp_path)
        assert type(tokenizer) is PreTrainedTokenizerFast
        assert tokenizer.additional_special_tokens == ["[MASK]"]

    def test_type_may_be_given(self, checkpoint):
        assert type(AutoTokenizer.from_pretrained(checkpoint, tokenizer_type="bert")) is BertTokenizerFast
        with pytest.raises(ValueError, match=r"nonsuch.*bert"):
            AutoTokenizer.from_pretrained(checkpoint, tokenizer_type="nonsuch")

    def test_unknown_class(self, checkpoint, tmp_path):
        (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "NonsuchTokenizer"}')
        with pytest.raises(ValueError, match="NonsuchTokenizer"):
            AutoTokenizer.from_pretrained(tmp_path)

    def test_is_not_a_tokenizer(self):
        with pytest.raises(OSError, match="from_pretrained"):
            AutoTokenizer()

    def test_register(self, checkpoint, monkeypatch):
        from nanoformers import AutoConfig, PretrainedConfig
        from nanoformers.auto.registry import ARCHITECTURES

        class OwnConfig(PretrainedConfig):
            model_type = "own"

        class OwnTokenizer(BertTokenizer):
            pass

        with pytest.raises(ValueError, match=r"AutoConfig\.register"):
            AutoTokenizer.register(OwnConfig, OwnTokenizer)
        monkeypatch.setitem(ARCHITECTURES, "own", None)  # removed after the test
        AutoConfig.register("own", OwnConfig, exist_ok=True)
        AutoTokenizer.register(OwnConfig, OwnTokenizer)
        assert (
            type(AutoTokenizer.from_pretrained(checkpoint, config=OwnConfig(), tokenizer_type="own"))
            is OwnTokenizer
        )
        with pytest.raises(ValueError, match="already used"):
            AutoTokenizer.register(OwnConfig, OwnTokenizer)
        with pytest.raises(ValueError, match="fast tokenizer in the `slow_tokenizer_class`"):
            AutoTokenizer.register(OwnConfig, BertTokenizerFast)


def test_importing_and_encoding_do_not_import_torch(checkpoint):
    code = (
        "import sys; from nanoformers import AutoTokenizer\n"
        "import nanoformers.tokenization_utils_base as base\n"
        "tokenizer = AutoTokenizer.from_pretrained(sys.argv[1]); tokenizer('a', return_tensors='np')\n"
        "assert isinstance(tokenizer, base.PreTrainedTokenizerBase); assert 'torch' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", code, checkpoint], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
