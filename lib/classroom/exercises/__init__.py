"""Exercises that say right or wrong, and why.

A notebook holds `classroom.check("03.1", answer)`; its judge stands in `classroom/exercises/nb03.py`:

    from classroom.exercises import Wrong, exercise

    @exercise(
        "03.1",
        "Which commit does `main` point to?",
        hints=["Look into the folder `refs`.", "It holds a text file called `main`: read it."],
    )
    def commit_of_main(answer: str) -> str:
        if len(answer) != 40:
            raise Wrong(f"A commit hash has 40 hexadecimal digits; yours has {len(answer)}.")
        return "Yes: that file is all there is to a branch."

The exercise cell of the notebook begins with the starter value `answer = ...`, for which the verdict is "not
yet"; the solution cell, tagged `solution`, ends with the same call and a right answer.
"""

from classroom.exercises.checking import check, hint
from classroom.exercises.registry import Exercise, UnknownExerciseError, Wrong, exercise
from classroom.exercises.verdict import Verdict

__all__ = ["Exercise", "UnknownExerciseError", "Verdict", "Wrong", "check", "exercise", "hint"]
