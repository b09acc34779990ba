"""Small random models and a tokenizer, saved as a checkpoint would be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

TEXT = "the a cat dog sat ran on under mat tree and then it was good bad very not film we love you"
WORDS = TEXT.split()


@pytest.fixture(scope="session")
def make_tokenizer(tmp_path_factory):
    """Build a tokenizer of words and letters: `make_tokenizer(padding_side="left")`."""
    letters = "abcdefghijklmnopqrstuvwxyz.!?,"
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    path.write_text("\n".join(dict.fromkeys(vocabulary)) + "\n", encoding="utf-8")

    def build(**settings):
        from nanoformers import BertTokenizerFast

        return BertTokenizerFast(vocab_file=str(path), model_max_length=64, **settings)

    return build


@pytest.fixture(scope="session")
def tokenizer(make_tokenizer):
    return make_tokenizer()


@pytest.fixture(scope="session")
def make_model(tokenizer):
    """Build a model with random weights: `make_model("BertForMaskedLM", num_labels=3)`."""

    def build(class_name: str, **settings):
        import nanoformers

        torch.manual_seed(0)
        config = nanoformers.BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=48,
            max_position_embeddings=64,
            initializer_range=0.5,
            **settings,
        )
        return getattr(nanoformers, class_name)(config)

    return build


@pytest.fixture(scope="session")
def extractor(make_model, tokenizer):
    from nanoformers import pipeline

    return pipeline("feature-extraction", model=make_model("BertModel"), tokenizer=tokenizer)


@pytest.fixture(scope="session")
def classifier(make_model, tokenizer):
    from nanoformers import pipeline

    model = make_model("BertForSequenceClassification", num_labels=3)
    return pipeline("text-classification", model=model, tokenizer=tokenizer)


@pytest.fixture(scope="session")
def checkpoint(make_model, tokenizer, tmp_path_factory) -> Path:
    """A folder with a model for sequence classification and its tokenizer."""
    folder = tmp_path_factory.mktemp("checkpoint")
    make_model("BertForSequenceClassification", num_labels=2).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Forty texts of very different lengths, one of them empty."""
    return [" ".join(WORDS[(i + j) % len(WORDS)] for j in range(i * 7 % 23)) for i in range(40)]
