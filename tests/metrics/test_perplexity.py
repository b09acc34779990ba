"""Perplexity of texts, compared with a loop over tokens and with the reference library."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nanoformers
import pytest
import tokenizers
import torch
import transformers
from nanoformers.auto.registry import ARCHITECTURES, Architecture
from nanoformers.outputs import CausalLMOutput

Load = Callable[..., Any]

TOKENIZER = Path(__file__).parents[2] / "data" / "hub" / "models" / "toyland" / "fill-mask-bert"
TEXTS = [
    "Mila lost a kite.",
    "kite",
    "The bear found a blue kite in the forest and gave it to Mila.",
    "a bear",
]
POSITIONS = 40


def save_bert(folder: Path, padding_side: str = "right", **changes: Any) -> str:
    """Save a small BERT with seeded random weights, and the tokenizer of a course checkpoint."""
    tokenizer = nanoformers.AutoTokenizer.from_pretrained(TOKENIZER, padding_side=padding_side)
    shape = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": POSITIONS,
        "initializer_range": 0.2,
    }
    torch.manual_seed(0)
    model = nanoformers.BertLMHeadModel(nanoformers.BertConfig(**{**shape, "is_decoder": True, **changes}))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_bert(tmp_path_factory.mktemp("decoder"))


@pytest.fixture
def compute(load_metric: Load) -> Callable[..., dict[str, Any]]:
    return load_metric("perplexity").compute


def ids_of(text: str, start: bool) -> list[int]:
    """The ids of a text's tokens, after [CLS] if wanted."""
    ids = nanoformers.AutoTokenizer.from_pretrained(TOKENIZER)(text)["input_ids"]
    return ids[:-1] if start else ids[1:-1]


@torch.no_grad()
def by_hand(model: torch.nn.Module, ids: list[int]) -> float:
    """One over the geometric mean of the tokens' probabilities, each from a run over those before it."""
    probabilities = [
        model(torch.tensor([ids[:place]])).logits[0, -1].softmax(-1)[ids[place]].item()
        for place in range(1, len(ids))
    ]
    return math.prod(probability ** (-1 / len(probabilities)) for probability in probabilities)


class ToyConfig(nanoformers.PretrainedConfig):
    model_type = "toy-recurrent"


class ToyModel(nanoformers.PreTrainedModel):
    """A language model of another kind than BERT: recurrent, without positions."""

    config_class = ToyConfig

    def __init__(self, config: ToyConfig) -> None:
        super().__init__(config)
        self.embed = torch.nn.Embedding(config.vocab_size, 8)
        self.recur = torch.nn.GRU(8, 8, batch_first=True)
        self.head = torch.nn.Linear(8, config.vocab_size)
        self.post_init()

    def _init_weights(self, module: torch.nn.Module) -> None:
        pass

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> CausalLMOutput:
        return CausalLMOutput(logits=self.head(self.recur(self.embed(input_ids))[0]))


@pytest.fixture
def save_toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Save the recurrent model, with a tokenizer of whole words that has the special tokens given."""
    toy = Architecture(
        None, ToyConfig, (None, nanoformers.PreTrainedTokenizerFast), {"ForCausalLM": ToyModel}
    )
    monkeypatch.setitem(ARCHITECTURES, "toy-recurrent", toy)

    def save(**special_tokens: str) -> str:
        words = {word: index for index, word in enumerate(["<|end|>", "a", "blue", "kite", "bear"])}
        backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="a"))
        backend.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
        tokenizer = nanoformers.PreTrainedTokenizerFast(tokenizer_object=backend, **special_tokens)
        tokenizer.save_pretrained(tmp_path)
        torch.manual_seed(0)
        ToyModel(ToyConfig(vocab_size=len(words))).save_pretrained(tmp_path)
        return str(tmp_path)

    return save


class TestPerplexity:
    def test_is_that_of_a_loop_over_tokens(self, compute, decoder):
        scores = compute(predictions=TEXTS, model_id=decoder)
        model = nanoformers.AutoModelForCausalLM.from_pretrained(decoder)
        expected = [by_hand(model, ids_of(text, start=True)) for text in TEXTS]
        assert scores["perplexities"] == pytest.approx(expected, rel=1e-4)
        assert scores["mean_perplexity"] == pytest.approx(sum(expected) / len(expected), rel=1e-4)

    @pytest.mark.parametrize("start", [True, False])
    def test_is_that_of_the_reference_library(self, start, compute, decoder):
        texts = [text for text in TEXTS if text != "kite"]
        scores = compute(predictions=texts, model_id=decoder, add_start_token=start)
        model = transformers.AutoModelForCausalLM.from_pretrained(decoder)
        expected = []
        for text in texts:
            ids = torch.tensor([ids_of(text, start)])
            with torch.no_grad():
                expected.append(math.exp(model(ids, labels=ids).loss))
        assert scores["perplexities"] == pytest.approx(expected, rel=1e-4)

    def test_guessing_evenly_gives_the_number_of_tokens(self, compute, tmp_path):
        folder = save_bert(tmp_path, initializer_range=0.0)
        assert compute(predictions=TEXTS, model_id=folder)["perplexities"] == pytest.approx([306] * 4)

    def test_results_are_plain_floats(self, compute, decoder):
        scores = compute(predictions=TEXTS[:1], model_id=decoder)
        assert set(scores) == {"perplexities", "mean_perplexity"}
        assert [type(value) for value in scores["perplexities"]] == [float]
        assert type(scores["mean_perplexity"]) is float

    def test_max_length_counts_the_start_token(self, compute, decoder):
        model = nanoformers.AutoModelForCausalLM.from_pretrained(decoder)
        for start in (True, False):
            scores = compute(predictions=[TEXTS[2]], model_id=decoder, add_start_token=start, max_length=5)
            expected = by_hand(model, ids_of(TEXTS[2], start)[:5])
            assert scores["perplexities"] == pytest.approx([expected], rel=1e-4)

    def test_a_text_as_long_as_the_model_can_read(self, compute, decoder):
        assert compute(predictions=["a " * (POSITIONS - 1)], model_id=decoder)["mean_perplexity"] > 1

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    def test_a_gpu_gives_the_same(self, compute, decoder):
        one = compute(predictions=TEXTS, model_id=decoder, device="cpu")["perplexities"]
        other = compute(predictions=TEXTS, model_id=decoder, device="gpu")["perplexities"]
        assert one == pytest.approx(other, rel=1e-3)


class TestPadding:
    @pytest.mark.parametrize("batch_size", [1, 2, 3])
    def test_the_batch_changes_nothing(self, batch_size, compute, decoder):
        together = compute(predictions=TEXTS, model_id=decoder)
        divided = compute(predictions=TEXTS, model_id=decoder, batch_size=batch_size)
        assert divided["perplexities"] == pytest.approx(together["perplexities"], rel=1e-5)

    def test_nor_does_the_order(self, compute, decoder):
        forwards = compute(predictions=TEXTS, model_id=decoder, batch_size=2)["perplexities"]
        backwards = compute(predictions=TEXTS[::-1], model_id=decoder, batch_size=2)["perplexities"]
        assert backwards[::-1] == pytest.approx(forwards, rel=1e-5)

    def test_nor_does_the_side_that_the_tokenizer_pads(self, compute, decoder, tmp_path):
        left = save_bert(tmp_path, padding_side="left")
        assert nanoformers.AutoTokenizer.from_pretrained(left).padding_side == "left"
        expected = compute(predictions=TEXTS, model_id=decoder)
        assert compute(predictions=TEXTS, model_id=left) == expected

    def test_a_tokenizer_without_padding_token(self, compute, save_toy):
        folder = save_toy(bos_token="<|end|>", eos_token="<|end|>")
        assert nanoformers.AutoTokenizer.from_pretrained(folder).pad_token is None
        texts = ["a blue kite", "bear", "a bear"]
        scores = compute(predictions=texts, model_id=folder)
        model = nanoformers.AutoModelForCausalLM.from_pretrained(folder)
        expected = [by_hand(model, ids) for ids in ([0, 1, 2, 3], [0, 4], [0, 1, 4])]
        assert scores["perplexities"] == pytest.approx(expected, rel=1e-4)


class TestThroughTheHub:
    def test_a_pushed_model(self, compute, decoder, run_python):
        printed = run_python(f"""
import evaluate, nanoformers
for auto in (nanoformers.AutoModelForCausalLM, nanoformers.AutoTokenizer):
    auto.from_pretrained({decoder!r}).push_to_hub("learner/decoder-of-a-test")
perplexity = evaluate.load("perplexity", module_type="metric")
print(perplexity.compute(predictions={TEXTS!r}, model_id="learner/decoder-of-a-test")["mean_perplexity"])
""")
        expected = compute(predictions=TEXTS, model_id=decoder)["mean_perplexity"]
        assert float(printed.splitlines()[-1]) == pytest.approx(expected, rel=1e-5)


class TestErrors:
    def test_no_texts(self, compute, decoder):
        with pytest.raises(ValueError, match="no texts"):
            compute(predictions=[], model_id=decoder)

    def test_an_empty_text(self, compute, decoder):
        with pytest.raises(ValueError, match=r"'' has no token"):
            compute(predictions=["a bear", ""], model_id=decoder)

    def test_a_single_token_without_start(self, compute, decoder):
        with pytest.raises(ValueError, match=r"'bear' is a single token.*add_start_token=True"):
            compute(predictions=["a bear", "bear"], model_id=decoder, add_start_token=False)

    def test_a_text_that_is_too_long(self, compute, decoder):
        with pytest.raises(ValueError, match=rf"{POSITIONS + 1} tokens.*max_length={POSITIONS}"):
            compute(predictions=["a " * POSITIONS], model_id=decoder)

    def test_a_model_that_reads_both_ways(self, compute, tmp_path):
        folder = save_bert(tmp_path, is_decoder=False, initializer_range=0.02)
        with pytest.raises(ValueError, match=r"not a causal language model.*is_decoder=True"):
            compute(predictions=TEXTS, model_id=folder)

    def test_a_checkpoint_of_the_course_that_reads_both_ways(self, compute):
        with pytest.raises(ValueError, match="not a causal language model"):
            compute(predictions=TEXTS, model_id=str(TOKENIZER))

    def test_no_start_token(self, compute, save_toy):
        folder = save_toy(eos_token="<|end|>")
        with pytest.raises(ValueError, match=r"neither a BOS nor a CLS token.*add_start_token=False"):
            compute(predictions=["a bear"], model_id=folder)
        assert compute(predictions=["a bear"], model_id=folder, add_start_token=False)["mean_perplexity"] > 1

    @pytest.mark.parametrize(
        ("option", "value"), [("batch_size", 0), ("max_length", 1), ("device", "a fast one")]
    )
    def test_options_that_make_no_sense(self, option, value, compute, decoder):
        with pytest.raises(ValueError, match=f"`{option}` is {value!r}"):
            compute(predictions=TEXTS, model_id=decoder, **{option: value})

    def test_no_such_model(self, compute, tmp_path):
        with pytest.raises(OSError, match="nothing-here"):
            compute(predictions=TEXTS, model_id=str(tmp_path / "nothing-here"))
