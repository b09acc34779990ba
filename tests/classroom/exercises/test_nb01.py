"""Checkers of notebook 01: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import pytest
from classroom import paths
from classroom.exercises import Wrong, check, nb01
from nanoformers import pipeline


class TestFromLogits:
    def test_label_and_share_are_right(self):
        assert check("01.1", {"label": "glad", "score": 0.67})

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ({"label": "cross", "score": 0.67}, "greatest logit"),
            ({"label": "glad", "score": 0.95}, "sigmoid"),
            ({"label": "glad", "score": 0.5}, "without exponentials"),
            ({"label": "glad", "score": 3.0}, "which is not 3.00"),
            ({"label": "glad", "score": None}, "a number"),
            ("glad", "dictionary"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb01.from_logits(answer)


class TestMostPositive:
    @pytest.fixture(autouse=True)
    def _without_a_hub(self, monkeypatch):
        folder = str(paths.data_root() / "hub" / "models" / nb01.CLASSIFIER)
        monkeypatch.setattr(nb01, "CLASSIFIER", folder)

    def test_the_share_of_the_positive_label_is_right(self):
        assert check("01.2", lambda texts: texts[2])

    def test_the_greatest_score_is_not(self):
        def surest(texts):
            scores = [
                answer["score"] for answer in pipeline("text-classification", model=nb01.CLASSIFIER)(texts)
            ]
            return texts[scores.index(max(scores))]

        assert surest(list(nb01.TEXTS)) != nb01.TEXTS[2]
        with pytest.raises(Wrong, match="of which label"):
            nb01.most_positive(surest)

    @pytest.mark.parametrize(
        ("answer", "reason"), [(lambda texts: 2, "one of the texts"), ("a text", "function itself")]
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb01.most_positive(answer)
