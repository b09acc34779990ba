"""Training: the Trainer of either library, a small model of each kind, sentences of all lengths."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .inputs import checkpoint, texts

__all__ = ["MODELS", "batches", "memory", "training"]

VOCABULARY = 8000
LONGEST = 64
BATCH = 16
STEPS = 40

MODELS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "encoder": (
        "BertConfig",
        "BertForSequenceClassification",
        {"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 512},
    ),
    "gpt2": (
        "GPT2Config",
        "GPT2LMHeadModel",
        {"n_embd": 128, "n_layer": 4, "n_head": 4, "bos_token_id": 101, "eos_token_id": 102},
    ),
    "t5": (
        "T5Config",
        "T5ForConditionalGeneration",
        {
            "d_model": 128,
            "d_kv": 32,
            "d_ff": 512,
            "num_layers": 3,
            "num_heads": 4,
            "decoder_start_token_id": 0,
        },
    ),
}


def rows(kind: str, tokenizer: Any) -> dict[str, list[Any]]:
    """Return columns of examples: sentences as ids below `VOCABULARY`, and labels."""
    sentences = texts(2000)
    pairs = [" ".join(sentences[index : index + 2]) for index in range(0, len(sentences), 2)]
    encoded = tokenizer([*pairs, *sentences], truncation=True, max_length=LONGEST)["input_ids"]
    ids = [[token if token < VOCABULARY else token % VOCABULARY for token in row] for row in encoded]
    columns: dict[str, list[Any]] = {"input_ids": ids, "attention_mask": [[1] * len(row) for row in ids]}
    if kind == "encoder":
        columns["labels"] = [row[1] % 2 for row in ids]
    if kind == "t5":
        columns["labels"] = [row[: len(row) // 2] for row in ids]
    return columns


def trainer(kind: str, library: str, folder: str) -> Any:
    """Return a Trainer that takes `STEPS` steps."""
    import datasets
    import torch

    module = importlib.import_module(library)
    config, head, values = MODELS[kind]
    tokenizer = module.AutoTokenizer.from_pretrained(checkpoint())
    torch.manual_seed(0)
    model = getattr(module, head)(getattr(module, config)(vocab_size=VOCABULARY, pad_token_id=0, **values))
    data = datasets.Dataset.from_dict(rows(kind, tokenizer))
    if kind == "encoder":
        collator = module.DataCollatorWithPadding(tokenizer)
    elif kind == "gpt2":
        collator = module.DataCollatorForLanguageModeling(tokenizer, mlm=False)
    else:
        collator = module.DataCollatorForSeq2Seq(tokenizer, model=model)
    args = module.TrainingArguments(
        folder,
        max_steps=STEPS,
        per_device_train_batch_size=BATCH,
        logging_steps=10,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
    )
    return module.Trainer(model, args, data_collator=collator, train_dataset=data)


def training(kind: str) -> Callable[[str], Callable[[], float]]:
    """Take `STEPS` steps; the figure is seconds a step."""

    def prepare(library: str) -> Callable[[], float]:
        folder = tempfile.mkdtemp()
        made = trainer(kind, library, folder)
        made.train()

        def run() -> float:
            started = time.perf_counter()
            made.train()
            return (time.perf_counter() - started) / STEPS

        return run

    return prepare


def batches(kind: str) -> Callable[[str], Callable[[], float]]:
    """Make the batches of `STEPS` steps, without a model; the figure is seconds a batch."""

    def prepare(library: str) -> Callable[[], float]:
        made = trainer(kind, library, tempfile.mkdtemp())

        def run() -> float:
            loader = made.get_train_dataloader()
            started = time.perf_counter()
            for _ in zip(range(STEPS), loader, strict=False):
                pass
            return (time.perf_counter() - started) / STEPS

        return run

    return prepare


_MEMORY = """
import resource, sys
from benchmarks.training import trainer
trainer({kind!r}, {library!r}, sys.argv[1]).train()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def memory(kind: str) -> Callable[[str], Callable[[], float]]:
    """Train in a new process; the figure is all its memory at the peak, in MiB."""

    def prepare(library: str) -> Callable[[], float]:
        code = _MEMORY.format(kind=kind, library=library)

        def run() -> float:
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, "-c", code, folder]
                root = Path(__file__).parent.parent
                done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
            return float(done.stdout.split()[-1])

        return run

    return prepare
