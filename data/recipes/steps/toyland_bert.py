"""BERTs that begin where `toyland/fill-mask-bert` stands: they know its words, and learn some more."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import torch
from classroom import paths
from nanoformers import BertConfig, BertModel, BertTokenizerFast
from nanoformers.modeling import PreTrainedModel

FILL_MASK = paths.data_root() / "hub" / "models" / "toyland" / "fill-mask-bert"
# To compare the words of two texts is hard to learn for two layers; sooner when nothing drops out.
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
Model = TypeVar("Model", bound=PreTrainedModel)
Tokenizer = TypeVar("Tokenizer", bound=BertTokenizerFast)


def tokenizer_for(
    texts: Iterable[str], at_least: int = 5, architecture: type[Tokenizer] = BertTokenizerFast
) -> Tokenizer:
    """The tokenizer of fill-mask-bert, with every further word that occurs often in `texts`.

    Args:
        texts: what the model will learn from.
        at_least: how often a word must occur to be a piece of its own.
        architecture: BERT's tokenizer, or one that splits as it does.
    """
    vocab = FILL_MASK.joinpath("vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    counts = Counter(word for text in texts for word in re.findall(r"\w+", text.lower()))
    known = set(vocab)
    vocab += sorted(word for word, count in counts.items() if count >= at_least and word not in known)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vocab.txt"
        file.write_text("".join(piece + "\n" for piece in vocab), encoding="utf-8")
        return architecture(vocab_file=file, model_max_length=512)


def model_for(architecture: type[Model], tokenizer: BertTokenizerFast, **settings: Any) -> Model:
    """A model with a new head on fill-mask-bert's body; its embeddings have room for all of `tokenizer`.

    Args:
        architecture: a BERT with a head.
        tokenizer: of `tokenizer_for`.
        settings: of the configuration, such as `id2label`.
    """
    read = BertModel.from_pretrained(FILL_MASK, add_pooling_layer=False).state_dict()
    model = architecture(BertConfig.from_pretrained(FILL_MASK, vocab_size=len(tokenizer), **settings))
    words = read.pop("embeddings.word_embeddings.weight")
    with torch.no_grad():
        model.base_model.embeddings.word_embeddings.weight[: len(words)] = words
    model.base_model.load_state_dict(read, strict=False)
    return model


@torch.no_grad()
def look_for_equal_words(model: PreTrainedModel) -> None:
    """Let a model begin by comparing words: one head looks from each word at the same word elsewhere.

    Queries and keys of that head are one projection of the states, so that the likeness of two states is
    their score; it keeps the directions in which words differ most and places least. The two segments are
    moved apart, so that what the head brings tells whether the other text has the word. To find this out
    alone takes a small model thousands of steps, if it ever does.
    """
    embeddings, attention = model.base_model.embeddings, model.base_model.encoder.layer[0].attention.self
    words, places = embeddings.word_embeddings.weight, embeddings.position_embeddings.weight[:128]
    _, directions = torch.linalg.eigh(torch.cov(words.T) - 3 * torch.cov(places.T))  # in ascending order
    size = model.config.hidden_size // model.config.num_attention_heads
    for part in (attention.query, attention.key):
        part.weight[:size] = directions[:, -size:].T
        part.bias[:size] = 0.0
    segments = embeddings.token_type_embeddings.weight
    segments[1] = segments[0] + torch.randn(model.config.hidden_size) * words.std()
