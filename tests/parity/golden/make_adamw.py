"""Record what `AdamW` of `transformers` 4.36.2 does to weights, for the tests of ours.

Later releases of the reference library have dropped it. To make the file anew, in an environment of its own:

    python -m venv reference && reference/bin/pip install transformers==4.36.2 torch numpy
    reference/bin/python tests/parity/golden/make_adamw.py
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers

STEPS = 12
SHAPES = [(3, 4), (5,), (2, 3, 2)]
CASES = [
    {},
    {"lr": 0.05, "weight_decay": 0.1},
    {"lr": 0.05, "correct_bias": False},
    {"lr": 0.02, "betas": [0.5, 0.7], "eps": 0.1, "weight_decay": 0.3},
]


def wave(shape: tuple[int, ...], pace: float) -> torch.Tensor:
    """Return numbers that every release of torch computes alike."""
    count = torch.Size(shape).numel()
    return (torch.arange(1, count + 1, dtype=torch.float64) * pace).sin().to(torch.float32).view(shape)


def trained(optimizer_class: type, case: dict) -> list[list[float]]:
    """Return the weights of all parameters after each step; the last has no gradient at every third step."""
    weights = [torch.nn.Parameter(wave(shape, 0.3 + index)) for index, shape in enumerate(SHAPES)]
    kwargs = {name: tuple(value) if name == "betas" else value for name, value in case.items()}
    optimizer = optimizer_class(weights, no_deprecation_warning=True, **kwargs)
    seen = []
    for step in range(STEPS):
        for index, weight in enumerate(weights):
            weight.grad = weight.detach() * 0.5 + wave(weight.shape, 0.11 * (step + 1) + index)
        if step % 3 == 2:
            weights[-1].grad = None
        optimizer.step()
        seen.append(torch.cat([weight.detach().flatten() for weight in weights]).tolist())
    return seen


if __name__ == "__main__":
    records = [{"case": case, "weights": trained(transformers.AdamW, case)} for case in CASES]
    file = Path(__file__).with_name("adamw.json")
    file.write_text(json.dumps({"transformers": transformers.__version__, "records": records}) + "\n")
