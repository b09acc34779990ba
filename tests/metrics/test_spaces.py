"""The metric repositories as a client of the hub sees them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from classroom.hub import HubServer


class TestEachSpace:
    def test_its_examples_give_the_stated_output(self, metric_name: str, examples: dict[str, Any]) -> None:
        outcome = examples[metric_name]
        assert outcome["failed"] == 0, outcome["report"]
        assert outcome["ran"] >= 3

    def test_it_consists_of_a_module_and_a_card(self, metric_name: str, spaces: Path) -> None:
        files = {file.name for file in (spaces / metric_name).iterdir() if file.is_file()}
        assert files == {f"{metric_name}.py", "README.md"}

    def test_its_card_is_found_as_a_metric(self, metric_name: str, spaces: Path) -> None:
        text = (spaces / metric_name / "README.md").read_text(encoding="utf-8")
        card = yaml.safe_load(text.split("---")[1])
        assert {"evaluate", "metric"} <= set(card["tags"])
        assert card["license"] == "apache-2.0"
        assert card["title"]
        assert card["description"].endswith(".")

    def test_its_card_answers_the_same_questions(self, metric_name: str, spaces: Path) -> None:
        text = (spaces / metric_name / "README.md").read_text(encoding="utf-8")
        headings = [line for line in text.splitlines() if line.startswith("## ")]
        assert headings == ["## Formula", "## Range", "## Example", "## Source"]

    def test_its_module_is_named_for_it(
        self, metric_name: str, load_metric: Callable[..., Any], spaces: Path
    ) -> None:
        metric = load_metric(metric_name, "sst2" if metric_name == "glue" else None)
        assert metric.name == metric_name
        assert metric.module_type == "metric"
        assert metric.description
        assert "Returns:" in metric.inputs_description


class TestThroughTheHub:
    def test_a_load_is_one_file_from_main(self, hub: HubServer, examples: dict[str, Any]) -> None:
        assert "wer" in examples
        seen = [(request.method, request.path, request.status) for request in hub.requests]
        answered = [entry for entry in seen if entry[1].endswith("/wer.py")]
        file = "/spaces/evaluate-metric/wer/resolve/main/wer.py"
        assert answered[-2:] == [("HEAD", file, 200), ("GET", file, 200)]
        # evaluate first asks for the tag of its own release, and takes main when there is none.
        assert all(status == 404 and "/resolve/v" in path for _, path, status in answered[:-2])

    def test_metrics_that_were_loaded_once_work_offline(
        self, examples: dict[str, Any], metric_environment: dict[str, str], tmp_path: Path
    ) -> None:
        assert {"accuracy", "f1"} <= examples.keys()
        code = """
import evaluate
both = evaluate.combine(["accuracy", "f1"])
both.add_batch(predictions=[0, 1, 1, 0], references=[0, 1, 1, 1])
print(both.compute())
"""
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=metric_environment | {"HF_EVALUATE_OFFLINE": "1"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stdout == "{'accuracy': 0.75, 'f1': 0.8}\n", done.stderr[-3000:]


class TestMissingLibrary:
    @pytest.mark.parametrize(
        ("metric", "module", "package"),
        [
            ("accuracy", "sklearn", "scikit-learn"),
            ("seqeval", "seqeval", "seqeval"),
            ("bleu", "sacrebleu", "sacrebleu"),
            ("rouge", "rouge_score", "rouge-score"),
            ("cer", "jiwer", "jiwer"),
        ],
    )
    def test_the_error_says_what_to_install(
        self,
        metric: str,
        module: str,
        package: str,
        load_metric: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
        with pytest.raises(ImportError, match=rf"pip install {package}'"):
            load_metric(metric)
