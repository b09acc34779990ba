"""`BatchEncoding`: a dictionary that can align tokens with the text."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from nanoformers import BatchEncoding, CharSpan, TokenSpan

TEXT = "Hello unaffable world"  # [CLS] hello una ##ffa ##ble world [SEP]


@pytest.fixture
def encoding(fast):
    return fast(TEXT, truncation=False, return_offsets_mapping=True)


@pytest.fixture
def pairs(fast):
    return fast([TEXT, "a b"], ["second one", "c"], padding=True, truncation=False)


class TestDictionary:
    def test_entries_are_keys_and_attributes(self, encoding):
        assert list(encoding) == ["input_ids", "token_type_ids", "attention_mask", "offset_mapping"]
        assert encoding.input_ids is encoding["input_ids"]
        assert {**encoding}.keys() == encoding.keys()

    def test_missing_attribute(self, encoding):
        with pytest.raises(AttributeError, match="nonsuch"):
            encoding.nonsuch  # noqa: B018

    def test_integer_gives_a_member(self, pairs):
        assert pairs[1].tokens[:3] == ["[CLS]", "a", "b"]

    def test_integer_needs_a_fast_tokenizer(self, slow):
        with pytest.raises(KeyError, match="fast tokenizer"):
            slow(TEXT)[0]

    def test_slice_cuts_every_entry(self, pairs):
        assert pairs[:1]["input_ids"] == pairs["input_ids"][:1]
        assert pairs[:1].keys() == pairs.keys()

    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
    def test_copies_keep_alignment(self, pairs, duplicate):
        same = duplicate(pairs)
        assert same.data == pairs.data
        assert same.word_ids(0) == pairs.word_ids(0)
        assert same.n_sequences == 2


class TestAlignment:
    def test_tokens_and_words(self, encoding):
        assert encoding.tokens() == ["[CLS]", "hello", "una", "##ffa", "##ble", "world", "[SEP]"]
        assert encoding.word_ids() == [None, 0, 1, 1, 1, 2, None]

    def test_sequence_ids_tell_the_members_of_a_pair(self, pairs):
        assert pairs.sequence_ids(1)[:5] == [None, 0, 0, None, 1]
        assert pairs.token_to_sequence(1, 4) == 1

    def test_from_a_token(self, encoding):
        assert encoding.token_to_word(3) == 1
        assert encoding.token_to_chars(3) == CharSpan(9, 12)
        assert TEXT[slice(*encoding.token_to_chars(3))] == "ffa"

    def test_from_the_last_token(self, encoding):
        assert encoding.token_to_word(-2) == 2
        assert encoding.token_to_chars(0, -1) is None

    def test_from_a_word(self, encoding):
        assert encoding.word_to_tokens(1) == TokenSpan(2, 5)
        assert encoding.word_to_chars(1) == CharSpan(6, 15)
        assert encoding.word_to_tokens(9) is None

    def test_from_a_character(self, encoding):
        assert encoding.char_to_token(6) == 2
        assert encoding.char_to_token(5) is None
        assert encoding.char_to_word(20) == 2

    def test_in_the_second_of_a_pair(self, pairs):
        assert pairs.tokens()[pairs.char_to_token(0, 7, sequence_index=1)] == "one"
        assert pairs.word_to_chars(0, 1, sequence_index=1) == CharSpan(7, 10)

    def test_negative_characters_are_refused(self, encoding):
        with pytest.raises(ValueError, match="start from 0"):
            encoding.char_to_token(-1)

    @pytest.mark.parametrize(
        "ask",
        [
            lambda e: e.tokens(),
            lambda e: e.word_ids(),
            lambda e: e.sequence_ids(),
            lambda e: e.char_to_token(0),
            lambda e: e.token_to_chars(0),
            lambda e: e.word_to_tokens(0),
        ],
    )
    def test_slow_tokenizers_cannot(self, slow, ask):
        with pytest.raises(ValueError, match="not available when using non-fast tokenizers"):
            ask(slow(TEXT))

    def test_offsets_are_the_characters(self, encoding):
        pieces = [TEXT[start:end].lower() for start, end in encoding["offset_mapping"][1:-1]]
        assert pieces == [token.removeprefix("##") for token in encoding.tokens()[1:-1]]


class TestTensors:
    @pytest.mark.parametrize(("name", "kind"), [("pt", torch.Tensor), ("np", np.ndarray)])
    def test_one_text_is_a_batch_of_one(self, tokenizer, name, kind):
        encoded = tokenizer("a b", return_tensors=name)
        assert all(isinstance(value, kind) for value in encoded.values())
        assert tuple(encoded["input_ids"].shape) == (1, 4)
        assert str(encoded["input_ids"].dtype).endswith("int64")

    def test_empty_ids_are_integers(self, tokenizer):
        ids = tokenizer("", add_special_tokens=False, return_tensors="pt")["input_ids"]
        assert ids.shape == (1, 0)
        assert ids.dtype == torch.int64

    def test_ragged_batch(self, tokenizer):
        with pytest.raises(ValueError, match=r"Unable to create a tensor from `input_ids`.*padding=True"):
            tokenizer(["a", "a b"], return_tensors="pt")

    def test_unknown_kind_names_the_known(self, tokenizer):
        with pytest.raises(ValueError, match=r"select one of \['pt', 'np'\]"):
            tokenizer("a", return_tensors="xx")

    def test_floats_become_float32(self):
        assert BatchEncoding({"x": [0.5]}, tensor_type="pt")["x"].dtype == torch.float32

    def test_moves_between_devices(self, fast):
        encoded = fast("a", return_tensors="pt").to("meta")
        assert encoded["input_ids"].device.type == "meta"
