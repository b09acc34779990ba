"""A small checkpoint to download nothing for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

TEXT = "the a cat dog sat ran on under mat tree and it was good bad very not"


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a classifier of texts, random weights, and its tokenizer."""
    import nanoformers

    folder = tmp_path_factory.mktemp("checkpoint")
    (folder / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *TEXT.split()])
    )
    tokenizer = nanoformers.BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=16)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = nanoformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
        initializer_range=0.5,
        id2label={0: "BAD", 1: "GOOD"},
    )
    nanoformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder
