"""The shape of a DistilBERT."""

from __future__ import annotations

from typing import Any, ClassVar

from ...configuration import PretrainedConfig

__all__ = ["DistilBertConfig"]


class DistilBertConfig(PretrainedConfig):
    """Configuration of a DistilBERT; its defaults are those of `distilbert-base-uncased`.

    Args:
        vocab_size: how many tokens there are.
        max_position_embeddings: greatest length of a sequence.
        sinusoidal_pos_embds: whether positions are fixed sinusoids rather than learned.
        n_layers: how many layers.
        n_heads: heads of each layer.
        dim: width of the states, a multiple of `n_heads`.
        hidden_dim: width inside the feed-forward part.
        dropout: dropout after embeddings and in layers.
        attention_dropout: dropout of attention weights.
        activation: of the feed-forward part, a name of `nanoformers.nn.activations.ACT2FN`.
        initializer_range: standard deviation of random weights.
        qa_dropout: dropout before the scores of an answer's ends.
        seq_classif_dropout: dropout before the scores of classes of texts, and of choices.
        pad_token_id: the token that fills up shorter sequences.
        kwargs: see `PretrainedConfig`; also the common names of `dim`, `n_heads` and `n_layers`.
    """

    model_type = "distilbert"
    attribute_map: ClassVar[dict[str, str]] = {
        "hidden_size": "dim",
        "num_attention_heads": "n_heads",
        "num_hidden_layers": "n_layers",
    }

    def __init__(
        self,
        vocab_size: int = 30522,
        max_position_embeddings: int = 512,
        sinusoidal_pos_embds: bool = False,
        n_layers: int = 6,
        n_heads: int = 12,
        dim: int = 768,
        hidden_dim: int = 4 * 768,
        dropout: float = 0.1,
        attention_dropout: float = 0.1,
        activation: str = "gelu",
        initializer_range: float = 0.02,
        qa_dropout: float = 0.1,
        seq_classif_dropout: float = 0.2,
        pad_token_id: int = 0,
        **kwargs: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.max_position_embeddings = max_position_embeddings
        self.sinusoidal_pos_embds = sinusoidal_pos_embds
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.dim = dim
        self.hidden_dim = hidden_dim
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.activation = activation
        self.initializer_range = initializer_range
        self.qa_dropout = qa_dropout
        self.seq_classif_dropout = seq_classif_dropout
        super().__init__(pad_token_id=pad_token_id, **kwargs)  # last: common names among kwargs count
