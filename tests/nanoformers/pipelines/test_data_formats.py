"""Files that a pipeline reads from and writes to."""

from __future__ import annotations

import csv
import io
import json
import pickle

import pytest
from nanoformers import pipeline
from nanoformers.pipelines import (
    CsvPipelineDataFormat,
    JsonPipelineDataFormat,
    PipedPipelineDataFormat,
    PipelineDataFormat,
)

ROWS = [{"text": "the cat", "other": "it, ran"}, {"text": "a dög", "other": "on\nthe mat"}]


@pytest.fixture
def files(tmp_path):
    """The same rows in every format that has files."""
    with (tmp_path / "in.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["text", "other"])
        writer.writeheader()
        writer.writerows(ROWS)
    (tmp_path / "in.json").write_text(json.dumps(ROWS), encoding="utf-8")
    (tmp_path / "lines.json").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("format", "kind"), [
    ("csv", CsvPipelineDataFormat),
    ("json", JsonPipelineDataFormat),
    ("pipe", PipedPipelineDataFormat),
])  # fmt: skip
def test_formats_have_names(files, format, kind):
    path = None if format == "pipe" else str(files / f"in.{format}")
    assert type(PipelineDataFormat.from_str(format, None, path, None)) is kind
    assert format in PipelineDataFormat.SUPPORTED_FORMATS


def test_an_unknown_format():
    with pytest.raises(KeyError, match=r"Unknown reader xml \(Available reader are json/csv/pipe\)"):
        PipelineDataFormat.from_str("xml", None, None, None)


@pytest.mark.parametrize("name", ["in.csv", "in.json", "lines.json"])
class TestReading:
    def read(self, files, name, column):
        return list(PipelineDataFormat.from_str(name.partition(".")[2], None, str(files / name), column))

    def test_one_column(self, files, name):
        assert self.read(files, name, "text") == ["the cat", "a dög"]

    def test_several_columns(self, files, name):
        assert self.read(files, name, "text,other") == ROWS

    def test_columns_as_arguments(self, files, name):
        found = self.read(files, name, "question=text,context=other")
        assert found[0] == {"question": "the cat", "context": "it, ran"}

    def test_an_unknown_column(self, files, name):
        with pytest.raises(KeyError, match="no column 'txt'"):
            self.read(files, name, "txt")


class TestWriting:
    @pytest.mark.parametrize("ending", ["csv", "json"])
    def test_what_is_written_can_be_read(self, files, ending):
        path = str(files / f"out.{ending}")
        PipelineDataFormat.from_str(ending, path, str(files / f"in.{ending}"), None).save(ROWS)
        assert list(PipelineDataFormat.from_str(ending, None, path, "text,other")) == ROWS

    @pytest.mark.parametrize("ending", ["csv", "json"])
    def test_a_file_is_not_overwritten_unless_asked(self, files, ending):
        path = str(files / f"in.{ending}")
        with pytest.raises(OSError, match="already exists on disk"):
            PipelineDataFormat.from_str(ending, path, path, "text")
        PipelineDataFormat.from_str(ending, path, path, "text", overwrite=True).save(ROWS[:1])
        assert list(PipelineDataFormat.from_str(ending, None, path, "text")) == ["the cat"]

    def test_nothing_is_left_of_what_cannot_be_written(self, files):
        format = PipelineDataFormat.from_str("csv", str(files / "out.csv"), str(files / "in.csv"), "text")
        with pytest.raises(ValueError, match="fieldnames"):
            format.save([{"a": 1}, {"b": 2}])
        assert not [path for path in files.iterdir() if "out" in path.name]

    def test_a_pickle_lies_beside(self, files):
        format = CsvPipelineDataFormat(str(files / "out.csv"), str(files / "in.csv"), "text")
        path = format.save_binary({"a": [1]})
        assert path == str(files / "out.pickle")
        assert pickle.loads((files / "out.pickle").read_bytes()) == {"a": [1]}


class TestErrors:
    def test_no_such_file(self, tmp_path):
        with pytest.raises(OSError, match="doesnt exist on disk"):
            CsvPipelineDataFormat(None, str(tmp_path / "nothing.csv"), "text")

    def test_no_json(self, tmp_path):
        (tmp_path / "in.json").write_text("{")
        with pytest.raises(ValueError, match="neither a JSON list nor"):
            JsonPipelineDataFormat(None, str(tmp_path / "in.json"), "text")

    def test_nowhere_to_write(self, files):
        with pytest.raises(KeyError, match="output_path"):
            CsvPipelineDataFormat(None, str(files / "in.csv"), "text").save(ROWS)


class TestPipes:
    def test_lines(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.StringIO("the cat\nit ran\n"))
        assert list(PipedPipelineDataFormat(None, None, None)) == ["the cat", "it ran"]

    def test_tabs_divide_columns(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.StringIO("was it\tit was\n"))
        (row,) = PipedPipelineDataFormat(None, None, "question,context")
        assert row == {"question": "was it", "context": "it was"}

    def test_tabs_without_names(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.StringIO("a\tb\n"))
        assert list(PipedPipelineDataFormat(None, None, None)) == [("a", "b")]

    def test_answers_are_printed(self, capsys):
        PipedPipelineDataFormat(None, None, None).save({"label": "GOOD"})
        assert capsys.readouterr().out == "{'label': 'GOOD'}\n"

    def test_a_pickle_needs_a_path(self):
        with pytest.raises(KeyError, match="requires an output file path"):
            PipedPipelineDataFormat(None, None, None).save_binary([])


def test_from_a_file_through_a_pipeline_to_a_file(files, checkpoint):
    format = PipelineDataFormat.from_str("csv", str(files / "out.csv"), str(files / "in.csv"), "text")
    format.save([answer for (answer,) in map(pipeline("text-classification", checkpoint), format)])
    assert len(list(PipelineDataFormat.from_str("csv", None, str(files / "out.csv"), "label"))) == 2
