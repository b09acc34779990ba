"""Data collators against the reference library's: the same batches, and the same random masks from a seed."""

from __future__ import annotations

import importlib.util
import json
import random
import warnings
from pathlib import Path
from typing import Any

import nanoformers
import numpy as np
import pytest
import torch
import transformers

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
HUB = ROOT / "data" / "hub" / "models" / "toyland"
TEXTS = [
    "The little fox runs through the green garden.",
    "Anna sings.",
    "An unhappy dog, and a blue whale.",
    "The dog is happy",
]


@pytest.fixture(scope="module", params=["fill-mask-bert", "stories-gpt2", "text-to-text-t5"])
def both(request) -> tuple[Any, Any]:
    pair = [
        library.AutoTokenizer.from_pretrained(HUB / request.param) for library in (nanoformers, transformers)
    ]
    for tokenizer in pair:
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
    return tuple(pair)


@pytest.fixture(scope="module")
def bert() -> tuple[Any, Any]:
    return tuple(
        library.AutoTokenizer.from_pretrained(HUB / "fill-mask-bert")
        for library in (nanoformers, transformers)
    )


def encoded(tokenizer, kind: str = "list", **kwargs) -> list[dict[str, Any]]:
    """Return one encoding a text, as lists, arrays or tensors."""
    convert = {"list": list, "array": np.array, "tensor": torch.tensor}[kind]
    return [{name: convert(value) for name, value in tokenizer(text, **kwargs).items()} for text in TEXTS]


def same(mine: Any, other: Any) -> None:
    assert list(mine) == list(other)
    for name in other:
        a, b = mine[name], other[name]
        if isinstance(b, int):
            assert a == b
            continue
        assert type(a) is type(b), name
        assert a.dtype == b.dtype, name
        assert torch.equal(torch.as_tensor(a), torch.as_tensor(b)), name


def seed() -> None:
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)


def compare(name: str, pair: tuple[Any, Any], features, **kwargs) -> None:
    batches = []
    for library, tokenizer in zip((nanoformers, transformers), pair, strict=True):
        collator = getattr(library, name)(tokenizer, **kwargs)
        seed()
        batches.append([collator(features(tokenizer)) for _ in range(2)])
    for mine, other in zip(*batches, strict=True):
        same(mine, other)


PADDING = [
    {},
    {"pad_to_multiple_of": 8},
    {"padding": "max_length", "max_length": 40},
    {"padding": "max_length", "max_length": 35, "pad_to_multiple_of": 8},
    {"return_tensors": "np"},
]


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("kind", ["list", "array", "tensor"])
@pytest.mark.parametrize("kwargs", PADDING, ids=str)
class TestPadding:
    @pytest.fixture(autouse=True)
    def _side(self, both, side):
        for tokenizer in both:
            tokenizer.padding_side = side
        yield
        for tokenizer in both:
            tokenizer.padding_side = "right"

    @pytest.mark.parametrize("label", ["label", "label_ids", "labels", None])
    def test_with_padding(self, both, kwargs, kind, label):
        def features(tokenizer):
            rows = encoded(tokenizer, kind, return_special_tokens_mask=True)
            for index, row in enumerate(rows):
                if label:
                    row[label] = index
            return rows

        compare("DataCollatorWithPadding", both, features, **kwargs)

    @pytest.mark.parametrize("label", ["label", "labels", None])
    def test_token_classification(self, both, kwargs, kind, label):
        def features(tokenizer):
            rows = encoded(tokenizer, kind)
            for row in rows:
                if label:
                    row[label] = row["input_ids"] * 2 if kind == "array" else row["input_ids"]
            return rows

        compare("DataCollatorForTokenClassification", both, features, **kwargs)

    def test_seq2seq(self, both, kwargs, kind):
        if kind == "tensor" and kwargs.get("return_tensors") == "np":
            pytest.skip("the reference library joins no tensors and arrays")

        def features(tokenizer):
            rows = encoded(tokenizer, kind)
            for row, shorter in zip(rows, encoded(tokenizer, kind), strict=True):
                row["labels"] = shorter["input_ids"][1:-1]
            return rows

        compare("DataCollatorForSeq2Seq", both, features, **kwargs)

    def test_multiple_choice(self, both, kwargs, kind):
        if kwargs.get("return_tensors") == "np":
            pytest.skip("the reference library makes only torch tensors here")

        def features(tokenizer):
            rows = encoded(tokenizer, kind)
            return [
                {**{name: [one[name], two[name]] for name in one}, "label": index}
                for index, (one, two) in enumerate([rows[:2], rows[2:], rows[1:3]])
            ]

        compare("DataCollatorForMultipleChoice", both, features, **kwargs)

    def test_causal_language_modeling(self, both, kwargs, kind):
        if "padding" in kwargs:
            pytest.skip("not an argument of this collator")
        compare("DataCollatorForLanguageModeling", both, lambda t: encoded(t, kind), mlm=False, **kwargs)


@pytest.mark.parametrize("kind", ["list", "array", "tensor"])
@pytest.mark.parametrize("with_mask", [True, False])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"mlm_probability": 0.5, "pad_to_multiple_of": 8},
        {"mask_replace_prob": 1.0, "random_replace_prob": 0.0, "mlm_probability": 0.4},
        {"mask_replace_prob": 0.0, "random_replace_prob": 1.0, "mlm_probability": 0.4},
        {"mask_replace_prob": 0.3, "random_replace_prob": 0.2, "mlm_probability": 0.9},
        {"seed": 5, "mlm_probability": 0.5},
        {"return_tensors": "np", "mlm_probability": 0.5},
        {"return_tensors": "np", "mlm_probability": 0.5, "seed": 5},
        {"return_tensors": "np", "mlm_probability": 0.5, "random_replace_prob": 0.0},
    ],
    ids=str,
)
def test_masked_language_modeling(bert, kwargs, with_mask, kind):
    compare(
        "DataCollatorForLanguageModeling",
        bert,
        lambda tokenizer: encoded(tokenizer, kind, return_special_tokens_mask=with_mask),
        **kwargs,
    )


@pytest.mark.parametrize("mlm", [True, False])
@pytest.mark.parametrize("kind", ["pt", "np"])
def test_bare_rows_of_ids(bert, mlm, kind):
    compare(
        "DataCollatorForLanguageModeling",
        bert,
        lambda tokenizer: [tokenizer(text)["input_ids"] for text in TEXTS],
        mlm=mlm,
        return_tensors=kind,
    )


@pytest.mark.parametrize("kind", ["pt", "np"])
def test_whole_words_by_offsets(bert, kind):
    def features(tokenizer):
        rows = tokenizer(TEXTS, return_offsets_mapping=True, return_special_tokens_mask=True, padding=True)
        return [{name: rows[name][index] for name in rows} for index in range(len(TEXTS))]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compare(
            "DataCollatorForLanguageModeling",
            bert,
            features,
            whole_word_mask=True,
            mlm_probability=0.4,
            return_tensors=kind,
        )


def recording(name: str) -> Any:
    specification = importlib.util.spec_from_file_location(name, GOLDEN / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "record", json.loads((GOLDEN / "whole_words.json").read_text())["records"], ids=lambda r: str(r["case"])
)
def test_whole_words_by_pieces(bert, record):
    batch = recording("make_whole_words").batch_of(nanoformers, bert[0], record["case"])
    assert batch == record["batch"]


@pytest.mark.parametrize("length", [8, 20, 64])
def test_permutation_language_modeling(bert, length):
    def features(tokenizer):
        rows = tokenizer([" ".join(TEXTS)] * 3, padding="max_length", truncation=True, max_length=length)
        return [{"input_ids": ids} for ids in rows["input_ids"]]

    compare("DataCollatorForPermutationLanguageModeling", bert, features)


@pytest.mark.parametrize("kind", ["pt", "np"])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"return_position_ids": False, "separator_id": 0},
        {"return_flash_attn_kwargs": True, "return_seq_idx": True, "position_ids_start": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("with_labels", [True, False])
def test_flattening(kwargs, kind, with_labels):
    features = [{"input_ids": [1, 2, 3]}, {"input_ids": [4, 5]}, {"input_ids": [6]}]
    if with_labels:
        features = [{**row, "labels": [-100, *row["input_ids"][1:]]} for row in features]
    mine, other = (
        library.DataCollatorWithFlattening(return_tensors=kind, **kwargs)(features)
        for library in (nanoformers, transformers)
    )
    same(mine, other)


DEFAULT = [
    [{"a": [1, 2], "label": 1}, {"a": [3, 4], "label": 0}],
    [{"a": [1.5, 2], "label": 0.5}, {"a": [3, 4], "label": 1}],
    [{"a": 1, "label_ids": [1, 2], "text": "x", "none": None}, {"a": 2, "label_ids": [3, 4], "text": "y"}],
    [{"a": [[1, 2], [3, 4]], "label_ids": [0.5]}, {"a": [[5, 6], [7, 8]], "label_ids": [1.5]}],
    [{"a": np.array([1.0, 2.0]), "label": np.int64(3)}, {"a": np.array([3.0, 4.0]), "label": np.int64(4)}],
    [{"a": True, "label": True}, {"a": False, "label": False}],
]


@pytest.mark.parametrize("kind", ["pt", "np"])
@pytest.mark.parametrize("features", DEFAULT, ids=str)
def test_default(features, kind):
    mine, other = (library.default_data_collator(features, kind) for library in (nanoformers, transformers))
    same(mine, other)
    same(nanoformers.DefaultDataCollator(kind)(features), other)


def test_default_with_tensors():
    features = [
        {"a": torch.ones(2), "label": torch.tensor(1), "b": torch.tensor(2)},
        {"a": torch.zeros(2), "label": torch.tensor(0), "b": torch.tensor(3)},
    ]
    same(nanoformers.default_data_collator(features), transformers.default_data_collator(features))
    features = [{"label_ids": torch.tensor([1, 2])}, {"label_ids": torch.tensor([3, 4])}]
    same(nanoformers.default_data_collator(features), transformers.default_data_collator(features))
