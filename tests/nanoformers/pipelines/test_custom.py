"""Pipelines of one's own: registered, saved with their code, and loaded again."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import nanoformers
import pytest
from nanoformers import pipeline
from nanoformers.pipelines import PIPELINE_REGISTRY

CODE = '''
from nanoformers import Pipeline


class LengthPipeline(Pipeline):
    """Counts the tokens of a text."""

    def _sanitize_parameters(self, plus=None):
        return {}, {}, {} if plus is None else {"plus": plus}

    def preprocess(self, text):
        return self.tokenizer(text, return_tensors="pt")

    def _forward(self, model_inputs):
        return {"tokens": model_inputs["attention_mask"].sum(1)}

    def postprocess(self, model_outputs, plus=0):
        return int(model_outputs["tokens"][0]) + plus
'''


@pytest.fixture
def length_pipeline(tmp_path, monkeypatch):
    """A pipeline in a module of its own, registered as "text-length"."""
    path = tmp_path / "length_of_texts.py"
    path.write_text(CODE)
    spec = importlib.util.spec_from_file_location("length_of_texts", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "length_of_texts", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(PIPELINE_REGISTRY, "supported_tasks", dict(PIPELINE_REGISTRY.supported_tasks))
    PIPELINE_REGISTRY.register_pipeline(
        "text-length",
        pipeline_class=module.LengthPipeline,
        pt_model=nanoformers.AutoModelForSequenceClassification,
        type="text",
    )
    return module.LengthPipeline


@pytest.fixture
def saved(length_pipeline, checkpoint, tmp_path, monkeypatch):
    """A folder with such a pipeline; the task is known there only."""
    folder = tmp_path / "saved"
    pipeline("text-length", model=checkpoint).save_pretrained(folder)
    monkeypatch.delitem(PIPELINE_REGISTRY.supported_tasks, "text-length")
    return folder


def test_a_registered_task_is_a_task(length_pipeline, checkpoint):
    length = pipeline("text-length", model=checkpoint)
    assert type(length) is length_pipeline
    assert length("the cat") == 4
    assert length(["the cat", "a"], plus=1, batch_size=2) == [5, 4]


def test_the_code_is_saved_and_named(saved):
    assert (saved / "length_of_texts.py").read_text() == CODE
    described = json.loads((saved / "config.json").read_text())["custom_pipelines"]["text-length"]
    assert described["impl"] == "length_of_texts.LengthPipeline"
    assert described["pt"] == ["AutoModelForSequenceClassification"]


@pytest.mark.parametrize("task", ["text-length", None])
def test_it_runs_for_those_who_trust_it(saved, task):
    assert pipeline(task, model=str(saved), trust_remote_code=True)("the cat") == 4


def test_in_another_process(saved):
    code = (
        "from nanoformers import pipeline\n"
        f"print(pipeline(model={str(saved)!r}, trust_remote_code=True)('the cat'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "4"


@pytest.mark.parametrize("trust", [None, False])
def test_it_does_not_run_for_others(saved, trust):
    with pytest.raises(ValueError, match="set the option `trust_remote_code=True`"):
        pipeline("text-length", model=str(saved), trust_remote_code=trust)


def test_a_class_of_ones_own_needs_no_trust(saved, length_pipeline):
    assert pipeline("text-length", model=str(saved), pipeline_class=length_pipeline)("the cat") == 4


def test_several_tasks(saved):
    path = saved / "config.json"
    config = json.loads(path.read_text())
    config["custom_pipelines"]["other"] = config["custom_pipelines"]["text-length"]
    path.write_text(json.dumps(config))
    with pytest.raises(RuntimeError, match="Pick one in text-length, other"):
        pipeline(model=str(saved), trust_remote_code=True)


def test_a_task_without_code(saved):
    path = saved / "config.json"
    config = json.loads(path.read_text())
    del config["custom_pipelines"]["text-length"]["impl"]
    path.write_text(json.dumps(config))
    with pytest.raises(RuntimeError, match="without specifying its implementation"):
        pipeline("text-length", model=str(saved), trust_remote_code=True)


def test_the_librarys_own_code_is_not_saved(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(PIPELINE_REGISTRY, "supported_tasks", dict(PIPELINE_REGISTRY.supported_tasks))
    PIPELINE_REGISTRY.register_pipeline(
        "mood", nanoformers.TextClassificationPipeline, nanoformers.AutoModelForSequenceClassification
    )
    pipeline("mood", model=checkpoint).save_pretrained(tmp_path / "saved")
    del nanoformers.TextClassificationPipeline._registered_impl
    assert not list((tmp_path / "saved").glob("*.py"))
    assert "custom_pipelines" not in json.loads((tmp_path / "saved" / "config.json").read_text())
