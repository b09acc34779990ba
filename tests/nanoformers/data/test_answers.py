"""`answers_from_scores`: from the scores of tokens to the words of an answer."""

from __future__ import annotations

import numpy as np
import pytest
from nanoformers.data import answers_from_scores

TEXT = "Mila sang. Otto slept."
WORDS = [(0, 4), (5, 9), (11, 15), (16, 21)]
EXAMPLE = {"id": "one", "context": TEXT}


def window(*words: tuple[int, int], name: str = "one") -> dict:
    """A window: first token, two of the question, then words of the text."""
    return {"example_id": name, "offset_mapping": [None, None, None, *map(list, words)]}


def scores(*values: float) -> np.ndarray:
    return np.array([values])


def test_the_best_start_and_end_make_the_answer():
    found = answers_from_scores(
        [EXAMPLE], [window(*WORDS)], scores(0, 0, 0, 1, 0, 5, 2), scores(0, 0, 0, 0, 1, 2, 4)
    )
    assert found.best == {"one": "Otto slept"}
    assert found.candidates["one"][0]["text"] == "Otto slept"
    assert found.candidates["one"][0]["start_logit"] == 5
    assert sum(one["probability"] for one in found.candidates["one"]) == pytest.approx(1)
    assert found.null_odds == {}


def test_an_answer_ends_after_its_start_and_lies_in_the_text():
    found = answers_from_scores(
        [EXAMPLE], [window(*WORDS)], scores(9, 9, 9, 0, 0, 0, 5), scores(9, 9, 9, 5, 0, 0, 1)
    )
    assert found.best == {"one": "slept"}


def test_long_answers_are_left_out():
    starts, ends = scores(0, 0, 0, 9, 0, 0, 1), scores(0, 0, 0, 1, 0, 0, 9)
    features = [window(*WORDS)]
    assert answers_from_scores([EXAMPLE], features, starts, ends).best == {"one": "Mila sang. Otto slept"}
    found = answers_from_scores([EXAMPLE], features, starts, ends, max_answer_length=3)
    assert found.best == {"one": "Mila"}


def test_windows_compete_and_an_answer_in_two_of_them_counts_once():
    features = [window(*WORDS[:3]), window(*WORDS[1:])]
    starts = np.array([[0, 0, 0, 0, 0, 3], [0, 0, 0, 0, 4, 0]], dtype=float)
    found = answers_from_scores([EXAMPLE], features, starts, starts)
    assert found.best == {"one": "Otto"}
    assert [one["text"] for one in found.candidates["one"]].count("Otto") == 1
    assert found.candidates["one"][0]["start_logit"] == 4


def test_there_may_be_no_answer():
    starts = np.array([[3.0, 0, 0, 1, 0, 0, 0]])
    certain = answers_from_scores([EXAMPLE], [window(*WORDS)], starts, starts, may_have_none=True)
    assert certain.best == {"one": ""}
    assert certain.null_odds == {"one": 4.0}
    careful = answers_from_scores(
        [EXAMPLE], [window(*WORDS)], starts, starts, may_have_none=True, null_score_diff_threshold=5.0
    )
    assert careful.best == {"one": "Mila"}
    assert "" in [one["text"] for one in careful.candidates["one"]]


def test_no_answer_has_to_be_likely_in_every_window():
    starts = np.array([[9.0, 0, 0, 0, 0], [1.0, 0, 0, 2, 0]])
    features = [window(*WORDS[:2]), window(*WORDS[2:])]
    assert answers_from_scores([EXAMPLE], features, starts, starts, may_have_none=True).best == {
        "one": "Otto"
    }


def test_scores_may_be_wider_than_a_window():
    starts = np.array([[0.0, 0, 0, 2, 0, 0, 0, -100, -100]])
    assert answers_from_scores([EXAMPLE], [window(*WORDS)], starts, starts).best == {"one": "Mila"}


def test_an_example_without_windows_has_no_answer():
    found = answers_from_scores([EXAMPLE], [], np.zeros((0, 7)), np.zeros((0, 7)))
    assert found.best == {"one": ""}


def test_scores_of_other_windows_are_an_error():
    with pytest.raises(ValueError, match="There are 1 windows, but scores for 2 starts"):
        answers_from_scores([EXAMPLE], [window(*WORDS)], np.zeros((2, 7)), np.zeros((2, 7)))
