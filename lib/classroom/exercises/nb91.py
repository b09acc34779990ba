"""Exercises of notebook 91: padding and truncation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from classroom.exercises import Wrong, exercise

if TYPE_CHECKING:
    import torch

CHECKPOINT = "sentence-transformers/all-MiniLM-L6-v2"
LENGTH, WINDOW, ANSWER = 32, 64, 12


@exercise(
    "91.1",
    "Which arguments turn any list of texts into rows of exactly 32 ids?",
    hints=[
        "Short texts have to grow and long ones to shrink: two arguments, and a third that says how far.",
        "`padding=True` pads to the longest of the batch, and that may be anything.",
        'answer = {"padding": "max_length", "truncation": ..., "max_length": ...}',
    ],
)
def rows_of_a_size(answer: dict[str, Any]) -> str:
    """Keyword arguments, tried on short texts, on long ones, and on both."""
    tokenizer = _tokenizer()
    answer = _as_arguments(answer)
    cases = {
        "two short texts": ["A kite.", "They found it."],
        "a short and a long text": ["A kite.", "kite " * 100],
        "a single text": ["A kite."],
    }
    for name, texts in cases.items():
        try:
            found = sorted({len(ids) for ids in tokenizer(texts, verbose=False, **answer)["input_ids"]})
        except (TypeError, ValueError) as error:
            raise Wrong(f"The tokenizer refuses these arguments: {error}") from error
        if found != [LENGTH]:
            raise Wrong(f"For {name} the rows have {' and '.join(map(str, found))} ids, not {LENGTH}.")
    return "Padding never shortens and truncation never lengthens: a fixed size takes both."


@exercise(
    "91.2",
    "What share of a batch's places is padding?",
    hints=[
        "The mask is 1 at real tokens and 0 at padding.",
        "The mean of the mask is the share that is real.",
        "def waste(attention_mask): return 1 - attention_mask.float().mean().item()",
    ],
)
def share_of_padding(answer: Callable[[torch.Tensor], float]) -> str:
    """A function of a mask, tried on three."""
    import torch

    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for rows in ([[1, 1, 1, 0], [1, 0, 0, 0]], [[1, 1], [1, 1]], [[0, 0, 1]]):
        mask = torch.tensor(rows)
        share = (mask == 0).sum().item() / mask.numel()
        found = float(answer(mask))
        if abs(found - share) < 1e-6:
            continue
        if abs(found - (1 - share)) < 1e-6:
            raise Wrong("That is the share of real tokens; the rest is padding.")
        if abs(found - (mask == 0).sum().item()) < 1e-6:
            raise Wrong("That counts the padding; divide by the number of places.")
        raise Wrong(f"For the mask {rows} the share is {share:.3f}, and this gives {found:.3f}.")
    return "Keep an eye on it: at one half, every second multiplication is for nothing."


@exercise(
    "91.3",
    "How is a long context cut into windows for a question-answering model?",
    hints=[
        "Only one of the two texts may be cut: the context, which comes second.",
        "What was cut comes back as further rows with `return_overflowing_tokens`; they overlap by `stride`.",
        'arguments = {"truncation": "only_second", "max_length": 64, "stride": ..., ...}',
    ],
)
def windows(answer: dict[str, Any]) -> str:
    """Keyword arguments, tried on a question with a context of 200 tokens."""
    answer = _as_arguments(answer)
    if answer.get("truncation") in (True, "longest_first", "only_first"):
        raise Wrong("That cuts the question too, when it is the longer one or is asked to give way.")
    tokenizer = _tokenizer()
    question, context = "where is the kite ?", " ".join(["kite", "well", "tree", "ball"] * 50)
    try:
        encoded = tokenizer(question, context, verbose=False, **answer)
    except Exception as error:  # the fast tokenizer raises plain exceptions
        raise Wrong(f"The tokenizer refuses these arguments: {error}") from error
    rows = encoded["input_ids"]
    if not isinstance(rows[0], list):
        raise Wrong("This gives one window: what was cut off is lost. Ask for it with another argument.")
    if max(map(len, rows)) != WINDOW:
        raise Wrong(f"The windows have up to {max(map(len, rows))} tokens, not {WINDOW}.")
    stride = answer.get("stride", 0)
    if stride < ANSWER:
        raise Wrong(f"Neighbours share {stride} tokens: an answer of {ANSWER} across the seam is in neither.")
    if stride > 2 * ANSWER:
        raise Wrong(f"That works, but with a stride of {stride} much of the context is read several times.")
    return "An answer that starts in a window's last 12 tokens is whole in the next one."


def _tokenizer() -> Any:
    from nanoformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(CHECKPOINT)


def _as_arguments(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise Wrong('Give a dictionary of keyword arguments, such as {"padding": True}.')
    return {name: value for name, value in answer.items() if name not in ("return_tensors", "verbose")}
