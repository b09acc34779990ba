"""`classroom check`: handed-in notebooks, executed by real kernels, and the table of their verdicts."""

from __future__ import annotations

import csv
import re

import classroom
import pytest
from classroom import cli, handed_in, mark_sheet, notebooks
from classroom.exercises import Verdict, recording
from classroom.handed_in import Paper
from nbformat import v4
from rich.console import Console
from typer.testing import CliRunner

START = "import classroom\nclassroom.start()"
START_IN_CLASS = "import classroom\nclassroom.start(hub='http://192.0.2.1:8000', user='learner')"
UPLOAD = "from huggingface_hub import HfApi\nHfApi().create_repo('learner/mine')"
RIGHT_SIZE = (
    "def size(repository):\n"
    "    files = (path for path in repository.rglob('*') if path.is_file() and not path.is_symlink())\n"
    "    return sum(path.stat().st_size for path in files)\n"
    "classroom.check('03.2', size)"
)


def write(path, *sources: str, solution: str | None = None, title: str = "# 03 · Caching"):
    """A notebook with a title and code cells, the last of them tagged `solution` if there is one."""
    cells = [v4.new_markdown_cell(title, id="title")]
    cells += [v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    if solution is not None:
        cells.append(v4.new_code_cell(solution, id="solution", metadata={"tags": ["solution"]}))
    notebooks.write(path, v4.new_notebook(cells=cells, metadata=notebooks.METADATA))
    return path


def call(*arguments: str, status: int = 0, home=None) -> str:
    environment = {"COLUMNS": "200", "OMP_NUM_THREADS": "1", "CLASSROOM_HOME": str(home) if home else None}
    result = CliRunner().invoke(cli.app, ["check", *arguments], env=environment)
    assert result.exit_code == status, result.output
    return result.output


class TestAClass:
    @pytest.fixture(scope="class")
    @classmethod
    def checked(cls, tmp_path_factory):
        """Four notebooks: a good one, one with an error and its solution, one that dies, a damaged one."""
        root = tmp_path_factory.mktemp("class")
        folder = root / "handed-in"
        write(
            folder / "ada" / "03.ipynb", START_IN_CLASS, UPLOAD, RIGHT_SIZE, "classroom.check('03.1', 'abc')"
        )
        write(
            folder / "bo" / "03.ipynb",
            START,
            f"{UPLOAD}\nclassroom.check('03.1', 'abc')",
            "classroom.check('03.2', None)",
            "arguments = {'revision': 1 / 0}\nclassroom.check('03.3', arguments)",
            "classroom.check('03.1', None)",
            solution=f"{RIGHT_SIZE}\nclassroom.check('03.1', 'abc')",
        )
        write(folder / "cy" / "03.ipynb", START.splitlines()[0], RIGHT_SIZE, "import os\nos._exit(3)")
        (folder / "dee").mkdir()
        (folder / "dee" / "03.ipynb").write_text("{")
        before = {path: path.read_bytes() for path in folder.rglob("*.ipynb")}
        table = root / "marks.csv"
        said = call(str(folder), "--why", "--csv", str(table), "--jobs", "2", status=1, home=root / "home")
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
        rows = {row["notebook"]: row for row in csv.DictReader(table.read_text().splitlines())}
        return root, said, rows

    @staticmethod
    def outcomes(row) -> list[str]:
        return [row[exercise] for exercise in ("03.1", "03.2", "03.3")]

    def test_right_wrong_and_not_reached_are_told_apart(self, checked):
        assert self.outcomes(checked[2]["ada/03"]) == ["wrong", "right", "not reached"]

    def test_after_an_error_it_goes_on_and_the_last_verdict_counts(self, checked):
        assert self.outcomes(checked[2]["bo/03"])[::2] == ["open", "not reached"]

    def test_the_solution_cell_does_not_answer_for_the_learner(self, checked):
        assert checked[2]["bo/03"]["03.2"] == "open"

    def test_what_one_learner_uploads_is_not_there_for_the_next(self, checked):
        assert checked[2]["ada/03"]["error"] == ""
        assert checked[2]["bo/03"]["error"] == "cell 5: ZeroDivisionError: division by zero"

    def test_verdicts_before_the_kernel_died_are_kept(self, checked):
        assert self.outcomes(checked[2]["cy/03"]) == ["not reached", "right", "not reached"]
        assert "died" in checked[2]["cy/03"]["error"].lower()

    def test_the_table_has_marks_and_totals(self, checked):
        rows = [re.findall(r"[^\s│┃]+", line) for line in checked[1].splitlines()]
        assert ["ada/03", "✗", "✓", "–", "1/3"] in rows
        assert ["bo/03", "…", "…", "–", "0/3"] in rows
        assert ["right", "0/3", "2/3", "0/3", "2/9"] in rows

    def test_why_tells_the_verdict_and_what_kept_others_from_being_reached(self, checked):
        assert "03.1  A commit is written with 40 hexadecimal digits; this has 3 characters." in checked[1]
        assert "03.3  first error: cell 5: ZeroDivisionError: division by zero" in checked[1]

    def test_a_damaged_file_is_named(self, checked):
        assert "dee/03  no valid notebook" in checked[1]
        assert re.search(r"dee/03 .*not executed", checked[1])

    def test_nothing_is_left_but_the_course_s_store(self, checked):
        assert [path.name for path in (checked[0] / "home" / "check").iterdir()] == ["store"]


class TestOneNotebook:
    @pytest.fixture(scope="class")
    @classmethod
    def checked(cls, tmp_path_factory):
        """A wrong answer, then a cell that never ends, in a notebook without a hub: none need be filled."""
        root = tmp_path_factory.mktemp("one")
        endless = "import time\ntime.sleep(600)"
        path = write(root / "03.ipynb", "import classroom\nclassroom.check('03.1', 'abc')", endless)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("classroom.seeding.ensure_seeded", lambda store: [])
            said = call(str(path), "--timeout", "10", "--csv", str(root / "marks.csv"), home=root / "home")
        return said, (root / "marks.csv").read_text()

    def test_one_that_takes_too_long_keeps_its_verdicts(self, checked):
        assert checked[1].splitlines()[1] == "03,wrong,not reached,not reached,0,3,stopped after 10 s"

    def test_without_why_only_the_table_is_shown(self, checked):
        assert re.search(r"03 .*✗ .*0/3", checked[0])
        assert "hexadecimal" not in checked[0]


class TestUsage:
    def test_help_shows_examples_and_warns(self):
        said = " ".join(call("--help").split())
        assert "Examples: classroom check handed-in/" in said
        assert "learners' code runs on this machine" in said

    def test_what_is_no_notebook_is_refused(self, tmp_path):
        (tmp_path / "notes.txt").touch()
        (tmp_path / "empty").mkdir()
        assert "does not exist" in call(str(tmp_path / "none.ipynb"), status=2)
        assert "is no notebook" in call(str(tmp_path / "notes.txt"), status=2)
        assert "holds no notebooks" in call(str(tmp_path / "empty"), status=2)

    def test_a_table_that_cannot_be_written_is_refused_before_the_work(self, tmp_path):
        path = write(tmp_path / "03.ipynb")
        assert "folder that exists" in call(str(path), "--csv", str(tmp_path / "no" / "marks.csv"), status=2)


class TestFindHandedIn:
    def test_folders_are_searched_hidden_files_are_not_and_none_comes_twice(self, tmp_path):
        wanted = [write(tmp_path / "a" / "03.ipynb"), write(tmp_path / "b" / "c" / "03.ipynb")]
        write(tmp_path / "a" / ".ipynb_checkpoints" / "03.ipynb")
        write(tmp_path / "a" / "._03.ipynb")
        assert handed_in.find_handed_in([tmp_path, wanted[0]]) == wanted

    def test_names_are_short_and_different(self, tmp_path):
        names = handed_in.names_of([tmp_path / "a" / "03.ipynb", tmp_path / "b" / "03.ipynb"])
        assert list(names.values()) == ["a/03", "b/03"]


class TestPrepared:
    @pytest.mark.parametrize(
        ("written", "executed"),
        [
            ("classroom.start(hub='http://10.0.0.1:8000')", "classroom.start()"),
            ('classroom.start("http://10.0.0.1:8000", user="learner")', 'classroom.start(user="learner")'),
            (
                "classroom.start(\n    hub = 'https://hub.example',\n    quiet=True)",
                "classroom.start(\n    quiet=True)",
            ),
            ("classroom.start()", "classroom.start()"),
        ],
    )
    def test_the_address_of_the_class_s_hub_is_taken_out(self, tmp_path, written, executed):
        content = handed_in.prepared(notebooks.read(write(tmp_path / "03.ipynb", written)))
        assert content.cells[1].source == executed

    def test_a_solution_is_emptied_and_stays_counted(self, tmp_path):
        original = notebooks.read(write(tmp_path / "03.ipynb", "x = 1", solution="x = 2"))
        content = handed_in.prepared(original)
        assert [cell.source for cell in content.cells[1:]] == ["x = 1", ""]
        assert original.cells[2].source == "x = 2"


class TestRecording:
    def test_check_appends_its_verdict_where_the_environment_says(self, tmp_path, monkeypatch):
        file = tmp_path / "verdicts.jsonl"
        monkeypatch.setenv(recording.VARIABLE, str(file))
        classroom.check("03.1", None)
        last = classroom.check("03.1", "abc")
        assert recording.recorded(file) == {"03.1": last}

    def test_a_hint_is_no_verdict(self, tmp_path, monkeypatch):
        monkeypatch.setenv(recording.VARIABLE, str(tmp_path / "verdicts.jsonl"))
        classroom.hint("03.1")
        assert recording.recorded(tmp_path / "verdicts.jsonl") == {}

    @pytest.mark.parametrize(
        "line", ['{"exercise": "03.', "[]", "{}", '{"exercise": [], "outcome": "right", "message": ""}']
    )
    def test_lines_that_are_no_verdict_are_skipped(self, tmp_path, line):
        file = tmp_path / "verdicts.jsonl"
        file.write_text(f'{line}\n{{"exercise": "03.1", "outcome": "right", "message": "Yes."}}\n')
        assert recording.recorded(file) == {"03.1": Verdict("03.1", "right", "Yes.")}


class TestMarkSheet:
    @pytest.fixture
    def papers(self, tmp_path):
        yes, no = Verdict("00.2", "right", "Yes."), Verdict("03.10", "wrong", "[no]")
        return [
            Paper(tmp_path / "[a].ipynb", ("00.1", "00.2"), {"00.2": yes}),
            Paper(tmp_path / "b.ipynb", ("03.2", "03.10"), {"03.10": no}),
        ]

    def test_exercises_are_in_the_order_of_their_numbers(self, papers):
        assert mark_sheet.exercises_of(papers) == ["00.1", "00.2", "03.2", "03.10"]

    def test_exercises_of_another_notebook_are_left_blank(self, papers):
        assert mark_sheet.as_csv(papers).splitlines()[1:] == [
            "[a],not reached,right,,,1,2,",
            "b,,,not reached,wrong,0,2,",
        ]

    def test_names_and_messages_with_brackets_are_shown_as_they_are(self, papers):
        console = Console(width=120)
        with console.capture() as shown:
            console.print(mark_sheet.table(papers), *mark_sheet.reasons(papers))
        assert "[a]" in shown.get()
        assert "[no]" in shown.get()
