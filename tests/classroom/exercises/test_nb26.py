"""Checkers of notebook 26: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

from itertools import pairwise

import pytest
from classroom.exercises import Wrong, check, nb26


def rouge_l(candidate, reference):
    row = [0] * (len(reference) + 1)
    for word in candidate:
        above, row = row, [0]
        for place, other in enumerate(reference):
            row.append(above[place] + 1 if word == other else max(row[-1], above[place + 1]))
    return 2 * row[-1] / (len(candidate) + len(reference))


def novel(summary, story):
    pairs, known = list(pairwise(summary)), set(pairwise(story))
    return sum(pair not in known for pair in pairs) / len(pairs) if pairs else 0.0


class TestLongestInOrder:
    def test_the_longest_common_sequence_is_right(self):
        assert check("26.1", rouge_l)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda a, b: 2 * len(set(a) & set(b)) / (len(a) + len(b)), "another order"),
            (lambda a, b: sum(x == y for x, y in zip(a, b, strict=False)) / len(a), "words left out"),
            (lambda a, b: None, "not a number"),
            (1.0, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb26.longest_in_order(answer)


class TestOwnWords:
    def test_pairs_that_the_story_lacks_are_right(self):
        assert check("26.2", novel)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda a, b: sum(word not in b for word in a) / len(a), "joined anew"),
            (lambda a, b: 1 - novel(a, b), "copied sentence"),
            (lambda a, b: "all", "not a number"),
            ([], "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb26.own_words(answer)
