"""Links, the start cell and the index, written into the notebooks from one place."""

from __future__ import annotations

import nbformat
import pytest
from classroom import navigation, notebooks
from classroom.notebooks import NotebookFormError

ADDRESS = "https://github.com/example/course"


@pytest.fixture(autouse=True)
def address(monkeypatch):
    monkeypatch.setattr(navigation, "project_address", lambda: ADDRESS)


def first_cell(root, name: str) -> str:
    return notebooks.read(next(root.glob(f"*/{name}.ipynb"))).cells[0].source


class TestReading:
    def test_only_numbered_files_in_numbered_parts_belong_to_the_course(self, course):
        assert [path.name for path in notebooks.find_notebooks(course)] == [
            "00_first.ipynb",
            "10_second.ipynb",
        ]

    def test_the_first_cell_is_understood(self, course):
        found = notebooks.describe(course / "0_start" / "00_first.ipynb")
        assert (found.number, found.title, found.short_title) == ("00", "First: and more of it", "First")
        assert found.promise == "You see how it works."
        assert found.outcomes == ("do this", "do that")
        assert (found.needs, found.time, found.mirrors) == ("nothing", "5 s on two cores", "a page")

    def test_the_fields_may_stand_in_a_list_or_in_italics(self, course):
        path = course / "0_start" / "00_first.ipynb"
        content = notebooks.read(path)
        content.cells[
            0
        ].source = "# 00 · First\n\nPromise.\n\n*You will*\n- do\n\n*Needs*: a\n*Time*: 1 s\n*Mirrors*: b"
        notebooks.write(path, content)
        found = notebooks.describe(path)
        assert (found.outcomes, found.needs, found.time, found.mirrors) == (("do",), "a", "1 s", "b")

    def test_a_title_with_another_number_is_refused(self, course):
        path = course / "0_start" / "00_first.ipynb"
        path.rename(path.with_name("01_first.ipynb"))
        with pytest.raises(NotebookFormError, match="must begin with '# 01 · Title'"):
            notebooks.describe(path.with_name("01_first.ipynb"))

    def test_a_damaged_file_is_named(self, course):
        path = course / "0_start" / "00_first.ipynb"
        path.write_text("{ no json")
        with pytest.raises(NotebookFormError, match=r"00_first\.ipynb is no valid notebook"):
            notebooks.describe(path)


class TestBadges:
    def test_links_lead_to_colab_the_index_and_the_neighbours(self, course):
        navigation.write_badges(course)
        line = first_cell(course, "00_first").splitlines()[3]
        assert line == (
            "[Open in Colab](https://colab.research.google.com/github/example/course/blob/main/"
            "notebooks/0_start/00_first.ipynb) · [All notebooks](../README.md) · "
            "[10 Second | third →](../1_tutorials/10_second.ipynb)"
        )
        assert "[← 00 First](../0_start/00_first.ipynb)" in first_cell(course, "10_second")

    def test_they_stand_under_the_title_and_change_nothing_else(self, course):
        before = first_cell(course, "00_first")
        navigation.write_badges(course)
        after = first_cell(course, "00_first")
        assert after.splitlines()[0] == before.splitlines()[0]
        assert notebooks.BADGES.sub("", after).split() == before.split()

    def test_writing_twice_changes_nothing(self, course):
        assert len(navigation.write_badges(course)) == 2
        assert navigation.write_badges(course) == []

    def test_empty_or_doubled_markers_become_one_line(self, course):
        path = course / "0_start" / "00_first.ipynb"
        content = notebooks.read(path)
        markers = "<!-- badges -->\n<!-- /badges -->"
        content.cells[0].source = content.cells[0].source.replace(
            "\n\n", f"\n\n{markers}\n\n{markers}\n\n", 1
        )
        notebooks.write(path, content)
        navigation.write_badges(course)
        assert first_cell(course, "00_first").count("<!-- badges -->") == 1
        assert navigation.write_badges(course) == []

    def test_check_names_the_stale_ones_and_writes_nothing(self, course):
        text = {path: path.read_text() for path in notebooks.find_notebooks(course)}
        assert navigation.write_badges(course, check=True) == list(text)
        assert text == {path: path.read_text() for path in text}

    def test_a_new_neighbour_makes_links_stale(self, course):
        navigation.write_badges(course)
        path = course / "0_start" / "00_first.ipynb"
        content = notebooks.read(path)
        content.cells[0].source = content.cells[0].source.replace("00 · First", "01 · Between")
        notebooks.write(path.with_name("01_between.ipynb"), content)
        assert [path.name for path in navigation.write_badges(course, check=True)] == [
            "00_first.ipynb",
            "01_between.ipynb",
            "10_second.ipynb",
        ]

    def test_the_start_cell_is_written_from_one_place(self, course):
        path = course / "0_start" / "00_first.ipynb"
        content = notebooks.read(path)
        content.cells[1].metadata["tags"] = ["start"]
        notebooks.write(path, content)
        navigation.write_badges(course)
        assert notebooks.read(path).cells[1].source == navigation.start_cell(ADDRESS)


class TestStartCell:
    def test_it_ends_with_the_start(self):
        assert navigation.start_cell(ADDRESS).endswith("classroom.start()")

    def test_it_installs_the_course_where_it_cannot_be_imported(self):
        from IPython.core.inputtransformer2 import TransformerManager

        source = TransformerManager().transform_cell(navigation.start_cell(ADDRESS))
        ran = []

        class Shell:
            def run_line_magic(self, name, line):
                ran.append((name, line))

        def absent(name, *others):
            raise ModuleNotFoundError(name)

        with pytest.raises(ModuleNotFoundError):  # the second import, as nothing was really installed
            exec(
                source,
                {
                    "__builtins__": {"__import__": absent, "ModuleNotFoundError": ModuleNotFoundError},
                    "get_ipython": Shell,
                },
            )
        assert ran == [("pip", f'install --quiet "nanoformers[course] @ git+{ADDRESS}"')]


class TestIndex:
    def test_it_has_a_row_for_each_notebook_under_its_part(self, course):
        navigation.write_index(course)
        lines = (course / "README.md").read_text().splitlines()
        assert lines[lines.index("## Start") + 4] == (
            "| 00 | [First: and more of it](0_start/00_first.ipynb) | You see how it works. | "
            "5 s on two cores | nothing |"
        )
        assert "## Tutorials" in lines

    def test_links_and_bars_survive_the_table(self, course):
        text = navigation.index_text(course)
        assert "[00](0_start/00_first.ipynb) |" in text
        assert "Second \\| third" in text

    def test_writing_twice_changes_nothing(self, course):
        assert navigation.write_index(course)
        assert not navigation.write_index(course)

    def test_check_writes_nothing(self, course):
        assert navigation.write_index(course, check=True)
        assert (course / "README.md").read_text() == "by hand\n"


def test_a_written_notebook_is_what_nbformat_reads(course):
    path = course / "0_start" / "00_first.ipynb"
    nbformat.validate(nbformat.read(path, as_version=4))
    assert path.read_text().endswith("}\n")
