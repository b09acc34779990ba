"""Question answering: ways to ask, spans, long contexts, no answer."""

from __future__ import annotations

import nanoformers
import pytest
import torch
from nanoformers import SquadExample, pipeline
from nanoformers.pipelines import QuestionAnsweringArgumentHandler, QuestionAnsweringPipeline
from nanoformers.pipelines.question_answering import decode_spans

# Answers start with "cat" or "dog" and end with "mat" or "tree".
TABLE = {
    "cat": {"start": 9.0},
    "dog": {"start": 7.0},
    "mat": {"end": 9.0},
    "tree": {"end": 7.5},
    "x": {"start": 8.0},
    "##y": {"end": 8.0},
}
CONTEXT = "the dog ran and the cat sat on the mat under the tree"
QUESTION = "was it good"


@pytest.fixture(scope="module")
def model(make_tagger):
    return make_tagger("BertForQuestionAnswering", TABLE, ["start", "end"])


@pytest.fixture(scope="module")
def oracle(model, tokenizer):
    return pipeline("question-answering", model=model, tokenizer=tokenizer)


@pytest.fixture(scope="module")
def slow_oracle(model, tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    tokenizer.save_pretrained(folder)
    return pipeline("question-answering", model, tokenizer=nanoformers.BertTokenizer.from_pretrained(folder))


class TestAsking:
    ASKED = {"question": QUESTION, "context": CONTEXT}  # noqa: RUF012

    def test_one_question(self, oracle):
        answer = oracle(**self.ASKED)
        assert set(answer) == {"score", "start", "end", "answer"}
        assert answer["answer"] == "cat sat on the mat"
        assert CONTEXT[answer["start"] : answer["end"]] == answer["answer"]

    @pytest.mark.parametrize("ask", [
        lambda oracle, asked: oracle(asked),
        lambda oracle, asked: oracle([asked]),
        lambda oracle, asked: oracle(SquadExample(None, **{f"{k}_text": v for k, v in asked.items()})),
        lambda oracle, asked: oracle(oracle.create_sample(**asked)),
        lambda oracle, asked: oracle(asked["question"], asked["context"]),
        lambda oracle, asked: oracle(X=asked),
        lambda oracle, asked: oracle(data=[asked]),
        lambda oracle, asked: oracle(question=[asked["question"]], context=[asked["context"]]),
    ])  # fmt: skip
    def test_other_ways_to_ask_one(self, oracle, ask):
        assert ask(oracle, self.ASKED) == oracle(**self.ASKED)

    @pytest.mark.parametrize("ask", [
        lambda oracle, asked: oracle([asked, asked]),
        lambda oracle, asked: oracle(asked, asked),
        lambda oracle, asked: oracle(question=[asked["question"]] * 2, context=asked["context"]),
        lambda oracle, asked: oracle(question=[asked["question"]] * 2, context=[asked["context"]] * 2),
        lambda oracle, asked: list(oracle(item for item in [asked, asked])),
        lambda oracle, asked: oracle(oracle.create_sample([asked["question"]] * 2, [asked["context"]] * 2)),
    ])  # fmt: skip
    def test_ways_to_ask_several(self, oracle, ask):
        assert ask(oracle, self.ASKED) == [oracle(**self.ASKED)] * 2

    @pytest.mark.parametrize(("arguments", "error", "said"), [
        ({"question": QUESTION}, ValueError, "Unknown arguments"),
        ({"question": QUESTION, "context": None}, ValueError, "can't be understood"),
        ({"question": QUESTION, "context": ""}, ValueError, "`context` cannot be empty"),
        ({"question": "", "context": CONTEXT}, ValueError, "`question` cannot be empty"),
        ({"question": [QUESTION], "context": [CONTEXT, CONTEXT]}, ValueError, "same lengths"),
        ({"X": {"question": QUESTION}}, KeyError, "dictionary with keys"),
        ({"X": {"question": None, "context": CONTEXT}}, ValueError, "`question` cannot be None"),
        ({"X": ["a question"]}, ValueError, "SquadExample, dict"),
        ({"X": 3}, ValueError, "neither an example nor a list"),
        ({"question": QUESTION, "context": CONTEXT, "topk_": 3}, TypeError, "topk_"),
    ])  # fmt: skip
    def test_what_is_no_question(self, oracle, arguments, error, said):
        with pytest.raises(error, match=said):
            oracle(**arguments)

    def test_a_generator_of_what_is_no_question(self, oracle):
        with pytest.raises(KeyError, match="dictionary with keys"):
            list(oracle(item for item in [{"question": QUESTION}]))

    def test_the_handler_makes_examples(self):
        (example,) = QuestionAnsweringArgumentHandler()(question=QUESTION, context=CONTEXT)
        assert isinstance(example, SquadExample)
        assert (example.question_text, example.context_text) == (QUESTION, CONTEXT)

    def test_a_handler_of_ones_own(self, model, tokenizer):
        class Always(QuestionAnsweringArgumentHandler):
            def __call__(self, *args, **kwargs):
                return super().__call__(question=QUESTION, context=CONTEXT)

        oracle = QuestionAnsweringPipeline(model, tokenizer, args_parser=Always())
        assert oracle()["answer"] == "cat sat on the mat"


class TestAnswers:
    def test_the_best_first(self, oracle):
        answers = oracle(question=QUESTION, context=CONTEXT, top_k=3)
        assert [answer["answer"] for answer in answers] == [
            "cat sat on the mat",
            "cat sat on the mat under the tree",
            "dog ran and the cat sat on the mat",
        ]
        assert [a["score"] for a in answers] == sorted((a["score"] for a in answers), reverse=True)

    def test_no_more_than_there_are(self, oracle):
        answers = oracle(question=QUESTION, context="the cat", top_k=10)
        assert sorted(answer["answer"] for answer in answers) == ["cat", "the", "the cat"]

    def test_the_older_spelling(self, oracle):
        with pytest.warns(UserWarning, match="use top_k instead"):
            assert len(oracle(question=QUESTION, context=CONTEXT, topk=2)) == 2

    def test_the_longest_answer(self, oracle):
        answer = oracle(question=QUESTION, context="the cat sat on a mat cat a mat", max_answer_len=3)
        assert answer["answer"] == "cat a mat"

    @pytest.mark.parametrize("name", ["top_k", "max_answer_len"])
    def test_numbers_below_one(self, oracle, name):
        with pytest.raises(ValueError, match=f"{name} parameter should be >= 1"):
            oracle(question=QUESTION, context=CONTEXT, **{name: 0})

    def test_the_same_answer_twice_counts_twice(self, oracle):
        context = "cat mat and Cat mat"
        answers = oracle(question=QUESTION, context=context, top_k=3, max_answer_len=2)
        once = oracle(question=QUESTION, context="cat mat and the the", max_answer_len=2)
        assert [answer["answer"].lower() for answer in answers].count("cat mat") == 1
        assert (answers[0]["start"], answers[0]["end"]) in {(0, 7), (12, 19)}
        assert answers[0]["score"] == pytest.approx(once["score"] / 2, rel=0.1)

    @pytest.mark.parametrize(("align", "found"), [(True, "xyz"), (False, "xy")])
    def test_answers_are_words(self, oracle, align, found):
        answer = oracle(question=QUESTION, context="the xyz", align_to_words=align)
        assert answer["answer"] == found

    def test_there_may_be_no_answer(self, make_tagger, tokenizer):
        table = {"[CLS]": {"start": 9.0, "end": 9.0}, "cat": {"start": 1.0, "end": 1.0}}
        model = make_tagger("BertForQuestionAnswering", table, ["start", "end"])
        oracle = pipeline("question-answering", model, tokenizer=tokenizer)
        assert oracle(question=QUESTION, context="the cat")["answer"] == "cat"
        answer = oracle(question=QUESTION, context="the cat", handle_impossible_answer=True)
        assert answer.pop("score") > 0.9
        assert answer == {"start": 0, "end": 0, "answer": ""}

    def test_spans_start_and_end_where_they_may(self):
        start, end = torch.tensor([0.1, 0.6, 0.3]), torch.tensor([0.5, 0.3, 0.2])
        allowed = torch.tensor([True, True, False])
        found = [(round(score, 2), *span) for score, *span in decode_spans(start, end, allowed, 9, 15)]
        assert found == [(0.18, 1, 1), (0.05, 0, 0), (0.03, 0, 1)]


class TestLongContexts:
    LONG = "and the mat ran " * 40 + CONTEXT

    @pytest.mark.parametrize("batch_size", [1, 3])
    def test_it_is_read_in_windows(self, oracle, batch_size):
        answer = oracle(question=QUESTION, context=self.LONG, batch_size=batch_size)
        assert answer["answer"] == "cat sat on the mat"
        assert answer["start"] == self.LONG.index("cat")

    def test_a_stride_that_is_too_large(self, oracle):
        with pytest.raises(ValueError, match=r"`doc_stride` \(20\) is larger than `max_seq_len` \(10\)"):
            oracle(question=QUESTION, context=CONTEXT, max_seq_len=10, doc_stride=20)

    def test_a_long_question_is_cut(self, oracle):
        answer = oracle(question="was it good " * 90, context=CONTEXT, max_question_len=12, doc_stride=10)
        assert answer["answer"] == "cat sat on the mat"

    def test_padding(self, oracle):
        expected = oracle(question=QUESTION, context=CONTEXT)
        padded = oracle(question=QUESTION, context=CONTEXT, padding="max_length")
        assert padded["score"] == pytest.approx(expected["score"])
        assert padded["answer"] == expected["answer"]


class TestPythonTokenizers:
    def test_answers_are_words_of_the_context(self, slow_oracle):
        context = "the dog ran and\tthe  cat sat on\nthe mat"
        answer = slow_oracle(question=QUESTION, context=context)
        assert answer["answer"] == context[answer["start"] : answer["end"]] == "cat sat on\nthe mat"

    def test_long_contexts(self, slow_oracle):
        answer = slow_oracle(question=QUESTION, context=TestLongContexts.LONG, batch_size=4)
        assert answer["answer"] == "cat sat on the mat"
        assert answer["start"] == TestLongContexts.LONG.index("cat")

    def test_no_room_for_the_context(self, slow_oracle):
        with pytest.raises(ValueError, match="leaves no room for the context"):
            slow_oracle(question="was it good", context=CONTEXT, max_seq_len=6, doc_stride=2)


@pytest.mark.parametrize("side", ["left", "right"])
def test_answers_do_not_depend_on_the_batch_size(make_model, make_tokenizer, texts, side):
    model = make_model("BertForQuestionAnswering")
    oracle = pipeline("question-answering", model, tokenizer=make_tokenizer(padding_side=side), top_k=3)
    asked = [{"question": QUESTION, "context": text} for text in texts if text]
    for batched, alone in zip(oracle(asked, batch_size=7), oracle(asked), strict=True):
        for one, other in zip(batched, alone, strict=True) if isinstance(alone, list) else [(batched, alone)]:
            assert one.pop("score") == pytest.approx(other.pop("score"), abs=1e-5)
            assert one == other


def test_a_worker_process_can_prepare_questions(oracle, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    asked = [{"question": QUESTION, "context": context} for context in (CONTEXT, "the cat")]
    assert oracle(asked, num_workers=1) == oracle(asked)


class TestSquadExample:
    def test_words_and_the_word_of_each_character(self):
        example = SquadExample("id", "q", "a cat  sat", answer_text="cat  sat", start_position_character=2)
        assert example.doc_tokens == ["a", "cat", "sat"]
        assert example.char_to_word_offset == [0, 0, 1, 1, 1, 1, 1, 2, 2, 2]
        assert (example.start_position, example.end_position) == (1, 2)

    def test_space_at_the_start_belongs_to_no_word(self):
        assert SquadExample(None, "q", " a").char_to_word_offset == [-1, 0]
