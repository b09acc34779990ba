"""How answers are measured, and two ways to answer that any model has to beat."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from classroom.toyland.grammar import split
from classroom.toyland.views.questions import Question

Answerer = Callable[[Sequence[Question]], list[str]]


def commonest(read: Sequence[Question]) -> Answerer:
    """The answer that is commonest where a question begins with the same two words."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for own in read:
        counts[_beginning(own)][own.answer] += 1
    best = {beginning: answers.most_common(1)[0][0] for beginning, answers in counts.items()}
    return lambda asked: [best.get(_beginning(own), "") for own in asked]


def likeliest_sentence(asked: Sequence[Question]) -> list[str]:
    """The sentence of the context that has most words of the question."""

    def shared(own: Question, sentence: str) -> int:
        return len(set(words_of(own.question)) & set(words_of(sentence)))

    return [max(split(own.context), key=lambda sentence: shared(own, sentence)) for own in asked]


def measure(answerer: Answerer, asked: Sequence[Question]) -> tuple[float, float]:
    """Share of answers that are exactly right, and mean F1 of their words."""
    pairs = list(zip(answerer(asked), (own.answer for own in asked), strict=True))
    exact = sum(answer == true for answer, true in pairs) / len(pairs)
    return exact, sum(overlap(*pair) for pair in pairs) / len(pairs)


def overlap(answer: str, true: str) -> float:
    """F1 of the words of two answers."""
    shared = (Counter(words_of(answer)) & Counter(words_of(true))).total()
    return 2 * shared / max(1, len(words_of(answer)) + len(words_of(true)))


def words_of(text: str) -> list[str]:
    return re.findall(r"[\w-]+", text.lower())


def _beginning(own: Question) -> str:
    return " ".join(own.question.split()[:2])
