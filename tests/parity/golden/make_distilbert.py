"""Record what `transformers` 4.57.6 answers where release 5 has nothing any more, for the tests of ours.

Release 5 takes no `head_mask`, prunes no heads and describes no ONNX export. To make the file anew, in an
environment of its own:

    python -m venv reference && reference/bin/pip install transformers==4.57.6 torch
    reference/bin/python tests/parity/golden/make_distilbert.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch
from transformers import BertTokenizer, DistilBertConfig, DistilBertModel, __version__
from transformers.models.distilbert import DistilBertOnnxConfig

SHAPE = {
    "vocab_size": 20,
    "dim": 8,
    "n_layers": 3,
    "n_heads": 4,
    "hidden_dim": 12,
    "max_position_embeddings": 16,
}
IDS = [[2, 7, 9, 4, 3], [2, 11, 3, 0, 0]]
MASK = [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
HEAD_MASKS = [
    [1.0, 0.0, 1.0, 1.0],
    [0.5, 1.0, 0.0, 1.0],
    [[1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 0.25, 1.0, 1.0]],
]
PRUNED = [{0: [1]}, {0: [0, 3], 2: [2]}, {1: [0, 1, 2]}]
TASKS = [
    "default",
    "masked-lm",
    "sequence-classification",
    "multiple-choice",
    "token-classification",
    "question-answering",
]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"]
DUMMIES = [
    {"task": "default"},
    {"task": "default", "batch_size": 3, "seq_length": 5},
    {"task": "question-answering", "is_pair": True},
    {"task": "multiple-choice"},
    {"task": "multiple-choice", "batch_size": 1, "num_choices": 3, "seq_length": 6},
]


def fill(model):
    """Give each weight values that any release and machine can make again."""
    for index, (_, tensor) in enumerate(sorted(model.state_dict().items())):
        numbers = torch.arange(tensor.numel(), dtype=torch.float64)
        tensor.copy_((torch.sin(numbers * 1.7 + index) * 0.4).reshape(tensor.shape))
    return model.eval()


def model():
    config = DistilBertConfig(**SHAPE, attn_implementation="eager")
    return fill(DistilBertModel(config))


def masked():
    for head_mask in HEAD_MASKS:
        outputs = model()(
            torch.tensor(IDS),
            attention_mask=torch.tensor(MASK),
            head_mask=torch.tensor(head_mask),
            output_attentions=True,
        )
        yield {
            "head_mask": head_mask,
            "last_hidden_state": outputs.last_hidden_state.tolist(),
            "attentions": [weights.sum((2, 3)).tolist() for weights in outputs.attentions],
        }


def pruned():
    for heads in PRUNED:
        smaller = model()
        smaller.prune_heads(heads)
        states = smaller(torch.tensor(IDS), attention_mask=torch.tensor(MASK)).last_hidden_state
        yield {"heads": heads, "parameters": smaller.num_parameters(), "last_hidden_state": states.tolist()}


def described():
    for task in TASKS:
        onnx = DistilBertOnnxConfig.from_model_config(DistilBertConfig(**SHAPE), task=task)
        yield {
            "task": onnx.task,
            "inputs": list(onnx.inputs.items()),
            "outputs": list(onnx.outputs.items()),
            "values_override": onnx.values_override,
            "default_batch_size": onnx.default_batch_size,
            "default_sequence_length": onnx.default_sequence_length,
            "default_num_choices": onnx.default_num_choices,
            "default_onnx_opset": onnx.default_onnx_opset,
            "atol_for_validation": onnx.atol_for_validation,
            "external": [onnx.use_external_data_format(count) for count in (2**29 - 1, 2**29)],
        }


def dummies():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "vocab.txt")
        path.write_text("\n".join(VOCABULARY))
        tokenizer = BertTokenizer(str(path))
        for case in DUMMIES:
            arguments = {name: value for name, value in case.items() if name != "task"}
            onnx = DistilBertOnnxConfig(DistilBertConfig(), task=case["task"])
            made = onnx.generate_dummy_inputs(tokenizer, framework="pt", **arguments)
            yield {**case, "made": {name: tensor.tolist() for name, tensor in made.items()}}


if __name__ == "__main__":
    with torch.no_grad():
        golden = {
            "transformers": __version__,
            "shape": SHAPE,
            "input_ids": IDS,
            "attention_mask": MASK,
            "masked": list(masked()),
            "pruned": list(pruned()),
            "vocabulary": VOCABULARY,
            "onnx": list(described()),
            "dummies": list(dummies()),
        }
    path = Path(__file__).with_name("distilbert.json")
    path.write_text(json.dumps(golden, indent=None, separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")
