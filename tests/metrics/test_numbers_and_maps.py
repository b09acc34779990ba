"""Errors of numbers and overlap of segmentation maps, compared with computations by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Load = Callable[..., Any]

PREDICTED = [1.0, 2.0, 4.0]
TRUE = [1.0, 4.0, 3.0]  # errors 0, -2, 1


class TestErrors:
    def test_means(self, load_metric: Load) -> None:
        assert load_metric("mse").compute(predictions=PREDICTED, references=TRUE)["mse"] == pytest.approx(
            5 / 3
        )
        assert load_metric("mae").compute(predictions=PREDICTED, references=TRUE)["mae"] == pytest.approx(1.0)

    def test_root(self, load_metric: Load) -> None:
        scores = load_metric("mse").compute(predictions=PREDICTED, references=TRUE, squared=False)
        assert scores["mse"] == pytest.approx(math.sqrt(5 / 3))

    def test_weights(self, load_metric: Load) -> None:
        options = {"predictions": PREDICTED, "references": TRUE, "sample_weight": [1.0, 0.0, 3.0]}
        assert load_metric("mse").compute(**options)["mse"] == pytest.approx(3 / 4)
        assert load_metric("mae").compute(**options)["mae"] == pytest.approx(3 / 4)

    @pytest.mark.parametrize(("metric", "raw"), [("mse", [0.5, 8.0]), ("mae", [0.5, 2.0])])
    def test_several_outputs(self, metric: str, raw: list[float], load_metric: Load) -> None:
        def score(multioutput: Any) -> Any:
            return load_metric(metric, "multilist").compute(
                predictions=[[1.0, 5.0], [2.0, 1.0]],
                references=[[0.0, 1.0], [2.0, 1.0]],
                multioutput=multioutput,
            )[metric]

        assert score("raw_values").tolist() == raw
        assert score("uniform_average") == pytest.approx(sum(raw) / 2)
        assert score([0.25, 0.75]) == pytest.approx(0.25 * raw[0] + 0.75 * raw[1])


class TestMeanIou:
    def compute(self, load_metric: Load, predicted: Any, true: Any, **options: Any) -> dict[str, Any]:
        options = {"num_labels": 3, "ignore_index": 255} | options
        return load_metric("mean_iou").compute(predictions=predicted, references=true, **options)

    def test_pixels_are_counted_over_all_pictures(self, load_metric: Load) -> None:
        scores = self.compute(load_metric, [[[0, 0, 1]], [[1, 1]]], [[[0, 1, 1]], [[1, 2]]])
        # Class 0: 1 / 2; class 1: correct 2, predicted 3, true 3, so 2 / 4; class 2: 0 / 1.
        assert scores["per_category_iou"].tolist() == [0.5, 0.5, 0.0]
        assert scores["per_category_accuracy"].tolist() == pytest.approx([1.0, 2 / 3, 0.0])
        assert scores["mean_iou"] == pytest.approx(1 / 3)
        assert scores["mean_accuracy"] == pytest.approx(5 / 9)
        assert scores["overall_accuracy"] == pytest.approx(3 / 5)

    def test_ignored_pixels_count_nowhere(self, load_metric: Load) -> None:
        scores = self.compute(load_metric, [[[0, 1], [2, 0]]], [[[0, 255], [255, 0]]])
        assert scores["mean_iou"] == 1.0
        assert scores["overall_accuracy"] == 1.0
        assert np.isnan(scores["per_category_iou"]).tolist() == [False, True, True]

    def test_any_class_can_be_ignored(self, load_metric: Load) -> None:
        scores = self.compute(load_metric, [[[0, 1, 1]]], [[[0, 0, 1]]], ignore_index=0)
        assert np.isnan(scores["per_category_iou"]).tolist() == [True, False, True]
        assert scores["mean_iou"] == 1.0

    def test_classes_that_do_not_occur_are_left_out_of_the_mean(self, load_metric: Load) -> None:
        scores = self.compute(load_metric, [[[0, 1]]], [[[0, 1]]], nan_to_num=0)
        assert scores["mean_iou"] == 1.0
        assert scores["per_category_iou"].tolist() == [1.0, 1.0, 0.0]

    def test_background_left_out_with_reduce_labels(self, load_metric: Load) -> None:
        scores = self.compute(load_metric, [[[0, 1, 2, 2]]], [[[1, 2, 3, 0]]], reduce_labels=True)
        assert scores["per_category_iou"].tolist() == [1.0, 1.0, 1.0]

    def test_label_map_renames_all_classes_at_once(self, load_metric: Load) -> None:
        scores = self.compute(load_metric, [[[1, 0, 2]]], [[[0, 1, 2]]], label_map={0: 1, 1: 0})
        assert scores["overall_accuracy"] == 1.0

    def test_pictures_of_different_sizes(self, load_metric: Load) -> None:
        maps = [np.zeros((2, 3), dtype=np.uint8), np.ones((4, 1), dtype=np.uint8)]
        scores = self.compute(load_metric, maps, maps)
        assert scores["mean_iou"] == 1.0

    def test_only_ignored_pixels(self, load_metric: Load) -> None:
        scores = self.compute(load_metric, [[[0, 1]]], [[[255, 255]]])
        assert math.isnan(scores["mean_iou"])
        assert math.isnan(scores["overall_accuracy"])

    def test_sizes_must_agree(self, load_metric: Load) -> None:
        with pytest.raises(ValueError, match="Resize"):
            self.compute(load_metric, [[[0, 1]]], [[[0, 1, 1]]])
