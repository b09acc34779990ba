"""Data of a script: from files or from the hub, cut to size, prepared once for all processes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .arguments import DataArguments, ModelArguments

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from ..arguments import TrainingArguments

Splits = TypeVar("Splits", "Dataset", "DatasetDict")

__all__ = [
    "check_columns",
    "chosen_splits",
    "column",
    "column_if_any",
    "load_splits",
    "preprocess",
    "rows_of",
]


def load_splits(
    data_args: DataArguments, model_args: ModelArguments, held_out_percentage: int | None = None
) -> DatasetDict:
    """Return all splits of the data set on the hub, or of the files.

    Args:
        data_args: what to read.
        model_args: its cache and token.
        held_out_percentage: where there is no validation split, take this share of the training split.

    Raises:
        ImportError: the package datasets is not installed.
        ValueError: files cannot be read as what they are called, or hold no rows.
    """
    try:
        from datasets import DatasetDict, load_dataset
        from datasets.exceptions import DatasetGenerationError
    except ImportError as error:
        raise ImportError(
            "The example scripts read their data with datasets: pip install datasets."
        ) from error

    where = {"cache_dir": model_args.cache_dir, "token": model_args.token}
    if data_args.dataset_name is not None:
        data = load_dataset(data_args.dataset_name, data_args.dataset_config_name, **where)
    else:
        files = data_args.files
        builder = data_args.builder(next(iter(files.values())))
        field = {"field": "data"} if builder == "json" and all(map(_is_in_data, files.values())) else {}
        try:
            data = load_dataset(builder, data_files=files, **where, **field)
        except (DatasetGenerationError, ValueError) as error:
            raise ValueError(
                f"{', '.join(files.values())} cannot be read as {builder}, or without any row: "
                f"{error.__cause__ or error}"
            ) from error
    if held_out_percentage and "validation" not in data and "train" in data:
        share = round(len(data["train"]) * held_out_percentage / 100)
        rest = data["train"].select(range(share, len(data["train"])))
        data = DatasetDict({**data, "validation": data["train"].select(range(share)), "train": rest})
    return data


def _is_in_data(file: str) -> bool:
    """Tell whether a file is one JSON object whose rows are in its field "data", as in the files of SQuAD."""
    if "://" in file:
        return False
    with Path(file).open(encoding="utf-8", errors="replace") as stream:
        beginning = stream.read(200)
    return re.match(r'\s*{\s*("version"\s*:\s*"[^"]*"\s*,\s*)?"data"\s*:\s*\[\s*{', beginning) is not None


def chosen_splits(
    data: DatasetDict, data_args: DataArguments, training_args: TrainingArguments
) -> DatasetDict:
    """Return the splits that `--do_train`, `--do_eval` and `--do_predict` ask for, cut to `--max_*_samples`.

    Raises:
        ValueError: there is none for one of them, or none of the three is asked for.
    """
    from datasets import DatasetDict

    asked = {
        "train": ("--do_train", training_args.do_train),
        "validation": ("--do_eval", training_args.do_eval),
        "test": ("--do_predict", training_args.do_predict),
    }
    wanted = {split: flag for split, (flag, given) in asked.items() if given}
    if not wanted:
        raise ValueError("There is nothing to do. Pass `--do_train`, `--do_eval` and/or `--do_predict`.")
    return DatasetDict({split: rows_of(data, split, data_args, flag) for split, flag in wanted.items()})


def rows_of(data: DatasetDict, split: str, data_args: DataArguments, needed_by: str) -> Dataset:
    """Return a split, cut to as many examples as the arguments want.

    Args:
        data: all splits.
        split: "train", "validation" or "test".
        data_args: how many.
        needed_by: what cannot go on without it, for the message.

    Raises:
        ValueError: there is no such split.
    """
    if split not in data:
        raise ValueError(
            f"{needed_by} requires a {split} dataset; there is only: {', '.join(data)}. Pass --{split}_file, "
            "or a data set that has it."
        )
    limit = data_args.at_most(split)
    return data[split].select(range(len(data[split]) if limit is None else min(limit, len(data[split]))))


def check_columns(data: Mapping[str, Dataset], *names: str) -> None:
    """Refuse splits that lack one of these columns, or a value in it.

    Raises:
        ValueError: one does.
    """
    for split, rows in data.items():
        for name in names:
            if name not in rows.column_names:
                raise ValueError(
                    f"The {split} split has no column {name!r}, which is needed here; it has: "
                    f"{', '.join(rows.column_names)}."
                )
            values = rows.select_columns(name)[:][name]
            empty = [number for number, value in enumerate(values) if value is None]
            if empty:
                raise ValueError(
                    f"The column {name!r} of the {split} split is empty in {len(empty)} of {len(values)} "
                    f"rows, first in row {empty[0] + 1}: fill it, or leave these rows out."
                )


def preprocess(
    data: Splits,
    function: Callable[..., Any],
    data_args: DataArguments,
    training_args: TrainingArguments,
    *,
    remove_columns: Iterable[str] | None = None,
    desc: str = "Running tokenizer on dataset",
) -> Splits:
    """Map the batches of one split or of all; the main process does it, the others read what it has cached.

    Args:
        data: one split, or several by name.
        function: takes a batch, {column: list}, and returns one.
        data_args: how many workers, and whether an earlier result will do.
        training_args: which process this is.
        remove_columns: by default all that there are, so that only what `function` returns stays.
        desc: title of the progress bar.
    """
    from datasets import DatasetDict

    def mapped(rows: Dataset, title: str) -> Dataset:
        return rows.map(
            function,
            batched=True,
            num_proc=data_args.preprocessing_num_workers,
            remove_columns=rows.column_names if remove_columns is None else list(remove_columns),
            load_from_cache_file=not data_args.overwrite_cache,
            desc=title,
        )

    with training_args.main_process_first(desc=desc):
        if isinstance(data, DatasetDict):
            return DatasetDict({split: mapped(rows, f"{desc} ({split})") for split, rows in data.items()})
        return mapped(data, desc)


def column(data: DatasetDict, flag: str, wanted: str | None, *usual: str) -> str:
    """Return the column that a flag names, else the first of the usual names that is there.

    Args:
        data: the splits.
        flag: such as "--text_column".
        wanted: its value, None when it was not given.
        usual: names to look for.

    Raises:
        ValueError: there is no such column.
    """
    found = column_if_any(data, flag, wanted, *usual)
    if found is None:
        names = next(iter(data.values())).column_names
        raise ValueError(f"Which column is it? Pass {flag} with one of: {', '.join(names)}")
    return found


def column_if_any(data: DatasetDict, flag: str, wanted: str | None, *usual: str) -> str | None:
    """Return the same column, or None when the flag was not given and no usual name is there.

    Raises:
        ValueError: there is no column of the name that was given.
    """
    names = next(iter(data.values())).column_names
    if wanted is not None and wanted not in names:
        raise ValueError(f"'{flag}' value '{wanted}' needs to be one of: {', '.join(names)}")
    return wanted or next((name for name in usual if name in names), None)
