"""The shape of a GPT-2."""

from __future__ import annotations

from typing import Any, ClassVar

from ...configuration import PretrainedConfig

__all__ = ["GPT2Config"]


class GPT2Config(PretrainedConfig):
    """Configuration of a GPT-2; its defaults are those of the smallest released one, `gpt2`.

    Args:
        vocab_size: how many tokens there are.
        n_positions: greatest length of a sequence.
        n_embd: width of the states, a multiple of `n_head`.
        n_layer: how many layers.
        n_head: attention heads of each layer.
        n_inner: width inside the feed-forward part; by default 4 * `n_embd`.
        activation_function: its activation, a name of `nanoformers.nn.activations.ACT2FN`.
        resid_pdrop: dropout of what a layer adds to the states.
        embd_pdrop: dropout of the embeddings.
        attn_pdrop: dropout of attention weights.
        layer_norm_epsilon: added to variances.
        initializer_range: standard deviation of random weights.
        summary_type: which state `GPT2DoubleHeadsModel` takes for a choice, see `nn.summary.SequenceSummary`,
            as for the other `summary_...`.
        summary_use_proj: whether a linear layer follows.
        summary_activation: the activation after it, or None.
        summary_proj_to_labels: whether that layer gives `num_labels` numbers, or else `n_embd`.
        summary_first_dropout: dropout before it.
        scale_attn_weights: divide attention scores by the square root of a head's width.
        use_cache: whether the model returns its keys and values.
        bos_token_id: the token that begins a text.
        eos_token_id: the token that ends one.
        scale_attn_by_inverse_layer_idx: divide the scores of layer i (from 0) by i + 1, too.
        reorder_and_upcast_attn: compute attention in float32, whatever the weights are.
        kwargs: see `PretrainedConfig`; with `add_cross_attention`, layers also look at an encoder's output.
    """

    model_type = "gpt2"
    keys_to_ignore_at_inference: ClassVar[list[str]] = ["past_key_values"]
    attribute_map: ClassVar[dict[str, str]] = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    def __init__(
        self,
        vocab_size: int = 50257,
        n_positions: int = 1024,
        n_embd: int = 768,
        n_layer: int = 12,
        n_head: int = 12,
        n_inner: int | None = None,
        activation_function: str = "gelu_new",
        resid_pdrop: float = 0.1,
        embd_pdrop: float = 0.1,
        attn_pdrop: float = 0.1,
        layer_norm_epsilon: float = 1e-5,
        initializer_range: float = 0.02,
        summary_type: str = "cls_index",
        summary_use_proj: bool = True,
        summary_activation: str | None = None,
        summary_proj_to_labels: bool = True,
        summary_first_dropout: float = 0.1,
        scale_attn_weights: bool = True,
        use_cache: bool = True,
        bos_token_id: int | None = 50256,
        eos_token_id: int | list[int] | None = 50256,
        scale_attn_by_inverse_layer_idx: bool = False,
        reorder_and_upcast_attn: bool = False,
        **kwargs: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.n_positions = n_positions
        self.n_embd = n_embd
        self.n_layer = n_layer
        self.n_head = n_head
        self.n_inner = n_inner
        self.activation_function = activation_function
        self.resid_pdrop = resid_pdrop
        self.embd_pdrop = embd_pdrop
        self.attn_pdrop = attn_pdrop
        self.layer_norm_epsilon = layer_norm_epsilon
        self.initializer_range = initializer_range
        self.summary_type = summary_type
        self.summary_use_proj = summary_use_proj
        self.summary_activation = summary_activation
        self.summary_proj_to_labels = summary_proj_to_labels
        self.summary_first_dropout = summary_first_dropout
        self.scale_attn_weights = scale_attn_weights
        self.use_cache = use_cache
        self.scale_attn_by_inverse_layer_idx = scale_attn_by_inverse_layer_idx
        self.reorder_and_upcast_attn = reorder_and_upcast_attn
        # last, so that common names (hidden_size=...) among kwargs take the place of the defaults above
        super().__init__(bos_token_id=bos_token_id, eos_token_id=eos_token_id, **kwargs)
