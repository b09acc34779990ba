"""Small models to adapt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nanoformers
import pytest
import torch

GPT2 = {"vocab_size": 61, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 48}
BERT = {"vocab_size": 61, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
T5 = {"vocab_size": 61, "d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def ids() -> torch.Tensor:
    """(2, 7) tokens."""
    return torch.randint(3, 61, (2, 7), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints of base models."""
    configs = {
        "GPT2LMHeadModel": nanoformers.GPT2Config(
            **GPT2, bos_token_id=1, eos_token_id=2, pad_token_id=0, attn_pdrop=0.0, resid_pdrop=0.0
        ),
        "BertForSequenceClassification": nanoformers.BertConfig(
            **BERT, intermediate_size=24, max_position_embeddings=48, num_labels=3
        ),
        "T5ForConditionalGeneration": nanoformers.T5Config(**T5, decoder_start_token_id=0),
    }
    saved = {}
    for name, config in configs.items():
        torch.manual_seed(0)
        saved[name] = tmp_path_factory.mktemp(name)
        getattr(nanoformers, name)(config).save_pretrained(saved[name])
    return saved


@pytest.fixture
def make(folders: dict[str, Path]) -> Callable[..., Any]:
    """Load a base model by the name of its class."""
    return lambda name="GPT2LMHeadModel", **options: getattr(nanoformers, name).from_pretrained(
        folders[name], **options
    )


@pytest.fixture
def gpt2(make: Callable[..., Any]) -> Any:
    """A GPT-2 in evaluation mode."""
    return make()


@pytest.fixture
def bert(make: Callable[..., Any]) -> Any:
    """A BERT that classifies, in evaluation mode."""
    return make("BertForSequenceClassification")
