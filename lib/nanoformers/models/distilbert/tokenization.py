"""The tokenizers of DistilBERT: BERT's, without `token_type_ids`, which the model does not take."""

from __future__ import annotations

from ..bert.tokenization import BertTokenizer, BertTokenizerFast

__all__ = ["DistilBertTokenizer", "DistilBertTokenizerFast"]


class DistilBertTokenizer(BertTokenizer):
    """DistilBERT's tokenizer in pure Python; its arguments are those of `BertTokenizer`."""

    model_input_names = ("input_ids", "attention_mask")


class DistilBertTokenizerFast(BertTokenizerFast):
    """DistilBERT's tokenizer in Rust; its arguments are those of `BertTokenizerFast`."""

    model_input_names = ("input_ids", "attention_mask")
    slow_tokenizer_class = DistilBertTokenizer
