"""Record what GPT-2's tokenizers of `transformers` 4.57.6 answer, for the tests of ours.

The pure-Python `GPT2Tokenizer` left the reference library with version 5. To make the file anew, with a small
vocabulary that is trained here, in an environment of its own:

    python -m venv reference && reference/bin/pip install transformers==4.57.6
    reference/bin/python tests/parity/golden/make_gpt2_tokenizers.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from recording import CORPUS, SHORT, WORDS, shared_cases, write
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import GPT2Tokenizer, GPT2TokenizerFast


def train(folder):
    """Write vocab.json and merges.txt; return their content."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=512,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.model.save(folder)
    vocab = json.loads((Path(folder) / "vocab.json").read_text(encoding="utf-8"))
    merges = (Path(folder) / "merges.txt").read_text(encoding="utf-8")
    return {"vocab.json": vocab, "merges.txt": merges}


def cases():
    """Give every case as {fast, init, method, args, kwargs}."""
    for fast in (False, True):
        for case in shared_cases():
            yield {"fast": fast, **case}
        for init in ({"add_prefix_space": True}, {"add_bos_token": True}):
            for text in (SHORT, " " + SHORT, ""):
                yield {"fast": fast, "init": init, "method": "__call__", "args": [text], "kwargs": {}}
                yield {"fast": fast, "init": init, "method": "roundtrip", "args": [text], "kwargs": {}}
        for init in ({}, {"add_prefix_space": True}):
            words = {"is_split_into_words": True}
            yield {"fast": fast, "init": init, "method": "__call__", "args": [WORDS], "kwargs": words}
    slow = {"fast": False, "init": {}}
    yield {**slow, "init": {"add_bos_token": True}, "method": "__call__", "args": ["a", "b"], "kwargs": {}}
    yield {**slow, "method": "tokenize", "args": ["Hello"], "kwargs": {"add_prefix_space": True}}
    broken = [["Ġh", "Ã", "©", "Ã"], ["ðŁĺ", "x"]]
    for errors in ("replace", "ignore", "backslashreplace"):
        for tokens in broken:
            init = {"errors": errors}
            yield {**slow, "init": init, "method": "convert_tokens_to_string", "args": [tokens], "kwargs": {}}


def main():
    """Write the file beside this script."""
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = train(folder)
        files = {"vocab_file": f"{folder}/vocab.json", "merges_file": f"{folder}/merges.txt"}
        write("gpt2_tokenizers.json", vocabulary, cases(), (GPT2Tokenizer, GPT2TokenizerFast), files)


if __name__ == "__main__":
    main()
