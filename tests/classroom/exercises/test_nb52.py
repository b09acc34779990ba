"""Checkers of notebook 52: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import pytest
import torch
from classroom.exercises import Wrong, check, nb52
from nanoformers import BertConfig, DistilBertConfig


def config(**changes):
    shape = {
        "vocab_size": 400,
        "max_position_embeddings": 64,
        "dim": 48,
        "n_heads": 3,
        "n_layers": 6,
        "hidden_dim": 192,
    }
    return DistilBertConfig(**{**shape, **changes})


class TestDeepAndNarrow:
    @pytest.mark.parametrize("answer", [config(), config(dim=32, n_heads=2, n_layers=12, hidden_dim=64)])
    def test_shapes_within_the_bounds_are_right(self, answer):
        assert check("52.1", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (config(dim=96, n_heads=6), "too many"),
            (config(hidden_dim=3072), "too many"),
            (config(n_layers=5), "too few"),
            (config(n_heads=4), "too narrow"),
            (config(dim=50), "cannot be built"),
            (config(vocab_size=500), "vocabulary"),
            (config(max_position_embeddings=512), "512 places"),
            (BertConfig(), "BertConfig"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb52.deep_and_narrow(answer)


class TestPlaces:
    @pytest.mark.parametrize(
        "answer",
        [
            lambda mask: (mask.cumsum(-1) - 1).clamp(min=0),
            lambda mask: (mask.cumsum(-1) - 1) * mask,
        ],
    )
    def test_counting_from_the_first_token_is_right(self, answer):
        assert check("52.2", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda mask: torch.arange(mask.shape[1]).expand_as(mask), r"get \[2, 3, 4\]"),
            (lambda mask: mask.cumsum(-1) - 1, "whole number from 0"),
            (lambda mask: mask.cumsum(-1), "alone"),
            (lambda mask: mask[0].cumsum(-1) - 1, "shape"),
            (3, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb52.places(answer)


def tokens_of(tokenizer, texts):
    return [token for text in texts for token in tokenizer.tokenize(text)]


def among(tokenizer, tokens):
    return tokens.count(tokenizer.unk_token) / len(tokens)


class TestUnknown:
    def test_the_share_of_tokens_is_right(self):
        assert check("52.3", lambda tokenizer, texts: among(tokenizer, tokens_of(tokenizer, texts)))

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (
                lambda tokenizer, texts: among(
                    tokenizer,
                    [
                        token
                        for ids in tokenizer(texts)["input_ids"]
                        for token in tokenizer.convert_ids_to_tokens(ids)
                    ],
                ),
                "counted too",
            ),
            (lambda tokenizer, texts: 1 - among(tokenizer, tokens_of(tokenizer, texts)), "vocabulary has"),
            (
                lambda tokenizer, texts: (
                    sum(among(tokenizer, tokenizer.tokenize(text)) for text in texts) / len(texts)
                ),
                "mean over texts",
            ),
            (
                lambda tokenizer, texts: (
                    tokens_of(tokenizer, texts).count("[UNK]") / len(tokens_of(tokenizer, texts))
                ),
                "something else",
            ),
            (lambda tokenizer, texts: 0.9, "this gives"),
            (0.2, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb52.unknown(answer)
