"""SQuAD 1.1 and 2.0 (https://rajpurkar.github.io/SQuAD-explorer/), from their own files.

`squad_features` makes inputs of a model of the examples that are read here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .squad_example import SquadExample
from .squad_features import (
    SquadFeatures,
    squad_convert_example_to_features,
    squad_convert_examples_to_features,
)
from .utils import DataProcessor

__all__ = [
    "SquadExample",
    "SquadFeatures",
    "SquadProcessor",
    "SquadResult",
    "SquadV1Processor",
    "SquadV2Processor",
    "squad_convert_example_to_features",
    "squad_convert_examples_to_features",
]


class SquadProcessor(DataProcessor):
    """Base class of the processors of both versions, which say how their files are called."""

    train_file: str | None = None
    dev_file: str | None = None

    def get_train_examples(  # type: ignore[override]
        self, data_dir: str | os.PathLike[str] | None, filename: str | None = None
    ) -> list[SquadExample]:
        """Return the training examples, each with its first answer.

        Args:
            data_dir: the folder of the file.
            filename: its name, where it is not the original one.
        """
        return self._examples(data_dir, filename, self.train_file, training=True)

    def get_dev_examples(  # type: ignore[override]
        self, data_dir: str | os.PathLike[str] | None, filename: str | None = None
    ) -> list[SquadExample]:
        """Return the examples for development, each with all its answers; arguments as for training."""
        return self._examples(data_dir, filename, self.dev_file, training=False)

    def get_examples_from_dataset(
        self, dataset: Mapping[str, Any], evaluate: bool = False
    ) -> list[SquadExample]:
        """Return the examples of `tensorflow_datasets.load("squad")`, whose values offer `.numpy()`.

        Args:
            dataset: {"train": dictionaries, "validation": dictionaries}.
            evaluate: take "validation", with all answers, in place of "train".
        """
        return [
            self._example_of_tensors(row, evaluate) for row in dataset["validation" if evaluate else "train"]
        ]

    @staticmethod
    def _example_of_tensors(row: Mapping[str, Any], evaluate: bool) -> SquadExample:
        answers = [
            {"answer_start": start.numpy(), "text": text.numpy().decode("utf-8")}
            for start, text in zip(row["answers"]["answer_start"], row["answers"]["text"], strict=True)
        ]
        return SquadExample(
            row["id"].numpy().decode("utf-8"),
            row["question"].numpy().decode("utf-8"),
            row["context"].numpy().decode("utf-8"),
            None if evaluate else answers[0]["text"],
            None if evaluate else answers[0]["answer_start"],
            row["title"].numpy().decode("utf-8"),
            answers=answers if evaluate else [],
        )

    def _examples(
        self,
        data_dir: str | os.PathLike[str] | None,
        filename: str | None,
        own_name: str | None,
        training: bool,
    ) -> list[SquadExample]:
        if own_name is None:
            raise ValueError("SquadProcessor should be instantiated via SquadV1Processor or SquadV2Processor")
        file = Path(data_dir or "") / (filename or own_name)
        try:
            articles = json.loads(file.read_text(encoding="utf-8"))["data"]
        except (json.JSONDecodeError, KeyError, TypeError):
            raise ValueError(f'{file.name} is no file of SQuAD: JSON with {{"data": articles}}.') from None
        return [
            _example(question, paragraph["context"], article["title"], training)
            for article in articles
            for paragraph in article["paragraphs"]
            for question in paragraph["qas"]
        ]


def _example(question: dict[str, Any], context: str, title: str, training: bool) -> SquadExample:
    impossible = question.get("is_impossible", False)
    answers = [] if impossible else question["answers"]
    first = answers[0] if training and answers else None
    return SquadExample(
        question["id"],
        question["question"],
        context,
        first and first["text"],
        first and first["answer_start"],
        title,
        answers=[] if training else answers,
        is_impossible=impossible,
    )


class SquadV1Processor(SquadProcessor):
    """SQuAD 1.1: every question has an answer in its text."""

    train_file, dev_file = "train-v1.1.json", "dev-v1.1.json"


class SquadV2Processor(SquadProcessor):
    """SQuAD 2.0: the text does not answer every question (`is_impossible`)."""

    train_file, dev_file = "train-v2.0.json", "dev-v2.0.json"


class SquadResult:
    """What a model says of one window.

    Args:
        unique_id: identifies the window, as `SquadFeatures.unique_id`.
        start_logits: one for each token.
        end_logits: one for each token.
        start_top_index: the best starts, from models with beams.
        end_top_index: the best ends of each.
        cls_logits: how much the window has no answer.
    """

    def __init__(
        self,
        unique_id: int,
        start_logits: Any,
        end_logits: Any,
        start_top_index: Any = None,
        end_top_index: Any = None,
        cls_logits: Any = None,
    ) -> None:
        self.unique_id = unique_id
        self.start_logits = start_logits
        self.end_logits = end_logits
        if start_top_index is not None:
            self.start_top_index = start_top_index
            self.end_top_index = end_top_index
            self.cls_logits = cls_logits
