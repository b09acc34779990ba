"""Generation against the reference library: same weights and seeds, same tokens, scores and files."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import nanoformers
import pytest
import torch
import transformers
from nanoformers import generation

VOCABULARY = 61
EOS, PAD = 7, 3
CLOSE = {"rtol": 0, "atol": 1e-5}
TOKENS = {"bos_token_id": 5, "eos_token_id": EOS, "pad_token_id": PAD}

# class, configuration class, shape
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "GPT2LMHeadModel": ("GPT2Config", {"n_embd": 24, "n_layer": 3, "n_head": 4, "n_positions": 60}),
    "BertLMHeadModel": (
        "BertConfig",
        {
            "hidden_size": 24,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "intermediate_size": 37,
            "max_position_embeddings": 60,
            "is_decoder": True,
        },
    ),
    "T5ForConditionalGeneration": (
        "T5Config",
        {
            "d_model": 24,
            "d_kv": 6,
            "num_heads": 4,
            "num_layers": 2,
            "d_ff": 37,
            "decoder_start_token_id": PAD,
        },
    ),
}
parametrize_models = pytest.mark.parametrize("name", MODELS)

IDS = torch.randint(8, VOCABULARY, (3, 9), generator=torch.Generator().manual_seed(0))
LEFT = torch.tensor([[1] * 9, [0] * 4 + [1] * 5, [0] * 8 + [1]])
PADDED = torch.where(LEFT == 1, IDS, PAD)

# arguments of generate, by what they are about
GREEDY: dict[str, dict[str, Any]] = {
    "plain": {},
    "left-padded": {"input_ids": PADDED, "attention_mask": LEFT},
    "batch-of-one": {"input_ids": IDS[:1]},
    "prompt-of-one": {"input_ids": IDS[:, :1]},
    "without-cache": {"use_cache": False},
    "padded-without-cache": {"use_cache": False, "input_ids": PADDED, "attention_mask": LEFT},
    "several-ends": {"eos_token_id": list(range(7, 30))},
    "max-length": {"max_new_tokens": None, "max_length": 21},
    "min-length": {"min_length": 16, "eos_token_id": list(range(7, 30))},
    "min-new-tokens": {"min_new_tokens": 5, "eos_token_id": list(range(7, 30))},
    "repetition-penalty": {"repetition_penalty": 1.7},
    "repetition-encouraged": {"repetition_penalty": 0.6},
    "no-repeated-pairs": {"no_repeat_ngram_size": 2, "max_new_tokens": 25},
    "no-repeated-token": {"no_repeat_ngram_size": 1},
    "forced": {"forced_eos_token_id": EOS, "forced_bos_token_id": 11},
    "everything": {
        "input_ids": PADDED,
        "attention_mask": LEFT,
        "repetition_penalty": 1.3,
        "no_repeat_ngram_size": 3,
        "min_new_tokens": 4,
        "eos_token_id": list(range(7, 30)),
        "renormalize_logits": True,
    },
}
SAMPLING: dict[str, dict[str, Any]] = {
    "plain": {"top_k": 0},
    "top-k": {"top_k": 5},
    "top-p": {"top_k": 0, "top_p": 0.6},
    "temperature": {"temperature": 0.4, "top_k": 0},
    "several": {"num_return_sequences": 4, "top_k": 20},
    "all": {
        "input_ids": PADDED,
        "attention_mask": LEFT,
        "temperature": 1.8,
        "top_k": 30,
        "top_p": 0.9,
        "num_return_sequences": 2,
        "eos_token_id": [7, 8, 9, 10, 11],
        "repetition_penalty": 1.2,
    },
}


@pytest.fixture(autouse=True)
def _quiet():
    logging.getLogger("transformers").setLevel(logging.ERROR)
    nanoformers.logging.set_verbosity_error()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    nanoformers.logging.set_verbosity_warning()


def pair(name: str) -> tuple[Any, Any]:
    """Our model and the reference's, with the same weights, whose tokens differ from step to step."""
    config_name, shape = MODELS[name]
    torch.manual_seed(1)
    theirs = getattr(transformers, name)._from_config(
        getattr(transformers, config_name)(vocab_size=VOCABULARY, **shape, **TOKENS),
        attn_implementation="eager",
    )
    for parameter in theirs.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.3)
    ours = getattr(nanoformers, name)(
        getattr(nanoformers, config_name)(vocab_size=VOCABULARY, **shape, **TOKENS)
    )
    ours.load_state_dict(theirs.state_dict())
    return ours.eval(), theirs.eval()


def both(name: str, arguments: dict[str, Any], seed: int | None = None) -> tuple[Any, Any]:
    """What both models generate."""
    arguments = {"input_ids": IDS, "max_new_tokens": 12, **arguments}
    arguments = {key: value for key, value in arguments.items() if value is not None}
    results = []
    for model in pair(name):
        if seed is not None:
            torch.manual_seed(seed)
        results.append(model.generate(**arguments))
    return results[0], results[1]


def assert_same_steps(ours: Any, theirs: Any, keys: tuple[str, ...]) -> None:
    for key in keys:
        mine, reference = ours[key], theirs[key]
        assert len(mine) == len(reference), key
        for step, other in zip(mine, reference, strict=True):
            step, other = ((x,) if isinstance(x, torch.Tensor) else x for x in (step, other))
            assert len(step) == len(other), key
            for a, b in zip(step, other, strict=True):
                torch.testing.assert_close(a, b, **CLOSE)


class TestTokens:
    @parametrize_models
    @pytest.mark.parametrize("case", GREEDY)
    def test_greedy(self, name, case):
        ours, theirs = both(name, GREEDY[case])
        assert torch.equal(ours, theirs)

    def test_the_cases_above_do_end_early(self):
        ours, _ = both("GPT2LMHeadModel", GREEDY["several-ends"])
        assert ours.shape[1] < 9 + 12 or (ours[:, -1] == PAD).any()

    @parametrize_models
    @pytest.mark.parametrize("case", SAMPLING)
    def test_sampling_with_the_same_seed(self, name, case):
        ours, theirs = both(name, {"do_sample": True, **SAMPLING[case]}, seed=42)
        assert torch.equal(ours, theirs)

    @pytest.mark.parametrize("name", ["GPT2LMHeadModel", "BertLMHeadModel"])
    def test_embeddings_in_place_of_tokens(self, name):
        for arguments in ({}, {"attention_mask": LEFT}):
            results = []
            for model in pair(name):
                embeddings = model.get_input_embeddings()(IDS)
                results.append(model.generate(inputs_embeds=embeddings, max_new_tokens=8, **arguments))
            assert torch.equal(*results)

    @pytest.mark.parametrize("name", ["GPT2LMHeadModel", "BertLMHeadModel"])
    def test_a_mask_that_is_guessed(self, name):  # of encoder-decoders, today's reference guesses none
        ours, theirs = both(name, {"input_ids": PADDED})
        assert torch.equal(ours, theirs)

    def test_an_empty_prompt(self):
        ours, theirs = both("GPT2LMHeadModel", {"input_ids": None})
        assert torch.equal(ours, theirs)

    def test_a_decoder_that_has_begun(self):
        ours, theirs = both("T5ForConditionalGeneration", {"decoder_input_ids": torch.tensor([[20, 30]] * 3)})
        assert torch.equal(ours, theirs)

    def test_token_types(self):
        types = torch.tensor([[11] * 4 + [12] * 5] * 3)
        ours, theirs = both("GPT2LMHeadModel", {"token_type_ids": types})
        assert torch.equal(ours, theirs)

    def test_an_encoder_that_has_read(self):
        results = []
        for model in pair("T5ForConditionalGeneration"):
            with torch.no_grad():
                outputs = model.get_encoder()(IDS, attention_mask=LEFT, return_dict=True)
            results.append(model.generate(encoder_outputs=outputs, attention_mask=LEFT, max_new_tokens=8))
        assert torch.equal(*results)


EVERYTHING: dict[str, Any] = {
    "return_dict_in_generate": True,
    "output_scores": True,
    "output_attentions": True,
    "output_hidden_states": True,
}


class TestOutputs:
    @parametrize_models
    @pytest.mark.parametrize("do_sample", [False, True], ids=["greedy", "sampling"])
    def test_states_scores_and_attentions(self, name, do_sample):
        ours, theirs = both(name, {**EVERYTHING, "do_sample": do_sample, "top_k": 10}, seed=3)
        keys = [key for key in theirs if theirs[key] is not None]
        assert list(ours) == keys
        assert torch.equal(ours.sequences, theirs.sequences)
        per_step = [key for key in keys if key not in ("sequences", "past_key_values")]
        assert_same_steps(ours, theirs, tuple(per_step))

    @parametrize_models
    def test_types_and_lengths(self, name):
        ours, theirs = both(name, {"return_dict_in_generate": True, "output_scores": True})
        assert type(ours).__name__ == type(theirs).__name__
        assert ours.past_key_values.get_seq_length() == theirs.past_key_values.get_seq_length()
        assert not {"attentions", "decoder_attentions", "hidden_states"} & set(ours)

    @parametrize_models
    @pytest.mark.parametrize("normalize", [False, True])
    def test_transition_scores(self, name, normalize):
        ours, theirs = both(name, {"return_dict_in_generate": True, "output_scores": True})
        mine, reference = (
            model.compute_transition_scores(output.sequences, output.scores, normalize_logits=normalize)
            for model, output in zip(pair(name), (ours, theirs), strict=True)
        )
        torch.testing.assert_close(mine, reference, **CLOSE)

    def test_transition_scores_of_beams(self):
        model, reference = pair("GPT2LMHeadModel")
        output = reference.generate(
            IDS, num_beams=3, max_new_tokens=6, return_dict_in_generate=True, output_scores=True
        )
        arguments = (output.sequences, output.scores, output.beam_indices)
        torch.testing.assert_close(
            model.compute_transition_scores(*arguments),
            reference.compute_transition_scores(*arguments),
            **CLOSE,
        )


SCORES = torch.randn(3, VOCABULARY, generator=torch.Generator().manual_seed(2)) * 3

# class, arguments
PROCESSORS: list[tuple[str, dict[str, Any]]] = [
    ("TemperatureLogitsWarper", {"temperature": 0.3}),
    ("TemperatureLogitsWarper", {"temperature": 2.5}),
    ("TopKLogitsWarper", {"top_k": 4}),
    ("TopKLogitsWarper", {"top_k": 1000}),
    ("TopKLogitsWarper", {"top_k": 1, "min_tokens_to_keep": 3, "filter_value": -5.0}),
    ("TopPLogitsWarper", {"top_p": 0.7}),
    ("TopPLogitsWarper", {"top_p": 0.0}),
    ("TopPLogitsWarper", {"top_p": 1.0}),
    ("TopPLogitsWarper", {"top_p": 0.1, "min_tokens_to_keep": 4, "filter_value": -5.0}),
    ("MinLengthLogitsProcessor", {"min_length": 20, "eos_token_id": EOS}),
    ("MinLengthLogitsProcessor", {"min_length": 9, "eos_token_id": EOS}),
    ("MinLengthLogitsProcessor", {"min_length": 10, "eos_token_id": [EOS, 30, 1000]}),
    (
        "MinNewTokensLengthLogitsProcessor",
        {"prompt_length_to_skip": 4, "min_new_tokens": 6, "eos_token_id": [EOS, 30]},
    ),
    (
        "MinNewTokensLengthLogitsProcessor",
        {"prompt_length_to_skip": 4, "min_new_tokens": 5, "eos_token_id": EOS},
    ),
    ("RepetitionPenaltyLogitsProcessor", {"penalty": 1.5}),
    ("RepetitionPenaltyLogitsProcessor", {"penalty": 0.5}),
    ("NoRepeatNGramLogitsProcessor", {"ngram_size": 1}),
    ("NoRepeatNGramLogitsProcessor", {"ngram_size": 2}),
    ("NoRepeatNGramLogitsProcessor", {"ngram_size": 3}),
    ("NoRepeatNGramLogitsProcessor", {"ngram_size": 10}),
    ("ForcedBOSTokenLogitsProcessor", {"bos_token_id": 12}),
    ("ForcedEOSTokenLogitsProcessor", {"max_length": 10, "eos_token_id": [12, 13]}),
    ("ForcedEOSTokenLogitsProcessor", {"max_length": 11, "eos_token_id": 12}),
    ("LogitNormalization", {}),
]


class TestProcessors:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
    @pytest.mark.parametrize(("name", "arguments"), PROCESSORS)
    def test_elementwise(self, name, arguments, dtype):
        repeating = torch.tensor([[8, 9, 8, 9, 10, 8, 9, 11, 8]] * 2 + [[5] * 9])
        for ids in (repeating, repeating[:, :1]):
            scores = SCORES.to(dtype)
            mine = getattr(nanoformers, name)(**arguments)(ids, scores.clone())
            reference = getattr(transformers, name)(**arguments)(ids, scores.clone())
            assert mine.dtype == reference.dtype
            torch.testing.assert_close(mine, reference, rtol=0, atol=0)

    @pytest.mark.parametrize(("name", "arguments"), PROCESSORS)
    def test_leaves_what_it_was_given(self, name, arguments):
        scores = SCORES.clone()
        getattr(nanoformers, name)(**arguments)(IDS, scores)
        assert torch.equal(scores, SCORES)


VALUES: dict[str, Any] = {
    "max_new_tokens": 30,
    "do_sample": True,
    "temperature": 0.7,
    "top_k": 12,
    "top_p": 0.9,
    "eos_token_id": [1, 2],
    "pad_token_id": 0,
    "repetition_penalty": 1.2,
    "bad_words_ids": [[5, 6], [7]],
    "num_beams": 4,
    "early_stopping": "never",
    "length_penalty": 0.5,
    "output_scores": True,
    "return_dict_in_generate": True,
    "my_own": {"a": 1},
}


class TestFiles:
    def test_the_reference_reads_ours(self, tmp_path):
        nanoformers.GenerationConfig(**VALUES).save_pretrained(tmp_path)
        theirs = transformers.GenerationConfig.from_pretrained(tmp_path)
        assert {name: getattr(theirs, name) for name in VALUES} == VALUES

    def test_we_read_the_reference_s(self, tmp_path):
        transformers.GenerationConfig(**VALUES).save_pretrained(tmp_path)
        ours = nanoformers.GenerationConfig.from_pretrained(tmp_path)
        assert ours == nanoformers.GenerationConfig(**VALUES)

    @parametrize_models
    def test_models_take_each_other_s(self, name, tmp_path):
        ours, theirs = pair(name)
        ours.generation_config.max_new_tokens = 5
        theirs.generation_config.max_new_tokens = 6
        ours.save_pretrained(tmp_path / "ours")
        theirs.save_pretrained(tmp_path / "theirs")
        read = getattr(transformers, name).from_pretrained(tmp_path / "ours")
        assert torch.equal(read.generate(IDS), ours.generate(IDS))
        read = getattr(nanoformers, name).from_pretrained(tmp_path / "theirs")
        assert torch.equal(read.generate(IDS), theirs.generate(IDS))

    def test_defaults_agree_with_those_that_the_reference_falls_back_to(self):
        theirs = transformers.GenerationConfig._get_default_generation_params()
        ours = nanoformers.GenerationConfig().to_dict()
        newer = {"num_assistant_tokens", "num_assistant_tokens_schedule"}  # changed since the documentation
        shared = theirs.keys() & ours.keys() - newer
        assert {name: ours[name] for name in shared} == {name: theirs[name] for name in shared}

    def test_aliases_of_outputs(self):
        assert generation.GreedySearchDecoderOnlyOutput is generation.GenerateDecoderOnlyOutput
        assert generation.SampleEncoderDecoderOutput is generation.GenerateEncoderDecoderOutput
