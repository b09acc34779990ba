"""Checkers of notebook 16: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import pytest
from classroom.exercises import Wrong, check, nb16

LAST = {"r": 2, "target_modules": ["mlp.c_fc", "mlp.c_proj"], "layers_to_transform": [2]}


class TestSizeOfALora:
    def test_rank_times_the_widths_is_right(self):
        assert check("16.1", lambda r, width_in, width_out: r * (width_in + width_out))

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda r, i, o: i * o, "size of the weight"),
            (lambda r, i, o: r * i * o, "added, not multiplied"),
            (lambda r, i, o: r * (i + o) + i * o, "counts the weight too"),
            (lambda r, i, o: r * i, "there are 2560"),
            (2560, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb16.size_of_a_lora(answer)


class TestMergedWeight:
    def test_the_scaled_product_is_right(self):
        assert check("16.2", lambda W, A, B, r, alpha: W + alpha / r * B @ A)  # noqa: N803

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda w, a, b, r, alpha: w + b @ a, "scale is missing"),
            (lambda w, a, b, r, alpha: w + alpha * b @ a, "and not alpha"),
            (lambda w, a, b, r, alpha: w + r / alpha * b @ a, "and not r / alpha"),
            (lambda w, a, b, r, alpha: alpha / r * b @ a, "change alone"),
            (lambda w, a, b, r, alpha: w + a @ b, "shapes do not fit"),
            (lambda w, a, b, r, alpha: w, "another output"),
            (None, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb16.merged_weight(answer)


class TestLastFeedForward:
    @pytest.mark.parametrize("answer", [LAST, {"r": 2, "target_modules": r".*h\.2\.mlp\.c_(fc|proj)"}])
    def test_the_two_layers_of_the_last_block_are_right(self, answer):
        assert check("16.3", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (LAST | {"target_modules": ["c_fc", "c_proj"]}, r"also on transformer\.h\.2\.attn\.c_proj"),
            (LAST | {"layers_to_transform": None}, r"also on transformer\.h\.0\.mlp\.c_fc"),
            (LAST | {"target_modules": ["mlp.c_fc"]}, r"not on transformer\.h\.2\.mlp\.c_proj"),
            (LAST | {"layers_to_transform": [3]}, "refused"),
            (LAST | {"rank": 2}, "refused"),
            (LAST | {"r": 8}, "the rank is 8"),
            ("mlp", "dictionary"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb16.last_feed_forward(answer)
