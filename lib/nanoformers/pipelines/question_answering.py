"""Answers found in a text. Mirrors `QuestionAnsweringPipeline` of `main_classes/pipelines`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.utils.data import Dataset

from ..auto.registry import model_classes
from .base import ArgumentHandler, ChunkPipeline
from .squad import SquadExample, Window, fast_windows, slow_windows

_EXCLUDED = -10000.0  # logit of what cannot be in an answer


class QuestionAnsweringArgumentHandler(ArgumentHandler):
    """Makes `SquadExample`s of the documented ways to ask."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return a list of examples; a data set or generator as it is.

        Args:
            args: examples or dictionaries with "question" and "context", or a list, data set or generator of
                those; or a question and a context.
            kwargs: `question` and `context`, texts or lists of texts (one context may serve several
                questions); or `X` or `data`, which is what `args` is.

        Raises:
            KeyError: a dictionary lacks a key.
            ValueError: a question or context is empty, or the arguments are none of the above.
        """
        if len(args) == 2 and all(isinstance(argument, str) for argument in args):
            inputs: Any = [{"question": args[0], "context": args[1]}]
        elif args:
            inputs = args[0] if len(args) == 1 else list(args)
        elif "X" in kwargs or "data" in kwargs:
            inputs = kwargs.get("X", kwargs.get("data"))
        elif "question" in kwargs and "context" in kwargs:
            inputs = _paired(kwargs["question"], kwargs["context"])
        else:
            raise ValueError(
                f"Unknown arguments {sorted(kwargs)}: pass `question` and `context`, or dictionaries with "
                "those keys."
            )
        if isinstance(inputs, Iterator | Dataset):
            return inputs
        if isinstance(inputs, Mapping | SquadExample):
            inputs = [inputs]
        elif isinstance(inputs, str) or not isinstance(inputs, Sequence):
            raise ValueError(f"{inputs!r} is neither an example nor a list of examples.")
        return [self.normalize(item) for item in inputs]

    def normalize(self, item: SquadExample | Mapping[str, str]) -> SquadExample:
        """Make an example of a dictionary with "question" and "context"."""
        if isinstance(item, SquadExample):
            return item
        if not isinstance(item, Mapping):
            raise ValueError(f"{item!r} argument needs to be of type (SquadExample, dict)")
        for key in ("question", "context"):
            if key not in item:
                raise KeyError("You need to provide a dictionary with keys {question:..., context:...}")
            if item[key] is None:
                raise ValueError(f"`{key}` cannot be None")
            if not isinstance(item[key], str) or not item[key]:
                raise ValueError(f"`{key}` cannot be empty: it is a text, not {item[key]!r}")
        return SquadExample(None, item["question"], item["context"])


class QuestionAnsweringPipeline(ChunkPipeline):
    """Find the answer to a question in a text with a model for question answering.

    Its parameters are given at construction or per call.

    Args:
        top_k: how many answers to return at most (1); `topk` is the older spelling.
        doc_stride: a context that is too long is read in windows that overlap by this many tokens (128, or
            half of `max_seq_len` when that is less).
        max_answer_len: the most tokens of an answer (15).
        max_seq_len: the most tokens of a window, question and special tokens included (384, or what the model
            takes when that is less).
        max_question_len: what is beyond these first tokens of a question is left out (64).
        handle_impossible_answer: let "" be an answer (False).
        align_to_words: let answers start and end with words, not within them (True). Tokenizers in
            pure Python always do.
        padding: passed to the tokenizer ("do_not_pad").

    Example:
        >>> oracle(question="Where do I live?", context="My name is Wolfgang and I live in Berlin")
        {'score': ..., 'start': 34, 'end': 40, 'answer': 'Berlin'}
    """

    default_argument_handler = QuestionAnsweringArgumentHandler
    batch_padding_side = "right"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.check_model_type(dict(model_classes("ForQuestionAnswering")))

    @staticmethod
    def create_sample(
        question: str | Sequence[str], context: str | Sequence[str]
    ) -> SquadExample | list[SquadExample]:
        """Make an example of a question and a context, or a list of examples of lists."""
        if isinstance(question, str) and isinstance(context, str):
            return SquadExample(None, question, context)
        return [SquadExample(None, *pair) for pair in zip(question, context, strict=True)]

    def _sanitize_parameters(
        self,
        padding: bool | str | None = None,
        topk: int | None = None,
        top_k: int | None = None,
        doc_stride: int | None = None,
        max_answer_len: int | None = None,
        max_seq_len: int | None = None,
        max_question_len: int | None = None,
        handle_impossible_answer: bool | None = None,
        align_to_words: bool | None = None,
    ) -> tuple[dict, dict, dict]:
        if topk is not None:
            warnings.warn("topk parameter is deprecated, use top_k instead", UserWarning, stacklevel=3)
            top_k = topk if top_k is None else top_k
        for name, value in {"top_k": top_k, "max_answer_len": max_answer_len}.items():
            if value is not None and value < 1:
                raise ValueError(f"{name} parameter should be >= 1 (got {value})")
        preprocess = {
            "padding": padding,
            "doc_stride": doc_stride,
            "max_seq_len": max_seq_len,
            "max_question_len": max_question_len,
        }
        postprocess = {
            "top_k": top_k,
            "max_answer_len": max_answer_len,
            "handle_impossible_answer": handle_impossible_answer,
            "align_to_words": align_to_words,
        }
        return _given(preprocess), {}, _given(postprocess)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answer one question or several.

        Args:
            args: see `QuestionAnsweringArgumentHandler`.
            kwargs: `question`, `context`, `X`, `data`: see there; others: see the class and
                `Pipeline.__call__`.

        Returns:
            For each example a dictionary with "score", "start", "end" (characters of the context) and
            "answer"; a list of those, best first, when `top_k` is above 1 and there are several. One example
            gives its answer alone.
        """
        asked = {name: kwargs.pop(name) for name in ("question", "context", "X", "data") if name in kwargs}
        examples = self._args_parser(*args, **asked)
        single = isinstance(examples, list) and len(examples) == 1
        return super().__call__(examples[0] if single else examples, **kwargs)

    def preprocess(
        self,
        example: SquadExample | Mapping[str, str],
        padding: bool | str = "do_not_pad",
        doc_stride: int | None = None,
        max_question_len: int = 64,
        max_seq_len: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Encode a question with its context, in several windows when the context is long."""
        asked: SquadExample = self._args_parser.normalize(example)
        if max_seq_len is None:
            max_seq_len = min(self.tokenizer.model_max_length, 384)
        if doc_stride is None:
            doc_stride = min(max_seq_len // 2, 128)
        if doc_stride > max_seq_len:
            raise ValueError(f"`doc_stride` ({doc_stride}) is larger than `max_seq_len` ({max_seq_len})")
        windows = (fast_windows if self.tokenizer.is_fast else slow_windows)(
            self.tokenizer,
            asked,
            max_seq_len=max_seq_len,
            doc_stride=doc_stride,
            max_question_len=max_question_len,
            padding=padding,
        )
        for window in windows:
            yield {**window.inputs, "window": _Asked(asked, window)}

    def _forward(self, model_inputs: Mapping[str, Any]) -> dict[str, Any]:
        inputs = {name: value for name, value in model_inputs.items() if name != "window"}
        output = self.model(**inputs)
        return {
            "start": output["start_logits"],
            "end": output["end_logits"],
            "window": model_inputs["window"],
        }

    def _row(self, model_outputs: Any, row: int, length: int) -> Any:
        outputs = super()._row(model_outputs, row, length)
        return {**outputs, "start": outputs["start"][:, :length], "end": outputs["end"][:, :length]}

    def postprocess(
        self,
        model_outputs: Sequence[Mapping[str, Any]],
        top_k: int = 1,
        handle_impossible_answer: bool = False,
        max_answer_len: int = 15,
        align_to_words: bool = True,
    ) -> dict[str, Any] | list[dict[str, Any]]:
        """Turn the logits of all windows of an example, each of shape (1, s), into answers."""
        fast = self.tokenizer.is_fast
        # several spans of tokens may become the same words, so more of them are looked at
        candidates = top_k * 2 + 10 if align_to_words else top_k
        least_null = float("inf")
        answers: list[dict[str, Any]] = []
        by_text: dict[str, dict[str, Any]] = {}
        for outputs in model_outputs:
            example, window = outputs["window"].example, outputs["window"].window
            starts, ends, null = _probabilities(outputs["start"][0], outputs["end"][0], window)
            least_null = min(least_null, null)
            for score, first, last in decode_spans(starts, ends, window.allowed, candidates, max_answer_len):
                start, end = self._characters(window, first, last, align_to_words)
                text = example.context_text[start:end]
                same = by_text.get(text.lower()) if fast else None
                if same is not None:
                    same["score"] += score
                    continue
                answer = {"score": score, "start": start, "end": end, "answer": text}
                by_text[text.lower()] = answer
                answers.append(answer)
        if handle_impossible_answer:
            answers.append({"score": least_null, "start": 0, "end": 0, "answer": ""})
        answers = sorted(answers, key=lambda answer: answer["score"], reverse=True)[:top_k]
        return answers[0] if len(answers) == 1 else answers

    def _characters(self, window: Window, first: int, last: int, align_to_words: bool) -> tuple[int, int]:
        """Return which characters of the context the tokens from the first to the last one stand for."""
        encoding = window.encoding
        if encoding is None:
            return window.words[first][0], window.words[last][1]
        if align_to_words:
            context = encoding.token_to_sequence(first)
            words = encoding.token_to_word(first), encoding.token_to_word(last)
            if None not in words:
                start, end = (encoding.word_to_chars(word, context) for word in words)
                if start is not None and end is not None:
                    return start[0], end[1]
        return encoding.token_to_chars(first)[0], encoding.token_to_chars(last)[1]


class _Asked:
    """What a window belongs to; no tuple, since those are taken apart when tensors are moved."""

    def __init__(self, example: SquadExample, window: Window) -> None:
        self.example, self.window = example, window


def _paired(questions: Any, contexts: Any) -> list[dict[str, str]]:
    """Pair questions and contexts, where one context may serve several questions."""
    if isinstance(questions, str) and isinstance(contexts, str):
        questions, contexts = [questions], [contexts]
    elif isinstance(questions, list) and isinstance(contexts, str):
        contexts = [contexts] * len(questions)
    elif not isinstance(questions, list) or not isinstance(contexts, list):
        raise ValueError(
            "Arguments can't be understood: `question` and `context` are texts or lists of texts."
        )
    if len(questions) != len(contexts):
        raise ValueError(
            f"Questions and contexts don't have the same lengths: {len(questions)} and {len(contexts)}."
        )
    return [
        {"question": question, "context": context}
        for question, context in zip(questions, contexts, strict=True)
    ]


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _probabilities(
    start: torch.Tensor, end: torch.Tensor, window: Window
) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Turn logits (s,) into probabilities of the tokens of the context, and that of there being no answer."""
    allowed = window.allowed.clone()
    allowed[window.null] = True
    start, end = (logits.float().where(allowed, _EXCLUDED).softmax(-1) for logits in (start, end))
    null = (start[window.null] * end[window.null]).item()
    return start, end, null


def decode_spans(
    start: torch.Tensor, end: torch.Tensor, allowed: torch.Tensor, top_k: int, max_answer_len: int
) -> list[tuple[float, int, int]]:
    """Find the most probable spans, as in DrQA (https://arxiv.org/abs/1704.00051).

    Args:
        start: (s,) the probability of each token to be an answer's first.
        end: (s,) that to be its last.
        allowed: (s,) True for the tokens that an answer may start and end with.
        top_k: how many spans to return at most.
        max_answer_len: the most tokens of a span.

    Returns:
        (score, first token, last token), the most probable first.
    """
    length = min(max_answer_len, len(end))
    start, end = start.where(allowed, torch.nan), end.where(allowed, torch.nan)
    beyond = end.new_full((length - 1,), torch.nan)
    ends = torch.cat([end, beyond]).unfold(0, length, 1)  # (s, length)
    scores = (start[:, None] * ends).nan_to_num(-1.0).flatten()  # -1: not a span
    best = scores.topk(min(top_k, len(scores)))
    return [
        (score, place // length, place // length + place % length)
        for score, place in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        if score >= 0
    ]
