"""Pipelines give what the reference library's pipelines give: values, labels, shapes and nesting.

One difference, on purpose: where the reference returns the vectors of a batch's padding too, feature
extraction here returns those of the text's own tokens, as both do without batches.
"""

from __future__ import annotations

import json

import nanoformers
import numpy as np
import pytest
import torch
from classroom import sources

transformers = pytest.importorskip("transformers")

BATCH_SIZES = [1, 3, 32]
TEXTS = [
    "We love you.",
    "",
    "This restaurant is awful, and the waiter dropped the soup on my brand-new shoes!",
    "ok",
    "naïve café — 東京 2024 #fun @you :-)",
    *(f"Sentence number {i}, " + "which goes on and on " * (i % 7) for i in range(30)),
]
PAIRS = [{"text": a, "text_pair": b} for a, b in zip(TEXTS, reversed(TEXTS), strict=True) if b]
LONG = "a very long text without an end " * 100
LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
NAMED = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}
STRATEGIES = ["none", "simple", "first", "average", "max"]
MASKED = ["The [MASK] sat on the mat.", "[MASK]", "A [MASK] and a [MASK] in the rain, all day long."]


def same(ours, theirs, tolerance: float = 1e-5) -> None:
    """Assert equality of nested answers, floats within a tolerance; the reference has some as numpy's."""
    theirs = theirs.item() if isinstance(theirs, np.generic) else theirs
    assert type(ours) is type(theirs)
    if isinstance(ours, dict):
        assert set(ours) == set(theirs)
        for key in ours:
            same(ours[key], theirs[key], tolerance)
    elif isinstance(ours, list):
        assert len(ours) == len(theirs)
        if ours and isinstance(ours[0], float):
            torch.testing.assert_close(torch.tensor(ours), torch.tensor(theirs), atol=tolerance, rtol=1e-4)
        else:
            for one, other in zip(ours, theirs, strict=True):
                same(one, other, tolerance)
    elif isinstance(ours, float):
        assert ours == pytest.approx(theirs, abs=tolerance)
    else:
        assert ours == theirs


@pytest.fixture(scope="module")
def minilm() -> str:
    return str(sources.minilm_folder())


@pytest.fixture(scope="module")
def both(minilm, tmp_path_factory):
    """Make a function: task and settings -> our pipeline and the reference's, on one random checkpoint."""
    made = {}

    def build(task: str, class_name: str, **settings):
        key = (task, class_name, str(settings))
        if key not in made:
            torch.manual_seed(0)
            config = transformers.BertConfig(
                hidden_size=48,
                num_hidden_layers=2,
                num_attention_heads=4,
                intermediate_size=64,
                initializer_range=0.3,
                **settings,
            )
            folder = tmp_path_factory.mktemp("checkpoint")
            getattr(transformers, class_name)(config).save_pretrained(folder)
            transformers.AutoTokenizer.from_pretrained(minilm).save_pretrained(folder)
            made[key] = tuple(
                library.pipeline(task, model=str(folder), device=-1)
                for library in (nanoformers, transformers)
            )
        return made[key]

    return build


class TestTextClassification:
    @pytest.mark.parametrize("batch_size", BATCH_SIZES)
    @pytest.mark.parametrize("arguments", [{}, {"top_k": None}, {"top_k": 2}, {"top_k": 1}], ids=str)
    @pytest.mark.parametrize("settings", [
        {"num_labels": 3},
        {"num_labels": 1},
        {"num_labels": 3, "problem_type": "multi_label_classification"},
        {"num_labels": 1, "problem_type": "regression"},
    ], ids=str)  # fmt: skip
    def test_lists(self, both, settings, arguments, batch_size):
        ours, theirs = both("text-classification", "BertForSequenceClassification", **settings)
        same(ours(TEXTS, batch_size=batch_size, **arguments), theirs(TEXTS, **arguments))

    @pytest.mark.parametrize(
        "inputs", ["We love you.", ["We love you."], PAIRS[0], PAIRS], ids=["text", "texts", "pair", "pairs"]
    )
    @pytest.mark.parametrize(
        "arguments", [{}, {"top_k": 2}, {"top_k": None, "function_to_apply": "sigmoid"}], ids=str
    )
    def test_nesting(self, both, inputs, arguments):
        ours, theirs = both("text-classification", "BertForSequenceClassification", num_labels=3)
        same(ours(inputs, **arguments), theirs(inputs, **arguments))

    @pytest.mark.parametrize(
        "arguments", [{"truncation": True}, {"truncation": True, "max_length": 10}], ids=str
    )
    def test_truncation(self, both, arguments):
        ours, theirs = both("text-classification", "BertForSequenceClassification", num_labels=3)
        same(ours([LONG, "short"], batch_size=2, **arguments), theirs([LONG, "short"], **arguments))

    def test_names_of_labels(self, both):
        settings = {"id2label": {0: "NEGATIVE", 1: "POSITIVE"}, "label2id": {"NEGATIVE": 0, "POSITIVE": 1}}
        ours, theirs = both("text-classification", "BertForSequenceClassification", **settings)
        same(ours(TEXTS), theirs(TEXTS))


class TestFeatureExtraction:
    @pytest.mark.parametrize("batch_size", BATCH_SIZES)
    def test_lists(self, both, batch_size):
        ours, theirs = both("feature-extraction", "BertModel")
        same(ours(TEXTS, batch_size=batch_size), theirs(TEXTS), tolerance=1e-4)

    @pytest.mark.parametrize("batch_size", [3, 32])
    def test_the_references_batches_without_their_padding(self, both, batch_size):
        ours, theirs = both("feature-extraction", "BertModel")
        pairs = zip(ours(TEXTS, batch_size=batch_size), theirs(TEXTS, batch_size=batch_size), strict=True)
        for one, other in pairs:
            same(one[0], other[0][: len(one[0])], tolerance=1e-4)

    @pytest.mark.parametrize("inputs", ["We love you.", ["We love you."], [""]], ids=str)
    def test_nesting(self, both, inputs):
        ours, theirs = both("feature-extraction", "BertModel")
        same(ours(inputs), theirs(inputs), tolerance=1e-4)

    @pytest.mark.parametrize("arguments", [
        {"truncation": True},
        {"tokenize_kwargs": {"padding": "max_length", "max_length": 24, "truncation": True}},
        {"tokenize_kwargs": {"add_special_tokens": False}},
    ], ids=str)  # fmt: skip
    def test_arguments_of_the_tokenizer(self, both, arguments):
        ours, theirs = both("feature-extraction", "BertModel")
        inputs = ["We love you.", LONG] if "truncation" in str(arguments) else TEXTS[:1]
        same(ours(inputs, batch_size=2, **arguments), theirs(inputs, **arguments), tolerance=1e-4)

    def test_tensors(self, both):
        ours, theirs = both("feature-extraction", "BertModel")
        torch.testing.assert_close(
            ours("We love you.", return_tensors=True), theirs("We love you.", return_tensors=True)
        )

    @pytest.mark.parametrize("batch_size", BATCH_SIZES)
    def test_all_minilm(self, minilm, batch_size):
        ours, theirs = (
            library.pipeline("feature-extraction", model=minilm, device=-1)
            for library in (nanoformers, transformers)
        )
        same(ours(TEXTS[:20], batch_size=batch_size), theirs(TEXTS[:20]))


class TestFillMask:
    @pytest.mark.parametrize("batch_size", BATCH_SIZES)
    @pytest.mark.parametrize("arguments", [{}, {"top_k": 2}], ids=str)
    def test_lists(self, both, arguments, batch_size):
        ours, theirs = both("fill-mask", "BertForMaskedLM")
        same(ours(MASKED * 5, batch_size=batch_size, **arguments), theirs(MASKED * 5, **arguments))

    @pytest.mark.parametrize("targets", ["cat", ["cat", "dog", "house"], ["cat", "zzyzzyva"]], ids=str)
    def test_targets(self, both, targets):
        ours, theirs = both("fill-mask", "BertForMaskedLM")
        same(ours(MASKED, targets=targets), theirs(MASKED, targets=targets))

    @pytest.mark.parametrize("inputs", [*MASKED, MASKED[:1], MASKED], ids=str)
    def test_nesting(self, both, inputs):
        ours, theirs = both("fill-mask", "BertForMaskedLM")
        same(ours(inputs), theirs(inputs))

    def test_truncation(self, both):
        ours, theirs = both("fill-mask", "BertForMaskedLM")
        arguments = {"tokenizer_kwargs": {"truncation": True}}
        same(ours("[MASK] " + LONG, **arguments), theirs("[MASK] " + LONG, **arguments))


class TestTokenClassification:
    @pytest.mark.parametrize("batch_size", BATCH_SIZES)
    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_lists(self, both, strategy, batch_size):
        ours, theirs = both("ner", "BertForTokenClassification", **NAMED)
        arguments = {"aggregation_strategy": strategy}
        same(ours(TEXTS, batch_size=batch_size, **arguments), theirs(TEXTS, **arguments))

    @pytest.mark.parametrize("strategy", STRATEGIES)
    @pytest.mark.parametrize("ignored", [[], ["O", "PER", "B-PER"]], ids=str)
    def test_labels_to_leave_out(self, both, strategy, ignored):
        ours, theirs = both("ner", "BertForTokenClassification", **NAMED)
        arguments = {"aggregation_strategy": strategy, "ignore_labels": ignored}
        same(ours(TEXTS[:5], **arguments), theirs(TEXTS[:5], **arguments))

    def test_labels_without_prefixes(self, both):
        ours, theirs = both("ner", "BertForTokenClassification", num_labels=3)
        same(ours(TEXTS, aggregation_strategy="simple"), theirs(TEXTS, aggregation_strategy="simple"))

    @pytest.mark.parametrize("strategy", STRATEGIES[1:])
    @pytest.mark.parametrize("stride", [0, 30])
    def test_long_texts(self, both, strategy, stride):
        ours, theirs = both("ner", "BertForTokenClassification", max_position_embeddings=128, **NAMED)
        for pipe in (ours, theirs):
            pipe.tokenizer.model_max_length = 128
        arguments = {"aggregation_strategy": strategy, "stride": stride}
        texts = [LONG[:600] + "the naïve café, 東京", "short"]
        same(ours(texts, batch_size=2, **arguments), theirs(texts, **arguments))

    @pytest.mark.parametrize("inputs", ["We love Paris.", ["We love Paris."]], ids=str)
    def test_nesting(self, both, inputs):
        ours, theirs = both("ner", "BertForTokenClassification", **NAMED)
        same(ours(inputs), theirs(inputs))

    @pytest.mark.parametrize("strategy", STRATEGIES)
    @pytest.mark.parametrize("arguments", [{}, {"delimiter": "--"}], ids=str)
    def test_words(self, both, strategy, arguments):
        ours, theirs = both("ner", "BertForTokenClassification", **NAMED)
        arguments = {"aggregation_strategy": strategy, "is_split_into_words": True, **arguments}
        words = [text.split() for text in TEXTS if text]
        same(ours(words, batch_size=3, **arguments), theirs(words, **arguments))


class TestZeroShotClassification:
    MODEL = {"label2id": {"contradiction": 0, "neutral": 1, "entailment": 2}, "num_labels": 3}  # noqa: RUF012

    @pytest.mark.parametrize("batch_size", BATCH_SIZES)
    @pytest.mark.parametrize("arguments", [
        {"candidate_labels": ["politics", "public health", "food"]},
        {"candidate_labels": "politics, public health,food", "multi_label": True},
        {"candidate_labels": ["food"]},
        {"candidate_labels": ["a", "b"], "hypothesis_template": "Is it {}?"},
    ], ids=str)  # fmt: skip
    def test_lists(self, both, arguments, batch_size):
        ours, theirs = both("zero-shot-classification", "BertForSequenceClassification", **self.MODEL)
        texts = [text for text in TEXTS if text][:12]
        same(ours(texts, batch_size=batch_size, **arguments), theirs(texts, **arguments))

    @pytest.mark.parametrize("label2id", [{"entailment": 0, "other": 1}, {"no": 0, "yes": 1}], ids=str)
    @pytest.mark.parametrize("multi_label", [False, True])
    def test_where_the_entailment_is(self, both, label2id, multi_label):
        settings = {"label2id": label2id, "num_labels": 2}
        ours, theirs = both("zero-shot-classification", "BertForSequenceClassification", **settings)
        arguments = {"candidate_labels": ["a", "b", "c"], "multi_label": multi_label}
        same(ours("We love you.", **arguments), theirs("We love you.", **arguments))

    def test_what_is_too_long_is_cut(self, both):
        ours, theirs = both("zero-shot-classification", "BertForSequenceClassification", **self.MODEL)
        same(ours(LONG, candidate_labels=["a", "b"]), theirs(LONG, candidate_labels=["a", "b"]))


@pytest.fixture(scope="module")
def writers(tmp_path_factory):
    """Our pipeline and the reference's on one random GPT-2 whose tokens are bytes."""
    from tokenizers.pre_tokenizers import ByteLevel

    folder = tmp_path_factory.mktemp("gpt2")
    tokens = [*sorted(ByteLevel.alphabet()), "<|endoftext|>", "th", "the", "Ġthe"]
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\nt h\nth e\nĠ the\n", encoding="utf-8")
    nanoformers.GPT2TokenizerFast.from_pretrained(folder, model_max_length=96).save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"n_positions": 96, "n_embd": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.4}
    config = transformers.GPT2Config(vocab_size=len(tokens), bos_token_id=256, eos_token_id=256, **shape)
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return [
        library.pipeline("text-generation", model=str(folder), device=-1)
        for library in (nanoformers, transformers)
    ]


class TestTextGeneration:
    PROMPTS = ["the cat", "", "naïve café — 東京", "a longer text, which goes on: and on"]  # noqa: RUF012

    @pytest.mark.parametrize("arguments", [
        {"max_new_tokens": 12},
        {"max_length": 50},
        {"max_new_tokens": 12, "return_full_text": False},
        {"max_new_tokens": 12, "return_tensors": True},
        {"max_new_tokens": 12, "prefix": "the "},
        {"max_length": 50, "prefix": "the "},
        {"max_new_tokens": 12, "clean_up_tokenization_spaces": True},
        {"max_new_tokens": 90, "handle_long_generation": "hole"},
        {"max_new_tokens": 30, "eos_token_id": [256, 10, 201, 113], "return_tensors": True},
    ], ids=str)  # fmt: skip
    def test_lists(self, writers, arguments):
        ours, theirs = writers
        arguments = {"do_sample": False, "clean_up_tokenization_spaces": False, **arguments}
        same(ours(self.PROMPTS, **arguments), theirs(self.PROMPTS, **arguments))

    @pytest.mark.parametrize("inputs", ["the cat", ["the cat"]], ids=str)
    def test_nesting(self, writers, inputs):
        ours, theirs = writers
        arguments = {"do_sample": False, "max_new_tokens": 5, "clean_up_tokenization_spaces": False}
        same(ours(inputs, **arguments), theirs(inputs, **arguments))
