"""Special and added tokens."""

from __future__ import annotations

import pytest
from nanoformers import AddedToken, PreTrainedTokenizerBase
from nanoformers.tokenization.special_tokens import SINGLE_NAMES


class TestProperties:
    def test_text_and_id(self, tokenizer):
        assert (tokenizer.mask_token, tokenizer.mask_token_id) == ("[MASK]", 103)

    def test_unset_token_is_none_and_logged(self, tokenizer, logged):
        assert tokenizer.bos_token is None
        assert tokenizer.bos_token_id is None
        assert "Using bos_token, but it is not set yet." in logged()

    @pytest.mark.parametrize("name", SINGLE_NAMES)
    def test_every_name_can_be_set_by_text_and_by_id(self, tokenizer, name):
        setattr(tokenizer, name, "the")
        assert getattr(tokenizer, f"{name}_id") == tokenizer.convert_tokens_to_ids("the")
        setattr(tokenizer, f"{name}_id", 103)
        assert getattr(tokenizer, name) == "[MASK]"
        setattr(tokenizer, name, None)
        assert name not in tokenizer.special_tokens_map

    def test_only_text(self, tokenizer):
        with pytest.raises(ValueError, match="non-string value as the pad_token"):
            tokenizer.pad_token = 0

    def test_lists(self, tokenizer):
        assert tokenizer.all_special_tokens == ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"]
        assert tokenizer.all_special_ids == [100, 102, 0, 101, 103]
        assert tokenizer.special_tokens_map["cls_token"] == "[CLS]"

    def test_additional_ones(self, tokenizer):
        tokenizer.additional_special_tokens = ["the", "a"]
        assert tokenizer.additional_special_tokens_ids == tokenizer.convert_tokens_to_ids(["the", "a"])
        with pytest.raises(ValueError, match="list of str"):
            tokenizer.additional_special_tokens = "the"


class TestAdding:
    def test_counts_what_is_new(self, tokenizer):
        size = len(tokenizer)
        assert tokenizer.add_tokens(["<new>", "<new>", "the", "<other>"]) == 2
        assert len(tokenizer) == size + 2
        assert tokenizer.vocab_size == size
        assert tokenizer.convert_tokens_to_ids("<other>") == size + 1
        assert tokenizer.get_added_vocab()["<new>"] == size

    def test_is_never_split(self, tokenizer):
        tokenizer.add_tokens(["gpu3000"])
        assert tokenizer.tokenize("my gpu3000s") == ["my", "gpu3000", "s"]

    def test_ordinary_tokens_ignore_case_and_special_ones_do_not(self, tokenizer):
        tokenizer.add_tokens(["newtok"])
        tokenizer.add_tokens(["<Sp>"], special_tokens=True)
        assert tokenizer.tokenize("NEWTOK<Sp>") == ["newtok", "<Sp>"]
        assert "<Sp>" not in tokenizer.tokenize("<sp>")

    def test_longest_wins(self, tokenizer):
        tokenizer.add_tokens(["<x>", "<x><y>"])
        assert tokenizer.tokenize("<x><y><x>") == ["<x><y>", "<x>"]

    def test_whole_words_only(self, tokenizer):
        tokenizer.add_tokens([AddedToken("ab", single_word=True)])
        assert "ab" not in tokenizer.tokenize("abc")
        assert tokenizer.tokenize("(ab)") == ["(", "ab", ")"]

    def test_by_name(self, tokenizer):
        assert tokenizer.add_special_tokens({"eos_token": "</s>", "additional_special_tokens": ["<a>"]}) == 2
        assert tokenizer.eos_token == "</s>"
        assert tokenizer.tokenize("x </s><a>") == ["x", "</s>", "<a>"]
        assert tokenizer.decode(tokenizer.encode("x </s><a>"), skip_special_tokens=True) == "x"

    def test_replacing_and_appending(self, tokenizer):
        tokenizer.add_special_tokens({"additional_special_tokens": ["<a>"]})
        tokenizer.add_special_tokens(
            {"additional_special_tokens": ["<b>"]}, replace_additional_special_tokens=False
        )
        assert tokenizer.additional_special_tokens == ["<a>", "<b>"]
        tokenizer.add_special_tokens({"additional_special_tokens": ["<c>"]})
        assert tokenizer.additional_special_tokens == ["<c>"]

    def test_unknown_name(self, tokenizer):
        with pytest.raises(ValueError, match=r"Key start_token .*bos_token"):
            tokenizer.add_special_tokens({"start_token": "<s>"})

    def test_wrong_types(self, tokenizer):
        with pytest.raises(TypeError, match="not a str or AddedToken but a int"):
            tokenizer.add_tokens([1])
        with pytest.raises(ValueError, match="pad_token should be"):
            tokenizer.add_special_tokens({"pad_token": ["a"]})

    def test_split_special_tokens(self, tokenizer):
        assert tokenizer.tokenize("[MASK]", split_special_tokens=True) == ["[", "mask", "]"]
        assert tokenizer.tokenize("[MASK]") == ["[MASK]"]


def test_tokens_go_to_json_and_back():
    value = {"a": [AddedToken("<x>", lstrip=True, special=True)], "b": "<y>"}
    saved = PreTrainedTokenizerBase.convert_added_tokens(value, save=True)
    assert saved["a"][0]["__type"] == "AddedToken"
    assert repr(PreTrainedTokenizerBase.convert_added_tokens(saved)) == repr(value)
