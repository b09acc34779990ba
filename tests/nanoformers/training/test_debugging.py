"""`DebugUnderflowOverflow`: a real overflow of half precision is found where it begins."""

from __future__ import annotations

import pytest
import torch
from nanoformers import T5Config, T5ForConditionalGeneration
from nanoformers.debug_utils import DebugUnderflowOverflow, detect_overflow, get_abs_min_max
from torch import nn


def t5_in_half_precision(scale: float) -> T5ForConditionalGeneration:
    """Return a gated T5 whose second encoder layer makes numbers `scale` times as large."""
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=40,
        d_model=16,
        d_kv=4,
        d_ff=32,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        decoder_start_token_id=0,
    )
    model = T5ForConditionalGeneration(config).half().eval()
    with torch.no_grad():
        dense = model.encoder.block[1].layer[1].DenseReluDense
        for part in (dense.wi_0, dense.wi_1, dense.wo):
            part.weight.mul_(scale)
    return model


INPUTS = {"input_ids": torch.arange(8)[None] + 2, "decoder_input_ids": torch.arange(3)[None]}


class TestDetection:
    def test_a_model_in_order_runs_on(self):
        model = t5_in_half_precision(1.0)
        watch = DebugUnderflowOverflow(model)
        for _ in range(3):
            model(**INPUTS)
        assert watch.batch_number == 3

    def test_finds_the_layer_of_a_t5_block(self, capsys):
        model = t5_in_half_precision(64.0)
        DebugUnderflowOverflow(model, max_frames_to_save=4)
        with pytest.raises(
            ValueError, match="inf/nan detected, aborting as there is no point running further"
        ):
            model(**INPUTS)
        lines = capsys.readouterr().out.splitlines()
        assert "Detected inf/nan during batch_number=0" in lines
        assert "Last 4 forward frames:" in lines
        frames = [line.strip() for line in lines if line.startswith(" " * 17)]
        assert frames[-1].startswith("encoder.block.1.layer.1.DenseReluDense")
        assert any(line.split()[1:] == ["inf", "output"] for line in lines if line.endswith("output"))

    def test_finds_a_weight_that_is_no_number(self, capsys):
        model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        with torch.no_grad():
            model[1].bias[0] = float("nan")
        DebugUnderflowOverflow(model)
        with pytest.raises(ValueError, match="inf/nan detected"):
            model(torch.ones(1, 2))
        assert "bias has nans" in capsys.readouterr().out

    def test_looks_into_dictionaries_and_tuples(self, capsys):
        class Split(nn.Module):
            def forward(self, x):
                return {"fine": x, "pair": (x, (x / 0, None, "text"))}

        model = Split()
        DebugUnderflowOverflow(model)
        with pytest.raises(ValueError, match="inf/nan detected"):
            model(torch.ones(2))
        printed = capsys.readouterr().out
        assert "output[pair][1][0] has infs" in printed
        assert "             None output[pair][1][1]" in printed
        assert "     not a tensor output[pair][1][2]" in printed

    def test_can_be_removed(self):
        model = t5_in_half_precision(64.0)
        DebugUnderflowOverflow(model).remove()
        model(**INPUTS)


class TestTracing:
    def test_prints_the_batches_that_were_asked_for(self, capsys):
        model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        DebugUnderflowOverflow(model, trace_batch_nums=[1, 3])
        for _ in range(5):
            model(torch.ones(1, 2))
        printed = capsys.readouterr().out
        assert printed.count("*** Starting batch number=") == 2
        assert "batch number=1" in printed
        assert "batch number=3" in printed
        assert printed.count("  0 Linear") == 2

    def test_judges_nothing_in_a_traced_batch(self, capsys):
        model = t5_in_half_precision(64.0)
        DebugUnderflowOverflow(model, trace_batch_nums=[0])
        model(**INPUTS)
        assert "inf output" in capsys.readouterr().out
        with pytest.raises(ValueError, match="inf/nan detected"):
            model(**INPUTS)

    def test_stops_after_a_batch(self):
        model = nn.Linear(2, 2)
        DebugUnderflowOverflow(model, abort_after_batch_num=1)
        model(torch.ones(1, 2))
        with pytest.raises(
            ValueError, match=r"aborting after 2 batches due to `abort_after_batch_num=1` arg"
        ):
            model(torch.ones(1, 2))


class TestMeasures:
    def test_smallest_and_largest(self):
        assert get_abs_min_max(torch.tensor([-3.0, 0.5]), "x") == "5.00e-01 3.00e+00 x"
        assert get_abs_min_max(torch.tensor([True, False]), "x") == "0.00e+00 1.00e+00 x"
        assert get_abs_min_max(torch.empty(0), "x") == "            empty x"

    @pytest.mark.parametrize(
        ("values", "found"),
        [([1.0, float("inf")], "x has infs"), ([float("nan")], "x has nans"), ([1.0], ""), ([300.0**2], "")],
    )
    def test_overflow(self, capsys, values, found):
        assert detect_overflow(torch.tensor(values), "x") is bool(found)
        assert capsys.readouterr().out.strip() == found

    def test_half_precision_overflows(self):
        assert detect_overflow(torch.tensor(300.0).half() ** 2, "x")

    def test_whole_numbers_cannot(self):
        assert not detect_overflow(torch.tensor([1, 2]), "x")
