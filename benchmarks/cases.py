"""What is measured. Each case is set up once in a fresh process, then run as often as the driver asks.

A case takes the name of a library ("nanoformers" or "transformers"), prepares everything, and returns the
function of one round, which returns a figure.
"""

from __future__ import annotations

import importlib
import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .inputs import checkpoint, texts
from .training import batches, memory, training

OURS, REFERENCE = "nanoformers", "transformers"


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        title: what the row says.
        prepare: called once with the library's name in a fresh process; returns what one round runs.
        unit: of the figures.
    """

    title: str
    prepare: Callable[[str], Callable[[], float]]
    unit: str = "s"


def timed(function: Callable[[], Any]) -> Callable[[], float]:
    """Return a function that runs `function` and says how long it took, in seconds."""

    def run() -> float:
        started = time.perf_counter()
        function()
        return time.perf_counter() - started

    return run


def imports(statements: dict[str, str]) -> Callable[[str], Callable[[], float]]:
    """Time a statement per library in a new interpreter (the interpreter's own start is not counted)."""

    def prepare(library: str) -> Callable[[], float]:
        code = f"import time; t = time.perf_counter()\n{statements[library]}\nprint(time.perf_counter() - t)"

        def run() -> float:
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            return float(done.stdout.split()[-1])

        return run

    return prepare


_LOAD = """
import resource, sys, time
from {library} import AutoModel
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20
before, started = resident(), time.perf_counter()
model = AutoModel.from_pretrained(sys.argv[1])
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(seconds, max(peak, resident()) - before)
"""


def loading(figure: int) -> Callable[[str], Callable[[], float]]:
    """Load MiniLM in a new interpreter; figure 0 is the seconds, 1 the growth to peak memory in MiB."""

    def prepare(library: str) -> Callable[[], float]:
        command = [sys.executable, "-c", _LOAD.format(library=library), checkpoint()]

        def run() -> float:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            return float(done.stdout.split()[-2:][figure])

        return run

    return prepare


def embedding(batch_size: int) -> Callable[[str], Callable[[], float]]:
    """Embed 512 sentences with the feature-extraction pipeline."""

    def prepare(library: str) -> Callable[[], float]:
        extractor = importlib.import_module(library).pipeline(
            "feature-extraction", model=checkpoint(), device=-1
        )
        inputs = texts(512)
        extractor(inputs[:batch_size], batch_size=batch_size)
        return timed(lambda: extractor(inputs, batch_size=batch_size))

    return prepare


def tokenizing(fast: bool) -> Callable[[str], Callable[[], float]]:
    """Encode 2,000 sentences in one call (the reference's pure-Python tokenizer is its legacy class)."""

    def prepare(library: str) -> Callable[[], float]:
        if library == REFERENCE and not fast:
            module = importlib.import_module("transformers.models.bert.tokenization_bert_legacy")
            tokenizer = module.BertTokenizerLegacy(str(Path(checkpoint()) / "vocab.txt"), do_lower_case=True)
        else:
            auto = importlib.import_module(library).AutoTokenizer
            tokenizer = auto.from_pretrained(checkpoint(), use_fast=fast)
        inputs = texts(20_000)
        tokenizer(inputs[:10])
        rounds = itertools.cycle(range(0, len(inputs) - 1999, 2000))

        def run() -> float:
            start = next(
                rounds
            )  # other sentences every round, so that nothing is remembered from the last one
            return timed(lambda: tokenizer(inputs[start : start + 2000]))()

        return run

    return prepare


def forward(rows: int, length: int) -> Callable[[str], Callable[[], float]]:
    """One forward pass of MiniLM's BERT over (rows, length) tokens without padding."""

    def prepare(library: str) -> Callable[[], float]:
        import torch

        model = importlib.import_module(library).AutoModel.from_pretrained(checkpoint())
        generator = torch.Generator().manual_seed(0)
        ids = torch.randint(1000, 20_000, (rows, length), generator=generator)
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

        def run() -> None:
            with torch.no_grad():
                model(**inputs)

        run()
        return timed(run)

    return prepare


def decoding(new_tokens: int) -> Callable[[str], Callable[[], float]]:
    """Go on greedily from a prompt of 16 tokens with a GPT-2 of 23.5 M random weights, the same for both.

    There is no token for the end, so every round generates as many tokens.
    """

    def prepare(library: str) -> Callable[[], float]:
        import torch

        module = importlib.import_module(library)
        config = module.GPT2Config(
            vocab_size=8000,
            n_positions=1024,
            n_embd=512,
            n_layer=6,
            n_head=8,
            bos_token_id=0,
            eos_token_id=None,
        )
        torch.manual_seed(0)
        model = module.GPT2LMHeadModel(config).eval()
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for _, parameter in sorted(model.named_parameters()):
                parameter.normal_(0.0, 0.1, generator=generator)
        ids = torch.randint(0, 8000, (1, 16), generator=generator)
        arguments = {"attention_mask": torch.ones_like(ids), "do_sample": False, "pad_token_id": 0}

        def run() -> None:
            found = model.generate(ids, **arguments, max_new_tokens=new_tokens)
            assert found.shape == (1, 16 + new_tokens)

        run()
        return timed(run)

    return prepare


_EVERYTHING = "from {0} import AutoModel, AutoTokenizer, pipeline"
CASES = {
    "import-torch": Case(
        "import torch alone",
        imports({OURS: "import torch", REFERENCE: "import torch"}),
    ),
    "import": Case("import the package", imports({name: f"import {name}" for name in (OURS, REFERENCE)})),
    "import-names": Case(
        "import pipeline and Auto classes",
        imports({name: _EVERYTHING.format(name) for name in (OURS, REFERENCE)}),
    ),
    "load-time": Case("load all-MiniLM-L6-v2", loading(0)),
    "load-memory": Case("  memory at its peak, less imports", loading(1), unit="MiB"),
    "embed-1": Case("embed 512 sentences, one by one", embedding(1)),
    "embed-32": Case("embed 512 sentences, batches of 32", embedding(32)),
    "tokenize-fast": Case("tokenize 2,000 sentences, fast", tokenizing(fast=True)),
    "tokenize-slow": Case("tokenize 2,000, pure Python", tokenizing(fast=False)),
    "decode": Case("decode 200 tokens, GPT-2 of 23.5 M", decoding(200)),
    "forward": Case("one BERT forward, 8 x 128 tokens", forward(8, 128)),
    "train-encoder": Case("train an encoder, a step of 16 texts", training("encoder")),
    "train-encoder-batches": Case("  to make the batch of a step", batches("encoder")),
    "train-encoder-memory": Case("  memory of that process at its peak", memory("encoder"), unit="MiB"),
    "train-gpt2": Case("train a GPT-2, a step of 16 texts", training("gpt2")),
    "train-gpt2-batches": Case("  to make the batch of a step", batches("gpt2")),
    "train-gpt2-memory": Case("  memory of that process at its peak", memory("gpt2"), unit="MiB"),
    "train-t5": Case("train a T5, a step of 16 texts", training("t5")),
    "train-t5-batches": Case("  to make the batch of a step", batches("t5")),
    "train-t5-memory": Case("  memory of that process at its peak", memory("t5"), unit="MiB"),
}
