"""The table of the documentation page `pad_truncation`, its messages, and what always holds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nanoformers import BertTokenizer, BertTokenizerFast, PreTrainedTokenizerFast
from nanoformers.tokenization import PaddingStrategy, TruncationStrategy

SHORT, LONG = "a b", "a b c d e f g"  # 4 and 9 tokens with [CLS] and [SEP]; the model takes 6


@pytest.mark.parametrize(
    ("arguments", "lengths"),
    [
        ({}, [4, 9]),
        ({"padding": True}, [9, 9]),
        ({"padding": "longest"}, [9, 9]),
        ({"padding": PaddingStrategy.LONGEST}, [9, 9]),
        ({"padding": "max_length"}, [6, 9]),
        ({"padding": "max_length", "max_length": 42}, [42, 42]),
        ({"padding": True, "pad_to_multiple_of": 8}, [16, 16]),
        ({"truncation": True}, [4, 6]),
        ({"truncation": "longest_first"}, [4, 6]),
        ({"truncation": TruncationStrategy.ONLY_FIRST}, [4, 6]),
        ({"truncation": True, "padding": True}, [6, 6]),
        ({"truncation": True, "padding": "max_length"}, [6, 6]),
        ({"truncation": True, "max_length": 5}, [4, 5]),
        ({"truncation": True, "max_length": 5, "padding": True}, [5, 5]),
        ({"truncation": True, "max_length": 8, "padding": "max_length"}, [8, 8]),
        ({"truncation": True, "max_length": 8, "padding": True, "pad_to_multiple_of": 4}, [8, 8]),
        ({"truncation": False, "max_length": 5}, [4, 9]),
    ],
)
def test_table(tokenizer, arguments, lengths):
    encoded = tokenizer([SHORT, LONG], **arguments)
    assert [len(ids) for ids in encoded["input_ids"]] == lengths
    assert [len(mask) for mask in encoded["attention_mask"]] == lengths


class TestPairs:
    @pytest.mark.parametrize(
        ("strategy", "kept"), [("only_first", 1), ("only_second", 4), ("longest_first", 3)]
    )
    def test_strategies(self, tokenizer, strategy, kept):
        ids = tokenizer("a b c d", "e f g h", truncation=strategy, max_length=8)["input_ids"]
        first = ids[1 : ids.index(tokenizer.sep_token_id)]
        assert len(ids) == 8
        assert len(first) == kept or (strategy == "longest_first" and len(first) in (2, 3))

    def test_left_truncation_keeps_the_end(self, tokenizer):
        tokenizer.truncation_side = "left"
        assert tokenizer.decode(tokenizer.encode(LONG, truncation=True)) == "[CLS] d e f g [SEP]"

    def test_slow_leaves_a_member_that_is_too_short(self, slow, logged):
        assert len(slow("a", LONG, truncation="only_first", max_length=5)["input_ids"]) == 11
        assert any("longest_first" in message for message in logged())

    def test_fast_refuses_a_member_that_is_too_short(self, fast):
        with pytest.raises(Exception, match="too short to respect the provided max_length"):
            fast("a", LONG, truncation="only_first", max_length=5)


class TestOverflow:
    def test_fast_gives_further_members(self, fast):
        encoded = fast(
            [LONG, "z"], truncation=True, max_length=6, stride=2, return_overflowing_tokens=True, padding=True
        )
        assert [fast.decode(ids) for ids in encoded["input_ids"]] == [
            "[CLS] a b c d [SEP]",
            "[CLS] c d e f [SEP]",
            "[CLS] e f g [SEP] [PAD]",
            "[CLS] z [SEP] [PAD] [PAD] [PAD]",
        ]
        assert encoded["overflow_to_sample_mapping"] == [0, 0, 0, 1]

    def test_slow_gives_the_rest(self, slow):
        encoded = slow(LONG, truncation=True, max_length=6, stride=1, return_overflowing_tokens=True)
        assert slow.convert_ids_to_tokens(encoded["overflowing_tokens"]) == ["d", "e", "f", "g"]
        assert encoded["num_truncated_tokens"] == 3

    def test_slow_does_not_know_which_of_a_pair(self, slow):
        with pytest.raises(ValueError, match="longest_first"):
            slow("a", LONG, truncation=True, return_overflowing_tokens=True)

    def test_stride_that_leaves_no_room(self, fast):
        with pytest.raises(ValueError, match="stride"):
            fast(LONG, truncation=True, max_length=6, stride=5, return_overflowing_tokens=True)


class TestErrorsAndWarnings:
    @pytest.mark.parametrize(
        ("name", "kind"), [("padding", "PaddingStrategy"), ("truncation", "TruncationStrategy")]
    )
    def test_unknown_strategy_names_the_known(self, tokenizer, name, kind):
        with pytest.raises(ValueError, match=f"nope is not a valid {kind}, please select one of"):
            tokenizer("a", **{name: "nope"})

    def test_no_padding_token(self, tokenizer):
        tokenizer.pad_token = None
        with pytest.raises(ValueError, match="does not have a padding token"):
            tokenizer(["a"], padding=True)

    def test_length_and_multiple_disagree(self, tokenizer):
        with pytest.raises(ValueError, match=r"truncation length \(5\) is not a multiple"):
            tokenizer("a", truncation=True, padding=True, max_length=5, pad_to_multiple_of=8)

    def test_ignored_length(self, tokenizer):
        with pytest.warns(UserWarning, match="`max_length` is ignored when `padding`=`True`"):
            tokenizer([LONG], padding=True, max_length=5)

    def test_length_alone_truncates_and_warns_once(self, tokenizer, logged):
        for _ in range(2):
            assert len(tokenizer(LONG, max_length=5)["input_ids"]) == 5
        assert sum("Truncation was not explicitly activated" in message for message in logged()) == 1

    def test_too_long_for_the_model(self, tokenizer, logged):
        tokenizer(LONG)
        assert any("longer than the specified maximum" in m and "(9 > 6)" in m for m in logged())

    def test_no_maximum(self, tokenizer, logged):
        tokenizer.model_max_length = int(1e30)
        encoded = tokenizer([SHORT, LONG], padding="max_length", truncation=True)
        assert [len(ids) for ids in encoded["input_ids"]] == [4, 9]
        assert sum("no maximum length is provided" in message for message in logged()) == 2

    def test_older_spellings(self, tokenizer):
        with pytest.warns(FutureWarning, match="pad_to_max_length"):
            assert len(tokenizer(SHORT, pad_to_max_length=True)["input_ids"]) == 6
        with pytest.warns(FutureWarning, match="truncation_strategy"):
            assert len(tokenizer(LONG, truncation_strategy="only_first")["input_ids"]) == 6

    def test_sides_are_left_or_right(self, checkpoint):
        with pytest.raises(ValueError, match="'right' and 'left', current value: top"):
            BertTokenizer.from_pretrained(checkpoint, padding_side="top")

    def test_wrapped_tokenizer_does_not_know_its_padding_token(self, fast):
        wrapped = PreTrainedTokenizerFast(tokenizer_object=fast.backend_tokenizer)
        assert wrapped.all_special_tokens == []
        with pytest.raises(ValueError, match="does not have a padding token"):
            wrapped(["a", "b c"], padding=True)


class TestPad:
    def test_list_of_members(self, tokenizer):
        members = [tokenizer(text, return_special_tokens_mask=True) for text in (SHORT, "a")]
        padded = tokenizer.pad(members)
        assert padded["input_ids"][1][-1] == tokenizer.pad_token_id
        assert padded["attention_mask"] == [[1, 1, 1, 1], [1, 1, 1, 0]]
        assert padded["special_tokens_mask"][1] == [1, 0, 1, 1]

    def test_left(self, tokenizer):
        tokenizer.padding_side = "left"
        assert tokenizer.pad({"input_ids": [5]}, padding="max_length", max_length=3) == {
            "input_ids": [0, 0, 5],
            "attention_mask": [0, 0, 1],
        }

    @pytest.mark.parametrize("make", [np.array, torch.tensor])
    def test_gives_back_the_kind_that_came(self, tokenizer, make):
        padded = tokenizer.pad([{"input_ids": make([5, 6])}, {"input_ids": make([7])}])
        assert isinstance(padded["input_ids"], type(make([1])))
        assert padded["input_ids"].tolist() == [[5, 6], [7, 0]]

    def test_other_entries_are_kept(self, tokenizer):
        padded = tokenizer.pad([{"input_ids": [5], "labels": 1}, {"input_ids": [6, 7], "labels": 0}])
        assert padded["labels"] == [1, 0]

    def test_nothing_to_pad(self, tokenizer):
        with pytest.raises(ValueError, match=r"includes input_ids, but you provided \['labels'\]"):
            tokenizer.pad({"labels": [1]})

    def test_numbers_disagree(self, tokenizer):
        with pytest.raises(ValueError, match="different batch size"):
            tokenizer.pad({"input_ids": [[1], [2]], "labels": [1]})


class TestWithoutFiles:
    """What always holds, for any texts."""

    texts = st.lists(st.text("ab cd.", max_size=12), min_size=1, max_size=4)

    @settings(max_examples=40, deadline=None)
    @given(
        texts=texts,
        side=st.sampled_from(["left", "right"]),
        multiple=st.sampled_from([None, 4]),
        fast=st.booleans(),
    )
    def test_padding_adds_padding_and_nothing_else(self, texts, side, multiple, fast):
        tokenizer = _TOKENIZERS[fast]
        tokenizer.padding_side = side
        bare = tokenizer(texts)["input_ids"]
        padded = tokenizer(texts, padding=True, pad_to_multiple_of=multiple)
        lengths = {len(ids) for ids in padded["input_ids"]}
        assert len(lengths) == 1
        assert lengths.pop() % (multiple or 1) == 0
        for ids, all_ids, mask in zip(bare, padded["input_ids"], padded["attention_mask"], strict=True):
            assert [i for i, real in zip(all_ids, mask, strict=True) if real] == ids
            assert all(i == tokenizer.pad_token_id for i, real in zip(all_ids, mask, strict=True) if not real)
            assert mask == sorted(mask, reverse=side == "right")
        assert (
            tokenizer.pad({"input_ids": bare}, pad_to_multiple_of=multiple)["input_ids"]
            == padded["input_ids"]
        )

    @settings(max_examples=40, deadline=None)
    @given(
        text=st.text("ab cd.", max_size=30),
        length=st.integers(3, 12),
        side=st.sampled_from(["left", "right"]),
    )
    def test_slow_and_fast_truncate_alike(self, text, length, side):
        results = []
        for tokenizer in _TOKENIZERS.values():
            tokenizer.truncation_side = side
            results.append(tokenizer(text, truncation=True, max_length=length).data)
        assert results[0] == results[1]
        assert len(results[0]["input_ids"]) <= length


def _small_tokenizers():
    import tempfile
    from pathlib import Path

    tokens = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        ".",
        *"abcd",
        *("##" + letter for letter in "abcd"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "vocab.txt")
        file.write_text("\n".join(tokens), encoding="utf-8")
        return {fast: kind(file) for fast, kind in enumerate((BertTokenizer, BertTokenizerFast))}


_TOKENIZERS = _small_tokenizers()
