"""Activations, pruning and chunking."""

from __future__ import annotations

import pickle

import pytest
import torch
from nanoformers.nn.activations import ACT2FN, get_activation
from nanoformers.nn.layers import (
    Conv1D,
    apply_chunking_to_forward,
    find_pruneable_heads_and_indices,
    prune_conv1d_layer,
    prune_layer,
    prune_linear_layer,
)
from torch import nn

X = torch.linspace(-3, 3, 25)


@pytest.mark.parametrize("name", sorted(ACT2FN))
def test_activations_equal_the_reference(name):
    theirs = pytest.importorskip("transformers").activations.ACT2FN[name]
    torch.testing.assert_close(get_activation(name)(X), theirs(X), rtol=1e-4, atol=1e-6)
    assert torch.equal(pickle.loads(pickle.dumps(get_activation(name)))(X), get_activation(name)(X))


def test_unknown_activation():
    with pytest.raises(KeyError, match="'gelo' is no activation function; there are gelu"):
        get_activation("gelo")
    assert get_activation(torch.tanh) is torch.tanh


def test_heads_are_numbered_as_before_pruning():
    heads, index = find_pruneable_heads_and_indices([2], 3, 2, already_pruned_heads={0})
    assert heads == {2}
    assert index.tolist() == [0, 1, 4, 5]
    assert find_pruneable_heads_and_indices([0], 3, 2, {0})[0] == set()


@pytest.mark.parametrize("dim", [0, 1])
def test_pruned_linear_layer(dim):
    layer, index = nn.Linear(4, 4), torch.tensor([0, 3])
    pruned = prune_linear_layer(layer, index, dim)
    assert (pruned.in_features, pruned.out_features) == ((4, 2) if dim == 0 else (2, 4))
    assert torch.equal(pruned.weight, layer.weight.index_select(dim, index))
    assert torch.equal(pruned.bias, layer.bias[index] if dim == 0 else layer.bias)


def test_chunks_give_the_same_result():
    layer, x = nn.Linear(4, 6), torch.randn(2, 9, 4)
    torch.testing.assert_close(apply_chunking_to_forward(layer, 3, 1, x), layer(x))
    torch.testing.assert_close(apply_chunking_to_forward(torch.add, 3, 1, x, x), x + x)


def test_chunks_must_fit():
    x = torch.randn(2, 9, 4)
    with pytest.raises(ValueError, match="multiple of the chunk size 4"):
        apply_chunking_to_forward(torch.tanh, 4, 1, x)
    with pytest.raises(ValueError, match="same length"):
        apply_chunking_to_forward(torch.add, 3, 1, x, x[:, :3])


class TestConv1D:
    def test_it_is_a_linear_layer_with_a_transposed_weight(self):
        layer = Conv1D(3, 5)
        assert layer.weight.shape == (5, 3)
        assert not layer.bias.any()
        x = torch.randn(2, 4, 5)
        torch.testing.assert_close(layer(x), nn.functional.linear(x, layer.weight.T, layer.bias))
        assert repr(layer) == "Conv1D(nf=3, nx=5)"

    @pytest.mark.parametrize("dim", [0, 1])
    def test_pruned(self, dim):
        layer, index = Conv1D(4, 4), torch.tensor([0, 3])
        nn.init.normal_(layer.bias)
        x = torch.randn(2, 4)
        if dim == 1:
            torch.testing.assert_close(prune_conv1d_layer(layer, index)(x), layer(x)[:, index])
        else:
            kept = torch.zeros(4).index_fill(0, index, 1.0)
            torch.testing.assert_close(prune_conv1d_layer(layer, index, dim=0)(x[:, index]), layer(x * kept))
        assert layer.weight.shape == (4, 4)

    def test_pruning_by_class(self):
        index = torch.tensor([1])
        assert prune_layer(Conv1D(4, 2), index).weight.shape == (2, 1)
        assert prune_layer(Conv1D(4, 2), index, dim=0).weight.shape == (1, 4)
        assert prune_layer(nn.Linear(2, 4), index).weight.shape == (1, 2)
        assert prune_layer(nn.Linear(2, 4), index, dim=1).weight.shape == (4, 1)
        with pytest.raises(ValueError, match=r"Can't prune layer of class .*Embedding"):
            prune_layer(nn.Embedding(2, 2), index)
