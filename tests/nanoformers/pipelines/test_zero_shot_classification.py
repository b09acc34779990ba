"""Zero-shot classification: labels, hypotheses, scores."""

from __future__ import annotations

import pytest
from nanoformers import pipeline
from nanoformers.pipelines import ZeroShotClassificationArgumentHandler

ENTAILMENT = {"contradiction": 0, "neutral": 1, "entailment": 2}
LABELS = ["cat", "dog", "tree"]


def make(make_model, tokenizer, label2id=ENTAILMENT, **settings):
    id2label = {number: label for label, number in label2id.items()}
    model = make_model("BertForSequenceClassification", id2label=id2label, label2id=label2id)
    return pipeline("zero-shot-classification", model, tokenizer=tokenizer, **settings)


@pytest.fixture(scope="module")
def oracle(make_model, tokenizer):
    return make(make_model, tokenizer)


class TestAnswers:
    def test_labels_the_most_probable_first(self, oracle):
        answer = oracle("it sat on the mat", candidate_labels=LABELS)
        assert set(answer) == {"sequence", "labels", "scores"}
        assert answer["sequence"] == "it sat on the mat"
        assert sorted(answer["labels"]) == LABELS
        assert answer["scores"] == sorted(answer["scores"], reverse=True)

    def test_one_label_holds(self, oracle):
        assert sum(oracle("it ran", candidate_labels=LABELS)["scores"]) == pytest.approx(1)

    def test_several_may_hold(self, oracle):
        answer = oracle("it ran", candidate_labels=LABELS, multi_label=True)
        alone = {label: oracle("it ran", candidate_labels=[label])["scores"][0] for label in LABELS}
        assert dict(zip(answer["labels"], answer["scores"], strict=True)) == pytest.approx(alone)

    def test_the_older_spelling(self, oracle):
        with pytest.warns(FutureWarning, match="renamed to `multi_label`"):
            answer = oracle("it ran", candidate_labels=LABELS, multi_class=True)
        assert answer == oracle("it ran", candidate_labels=LABELS, multi_label=True)

    def test_labels_as_a_text(self, oracle):
        expected = oracle("it ran", candidate_labels=LABELS)
        assert oracle("it ran", candidate_labels="cat, dog,tree ,") == expected
        assert oracle("it ran", LABELS) == expected

    def test_the_passes_of_a_single_text_make_batches(self, oracle):
        rows = []
        hook = oracle.model.register_forward_pre_hook(
            lambda model, args, inputs: rows.append(len(inputs["input_ids"])), with_kwargs=True
        )
        batched = oracle("it ran", LABELS, batch_size=len(LABELS))
        hook.remove()
        assert rows == [len(LABELS)]
        alone = oracle("it ran", LABELS)
        assert batched["labels"] == alone["labels"]
        assert batched["scores"] == pytest.approx(alone["scores"], abs=1e-5)

    def test_a_list_gives_a_list(self, oracle):
        answers = oracle(["it ran", "a tree"], candidate_labels=LABELS)
        assert [answer["sequence"] for answer in answers] == ["it ran", "a tree"]

    def test_the_hypothesis_matters(self, oracle):
        arguments = {"candidate_labels": LABELS, "hypothesis_template": "was it a {} then"}
        assert oracle("it ran", **arguments) != oracle("it ran", candidate_labels=LABELS)

    def test_labels_may_be_given_at_construction(self, make_model, tokenizer, oracle):
        fixed = make(make_model, tokenizer, candidate_labels=LABELS)
        assert fixed("it ran") == oracle("it ran", candidate_labels=LABELS)

    def test_what_is_too_long_is_cut_and_not_the_label(self, oracle):
        long = "it ran on and on " * 50
        answer = oracle(long, candidate_labels=LABELS)
        assert answer["sequence"] == long
        assert len(set(answer["scores"])) == 3

    @pytest.mark.parametrize("batch_size", [2, 8])
    @pytest.mark.parametrize("multi_label", [False, True])
    def test_answers_do_not_depend_on_the_batch_size(self, oracle, texts, batch_size, multi_label):
        arguments = {"candidate_labels": [*LABELS, "the good film"], "multi_label": multi_label}
        texts = [text for text in texts if text]
        batched = oracle(texts, batch_size=batch_size, **arguments)
        for answer, alone in zip(batched, oracle(texts, **arguments), strict=True):
            assert answer["labels"] == alone["labels"]
            assert answer["scores"] == pytest.approx(alone["scores"], abs=1e-5)


class TestEntailment:
    @pytest.mark.parametrize(("label2id", "number"), [
        (ENTAILMENT, 2),
        ({"ENTAILMENT": 0, "NEUTRAL": 1, "CONTRADICTION": 2}, 0),
        ({"no": 0, "Entails": 1}, 1),
    ])  # fmt: skip
    def test_the_configuration_names_it(self, make_model, tokenizer, label2id, number):
        assert make(make_model, tokenizer, label2id).entailment_id == number

    def test_a_configuration_that_does_not(self, make_model, tokenizer, caplog):
        from nanoformers.utils import logging

        logging.enable_propagation()
        try:
            oracle = make(make_model, tokenizer, {"yes": 0, "no": 1})
        finally:
            logging.disable_propagation()
        assert oracle.entailment_id == -1
        assert "Failed to determine 'entailment' label id" in caplog.text


class TestErrors:
    @pytest.mark.parametrize("labels", [None, [], "", " , "])
    def test_no_label(self, oracle, labels):
        with pytest.raises(ValueError, match="at least one label and at least one sequence"):
            oracle("it ran", candidate_labels=labels)

    def test_no_text(self, oracle):
        with pytest.raises(ValueError, match="at least one label and at least one sequence"):
            oracle("", candidate_labels=LABELS)

    def test_a_template_without_a_place(self, oracle):
        with pytest.raises(ValueError, match="was not able to be formatted with the target labels"):
            oracle("it ran", candidate_labels=LABELS, hypothesis_template="it was good")

    @pytest.mark.parametrize("template", ["{} and {}", "{name} it was"])
    def test_a_template_with_other_places(self, oracle, template):
        with pytest.raises(ValueError, match="not able to be formatted"):
            oracle("it ran", candidate_labels=LABELS, hypothesis_template=template)

    @pytest.mark.parametrize("text", [3, [4], ["it ran", None]])
    def test_what_is_no_text(self, oracle, text):
        with pytest.raises(ValueError, match=r"at least one sequence|should be a text, or a list of texts"):
            oracle(text, candidate_labels=LABELS)

    def test_labels_given_twice(self, oracle):
        with pytest.raises(ValueError, match="extra arguments"):
            oracle("it ran", LABELS, candidate_labels=LABELS)


def test_the_handler_pairs_texts_and_hypotheses():
    pairs, texts = ZeroShotClassificationArgumentHandler()(["a", "b"], "x, y", "it is {}")
    assert pairs == [["a", "it is x"], ["a", "it is y"], ["b", "it is x"], ["b", "it is y"]]
    assert texts == ["a", "b"]
