"""What a learner sees after an answer or a request for help: colour in a notebook, plain text elsewhere."""

from __future__ import annotations

import html
from dataclasses import dataclass

_STYLES = {
    "right": ("✓", "Right", "#2e7d32"),
    "wrong": ("✗", "Not right", "#c62828"),
    "open": ("…", "Not yet", "#b26a00"),
    "hint": ("?", "Hint", "#1565c0"),
}


@dataclass(frozen=True)
class Verdict:
    """The outcome for one exercise.

    Attributes:
        exercise: its id, such as "03.1".
        outcome: 'right', 'wrong', 'open' (nothing answered yet) or 'hint'.
        message: why, in a sentence or two.
        advice: what to try next; empty when there is nothing to add.
    """

    exercise: str
    outcome: str
    message: str
    advice: str = ""

    def __bool__(self) -> bool:
        """True when the answer is right."""
        return self.outcome == "right"

    def __repr__(self) -> str:
        mark, word, _ = _STYLES[self.outcome]
        lines = [f"{mark} {self.exercise} {word}. {self.message}", self.advice]
        return "\n".join(line for line in lines if line)

    def _repr_html_(self) -> str:
        mark, word, colour = _STYLES[self.outcome]
        advice = f'<br><span style="opacity:.8">{_prose(self.advice)}</span>' if self.advice else ""
        return (
            f'<div style="border-left:4px solid {colour};padding:.4em .8em;margin:.2em 0">'
            f'<strong style="color:{colour}">{mark} {word}</strong> '
            f'<span style="opacity:.6">{html.escape(self.exercise)}</span><br>'
            f"{_prose(self.message)}{advice}</div>"
        )


def _prose(text: str) -> str:
    """Escape `text` for HTML; what stands between backticks becomes code."""
    pieces = html.escape(text).split("`")
    if len(pieces) % 2 == 0:
        return "`".join(pieces)
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))
