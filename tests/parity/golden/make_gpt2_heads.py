"""Record what GPT-2 in `transformers` 4.57.6 computes with masked and pruned heads, for the tests of ours.

Version 5 of the reference library has neither, so its answers are kept in a file. To make the file anew, in
an environment of its own:

    python -m venv reference && reference/bin/pip install transformers==4.57.6 torch
    reference/bin/python tests/parity/golden/make_gpt2_heads.py
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers

SHAPE = {"vocab_size": 31, "n_embd": 12, "n_layer": 2, "n_head": 4, "n_positions": 16, "use_cache": False}
MASKS = {
    "one head": [1.0, 0.0, 1.0, 1.0],
    "by layer": [[0.0, 1.0, 1.0, 0.5], [1.0, 1.0, 0.0, 0.0]],
}
PRUNED = {"a layer": [{"0": [1, 3]}], "twice": [{"0": [2], "1": [0]}, {"0": [0, 2], "1": [1, 3]}]}


def give_weights(model: torch.nn.Module) -> None:
    """Fill the weights with numbers that every release of torch computes alike."""
    for index, parameter in enumerate(model.parameters()):
        waves = torch.arange(parameter.numel(), dtype=torch.float64) * (0.7 + 0.1 * index)
        parameter.data = (0.3 * waves.sin()).to(parameter.dtype).view(parameter.shape)


def tokens() -> torch.Tensor:
    """Return (2, 5) tokens."""
    return torch.arange(10).view(2, 5) * 3 % 31


def encoder_states() -> torch.Tensor:
    """Return (2, 3, 12) states for cross attention to look at."""
    return (torch.arange(72, dtype=torch.float64) * 1.3).cos().float().view(2, 3, 12)


def cases():
    """Give every case as {config, head_mask, prune, encoder}, each optional."""
    for mask in MASKS.values():
        yield {"head_mask": mask}
    yield {"head_mask": MASKS["by layer"], "config": {"add_cross_attention": True}, "encoder": True}
    yield {"head_mask": MASKS["one head"], "config": {"reorder_and_upcast_attn": True}}
    for heads in PRUNED.values():
        yield {"prune": heads}


def answer(case):
    """Return the last states, and the weights of attention of the last layer."""
    config = transformers.GPT2Config(**SHAPE, **case.get("config", {}), attn_implementation="eager")
    model = transformers.GPT2Model(config).eval()
    give_weights(model)
    for heads in case.get("prune", []):
        model.prune_heads({int(layer): list(numbers) for layer, numbers in heads.items()})
    inputs = {}
    if "head_mask" in case:
        inputs["head_mask"] = torch.tensor(case["head_mask"])
    if case.get("encoder"):
        inputs["encoder_hidden_states"] = encoder_states()
    with torch.no_grad():
        output = model(tokens(), **inputs, output_attentions=True)
    return {
        "last_hidden_state": output.last_hidden_state.tolist(),
        "attentions": output.attentions[-1].tolist(),
        "shapes": {name: list(value.shape) for name, value in model.state_dict().items()},
    }


def rounded(value):
    """Keep seven digits after the point."""
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 7) if isinstance(value, float) else value


def main():
    """Write the file beside this script."""
    lines = []
    for case in cases():
        result = {name: rounded(value) for name, value in answer(case).items()}
        lines.append(json.dumps({**case, "result": result}))
    text = f'{{"transformers": "{transformers.__version__}", "cases": [\n' + ",\n".join(lines) + "\n]}\n"
    Path(__file__).with_name("gpt2_heads.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
