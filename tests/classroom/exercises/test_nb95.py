"""Checkers of notebook 95: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import pytest
from classroom.exercises import Wrong, check, nb95


class TestSevenBillion:
    def test_sixteen_bytes_a_weight_are_right(self):
        assert check("95.1", 112)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (28, "weights alone"),
            (84, "without gradients"),
            (126, "mixed"),
            (100, "Not 100"),
            ("112", "number"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb95.seven_billion(answer)


class TestLargestBatch:
    def test_what_is_left_in_whole_texts_is_right(self):
        assert check("95.2", lambda weights, each, room: max(0, (room - 16 * weights) // each))

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda weights, each, room: (room - 16 * weights) / each, "1, not"),
            (lambda weights, each, room: (room - 16 * weights) // each, "0, not -"),
            (4, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb95.largest_batch(answer)
