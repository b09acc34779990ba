"""Scores of generated texts, compared with computations by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

Load = Callable[..., Any]


class TestBleu:
    def test_shorter_than_the_reference(self, load_metric: Load) -> None:
        scores = load_metric("bleu").compute(predictions=["a b c d"], references=["a b c d e"])
        assert scores["precisions"] == [1.0, 1.0, 1.0, 1.0]
        assert scores["length_ratio"] == pytest.approx(4 / 5)
        assert scores["bleu"] == scores["brevity_penalty"] == pytest.approx(math.exp(1 - 5 / 4))

    def test_an_ngram_counts_as_often_as_in_one_reference(self, load_metric: Load) -> None:
        scores = load_metric("bleu").compute(
            predictions=["the the the the"], references=[["the cat the", "the dog"]], max_order=1
        )
        assert scores["precisions"] == [2 / 4]
        assert (scores["translation_length"], scores["reference_length"]) == (4, 2)

    def test_several_references_of_unequal_number(self, load_metric: Load) -> None:
        scores = load_metric("bleu").compute(
            predictions=["a b", "c d"], references=[["a x", "y b"], ["c d"]], max_order=2
        )
        assert scores["precisions"] == [1.0, 1 / 2]
        assert scores["bleu"] == pytest.approx(math.sqrt(1 / 2))

    def test_no_match_of_an_order_gives_zero_unless_smoothed(self, load_metric: Load) -> None:
        data = {"predictions": ["a b"], "references": ["a c"], "max_order": 2}
        assert load_metric("bleu").compute(**data)["bleu"] == 0.0
        smoothed = load_metric("bleu").compute(**data, smooth=True)
        assert smoothed["precisions"] == [2 / 3, 1 / 2]
        assert smoothed["bleu"] == pytest.approx(math.sqrt(2 / 3 * 1 / 2))

    def test_punctuation_is_a_token(self, load_metric: Load) -> None:
        scores = load_metric("bleu").compute(predictions=["Yes, it is."], references=["Yes, it is."])
        assert scores["translation_length"] == 5

    def test_nothing_translated(self, load_metric: Load) -> None:
        scores = load_metric("bleu").compute(predictions=[""], references=["a b"])
        assert (scores["bleu"], scores["brevity_penalty"], scores["length_ratio"]) == (0.0, 0.0, 0.0)

    def test_empty_references_are_an_error(self, load_metric: Load) -> None:
        with pytest.raises(ValueError, match="empty"):
            load_metric("bleu").compute(predictions=["a"], references=[""])


class TestSacrebleu:
    def test_counts_and_score(self, load_metric: Load) -> None:
        scores = load_metric("sacrebleu").compute(predictions=["a b c d e"], references=[["a b c d x"]])
        assert scores["counts"] == [4, 3, 2, 1]
        assert scores["totals"] == [5, 4, 3, 2]
        assert scores["precisions"] == pytest.approx([80, 75, 100 * 2 / 3, 50])
        assert scores["score"] == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)
        assert (scores["bp"], scores["sys_len"], scores["ref_len"]) == (1.0, 5, 5)

    def test_the_reference_of_the_closest_length_counts(self, load_metric: Load) -> None:
        scores = load_metric("sacrebleu").compute(
            predictions=["a b c d"], references=[["a b c d e", "a b c d e f g h"]]
        )
        assert scores["ref_len"] == 5
        assert scores["bp"] == pytest.approx(math.exp(1 - 5 / 4))

    def test_references_as_plain_texts(self, load_metric: Load) -> None:
        plain = load_metric("sacrebleu").compute(
            predictions=["a b c d"] * 2, references=["a b c d", "a b x d"]
        )
        nested = load_metric("sacrebleu").compute(
            predictions=["a b c d"] * 2, references=[["a b c d"], ["a b x d"]]
        )
        assert plain == nested

    def test_lowercase(self, load_metric: Load) -> None:
        data = {"predictions": ["A B C D"], "references": ["a b c d"]}
        assert load_metric("sacrebleu").compute(**data)["score"] == 0.0
        assert load_metric("sacrebleu").compute(**data, lowercase=True)["score"] == pytest.approx(100)

    def test_smoothing_of_orders_without_match(self, load_metric: Load) -> None:
        data = {"predictions": ["a b x y"], "references": ["a b c d"]}  # matches 2/4, 1/3, 0/2, 0/1
        assert load_metric("sacrebleu").compute(**data, smooth_method="none")["score"] == 0.0
        halved = load_metric("sacrebleu").compute(**data)  # "exp": 1/2 and 1/4 in place of 0
        assert halved["score"] == pytest.approx(100 * (2 / 4 * 1 / 3 * (1 / 2) / 2 * (1 / 4) / 1) ** 0.25)

    def test_characters_as_tokens(self, load_metric: Load) -> None:
        scores = load_metric("sacrebleu").compute(
            predictions=["猫が好き"], references=["犬が好き"], tokenize="char"
        )
        assert scores["counts"][:2] == [3, 2]

    def test_unequal_numbers_of_references_are_an_error(self, load_metric: Load) -> None:
        with pytest.raises(ValueError, match="same number of references"):
            load_metric("sacrebleu").compute(predictions=["a", "b"], references=[["a", "x"], ["b"]])


class TestRouge:
    def test_ngrams_and_subsequence(self, load_metric: Load) -> None:
        scores = load_metric("rouge").compute(predictions=["a b c d"], references=["a c b d e"])
        assert scores["rouge1"] == pytest.approx(2 * 4 / (4 + 5))
        assert scores["rouge2"] == 0.0
        assert scores["rougeL"] == pytest.approx(2 * 3 / (4 + 5))  # a b d, or a c d

    def test_sentences_apart(self, load_metric: Load) -> None:
        scores = load_metric("rouge").compute(predictions=["c d\na b"], references=["a b\nc d"])
        assert scores["rougeL"] == pytest.approx(2 / 4)
        assert scores["rougeLsum"] == pytest.approx(1.0)

    def test_the_best_reference_counts(self, load_metric: Load) -> None:
        scores = load_metric("rouge").compute(
            predictions=["a b", "c"], references=[["x y", "a b"], ["c"]], rouge_types=["rouge1"]
        )
        assert scores == {"rouge1": 1.0}

    def test_mean_over_texts(self, load_metric: Load) -> None:
        data = {
            "predictions": ["a b", "c d", "e"],
            "references": ["a b", "c x", "y"],
            "rouge_types": ["rouge1"],
        }
        assert load_metric("rouge").compute(**data)["rouge1"] == pytest.approx((1 + 1 / 2 + 0) / 3)
        assert load_metric("rouge").compute(**data, use_aggregator=False) == {"rouge1": [1.0, 0.5, 0.0]}

    def test_stems(self, load_metric: Load) -> None:
        data = {"predictions": ["she walked"], "references": ["she walks"], "rouge_types": ["rouge1"]}
        assert load_metric("rouge").compute(**data) == {"rouge1": 0.5}
        assert load_metric("rouge").compute(**data, use_stemmer=True) == {"rouge1": 1.0}

    def test_tokenizer_for_other_scripts(self, load_metric: Load) -> None:
        data = {
            "predictions": ["猫が好き"],
            "references": ["犬が好き"],
            "rouge_types": ["rouge1", "rougeLsum"],
        }
        assert load_metric("rouge").compute(**data) == {"rouge1": 0.0, "rougeLsum": 0.0}
        scores = load_metric("rouge").compute(**data, tokenizer=list)
        assert scores == {"rouge1": 0.75, "rougeLsum": 0.75}

    @pytest.mark.parametrize(("prediction", "reference"), [("", "a"), ("a", ""), ("", "")])
    def test_empty_texts(self, prediction: str, reference: str, load_metric: Load) -> None:
        scores = load_metric("rouge").compute(predictions=[prediction], references=[reference])
        assert set(scores.values()) == {0.0}


class TestWordErrorRate:
    def test_long_texts_count_more(self, load_metric: Load) -> None:
        score = load_metric("wer").compute(
            predictions=["a x c d", "z"], references=["a b c d e", "y"]
        )  # one substitution and one deletion in 5 words, one substitution in 1
        assert score == pytest.approx(3 / 6)

    def test_insertions_only(self, load_metric: Load) -> None:
        assert load_metric("wer").compute(predictions=["a b c d e"], references=["a b"]) == 3 / 2

    def test_nothing_recognized(self, load_metric: Load) -> None:
        assert load_metric("wer").compute(predictions=[""], references=["a b"]) == 1.0

    def test_words_inserted_into_silence(self, load_metric: Load) -> None:
        assert load_metric("wer").compute(predictions=["um", "a b"], references=["", "a b"]) == 1 / 2

    def test_joined_texts_may_shift_words(self, load_metric: Load) -> None:
        data = {"predictions": ["a", "b c"], "references": ["a b", "c"]}
        assert load_metric("wer").compute(**data) == pytest.approx(2 / 3)
        assert load_metric("wer").compute(**data, concatenate_texts=True) == 0.0

    @pytest.mark.parametrize("metric", ["wer", "cer"])
    def test_empty_references_are_an_error(self, metric: str, load_metric: Load) -> None:
        with pytest.raises(ValueError, match="Every reference is empty"):
            load_metric(metric).compute(predictions=["a", ""], references=["", " "])


class TestCharacterErrorRate:
    def test_edits_of_all_kinds(self, load_metric: Load) -> None:
        score = load_metric("cer").compute(predictions=["kitten", "abc"], references=["sitting", "abcd"])
        assert score == pytest.approx((3 + 1) / (7 + 4))

    def test_insertions_only(self, load_metric: Load) -> None:
        assert load_metric("cer").compute(predictions=["abab"], references=["ab"]) == 1.0

    def test_spaces_are_characters(self, load_metric: Load) -> None:
        assert load_metric("cer").compute(predictions=["ab"], references=["a b"]) == pytest.approx(1 / 3)

    def test_joined_texts_may_shift_characters(self, load_metric: Load) -> None:
        data = {"predictions": ["ab", "c"], "references": ["a", "bc"]}
        assert load_metric("cer").compute(**data) == pytest.approx(2 / 3)
        assert load_metric("cer").compute(**data, concatenate_texts=True) == 0.0


class TestExactMatch:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, 0.25),
            ({"ignore_case": True}, 0.5),
            ({"ignore_punctuation": True}, 0.5),
            ({"ignore_numbers": True}, 0.5),
            ({"regexes_to_ignore": [r"\bnr [0-9]+", "!"]}, 0.75),
            ({"ignore_case": True, "ignore_punctuation": True, "ignore_numbers": True}, 1.0),
        ],
    )
    def test_what_is_ignored(self, options: dict[str, Any], expected: float, load_metric: Load) -> None:
        scores = load_metric("exact_match").compute(
            predictions=["same", "Case", "end!", "nr 1"],
            references=["same", "case", "end", "nr 2"],
            **options,
        )
        assert scores == {"exact_match": expected}
