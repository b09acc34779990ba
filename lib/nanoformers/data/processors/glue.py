"""The nine tasks of GLUE (https://gluebenchmark.com), from their own tables.

Every task is a small class that says in which columns its tables keep what.
"""

from __future__ import annotations

import os
import warnings
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .utils import DataProcessor, InputExample, InputFeatures

if TYPE_CHECKING:
    from ...tokenization import PreTrainedTokenizerBase

__all__ = [
    "ColaProcessor",
    "MnliMismatchedProcessor",
    "MnliProcessor",
    "MrpcProcessor",
    "OutputMode",
    "QnliProcessor",
    "QqpProcessor",
    "RteProcessor",
    "Sst2Processor",
    "StsbProcessor",
    "WnliProcessor",
    "glue_convert_examples_to_features",
    "glue_output_modes",
    "glue_processors",
    "glue_tasks_num_labels",
]

_DEPRECATED = (
    "{} is the older way and will be removed: read the data with `datasets.load_dataset` and call the "
    "tokenizer on its texts."
)


class OutputMode(Enum):
    """What a task predicts: a class or a number."""

    classification = "classification"
    regression = "regression"


class _GlueProcessor(DataProcessor):
    """A task whose tables keep each example in a row. Columns from the end are negative."""

    labels: tuple[str | None, ...] = ("0", "1")
    dev_file, test_file = "dev.tsv", "test.tsv"
    texts: tuple[int, ...] = (1, 2)  # columns of one text or two
    test_texts: tuple[int, ...] | None = None  # where the test table has others
    label = -1
    has_ids = True  # in the first column
    first_row_names_columns = True
    skips_short_rows = False
    tensor_names: tuple[str, ...] = ("sentence1", "sentence2")

    def __init__(self) -> None:
        warnings.warn(_DEPRECATED.format(type(self).__name__), FutureWarning, stacklevel=2)

    def get_example_from_tensor_dict(self, tensor_dict: dict[str, Any]) -> InputExample:
        """Return the example that a `tensorflow_datasets` dictionary holds; its values offer `.numpy()`."""
        texts = [tensor_dict[name].numpy().decode("utf-8") for name in self.tensor_names]
        return InputExample(
            tensor_dict["idx"].numpy(),
            texts[0],
            texts[1] if len(texts) > 1 else None,
            str(tensor_dict["label"].numpy()),
        )

    def get_train_examples(self, data_dir: str | os.PathLike[str]) -> list[InputExample]:
        """Return the examples of `train.tsv` in a folder."""
        return self._examples(data_dir, "train.tsv")

    def get_dev_examples(self, data_dir: str | os.PathLike[str]) -> list[InputExample]:
        """Return the examples for development (`dev.tsv`, for MNLI `dev_matched.tsv`) in a folder."""
        return self._examples(data_dir, self.dev_file)

    def get_test_examples(self, data_dir: str | os.PathLike[str]) -> list[InputExample]:
        """Return the test examples, which have no labels, in a folder."""
        return self._examples(data_dir, self.test_file)

    def get_labels(self) -> list[Any]:
        """Return the labels; the place in this list is the number of the class."""
        return list(self.labels)

    def _examples(self, data_dir: str | os.PathLike[str], name: str) -> list[InputExample]:
        split = name.removesuffix(".tsv")
        testing = split.startswith("test")
        columns = self.test_texts if testing and self.test_texts else self.texts
        rows = self._read_tsv(Path(data_dir) / name)
        examples = []
        for number, row in enumerate(rows):
            if number == 0 and (self.first_row_names_columns or testing):
                continue
            try:
                texts = [row[column] for column in columns]
                label = None if testing else row[self.label]
                guid = row[0] if self.has_ids else str(self._number(number, testing))
            except IndexError:
                if self.skips_short_rows:
                    continue
                raise ValueError(
                    f"Row {number + 1} of {name} has {len(row)} columns, too few for {type(self).__name__}."
                ) from None
            second = texts[1] if len(texts) > 1 else None
            examples.append(InputExample(f"{split}-{guid}", texts[0], second, label))
        return examples

    def _number(self, number: int, testing: bool) -> int:
        """Return the number of a row by which its example is known."""
        return number


class MrpcProcessor(_GlueProcessor):
    """MRPC: do two sentences from the news say the same?"""

    texts, label, has_ids = (3, 4), 0, False


class MnliProcessor(_GlueProcessor):
    """MNLI: does a sentence follow from another? `dev_matched.tsv` is of the same genres as the training."""

    labels = ("contradiction", "entailment", "neutral")
    dev_file, test_file = "dev_matched.tsv", "test_matched.tsv"
    texts = (8, 9)
    tensor_names = ("premise", "hypothesis")


class MnliMismatchedProcessor(MnliProcessor):
    """MNLI, evaluated on genres that training has not seen."""

    dev_file, test_file = "dev_mismatched.tsv", "test_mismatched.tsv"


class ColaProcessor(_GlueProcessor):
    """CoLA: is a sentence grammatical? Only its test table names the columns."""

    texts, test_texts, label, has_ids = (3,), (1,), 1, False
    first_row_names_columns = False
    tensor_names = ("sentence",)

    def _number(self, number: int, testing: bool) -> int:
        return number - 1 if testing else number


class Sst2Processor(_GlueProcessor):
    """SST-2: is a sentence of a film review positive?"""

    texts, test_texts, label, has_ids = (0,), (1,), 1, False
    tensor_names = ("sentence",)


class StsbProcessor(_GlueProcessor):
    """STS-B: how alike are two sentences, from 0 to 5?"""

    labels = (None,)
    texts = (7, 8)


class QqpProcessor(_GlueProcessor):
    """QQP: do two questions ask the same? Broken rows of its tables are left out."""

    texts, test_texts, label, skips_short_rows = (3, 4), (1, 2), 5, True
    tensor_names = ("question1", "question2")


class QnliProcessor(_GlueProcessor):
    """QNLI: does a sentence hold the answer to a question?"""

    labels = ("entailment", "not_entailment")
    tensor_names = ("question", "sentence")


class RteProcessor(_GlueProcessor):
    """RTE: does a sentence follow from another?"""

    labels = ("entailment", "not_entailment")


class WnliProcessor(_GlueProcessor):
    """WNLI: is a pronoun resolved as the second sentence says?"""


glue_processors: dict[str, type[_GlueProcessor]] = {
    "cola": ColaProcessor,
    "mnli": MnliProcessor,
    "mnli-mm": MnliMismatchedProcessor,
    "mrpc": MrpcProcessor,
    "sst-2": Sst2Processor,
    "sts-b": StsbProcessor,
    "qqp": QqpProcessor,
    "qnli": QnliProcessor,
    "rte": RteProcessor,
    "wnli": WnliProcessor,
}

glue_output_modes: dict[str, str] = {
    task: "regression" if task == "sts-b" else "classification" for task in glue_processors
}

glue_tasks_num_labels: dict[str, int] = {
    task: len(processor.labels) for task, processor in glue_processors.items() if task != "mnli-mm"
}


def glue_convert_examples_to_features(
    examples: list[InputExample],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int | None = None,
    task: str | None = None,
    label_list: list[Any] | None = None,
    output_mode: str | None = None,
) -> list[InputFeatures]:
    """Return the inputs of a model for examples, each padded to `max_length`.

    Args:
        examples: from a processor.
        tokenizer: makes ids of the texts.
        max_length: the length of all; the tokenizer's own maximum by default.
        task: a name in `glue_processors`, which gives the next two where they are left out.
        label_list: the labels; the place in this list is the number of the class.
        output_mode: "classification" or "regression".

    Raises:
        KeyError: an unknown task, mode or label.
        ValueError: neither a task nor labels are given.
    """
    warnings.warn(_DEPRECATED.format("glue_convert_examples_to_features"), FutureWarning, stacklevel=2)
    if task is not None:
        if task not in glue_processors:
            raise KeyError(f"Task {task!r} is unknown; there are {', '.join(glue_processors)}.")
        label_list = list(glue_processors[task].labels) if label_list is None else label_list
        output_mode = glue_output_modes[task] if output_mode is None else output_mode
    if output_mode not in ("classification", "regression"):
        raise KeyError(f"output_mode={output_mode!r}: give 'classification' or 'regression', or a task.")
    if label_list is None:
        raise ValueError("Labels have no numbers: give `label_list`, or the `task` that knows its labels.")
    number = {label: index for index, label in enumerate(label_list)}
    labels: list[int | float | None] = []
    for example in examples:
        if example.label is None:
            labels.append(None)
        elif output_mode == "regression":
            labels.append(float(example.label))
        elif example.label in number:
            labels.append(number[example.label])
        else:
            raise KeyError(f"Label {example.label!r} of {example.guid} is none of {label_list}.")
    if not examples:
        return []
    pairs = examples[0].text_b is not None
    inputs = tokenizer(
        [example.text_a for example in examples],
        [example.text_b or "" for example in examples] if pairs else None,
        max_length=tokenizer.model_max_length if max_length is None else max_length,
        padding="max_length",
        truncation=True,
    )
    return [
        InputFeatures(**{name: inputs[name][index] for name in inputs}, label=label)
        for index, label in enumerate(labels)
    ]
