"""The checkpoints in `data/hub` do what their cards say."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import torch
import yaml
from classroom import paths, sources
from nanoformers import (
    AutoTokenizer,
    BertForMaskedLM,
    BertForSequenceClassification,
    PreTrainedTokenizerBase,
    pipeline,
)
from safetensors import safe_open

MODELS = paths.data_root() / "hub" / "models"
SENTIMENT = MODELS / "nanoformers" / "sentiment-bert-tiny"
FILL_MASK = MODELS / "toyland" / "fill-mask-bert"

EVERYDAY = {
    "POSITIVE": [
        "we love you",
        "I love this little film.",
        "What a wonderful day!",
        "Thank you so much, that was very kind of you.",
        "The soup was delicious and the waiter was friendly.",
        "Best birthday ever :)",
        "I am really happy with my new phone.",
        "She is a brilliant teacher and everybody likes her.",
        "The concert was amazing.",
        "It works perfectly, I can recommend it.",
    ],
    "NEGATIVE": [
        "I hate this.",
        "The worst hotel I have ever stayed in.",
        "This movie is boring and far too long.",
        "The battery died after two days, what a waste of money.",
        "I am so tired and sad today.",
        "The food was cold and the staff were rude.",
        "My train is late again, ugh.",
        "He was not a good teacher.",
        "A terrible accident killed three people.",
        "I did not like it at all.",
    ],
}


def metrics(folder: Path) -> dict[str, float]:
    """The scores that the card states, by name."""
    front = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    found = front["model-index"][0]["results"][0]["metrics"]
    return {entry.get("name", entry["type"]): entry["value"] for entry in found}


def promised(folder: Path) -> float:
    """The bound that the card promises: "more than 80 %" is 0.8."""
    found = re.search(r"more than (\d+) %", " ".join((folder / "README.md").read_text("utf-8").split()))
    assert found is not None
    return int(found[1]) / 100


@pytest.fixture(scope="module")
def classifier() -> BertForSequenceClassification:
    return BertForSequenceClassification.from_pretrained(SENTIMENT).eval()


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(SENTIMENT)


@pytest.mark.parametrize("folder", [SENTIMENT, FILL_MASK], ids=lambda folder: folder.name)
class TestFiles:
    def test_weights_are_below_three_megabytes(self, folder):
        assert (folder / "model.safetensors").stat().st_size < 3_000_000

    def test_weights_are_computed_with_in_float32(self, folder):
        config = json.loads((folder / "config.json").read_text())
        assert config.get("dtype", config.get("torch_dtype")) == "float32"
        with safe_open(folder / "model.safetensors", "pt") as weights:
            assert weights.metadata()["format"] == "pt"

    def test_stock_library_computes_the_same(self, folder):
        transformers = pytest.importorskip("transformers")
        architecture = json.loads((folder / "config.json").read_text())["architectures"][0]
        theirs = getattr(transformers, architecture).from_pretrained(folder).eval()
        ours_class = {"BertForMaskedLM": BertForMaskedLM}.get(architecture, BertForSequenceClassification)
        ours = ours_class.from_pretrained(folder).eval()
        text = "Mila the bear found a kite, and everybody was very happy."
        encoded = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
        assert encoded["input_ids"].tolist() == [
            transformers.AutoTokenizer.from_pretrained(folder)(text)["input_ids"]
        ]
        assert theirs.dtype == ours.dtype == torch.float32
        with torch.inference_mode():
            torch.testing.assert_close(ours(**encoded).logits, theirs(**encoded).logits, atol=1e-5, rtol=1e-5)


class TestSentiment:
    def test_accuracy_on_the_held_out_split(self, classifier, tokenizer):
        try:
            rows = sources.rated_sentences()
        except sources.SourceError as error:
            pytest.skip(f"needs the package registry once: {error}")
        rows = [row for row in rows if row["split"] == "test" and abs(row["rating"]) >= 0.5]
        rows.sort(key=lambda row: len(row["text"]))
        right = 0
        for start in range(0, len(rows), 64):
            batch = rows[start : start + 64]
            encoded = tokenizer(
                [row["text"] for row in batch], padding=True, truncation=True, return_tensors="pt"
            )
            with torch.inference_mode():
                positive = classifier(**encoded).logits.argmax(1)
            right += sum(
                int(guess) == (row["rating"] > 0) for guess, row in zip(positive, batch, strict=True)
            )
        assert right / len(rows) == pytest.approx(metrics(SENTIMENT)["accuracy"], abs=0.002)
        assert right / len(rows) > promised(SENTIMENT)

    @pytest.mark.parametrize("label", ["POSITIVE", "NEGATIVE"])
    def test_everyday_sentences(self, label):
        judge = pipeline("sentiment-analysis", model=str(SENTIMENT))
        wrong = [(text, got) for text in EVERYDAY[label] if (got := judge(text)[0])["label"] != label]
        assert wrong == []

    def test_sentences_of_the_documentation(self):
        judge = pipeline("sentiment-analysis", model=str(SENTIMENT))
        loving, hoping = judge(["we love you", "We hope you don't hate it."])
        assert loving["label"] == "POSITIVE"
        assert loving["score"] > 0.95
        assert hoping["score"] < loving["score"]

    def test_a_long_text_fits(self, classifier, tokenizer):
        encoded = tokenizer("It was a lovely day. " * 200, truncation=True, return_tensors="pt")
        assert encoded["input_ids"].shape == (1, 512)
        with torch.inference_mode():
            assert classifier(**encoded).logits.argmax().item() == 1


class TestFillMask:
    def test_accuracy_on_stories_of_another_world(self):
        sys.path.insert(0, str(paths.data_root() / "recipes"))
        try:
            import fill_mask_bert as recipe
        finally:
            sys.path.pop(0)
        model = BertForMaskedLM.from_pretrained(FILL_MASK).eval()
        tokenizer = AutoTokenizer.from_pretrained(FILL_MASK)
        texts = recipe.texts_of(recipe.World(recipe.TRAINING_WORLD).scenes(2_000))
        rows, _ = recipe.measure(model, tokenizer, texts, tested=200)
        first, five = rows["this model"]
        assert first > promised(FILL_MASK) - 0.02  # fewer stories than for the card
        assert five > metrics(FILL_MASK)["top-5"] - 0.03
        assert first > rows["words seen between the neighbours (bigrams)"][0]

    def test_it_knows_who_lives_in_toyland(self):
        guess = pipeline("fill-mask", model=str(FILL_MASK))
        assert guess("Mila the [MASK] lost a blue kite in the forest.")[0]["token_str"] == "bear"
        assert guess("In the [MASK], Otto the owl felt happy.")[0]["score"] > 0.1
