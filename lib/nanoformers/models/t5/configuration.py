"""The shape of a T5."""

from __future__ import annotations

from typing import Any, ClassVar

from ...configuration import PretrainedConfig

__all__ = ["T5Config"]


class T5Config(PretrainedConfig):
    """Configuration of a T5; its defaults are those of `t5-small`.

    The first release of T5 has `feed_forward_proj="relu"` and one weight for embeddings and scores, for which
    states are divided by the square root of `d_model`; release 1.1, and FLAN-T5, have "gated-gelu",
    `tie_word_embeddings=False`, and no such division.

    Args:
        vocab_size: how many tokens there are.
        d_model: width of the states.
        d_kv: width of one head; `num_heads * d_kv` may differ from `d_model`.
        d_ff: width inside the feed-forward part.
        num_layers: layers of the encoder.
        num_decoder_layers: layers of the decoder; by default as many.
        num_heads: attention heads of each layer.
        relative_attention_num_buckets: how many groups of distances have a bias of their own.
        relative_attention_max_distance: from here on, distances are not told apart.
        dropout_rate: dropout everywhere.
        layer_norm_epsilon: added to mean squares.
        initializer_factor: factor of the random weights' standard deviations.
        feed_forward_proj: activation of the feed-forward part, a name of `nanoformers.nn.activations.ACT2FN`,
            such as "relu"; with "gated-" before it, it is multiplied by a second projection. "gated-gelu" is
            taken to mean "gated-gelu_new", with which release 1.1 was trained.
        is_encoder_decoder: it is one.
        use_cache: whether the decoder keeps its keys and values.
        pad_token_id: the token that fills up shorter sequences, and with which decoders begin.
        eos_token_id: the token that ends a sequence.
        classifier_dropout: dropout around a classification head.
        kwargs: see `PretrainedConfig`. `scale_decoder_outputs`, by which newer files tell the releases apart
            (they always say that weights are tied), takes the place of `tie_word_embeddings`.

    Raises:
        ValueError: `feed_forward_proj` is neither of the form "gated-{activation}" nor "{activation}".

    Attributes:
        dense_act_fn: name of the activation function.
        is_gated_act: whether it is a gate.
    """

    model_type = "t5"
    keys_to_ignore_at_inference: ClassVar[list[str]] = ["past_key_values"]
    attribute_map: ClassVar[dict[str, str]] = {
        "hidden_size": "d_model",
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
        "head_dim": "d_kv",
    }

    def __init__(
        self,
        vocab_size: int = 32128,
        d_model: int = 512,
        d_kv: int = 64,
        d_ff: int = 2048,
        num_layers: int = 6,
        num_decoder_layers: int | None = None,
        num_heads: int = 8,
        relative_attention_num_buckets: int = 32,
        relative_attention_max_distance: int = 128,
        dropout_rate: float = 0.1,
        layer_norm_epsilon: float = 1e-6,
        initializer_factor: float = 1.0,
        feed_forward_proj: str = "relu",
        is_encoder_decoder: bool = True,
        use_cache: bool = True,
        pad_token_id: int | None = 0,
        eos_token_id: int | None = 1,
        classifier_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.d_model = d_model
        self.d_kv = d_kv
        self.d_ff = d_ff
        self.num_layers = num_layers
        self.num_decoder_layers = num_layers if num_decoder_layers is None else num_decoder_layers
        self.num_heads = num_heads
        self.relative_attention_num_buckets = relative_attention_num_buckets
        self.relative_attention_max_distance = relative_attention_max_distance
        self.dropout_rate = dropout_rate
        self.layer_norm_epsilon = layer_norm_epsilon
        self.initializer_factor = initializer_factor
        self.feed_forward_proj = feed_forward_proj
        self.use_cache = use_cache
        self.classifier_dropout = classifier_dropout

        gate, _, activation = feed_forward_proj.rpartition("-")
        if gate not in ("", "gated") or not activation:
            raise ValueError(
                f"`feed_forward_proj`: {feed_forward_proj} is not a valid activation function of the dense "
                "layer. Please make sure `feed_forward_proj` is of the format `gated-{ACT_FN}` or "
                "`{ACT_FN}`, e.g. 'gated-gelu' or 'relu'"
            )
        self.is_gated_act = gate == "gated"
        self.dense_act_fn = "gelu_new" if feed_forward_proj == "gated-gelu" else activation

        for computed in ("dense_act_fn", "is_gated_act"):  # from `feed_forward_proj`, whatever a file says
            kwargs.pop(computed, None)
        if "scale_decoder_outputs" in kwargs:
            kwargs["tie_word_embeddings"] = kwargs.pop("scale_decoder_outputs")
        # last, so that a common name such as `hidden_size` among them takes the place of the default
        super().__init__(
            pad_token_id=pad_token_id,
            eos_token_id=eos_token_id,
            is_encoder_decoder=is_encoder_decoder,
            **kwargs,
        )
