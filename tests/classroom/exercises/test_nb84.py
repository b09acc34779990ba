"""Checkers of notebook 84: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import pytest
from classroom import paths
from classroom.exercises import Wrong, check, nb84

FIRST = "how many layers there are"


class TestWhoKnows:
    def test_shape_numbers_and_words_are_right(self):
        assert check("84.1", nb84.WHO_KNOWS)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (nb84.WHO_KNOWS | {FIRST: "model"}, "built from it"),
            (nb84.WHO_KNOWS | {FIRST: None}, "Not yet"),
            (nb84.WHO_KNOWS | {FIRST: "hub"}, "none of"),
            ({FIRST: "configuration"}, "These are the questions"),
            ("configuration", "Complete the dictionary"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb84.who_knows(answer)


@pytest.fixture(scope="module")
def harm():
    folder = str(paths.data_root() / "hub" / "models" / nb84.CHECKPOINT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nb84, "CHECKPOINT", folder)
        return nb84._harm()


class TestLeastImportantHead:
    @pytest.fixture(autouse=True)
    def _measured_once(self, harm, monkeypatch):
        monkeypatch.setattr(nb84, "_harm", lambda: harm)

    def place_of(self, harm, choose):
        return choose(
            ((i, j) for i, row in enumerate(harm) for j in range(len(row))), key=lambda p: harm[p[0]][p[1]]
        )

    def test_the_cheapest_is_right(self, harm):
        assert check("84.2", self.place_of(harm, min))

    def test_the_dearest_gets_a_reason(self, harm):
        with pytest.raises(Wrong, match="needs it"):
            nb84.least_important_head(self.place_of(harm, max))

    @pytest.mark.parametrize(("answer", "reason"), [((9, 0), "There are layers"), ("first", "two numbers")])
    def test_no_head_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb84.least_important_head(answer)
