"""Text that remembers what each part of it is: the source of answer spans and entity tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple


class Mark(NamedTuple):
    """A part of a passage, `text[start:end]` in characters, and its role."""

    start: int
    end: int
    role: str


@dataclass(frozen=True)
class Passage:
    """A text with marks; marks may nest."""

    text: str
    marks: tuple[Mark, ...] = ()

    def marked(self, role: str) -> Passage:
        """Return the passage with one more mark, over all of it."""
        return Passage(self.text, (*self.marks, Mark(0, len(self.text), role)))

    def capitalised(self) -> Passage:
        """Return the passage with a capital first letter (of the same length)."""
        return Passage(self.text[:1].upper() + self.text[1:], self.marks)

    def find(self, role: str) -> Mark | None:
        """Return the first mark with this role, or None."""
        return min((mark for mark in self.marks if mark.role == role), key=lambda m: m.start, default=None)


Part = str | Passage


def join(parts: Sequence[Part], separator: str = "") -> Passage:
    """Put parts one after the other; their marks move with them."""
    texts: list[str] = []
    marks: list[Mark] = []
    offset = 0
    for number, part in enumerate(parts):
        if number and separator:
            texts.append(separator)
            offset += len(separator)
        if isinstance(part, str):
            texts.append(part)
            offset += len(part)
        else:
            texts.append(part.text)
            marks.extend(Mark(m.start + offset, m.end + offset, m.role) for m in part.marks)
            offset += len(part.text)
    return Passage("".join(texts), tuple(marks))


@cache
def pieces(template: str) -> tuple[str, ...]:
    """Split "a {b} c" into ("a ", "b", " c"): literal text at even positions, slot names at odd ones."""
    return tuple(re.split(r"\{(\w+)\}", template))


def fill(template: str, **slots: Part) -> Passage:
    """Fill the `{slots}` of a template; a slot that is a passage becomes a mark of that name.

    >>> fill("{name} sang.", name=Passage("Nina")).marks
    (Mark(start=0, end=4, role='name'),)
    """
    parts: list[Part] = []
    for number, piece in enumerate(pieces(template)):
        if number % 2 == 0:
            parts.append(piece)
        else:
            value = slots[piece]
            parts.append(value if isinstance(value, str) else value.marked(piece))
    return join(parts)
