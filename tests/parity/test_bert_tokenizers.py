"""BERT's tokenizers give what the reference library's give.

The pure-Python one is compared with recorded answers of version 4.57.6 (golden/make_bert_tokenizers.py makes
them), the fast one with those and with the reference library that is installed.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import transformers
from classroom.sources import minilm_folder
from nanoformers import AddedToken, AutoTokenizer, BertTokenizer, BertTokenizerFast

CHECKPOINT = minilm_folder()
GOLDEN = json.loads((Path(__file__).parent / "golden/bert_tokenizers.json").read_text(encoding="utf-8"))


def plain(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    return value


def name_of(case) -> str:
    kind = "fast" if case["fast"] else "slow"
    shown = {**case["init"], **case["kwargs"]}
    return f"{kind}-{case['method']}-{'-'.join(f'{k}={v}' for k, v in shown.items())}"[:90]


@pytest.mark.filterwarnings("ignore:`max_length` is ignored")
@pytest.mark.parametrize("case", GOLDEN["cases"], ids=name_of)
def test_answers_of_version_4(case):
    kind = BertTokenizerFast if case["fast"] else BertTokenizer
    tokenizer = kind(CHECKPOINT / "vocab.txt", model_max_length=12, **case["init"])
    tokenizer.add_tokens([AddedToken(**fields) for fields in case.get("add", [])])

    def answer():
        if case["method"] == "roundtrip":
            return tokenizer.decode(tokenizer.encode(*case["args"]), **case["kwargs"])
        return plain(getattr(tokenizer, case["method"])(*case["args"], **case["kwargs"]))

    if "error" in case:
        with pytest.raises(Exception) as caught:
            answer()
        assert type(caught.value).__name__ == case["error"].replace("PanicException", "ValueError")
    else:
        assert answer() == case["result"]


TEXTS = [case["args"][0] for case in GOLDEN["cases"] if case["method"] == "tokenize" and not case["init"]]


@pytest.fixture(scope="module")
def reference():
    return transformers.AutoTokenizer.from_pretrained(CHECKPOINT)


@pytest.fixture(scope="module")
def ours():
    return AutoTokenizer.from_pretrained(CHECKPOINT)


class TestFastAgainstTheInstalledReference:
    @pytest.mark.parametrize("text", [*TEXTS, "word " * 20_000], ids=lambda text: ascii(text)[:40])
    def test_texts(self, ours, reference, text):
        arguments = {"return_offsets_mapping": True, "return_special_tokens_mask": True, "verbose": False}
        mine, theirs = ours(text, **arguments), reference(text, **arguments)
        assert mine.data == theirs.data
        assert mine.tokens() == theirs.tokens()
        assert mine.word_ids() == theirs.word_ids()

    @pytest.mark.parametrize(
        "arguments",
        [
            {"padding": True},
            {"padding": "max_length", "max_length": 30},
            {"truncation": True, "max_length": 8},
            {"truncation": "only_second", "max_length": 20, "padding": True},
            {"truncation": "only_first", "max_length": 20, "pad_to_multiple_of": 4, "padding": "longest"},
            {"truncation": "only_first", "max_length": 18, "stride": 2, "return_overflowing_tokens": True},
            {"return_tensors": "np", "padding": True, "return_length": True},
            {"add_special_tokens": False, "return_token_type_ids": False},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("side", ["left", "right"])
    def test_batches_of_pairs(self, ours, reference, arguments, side):
        first = ["the quick brown fox jumps over the lazy dog", "naïve cafés", "one two three four"]
        second = ["because it can and nobody objects", "a longer second text than the first", "日本語 words"]
        for tokenizer in (ours, reference):
            tokenizer.padding_side = tokenizer.truncation_side = side
        assert plain(ours(first, second, **arguments)) == plain(reference(first, second, **arguments))

    def test_alignment(self, ours, reference):
        mine, theirs = (t("Hello unaffable world", "second 😀 one") for t in (ours, reference))
        for index in range(len(mine["input_ids"])):
            assert mine.token_to_chars(index) == theirs.token_to_chars(index)
            assert mine.token_to_word(index) == theirs.token_to_word(index)
            assert mine.token_to_sequence(index) == theirs.token_to_sequence(index)
        for index in range(13):
            for sequence in (0, 1):
                assert mine.char_to_token(index, sequence_index=sequence) == theirs.char_to_token(
                    index, sequence_index=sequence
                )
                assert mine.char_to_word(index, sequence_index=sequence) == theirs.char_to_word(
                    index, sequence_index=sequence
                )
        for index in range(3):
            assert mine.word_to_tokens(index) == theirs.word_to_tokens(index)
            assert mine.word_to_chars(index) == theirs.word_to_chars(index)


class TestFilesOfBothLibraries:
    TEXT = "Hello <new> Wörld [MASK] <sp>!"

    @pytest.mark.parametrize("lower", [True, False])
    @pytest.mark.parametrize("kind", [BertTokenizer, BertTokenizerFast])
    def test_reference_reads_ours(self, tmp_path, kind, lower):
        tokenizer = kind(CHECKPOINT / "vocab.txt", do_lower_case=lower, model_max_length=99)
        tokenizer.add_tokens(["<new>"])
        tokenizer.add_special_tokens({"additional_special_tokens": ["<sp>"]})
        tokenizer.save_pretrained(tmp_path)
        theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
        assert theirs(self.TEXT)["input_ids"] == tokenizer(self.TEXT)["input_ids"]
        assert theirs.model_max_length == 99
        assert theirs.mask_token == "[MASK]"

    @pytest.mark.parametrize("lower", [True, False])
    @pytest.mark.parametrize("kind", [BertTokenizerFast, AutoTokenizer])
    def test_ours_reads_the_reference(self, tmp_path, kind, lower):
        theirs = transformers.BertTokenizer(
            str(CHECKPOINT / "vocab.txt"), do_lower_case=lower, model_max_length=99
        )
        theirs.add_tokens(["<new>"])
        theirs.add_special_tokens({"additional_special_tokens": ["<sp>"]})
        theirs.save_pretrained(tmp_path)
        tokenizer = kind.from_pretrained(tmp_path)
        assert type(tokenizer) is BertTokenizerFast
        assert tokenizer(self.TEXT)["input_ids"] == theirs(self.TEXT)["input_ids"]
        assert tokenizer.model_max_length == 99
        assert tokenizer.additional_special_tokens == ["<sp>"]
        assert tokenizer.decode(tokenizer.encode(self.TEXT), skip_special_tokens=True) == theirs.decode(
            theirs.encode(self.TEXT), skip_special_tokens=True, clean_up_tokenization_spaces=True
        )
