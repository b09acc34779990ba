"""Data collators: what they promise beside parity, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nanoformers import (
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    DataCollatorForMultipleChoice,
    DataCollatorForPermutationLanguageModeling,
    DataCollatorForSeq2Seq,
    DataCollatorForTokenClassification,
    DataCollatorForWholeWordMask,
    DataCollatorWithFlattening,
    DataCollatorWithPadding,
    DefaultDataCollator,
    T5Config,
    T5ForConditionalGeneration,
    default_data_collator,
)
from nanoformers.data.collators.padding import pad_rows
from torch.utils.data import DataLoader

HUB = Path(__file__).parents[3] / "data" / "hub" / "models" / "toyland"
rows_of_ids = st.lists(st.lists(st.integers(0, 300), max_size=12), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def bert():
    return AutoTokenizer.from_pretrained(HUB / "fill-mask-bert")


@pytest.fixture
def gpt2():
    return AutoTokenizer.from_pretrained(HUB / "stories-gpt2", pad_token=None)


@pytest.fixture(scope="module")
def encoded(bert):
    return [bert(text) for text in ("The little fox runs.", "Anna sings a long song in the garden.", "A dog")]


class TestRows:
    @given(rows_of_ids, st.integers(0, 5), st.sampled_from(["left", "right"]))
    @settings(deadline=None)
    def test_rows_stand_at_their_side(self, rows, more, side):
        length = max(map(len, rows)) + more
        for kind in (list, np.array, lambda row: torch.tensor(row, dtype=torch.long)):
            padded = pad_rows([kind(row) for row in rows], length, -1, side)
            assert padded.shape == (len(rows), length)
            for row, out in zip(rows, padded.tolist(), strict=True):
                rest = [-1] * (length - len(row))
                assert out == (rest + row if side == "left" else row + rest)

    def test_a_row_too_long(self):
        with pytest.raises(ValueError, match="A row of 3 ids does not fit into 2"):
            pad_rows([[1], [1, 2, 3]], 2, 0)


class TestWithPadding:
    def test_pads_to_the_longest_of_the_batch_only(self, bert, encoded):
        batch = DataCollatorWithPadding(bert)(encoded)
        assert batch["input_ids"].shape[1] == max(len(row["input_ids"]) for row in encoded)
        assert torch.equal(
            batch["attention_mask"].sum(1), torch.tensor([len(r["input_ids"]) for r in encoded])
        )

    def test_does_not_warn(self, bert, encoded, caplog):
        DataCollatorWithPadding(bert)(encoded)
        assert not caplog.records

    def test_makes_the_mask(self, bert):
        batch = DataCollatorWithPadding(bert)([{"input_ids": [5]}, {"input_ids": [5, 6]}])
        assert batch["attention_mask"].tolist() == [[1, 0], [1, 1]]

    def test_labels_keep_their_kind(self, bert):
        batch = DataCollatorWithPadding(bert)(
            [{"input_ids": [5], "label": 0.5}, {"input_ids": [5, 6], "label": 1.5}]
        )
        assert batch["labels"].dtype == torch.float32
        assert "label" not in batch

    def test_takes_examples_of_a_data_loader(self, bert, encoded):
        loader = DataLoader(encoded, batch_size=2, collate_fn=DataCollatorWithPadding(bert))
        assert [batch["input_ids"].shape[0] for batch in loader] == [2, 1]

    def test_examples_that_differ(self, bert):
        with pytest.raises(ValueError, match="no 'attention_mask' as the first has"):
            DataCollatorWithPadding(bert)([{"input_ids": [5], "attention_mask": [1]}, {"input_ids": [5]}])

    def test_text_in_a_batch(self, bert):
        with pytest.raises(ValueError, match="Unable to create a tensor from `text`"):
            DataCollatorWithPadding(bert)([{"input_ids": [5], "text": "a"}])

    def test_needs_a_padding_token(self, gpt2):
        with pytest.raises(ValueError, match="padding token"):
            DataCollatorWithPadding(gpt2)([{"input_ids": [5]}, {"input_ids": [5, 6]}])

    def test_longer_than_max_length(self, bert):
        collator = DataCollatorWithPadding(bert, padding="max_length", max_length=2)
        with pytest.raises(ValueError, match="Unable to create a tensor from `input_ids`"):
            collator([{"input_ids": [5, 6, 7]}, {"input_ids": [5]}])

    def test_without_padding_rows_have_to_agree(self, bert):
        collator = DataCollatorWithPadding(bert, padding=False)
        assert collator([{"input_ids": [5]}, {"input_ids": [6]}])["input_ids"].shape == (2, 1)
        with pytest.raises(ValueError, match="Unable to create a tensor"):
            collator([{"input_ids": [5]}, {"input_ids": [6, 7]}])


class TestTokenClassification:
    def test_labels_longer_than_inputs(self, bert):
        with pytest.raises(ValueError, match="A row of 2 ids does not fit into 1"):
            DataCollatorForTokenClassification(bert)([{"input_ids": [5], "labels": [1, 2]}])

    def test_another_framework(self, bert, encoded):
        with pytest.raises(ValueError, match=r"Framework 'tf' not recognized.*'pt'.*'np'"):
            DataCollatorForTokenClassification(bert)(encoded, return_tensors="tf")


class TestSeq2Seq:
    FEATURES = ({"input_ids": [5, 6, 7], "labels": [8]}, {"input_ids": [5], "labels": [8, 9]})

    def test_the_model_makes_decoder_inputs(self):
        tokenizer = AutoTokenizer.from_pretrained(HUB / "text-to-text-t5")
        model = T5ForConditionalGeneration(
            T5Config(
                vocab_size=30, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, decoder_start_token_id=0
            )
        )
        batch = DataCollatorForSeq2Seq(tokenizer, model=model)(list(self.FEATURES))
        assert batch["labels"].tolist() == [[8, -100], [8, 9]]
        assert batch["decoder_input_ids"].tolist() == [[0, 8], [0, 8]]

    def test_examples_without_labels(self, bert):
        batch = DataCollatorForSeq2Seq(bert)(
            [{"input_ids": [5], "labels": None}, {"input_ids": [6], "labels": None}]
        )
        assert "labels" not in batch

    def test_some_without_labels(self, bert):
        with pytest.raises(ValueError, match="Some examples of the batch have `labels`"):
            DataCollatorForSeq2Seq(bert)(
                [{"input_ids": [5], "labels": [1]}, {"input_ids": [6], "labels": None}]
            )

    def test_unpadded_labels_have_to_agree(self, bert):
        with pytest.raises(ValueError, match="The labels differ in length"):
            DataCollatorForSeq2Seq(bert, padding=False)(
                [{"input_ids": [5], "labels": [1]}, {"input_ids": [6], "labels": [1, 2]}]
            )

    def test_features_are_not_changed(self, bert):
        features = [dict(row) for row in self.FEATURES]
        DataCollatorForSeq2Seq(bert)(features)
        assert features == list(self.FEATURES)


class TestLanguageModeling:
    @pytest.mark.parametrize(
        ("kwargs", "message"),
        [
            ({"mlm_probability": 1.5}, "mlm_probability should be between 0 and 1, not 1.5"),
            ({"mlm_probability": None}, "mlm_probability should be between 0 and 1"),
            ({"mask_replace_prob": 0.8, "random_replace_prob": 0.3}, "should not exceed 1"),
            ({"mask_replace_prob": -0.1}, "mask_replace_prob should be between 0 and 1"),
            ({"random_replace_prob": 2}, "random_replace_prob should be between 0 and 1"),
            ({"mlm": False, "whole_word_mask": True}, "can only be used with mlm=True"),
        ],
    )
    def test_refuses(self, bert, kwargs, message):
        with pytest.raises(ValueError, match=message):
            DataCollatorForLanguageModeling(bert, **kwargs)

    def test_needs_a_mask_token(self, gpt2):
        with pytest.raises(ValueError, match="You should pass `mlm=False`"):
            DataCollatorForLanguageModeling(gpt2)

    def test_equal_rows_need_no_padding_token(self, gpt2):
        collator = DataCollatorForLanguageModeling(gpt2, mlm=False)
        assert collator([[1, 2], [3, 4]])["labels"].tolist() == [[1, 2], [3, 4]]
        with pytest.raises(ValueError, match="does not have a pad token"):
            collator([[1, 2], [3]])

    def test_special_tokens_are_never_chosen(self, bert, encoded):
        batch = DataCollatorForLanguageModeling(bert, mlm_probability=1.0)(encoded)
        special = torch.isin(batch["labels"], torch.tensor([0, 1, 2, 3]))
        assert not special.any()
        assert (batch["labels"] != -100).sum() == sum(len(row["input_ids"]) - 2 for row in encoded)

    def test_shares(self, bert):
        torch.manual_seed(0)
        ids = torch.randint(5, 300, (40, 500))
        batch = DataCollatorForLanguageModeling(bert)([{"input_ids": row} for row in ids])
        chosen = batch["labels"] != -100
        masked = chosen & (batch["input_ids"] == bert.mask_token_id)
        kept = chosen & (batch["input_ids"] == ids)
        assert chosen.float().mean().item() == pytest.approx(0.15, abs=0.01)
        assert (masked.sum() / chosen.sum()).item() == pytest.approx(0.8, abs=0.03)
        assert (kept.sum() / chosen.sum()).item() == pytest.approx(0.1, abs=0.03)

    def test_a_seed_of_its_own_leaves_the_global_one(self, bert, encoded):
        torch.manual_seed(1)
        before = torch.get_rng_state()
        one, two = (DataCollatorForLanguageModeling(bert, seed=4)(encoded)["labels"] for _ in range(2))
        assert torch.equal(one, two)
        assert torch.equal(before, torch.get_rng_state())

    def test_workers_draw_differently(self, bert):
        rows = [{"input_ids": list(range(10, 60))}] * 2
        loader = DataLoader(
            rows,
            1,
            num_workers=2,
            collate_fn=DataCollatorForLanguageModeling(bert, seed=4, mlm_probability=0.5),
        )
        one, two = (batch["labels"] for batch in loader)
        assert not torch.equal(one, two)

    def test_whole_words_need_offsets(self, bert, encoded):
        with pytest.warns(UserWarning, match="mask_replace_prob is set to 1"):
            collator = DataCollatorForLanguageModeling(bert, whole_word_mask=True)
        with pytest.raises(ValueError, match="return_offsets_mapping=True"):
            collator(encoded)

    @pytest.mark.parametrize("side", ["left", "right"])
    def test_whole_words_of_unequal_rows(self, bert, side):
        bert.padding_side = side
        texts = ("unhappy whales", "the fox", "an unhappy fox sings loudly")
        rows = [bert(text, return_offsets_mapping=True) for text in texts]
        collator = DataCollatorForLanguageModeling(
            bert, whole_word_mask=True, mask_replace_prob=1.0, random_replace_prob=0.0, mlm_probability=0.5
        )
        torch.manual_seed(0)
        labels = collator(rows)["labels"]
        bert.padding_side = "right"
        for row, line in zip(rows, labels, strict=True):
            chosen = line[: len(row["input_ids"])] if side == "right" else line[-len(row["input_ids"]) :]
            words: dict[int, set[bool]] = {}
            for word, label in zip(row.word_ids(), chosen.tolist(), strict=True):
                if word is not None:
                    words.setdefault(word, set()).add(label != -100)
            assert all(len(fates) == 1 for fates in words.values())


class TestWholeWords:
    def test_other_tokenizers_are_warned_of(self):
        tokenizer = AutoTokenizer.from_pretrained(HUB / "stories-gpt2", pad_token="<|endoftext|>")
        tokenizer.add_special_tokens({"mask_token": "<mask>"})
        with pytest.warns(UserWarning, match="every token counts as a word"):
            DataCollatorForWholeWordMask(tokenizer)([tokenizer("The little fox")["input_ids"]])


class TestPermutation:
    def test_lengths_are_even(self, bert):
        with pytest.raises(
            ValueError, match="be even to create a leakage-free perm_mask: the longest row has 3"
        ):
            DataCollatorForPermutationLanguageModeling(bert)([[5, 6, 7]])

    def test_needs_a_mask_token(self, gpt2):
        with pytest.raises(ValueError, match="does not have a mask token"):
            DataCollatorForPermutationLanguageModeling(gpt2)([[5, 6]])

    @pytest.mark.parametrize("kind", ["pt", "np"])
    def test_no_token_sees_itself_or_what_comes_later(self, bert, kind):
        torch.manual_seed(0)
        np.random.seed(0)
        ids = list(range(10, 42))
        batch = DataCollatorForPermutationLanguageModeling(bert, return_tensors=kind)([{"input_ids": ids}])
        mask, chosen = np.asarray(batch["perm_mask"][0]), np.asarray(batch["labels"][0]) != -100
        assert chosen.any()
        assert not mask[:, ~chosen].any()  # what is not predicted is seen by all
        assert mask[np.ix_(chosen, chosen)].diagonal().all()
        assert mask[np.ix_(~chosen, chosen)].all()
        pair = mask[np.ix_(chosen, chosen)]
        assert ((pair + pair.T) >= 1).all()  # of two, at most one sees the other
        runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(int), [0]]))))[::2]
        assert runs.max() <= 10  # two spans of five may touch


class TestMultipleChoice:
    def test_arrays(self, bert):
        features = [{"input_ids": [[5], [6, 7]], "label": 1}, {"input_ids": [[5], [6]], "label": 0}]
        batch = DataCollatorForMultipleChoice(bert, return_tensors="np")(features)
        assert batch["input_ids"].shape == (2, 2, 2)
        assert batch["labels"].tolist() == [1, 0]

    def test_as_many_choices_each(self, bert):
        features = [{"input_ids": [[5], [6, 7]], "label": 1}, {"input_ids": [[5]], "label": 0}]
        with pytest.raises(ValueError, match=r"as many choices; here are \[1, 2\]"):
            DataCollatorForMultipleChoice(bert)(features)

    def test_prediction_without_labels(self, bert):
        assert "labels" not in DataCollatorForMultipleChoice(bert)([{"input_ids": [[5], [6, 7]]}])


class TestDefault:
    def test_takes_objects(self):
        class Example:
            def __init__(self, number):
                self.input_ids, self.label = [number], number

        batch = default_data_collator([Example(1), Example(2)])
        assert batch["input_ids"].tolist() == [[1], [2]]

    def test_does_not_pad(self):
        with pytest.raises(ValueError, match=r"'a' differ in shape.*DataCollatorWithPadding"):
            default_data_collator([{"a": [1]}, {"a": [1, 2]}])
        with pytest.raises(ValueError, match="'a' differ in shape"):
            default_data_collator([{"a": torch.ones(1)}, {"a": torch.ones(2)}])

    def test_lists_of_text(self):
        with pytest.raises(ValueError, match="'a' are no numbers"):
            default_data_collator([{"a": ["x"]}])

    @pytest.mark.parametrize(
        "make", [default_data_collator, DefaultDataCollator(), DataCollatorWithFlattening()]
    )
    def test_refuses(self, make):
        with pytest.raises(ValueError, match="at least one example"):
            make([])
        with pytest.raises(ValueError, match="'tf'"):
            make([{"input_ids": [1]}], return_tensors="tf")


def test_flattened_lengths():
    batch = DataCollatorWithFlattening(return_flash_attn_kwargs=True)(
        [{"input_ids": [1, 2]}, {"input_ids": [3]}]
    )
    assert batch["cu_seq_lens_q"].tolist() == [0, 2, 3]
    assert batch["max_length_q"] == 2
    assert batch["labels"].tolist() == [[-100, 2, -100]]


@pytest.mark.parametrize("rows", [[[], [1, 2]], [[1, 2], []], [[]]])
def test_flattening_examples_without_tokens(rows):
    batch = DataCollatorWithFlattening()([{"input_ids": row} for row in rows])
    assert batch["labels"].tolist() == [[-100, 2] if any(rows) else []]
    assert batch["position_ids"].shape == batch["input_ids"].shape


@pytest.mark.parametrize(
    "kind",
    [
        DataCollatorForLanguageModeling,
        DataCollatorForMultipleChoice,
        DataCollatorForPermutationLanguageModeling,
        DataCollatorForSeq2Seq,
        DataCollatorForTokenClassification,
        DataCollatorForWholeWordMask,
        DataCollatorWithPadding,
    ],
)
def test_an_empty_batch(bert, kind):
    with pytest.raises(ValueError, match="at least one example"):
        kind(bert)([])
