"""Text to text, summaries and translations."""

from __future__ import annotations

import pytest
import torch
from nanoformers import (
    SummarizationPipeline,
    Text2TextGenerationPipeline,
    TranslationPipeline,
    pipeline,
)

TEXTS = ["the cat sat on the mat", "it ran", "a dog . a tree . a mat ."]
SPECIFIC = {
    "summarization": {"prefix": "then it was ", "max_length": 6},
    "translation_en_to_fr": {"prefix": "we love you ", "max_length": 5},
}


@pytest.fixture(scope="module")
def make(make_t5, words_tokenizer):
    def build(task="text2text-generation", settings=None, **arguments):
        return pipeline(task, make_t5(**(settings or {})), tokenizer=words_tokenizer, **arguments)

    return build


@pytest.fixture(scope="module")
def writer(make):
    return make()


@pytest.fixture
def log(caplog):
    from nanoformers.utils import logging

    logging.enable_propagation()
    yield caplog
    logging.disable_propagation()


class TestAnswers:
    @pytest.mark.parametrize(("task", "key", "kind"), [
        ("text2text-generation", "generated_text", Text2TextGenerationPipeline),
        ("summarization", "summary_text", SummarizationPipeline),
        ("translation", "translation_text", TranslationPipeline),
        ("translation_en_to_fr", "translation_text", TranslationPipeline),
    ])  # fmt: skip
    def test_the_key_says_what_it_is(self, make, task, key, kind):
        writer = make(task)
        assert isinstance(writer, kind)
        (answer,) = writer(TEXTS[0], max_new_tokens=4)
        assert set(answer) == {key}

    def test_a_list_gives_a_flat_list(self, writer):
        answers = writer(TEXTS, max_new_tokens=4)
        assert answers == [writer(text, max_new_tokens=4)[0] for text in TEXTS]

    def test_several_answers_for_a_text_stay_together(self, writer):
        answers = writer(TEXTS, max_new_tokens=4, num_return_sequences=2, do_sample=True)
        assert [len(answer) for answer in answers] == [2, 2, 2]

    def test_a_generator(self, writer):
        answers = writer((text for text in TEXTS), max_new_tokens=4)
        assert [answer for (answer,) in answers] == writer(TEXTS, max_new_tokens=4)

    def test_token_ids(self, make):
        (answer,) = make("summarization")(TEXTS[0], max_new_tokens=4, min_new_tokens=4, return_tensors=True)
        assert answer["summary_token_ids"].shape == (5,)

    def test_texts_and_ids_at_once(self, writer):
        with pytest.raises(ValueError, match="mutually exclusive"):
            writer(TEXTS[0], return_text=True, return_tensors=True)

    def test_truncation(self, writer):
        long = "the cat " * 50
        cut = "the cat " * 11 + "the"
        assert writer(long, truncation=True, max_new_tokens=4) == writer(cut, max_new_tokens=4)

    @pytest.mark.parametrize("inputs", [[["the cat"]], [3], {"text": "the cat"}])
    def test_what_is_no_text(self, writer, inputs):
        with pytest.raises(ValueError, match="wrong format"):
            writer(inputs)

    @pytest.mark.parametrize("tensors", [False, True])
    @pytest.mark.parametrize("arguments", [
        {"max_new_tokens": 12},
        {"max_length": 9},
        {"max_new_tokens": 12, "eos_token_id": [1, 7, 12, 20, 25, 28]},
    ], ids=str)  # fmt: skip
    def test_answers_do_not_depend_on_the_batch_size(self, writer, texts, arguments, tensors):
        alone = writer(texts, return_tensors=tensors, **arguments)
        batched = writer(texts, batch_size=8, return_tensors=tensors, **arguments)
        for one, other in zip(batched, alone, strict=True):
            if tensors:
                assert torch.equal(one["generated_token_ids"], other["generated_token_ids"])
            else:
                assert one == other


class TestTaskSettings:
    @pytest.mark.parametrize("task", list(SPECIFIC))
    def test_a_configuration_says_what_a_task_needs(self, make, task):
        settled = make(task, {"task_specific_params": SPECIFIC})
        given = SPECIFIC[task]
        expected = make(task)(given["prefix"] + TEXTS[0], max_length=given["max_length"])
        assert settled(TEXTS[0]) == expected

    def test_a_call_has_the_last_word(self, make):
        settled = make("summarization", {"task_specific_params": SPECIFIC})
        (answer,) = settled(TEXTS[0], max_length=3, min_length=3, return_tensors=True)
        assert len(answer["summary_token_ids"]) == 3

    def test_a_limit_of_the_call_takes_the_place_of_the_tasks(self, make, capsys):
        settled = make("summarization", {"task_specific_params": SPECIFIC})
        (answer,) = settled(TEXTS[0], max_new_tokens=2, return_tensors=True)
        assert len(answer["summary_token_ids"]) <= 3  # with the start token
        assert "take precedence" not in capsys.readouterr().err

    def test_the_model_is_left_as_it_was(self, make):
        settled = make("summarization", {"task_specific_params": SPECIFIC})
        assert settled.model.generation_config.max_length == 20
        assert settled.model.config.task_specific_params == SPECIFIC

    def test_translation_without_languages_takes_the_configurations(self, make):
        with pytest.warns(UserWarning, match='defaulting to "translation_en_to_fr"'):
            settled = make("translation", {"task_specific_params": SPECIFIC})
        expected = make("translation_en_to_fr", {"task_specific_params": SPECIFIC})
        assert settled(TEXTS[0]) == expected(TEXTS[0])


class TestLanguages:
    @pytest.mark.parametrize(("task", "arguments"), [
        ("translation_en_to_fr", {}),
        ("translation", {"src_lang": "en", "tgt_lang": "fr"}),
    ])  # fmt: skip
    def test_a_tokenizer_may_have_a_place_for_them(self, make_t5, words_tokenizer, task, arguments):
        class Multilingual(type(words_tokenizer)):
            def _build_translation_inputs(self, text, return_tensors, src_lang, tgt_lang, **kwargs):
                assert (src_lang, tgt_lang) == ("en", "fr")
                return self("love " + text, return_tensors=return_tensors, **kwargs)

        tokenizer = Multilingual(
            tokenizer_object=words_tokenizer.backend_tokenizer, pad_token="<pad>", eos_token="</s>"
        )
        translator = pipeline(task, make_t5(), tokenizer=tokenizer, max_new_tokens=4)
        plain = pipeline("translation", make_t5(), tokenizer=words_tokenizer, max_new_tokens=4)
        assert translator("the cat", **arguments) == plain("love the cat")


class TestWarnings:
    def test_a_summary_as_long_as_the_text(self, make, log):
        make("summarization")(TEXTS[0], max_length=50)
        assert "Your max_length is set to 50, but your input_length is only 7" in log.text

    def test_a_summary_of_no_possible_length(self, make, log):
        summarizer = make("summarization")
        assert not summarizer.check_inputs(input_length=100, min_length=30, max_length=20)
        assert "Your min_length=30 must be inferior than your max_length=20" in log.text

    def test_a_translation_without_room(self, make, log):
        make("translation_en_to_fr")(TEXTS[0], max_length=5)
        assert "is bigger than 0.9 * max_length: 5" in log.text

    def test_only_the_first_token_of_a_stop_sequence_counts(self, writer):
        with pytest.warns(UserWarning, match="multiple token sequence"):
            writer(TEXTS[0], stop_sequence="the cat", max_new_tokens=2)

    def test_a_stop_sequence_without_a_token(self, writer):
        with pytest.raises(ValueError, match="no token"):
            writer(TEXTS[0], stop_sequence="")
