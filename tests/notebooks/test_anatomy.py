"""Every notebook has the parts that a reader expects, and nothing that belongs to one machine."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from classroom import navigation, notebooks, paths
from classroom.exercises.registry import exercises_of
from classroom.notebooks import tags_of
from nbformat import NotebookNode

ROOT = paths.notebooks_root()
COURSE = notebooks.find_notebooks(ROOT)
LARGEST_OUTPUTS = 300 * 1024
LONGEST_CELL = 25
FEWEST_CHECKED_OUTPUTS = 5
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.~…:/])/(?:home|root|Users|work|opt|mnt|usr|workspace)/\w|[A-Z]:\\\\Users"
)
CHECK_CALL = re.compile(r"classroom\.check\(\s*[\"'](?P<id>[\d.]+)[\"']")
IMAGE_IN_MARKDOWN = re.compile(r"!\[(?P<alt>[^\]]*)\]\(|<img(?P<attributes>[^>]*)>")

pytestmark = pytest.mark.parametrize("path", COURSE, ids=[path.stem for path in COURSE])


def code_of(path: Path) -> list[NotebookNode]:
    return [cell for cell in notebooks.read(path).cells if cell.cell_type == "code"]


def tagged(path: Path, tag: str) -> list[NotebookNode]:
    return [cell for cell in notebooks.read(path).cells if tag in tags_of(cell)]


def outputs_of(path: Path) -> list[NotebookNode]:
    return [output for cell in code_of(path) for output in cell.outputs]


def text_of(output: NotebookNode) -> str:
    """What a reader sees of an output, pictures left out."""
    kinds = {kind: value for kind, value in output.get("data", {}).items() if not kind.startswith("image/")}
    return output.get("text", "") + json.dumps(kinds, ensure_ascii=False)


class TestBeginning:
    def test_the_first_cell_promises_and_informs(self, path):
        found = notebooks.describe(path)
        assert found.promise, "a promise under the title"
        assert 3 <= len(found.outcomes) <= 5, "'You will' with three to five points"
        assert found.needs, "'Needs'"
        assert re.search(r"\d", found.time), "'Time', with the time measured"
        assert found.mirrors, "'Mirrors'"

    def test_the_links_are_between_their_markers(self, path):
        assert notebooks.BADGES.search(notebooks.read(path).cells[0].source), "run `classroom badges`"

    def test_the_first_code_cell_is_the_start_cell(self, path):
        first = code_of(path)[0]
        assert navigation.START_TAG in tags_of(first)
        assert first.source == navigation.start_cell(navigation.project_address()), "run `classroom badges`"

    def test_the_second_code_cell_holds_the_parameters(self, path):
        assert "parameters" in tags_of(code_of(path)[1])
        assert len(tagged(path, "parameters")) == 1


class TestCells:
    def test_enough_outputs_are_compared(self, path):
        checked = [cell for cell in code_of(path) if cell.source.startswith("# NBVAL_CHECK_OUTPUT\n")]
        assert len(checked) >= FEWEST_CHECKED_OUTPUTS
        assert all(cell.outputs for cell in checked), "a compared cell must show something"

    def test_no_cell_is_too_long_to_read(self, path):
        long = [
            cell.source.splitlines()[0]
            for cell in code_of(path)
            if len(cell.source.splitlines()) > LONGEST_CELL
        ]
        assert long == []

    def test_pictures_in_the_text_have_alternative_text(self, path):
        text = "\n".join(cell.source for cell in notebooks.read(path).cells if cell.cell_type == "markdown")
        for image in IMAGE_IN_MARKDOWN.finditer(text):
            assert (image["alt"] or "").strip() or 'alt="' in (image["attributes"] or ""), image[0]

    def test_no_source_names_a_folder_of_one_machine(self, path):
        assert [cell.source for cell in notebooks.read(path).cells if ABSOLUTE_PATH.search(cell.source)] == []


class TestExercises:
    def test_there_are_two_or_three_of_this_notebook(self, path):
        asked = {found["id"] for cell in code_of(path) for found in CHECK_CALL.finditer(cell.source)}
        number = notebooks.number_of(path)
        assert 2 <= len(asked) <= 3
        assert asked == {exercise.id for exercise in exercises_of(number)}

    def test_each_has_a_starter_and_a_folded_solution_that_is_right(self, path):
        for exercise in exercises_of(notebooks.number_of(path)):
            cells = [cell for cell in code_of(path) if exercise.id in CHECK_CALL.findall(cell.source)]
            starters = [cell for cell in cells if "solution" not in tags_of(cell)]
            solutions = [cell for cell in cells if "solution" in tags_of(cell)]
            assert len(starters) == 1, f"{exercise.id}: one exercise cell"
            assert len(solutions) == 1, f"{exercise.id}: one cell tagged solution"
            assert any("Not yet" in text_of(output) for output in starters[0].outputs)
            assert any(f"✓ {exercise.id} Right" in text_of(output) for output in solutions[0].outputs)
            assert solutions[0].metadata.get("jupyter", {}).get("source_hidden") is True, (
                f"{exercise.id}: folded"
            )


def take_with_you(path: Path) -> NotebookNode:
    """The code cell under the heading 'Take it with you'."""
    cells = notebooks.read(path).cells
    for number, cell in enumerate(cells):
        if cell.cell_type == "markdown" and re.search(r"^#+ Take it with you", cell.source, re.MULTILINE):
            return next(later for later in cells[number:] if later.cell_type == "code")
    raise AssertionError("there is no section 'Take it with you'")


def test_the_recipe_to_take_away_is_short_and_needs_no_course(path):
    source = take_with_you(path).source
    assert 5 <= len(source.splitlines()) <= LONGEST_CELL
    imported = {
        name
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported
    assert not any(name.split(".")[0] == "classroom" for name in imported)


class TestOutputs:
    def test_every_cell_ran_once_from_top_to_bottom(self, path):
        counts = [cell.execution_count for cell in code_of(path)]
        assert counts == list(range(1, len(counts) + 1)), "run `classroom run --save`"

    def test_no_cell_failed(self, path):
        assert [output.ename for output in outputs_of(path) if output.output_type == "error"] == []

    def test_they_are_small(self, path):
        assert len(json.dumps(outputs_of(path))) < LARGEST_OUTPUTS

    def test_they_name_no_folder_of_one_machine(self, path):
        assert [text_of(output) for output in outputs_of(path) if ABSOLUTE_PATH.search(text_of(output))] == []

    def test_figures_have_alternative_text(self, path):
        for output in outputs_of(path):
            for kind in output.get("data", {}):
                if kind in ("image/png", "image/jpeg"):
                    alt = output.metadata.get(kind, {}).get("alt") or output.metadata.get("alt")
                    assert alt, "show figures with classroom.figures.show(figure, alt)"
                if kind == "text/html":
                    html = "".join(output.data[kind])
                    assert all("alt=" in tag for tag in re.findall(r"<img[^>]*>", html))


def test_the_file_is_written_as_the_course_writes_it(path):
    """Sorted keys and no metadata of an editor or a run: a change shows as what it is."""
    content = notebooks.read(path)
    assert dict(content.metadata) == notebooks.METADATA
    assert path.read_text(encoding="utf-8") == notebooks.written(content), "run `classroom run --save`"
