"""A question with the text that answers it.

The data class is that of the Stanford Question Answering Dataset (https://arxiv.org/abs/1606.05250); it is on
the documentation page `main_classes/processors`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["SquadExample", "word_spans"]

_SPACES = {" ", "\t", "\r", "\n", "\u202f"}


class SquadExample:
    """A question about a text.

    Args:
        qas_id: identifies the example.
        question_text: the question.
        context_text: the text.
        answer_text: the answer, a part of the text.
        start_position_character: where the answer starts in the text.
        title: title of the article.
        answers: all answers that count as right, for evaluation.
        is_impossible: whether the text does not answer the question.

    Attributes:
        doc_tokens: the words of the text.
        char_to_word_offset: for each character, the number of its word (for a space, of the word before).
        start_position: number of the answer's first word.
        end_position: number of its last word.
    """

    def __init__(
        self,
        qas_id: str | None,
        question_text: str,
        context_text: str,
        answer_text: str | None = None,
        start_position_character: int | None = None,
        title: str | None = None,
        answers: list[Any] | None = None,
        is_impossible: bool = False,
    ) -> None:
        self.qas_id = qas_id
        self.question_text = question_text
        self.context_text = context_text
        self.answer_text = answer_text
        self.title = title
        self.answers = [] if answers is None else answers
        self.is_impossible = is_impossible
        self.start_position, self.end_position = 0, 0
        spans = word_spans(context_text)
        self.doc_tokens = [context_text[start:end] for start, end in spans]
        self.char_to_word_offset: list[int] = []
        for number, end in enumerate([*(start for start, _ in spans), len(context_text)]):
            self.char_to_word_offset += [number - 1] * (end - len(self.char_to_word_offset))
        if start_position_character is not None and answer_text is not None and not is_impossible:
            last = min(start_position_character + len(answer_text), len(context_text)) - 1
            self.start_position = self.char_to_word_offset[start_position_character]
            self.end_position = self.char_to_word_offset[last]


def word_spans(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of the words of a text, which white space divides."""
    spans: list[tuple[int, int]] = []
    start = None
    for place, character in enumerate(text):
        if character in _SPACES:
            if start is not None:
                spans.append((start, place))
            start = None
        elif start is None:
            start = place
    if start is not None:
        spans.append((start, len(text)))
    return spans
