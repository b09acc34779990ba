"""Checkers of notebook 04: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import hashlib
import json

import pytest
from classroom.exercises import Wrong, check, nb04
from huggingface_hub import constants

HUB, METRIC = {"HF_HUB_OFFLINE": "1"}, {"HF_EVALUATE_OFFLINE": "1"}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest(folder):
    return json.loads((folder / "MANIFEST.json").read_text())


class TestSilencingVariables:
    @pytest.mark.parametrize("answer", [HUB | METRIC, {"TRANSFORMERS_OFFLINE": "YES"} | METRIC])
    def test_one_for_the_hub_and_one_for_metrics_is_right(self, answer):
        assert check("04.1", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (HUB, "metric still asks"),
            ({"HF_DATASETS_OFFLINE": "1", **METRIC}, "data sets only"),
            (METRIC, "tokenizer and the data set still ask"),
            (HUB | METRIC | {"TRANSFORMERS_OFFLINE": "1"}, "TRANSFORMERS_OFFLINE can go"),
            (HUB | METRIC | {"HF_DATASETS_OFFLINE": "1"}, "HF_DATASETS_OFFLINE can go"),
            ({"HF_HUB_OFFLINE": True}, "no string"),
            ({"HF_HUB_OFFLINE": "0"}, "switches nothing on"),
            ("HF_HUB_OFFLINE=1", "dictionary"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb04.silencing_variables(answer)


class TestDamagedFiles:
    def test_comparing_every_hash_is_right(self):
        def damaged(folder):
            return sorted(
                name
                for name, expected in manifest(folder).items()
                if not (folder / name).is_file() or digest(folder / name) != expected
            )

        assert check("04.2", damaged)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda folder: [n for n, h in manifest(folder).items() if digest(folder / n) != h], "missing"),
            (
                lambda folder: [n for n in manifest(folder) if not (folder / n).is_file()],
                "compare the hashes",
            ),
            (lambda folder: ["d.safetensors"], "overlooks the missing"),
            (lambda folder: ["d.safetensors", "b/missing.json"], "sorted"),
            (lambda folder: [], r"it says \[\]"),
            (lambda folder: ["b/missing.json", "d.safetensors"], "nothing is damaged"),
            (["d.safetensors"], "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb04.damaged_files(answer)


class TestPatternsForAModel:
    @pytest.fixture(autouse=True)
    def _hub(self, hub, monkeypatch):
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)

    @pytest.mark.parametrize(
        "answer",
        [["config.json", "tokenizer*.json", "*.safetensors"], ["*.json", "*.safetensors"], list(nb04.NEEDED)],
    )
    def test_patterns_that_take_what_is_needed_are_right(self, answer):
        assert check("04.3", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (["*.json"], "not fetched: model.safetensors"),
            ("*.safetensors", "not fetched: config.json"),
            (["*"], "name fewer files"),
            ([b"*.json"], "list of patterns"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb04.patterns_for_a_model(answer)
