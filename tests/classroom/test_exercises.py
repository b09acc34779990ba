"""Exercises: verdicts, hints, and what happens to unexpected answers."""

from __future__ import annotations

import importlib

import classroom
import numpy as np
import pytest
from classroom.exercises import UnknownExerciseError, Verdict, Wrong, checking, exercise, registry


@pytest.fixture(autouse=True)
def example(monkeypatch):
    """Exercise 990.1, which wants the sum of 2 and 3, and a fresh count of tries and hints."""
    monkeypatch.setattr(registry, "_exercises", dict(registry._exercises))
    monkeypatch.setattr(checking, "_attempts", {})
    monkeypatch.setattr(checking, "_hints_given", {})

    @exercise("990.1", "What is 2 + 3?", hints=["Use your fingers.", "Of one hand.", "It is `2 + 3`."])
    def sum_of_two_and_three(answer: int) -> str:
        if answer < 0:
            raise Wrong("A sum of <positive> numbers is positive.")
        if answer != 5:
            raise Wrong(f"{answer} is not the sum.")
        return "2 and 3 are 5."


class TestCheck:
    def test_a_right_answer_is_told_why(self):
        verdict = classroom.check("990.1", 5)
        assert verdict
        assert repr(verdict) == "✓ 990.1 Right. 2 and 3 are 5."

    def test_a_wrong_answer_is_told_why_and_raises_nothing(self):
        verdict = classroom.check("990.1", 6)
        assert not verdict
        assert repr(verdict) == "✗ 990.1 Not right. 6 is not the sum."

    @pytest.mark.parametrize("starter", [..., None])
    def test_the_starter_value_is_not_yet_an_answer(self, starter):
        verdict = classroom.check("990.1", starter)
        assert not verdict
        assert verdict.outcome == "open"

    @pytest.mark.parametrize("answer", ["five", [5, "x"], {}, object(), lambda: 5, b"5", np.array([1, 2])])
    def test_an_answer_that_breaks_the_judge_is_wrong_and_says_its_type(self, answer):
        verdict = classroom.check("990.1", answer)
        assert verdict.outcome == "wrong"
        assert type(answer).__name__ in verdict.message

    def test_help_is_offered_from_the_second_wrong_answer_on(self):
        assert "hint" not in repr(classroom.check("990.1", 6))
        assert 'classroom.hint("990.1")' in repr(classroom.check("990.1", 7))

    def test_an_unknown_exercise_of_a_known_notebook_names_those_there_are(self):
        with pytest.raises(UnknownExerciseError, match=r"Notebook 990 has: 990\.1"):
            classroom.check("990.2", 5)

    def test_an_unknown_notebook_says_that_it_has_no_exercises(self):
        with pytest.raises(UnknownExerciseError, match="Notebook 991 has none"):
            classroom.check("991.1", 5)

    @pytest.mark.parametrize("identifier", ["", "3", "03-1", 3.1, None, "03.1/../x"])
    def test_what_is_no_exercise_id_says_how_one_looks(self, identifier):
        with pytest.raises(UnknownExerciseError, match=r"classroom\.check\('03\.1', answer\)"):
            classroom.check(identifier, 5)


class TestHint:
    def test_each_hint_says_more_and_the_last_one_stays(self):
        messages = [classroom.hint("990.1").message for _ in range(4)]
        assert messages == ["Use your fingers.", "Of one hand.", "It is `2 + 3`.", "It is `2 + 3`."]

    def test_it_says_how_many_are_left(self):
        assert "2 more hints" in classroom.hint("990.1").advice
        assert "1 more hint:" in classroom.hint("990.1").advice
        assert "solution" in classroom.hint("990.1").advice


class TestDisplay:
    def test_html_escapes_the_message_and_shows_code(self):
        assert "&lt;positive&gt;" in classroom.check("990.1", -1)._repr_html_()
        html = Verdict("990.1", "hint", "It is `a < b`.")._repr_html_()
        assert "<code>a &lt; b</code>" in html

    @pytest.mark.parametrize(("outcome", "colour"), [("right", "#2e7d32"), ("wrong", "#c62828")])
    def test_right_and_wrong_differ_in_word_and_colour(self, outcome, colour):
        html = Verdict("990.1", outcome, "Because.")._repr_html_()
        assert colour in html
        assert ("Not right" in html) == (outcome == "wrong")


class TestRegistering:
    def test_a_judge_may_be_defined_again_as_in_a_notebook_cell(self):
        def define():
            @exercise("990.2", "?", hints=["!"])
            def judge(answer):
                return "ok"

        define()
        define()

    def test_two_judges_cannot_have_one_id(self):
        with pytest.raises(ValueError, match=r"990\.1 is checked already"):

            @exercise("990.1", "?", hints=["!"])
            def another(answer):
                return "ok"

    @pytest.mark.parametrize("identifier", ["x", "3.1", "03", "03.1.1"])
    def test_a_malformed_id_is_refused(self, identifier):
        with pytest.raises(ValueError, match="notebook and number"):
            exercise(identifier, "?", hints=["!"])

    def test_an_exercise_needs_a_hint(self):
        with pytest.raises(ValueError, match="at least one hint"):
            exercise("990.3", "?", hints=[])

    def test_a_notebooks_module_is_imported_when_its_exercise_is_asked_for(self, tmp_path, monkeypatch):
        package = importlib.import_module("classroom.exercises")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        (tmp_path / "nb992.py").write_text(
            "from classroom.exercises import exercise\n"
            "@exercise('992.1', 'Anything?', hints=['Anything.'])\n"
            "def anything(answer):\n"
            "    return 'Indeed.'\n"
        )
        assert classroom.check("992.1", 1)
