"""Record what `DataCollatorForWholeWordMask` of `transformers` 4.57.6 masks, for the tests of ours.

Version 5 of the reference library has dropped it. To make the file anew, in an environment of its own:

    python -m venv reference && reference/bin/pip install transformers==4.57.6 torch
    reference/bin/python tests/parity/golden/make_whole_words.py
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch

CHECKPOINT = Path(__file__).parents[3] / "data" / "hub" / "models" / "toyland" / "fill-mask-bert"
TEXTS = [
    "The little fox runs through the green garden.",
    "Anna sings.",
    "An unbelievably overcrowded playground, and a blue whale.",
]
CASES = [
    {"mlm_probability": 0.3},
    {"mlm_probability": 0.3, "pad_to_multiple_of": 8, "mask_replace_prob": 0.5, "random_replace_prob": 0.5},
    {"mlm_probability": 0.5, "seed": 7},
    {"mlm_probability": 0.3, "return_tensors": "np"},
    {"mlm_probability": 0.3, "return_tensors": "np", "seed": 7},
    {"mlm_probability": 0.3, "chinese_ref": [2, 3]},
]


def batch_of(library: Any, tokenizer: Any, case: dict[str, Any]) -> dict[str, Any]:
    """Return two batches in a row, as lists."""
    kwargs = dict(case)
    extra = {"chinese_ref": kwargs.pop("chinese_ref")} if "chinese_ref" in kwargs else {}
    collator = library.DataCollatorForWholeWordMask(tokenizer, **kwargs)
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    features = [{"input_ids": tokenizer(text)["input_ids"], **extra} for text in TEXTS]
    batches = [collator(features) for _ in range(2)]
    return {name: [batch[name].tolist() for batch in batches] for name in batches[0]}


if __name__ == "__main__":
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(CHECKPOINT)
    records = [{"case": case, "batch": batch_of(transformers, tokenizer, case)} for case in CASES]
    file = Path(__file__).with_name("whole_words.json")
    file.write_text(json.dumps({"transformers": transformers.__version__, "records": records}) + "\n")
