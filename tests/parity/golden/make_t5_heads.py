"""Record what T5 in `transformers` 4.57.6 computes with masked and with pruned heads, for the tests of ours.

Version 5 of the reference library has neither, so its answers are kept in a file. To make the file anew, in
an environment of its own:

    python -m venv reference && reference/bin/pip install transformers==4.57.6 torch
    reference/bin/python tests/parity/golden/make_t5_heads.py
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers

SHAPE = {
    "vocab_size": 31,
    "d_model": 12,
    "d_kv": 5,
    "d_ff": 17,
    "num_layers": 2,
    "num_heads": 4,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 16,
    "decoder_start_token_id": 0,
    "use_cache": False,
}
MASK = [[1, 1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1, 1]]
ENCODER, DECODER, CROSS = (
    [[1.0, 0.0, 1.0, 0.5], [0.0, 1.0, 1.0, 1.0]],
    [[0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0]],
    [[1.0, 1.0, 0.0, 1.0], [1.0, 0.0, 0.25, 1.0]],
)
CASES = [
    {"masks": {"head_mask": ENCODER, "decoder_head_mask": [1.0, 1.0, 1.0, 1.0]}},
    {"masks": {"decoder_head_mask": DECODER}},
    {"masks": {"cross_attn_head_mask": CROSS}},
    {"masks": {"head_mask": ENCODER, "decoder_head_mask": DECODER, "cross_attn_head_mask": CROSS}},
    {"prune": [{"0": [1, 3]}]},
    {"prune": [{"0": [2], "1": [0]}, {"0": [0, 2], "1": [1, 3]}]},
]


def give_weights(model: torch.nn.Module) -> None:
    """Fill the weights with numbers that every release of torch computes alike."""
    for index, parameter in enumerate(model.parameters()):
        waves = torch.arange(parameter.numel(), dtype=torch.float64) * (0.7 + 0.1 * index)
        parameter.data = (0.3 * waves.sin()).to(parameter.dtype).view(parameter.shape)


def inputs() -> dict[str, torch.Tensor]:
    """Return (2, 7) tokens for the encoder, the second row padded at the left, and (2, 4) for the decoder."""
    return {
        "input_ids": torch.arange(14).view(2, 7) * 3 % 31,
        "attention_mask": torch.tensor(MASK),
        "decoder_input_ids": torch.arange(8).view(2, 4) * 5 % 31,
    }


def answer(case):
    """Return the states of both halves, and the weights of all attentions."""
    model = transformers.T5Model(transformers.T5Config(**SHAPE, attn_implementation="eager")).eval()
    give_weights(model)
    for heads in case.get("prune", []):
        for layer, numbers in heads.items():  # the model's own `prune_heads` looks for a layer that T5 lacks
            model.encoder.block[int(layer)].layer[0].SelfAttention.prune_heads(numbers)
    masks = {name: torch.tensor(mask) for name, mask in case.get("masks", {}).items()}
    with torch.no_grad():
        output = model(**inputs(), **masks, output_attentions=True)
    rounded = {}
    for name in ("last_hidden_state", "encoder_last_hidden_state"):
        rounded[name] = [round(number, 7) for number in output[name].flatten().tolist()]
    for name in ("encoder_attentions", "decoder_attentions", "cross_attentions"):
        rounded[name] = [round(number, 7) for number in output[name][-1].flatten().tolist()]
    return rounded


def main():
    """Write the file."""
    cases = [{**case, "output": answer(case)} for case in CASES]
    golden = {"transformers": transformers.__version__, "shape": SHAPE, "cases": cases}
    path = Path(__file__).with_name("t5_heads.json")
    path.write_text(json.dumps(golden) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
