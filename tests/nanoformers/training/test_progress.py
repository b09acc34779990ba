"""Progress: bars in a terminal; in a notebook one display with a table and curves, without a kernel."""

import base64
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from nanoformers.training import (
    NotebookProgressBar,
    NotebookProgressCallback,
    NotebookTrainingTracker,
    ProgressCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from nanoformers.training.progress import default_progress_callback
from nanoformers.training.progress.curves import MOST_POINTS, line_plot
from nanoformers.training.progress.page import MOST_ROWS, duration, html_table, text_table

sys.path.insert(0, str(Path(__file__).parent))
from search_cases import make_trainer


def pictures(code):
    """The SVG pictures in a piece of HTML, parsed."""
    found = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', code)
    return [ElementTree.fromstring(base64.b64decode(picture)) for picture in found]


def texts(picture):
    return [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]


def curves(picture):
    """The points of each curve of a picture."""
    lines = picture.iter("{http://www.w3.org/2000/svg}polyline")
    return [[tuple(map(float, point.split(","))) for point in line.get("points").split()] for line in lines]


class TestCurves:
    def test_a_falling_loss_falls_in_the_picture(self):
        (picture,) = pictures(line_plot({"Training Loss": [(1, 3.0), (2, 2.0), (3, 1.0)]}, "step", "loss"))
        ((first, second, third),) = curves(picture)
        assert first[0] < second[0] < third[0]
        assert first[1] < second[1] < third[1], "downwards on the page"

    def test_axes_and_curves_are_named(self):
        (picture,) = pictures(line_plot({"A": [(0, 0.0), (10, 1.0)], "B": [(0, 1.0)]}, "step", "loss"))
        assert {"step", "loss", "A", "B", "0", "10", "0.4"} <= set(texts(picture))

    def test_the_alternative_text_tells_where_curves_end(self):
        code = line_plot({"Training Loss": [(1, 3.0), (2, 0.25)]}, "step", "loss")
        assert 'alt="Curves over step: Training Loss ends at 0.25"' in code

    def test_names_are_escaped(self):
        code = line_plot({'<b> & "c"': [(1, 1.0), (2, 2.0)]}, "step", "loss")
        (picture,) = pictures(code)
        assert '<b> & "c"' in texts(picture)
        assert "<b>" not in code

    def test_many_points_are_thinned_and_the_last_is_kept(self):
        points = [(step, float(step)) for step in range(10_001)]
        (picture,) = pictures(line_plot({"A": points}, "step", "loss"))
        ((*_, last),) = (drawn,) = curves(picture)
        assert len(drawn) <= MOST_POINTS + 1
        assert last == max(drawn)

    @pytest.mark.parametrize(
        "points", [[(1, 1.0)], [(1, 1.0), (1, 1.0)], [(1, 0.0), (2, 0.0)], [(1, 1e-9), (2, 1e9)]]
    )
    def test_flat_and_steep_curves_can_be_drawn(self, points):
        ((place, *_),) = curves(pictures(line_plot({"A": points}, "step", "loss"))[0])
        assert all(0 <= coordinate < 400 for coordinate in place)

    def test_points_that_are_no_numbers_are_left_out(self):
        (picture,) = pictures(
            line_plot({"A": [(1, float("nan")), (2, 2.0), (3, float("inf"))]}, "step", "loss")
        )
        assert len(curves(picture)[0]) == 1

    def test_many_names_need_several_lines(self):
        names = ["Accuracy", "Macro F1", "Precision", "Recall", "Person F1", "Object Recall"]
        (picture,) = pictures(line_plot({name: [(1, 1.0), (2, 2.0)] for name in names}, "step", "metrics"))
        places = {element.text: (float(element.get("x", 0)), element.get("y")) for element in picture.iter()}
        assert all(places[name][0] + 6.2 * len(name) <= float(picture.get("width")) for name in names)
        assert len({places[name][1] for name in names}) > 1

    @pytest.mark.parametrize("series", [{}, {"A": []}, {"A": [(1, float("nan"))]}])
    def test_nothing_to_draw(self, series):
        assert line_plot(series, "step", "loss") == ""


class TestTable:
    def test_floats_have_six_digits_and_texts_are_escaped(self):
        code = html_table([["Step", "<Loss>"], [1, 0.5]])
        assert "<th>&lt;Loss&gt;</th>" in code
        assert "<td>1</td><td>0.500000</td>" in code

    def test_many_rows_are_shortened_to_the_last_ones_and_the_first(self):
        code = html_table([["Step"], *[[step] for step in range(1, 101)]])
        assert code.count("<tr>") == MOST_ROWS
        assert "<td>1</td>" in code
        assert "<td>2</td>" not in code
        assert "<td>100</td>" in code
        assert f"{100 - MOST_ROWS + 1} rows more" in code

    def test_so_are_those_of_plain_text(self):
        lines = text_table([["Step"], *[[step] for step in range(1, 101)]]).splitlines()
        assert lines[:2] == ["Step", "   1"]
        assert lines[2] == f"… {100 - MOST_ROWS + 1} rows more …"
        assert lines[-1] == " 100"

    def test_plain_text_is_aligned(self):
        assert text_table([["Step", "Loss"], [10, 0.5]]) == "Step      Loss\n  10  0.500000"

    @pytest.mark.parametrize(("seconds", "text"), [(5.9, "00:05"), (75, "01:15"), (3661, "1:01:01")])
    def test_durations(self, seconds, text):
        assert duration(seconds) == text


class Shown(NotebookProgressBar):
    """A bar that keeps what it shows."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.shown = []

    def show(self, code, text):
        self.shown.append(code)


class TestBar:
    def test_says_how_far_it_is(self):
        bar = Shown(10, prefix="Reading ")
        bar.update(0)
        bar.update(5, force_update=True, comment="Epoch 1/2")
        assert '<progress value="5" max="10"' in bar.shown[-1]
        assert "Reading " in bar.shown[-1]
        assert re.search(r"\[5/10 00:00 &lt; 00:00, .* it/s, Epoch 1/2\]", bar.shown[-1])

    def test_is_drawn_seldom(self):
        bar = Shown(100_000)
        for value in range(100_000):
            bar.update(value)
        assert len(bar.shown) < 20

    def test_is_drawn_when_it_is_full(self):
        bar = Shown(10)
        for value in range(11):
            bar.update(value)
        assert 'value="10"' in bar.shown[-1]


class TestTracker:
    def test_lines_of_one_step_are_one_line(self):
        tracker = NotebookTrainingTracker(10, ["Step", "Training Loss"])
        tracker.write_line({"Step": 5, "Training Loss": 1.0})
        tracker.write_line({"Step": 5, "Validation Loss": 2.0})
        tracker.write_line({"Step": 10, "Validation Loss": 3.0})
        assert tracker.inner_table == [
            ["Step", "Training Loss", "Validation Loss"],
            [5, 1.0, 2.0],
            [10, "No log", 3.0],
        ]

    def test_columns_may_come_from_the_first_line(self):
        tracker = NotebookTrainingTracker(10)
        tracker.write_line({"Step": 5, "Loss": 1.0})
        assert tracker.inner_table == [["Step", "Loss"], [5, 1.0]]


CELLS = [
    """
import sys
sys.path.insert(0, {here!r})
from search_cases import *
from nanoformers.training import NotebookProgressCallback
trainer = make_trainer({folder!r}, disable_tqdm=False, logging_strategy="steps", logging_steps=2, max_steps=8)
""",
    "output = trainer.train()",
    "metrics = trainer.evaluate()",
    "output = trainer.predict(trainer.eval_dataset)",
    """
trainer.args.eval_strategy = "no"
output = trainer.train()
""",
    """
best = trainer.hyperparameter_search(
    lambda trial: {{"learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1)}}, loss, n_trials=3
)
""",
    """
silent = make_trainer({folder!r}, disable_tqdm=True)
output, metrics = silent.train(), silent.evaluate()
""",
]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What each cell of a notebook shows in the end, after a kernel has run it."""
    from nbclient import NotebookClient

    facts = {"here": str(Path(__file__).parent), "folder": str(tmp_path_factory.mktemp("out"))}
    cells = [nbformat.v4.new_code_cell(source.format(**facts)) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    names = ["start", "train", "evaluate", "predict", "no_evaluation", "search", "silent"]
    return {name: cell.outputs for name, cell in zip(names, notebook.cells, strict=True)}


def page(outputs):
    """The HTML of the only output of a cell."""
    (output,) = [one for one in outputs if one.output_type == "display_data"]
    return output.data["text/html"]


class TestNotebook:
    def test_training_is_one_display_with_a_full_bar(self, outputs):
        assert '<progress value="8" max="8"' in page(outputs["train"])

    def test_the_table_has_a_line_for_each_evaluation(self, outputs):
        code = page(outputs["train"])
        assert re.findall("<th>(.*?)</th>", code) == ["Step", "Training Loss", "Validation Loss", "Accuracy"]
        assert re.findall(r"<tr><td>(\d+)</td>", code) == ["4", "8"]
        assert "No log" not in code

    def test_losses_and_metrics_have_a_picture_each(self, outputs):
        losses, metrics = pictures(page(outputs["train"]))
        assert [len(curve) for curve in curves(losses)] == [4, 2], "losses are logged more often"
        assert [len(curve) for curve in curves(metrics)] == [2]

    def test_it_needs_no_script_and_is_small(self, outputs):
        code = page(outputs["train"])
        assert "<script" not in code
        assert "<svg" not in code, "JupyterLab would strip it from a notebook that it does not trust"
        assert len(code) < 20_000

    def test_places_without_html_get_text(self, outputs):
        (output,) = outputs["train"]
        lines = output.data["text/plain"].splitlines()
        assert lines[0] == "8/8"
        assert lines[1].split() == ["Step", "Training", "Loss", "Validation", "Loss", "Accuracy"]
        assert len(lines) == 4

    def test_an_evaluation_shows_its_metrics(self, outputs):
        assert re.findall("<th>(.*?)</th>", page(outputs["evaluate"])) == ["Validation Loss", "Accuracy"]

    def test_the_bar_of_a_prediction_goes_away(self, outputs):
        assert page(outputs["predict"]) == ""

    def test_without_evaluation_the_table_is_that_of_the_logs(self, outputs):
        code = page(outputs["no_evaluation"])
        assert re.findall("<th>(.*?)</th>", code) == ["Step", "Training Loss"]
        assert re.findall(r"<tr><td>(\d+)</td>", code) == ["2", "4", "6", "8"]

    def test_the_trials_of_a_search_share_a_display(self, outputs):
        assert page(outputs["search"]).startswith("<div>run-2 (learning_rate=0.")

    def test_disabled_bars_show_nothing(self, outputs):
        assert outputs["silent"] == []


class InterruptedAtStep3(TrainerCallback):
    """Does what somebody does who has seen enough."""

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 3:
            raise KeyboardInterrupt


class TestNotebookCallback:
    def test_other_processes_show_nothing(self, tmp_path):
        callback = NotebookProgressCallback()
        state = TrainerState(is_world_process_zero=False)
        callback.on_train_begin(TrainingArguments(str(tmp_path)), state, TrainerControl())
        assert callback.training_tracker is None

    def test_what_follows_an_interrupted_training_has_a_display_of_its_own(self, tmp_path):
        callback = NotebookProgressCallback()
        trainer = make_trainer(tmp_path, callbacks=[callback, InterruptedAtStep3()], disable_tqdm=False)
        with pytest.raises(KeyboardInterrupt):
            trainer.train()
        assert callback.training_tracker is None
        assert callback.prediction_bar is None

    def test_several_evaluation_sets_have_a_column_each_and_no_other(self, tmp_path):
        callback, state = NotebookProgressCallback(), TrainerState(max_steps=4, epoch=1.0, global_step=2)
        args = TrainingArguments(str(tmp_path), eval_strategy="epoch", disable_tqdm=False)
        callback.on_train_begin(args, state, TrainerControl())
        for name in ("here", "there"):
            callback.on_evaluate(args, state, TrainerControl(), metrics={f"eval_{name}_loss": 0.5})
        assert callback.training_tracker.inner_table == [
            ["Epoch", "Training Loss", "Here Loss", "There Loss"],
            [1, "No log", 0.5, 0.5],
        ]

    def test_epochs_of_data_without_a_length_have_no_end(self, tmp_path):
        state = TrainerState(max_steps=4, epoch=0.5, global_step=2, num_train_epochs=sys.maxsize)
        callback = NotebookProgressCallback()
        args = TrainingArguments(str(tmp_path), disable_tqdm=False)
        callback.on_train_begin(args, state, TrainerControl())
        callback.on_step_end(args, state, TrainerControl())
        assert callback.training_tracker.comment == "Epoch 0.50"

    def test_documented_path(self):
        from nanoformers.utils.notebook import NotebookProgressCallback as Documented

        assert Documented is NotebookProgressCallback


class TestTerminal:
    def test_is_the_choice_outside_of_notebooks(self):
        assert default_progress_callback() is ProgressCallback

    def test_shows_a_bar_and_the_logs(self, tmp_path, capsys):
        make_trainer(tmp_path, disable_tqdm=False, logging_strategy="steps", logging_steps=4).train()
        shown = capsys.readouterr()
        assert "8/8" in shown.err
        assert "'loss': 0." in shown.out + shown.err

    def test_a_resumed_run_begins_where_it_stood(self, tmp_path):
        args = TrainingArguments(str(tmp_path), disable_tqdm=False)
        callback = ProgressCallback()
        callback.on_train_begin(args, TrainerState(global_step=5, max_steps=10), TrainerControl())
        assert callback.training_bar.n == 5
        callback.on_train_end(args, TrainerState(), TrainerControl())

    def test_the_bar_of_an_interrupted_training_is_closed(self, tmp_path):
        callback = ProgressCallback()
        trainer = make_trainer(tmp_path, callbacks=[callback, InterruptedAtStep3()], disable_tqdm=False)
        with pytest.raises(KeyboardInterrupt):
            trainer.train()
        assert callback.training_bar is None

    def test_long_texts_are_cut(self, tmp_path, capsys):
        args = TrainingArguments(str(tmp_path), disable_tqdm=False)
        callback = ProgressCallback(max_str_len=10)
        state = TrainerState(max_steps=10)
        callback.on_train_begin(args, state, TrainerControl())
        callback.on_log(args, state, TrainerControl(), logs={"note": "x" * 50})
        callback.on_train_end(args, state, TrainerControl())
        assert "'xxxxxxxxxx... (50 characters)'" in capsys.readouterr().out

    def test_disabled_bars_show_nothing(self, tmp_path, capsys):
        trainer = make_trainer(tmp_path, callbacks=[ProgressCallback], disable_tqdm=True)
        trainer.train()
        shown = capsys.readouterr()
        assert (shown.out, shown.err) == ("", "")

    def test_the_librarys_switch_holds_here_too(self, tmp_path, capsys):
        from nanoformers.utils import logging

        logging.disable_progress_bar()
        try:
            make_trainer(tmp_path, disable_tqdm=False).train()
        finally:
            logging.enable_progress_bar()
        assert "8/8" not in capsys.readouterr().err
