"""What base models of one sequence do, whatever their architecture. Their numbers: tests/parity."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from nanoformers import PretrainedConfig, PreTrainedModel

IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])


class BaseModelTests:
    """For any base model. A subclass names it, and arguments of a configuration.

    These say: two layers, 16 wide, with four heads; 50 tokens; 12 positions.
    """

    model_class: ClassVar[type[PreTrainedModel]]
    config_class: ClassVar[type[PretrainedConfig]]
    shape: ClassVar[dict[str, Any]]

    def model(self, **config: Any) -> Any:
        """A small model, in evaluation mode, that has always the same weights."""
        torch.manual_seed(0)
        return self.model_class(self.config_class(**self.shape, **config)).eval()

    def test_padding_that_is_masked_changes_nothing(self):
        model = self.model()
        alone = model(torch.tensor([[5, 6]])).last_hidden_state
        ids, mask = torch.tensor([[1, 2, 3, 4], [5, 6, 0, 0]]), torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
        torch.testing.assert_close(model(ids, attention_mask=mask).last_hidden_state[1:, :2], alone)

    def test_a_mask_for_each_query(self):
        model = self.model()
        mask = torch.ones(4, 4, dtype=torch.long).tril().expand(2, -1, -1)
        changed = IDS.clone()
        changed[:, 3] = 9
        states, others = (model(ids, attention_mask=mask).last_hidden_state for ids in (IDS, changed))
        torch.testing.assert_close(states[:, :3], others[:, :3])
        assert not torch.allclose(states[:, 3], others[:, 3])

    def test_mask_of_another_length(self):
        with pytest.raises(ValueError, match=r"attention_mask has shape \(2, 3\)"):
            self.model()(IDS, attention_mask=torch.zeros(2, 3))

    def test_too_long(self):
        with pytest.raises(
            ValueError, match=r"The sequence has 13 tokens.*positions for 12.*truncation=True"
        ):
            self.model()(torch.ones(1, 13, dtype=torch.long))

    @pytest.mark.parametrize(
        "inputs", [{}, {"input_ids": IDS, "inputs_embeds": torch.zeros(2, 4, 16)}], ids=["neither", "both"]
    )
    def test_ids_or_embeddings(self, inputs):
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            self.model()(**inputs)

    def test_an_empty_batch(self):
        assert self.model()(torch.zeros(0, 4, dtype=torch.long)).last_hidden_state.shape == (0, 4, 16)

    @pytest.mark.parametrize("shape", [(4,), (2, 4)], ids=str)
    def test_head_mask(self, shape):
        model = self.model()
        with_ones = model(IDS, head_mask=torch.ones(shape)).last_hidden_state
        torch.testing.assert_close(with_ones, model(IDS).last_hidden_state)
        output = model(IDS, head_mask=torch.zeros(shape), output_attentions=True)
        assert all(weights.abs().sum() == 0 for weights in output.attentions)

    def test_head_mask_of_another_shape(self):
        with pytest.raises(ValueError, match="head_mask has shape"):
            self.model()(IDS, head_mask=torch.ones(3, 4))

    def test_what_the_configuration_asks_for(self):
        output = self.model(output_hidden_states=True, output_attentions=True)(IDS)
        assert [state.shape for state in output.hidden_states] == [(2, 4, 16)] * 3
        assert [weights.shape for weights in output.attentions] == [(2, 4, 4, 4)] * 2
        assert torch.equal(output.hidden_states[-1], output.last_hidden_state)

    @pytest.mark.parametrize("config", [{"return_dict": False}, {"torchscript": True}], ids=str)
    def test_tuples(self, config):
        assert isinstance(self.model(**config)(IDS), tuple)

    def test_written_out_attention_by_name(self):
        fused, written_out = self.model(), self.model(attn_implementation="eager")
        torch.testing.assert_close(written_out(IDS).last_hidden_state, fused(IDS).last_hidden_state)


class EncoderTests(BaseModelTests):
    """For an encoder, too: it can be chunked, and be traced with a mask."""

    def test_chunked_feed_forward(self):
        whole, chunked = self.model(), self.model(chunk_size_feed_forward=2)
        torch.testing.assert_close(chunked(IDS).last_hidden_state, whole(IDS).last_hidden_state)

    @pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
    def test_traced(self):
        model = self.model(torchscript=True)
        traced = torch.jit.trace(model, (IDS, torch.ones_like(IDS)))
        mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
        torch.testing.assert_close(traced(IDS, mask)[0], model(IDS, mask)[0])
