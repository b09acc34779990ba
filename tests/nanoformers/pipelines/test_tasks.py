"""The parameters, answers and errors of each task."""

from __future__ import annotations

import pytest
import torch
from nanoformers import FillMaskPipeline, pipeline
from nanoformers.pipelines import PipelineException


class TestTextClassification:
    def test_one_text_gives_a_list_of_one_answer(self, classifier):
        (answer,) = classifier("the cat")
        assert set(answer) == {"label", "score"}

    def test_top_k_sorts_by_score(self, classifier):
        answers = classifier("the cat", top_k=2)
        assert len(answers) == 2
        assert answers[0]["score"] >= answers[1]["score"]

    def test_top_k_none_is_every_label(self, classifier):
        answers = classifier("the cat", top_k=None)
        assert {answer["label"] for answer in answers} == {"LABEL_0", "LABEL_1", "LABEL_2"}
        assert sum(answer["score"] for answer in answers) == pytest.approx(1, abs=1e-5)

    def test_return_all_scores_is_in_the_order_of_the_labels(self, classifier):
        ((*answers,),) = classifier("the cat", return_all_scores=True)
        assert [answer["label"] for answer in answers] == ["LABEL_0", "LABEL_1", "LABEL_2"]

    @pytest.mark.parametrize("top_k", [0, -1, "many"])
    def test_top_k_out_of_range(self, classifier, top_k):
        with pytest.raises(ValueError, match="top_k"):
            classifier("the cat", top_k=top_k)

    @pytest.mark.parametrize(("function", "check"), [
        ("sigmoid", lambda scores, logits: torch.allclose(scores, logits.sigmoid())),
        ("softmax", lambda scores, logits: torch.allclose(scores, logits.softmax(-1))),
        ("NONE", lambda scores, logits: torch.equal(scores, logits)),
        ("default", lambda scores, logits: torch.allclose(scores, logits.softmax(-1))),
    ])  # fmt: skip
    def test_functions(self, classifier, tokenizer, function, check):
        with torch.no_grad():
            logits = classifier.model(**tokenizer("the cat", return_tensors="pt")).logits[0]
        answers = classifier("the cat", top_k=None, function_to_apply=function)
        scores = {answer["label"]: answer["score"] for answer in answers}
        assert check(torch.tensor([scores[f"LABEL_{i}"] for i in range(3)]), logits)

    def test_an_unknown_function(self, classifier):
        with pytest.raises(ValueError, match=r'allowed are "default", \'sigmoid\''):
            classifier("the cat", function_to_apply="relu")

    @pytest.mark.parametrize(("settings", "function"), [
        ({"num_labels": 1}, "sigmoid"),
        ({"num_labels": 3, "problem_type": "multi_label_classification"}, "sigmoid"),
        ({"num_labels": 3, "problem_type": "single_label_classification"}, "softmax"),
        ({"num_labels": 1, "problem_type": "regression"}, "none"),
    ])  # fmt: skip
    def test_the_default_function_follows_the_problem(self, make_model, tokenizer, settings, function):
        model = make_model("BertForSequenceClassification", **settings)
        classifier = pipeline("text-classification", model, tokenizer=tokenizer, top_k=None)
        assert classifier(["the cat"]) == classifier(["the cat"], function_to_apply=function)

    def test_a_pair(self, classifier, tokenizer):
        answer = classifier({"text": "the cat", "text_pair": "it ran"}, top_k=None)
        assert [answer] == classifier([{"text": "the cat", "text_pair": "it ran"}], top_k=None)
        assert answer != classifier("the cat it ran", top_k=None)

    def test_a_list_is_no_pair(self, classifier):
        with pytest.raises(ValueError, match="text_pair"):
            classifier([["the cat", "it ran"]])

    def test_arguments_of_the_tokenizer(self, classifier):
        long = "the cat " * 200
        assert classifier(long, truncation=True) == classifier("the cat " * 31)

    def test_too_long_a_text(self, classifier):
        with pytest.raises((ValueError, IndexError), match=r"64"):
            classifier("the cat " * 200)


class TestFeatureExtraction:
    def test_nested_lists_of_floats(self, extractor):
        answer = extractor("the cat")
        assert (len(answer), len(answer[0]), len(answer[0][0])) == (1, 4, 32)
        assert isinstance(answer[0][0][0], float)

    @pytest.mark.parametrize("value", [True, "pt"])
    def test_a_tensor(self, extractor, value):
        assert extractor("the cat", return_tensors=value).shape == (1, 4, 32)

    def test_truncation(self, extractor):
        assert extractor("the cat " * 200, truncation=True, return_tensors=True).shape == (1, 64, 32)

    def test_arguments_of_the_tokenizer(self, extractor):
        arguments = {"padding": "max_length", "max_length": 9}
        answers = extractor(["the cat", "the"], tokenize_kwargs=arguments, return_tensors=True, batch_size=2)
        assert [answer.shape for answer in answers] == [(1, 9, 32)] * 2
        assert arguments == {"padding": "max_length", "max_length": 9}

    def test_truncation_given_twice(self, extractor):
        with pytest.raises(ValueError, match="twice"):
            extractor("the cat", truncation=True, tokenize_kwargs={"truncation": True})

    def test_bfloat16(self, make_model, tokenizer):
        model = make_model("BertModel").to(torch.bfloat16)
        answer = pipeline("feature-extraction", model, tokenizer=tokenizer)("the cat")
        assert isinstance(answer[0][0][0], float)


@pytest.fixture(scope="module")
def filler(make_model, tokenizer):
    return pipeline("fill-mask", model=make_model("BertForMaskedLM"), tokenizer=tokenizer)


class TestFillMask:
    def test_five_words_the_best_first(self, filler):
        answers = filler("the [MASK] sat")
        assert len(answers) == 5
        assert set(answers[0]) == {"score", "token", "token_str", "sequence"}
        assert [answer["score"] for answer in answers] == sorted((a["score"] for a in answers), reverse=True)

    def test_the_sequence_has_the_word(self, filler):
        (answer,) = filler("the [MASK] sat", targets="dog")
        assert (answer["token_str"], answer["sequence"]) == ("dog", "the dog sat")

    def test_several_masks_show_each_other(self, filler):
        first, second = filler("the [MASK] sat on [MASK]", top_k=1)
        assert first[0]["sequence"].count("[MASK]") == second[0]["sequence"].count("[MASK]") == 1

    def test_targets_limit_and_rank(self, filler):
        answers = filler("the [MASK] sat", targets=["dog", "cat", "dog"])
        assert {answer["token_str"] for answer in answers} == {"dog", "cat"}

    def test_a_target_of_several_tokens_stands_for_its_first(self, filler, tokenizer):
        (answer,) = filler("the [MASK] sat", targets=["xyz"])
        assert answer["token_str"] == "x"

    def test_targets_without_a_word(self, filler):
        with pytest.raises(ValueError, match="At least one target"):
            filler("the [MASK] sat", targets=[""])

    @pytest.mark.parametrize("top_k", [0, "two"])
    def test_top_k_out_of_range(self, filler, top_k):
        with pytest.raises(ValueError, match="top_k"):
            filler("the [MASK] sat", top_k=top_k)

    def test_more_than_the_vocabulary(self, filler, tokenizer):
        assert len(filler("the [MASK]", top_k=10_000)) == len(tokenizer)

    def test_a_list_of_one_is_like_the_text_alone(self, filler):
        assert filler(["the [MASK]"]) == filler("the [MASK]")

    def test_batches_mix_lengths_and_numbers_of_masks(self, filler):
        texts = ["the [MASK]", "the [MASK] sat on the [MASK] and ran", "a dog ran and then it was [MASK] ."]
        one_by_one = [filler(text) for text in texts]
        batched = filler(texts, batch_size=3)
        strip = lambda answers: [  # noqa: E731
            [a["token"] for a in group] if isinstance(group, list) else group["token"] for group in answers
        ]
        assert [strip(answers) for answers in batched] == [strip(answers) for answers in one_by_one]

    def test_arguments_of_the_tokenizer(self, filler):
        long = "the [MASK] " + "cat " * 200
        assert len(filler(long, tokenizer_kwargs={"truncation": True})) == 5

    def test_a_text_without_mask(self, filler):
        with pytest.raises(PipelineException, match=r"No mask_token \(\[MASK\]\) found") as caught:
            filler("the cat")
        assert caught.value.task == "fill-mask"

    def test_a_mask_that_truncation_cuts_off(self, filler):
        with pytest.raises(PipelineException, match="after tokenization"):
            filler("cat " * 200 + "[MASK]", tokenizer_kwargs={"truncation": True})

    def test_a_tokenizer_without_mask(self, make_model, make_tokenizer):
        tokenizer = make_tokenizer(mask_token=None)
        with pytest.raises(PipelineException, match="does not define a `mask_token`"):
            FillMaskPipeline(make_model("BertForMaskedLM"), tokenizer)
