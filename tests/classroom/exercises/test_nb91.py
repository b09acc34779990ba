"""Checkers of notebook 91: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import pytest
from classroom.exercises import Wrong, check, nb91
from classroom.sources import minilm_folder
from nanoformers import AutoTokenizer

FIXED = {"padding": "max_length", "truncation": True, "max_length": 32}
WINDOWS = {
    "truncation": "only_second",
    "max_length": 64,
    "stride": 12,
    "return_overflowing_tokens": True,
}


@pytest.fixture(autouse=True)
def _tokenizer_without_a_hub(monkeypatch):
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    monkeypatch.setattr(nb91, "_tokenizer", lambda: tokenizer)


class TestRowsOfASize:
    @pytest.mark.parametrize(
        "answer", [FIXED, FIXED | {"truncation": "longest_first", "return_tensors": "pt"}]
    )
    def test_padding_and_truncation_to_one_length_are_right(self, answer):
        assert check("91.1", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ({"padding": "max_length", "max_length": 32}, "a short and a long text"),
            ({"truncation": True, "max_length": 32}, "two short texts"),
            ({"padding": True, "truncation": True, "max_length": 32}, "two short texts"),
            (FIXED | {"padding": "32"}, "refuses"),
            (32, "dictionary"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb91.rows_of_a_size(answer)


class TestShareOfPadding:
    def test_the_share_of_zeros_is_right(self):
        assert check("91.2", lambda mask: 1 - mask.float().mean().item())

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda mask: mask.float().mean(), "share of real tokens"),
            (lambda mask: (mask == 0).sum(), "divide"),
            (lambda mask: 0.1, "the share is"),
            (0.5, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb91.share_of_padding(answer)


class TestWindows:
    def test_overlapping_windows_of_the_context_are_right(self):
        assert check("91.3", WINDOWS)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (WINDOWS | {"truncation": True}, "cuts the question"),
            ({"truncation": "only_second", "max_length": 64}, "one window"),
            (WINDOWS | {"stride": 4}, "across the seam"),
            (WINDOWS | {"stride": 30}, "several times"),
            (WINDOWS | {"max_length": 40}, "not 64"),
            ("only_second", "dictionary"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb91.windows(answer)
