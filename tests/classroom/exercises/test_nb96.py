"""Checkers of notebook 96: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import pytest
import torch
from classroom.exercises import Wrong, check, nb96
from nanoformers import AutoModel, BertConfig


def config(**changes):
    shape = {
        "vocab_size": 1000,
        "hidden_size": 132,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 512,
        "max_position_embeddings": 256,
    }
    return BertConfig(**{**shape, **changes})


def weigh(config, dtype):
    with torch.device("meta"):
        return AutoModel.from_config(config, dtype=dtype).get_memory_footprint(return_buffers=False)


class TestAMillion:
    def test_one_that_fits_is_right(self):
        assert check("96.1", config())

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (config(num_hidden_layers=3), "too few"),
            (config(hidden_size=256), "too many"),
            (config(hidden_size=130), "cannot be built"),
            (config(vocab_size=999), "vocabulary"),
            (config(num_hidden_layers=2), "layers are too few"),
            ({"vocab_size": 1000}, "dict"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb96.a_million(answer)


class TestMegabytes:
    def test_shapes_on_the_meta_device_are_right(self):
        assert check("96.2", lambda config, dtype: weigh(config, dtype) / 1e6)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (weigh, "Those are bytes"),
            (lambda config, dtype: weigh(config, torch.float32) / 1e6, "is `dtype` used"),
            (lambda config, dtype: 1.0, "it says 1.000"),
            (4.2, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb96.megabytes(answer)
