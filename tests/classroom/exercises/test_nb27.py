"""Checkers of notebook 27: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import pytest
from classroom.exercises import Wrong, check, nb27


def pairs(row):
    number = sum(name.startswith("ending") for name in row)
    return [(row["sent1"], f"{row['sent2']} {row[f'ending{i}']}") for i in range(number)]


def most_helped(given, alone):
    gains = [sum(after) - sum(before) for after, before in zip(given, alone, strict=True)]
    return gains.index(max(gains))


def best(scores):
    return scores.index(max(scores))


class TestPairsOfARow:
    def test_as_many_pairs_as_endings_are_right(self):
        assert check("27.1", pairs)

    def test_lists_of_two_are_right_too(self):
        assert check("27.1", lambda row: [list(pair) for pair in pairs(row)])

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda row: pairs(row)[:4], "eleven endings"),
            (lambda row: [(row["sent1"], row[f"ending{i}"]) for i in range(4)], "four endings"),
            (
                lambda row: [
                    (row["sent1"], f"{row['sent2']} {row[name]}") for name in sorted(row) if "ending" in name
                ],
                "eleven endings",
            ),
            (lambda row: None, "four endings"),
            ([], "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb27.pairs_of_a_row(answer)


class TestHelpedMost:
    def test_the_greatest_gain_is_right(self):
        assert check("27.2", most_helped)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda given, alone: best([sum(tokens) for tokens in given]), "likely anyway"),
            (
                lambda given, alone: best(
                    [sum(a) / len(a) - sum(b) / len(b) for a, b in zip(given, alone, strict=True)],
                ),
                "helped in two places",
            ),
            (lambda given, alone: None, "likely anyway"),
            (0, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb27.helped_most(answer)
