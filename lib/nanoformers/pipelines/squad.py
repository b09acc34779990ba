"""The windows over a long context in which a question is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ..data.processors.squad_example import SquadExample, word_spans

if TYPE_CHECKING:
    from ..tokenization import PreTrainedTokenizerBase


class Window(NamedTuple):
    """What the model reads at once: a question and a part of the context, s tokens.

    Attributes:
        inputs: the model's inputs, each of shape (1, s).
        allowed: (s,) True for the tokens of the context.
        null: the place of the token that stands for "no answer".
        encoding: where the tokens come from; None from a tokenizer in pure Python.
        words: there, the (start, end) of the word of each token of the context, by the token's place.
    """

    inputs: dict[str, torch.Tensor]
    allowed: torch.Tensor
    null: int
    encoding: Any | None
    words: Mapping[int, tuple[int, int]]


def fast_windows(
    tokenizer: Any,
    example: SquadExample,
    *,
    max_seq_len: int,
    doc_stride: int,
    max_question_len: int,
    padding: bool | str,
) -> Iterator[Window]:
    """Yield the windows of an example, with a fast tokenizer."""
    question = _shortened(tokenizer, example.question_text, max_question_len)
    question_first = tokenizer.padding_side == "right"
    pair = (question, example.context_text) if question_first else (example.context_text, question)
    encoded = tokenizer(
        *pair,
        padding=padding,
        truncation="only_second" if question_first else "only_first",
        max_length=max_seq_len,
        stride=doc_stride,
        return_overflowing_tokens=True,
    )
    context = int(question_first)
    names = [name for name in tokenizer.model_input_names if name in encoded]
    for number, encoding in enumerate(encoded.encodings):
        inputs = {name: torch.tensor([encoded[name][number]]) for name in names}
        allowed = torch.tensor([sequence == context for sequence in encoding.sequence_ids])
        yield Window(inputs, allowed, _place_of_null(tokenizer, encoding.ids), encoding, {})


def slow_windows(
    tokenizer: Any,
    example: SquadExample,
    *,
    max_seq_len: int,
    doc_stride: int,
    max_question_len: int,
    padding: bool | str,
) -> Iterator[Window]:
    """Yield the windows of an example, with a tokenizer in pure Python: answers consist of whole words.

    Raises:
        ValueError: the question leaves no room for the context.
    """
    spans = word_spans(example.context_text)
    tokens: list[int] = []
    owners: list[tuple[int, int]] = []  # the word of each token
    for start, end in spans:
        word = tokenizer.tokenize(example.context_text[start:end], is_split_into_words=True)
        ids = tokenizer.convert_tokens_to_ids(word)
        tokens += ids
        owners += [(start, end)] * len(ids)
    question = tokenizer.encode(
        example.question_text, add_special_tokens=False, truncation=True, max_length=max_question_len
    )
    question_first = tokenizer.padding_side == "right"
    room = max_seq_len - len(question) - tokenizer.num_special_tokens_to_add(pair=True)
    if room < 1:
        raise ValueError(
            f"`max_seq_len` ({max_seq_len}) leaves no room for the context beside the {len(question)} tokens "
            "of the question: make it larger, or `max_question_len` smaller."
        )
    context = int(question_first)
    for first in range(0, max(len(tokens), 1), doc_stride):
        part = tokens[first : first + room]
        pair = (question, part) if question_first else (part, question)
        encoded = tokenizer.prepare_for_model(
            *pair, padding=padding, max_length=max_seq_len, truncation=False, return_tensors=None
        )
        ids = encoded["input_ids"]
        sides = _sides(tokenizer, ids, *pair)
        places = [place for place, side in enumerate(sides) if side == context]
        names = [name for name in tokenizer.model_input_names if name in encoded]
        yield Window(
            inputs={name: torch.tensor([encoded[name]]) for name in names},
            allowed=torch.tensor([side == context for side in sides]),
            null=_place_of_null(tokenizer, ids),
            encoding=None,
            words=dict(zip(places, owners[first : first + room], strict=True)),
        )
        if first + room >= len(tokens):
            return


def _sides(tokenizer: Any, ids: list[int], first: list[int], second: list[int]) -> list[int | None]:
    """Return for each token whether it is of the first text (0), of the second (1), or special (None)."""
    special = tokenizer.get_special_tokens_mask(first, second)
    padding = len(ids) - len(special)
    order = iter([0] * len(first) + [1] * len(second))
    sides: list[int | None] = [None if is_special else next(order) for is_special in special]
    outside: list[int | None] = [None] * padding
    return outside + sides if tokenizer.padding_side == "left" else sides + outside


def _shortened(tokenizer: Any, question: str, max_question_len: int) -> str:
    """Leave out what is beyond the first tokens of a question."""
    if len(question.encode()) <= max_question_len:  # a token is a byte at least
        return question
    encoded = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)
    if len(encoded["input_ids"]) <= max_question_len:
        return question
    return question[: encoded["offset_mapping"][max_question_len - 1][1]]


def _place_of_null(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> int:
    """Return the place of the classification token (the first one when there is none)."""
    token = tokenizer.cls_token_id
    return ids.index(token) if token in ids else 0
