"""Record what T5's tokenizers of `transformers` 4.57.6 answer, for the tests of ours.

The `T5Tokenizer` over sentencepiece left the reference library with version 5. To make the two files anew,
with small models that are trained here, in an environment of its own:

    python -m venv reference && reference/bin/pip install transformers==4.57.6 sentencepiece protobuf
    reference/bin/python tests/parity/golden/make_t5_tokenizers.py
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import sentencepiece
from recording import CORPUS, SHORT, TEXTS, WORDS, shared_cases, write
from sentencepiece import sentencepiece_model_pb2
from transformers import T5Tokenizer, T5TokenizerFast


def train(path, rule):
    """Write a model; return its normalisation rule and its pieces, from which tests build it again."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS),
        model_writer=model,
        vocab_size=260,
        hard_vocab_limit=False,
        normalization_rule_name=rule,
        character_coverage=0.99,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    Path(path).write_bytes(model.getvalue())
    parsed = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    return {"rule": rule, "pieces": [[piece.piece, piece.score, piece.type] for piece in parsed.pieces]}


def cases():
    """Give every case as {fast, init, method, args, kwargs}."""
    for fast in (False, True):
        # without `add_prefix_space`, the fast one of 4.57 forgets the space before the first word
        init = {"legacy": True, "add_prefix_space": True} if fast else {"legacy": True}
        for case in shared_cases():
            if fast and ("add" in case or "\u2581" in str(case["args"])):
                continue  # here the fast one of 4.57 is neither like the slow one nor like later releases
            yield {"fast": fast, **case, "init": {**init, **case["init"]}}
        words = {"is_split_into_words": True}
        same = {"fast": fast, "init": init}
        yield {**same, "method": "__call__", "args": [WORDS], "kwargs": words}
        for extra in (
            {"extra_ids": 3},
            {"extra_ids": 0},
            {"extra_ids": 2, "additional_special_tokens": ["<extra_id_0>", "<extra_id_1>", "<sp>"]},
            {"extra_ids": 2, "additional_special_tokens": ["<extra_id_0>"]},
        ):
            text = "Hello <extra_id_1> <sp>world <extra_id_0>"
            yield {
                "fast": fast,
                "init": {**init, **extra},
                "method": "__call__",
                "args": [text],
                "kwargs": {},
            }
    for init in ({"legacy": False}, {"legacy": False, "add_prefix_space": False}):
        for text in TEXTS:
            same = {"fast": False, "init": init, "args": [text]}
            yield {**same, "method": "tokenize", "kwargs": {}}
            yield {**same, "method": "roundtrip", "kwargs": {"clean_up_tokenization_spaces": False}}
    eos = {"fast": False, "init": {"legacy": True}, "method": "__call__", "args": [f"{SHORT}</s>"]}
    yield {**eos, "kwargs": {}}


def main():
    """Write the files beside this script."""
    for rule in ("nmt_nfkc", "identity"):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/spiece.model"
            vocabulary = train(path, rule)
            files = {"vocab_file": path}
            write(f"t5_tokenizers_{rule}.json", vocabulary, cases(), (T5Tokenizer, T5TokenizerFast), files)


if __name__ == "__main__":
    main()
