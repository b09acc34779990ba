"""GPT-2's tokenizers give what the reference library's give.

Both are compared with recorded answers of version 4.57.6 (golden/make_gpt2_tokenizers.py makes them), the
fast one also with the reference library that is installed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import transformers
from nanoformers import AddedToken, AutoTokenizer, GPT2Tokenizer, GPT2TokenizerFast

GOLDEN = json.loads((Path(__file__).parent / "golden/gpt2_tokenizers.json").read_text(encoding="utf-8"))
TEXTS = [c["args"][0] for c in GOLDEN["cases"] if c["method"] == "tokenize" and not c["init"]]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt2")
    vocabulary = GOLDEN["vocabulary"]
    (folder / "vocab.json").write_text(json.dumps(vocabulary["vocab.json"]), encoding="utf-8")
    (folder / "merges.txt").write_text(vocabulary["merges.txt"], encoding="utf-8")
    return {"vocab_file": str(folder / "vocab.json"), "merges_file": str(folder / "merges.txt")}


def name_of(case) -> str:
    kind = "fast" if case["fast"] else "slow"
    shown = {**case["init"], **case["kwargs"]}
    return f"{kind}-{case['method']}-{'-'.join(f'{k}={v}' for k, v in shown.items())}"[:90]


def answer(tokenizer, case):
    if case["method"] == "roundtrip":
        return tokenizer.decode(tokenizer.encode(*case["args"]), **case["kwargs"])
    result = getattr(tokenizer, case["method"])(*case["args"], **case["kwargs"])
    return result.data if hasattr(result, "data") else result


@pytest.mark.filterwarnings("ignore:`max_length` is ignored")
@pytest.mark.parametrize("case", GOLDEN["cases"], ids=name_of)
def test_answers_of_version_4(case, files):
    kind = GPT2TokenizerFast if case["fast"] else GPT2Tokenizer
    tokenizer = kind(**files, model_max_length=100, **case["init"])
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.add_tokens([AddedToken(**fields) for fields in case.get("add", [])])
    if "error" in case:
        with pytest.raises(ValueError):
            answer(tokenizer, case)
    else:
        assert answer(tokenizer, case) == case["result"]


class TestFastAgainstTheInstalledReference:
    @pytest.mark.parametrize("init", [{}, {"add_prefix_space": True}, {"add_bos_token": True}], ids=str)
    def test_texts(self, files, init):
        ours = GPT2TokenizerFast(**files, **init)
        theirs = transformers.GPT2Tokenizer(files["vocab_file"], files["merges_file"], **init)
        for text in TEXTS:
            mine, other = (t(text, return_offsets_mapping=True, verbose=False) for t in (ours, theirs))
            assert mine.data == other.data
            assert mine.tokens() == other.tokens()
            assert mine.word_ids() == other.word_ids()
            for skip in (False, True):
                plain = {"skip_special_tokens": skip, "clean_up_tokenization_spaces": False}
                assert ours.decode(mine["input_ids"], **plain) == theirs.decode(mine["input_ids"], **plain)

    def test_words(self, files):
        ours = GPT2TokenizerFast(**files, add_prefix_space=True)
        theirs = transformers.GPT2Tokenizer(files["vocab_file"], files["merges_file"], add_prefix_space=True)
        words = [["Hello", "naïve", "日本", "GPU's"], ["one"]]
        arguments = {"is_split_into_words": True, "return_offsets_mapping": True}
        mine, other = (tokenizer(words, **arguments) for tokenizer in (ours, theirs))
        assert mine.data == other.data
        assert [mine.word_ids(0), mine.word_ids(1)] == [other.word_ids(0), other.word_ids(1)]

    def test_alignment(self, files):
        text = "Un café 😀 là-bas"
        mine, other = (
            t(text)
            for t in (
                GPT2TokenizerFast(**files),
                transformers.GPT2Tokenizer(files["vocab_file"], files["merges_file"]),
            )
        )
        for index in range(len(mine["input_ids"])):
            assert mine.token_to_chars(index) == other.token_to_chars(index)
        for index in range(len(text)):
            assert mine.char_to_token(index) == other.char_to_token(index)
            assert mine.char_to_word(index) == other.char_to_word(index)


class TestFilesOfBothLibraries:
    TEXT = "Hello <new> Wörld<|endoftext|> <sp>! "

    @staticmethod
    def grow(tokenizer):
        tokenizer.add_tokens(["<new>"])
        tokenizer.add_special_tokens({"additional_special_tokens": ["<sp>"], "pad_token": "<pad>"})

    @pytest.mark.parametrize("kind", [GPT2Tokenizer, GPT2TokenizerFast])
    def test_reference_reads_ours(self, files, tmp_path, kind):
        tokenizer = kind(**files, model_max_length=99)
        self.grow(tokenizer)
        tokenizer.save_pretrained(tmp_path)
        theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
        assert theirs(self.TEXT)["input_ids"] == tokenizer(self.TEXT)["input_ids"]
        assert theirs.model_max_length == 99
        assert theirs.pad_token == "<pad>"
        assert len(theirs) == len(tokenizer)

    @pytest.mark.parametrize("kind", [GPT2Tokenizer, GPT2TokenizerFast, AutoTokenizer])
    def test_ours_reads_the_reference(self, files, tmp_path, kind):
        theirs = transformers.GPT2Tokenizer(files["vocab_file"], files["merges_file"], model_max_length=99)
        self.grow(theirs)
        theirs.save_pretrained(tmp_path)
        tokenizer = kind.from_pretrained(tmp_path)
        assert type(tokenizer) is (GPT2Tokenizer if kind is GPT2Tokenizer else GPT2TokenizerFast)
        assert tokenizer(self.TEXT)["input_ids"] == theirs(self.TEXT)["input_ids"]
        assert tokenizer.model_max_length == 99
        assert tokenizer.pad_token == "<pad>"
        assert tokenizer.additional_special_tokens == ["<sp>"]
        assert len(theirs) == len(tokenizer)
