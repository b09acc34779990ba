"""Mean IoU: how well predicted and true regions of a segmentation overlap, as the mean over the classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import datasets
import evaluate
import numpy as np

VOID = 255
"""What `reduce_labels` makes of the background: the usual mark of pixels that do not count."""

INPUTS = """
Args:
    predictions (list of 2-D arrays): predicted segmentation maps (height, width) of class numbers.
    references (list of 2-D arrays): true maps, each of the size of its prediction.
    num_labels (int): the number of classes; they are numbered 0 to num_labels - 1.
    ignore_index (int): pixels whose true class is this one do not count.
    nan_to_num (int, optional): what to put where a score is not defined, because the class does not
        occur.
    label_map (dict, optional): from a class number in `references` to the one that is meant.
    reduce_labels (bool): True when 0 is the background: 0 becomes 255 and every other class is one less.

Returns:
    dict: "mean_iou", "mean_accuracy" (means over the classes that occur), "overall_accuracy" (share of
        correct pixels), "per_category_iou", "per_category_accuracy" (arrays of shape (num_labels,))

Raises:
    ValueError: a prediction and its reference are not of the same size
"""


def count_pixels(
    prediction: np.ndarray, reference: np.ndarray, num_labels: int, ignore_index: int
) -> np.ndarray:
    """Return the numbers of correct, predicted and true pixels of each class, of shape (3, num_labels)."""
    if prediction.shape != reference.shape:
        raise ValueError(
            f"A predicted map of shape {prediction.shape} belongs to a true map of shape {reference.shape}. "
            "Resize the prediction (or the logits, before the argmax) to the size of the reference."
        )
    counts = reference != ignore_index
    prediction, reference = prediction[counts], reference[counts]
    chosen = (reference[prediction == reference], prediction, reference)
    return np.stack([np.bincount(labels, minlength=num_labels)[:num_labels] for labels in chosen])


class MeanIou(evaluate.Metric):
    """Intersection over union and pixel accuracy of segmentation maps."""

    def _info(self) -> evaluate.MetricInfo:
        image = datasets.Sequence(datasets.Sequence(datasets.Value("uint16")))
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Long et al., Fully Convolutional Networks for Semantic Segmentation, CVPR 2015",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": image, "references": image}),
            reference_urls=["https://arxiv.org/abs/1411.4038"],
        )

    def _compute(
        self,
        predictions: list,
        references: list,
        num_labels: int,
        ignore_index: int,
        nan_to_num: int | None = None,
        label_map: Mapping[int, int] | None = None,
        reduce_labels: bool = False,
    ) -> dict[str, Any]:
        totals = np.zeros((3, num_labels), dtype=np.int64)
        for predicted, true in zip(predictions, references, strict=True):
            reference = np.asarray(true, dtype=np.int64)
            if label_map:
                reference = np.vectorize(lambda label: label_map.get(label, label))(reference)
            if reduce_labels:
                reference = np.where((reference == 0) | (reference == VOID), VOID, reference - 1)
            totals += count_pixels(np.asarray(predicted, dtype=np.int64), reference, num_labels, ignore_index)
        correct, predicted_area, true_area = totals
        with np.errstate(invalid="ignore", divide="ignore"):
            iou = correct / (predicted_area + true_area - correct)  # 0/0 is nan: the class does not occur
            accuracy = correct / true_area
            overall = correct.sum() / true_area.sum()
        scores = {
            "mean_iou": mean_of_defined(iou),
            "mean_accuracy": mean_of_defined(accuracy),
            "overall_accuracy": float(overall),
            "per_category_iou": iou,
            "per_category_accuracy": accuracy,
        }
        if nan_to_num is None:
            return scores
        return {name: np.nan_to_num(score, nan=nan_to_num) for name, score in scores.items()}


def mean_of_defined(scores: np.ndarray) -> float:
    """Return the mean of the scores that are not nan, and nan when there is none."""
    defined = scores[~np.isnan(scores)]
    return float(defined.mean()) if len(defined) else float("nan")
