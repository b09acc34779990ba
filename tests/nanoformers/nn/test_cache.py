"""The key/value cache."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nanoformers.nn.cache import KeyValueCache


def states(length: int, seed: int = 0, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 3, length, 4, generator=torch.Generator().manual_seed(seed))


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=12), room=st.integers(0, 20))
def test_it_is_a_concatenation(lengths, room):
    cache = KeyValueCache(room)
    pieces = [(states(n, seed=i), states(n, seed=i + 100)) for i, n in enumerate(lengths)]
    for key, value in pieces:
        keys, values = cache.update(key, value, 0)
    assert torch.equal(keys, torch.cat([key for key, _ in pieces], 2))
    assert torch.equal(values, torch.cat([value for _, value in pieces], 2))
    assert cache.get_seq_length() == sum(lengths)


def test_a_step_moves_nothing_once_there_is_room():
    cache = KeyValueCache(8)
    places = {cache.update(states(1, i), states(1, i), 0)[0].data_ptr() for i in range(8)}
    assert len(places) == 1


def test_buffers_double():
    cache = KeyValueCache()
    places = [cache.update(states(1, i), states(1, i), 0)[0].data_ptr() for i in range(64)]
    moves = sum(a != b for a, b in itertools.pairwise(places))
    assert moves <= 7


def test_crop():
    cache = KeyValueCache()
    whole = states(5)
    cache.update(whole, whole, 0)
    cache.crop(3)
    assert torch.equal(cache[0][0], whole[:, :, :3])
    cache.crop(-1)
    assert cache.get_seq_length() == 2
    cache.crop(9)
    assert cache.get_seq_length() == 2
    keys, _ = cache.update(states(1, 7), states(1, 7), 0)
    assert torch.equal(keys, torch.cat((whole[:, :, :2], states(1, 7)), 2))


def test_reorder():
    cache = KeyValueCache()
    whole, encoder = states(3), states(2, 5)
    cache.update(whole, whole, 0)
    cache.keep_encoder(encoder, encoder, 0)
    cache.reorder(torch.tensor([1, 1, 0]))
    assert torch.equal(cache[0][0], whole[[1, 1, 0]])
    assert torch.equal(cache[0][2], encoder[[1, 1, 0]])


def test_tuples_of_older_code():
    cache = KeyValueCache()
    for layer in range(2):
        cache.update(states(3, layer), states(3, layer), layer)
        cache.keep_encoder(states(2, layer), states(2, layer), layer)
    legacy = cache.to_legacy_cache()
    assert [len(layer) for layer in legacy] == [4, 4]
    again = KeyValueCache.of(legacy)
    assert len(again) == 2
    assert all(
        torch.equal(a, b) for x, y in zip(again, legacy, strict=True) for a, b in zip(x, y, strict=True)
    )
    assert KeyValueCache.of(again) is again
    assert len(KeyValueCache.of(None)) == 0


def test_layers_outside():
    cache = KeyValueCache()
    cache.update(states(3), states(3), 0)
    assert torch.equal(cache[-1][0], cache[0][0])
    assert cache.get_seq_length(5) == 0
    with pytest.raises(IndexError):
        cache[1]


def test_gradients_flow_through_it():
    cache = KeyValueCache()
    first, second = states(2).requires_grad_(), states(1, 1).requires_grad_()
    for new in (first, second):
        keys, values = cache.update(new, new, 0)
        loss = (keys.exp() * values).sum()
    loss.backward()
    assert first.grad.abs().sum() > 0
    assert second.grad.abs().sum() > 0
