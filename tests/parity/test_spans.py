"""The layers that find answer spans, against the reference library's (XLM keeps them in its release 5)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from nanoformers.modeling_utils import PoolerAnswerClass, PoolerEndLogits, SQuADHead
from transformers.models.xlm.modeling_xlm import XLMSQuADHead

CONFIG = SimpleNamespace(hidden_size=12, layer_norm_eps=1e-12, start_n_top=3, end_n_top=2)
STATES = torch.randn(4, 9, 12, generator=torch.Generator().manual_seed(0))
STARTS, ENDS = torch.tensor([1, 0, 8, 3]), torch.tensor([2, 0, 8, 7])
CLS, IMPOSSIBLE = torch.tensor([0, 8, 4, 2]), torch.tensor([1.0, 0.0, 0.0, 1.0])
P_MASK = (torch.arange(9) < torch.tensor([[0], [1], [5], [3]])).float()


@pytest.fixture
def heads() -> tuple[SQuADHead, XLMSQuADHead]:
    torch.manual_seed(1)
    theirs = XLMSQuADHead(CONFIG)
    ours = SQuADHead(CONFIG)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@pytest.mark.parametrize("p_mask", [None, P_MASK], ids=["open", "masked"])
@pytest.mark.parametrize("cls_index", [None, CLS], ids=["last", "cls"])
def test_spans(heads, cls_index, p_mask):
    ours, theirs = (head(STATES, cls_index=cls_index, p_mask=p_mask) for head in heads)
    assert len(ours) == len(theirs) == 5
    assert ours[0].shape == (4, 3)
    assert ours[2].shape == (4, 6)
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a.float(), b.float(), atol=1e-6)


@pytest.mark.parametrize(
    "extra", [{}, {"cls_index": CLS, "is_impossible": IMPOSSIBLE}], ids=["span", "class"]
)
@pytest.mark.parametrize("column", [False, True])
def test_loss_and_gradients(heads, extra, column):
    gradients = []
    for head in heads:
        starts, ends = (value.clone()[:, None] if column else value.clone() for value in (STARTS, ENDS))
        (loss,) = head(STATES, starts, ends, **extra)
        gradients.append([loss.detach(), *torch.autograd.grad(loss, list(head.parameters())[:8])])
    for a, b in zip(*gradients, strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_as_an_output(heads):
    output = heads[0](STATES, return_dict=True)
    assert list(output) == [
        "start_top_log_probs",
        "start_top_index",
        "end_top_log_probs",
        "end_top_index",
        "cls_logits",
    ]
    assert list(heads[0](STATES, STARTS, ENDS, return_dict=True)) == ["loss"]


@pytest.mark.parametrize("layer", [PoolerEndLogits, PoolerAnswerClass])
def test_a_start_is_needed(layer):
    with pytest.raises(ValueError, match="One of start_states, start_positions"):
        layer(CONFIG)(STATES)
