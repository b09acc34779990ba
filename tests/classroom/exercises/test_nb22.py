"""Checkers of notebook 22: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

from collections import Counter

import pytest
from classroom.exercises import Wrong, check, nb22


def best_pair(start, end, longest):
    pairs = [(i, j) for i in range(len(start)) for j in range(i, min(i + longest, len(end)))]
    return max(pairs, key=lambda pair: start[pair[0]] + end[pair[1]])


def word_f1(found, right):
    found, right = Counter(found.split()), Counter(right.split())
    common = (found & right).total()
    return 2 * common / (found.total() + right.total()) if common else 0.0


class TestBestOfAllPairs:
    def test_a_search_over_all_pairs_is_right(self):
        assert check("22.1", best_pair)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda s, e, n: (s.index(max(s)), e.index(max(e))), "cross"),
            (lambda s, e, n: best_pair(s, e, 99), "too long"),
            (lambda s, e, n: None, "in order"),
            ((1, 2), "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb22.best_of_all_pairs(answer)


class TestF1OfWords:
    def test_common_words_are_right(self):
        assert check("22.2", word_f1)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda found, right: float(found == right), "a red kite"),
            (lambda found, right: 1.0, "a red kite"),
            (0.8, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb22.f1_of_words(answer)
