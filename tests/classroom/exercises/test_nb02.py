"""Checkers of notebook 02: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib import metadata

import pytest
from classroom.exercises import Wrong, check, nb02


class TestPackageOfYaml:
    @pytest.mark.parametrize("answer", ["PyYAML", "pyyaml", metadata.packages_distributions()["yaml"]])
    def test_every_spelling_that_pip_accepts_is_right(self, answer):
        assert check("02.1", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [("yaml", "name to import"), ("ruamel.yaml", "does not provide"), (5, "as text")],
    )
    def test_a_wrong_name_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb02.package_of_yaml(answer)


class TestPinningConstraints:
    @pytest.mark.parametrize("answer", ["moods==1.0", "# tested\nmoods == 1.0  # with the shelf\n"])
    def test_an_exact_pin_is_right(self, answer):
        assert check("02.2", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ("moods==2.0", "a conflict"),
            ("moods<2", "depends on the day"),
            ("moods==1.*", "depends on the day"),
            ("moods==1.5", "No version on the shelf"),
            ("moods[tf]==1.0", "no extras"),
            ("numpy==2.0", "about moods"),
            ("", "about moods"),
            ("moods=1.0", "could not read"),
            (["moods==1.0"], "text of the file"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb02.pinning_constraints(answer)


class TestImportable:
    def test_asking_the_finders_is_right(self):
        assert check("02.3", lambda name: importlib.util.find_spec(name) is not None)

    def test_importing_is_found_out(self):
        def by_importing(name):
            try:
                importlib.import_module(name)
            except ImportError:
                return False
            return True

        with pytest.raises(Wrong, match="was run"):
            nb02.importable(by_importing)

    def test_remembering_what_was_imported_is_not_enough(self):
        with pytest.raises(Wrong, match="misses"):
            nb02.importable(lambda name: name in sys.modules or name == "csv")

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [(True, "without calling"), (lambda name: True, "not there"), (print, "Return True")],
    )
    def test_other_answers_get_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb02.importable(answer)

    def test_nothing_is_left_behind(self):
        before = list(sys.path)
        nb02.importable(lambda name: importlib.util.find_spec(name) is not None)
        assert sys.path == before
