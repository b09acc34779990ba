"""The links between the notebooks and their index are up to date."""

from __future__ import annotations

from classroom import navigation, notebooks, paths

ROOT = paths.notebooks_root()


def test_the_course_begins_with_notebook_00():
    assert notebooks.find_notebooks(ROOT)[0].name == "00_welcome.ipynb"


def test_no_number_is_given_twice():
    numbers = [notebooks.number_of(path) for path in notebooks.find_notebooks(ROOT)]
    assert len(set(numbers)) == len(numbers)


def test_badges_and_start_cells_are_fresh():
    assert navigation.write_badges(ROOT, check=True) == [], "run `classroom badges`"


def test_the_index_is_fresh():
    assert not navigation.write_index(ROOT, check=True), "run `classroom index`"
