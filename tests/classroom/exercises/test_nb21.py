"""Checkers of notebook 21: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import pytest
from classroom.exercises import Wrong, check, nb21


def align_all(word_ids, tags):
    labels, before = [], None
    for word in word_ids:
        tag = None if word is None else tags[word]
        labels.append(-100 if tag is None else tag if word != before else tag + tag % 2)
        before = word
    return labels


def spans(tags):
    found, kind, first = set(), None, 0
    for place, tag in enumerate([*tags, "O"]):
        prefix, _, this = tag.partition("-")
        if kind is not None and (prefix != "I" or this != kind):
            found.add((kind, first, place - 1))
            kind = None
        if prefix != "O" and kind is None:
            kind, first = this, place
    return found


class TestEveryPiece:
    def test_pieces_that_go_on_are_right(self):
        assert check("21.1", align_all)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda words, tags: [-100 if w is None else tags[w] for w in words], "a name in two pieces"),
            (lambda words, tags: [0 if w is None else tags[w] for w in words], "a name in two pieces"),
            ([], "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb21.every_piece(answer)


class TestWholeEntities:
    def test_sets_of_spans_are_right(self):
        assert check("21.2", spans)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda tags: {(t[2:], i, i) for i, t in enumerate(tags) if t[0] == "B"}, "three words"),
            (lambda tags: None, "one word"),
            ("spans", "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb21.whole_entities(answer)
