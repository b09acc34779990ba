"""DistilBERT's tokenizers: BERT's, with other model inputs."""

from __future__ import annotations

import json

import pytest
from classroom.sources import minilm_folder
from nanoformers import (
    AutoTokenizer,
    BertTokenizer,
    BertTokenizerFast,
    DistilBertTokenizer,
    DistilBertTokenizerFast,
)
from nanoformers.convert_slow_tokenizer import convert_slow_tokenizer

VOCAB = minilm_folder() / "vocab.txt"


@pytest.mark.parametrize(
    ("kind", "of_bert"),
    [(DistilBertTokenizer, BertTokenizer), (DistilBertTokenizerFast, BertTokenizerFast)],
    ids=["slow", "fast"],
)
class TestDistilBertTokenizer:
    def test_gives_what_the_model_takes(self, kind, of_bert):
        encoded = kind(VOCAB)("Hello wörld", "second")
        assert list(encoded) == ["input_ids", "attention_mask"]
        assert encoded["input_ids"] == of_bert(VOCAB)("Hello wörld", "second")["input_ids"]

    def test_auto_finds_it(self, kind, of_bert, tmp_path):
        kind(VOCAB).save_pretrained(tmp_path)
        found = AutoTokenizer.from_pretrained(tmp_path, use_fast=kind.is_fast)
        assert type(found) is kind

    def test_model_type_tells_the_class(self, kind, of_bert, tmp_path):
        kind(VOCAB).save_vocabulary(str(tmp_path))
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "distilbert"}))
        assert type(AutoTokenizer.from_pretrained(tmp_path, use_fast=kind.is_fast)) is kind


class TestConversion:
    @pytest.mark.parametrize("arguments", [{}, {"do_lower_case": False}, {"strip_accents": False}], ids=str)
    def test_splits_in_the_same_way(self, arguments):
        slow = DistilBertTokenizer(VOCAB, **arguments)
        backend = convert_slow_tokenizer(slow)
        for text in ("Hello WÖRLD, naïve cafés!", "日本語 mask x", ""):
            assert backend.encode(text).ids == slow(text)["input_ids"]

    def test_what_has_no_counterpart(self):
        with pytest.raises(ValueError, match="do_basic_tokenize=False"):
            convert_slow_tokenizer(BertTokenizer(VOCAB, do_basic_tokenize=False))
