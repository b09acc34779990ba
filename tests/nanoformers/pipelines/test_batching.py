"""Batches are made of similar lengths, padded key by key, and taken apart again."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nanoformers.outputs import BaseModelOutput
from nanoformers.pipelines.batching import PaddingRule, pad_batch, plan_batches, take_row


@given(st.lists(st.integers(0, 500), max_size=60), st.integers(1, 9))
def test_a_plan_has_every_input_once_in_small_enough_batches(lengths, batch_size):
    batches = plan_batches(lengths, batch_size)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) <= batch_size for batch in batches)


@given(st.lists(st.integers(1, 500), max_size=60), st.integers(1, 9))
def test_no_more_than_a_quarter_of_a_batch_is_padding(lengths, batch_size):
    for batch in plan_batches(lengths, batch_size):
        chosen = [lengths[index] for index in batch]
        assert max(chosen) * len(chosen) * 0.75 <= sum(chosen)


def test_equal_lengths_keep_their_order():
    assert plan_batches([3, 3, 3, 3, 3], 2) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize(("side", "row"), [("right", [5, 6, 9]), ("left", [9, 5, 6])])
def test_ids_are_padded_with_the_token_and_masks_with_zero(side, row):
    items = [
        {"input_ids": torch.tensor([[1, 2, 3]]), "attention_mask": torch.ones(1, 3)},
        {"input_ids": torch.tensor([[5, 6]]), "attention_mask": torch.ones(1, 2)},
    ]
    batch = pad_batch(items, PaddingRule(side=side, token=9))
    assert batch["input_ids"].tolist() == [[1, 2, 3], row]
    assert batch["attention_mask"].sum(1).tolist() == [3, 2]


@pytest.mark.parametrize("name", ["p_mask", "special_tokens_mask"])
def test_masks_of_the_unwanted_are_padded_with_one(name):
    items = [{name: torch.zeros(1, 2)}, {name: torch.zeros(1, 1)}]
    assert pad_batch(items, PaddingRule())[name].tolist() == [[0, 0], [0, 1]]


def test_other_values_become_a_list_and_come_back():
    batch = pad_batch([{"text": "a"}, {"text": "b"}], PaddingRule())
    assert [take_row(batch, row) for row in range(2)] == [{"text": "a"}, {"text": "b"}]


def test_different_keys_cannot_be_batched():
    with pytest.raises(ValueError, match="same keys"):
        pad_batch([{"a": torch.ones(1, 1)}, {"b": torch.ones(1, 1)}], PaddingRule())


def test_a_row_of_outputs_is_a_batch_of_one():
    states = torch.arange(12.0).view(2, 3, 2)
    output = take_row(BaseModelOutput(last_hidden_state=states, hidden_states=(states, states)), 1)
    assert isinstance(output, BaseModelOutput)
    assert torch.equal(output.last_hidden_state, states[1:])
    assert [part.shape for part in output.hidden_states] == [(1, 3, 2)] * 2
