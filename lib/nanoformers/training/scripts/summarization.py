"""What the two scripts for summarization share: with the Trainer, and with a loop of one's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..argument_parser import HfArg
from .reading import column, column_if_any
from .sequence_to_sequence import TextToTextArguments

if TYPE_CHECKING:
    from datasets import DatasetDict

__all__ = ["SummarizationArguments", "line_by_sentence"]


@dataclass
class SummarizationArguments(TextToTextArguments):
    """Which data, which of their columns, and how long texts may be."""

    text_column: str | None = HfArg(default=None, help="Column of the texts (article).")
    summary_column: str | None = HfArg(default=None, help="Column of their summaries (highlights).")

    def columns(self, data: DatasetDict) -> tuple[str, str]:
        """Return the columns of texts and summaries: those of the arguments, else under their usual names.

        Raises:
            ValueError: there is no such column.
        """
        return self.text_column_of(data), column(data, *self._summary)

    def columns_to_predict(self, data: DatasetDict) -> tuple[str, str | None]:
        """Return the same columns for summaries that nobody has written yet: None where there is no column.

        Raises:
            ValueError: there is no column of texts, or none of a name that was given.
        """
        return self.text_column_of(data), column_if_any(data, *self._summary)

    def text_column_of(self, data: DatasetDict) -> str:
        """Return the column of texts."""
        return column(data, "--text_column", self.text_column, "article", "document", "text", "story")

    @property
    def _summary(self) -> tuple[Any, ...]:
        usual = ("highlights", "summary", "headline", "title")
        return "--summary_column", self.summary_column, *usual


def line_by_sentence(text: str) -> str:
    """Put each sentence on a line of its own, as ROUGE-Lsum expects them."""
    return re.sub(r"(?<=[.!?])\s+|(?<=[。！？])", "\n", text).strip()
