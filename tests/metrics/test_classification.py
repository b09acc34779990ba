"""Scores of labels, compared with computations by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Load = Callable[..., Any]

# Three classes; class 2 never occurs in the references, class 0 is never predicted.
PREDICTED = [1, 1, 1, 2]
TRUE = [0, 1, 1, 1]


class TestAccuracy:
    def test_weights(self, load_metric: Load) -> None:
        score = load_metric("accuracy").compute(
            predictions=[0, 1], references=[0, 0], sample_weight=[3.0, 1.0]
        )
        assert score == {"accuracy": 0.75}

    def test_one_by_one(self, load_metric: Load) -> None:
        metric = load_metric("accuracy")
        for prediction, reference in ((0, 0), (1, 0), (1, 1)):
            metric.add(prediction=prediction, reference=reference)
        assert metric.compute() == {"accuracy": pytest.approx(2 / 3)}

    def test_arrays(self, load_metric: Load) -> None:
        score = load_metric("accuracy").compute(
            predictions=np.array([0, 1, 2]), references=np.array([0, 1, 1])
        )
        assert score["accuracy"] == pytest.approx(2 / 3)

    def test_lengths_that_differ(self, load_metric: Load) -> None:
        with pytest.raises(ValueError, match="Mismatch in the number"):
            load_metric("accuracy").compute(predictions=[0, 1], references=[0])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
class TestPrecisionRecallF1:
    @pytest.mark.parametrize(
        ("metric", "per_class"),
        [
            ("precision", [0.0, 2 / 3, 0.0]),
            ("recall", [0.0, 2 / 3, 0.0]),
            ("f1", [0.0, 2 / 3, 0.0]),
        ],
    )
    def test_averages(self, metric: str, per_class: list[float], load_metric: Load) -> None:
        def score(average: str | None) -> Any:
            return load_metric(metric).compute(predictions=PREDICTED, references=TRUE, average=average)[
                metric
            ]

        assert score(None).tolist() == pytest.approx(per_class)
        assert score("macro") == pytest.approx(sum(per_class) / 3)
        assert score("micro") == pytest.approx(2 / 4)
        assert score("weighted") == pytest.approx((1 * per_class[0] + 3 * per_class[1]) / 4)

    def test_binary_counts_the_positive_class_only(self, load_metric: Load) -> None:
        data = {"predictions": [1, 1, 1, 0, 0], "references": [1, 0, 1, 1, 0]}  # TP 2, FP 1, FN 1, TN 1
        assert load_metric("precision").compute(**data)["precision"] == pytest.approx(2 / 3)
        assert load_metric("recall").compute(**data, pos_label=0)["recall"] == pytest.approx(1 / 2)
        assert load_metric("f1").compute(**data)["f1"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))

    def test_labels_select_classes(self, load_metric: Load) -> None:
        score = load_metric("f1").compute(predictions=PREDICTED, references=TRUE, average="macro", labels=[1])
        assert score["f1"] == pytest.approx(2 / 3)

    @pytest.mark.parametrize("value", [0, 1])
    def test_zero_division(self, value: int, load_metric: Load) -> None:
        nothing_predicted = {"predictions": [0, 0], "references": [1, 0], "zero_division": value}
        assert load_metric("precision").compute(**nothing_predicted) == {"precision": value}
        nothing_there = {"predictions": [1, 0], "references": [0, 0], "zero_division": value}
        assert load_metric("recall").compute(**nothing_there) == {"recall": value}

    def test_binary_with_three_classes_names_the_alternatives(self, load_metric: Load) -> None:
        with pytest.raises(ValueError, match="average"):
            load_metric("f1").compute(predictions=[0, 1, 2], references=[0, 1, 2])

    def test_multilabel_samples(self, load_metric: Load) -> None:
        score = load_metric("recall", "multilabel").compute(
            predictions=[[1, 0], [1, 1]], references=[[1, 1], [1, 0]], average="samples"
        )
        assert score["recall"] == pytest.approx((1 / 2 + 1) / 2)


class TestMatthewsCorrelation:
    def test_two_classes(self, load_metric: Load) -> None:
        tp, tn, fp, fn = 3, 2, 1, 2
        score = load_metric("matthews_correlation").compute(
            predictions=[1] * tp + [0] * tn + [1] * fp + [0] * fn,
            references=[1] * tp + [0] * tn + [0] * fp + [1] * fn,
        )
        below = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        assert score["matthews_correlation"] == pytest.approx((tp * tn - fp * fn) / below)

    def test_columns_of_multilabel(self, load_metric: Load) -> None:
        data = {"predictions": [[0, 1], [1, 0], [1, 1]], "references": [[0, 0], [1, 1], [1, 0]]}
        alone = load_metric("matthews_correlation", "multilabel").compute(**data)
        assert alone == {"matthews_correlation": pytest.approx([1.0, -1.0])}
        mean = load_metric("matthews_correlation", "multilabel").compute(**data, average="macro")
        assert mean == {"matthews_correlation": pytest.approx(0.0)}

    def test_unknown_average(self, load_metric: Load) -> None:
        with pytest.raises(ValueError, match="'macro'"):
            load_metric("matthews_correlation").compute(predictions=[0], references=[0], average="micro")


class TestGlue:
    @pytest.mark.parametrize(
        ("task", "keys"),
        [
            ("cola", {"matthews_correlation"}),
            ("mrpc", {"accuracy", "f1"}),
            ("qqp", {"accuracy", "f1"}),
            ("stsb", {"pearson", "spearmanr"}),
            *(
                (task, {"accuracy"})
                for task in ("sst2", "mnli", "mnli_matched", "mnli_mismatched", "qnli", "rte", "wnli", "hans")
            ),
        ],
    )
    def test_keys_of_each_task(self, task: str, keys: set[str], load_metric: Load) -> None:
        scores = load_metric("glue", task).compute(predictions=[0, 1, 1], references=[0, 1, 0])
        assert scores.keys() == keys

    def test_similarities(self, load_metric: Load) -> None:
        scores = load_metric("glue", "stsb").compute(
            predictions=[1.0, 2.0, 3.0, 10.0], references=[1.0, 3.0, 2.0, 4.0]
        )
        # Deviations from the means 4 and 2.5; ranks 1 2 3 4 and 1 3 2 4, so 1 - 6 * 2 / (4 * 15).
        above = -3 * -1.5 + -2 * 0.5 + -1 * -0.5 + 6 * 1.5
        assert scores["pearson"] == pytest.approx(above / math.sqrt(50 * 5))
        assert scores["spearmanr"] == pytest.approx(0.8)

    def test_unknown_task_names_the_known_ones(self, load_metric: Load) -> None:
        with pytest.raises(KeyError, match="mrpc"):
            load_metric("glue", "squad")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
class TestSeqeval:
    def test_counts_whole_entities(self, load_metric: Load) -> None:
        scores = load_metric("seqeval").compute(
            predictions=[["B-LOC", "I-LOC", "O", "B-PER"], ["B-PER", "O", "O"]],
            references=[["B-LOC", "O", "O", "B-PER"], ["B-PER", "I-PER", "O"]],
        )
        # True: LOC(0,0) PER(3,3) PER(0,1); predicted: LOC(0,1) PER(3,3) PER(0,0). One is right.
        assert scores["LOC"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "number": 1}
        assert scores["PER"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "number": 2}
        assert scores["overall_f1"] == pytest.approx(1 / 3)
        assert scores["overall_accuracy"] == pytest.approx(5 / 7)

    def test_a_type_that_is_only_predicted(self, load_metric: Load) -> None:
        scores = load_metric("seqeval").compute(
            predictions=[["B-PER", "B-LOC"]], references=[["B-PER", "O"]], zero_division=0
        )
        assert scores["LOC"]["number"] == 0
        assert scores["overall_precision"] == 0.5
        assert scores["overall_recall"] == 1.0

    def test_strict_mode_refuses_entities_without_a_beginning(self, load_metric: Load) -> None:
        data = {"predictions": [["I-PER", "O"]], "references": [["B-PER", "O"]]}
        lenient = load_metric("seqeval").compute(**data)
        strict = load_metric("seqeval").compute(**data, mode="strict", scheme="IOB2", zero_division=0)
        assert (lenient["overall_f1"], strict["overall_f1"]) == (1.0, 0.0)

    def test_unknown_scheme_names_the_known_ones(self, load_metric: Load) -> None:
        with pytest.raises(ValueError, match="IOB2"):
            load_metric("seqeval").compute(predictions=[["O"]], references=[["O"]], scheme="BIO")

    @pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy, on averages that seqeval takes of nothing
    def test_no_entity_at_all(self, load_metric: Load) -> None:
        scores = load_metric("seqeval").compute(
            predictions=[["O", "O"]], references=[["O", "O"]], zero_division=0
        )
        assert scores == {
            "overall_precision": 0.0,
            "overall_recall": 0.0,
            "overall_f1": 0.0,
            "overall_accuracy": 1.0,
        }
