"""Executing notebooks: outcomes, parameters, saved outputs, web pages, the student edition."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import nbformat
import pytest
from classroom import execution, notebooks, runner, saved_outputs
from classroom.execution import execute
from classroom.student_edition import write_student_edition
from nbformat import v4
from rich.console import Console


def quiet() -> Console:
    return Console(file=io.StringIO(), width=120)


def with_code(path, *sources: str):
    """Put code cells at the end of a notebook."""
    content = notebooks.read(path)
    content.cells += [v4.new_code_cell(source, id=f"added-{number}") for number, source in enumerate(sources)]
    notebooks.write(path, content)
    return path


@pytest.fixture
def first(course):
    return course / "0_start" / "00_first.ipynb"


class TestRun:
    @pytest.fixture(scope="class")
    @classmethod
    def ran(cls, tmp_path_factory):
        """Two notebooks, one of which fails, executed at once."""
        root = tmp_path_factory.mktemp("run")
        good = root / "0_start" / "00_good.ipynb"
        bad = root / "0_start" / "01_bad.ipynb"
        cells = [v4.new_markdown_cell("# 00 · Good", id="title"), v4.new_code_cell("2 + 3", id="sum")]
        notebooks.write(good, v4.new_notebook(cells=cells, metadata=notebooks.METADATA))
        cells = [v4.new_code_cell("1 / 0", id="zero"), v4.new_code_cell("print('never')", id="never")]
        notebooks.write(bad, v4.new_notebook(cells=cells, metadata=notebooks.METADATA))
        console = quiet()
        outcomes = runner.run([good, bad], root / "build", jobs=2, console=console)
        return root, outcomes, console.file.getvalue()

    def test_one_that_fails_does_not_stop_the_others(self, ran):
        _, (good, bad), _ = ran
        assert good.ok
        assert bad.error == "cell 1: ZeroDivisionError: division by zero"

    def test_time_and_memory_are_measured(self, ran):
        _, (good, _), _ = ran
        assert good.seconds > 0
        assert good.peak_bytes > 20 * 1024**2

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what is shared")
    def test_memory_that_processes_share_is_counted_once(self):
        program = (
            "import os, time; block = b'x' * 100 * 2**20; os.fork(); os.fork(); "
            "os.write(1, b'up '); time.sleep(60)"
        )
        family = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        try:
            assert family.stdout.read(12) == b"up up up up "
            measured = execution._memory_below(family.pid)
        finally:
            execution._end(family)
            family.stdout.close()
        assert 60 * 2**20 < measured < 150 * 2**20  # three processes, a quarter of the block in each

    def test_executed_copies_and_pages_are_kept_by_part(self, ran):
        root, _, _ = ran
        executed = notebooks.read(root / "build" / "0_start" / "00_good.ipynb")
        assert executed.cells[1].outputs[0].data["text/plain"] == "5"
        page = (root / "build" / "0_start" / "00_good.html").read_text()
        assert "<title>00 · Good</title>" in page
        assert (root / "build" / "0_start" / "01_bad.html").is_file()

    def test_the_summary_tells_what_went_wrong(self, ran):
        _, _, said = ran
        assert "1 of 2 notebooks ran from start to end" in said
        assert "ZeroDivisionError: division by zero" in said

    def test_the_report_is_there_for_machines(self, ran):
        root, _, _ = ran
        entries = json.loads((root / "build" / "report.json").read_text())
        assert [(entry["notebook"], entry["error"] is None) for entry in entries] == [
            ("0_start/00_good.ipynb", True),
            ("0_start/01_bad.ipynb", False),
        ]

    def test_saving_with_other_parameters_is_refused(self, first, tmp_path):
        with pytest.raises(ValueError, match="without -p"):
            runner.run([first], tmp_path, parameters=[("size", "4")], save=True, console=quiet())


class TestExecute:
    def test_parameters_replace_the_defaults(self, first, tmp_path):
        outcome = execute(first, tmp_path / "out.ipynb", parameters=[("size", "5")])
        assert outcome.ok
        cells = {cell.id: cell for cell in notebooks.read(outcome.executed).cells}
        assert cells["range"].outputs[0].data["text/plain"] == "[0, 1, 2, 3, 4]"

    def test_the_kernel_knows_home_an_empty_cache_and_its_threads(self, first, tmp_path, monkeypatch):
        monkeypatch.setenv("CLASSROOM_HOME", str(tmp_path / "home"))
        code = (
            "import os\n"
            "print(os.environ['CLASSROOM_HOME'])\n"
            "print(os.path.exists(os.environ['CLASSROOM_CACHE']))\n"
            "print(os.environ['OMP_NUM_THREADS'])\n"
            "print(os.path.basename(os.getcwd()))"
        )
        outcome = execute(with_code(first, code), tmp_path / "out.ipynb", threads=3)
        said = notebooks.read(outcome.executed).cells[-1].outputs[0].text
        assert said.splitlines() == [str(tmp_path / "home"), "False", "3", "0_start"]

    def test_one_that_takes_too_long_is_stopped_with_all_its_processes(self, first, tmp_path):
        import psutil

        code = "import subprocess, time\nsubprocess.Popen(['sleep', '987654'])\ntime.sleep(600)"
        outcome = execute(with_code(first, code), tmp_path / "out.ipynb", timeout=6)
        assert outcome.error == "stopped after 6 s"
        left = [
            process
            for process in psutil.process_iter(["cmdline"])
            if "987654" in (process.info["cmdline"] or [])
        ]
        assert left == []

    def test_a_kernel_that_dies_is_a_failure(self, first, tmp_path):
        outcome = execute(with_code(first, "import os\nos._exit(3)"), tmp_path / "out.ipynb", timeout=60)
        assert outcome.error is not None
        assert "died" in outcome.error.lower()


class TestSavedOutputs:
    def test_saving_twice_writes_the_same_bytes(self, first, tmp_path):
        runner.run([first], tmp_path / "build", save=True, console=quiet())
        once = first.read_bytes()
        runner.run([first], tmp_path / "build", save=True, console=quiet())
        assert first.read_bytes() == once

    def test_outputs_come_into_the_source_and_nothing_else(self, first, tmp_path):
        sources = [(cell.id, cell.source) for cell in notebooks.read(first).cells]
        runner.run([first], tmp_path / "build", save=True, console=quiet())
        saved = notebooks.read(first)
        assert [(cell.id, cell.source) for cell in saved.cells] == sources
        assert saved.cells[1].outputs[0].text == "started\n"
        assert saved.cells[5].outputs[0].data["text/plain"] == "3"
        assert dict(saved.metadata) == notebooks.METADATA
        assert all(set(cell.metadata) <= {"tags", "jupyter"} for cell in saved.cells)

    def test_a_notebook_that_fails_keeps_its_outputs(self, first, tmp_path):
        before = with_code(first, "1 / 0").read_bytes()
        runner.run([first], tmp_path / "build", save=True, console=quiet())
        assert first.read_bytes() == before

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("http://127.0.0.1:41234/api", "http://127.0.0.1:PORT/api"),
            ("<object at 0x7f56914bade0>", "<object at 0x…>"),
            ("/tmp/tmpab12cd34/file", "/tmp/…/file"),
            ("/tmp/lesson-03-ab12cd34/cache", "/tmp/…/cache"),
            ("/tmp/classroom-ab12cd34/cache/hub", ".classroom/huggingface/hub"),
            ("a ratio of 1:12", "a ratio of 1:12"),
        ],
    )
    def test_what_differs_between_runs_is_replaced(self, text, kept):
        assert saved_outputs.portable(text) == kept

    def test_this_machines_folders_are_replaced(self, monkeypatch, tmp_path):
        monkeypatch.setenv("CLASSROOM_HOME", str(tmp_path / "home"))
        root = saved_outputs.paths.repository_root()
        assert saved_outputs.portable(f"{tmp_path}/home/huggingface/hub") == ".classroom/huggingface/hub"
        assert saved_outputs.portable(f"in {root}/notebooks") == "in notebooks"

    def test_pieces_of_one_stream_are_joined(self, first):
        source = notebooks.read(first)
        executed = nbformat.from_dict(json.loads(notebooks.written(source)))
        executed.cells[1].outputs = [v4.new_output("stream", name="stdout", text=text) for text in "ab"]
        saved = saved_outputs.with_outputs_of(source, executed)
        assert [output.text for output in saved.cells[1].outputs] == ["ab"]

    def test_progress_bars_and_live_widgets_are_left_out(self):
        bar = v4.new_output("stream", name="stderr", text="50%|#####     | 1/2 [00:01<00:01,  1.0it/s]")
        widget = v4.new_output(
            "display_data", {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "x"}
        )
        assert saved_outputs.cleaned(bar) is None
        assert saved_outputs.cleaned(widget) is None


class TestStudentEdition:
    def test_it_has_no_solutions_and_no_outputs(self, course, first, tmp_path):
        runner.run([first], tmp_path / "build", save=True, console=quiet())
        write_student_edition(course, tmp_path / "students")
        content = notebooks.read(tmp_path / "students" / "0_start" / "00_first.ipynb")
        assert "solution" not in [cell.id for cell in content.cells]
        assert "exercise" in [cell.id for cell in content.cells]
        assert all(cell.outputs == [] for cell in content.cells if cell.cell_type == "code")

    def test_it_is_whole_with_its_index(self, course, tmp_path):
        written = write_student_edition(course, tmp_path / "students")
        assert [path.name for path in written] == ["00_first.ipynb", "10_second.ipynb"]
        assert (tmp_path / "students" / "README.md").is_file()

    def test_it_never_overwrites(self, course, tmp_path):
        (tmp_path / "work.ipynb").write_text("mine")
        with pytest.raises(FileExistsError, match="not empty"):
            write_student_edition(course, tmp_path)
