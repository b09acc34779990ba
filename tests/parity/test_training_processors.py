"""The processors of GLUE, XNLI and SQuAD files against what the reference library made of the same files."""

from __future__ import annotations

import importlib.util
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from nanoformers import BertTokenizer, BertTokenizerFast
from nanoformers.data.processors import glue, squad, xnli

GOLDEN = Path(__file__).parent / "golden"
specification = importlib.util.spec_from_file_location("make_processors", GOLDEN / "make_processors.py")
recording = importlib.util.module_from_spec(specification)
specification.loader.exec_module(recording)
EXPECTED = json.loads((GOLDEN / "processors.json").read_text())["answers"]


@pytest.fixture(scope="module", params=[BertTokenizer, BertTokenizerFast])
def found(request, tmp_path_factory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("files")
    recording.write_files(folder)
    tokenizer = request.param.from_pretrained(recording.CHECKPOINT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return recording.answers(glue, xnli, squad, tokenizer, folder)


@pytest.mark.parametrize("task", recording.TASKS)
@pytest.mark.parametrize("what", ["labels", "examples", "features"])
def test_glue(found, task, what):
    assert found[task][what] == EXPECTED[task][what]


def test_tables_of_tasks(found):
    assert found["output_modes"] == EXPECTED["output_modes"]
    assert found["num_labels"] == EXPECTED["num_labels"]


def test_xnli(found):
    assert found["xnli"] == EXPECTED["xnli"]


@pytest.mark.parametrize("version", ["squad_v1", "squad_v2"])
def test_squad_examples(found, version):
    assert found[version]["examples"] == EXPECTED[version]["examples"]


@pytest.mark.parametrize(
    ("version", "case"), [("squad_v1", 0), ("squad_v2", 0), ("squad_v2", 1), ("squad_v2", 2)]
)
def test_squad_features(found, version, case):
    mine, theirs = found[version]["features"][case], EXPECTED[version]["features"][case]
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert one == other
