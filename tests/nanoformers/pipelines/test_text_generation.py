"""Text generation: what comes back, prefixes, long prompts, batches."""

from __future__ import annotations

import pytest
from nanoformers import AutoTokenizer, GPT2LMHeadModel, pipeline

PROMPTS = ["the cat", "a", "then the dog and the tree", "", "on the mat"]
GREEDY = {"do_sample": False}


@pytest.fixture(scope="module")
def writer(gpt2):
    return pipeline("text-generation", model=gpt2)


@pytest.fixture
def padded(gpt2):
    """The same with a token to pad with."""
    return pipeline("text-generation", model=gpt2, tokenizer=(str(gpt2), {"pad_token": "<|endoftext|>"}))


class TestAnswers:
    def test_a_text_begins_with_its_prompt(self, writer):
        (answer,) = writer("the cat", max_new_tokens=4, **GREEDY)
        assert set(answer) == {"generated_text"}
        assert answer["generated_text"].startswith("the cat")
        assert len(answer["generated_text"]) > len("the cat")

    def test_a_list_gives_lists(self, writer):
        answers = writer(["the cat", "a"], max_new_tokens=2, **GREEDY)
        assert answers == [writer(text, max_new_tokens=2, **GREEDY) for text in ["the cat", "a"]]

    def test_a_generator(self, writer):
        answers = writer((text for text in ["the cat", "a"]), max_new_tokens=2, **GREEDY)
        assert list(answers) == writer(["the cat", "a"], max_new_tokens=2, **GREEDY)

    def test_only_the_new_text(self, writer):
        (full,) = writer("the cat", max_new_tokens=4, **GREEDY)
        (new,) = writer("the cat", max_new_tokens=4, return_full_text=False, **GREEDY)
        assert full["generated_text"] == "the cat" + new["generated_text"]

    def test_token_ids(self, writer):
        (answer,) = writer("the cat", max_new_tokens=4, return_tensors=True, **GREEDY)
        prompt = writer.tokenizer("the cat")["input_ids"]
        assert answer["generated_token_ids"][: len(prompt)] == prompt
        assert len(answer["generated_token_ids"]) == len(prompt) + 4

    def test_several_texts_for_a_prompt(self, writer):
        answers = writer("the cat", max_new_tokens=4, num_return_sequences=3, do_sample=True)
        assert len(answers) == 3

    def test_a_length_that_counts_the_prompt(self, writer):
        (answer,) = writer("the cat", max_length=9, return_tensors=True, **GREEDY)
        assert len(answer["generated_token_ids"]) == 9

    def test_parameters_of_generate_at_construction(self, gpt2, writer):
        short = pipeline("text-generation", model=gpt2, max_new_tokens=3, **GREEDY)
        assert short("the cat") == writer("the cat", max_new_tokens=3, **GREEDY)
        assert short("the cat", max_new_tokens=5) == writer("the cat", max_new_tokens=5, **GREEDY)

    def test_the_models_own_settings_are_read_at_the_call(self, gpt2, writer):
        model = GPT2LMHeadModel.from_pretrained(gpt2)
        other = pipeline("text-generation", model, tokenizer=AutoTokenizer.from_pretrained(gpt2))
        model.generation_config.max_new_tokens = 3
        assert other("the cat") == writer("the cat", max_new_tokens=3, **GREEDY)

    def test_a_generation_config(self, writer):
        from nanoformers import GenerationConfig

        config = GenerationConfig(max_new_tokens=3, eos_token_id=256, pad_token_id=256)
        assert writer("a", generation_config=config) == writer("a", max_new_tokens=3, **GREEDY)

    def test_a_stop_sequence_ends_a_text(self, writer):
        (answer,) = writer("the cat", max_new_tokens=8, return_tensors=True, **GREEDY)
        third = answer["generated_token_ids"][len(writer.tokenizer("the cat")["input_ids"]) + 2]
        stop = writer.tokenizer.decode([third])
        if writer.tokenizer(stop)["input_ids"] != [third]:
            pytest.skip("that token is a part of a character")
        (stopped,) = writer("the cat", max_new_tokens=8, stop_sequence=stop, return_tensors=True, **GREEDY)
        assert stopped["generated_token_ids"][-1] == third

    def test_only_the_first_token_of_a_stop_sequence_counts(self, writer):
        with pytest.warns(UserWarning, match="multiple token sequence"):
            writer("the cat", max_new_tokens=2, stop_sequence="dog", **GREEDY)

    def test_an_empty_prompt_begins_at_the_beginning(self, writer):
        (answer,) = writer("", max_new_tokens=4, return_tensors=True, **GREEDY)
        assert answer["generated_token_ids"][0] == 256


class TestPrompts:
    def test_a_prefix_is_read_and_not_returned(self, writer):
        (with_prefix,) = writer("cat", prefix="the ", max_new_tokens=4, return_full_text=False, **GREEDY)
        (whole,) = writer("the cat", max_new_tokens=4, return_full_text=False, **GREEDY)
        assert with_prefix == whole
        (full,) = writer("cat", prefix="the ", max_new_tokens=4, **GREEDY)
        assert full["generated_text"] == "cat" + whole["generated_text"]

    def test_a_prefix_does_not_count(self, writer):
        (answer,) = writer("cat", prefix="a a a ", max_length=8, return_tensors=True, **GREEDY)
        assert len(answer["generated_token_ids"]) == 8 + len(writer.tokenizer("a a a ")["input_ids"])

    def test_the_configuration_may_have_a_prefix(self, gpt2, writer):
        model = GPT2LMHeadModel.from_pretrained(gpt2, prefix="the ")
        prefixed = pipeline("text-generation", model, tokenizer=AutoTokenizer.from_pretrained(gpt2))
        arguments = {"max_new_tokens": 4, **GREEDY}
        assert prefixed("cat", **arguments) == writer("cat", prefix="the ", **arguments)

    def test_a_prompt_that_is_too_long_loses_its_beginning(self, writer):
        arguments = {"max_new_tokens": 10, "return_full_text": False, **GREEDY}
        answer = writer("a" * 200, handle_long_generation="hole", **arguments)
        assert answer == writer("a" * 54, **arguments)

    @pytest.mark.parametrize(("arguments", "said"), [
        ({"handle_long_generation": "pit"}, "not a valid value"),
        ({"handle_long_generation": "hole", "max_new_tokens": 64}, "exceeds the models max length"),
        ({"handle_long_generation": "hole", "max_length": 2}, "cannot infer how many new tokens"),
    ])  # fmt: skip
    def test_holes_that_cannot_be(self, writer, arguments, said):
        with pytest.raises(ValueError, match=said):
            writer("the cat", **arguments)

    def test_truncation(self, writer):
        (answer,) = writer("a" * 200, truncation=True, max_new_tokens=1, max_length=9, return_tensors=True)
        assert answer["generated_token_ids"][:9] == [writer.tokenizer("a")["input_ids"][0]] * 9
        assert len(answer["generated_token_ids"]) == 10

    @pytest.mark.parametrize("prompt", [[{"role": "user", "content": "Hi"}], [3]])
    def test_what_is_no_text(self, writer, prompt):
        with pytest.raises(ValueError, match="A prompt is a text"):
            writer(prompt, max_new_tokens=2)

    @pytest.mark.parametrize("both", [
        {"return_full_text": True, "return_text": True},
        {"return_full_text": True, "return_tensors": True},
        {"return_text": True, "return_tensors": True},
    ])  # fmt: skip
    def test_texts_and_ids_at_once(self, writer, both):
        with pytest.raises(ValueError, match="mutually exclusive"):
            writer("the cat", **both)


class TestBatches:
    @pytest.mark.parametrize("arguments", [
        {"max_new_tokens": 9},
        {"max_length": 40},
        {"max_new_tokens": 9, "return_tensors": True},
        {"max_length": 30, "min_length": 20, "return_tensors": True},
        {"max_new_tokens": 20, "return_full_text": False, "eos_token_id": [256, 10, 201, 113]},
        {"max_new_tokens": 20, "return_tensors": True, "eos_token_id": [256, 10, 201, 113]},
        {"max_new_tokens": 5, "prefix": "the "},
    ], ids=str)  # fmt: skip
    def test_texts_do_not_depend_on_the_batch_size(self, padded, arguments):
        alone = padded(PROMPTS, **arguments, **GREEDY)
        assert padded(PROMPTS, batch_size=5, **arguments, **GREEDY) == alone

    def test_they_are_padded_on_the_left(self, padded):
        assert padded.tokenizer.padding_side == "right"
        assert padded._padding_rule().side == "left"

    def test_several_texts_for_each_prompt(self, padded):
        answers = padded(PROMPTS, batch_size=3, num_return_sequences=2, do_sample=True, max_new_tokens=3)
        assert [len(answer) for answer in answers] == [2] * 5
        starts = [
            item["generated_text"].startswith(p) for p, a in zip(PROMPTS, answers, strict=True) for item in a
        ]
        assert all(starts)

    def test_without_a_padding_token_there_are_none(self, writer):
        with pytest.raises(ValueError, match="Pipeline with tokenizer without pad_token cannot do batching"):
            writer(PROMPTS, batch_size=2, max_new_tokens=2)
