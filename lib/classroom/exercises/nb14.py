"""Exercises of notebook 14: training with a script."""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import shlex
import tempfile
from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path
from typing import Any

from classroom.exercises import Wrong, exercise
from classroom.paths import examples_root


@exercise(
    "14.1",
    "Optimizer steps of an epoch.",
    hints=[
        "How many rows do all processes read at once? How often can that be taken from the data?",
        "The last batch may have fewer rows, and still is a batch: round up.",
        "batches = ceil(rows / (processes * per_device)), and ceil(batches / accumulation) steps.",
    ],
)
def steps(answer: Callable[[int, int, int, int], Any]) -> str:
    """A function, tried where everything divides and where it does not."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    cases = [
        (960, 1, 16, 1),
        (960, 2, 16, 1),
        (960, 2, 16, 3),
        (1000, 2, 16, 1),
        (1000, 2, 16, 2),
        (5, 4, 8, 2),
    ]
    for rows, processes, per_device, accumulation in cases:
        found = answer(rows, processes, per_device, accumulation)
        batches = ceil(rows / (processes * per_device))
        right = ceil(batches / accumulation)
        if found == right:
            continue
        asked = f"{rows} rows, {processes} process(es) of {per_device}, accumulating {accumulation}"
        if found == rows // (processes * per_device) // accumulation:
            raise Wrong(
                f"For {asked} it says {found}: the rows that are left over make a smaller step. Round up."
            )
        if found == ceil(ceil(rows / per_device) / accumulation):
            raise Wrong(f"For {asked} it says {found}: every process has rows of its own in a step.")
        raise Wrong(f"For {asked} it says {found}, and there are {right} steps.")
    return "1,000 rows take 16 steps that way: 32 batches of up to 32 rows, two for each step."


@exercise(
    "14.2",
    "The newest checkpoint.",
    hints=[
        "As text, checkpoint-90 comes after checkpoint-1000. Compare numbers.",
        r"re.fullmatch(r'checkpoint-(\d+)', path.name) takes the right names, path.is_dir() the folders.",
        "max(found, key=..., default=None) copes with an empty list.",
    ],
)
def newest(answer: Callable[[Path], Any]) -> str:
    """A function, tried on folders as training leaves them."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    cases: list[tuple[tuple[str, ...], str | None, str]] = [
        (
            ("checkpoint-90/", "checkpoint-1000/", "results.json"),
            "checkpoint-1000",
            "Compare numbers, not text.",
        ),
        (
            ("checkpoint-20/", "tmp-checkpoint-40/"),
            "checkpoint-20",
            "tmp-checkpoint-40 is only half written.",
        ),
        (("checkpoint-20/", "checkpoint-50.zip"), "checkpoint-20", "checkpoint-50.zip is no checkpoint."),
        (("checkpoint-20/", "checkpoint-50"), "checkpoint-20", "A file cannot be a checkpoint."),
        (("README.md",), None, "There is none in that folder: the answer is None."),
        ((), None, "The folder is empty: the answer is None."),
    ]
    for names, right, reason in cases:
        with tempfile.TemporaryDirectory() as folder:
            for name in names:
                path = Path(folder, name)
                path.mkdir() if name.endswith("/") else path.touch()
            try:
                found = answer(Path(folder))
            except (ValueError, IndexError, AttributeError, TypeError) as error:
                raise Wrong(
                    f"With {', '.join(names) or 'nothing'} in the folder: {error!r}. {reason}"
                ) from error
            expected = None if right is None else Path(folder, right)
            if found is None and expected is not None:
                raise Wrong(f"With {', '.join(names)} it finds none, and {right} is there.")
            if found is not None and Path(found) != expected:
                raise Wrong(f"With {', '.join(names)} it finds {Path(found).name}. {reason}")
    return "That is how a run finds its way back after a power failure."


@exercise(
    "14.3",
    "A command line for run_glue.py.",
    hints=[
        "--help of run_glue.py has --text_column_names and --label_column_name.",
        "Two columns stand behind one flag, with a comma between them. Training needs --do_train.",
        "--eval_strategy epoch evaluates after each epoch, --max_train_samples cuts the data.",
    ],
)
def command(answer: str) -> str:
    """Arguments, parsed as the script does it."""
    if not isinstance(answer, str):
        raise Wrong(f"Give one string with the arguments; this is {type(answer).__name__}.")
    model, data, training = _parsed([word for word in shlex.split(answer) if not word.endswith(".py")])
    wanted: list[tuple[bool, str]] = [
        (model.model_name_or_path == "toyland/fill-mask-bert", "It starts from another checkpoint."),
        (training.output_dir == "out", "Results do not go to `out`."),
        (data.train_file == "claims.csv", "It has to train on claims.csv: --train_file."),
        (data.validation_file == "checked.csv", "It has to evaluate on checked.csv: --validation_file."),
        (_columns(data) in (["claim", "source"], ["source", "claim"]), "Which columns have the two texts?"),
        (data.label_column_name == "verdict", "Which column has the label?"),
        (training.do_train, "It would not train: --do_train is missing."),
        (training.num_train_epochs == 2, f"{training.num_train_epochs:g} epochs are not two."),
        (abs(training.learning_rate - 5e-4) < 1e-9, f"The learning rate is {training.learning_rate:g}."),
        (data.max_train_samples == 100, "It would take more than 100 rows: --max_train_samples."),
        (
            str(training.eval_strategy).rpartition(".")[2].lower() == "epoch",
            "It does not evaluate after each epoch.",
        ),
    ]
    for right, reason in wanted:
        if not right:
            raise Wrong(reason)
    return "It would run. `--do_eval` is set by the evaluation strategy, whether you wrote it or not."


def _columns(data: Any) -> list[str]:
    return [name.strip() for name in (data.text_column_names or "").split(",")]


def _parsed(words: list[str]) -> Any:
    """Parse arguments as run_glue.py does, in a folder that has the files."""
    from nanoformers import TrainingArguments
    from nanoformers.training import scripts

    script = runpy.run_path(str(examples_root() / "pytorch" / "text-classification" / "run_glue.py"))
    said = io.StringIO()
    try:
        with _folder_with("claims.csv", "checked.csv"), contextlib.redirect_stderr(said):
            kinds = (script["ModelArguments"], script["DataTrainingArguments"], TrainingArguments)
            return scripts.parse_arguments(*kinds, argv=words)
    except SystemExit as error:
        raise Wrong(
            f"The script does not understand it: {said.getvalue().strip().splitlines()[-1]}"
        ) from error
    except (ValueError, OSError) as error:
        raise Wrong(f"The script refuses it: {error}") from error


@contextlib.contextmanager
def _folder_with(*names: str) -> Iterator[None]:
    """Work in a temporary folder with empty files of these names."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            Path(folder, name).touch()
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(here)
