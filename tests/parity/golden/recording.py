"""What the scripts beside this one share: texts, and how an answer is recorded."""

from __future__ import annotations

import json
from pathlib import Path

from transformers import AddedToken, __version__

CORPUS = [
    "The little fox runs through the green garden and sings a song to the moon.",
    "I have a new GPU! Don't you love it? We'll see what they've done; you're right, I'm sure he'd say so.",
    "Le café est déjà fermé, où est passé l'été ? Les élèves s'amusent près du vieux château.",
    "Un gros chien blanc mange une pomme rouge sous la pluie, et la fée rit.",
    "日本語のテキストを読みます。猫は小さい庭で歌を歌います。",
    "赤い車が森の中を走ります。犬は白いです。",
    "In 2023, 45 of the 120 boxes cost $3.50 each (about 10%), the others 7,000 yen.",
    "A smile 😀 and a heart ❤️ and a family 👩\u200d👩\u200d👧 walk to the sea.",
    "translate English to French: the red house is small.",
    "summarize: the dog and the cat walk to the house by the sea and sleep.",
]

TEXTS = [
    "",
    " ",
    "Hello world",
    " leading and trailing ",
    "I have a new GPU! Don't you're we'll they've I'm he'd it's DON'T",
    "Le café naïf, où l'été s'achève ; cafe\u0301 re\u0301uni \u00abici\u00bb \u0153uvre",
    "日本語のテキスト、猫は 小さい。ｶﾞ が カ\u3099",
    "emoji 😀 👩\u200d👩\u200d👧 🇫🇷 ❤️ 👍🏽",
    "tabs\tand\nnew\r\nlines\n\n\nthree  two   three \n mixed \t end  ",
    "odd\u00a0hard\u3000wide\u2028line\u2029para\u200bzero\ufeffbom\u1680ogham\u205fmath\u0085next",
    "ctrl \x00 \x01\x07 \x1c\x1d\x1e\x1f \x7f \x80 \ufffd",
    "½ ² ① Ⅷ ３ ٣ 10³ x_y __init__ ﬁ Ａ \u212b \u2460\u2461",
    "$100.50 ~50% `code` ^caret_under|pipe <tag> 3.14e-10 a.b,c;d:e",
    "مرحبا बुनियादी 한국어 Ελλάδα ÅÄÖ ß İ",
    "a<|endoftext|>b <|endoftext|> c",
    "Hello <extra_id_0> world<extra_id_1>.",
    "<extra_id_0>  <extra_id_1> x</s> y <pad><unk>z",
    "a\u2581b \u2581c",
    "x" * 60 + " " + "ab" * 40,
    "\U000e0001 \U0001f9ff\U00016a40 \ud7ff \ue000",
]
SHORT, LONG = "the quick brown fox", "jumps over the lazy dog because it can and nobody objects"
BATCH = [SHORT, LONG, ""]
WORDS = ["Hello", "naïve", "GPUs", "日本"]

ADDED = [
    {"content": "newtok", "normalized": True},
    {"content": "<x>", "special": True, "normalized": False},
    {"content": "<x><y>", "normalized": False},
    {"content": "lefty", "lstrip": True},
    {"content": "righty", "rstrip": True},
]
TEXTS_WITH_ADDED = [
    "a newtok NEWTOK anewtokb",
    "q<x> <x><y>q <x>",
    "so lefty so righty so  lefty  x  righty  y",
]


def shared_cases():
    """Give the cases that make sense for every tokenizer, as {init, method, args, kwargs}."""
    for text in TEXTS:
        yield {"init": {}, "method": "tokenize", "args": [text], "kwargs": {}}
        yield {"init": {}, "method": "__call__", "args": [text], "kwargs": {}}
        for kwargs in (
            {"clean_up_tokenization_spaces": False},
            {"clean_up_tokenization_spaces": True, "skip_special_tokens": True},
        ):
            yield {"init": {}, "method": "roundtrip", "args": [text], "kwargs": kwargs}
    for side in ("left", "right"):
        init = {"padding_side": side, "truncation_side": side}
        for kwargs in (
            {"padding": True, "truncation": True, "max_length": 8},
            {"padding": "max_length", "max_length": 40},
            {"truncation": "only_first", "max_length": 9, "pad_to_multiple_of": 4, "padding": "longest"},
        ):
            yield {"init": init, "method": "__call__", "args": [BATCH], "kwargs": kwargs}
        for kwargs in (
            {"padding": True},
            {"truncation": "only_second", "max_length": 24},
            {"truncation": "longest_first", "max_length": 15},
        ):
            yield {"init": init, "method": "__call__", "args": [[SHORT], [LONG]], "kwargs": kwargs}
    for kwargs in (
        {"return_overflowing_tokens": True, "truncation": True, "max_length": 8, "stride": 2},
        {"return_special_tokens_mask": True, "return_length": True},
        {"add_special_tokens": False},
        {"return_token_type_ids": True},
        {"text_target": LONG},
    ):
        yield {"init": {}, "method": "__call__", "args": [SHORT], "kwargs": kwargs}
    yield {"init": {}, "method": "num_special_tokens_to_add", "args": [], "kwargs": {"pair": True}}
    yield {"init": {}, "method": "build_inputs_with_special_tokens", "args": [[5, 6], [7]], "kwargs": {}}
    yield {"init": {}, "method": "create_token_type_ids_from_sequences", "args": [[5, 6], [7]], "kwargs": {}}
    for text in TEXTS_WITH_ADDED:
        added = {"init": {}, "add": ADDED, "args": [text]}
        yield {**added, "method": "tokenize", "kwargs": {}}
        yield {**added, "method": "encode", "kwargs": {}}
        for kwargs in (
            {"clean_up_tokenization_spaces": False},
            {"clean_up_tokenization_spaces": False, "skip_special_tokens": True},
            {"clean_up_tokenization_spaces": False, "spaces_between_special_tokens": False},
        ):
            yield {**added, "method": "roundtrip", "kwargs": kwargs}


def answer(case, classes, files):
    """Return {"result": ...} or {"error": name of the exception}."""
    try:
        tokenizer = classes[case["fast"]](**files, model_max_length=100, **case["init"])
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        tokenizer.add_tokens([AddedToken(**fields) for fields in case.get("add", [])])
        if case["method"] == "roundtrip":
            result = tokenizer.decode(tokenizer.encode(*case["args"]), **case["kwargs"])
        else:
            result = getattr(tokenizer, case["method"])(*case["args"], **case["kwargs"])
    except BaseException as error:  # a panic of the Rust library is not an Exception
        return {"error": type(error).__name__}
    return {"result": dict(result) if hasattr(result, "data") else result}


def write(name, vocabulary, cases, classes, files):
    """Write the file `name` beside this script: the vocabulary, and each case with its answer."""
    lines = [json.dumps({**case, **answer(case, classes, files)}) for case in cases]
    text = (
        f'{{"transformers": "{__version__}",\n"vocabulary": {json.dumps(vocabulary)},\n"cases": [\n'
        + ",\n".join(lines)
        + "\n]}\n"
    )
    Path(__file__).with_name(name).write_text(text, encoding="utf-8")
