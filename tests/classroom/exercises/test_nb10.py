"""Checkers of notebook 10: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import itertools

import pytest
from classroom.exercises import Wrong, check, nb10
from classroom.paths import data_root
from nanoformers import TextClassificationPipeline, pipeline


def folder(name):
    return str(data_root() / "hub" / "models" / name)


@pytest.fixture(scope="module")
def judge():
    return pipeline("text-classification", model=folder(nb10.JUDGE))


@pytest.fixture(scope="module")
def tagger():
    return pipeline("token-classification", model=folder("toyland/entities-bert"))


@pytest.fixture(autouse=True)
def _judge_without_a_hub(monkeypatch, judge):
    monkeypatch.setattr(nb10, "_judge", lambda: judge)


class TestPeople:
    def names(self, tagger, text, strategy="first"):
        found = tagger(text, aggregation_strategy=strategy)
        return [text[one["start"] : one["end"]] for one in found if one["entity_group"] == "PER"]

    def test_names_by_words_from_the_text_each_once_are_right(self, tagger):
        assert check("10.1", lambda text: list(dict.fromkeys(self.names(tagger, text))))

    def test_repetitions_get_a_reason(self, tagger):
        with pytest.raises(Wrong, match="twice"):
            nb10.people(lambda text: self.names(tagger, text))

    def test_pieces_of_names_get_a_reason(self, tagger):
        with pytest.raises(Wrong, match="by words"):
            nb10.people(lambda text: list(dict.fromkeys(self.names(tagger, text, "simple"))))

    def test_names_from_the_vocabulary_get_a_reason(self, tagger):
        def answer(text):
            found = tagger(text, aggregation_strategy="first")
            return list(dict.fromkeys(one["word"] for one in found if one["entity_group"] == "PER"))

        with pytest.raises(Wrong, match="vocabulary"):
            nb10.people(answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda text: ["Mila", "Otto", "garden"], "no persons"),
            (lambda text: [], "and it returns"),
            (lambda text: "Mila", "a list of names"),
            (["Mila"], "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb10.people(answer)


class TestFirstPositive:
    def test_one_text_at_a_time_is_right(self):
        def answer(judge, texts):
            return next(text for text in texts if judge(text)[0]["label"] == "POSITIVE")

        assert check("10.2", answer)

    def test_a_stream_that_is_remembered_is_right(self):
        def answer(judge, texts):
            read, kept = itertools.tee(texts)
            return next(
                text for one, text in zip(judge(read), kept, strict=False) if one["label"] == "POSITIVE"
            )

        assert check("10.2", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda judge, texts: list(texts)[2], "on and on"),
            (lambda judge, texts: [next(texts) for _ in range(8)][2], "read 8 texts"),
            (lambda judge, texts: next(texts), "the first positive text"),
            (lambda judge, texts: judge(next(texts))[0], "the text itself"),
            (lambda judge, texts: judge(next(texts))["label"], "TypeError"),
            ("What a lovely day!", "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb10.first_positive(answer)


class TestStars:
    def test_the_probability_of_positive_in_stars_is_right(self):
        class Stars(TextClassificationPipeline):
            def postprocess(self, model_outputs, **parameters):
                every = super().postprocess(model_outputs, top_k=None)
                return {"stars": 1 + round(4 * {one["label"]: one["score"] for one in every}["POSITIVE"])}

        assert check("10.3", Stars)

    def test_the_score_of_the_best_label_gets_a_reason(self):
        class Stars(TextClassificationPipeline):
            def postprocess(self, model_outputs, **parameters):
                return {"stars": 1 + round(4 * super().postprocess(model_outputs)["score"])}

        with pytest.raises(Wrong, match="best label"):
            nb10.stars(Stars)

    def test_the_wrong_label_gets_a_reason(self):
        class Stars(TextClassificationPipeline):
            def postprocess(self, model_outputs, **parameters):
                every = super().postprocess(model_outputs, top_k=None)
                return {"stars": 1 + round(4 * {one["label"]: one["score"] for one in every}["NEGATIVE"])}

        with pytest.raises(Wrong, match="NEGATIVE"):
            nb10.stars(Stars)

    def test_a_step_without_self_gets_a_reason(self):
        class Stars(TextClassificationPipeline):
            def postprocess():
                return {"stars": 5}

        with pytest.raises(Wrong, match="TypeError"):
            nb10.stars(Stars)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (TextClassificationPipeline, "is asked for"),
            (dict, "class Stars"),
            (lambda text: 5, "class Stars"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb10.stars(answer)
