"""`classroom data`: what data sets there are, rows of one, a fresh one of any size."""

from __future__ import annotations

import json

import pytest
from classroom import cli, sources, toyland
from classroom.commands.terminal import console
from classroom.course_data import DataSetError, find
from classroom.toyland import data_sets, rows
from typer.testing import CliRunner

SERVED = ("stories", "sentiment", "entities")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home whose store holds three views of Toyland; the first command fills it."""
    few = [(name, write) for name, write in toyland.datasets() if name.split("/")[1] in SERVED]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "seeded_models", list)
        patch.setattr(sources, "seeded_datasets", list)
        patch.setattr(toyland, "datasets", lambda: few)
        yield tmp_path_factory.mktemp("home")


def call(home, *arguments: str, status: int = 0, columns: int = 120) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(console, "_width", columns)  # a console reads COLUMNS once, when it is made
        result = CliRunner().invoke(cli.app, ["data", *arguments], env={"CLASSROOM_HOME": str(home)})
    assert result.exit_code == status, result.output
    return result.output


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class TestList:
    def test_names_rows_sizes_and_descriptions(self, home):
        said = call(home)
        row = next(line for line in said.splitlines() if "toyland/stories" in line)
        assert row.split() == ["toyland/stories", "2,000", "200", "200", "0.6", "MB"]
        assert "A story of three to eight sentences." in said

    def test_every_row_fits_a_narrow_terminal(self, home):
        said = call(home, columns=80)
        rows_of = [line for line in said.splitlines() if line.strip().startswith("toyland/")]
        assert len(rows_of) == len(SERVED)
        assert all(line.rstrip().endswith("MB") for line in rows_of)


class TestShow:
    def test_the_first_rows_are_the_data_set_s(self, home):
        said = call(home, "show", "toyland/stories", "-n", "2", columns=2000)
        for number, row in enumerate(rows("stories", 2)):
            assert f"toyland/stories · train · {number}" in said
            assert row["text"] in said

    def test_long_texts_wrap_and_lose_nothing(self, home):
        said = call(home, "show", "toyland/stories", "-n", "1", columns=50)
        shown = " ".join(line.strip("│╭╮╰╯─ ") for line in said.splitlines()[1:-1])
        assert " ".join(shown.split()).removeprefix("text ") == rows("stories", 1)[0]["text"]

    def test_classes_have_their_names_beside_them(self, home):
        assert "label  0 (negative)" in call(home, "show", "toyland/sentiment", "-n", "1")
        assert "1 (B-PER), 0 (O)" in call(home, "show", "toyland/entities", "-n", "1")

    def test_the_organisation_may_be_left_out(self, home):
        assert "toyland/stories · test · 0" in call(home, "show", "stories", "--split", "test")

    def test_a_mistyped_name_is_answered_with_the_nearest(self, home):
        assert "Did you mean toyland/stories?" in call(home, "show", "toyland/storeis", status=2)

    def test_an_unknown_split_is_answered_with_those_there_are(self, home):
        assert "train, validation, test" in call(home, "show", "stories", "--split", "dev", status=2)


class TestFind:
    def test_a_name_that_two_organisations_use_must_be_written_out(self):
        with pytest.raises(DataSetError):
            find("stories", ["a/stories", "b/stories"])


class TestWrite:
    def test_any_size_and_seed(self, home, tmp_path):
        out = tmp_path / "new" / "out"
        call(home, "write", "toyland/intents", str(out), "--seed", "7", "--train", "30", "--test", "5")
        assert len(lines(out / "validation.jsonl")) == 200
        assert lines(out / "train.jsonl") == rows("intents", 30, seed=7)

    def test_a_split_of_no_rows_is_left_out_and_the_folder_loads(self, home, tmp_path):
        from datasets import load_dataset

        out = tmp_path / "out"
        said = call(home, "write", "toyland/sentiment", str(out), "--train", "12", "--validation", "0")
        assert "12 train, 200 test" in said
        loaded = load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
        assert {split: len(part) for split, part in loaded.items()} == {"train": 12, "test": 200}

    def test_by_default_the_rows_are_not_those_of_the_hub(self, home, tmp_path):
        call(home, "write", "toyland/stories", str(tmp_path / "out"), "--train", "20")
        assert lines(tmp_path / "out" / "train.jsonl") != rows("stories", 20)

    def test_real_data_cannot_be_made_anew(self, home, tmp_path):
        said = call(home, "write", "nanoformers/rated-sentences", str(tmp_path / "out"), status=2)
        assert "not made from Toyland" in said
        assert "toyland/stories" in said

    def test_no_rows_are_refused(self, home, tmp_path):
        none = ("--train", "0", "--validation", "0", "--test", "0")
        assert "at least one row" in call(
            home, "write", "toyland/stories", str(tmp_path / "out"), *none, status=2
        )

    def test_a_folder_with_something_in_it_is_left_alone(self, home, tmp_path):
        (tmp_path / "mine.txt").write_text("mine")
        assert "is there already" in call(home, "write", "toyland/stories", str(tmp_path), status=2)
        assert (tmp_path / "mine.txt").read_text() == "mine"

    def test_more_rows_than_there_are_leave_nothing_behind(self, home, tmp_path, monkeypatch):
        few = data_sets.View(lambda scene: {"text": scene.mood.en}, "Moods.", (data_sets.text("text"),))
        monkeypatch.setitem(data_sets.VIEWS, "moods", few)
        said = call(home, "write", "toyland/moods", str(tmp_path / "out"), status=2)
        assert "different rows of moods: ask for fewer" in said
        assert list(tmp_path.iterdir()) == []


class TestHelp:
    @pytest.mark.parametrize("command", [(), ("show",), ("write",)])
    def test_every_command_shows_an_example(self, home, command):
        said = " ".join(call(home, *command, "--help").split())
        assert f"classroom data {' '.join(command)}".strip() in said.partition("Example")[2]
