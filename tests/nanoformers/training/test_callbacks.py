"""Callbacks: when they are called, what they may change, and the ones that every Trainer has."""

import shutil
import sys
from pathlib import Path

import pytest
from nanoformers.training import (
    CallbackHandler,
    DefaultFlowCallback,
    EarlyStoppingCallback,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

transformers = pytest.importorskip("transformers")

sys.path.insert(0, str(Path(__file__).parent))
from search_cases import make_trainer  # noqa: E402

EVENTS = [name for name in vars(transformers.TrainerCallback) if name.startswith("on_")]


class Recorder(TrainerCallback):
    """Notes each event and what it was given."""

    def __init__(self):
        self.events = []
        self.given = {}

    def __getattribute__(self, name):
        if not name.startswith("on_"):
            return super().__getattribute__(name)

        def event(args, state, control, **kwargs):
            self.events.append(name)
            self.given = kwargs

        return event


class Stopper(TrainerCallback):
    """Replaces the control."""

    def on_step_end(self, args, state, control, **kwargs):
        return TrainerControl(should_training_stop=True)


@pytest.fixture
def args(tmp_path):
    return TrainingArguments(
        tmp_path, eval_strategy="steps", save_strategy="steps", metric_for_best_model="loss"
    )


def handler(*callbacks, **kwargs):
    return CallbackHandler([DefaultFlowCallback, *callbacks], kwargs.pop("model", None), **kwargs)


def extra(event):
    """What the events need besides arguments, state and control."""
    return {
        "on_evaluate": ({"eval_loss": 1.0},),
        "on_predict": ({"test_loss": 1.0},),
        "on_log": ({"loss": 1.0},),
    }.get(event, ())


class TestEvents:
    def test_the_base_has_those_of_the_reference_library(self):
        assert {name for name in vars(TrainerCallback) if name.startswith("on_")} == set(EVENTS)

    @pytest.mark.parametrize("event", EVENTS)
    def test_the_base_does_nothing(self, event, args):
        keywords = {"metrics": {}} if event == "on_predict" else {}
        assert getattr(TrainerCallback(), event)(args, TrainerState(), TrainerControl(), **keywords) is None

    @pytest.mark.parametrize("event", EVENTS)
    def test_the_handler_calls_each_callback(self, event, args):
        first, second = Recorder(), Recorder()
        calls = handler()
        calls.callbacks = [first, second]
        control = TrainerControl()
        assert getattr(calls, event)(args, TrainerState(), control, *extra(event)) is control
        assert first.events == second.events == [event]

    def test_callbacks_get_the_parts_of_the_trainer(self, args):
        recorder = Recorder()
        calls = handler(recorder, model="m", tokenizer="t", optimizer="o", lr_scheduler="s")
        calls.train_dataloader, calls.eval_dataloader = "train", "eval"
        calls.on_train_begin(args, TrainerState(), TrainerControl())
        assert recorder.given == {
            "model": "m",
            "tokenizer": "t",
            "processing_class": "t",
            "optimizer": "o",
            "lr_scheduler": "s",
            "train_dataloader": "train",
            "eval_dataloader": "eval",
        }

    def test_metrics_and_logs_come_by_keyword(self, args):
        recorder = Recorder()
        calls = handler(recorder)
        calls.on_log(args, TrainerState(), TrainerControl(), {"loss": 2.0})
        assert recorder.given["logs"] == {"loss": 2.0}
        calls.on_evaluate(args, TrainerState(), TrainerControl(), metrics={"eval_loss": 1.0})
        assert recorder.given["metrics"] == {"eval_loss": 1.0}

    def test_a_returned_control_takes_over(self, args):
        control = handler(Stopper).on_step_end(args, TrainerState(max_steps=9), TrainerControl())
        assert control.should_training_stop

    @pytest.mark.parametrize(
        ("event", "switches"),
        [
            ("on_train_begin", {"should_training_stop"}),
            ("on_epoch_begin", {"should_epoch_stop"}),
            ("on_step_begin", {"should_log", "should_evaluate", "should_save"}),
            ("on_evaluate", {"should_evaluate"}),
            ("on_save", {"should_save"}),
            ("on_log", {"should_log"}),
        ],
    )
    def test_an_event_unsets_the_switches_it_answers(self, event, switches, args):
        control = TrainerControl(True, True, True, True, True)
        getattr(handler(), event)(args, TrainerState(), control, *extra(event))
        assert {name for name, value in vars(control).items() if not value} == switches


class TestHandler:
    def test_takes_objects_and_classes(self):
        calls = handler(PrinterCallback, EarlyStoppingCallback(2))
        assert calls.callback_list == "DefaultFlowCallback\nPrinterCallback\nEarlyStoppingCallback"

    def test_takes_todays_name_of_the_tokenizer(self):
        calls = CallbackHandler([DefaultFlowCallback], None, processing_class="t")
        assert calls.tokenizer == calls.processing_class == "t"

    def test_warns_when_a_class_comes_twice(self, library_log):
        calls = handler(PrinterCallback)
        calls.add_callback(PrinterCallback)
        assert "second PrinterCallback" in library_log.text
        assert len(calls.callbacks) == 3

    def test_warns_when_nothing_directs_the_flow(self, library_log):
        CallbackHandler([PrinterCallback], None)
        assert "DefaultFlowCallback" in library_log.text

    def test_what_has_no_events_is_a_type_error(self):
        with pytest.raises(TypeError, match="inherit from `TrainerCallback`"):
            handler(object())

    def test_pops_by_class_and_by_object(self):
        first, second = PrinterCallback(), EarlyStoppingCallback()
        calls = handler(first, second)
        assert calls.pop_callback(PrinterCallback) is first
        assert calls.pop_callback(second) is second
        assert calls.pop_callback(second) is None

    def test_removes_by_class_and_by_object(self):
        callback = PrinterCallback()
        calls = handler(callback, EarlyStoppingCallback)
        calls.remove_callback(callback)
        calls.remove_callback(EarlyStoppingCallback)
        calls.remove_callback(EarlyStoppingCallback)  # no longer there: nothing to do
        assert calls.callback_list == "DefaultFlowCallback"
        with pytest.raises(ValueError, match="not among"):
            calls.remove_callback(callback)


def flow(args, event="on_step_end", **state):
    """What DefaultFlowCallback switches on."""
    state = TrainerState(
        **{"max_steps": 100, "logging_steps": 10, "eval_steps": 20, "save_steps": 25} | state
    )
    control = getattr(DefaultFlowCallback(), event)(args, state, TrainerControl())
    return {name.removeprefix("should_") for name, value in vars(control).items() if value}


class TestDefaultFlow:
    def test_nothing_between_the_intervals(self, args):
        assert flow(args, global_step=7) == set()

    def test_each_interval_has_its_switch(self, args):
        assert flow(args, global_step=10) == {"log"}
        assert flow(args, global_step=20) == {"log", "evaluate"}
        assert flow(args, global_step=25) == {"save"}

    def test_the_first_step_may_be_logged(self, args):
        assert flow(args, global_step=1) == set()
        args.logging_first_step = True
        assert flow(args, global_step=1) == {"log"}

    def test_the_last_step_evaluates_saves_and_stops(self, args):
        assert flow(args, global_step=33, max_steps=33) == {"evaluate", "save", "training_stop"}

    def test_evaluation_may_begin_late(self, args):
        args.eval_delay = 30
        assert "evaluate" not in flow(args, global_step=20)
        assert "evaluate" in flow(args, global_step=40)

    def test_epochs(self, tmp_path):
        args = TrainingArguments(
            tmp_path, logging_strategy="epoch", eval_strategy="epoch", save_strategy="epoch", eval_delay=2
        )
        assert flow(args, global_step=20, epoch=1.0) == set()
        assert flow(args, "on_epoch_end", epoch=1.0) == {"log", "save"}
        assert flow(args, "on_epoch_end", epoch=2.0) == {"log", "evaluate", "save"}

    def test_no_strategy_no_switch(self, tmp_path):
        args = TrainingArguments(tmp_path, logging_strategy="no", eval_strategy="no", save_strategy="no")
        assert flow(args, global_step=100, max_steps=100) == {"training_stop"}
        assert flow(args, "on_epoch_end", epoch=1.0) == set()

    @pytest.mark.parametrize("step", [1, 7, 10, 20, 25, 50, 99, 100])
    @pytest.mark.parametrize("strategy", ["no", "steps", "epoch"])
    @pytest.mark.parametrize("event", ["on_step_end", "on_epoch_end"])
    def test_as_the_reference_library(self, step, strategy, event, tmp_path):
        from types import SimpleNamespace

        theirs = SimpleNamespace(
            logging_first_step=True,
            logging_strategy=strategy,
            eval_strategy=strategy,
            save_strategy=strategy,
            eval_delay=5,
        )
        facts = {
            "global_step": step,
            "max_steps": 99,
            "epoch": step / 10,
            "logging_steps": 10,
            "eval_steps": 20,
        }
        control = transformers.trainer_callback.DefaultFlowCallback()
        expected = getattr(control, event)(
            theirs, transformers.TrainerState(**facts, save_steps=25), transformers.TrainerControl()
        )
        switched = {name.removeprefix("should_") for name, value in vars(expected).items() if value}
        assert flow(theirs, event, **facts) == switched


def evaluations(callback, args, losses, best=None):
    """Give the callback one evaluation after another; return which one stopped the training."""
    state, control = TrainerState(best_metric=best), TrainerControl()
    callback.on_train_begin(args, state, control)
    for number, loss in enumerate(losses, 1):
        callback.on_evaluate(args, state, control, metrics={"eval_loss": loss})
        better = state.best_metric is None or (loss > state.best_metric) == args.greater_is_better
        state.best_metric = loss if better else state.best_metric  # as the Trainer does, after the event
        if control.should_training_stop:
            return number
    return None


class TestEarlyStopping:
    @pytest.fixture
    def args(self, tmp_path):
        return TrainingArguments(
            tmp_path,
            eval_strategy="steps",
            metric_for_best_model="loss",
            load_best_model_at_end=True,
            greater_is_better=False,
        )

    def test_stops_when_patience_is_at_its_end(self, args):
        assert evaluations(EarlyStoppingCallback(2), args, [3, 2, 2.5, 1.9, 2, 2.1, 1]) == 6

    def test_goes_on_while_it_improves(self, args):
        assert evaluations(EarlyStoppingCallback(1), args, [3, 2, 1, 0.5]) is None

    def test_a_change_up_to_the_threshold_is_no_improvement(self, args):
        assert evaluations(EarlyStoppingCallback(1, 0.5), args, [3, 2, 1.9]) == 3

    def test_greater_may_be_better(self, args):
        args.greater_is_better = True
        assert evaluations(EarlyStoppingCallback(1), args, [0.1, 0.2, 0.1]) == 3

    def test_agrees_with_the_reference_library(self, args):
        losses = [3, 2.4, 2.5, 2.3, 2.29, 2.31, 2.4, 2.2, 2.3, 2.3, 2.3]
        for patience, threshold in [(1, 0.0), (2, 0.0), (2, 0.05), (3, 0.2)]:
            theirs = transformers.EarlyStoppingCallback(patience, threshold)
            ours = EarlyStoppingCallback(patience, threshold)
            assert evaluations(ours, args, losses) == evaluations(theirs, args, losses)

    def test_needs_a_metric(self, tmp_path):
        args = TrainingArguments(tmp_path, eval_strategy="steps")
        with pytest.raises(AssertionError, match="requires metric_for_best_model"):
            EarlyStoppingCallback().on_train_begin(args, TrainerState(), TrainerControl())

    def test_needs_evaluations(self, tmp_path):
        args = TrainingArguments(tmp_path, metric_for_best_model="loss")
        with pytest.raises(AssertionError, match="evaluation strategy"):
            EarlyStoppingCallback().on_train_begin(args, TrainerState(), TrainerControl())

    def test_warns_that_the_last_model_stays(self, tmp_path, library_log):
        args = TrainingArguments(tmp_path, metric_for_best_model="loss", eval_strategy="steps")
        EarlyStoppingCallback().on_train_begin(args, TrainerState(), TrainerControl())
        assert "load_best_model_at_end" in library_log.text

    def test_a_metric_that_is_not_measured_stops_nothing(self, args, library_log):
        args.metric_for_best_model = "f1"
        assert evaluations(EarlyStoppingCallback(1), args, [1, 2, 3]) is None
        assert "no eval_f1, only eval_loss" in library_log.text

    @pytest.mark.parametrize(("patience", "threshold"), [(0, 0.0), (-1, 0.0), (1, -0.1)])
    def test_settings_that_make_no_sense(self, patience, threshold):
        with pytest.raises(ValueError, match="early_stopping_"):
            EarlyStoppingCallback(patience, threshold)


class TestStatesInCheckpoints:
    def test_a_count_survives(self):
        callback = EarlyStoppingCallback(3)
        callback.early_stopping_patience_counter = 2
        stored = handler(callback).exported_states(TrainerControl())
        again = EarlyStoppingCallback(5)
        handler(again).restore_states(stored)
        assert again.early_stopping_patience_counter == 2
        assert again.early_stopping_patience == 5, "settings are those of this run"

    def test_settings_too_where_asked_for(self):
        stored = handler(EarlyStoppingCallback(3)).exported_states(TrainerControl())
        calls = handler(EarlyStoppingCallback(5))
        calls.restore_states(stored, settings=True)
        assert calls.callbacks[1].early_stopping_patience == 3

    def test_several_of_a_class_keep_their_order(self):
        first, second = EarlyStoppingCallback(), EarlyStoppingCallback()
        first.early_stopping_patience_counter, second.early_stopping_patience_counter = 1, 2
        stored = handler(first, second).exported_states(TrainerControl())
        calls = handler(EarlyStoppingCallback(), EarlyStoppingCallback())
        calls.restore_states(stored)
        assert [callback.early_stopping_patience_counter for callback in calls.callbacks[1:]] == [1, 2]

    def test_a_callback_that_is_missing_is_named(self, library_log):
        stored = handler(EarlyStoppingCallback()).exported_states(TrainerControl())
        handler().restore_states(stored)
        assert "EarlyStoppingCallback" in library_log.text


class InterruptedAt(TrainerCallback):
    """Interrupts a training after a step, as a person does with Ctrl-C."""

    def __init__(self, step):
        self.step = step

    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == self.step:
            raise KeyboardInterrupt


class TestResumedTraining:
    def test_early_stopping_goes_on_counting(self, tmp_path):
        def trainer(*callbacks):
            one = make_trainer(
                tmp_path,
                callbacks=[*callbacks, EarlyStoppingCallback(3)],
                max_steps=40,
                eval_steps=2,
                save_strategy="steps",
                save_steps=2,
                metric_for_best_model="constant",
                load_best_model_at_end=True,
            )
            one.compute_metrics = lambda prediction: {"constant": 1.0}
            return one

        assert trainer().train().global_step == 8, "the first evaluation, and three without improvement"
        for checkpoint in tmp_path.glob("checkpoint-*"):
            shutil.rmtree(checkpoint)
        with pytest.raises(KeyboardInterrupt):
            trainer(InterruptedAt(6)).train()
        assert trainer().train(resume_from_checkpoint=True).global_step == 8


class TestPrinter:
    def test_prints_short_numbers_and_keeps_the_logs(self, args, capsys):
        logs = {"loss": 0.123456, "epoch": 1.0, "total_flos": 1e15, "note": "text"}
        PrinterCallback().on_log(args, TrainerState(), TrainerControl(), logs=logs)
        assert capsys.readouterr().out == "{'loss': 0.1235, 'epoch': 1.0, 'note': 'text'}\n"
        assert logs["total_flos"] == 1e15

    def test_one_process_a_machine_prints(self, args, capsys):
        state = TrainerState(is_local_process_zero=False)
        PrinterCallback().on_log(args, state, TrainerControl(), logs={"loss": 1.0})
        assert capsys.readouterr().out == ""
