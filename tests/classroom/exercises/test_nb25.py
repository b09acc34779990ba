"""Checkers of notebook 25: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

from collections import Counter

import pytest
from classroom.exercises import Wrong, check, nb25


def shift_right(labels, start, pad):
    return [start] + [pad if label == -100 else label for label in labels[:-1]]


def clipped_precision(candidate, reference):
    return sum((Counter(candidate) & Counter(reference)).values()) / len(candidate)


class TestWhatTheDecoderReads:
    def test_a_shift_is_right(self):
        assert check("25.1", shift_right)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda labels, start, pad: labels, "labels and their end"),
            (lambda labels, start, pad: [start, *labels[:-1]], "padded labels"),
            (lambda labels, start, pad: None, "not None"),
            ([0], "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb25.what_the_decoder_reads(answer)


class TestRightWords:
    def test_clipped_counts_are_right(self):
        assert check("25.2", clipped_precision)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda a, b: sum(word in b for word in a) / len(a), "the the the the"),
            (lambda a, b: len(set(a) & set(b)) / len(b), "the the the the"),
            (lambda a, b: sum(x == y for x, y in zip(a, b, strict=False)) / len(a), "the the the the"),
            (lambda a, b: None, "not a number"),
            (0.5, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb25.right_words(answer)
