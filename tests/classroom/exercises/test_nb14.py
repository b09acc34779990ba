"""Checkers of notebook 14: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import re
from math import ceil

import pytest
from classroom.exercises import Wrong, check, nb14

COMMAND = """
    --model_name_or_path toyland/fill-mask-bert --output_dir out --do_train --do_eval
    --train_file claims.csv --validation_file checked.csv
    --text_column_names claim,source --label_column_name verdict
    --num_train_epochs 2 --learning_rate 5e-4 --eval_strategy epoch --max_train_samples 100
"""


class TestSteps:
    def test_rounding_up_twice_is_right(self):
        assert check("14.1", lambda r, p, d, a: ceil(ceil(r / (p * d)) / a))

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda r, p, d, a: r // (p * d) // a, "Round up"),
            (lambda r, p, d, a: ceil(ceil(r / d) / a), "every process has rows of its own"),
            (lambda r, p, d, a: ceil(r / (p * d)), "it says 30, and there are 10"),
            (16, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb14.steps(answer)


def newest(folder):
    found = [
        path for path in folder.iterdir() if re.fullmatch(r"checkpoint-\d+", path.name) and path.is_dir()
    ]
    return max(found, key=lambda path: int(path.name.split("-")[1]), default=None)


class TestNewest:
    def test_the_greatest_number_of_a_folder_is_right(self):
        assert check("14.2", newest)
        assert check("14.2", lambda folder: found and str(found) if (found := newest(folder)) else None)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda folder: max(folder.iterdir()), "finds results.json"),
            (lambda folder: max(folder.glob("checkpoint-*")), "Compare numbers"),
            (
                lambda folder: max(
                    folder.glob("*checkpoint-*"), key=lambda path: int(re.findall(r"\d+", path.name)[0])
                ),
                "half written",
            ),
            (lambda folder: None, "finds none"),
            (None, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb14.newest(answer)


class TestCommand:
    def test_all_that_was_asked_for_is_right(self):
        assert check("14.3", COMMAND)
        assert check("14.3", "run_glue.py " + COMMAND.replace("claim,source", "source,claim"))

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (("--do_train", ""), "would not train"),
            (("--max_train_samples 100", ""), "more than 100 rows"),
            (("claim,source", "claim source"), "does not understand|refuses"),
            (("claims.csv", "claim.csv"), "refuses it"),
            (("5e-4", "5e-5"), "learning rate is 5e-05"),
            (("--eval_strategy epoch", ""), "after each epoch"),
            (("--output_dir out", ""), "`out`"),
            (("2 --l", "3 --l"), "3 epochs"),
        ],
    )
    def test_anything_else_gets_a_reason(self, change, reason):
        with pytest.raises(Wrong, match=reason):
            nb14.command(COMMAND.replace(*change))

    def test_a_list_is_no_command_line(self):
        with pytest.raises(Wrong, match="one string"):
            nb14.command(["--do_train"])
