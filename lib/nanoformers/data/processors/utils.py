"""What the processors share: an example, its features, and the reading of tables.

The name of this module is the documented one (`data.processors.utils`).
"""

from __future__ import annotations

import csv
import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ...tokenization import PreTrainedTokenizerBase

__all__ = ["DataProcessor", "InputExample", "InputFeatures", "SingleSentenceClassificationProcessor"]


@dataclasses.dataclass
class InputExample:
    """One text, or one pair of texts, with its label.

    Args:
        guid: identifies the example.
        text_a: the text.
        text_b: the second text of a pair.
        label: the label as text; None in test sets.
    """

    guid: str | None
    text_a: str
    text_b: str | None = None
    label: str | None = None

    def to_json_string(self) -> str:
        """Return the example as JSON, with a line break at its end."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


@dataclasses.dataclass(frozen=True)
class InputFeatures:
    """The inputs of a model for one example, under the names that models know.

    Args:
        input_ids: ids of the tokens.
        attention_mask: 1 for tokens and 0 for padding.
        token_type_ids: 0 for the first text and 1 for the second.
        label: number of the class, or a number to predict.
    """

    input_ids: list[int]
    attention_mask: list[int] | None = None
    token_type_ids: list[int] | None = None
    label: int | float | None = None

    def to_json_string(self) -> str:
        """Return the features as JSON, with a line break at the end."""
        return json.dumps(dataclasses.asdict(self)) + "\n"


class DataProcessor:
    """Base class of what makes examples of the files of a data set; its methods are for subclasses."""

    def _has_no(self, what: str) -> Exception:
        return NotImplementedError(f"{type(self).__name__} has no {what}.")

    def get_example_from_tensor_dict(self, tensor_dict: dict[str, Any]) -> InputExample:
        """Return the example that a `tensorflow_datasets` dictionary holds; its values offer `.numpy()`."""
        raise self._has_no("examples from tensor dictionaries")

    def get_train_examples(self, data_dir: str | os.PathLike[str]) -> list[InputExample]:
        """Return the training examples in a folder."""
        raise self._has_no("training examples")

    def get_dev_examples(self, data_dir: str | os.PathLike[str]) -> list[InputExample]:
        """Return the examples for development in a folder."""
        raise self._has_no("examples for development")

    def get_test_examples(self, data_dir: str | os.PathLike[str]) -> list[InputExample]:
        """Return the test examples in a folder."""
        raise self._has_no("test examples")

    def get_labels(self) -> list[Any]:
        """Return the labels; the place in this list is the number of the class."""
        raise self._has_no("labels")

    def tfds_map(self, example: InputExample) -> InputExample:
        """Replace the number of a class, as `tensorflow_datasets` gives it, by its label."""
        labels = self.get_labels()
        if len(labels) > 1:
            example.label = labels[int(example.label or 0)]
        return example

    @classmethod
    def _read_tsv(cls, input_file: str | os.PathLike[str], quotechar: str | None = None) -> list[list[str]]:
        """Return the rows of a file whose values are parted by tabs."""
        with Path(input_file).open(encoding="utf-8-sig", newline="") as file:
            if quotechar is None:
                return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
            return list(csv.reader(file, delimiter="\t", quotechar=quotechar))


class SingleSentenceClassificationProcessor(DataProcessor):
    """Examples of one sentence each, from a table or from lists.

    Args:
        labels: the labels known so far.
        examples: the examples so far.
        mode: "classification" or "regression".
        verbose: kept with the processor; nothing is printed.
    """

    def __init__(
        self,
        labels: list[Any] | None = None,
        examples: list[InputExample] | None = None,
        mode: str = "classification",
        verbose: bool = False,
    ) -> None:
        if mode not in ("classification", "regression"):
            raise ValueError(f"mode={mode!r}: allowed are 'classification' and 'regression'.")
        self.labels = [] if labels is None else labels
        self.examples = [] if examples is None else examples
        self.mode = mode
        self.verbose = verbose

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)(self.labels, self.examples[idx], self.mode, self.verbose)
        return self.examples[idx]

    @classmethod
    def create_from_csv(
        cls,
        file_name: str | os.PathLike[str],
        split_name: str = "",
        column_label: int = 0,
        column_text: int = 1,
        column_id: int | None = None,
        skip_first_row: bool = False,
        **kwargs: Any,
    ) -> SingleSentenceClassificationProcessor:
        """Return a processor of the rows of a table; see `add_examples_from_csv`."""
        processor = cls(**kwargs)
        processor.add_examples_from_csv(
            file_name, split_name, column_label, column_text, column_id, skip_first_row, True, True
        )
        return processor

    @classmethod
    def create_from_examples(
        cls, texts_or_text_and_labels: Sequence[Any], labels: Sequence[Any] | None = None, **kwargs: Any
    ) -> SingleSentenceClassificationProcessor:
        """Return a processor of texts, or of (text, label) pairs; see `add_examples`."""
        processor = cls(**kwargs)
        processor.add_examples(texts_or_text_and_labels, labels=labels)
        return processor

    def add_examples_from_csv(
        self,
        file_name: str | os.PathLike[str],
        split_name: str = "",
        column_label: int = 0,
        column_text: int = 1,
        column_id: int | None = None,
        skip_first_row: bool = False,
        overwrite_labels: bool = False,
        overwrite_examples: bool = False,
    ) -> list[InputExample]:
        """Add the rows of a table whose values are parted by tabs.

        Args:
            file_name: the table.
            split_name: begins the ids that rows get where there is no `column_id`.
            column_label: number of the column with labels.
            column_text: number of the column with texts.
            column_id: number of the column with ids.
            skip_first_row: whether the first row names the columns.
            overwrite_labels: forget the labels known so far.
            overwrite_examples: forget the examples so far.

        Returns:
            All examples.
        """
        rows = self._read_tsv(file_name)[1 if skip_first_row else 0 :]
        prefix = f"{split_name}-" if split_name else ""
        return self.add_examples(
            [row[column_text] for row in rows],
            [row[column_label] for row in rows],
            [f"{prefix}{i}" if column_id is None else row[column_id] for i, row in enumerate(rows)],
            overwrite_labels,
            overwrite_examples,
        )

    def add_examples(
        self,
        texts_or_text_and_labels: Sequence[Any],
        labels: Sequence[Any] | None = None,
        ids: Sequence[Any] | None = None,
        overwrite_labels: bool = False,
        overwrite_examples: bool = False,
    ) -> list[InputExample]:
        """Add texts.

        Args:
            texts_or_text_and_labels: texts, or (text, label) pairs where `labels` has none.
            labels: one for each text.
            ids: one for each text.
            overwrite_labels: forget the labels known so far.
            overwrite_examples: forget the examples so far.

        Returns:
            All examples.

        Raises:
            ValueError: the lists differ in length.
        """
        count = len(texts_or_text_and_labels)
        for name, values in (("labels", labels), ("ids", ids)):
            if values is not None and len(values) != count:
                raise ValueError(f"Text and {name} have mismatched lengths {count} and {len(values)}")
        added = []
        for text, label, guid in zip(
            texts_or_text_and_labels, labels or [None] * count, ids or [None] * count, strict=True
        ):
            if label is None and isinstance(text, (tuple, list)):
                text, label = text
            added.append(InputExample(guid, text, None, label))
        self.examples = added if overwrite_examples else [*self.examples, *added]
        known = [] if overwrite_labels else self.labels
        self.labels = list(dict.fromkeys([*known, *(example.label for example in added)]))
        return self.examples

    def get_features(
        self,
        tokenizer: PreTrainedTokenizerBase,
        max_length: int | None = None,
        pad_on_left: bool = False,
        pad_token: int = 0,
        mask_padding_with_zero: bool = True,
        return_tensors: str | None = None,
    ) -> Any:
        """Return the inputs of a model for all examples, padded to the longest.

        Args:
            tokenizer: makes ids of the texts.
            max_length: the most tokens; the tokenizer's own maximum by default.
            pad_on_left: whether padding stands before the tokens.
            pad_token: id of padding.
            mask_padding_with_zero: whether the attention mask has 1 for tokens and 0 for padding, or the
                other way round.
            return_tensors: None for a list of `InputFeatures`, "pt" for a
                `TensorDataset(input_ids, attention_mask, labels)`.

        Raises:
            ValueError: another value of `return_tensors`.
        """
        if return_tensors not in (None, "pt"):
            raise ValueError(f"return_tensors={return_tensors!r}: allowed are None and 'pt'.")
        limit = min(max_length or tokenizer.model_max_length, tokenizer.model_max_length)
        rows = [
            tokenizer.encode(example.text_a, truncation=True, max_length=limit) for example in self.examples
        ]
        longest = max(map(len, rows))
        number = {label: index for index, label in enumerate(self.labels)}
        real, padded = (1, 0) if mask_padding_with_zero else (0, 1)
        features = []
        for row, example in zip(rows, self.examples, strict=True):
            missing = longest - len(row)
            before, after = (missing, 0) if pad_on_left else (0, missing)
            regression = self.mode == "regression"
            features.append(
                InputFeatures(
                    [pad_token] * before + row + [pad_token] * after,
                    [padded] * before + [real] * len(row) + [padded] * after,
                    label=float(example.label or 0.0) if regression else number[example.label],
                )
            )
        return features if return_tensors is None else _tensor_dataset(features, self.mode)


def _tensor_dataset(features: list[InputFeatures], mode: str) -> Any:
    import torch

    columns = [
        np.array([feature.input_ids for feature in features], dtype=np.int64),
        np.array([feature.attention_mask for feature in features], dtype=np.int64),
        np.array(
            [feature.label for feature in features],
            dtype=np.float32 if mode == "regression" else np.int64,
        ),
    ]
    return torch.utils.data.TensorDataset(*map(torch.from_numpy, columns))
