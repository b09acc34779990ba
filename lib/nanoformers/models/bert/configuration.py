"""The shape of a BERT."""

from __future__ import annotations

from typing import Any

from ...configuration import PretrainedConfig

__all__ = ["BertConfig"]


class BertConfig(PretrainedConfig):
    """Configuration of a BERT; its defaults are those of `bert-base-uncased`.

    Args:
        vocab_size: how many tokens there are.
        hidden_size: width of the states, a multiple of `num_attention_heads`.
        num_hidden_layers: how many layers.
        num_attention_heads: heads of each layer.
        intermediate_size: width inside the feed-forward part.
        hidden_act: its activation, a name of `nanoformers.nn.activations.ACT2FN`.
        hidden_dropout_prob: dropout after embeddings and in layers.
        attention_probs_dropout_prob: dropout of attention weights.
        max_position_embeddings: greatest length of a sequence.
        type_vocab_size: how many `token_type_ids` there are.
        initializer_range: standard deviation of random weights.
        layer_norm_eps: added to variances.
        pad_token_id: the token that fills up shorter sequences.
        position_embedding_type: "absolute".
        use_cache: whether a decoder keeps its keys and values.
        classifier_dropout: dropout before a classification head; by default `hidden_dropout_prob`.
        kwargs: see `PretrainedConfig`; `is_decoder` and `add_cross_attention` make it a decoder.
    """

    model_type = "bert"

    def __init__(
        self,
        vocab_size: int = 30522,
        hidden_size: int = 768,
        num_hidden_layers: int = 12,
        num_attention_heads: int = 12,
        intermediate_size: int = 3072,
        hidden_act: str = "gelu",
        hidden_dropout_prob: float = 0.1,
        attention_probs_dropout_prob: float = 0.1,
        max_position_embeddings: int = 512,
        type_vocab_size: int = 2,
        initializer_range: float = 0.02,
        layer_norm_eps: float = 1e-12,
        pad_token_id: int = 0,
        position_embedding_type: str = "absolute",
        use_cache: bool = True,
        classifier_dropout: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pad_token_id=pad_token_id, **kwargs)
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.hidden_act = hidden_act
        self.hidden_dropout_prob = hidden_dropout_prob
        self.attention_probs_dropout_prob = attention_probs_dropout_prob
        self.max_position_embeddings = max_position_embeddings
        self.type_vocab_size = type_vocab_size
        self.initializer_range = initializer_range
        self.layer_norm_eps = layer_norm_eps
        self.position_embedding_type = position_embedding_type
        self.use_cache = use_cache
        self.classifier_dropout = classifier_dropout
