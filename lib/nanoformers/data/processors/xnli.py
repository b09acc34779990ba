"""XNLI: natural language inference in fifteen languages (https://arxiv.org/abs/1809.05053)."""

from __future__ import annotations

import os
from pathlib import Path

from .utils import DataProcessor, InputExample

__all__ = ["XnliProcessor", "xnli_output_modes", "xnli_processors", "xnli_tasks_num_labels"]


class XnliProcessor(DataProcessor):
    """Examples of XNLI: trained on machine translations, evaluated on the test set, which has labels.

    Args:
        language: the language of evaluation, such as "fr".
        train_language: that of training; the same by default.
    """

    def __init__(self, language: str, train_language: str | None = None) -> None:
        self.language = language
        self.train_language = train_language

    def get_train_examples(self, data_dir: str | os.PathLike[str]) -> list[InputExample]:
        """Return the examples of `XNLI-MT-1.0/multinli/multinli.train.<language>.tsv` in a folder."""
        language = self.train_language or self.language
        file = Path(data_dir) / "XNLI-MT-1.0" / "multinli" / f"multinli.train.{language}.tsv"
        return [
            InputExample(
                f"train-{number}",
                row[0],
                row[1],
                "contradiction" if row[2] == "contradictory" else row[2],
            )
            for number, row in enumerate(self._read_tsv(file))
            if number > 0
        ]

    def get_test_examples(self, data_dir: str | os.PathLike[str]) -> list[InputExample]:
        """Return the examples of one language in `XNLI-1.0/xnli.test.tsv` in a folder."""
        rows = self._read_tsv(Path(data_dir) / "XNLI-1.0" / "xnli.test.tsv")
        return [
            InputExample(f"test-{number}", row[6], row[7], row[1])
            for number, row in enumerate(rows)
            if number > 0 and row[0] == self.language
        ]

    def get_labels(self) -> list[str]:
        """Return the labels; the place in this list is the number of the class."""
        return ["contradiction", "entailment", "neutral"]


xnli_processors = {"xnli": XnliProcessor}
xnli_output_modes = {"xnli": "classification"}
xnli_tasks_num_labels = {"xnli": 3}
