"""Files that a pipeline reads from and writes to: CSV, JSON, and the standard input and output.

Mirrors `PipelineDataFormat` of the documentation page `internal/pipelines_utils`.
"""

from __future__ import annotations

import csv
import json
import pickle
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, ClassVar

from ..utils.files import write_text, written_whole


class PipelineDataFormat(ABC):
    """Reads inputs, and writes answers.

    Args:
        output_path: the file to write; None where answers are printed.
        input_path: the file to read; None for the standard input.
        column: the column to read; or several, with commas between them, each "column" or
            "argument=column": inputs are then dictionaries {argument: value}.
        overwrite: whether `output_path` may exist already.

    Raises:
        OSError: `output_path` exists and is not to be overwritten, or there is no `input_path`.
    """

    SUPPORTED_FORMATS: ClassVar[list[str]] = ["json", "csv", "pipe"]

    def __init__(
        self, output_path: str | None, input_path: str | None, column: str | None, overwrite: bool = False
    ) -> None:
        self.output_path = output_path
        self.input_path = input_path
        names = column.split(",") if column is not None else [""]
        self.is_multi_columns = len(names) > 1
        self.column: list[Any] = (
            [tuple(name.split("=", 1)) if "=" in name else (name, name) for name in names]
            if self.is_multi_columns
            else names
        )
        if output_path is not None and not overwrite and Path(output_path).exists():
            raise OSError(f"{output_path} already exists on disk: name another file, or pass overwrite=True.")
        if input_path is not None and not Path(input_path).exists():
            raise OSError(f"{input_path} doesnt exist on disk")

    @abstractmethod
    def __iter__(self) -> Iterator[Any]:
        """Yield the inputs."""

    @abstractmethod
    def save(self, data: Any) -> None:
        """Write the answers."""

    def save_binary(self, data: Any) -> str:
        """Write the answers as a pickle beside `output_path`, for what fits into no text.

        A pickle runs code when it is read: open only those that you wrote.

        Returns:
            The path of the file: that of `output_path` with the ending .pickle.
        """
        path = Path(self._place_to_write()).with_suffix(".pickle")
        with written_whole(path) as beside:
            beside.write_bytes(pickle.dumps(data))
        return str(path)

    def _pick(self, row: Mapping[str, Any]) -> Any:
        """Take the columns out of a row."""
        try:
            if self.is_multi_columns:
                return {argument: row[name] for argument, name in self.column}
            return row[self.column[0]]
        except KeyError as error:
            raise KeyError(f"There is no column {error}; the columns are {sorted(row)}.") from None

    def _place_to_write(self) -> str:
        if self.output_path is None:
            raise KeyError("There is no `output_path` to write to: pass one.")
        return self.output_path

    @staticmethod
    def from_str(
        format: str,
        output_path: str | None,
        input_path: str | None,
        column: str | None,
        overwrite: bool = False,
    ) -> PipelineDataFormat:
        """Make the reader and writer of a format: "json", "csv" or "pipe".

        Raises:
            KeyError: there is no such format.
        """
        formats: dict[str, type[PipelineDataFormat]] = {
            "json": JsonPipelineDataFormat,
            "csv": CsvPipelineDataFormat,
            "pipe": PipedPipelineDataFormat,
        }
        if format not in formats:
            raise KeyError(f"Unknown reader {format} (Available reader are json/csv/pipe)")
        return formats[format](output_path, input_path, column, overwrite=overwrite)


class CsvPipelineDataFormat(PipelineDataFormat):
    """Reads and writes CSV files with a header."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the inputs, row by row."""
        with _opened(self.input_path) as file:
            for row in csv.DictReader(file):
                yield self._pick(row)

    def save(self, data: Sequence[Mapping[str, Any]]) -> None:
        """Write dictionaries, one a row; the first says which columns there are."""
        with (
            written_whole(self._place_to_write()) as beside,
            beside.open("w", encoding="utf-8", newline="") as file,
        ):
            if data:
                writer = csv.DictWriter(file, list(data[0]))
                writer.writeheader()
                writer.writerows(data)


class JsonPipelineDataFormat(PipelineDataFormat):
    """Reads JSON files (a list of objects, or one object a line), and writes them.

    Raises:
        ValueError: the file is neither.
    """

    def __init__(
        self, output_path: str | None, input_path: str | None, column: str | None, overwrite: bool = False
    ) -> None:
        super().__init__(output_path, input_path, column, overwrite=overwrite)
        with _opened(input_path) as file:
            self._entries = _entries(file.read(), input_path)

    def __iter__(self) -> Iterator[Any]:
        """Yield the inputs, object by object."""
        return map(self._pick, self._entries)

    def save(self, data: Any) -> None:
        """Write the answers as one JSON value."""
        write_text(self._place_to_write(), json.dumps(data))


class PipedPipelineDataFormat(PipelineDataFormat):
    """Reads lines from the standard input, and prints answers.

    With several columns, tabs divide a line, and an input is a dictionary {column: value}.
    """

    def __iter__(self) -> Iterator[Any]:
        """Yield the inputs, line by line."""
        for line in sys.stdin:
            text = line.rstrip("\r\n")
            if "\t" not in text:
                yield text
            elif self.is_multi_columns:
                yield {name: value for (name, _), value in zip(self.column, text.split("\t"), strict=False)}
            else:
                yield tuple(text.split("\t"))

    def save(self, data: Any) -> None:
        """Print the answers."""
        print(data)

    def save_binary(self, data: Any) -> str:
        """Write the answers as a pickle: see `PipelineDataFormat.save_binary`.

        Raises:
            KeyError: there is no `output_path`.
        """
        if self.output_path is None:
            raise KeyError(
                "When using piped input on pipeline outputting large object requires an output file path. "
                "Please provide such output path through --output argument."
            )
        return super().save_binary(data)


def _opened(path: str | None) -> IO[str]:
    """Open a file to read."""
    if path is None:
        raise OSError("There is no `input_path` to read from: pass one.")
    return Path(path).open(encoding="utf-8-sig", newline="")


def _entries(text: str, path: str | None) -> list[Any]:
    """Parse a JSON list, or a JSON value from each line."""
    try:
        entries = json.loads(text)
        return entries if isinstance(entries, list) else [entries]
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise ValueError(
            f"{path} is neither a JSON list nor has it one JSON object on each line: {error}"
        ) from error
