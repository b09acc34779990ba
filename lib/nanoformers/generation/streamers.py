"""Receiving text while it is generated.

Mirrors the documentation page `internal/generation_utils`: `generate(..., streamer=...)` gives a streamer the
prompt and then each token as it comes (`put`), and tells it when there are no more (`end`).
"""

from __future__ import annotations

from queue import Queue
from typing import Any

import torch

__all__ = ["BaseStreamer", "TextIteratorStreamer", "TextStreamer"]

# the Unicode blocks of ideographs, each of which can be shown by itself
_IDEOGRAPHS = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)


class BaseStreamer:
    """Base of what receives tokens while they are generated."""

    def put(self, value: torch.Tensor) -> None:
        """Receive the prompt (b, s), and then a token a row (b,)."""
        raise NotImplementedError(f"{type(self).__name__} needs a `put` of its own.")

    def end(self) -> None:
        """Learn that there are no more."""
        raise NotImplementedError(f"{type(self).__name__} needs an `end` of its own.")


class TextStreamer(BaseStreamer):
    """Prints text as soon as whole words are there.

    Args:
        tokenizer: decodes the tokens.
        skip_prompt: do not print the prompt.
        decode_kwargs: arguments of `tokenizer.decode`, such as `skip_special_tokens=True`.
    """

    def __init__(self, tokenizer: Any, skip_prompt: bool = False, **decode_kwargs: Any) -> None:
        self.tokenizer = tokenizer
        self.skip_prompt = skip_prompt
        self.decode_kwargs = decode_kwargs
        self._start_line()
        self.next_tokens_are_prompt = True

    def _start_line(self) -> None:
        self.token_cache: list[int] = []  # tokens since the last line break
        self.print_len = 0  # characters of theirs that are out

    def put(self, value: torch.Tensor) -> None:
        """Receive tokens of one text, and print what can no longer change.

        Raises:
            ValueError: there are several texts.
        """
        if value.ndim > 1:
            if value.shape[0] > 1:
                raise ValueError("TextStreamer only supports batch size 1")
            value = value[0]
        is_prompt, self.next_tokens_are_prompt = self.next_tokens_are_prompt, False
        if is_prompt and self.skip_prompt:
            return
        self.token_cache += value.tolist()
        text = self._decoded()
        if text.endswith("\n"):
            self.on_finalized_text(text[self.print_len :])
            self._start_line()
            return
        # a last word may go on, and a last character may be a part of one; an ideograph is whole
        end = len(text) if text and _is_ideograph(text[-1]) else text.rfind(" ") + 1
        finished = text[self.print_len : end]
        self.print_len += len(finished)
        self.on_finalized_text(finished)

    def end(self) -> None:
        """Print the rest."""
        rest = self._decoded()[self.print_len :] if self.token_cache else ""
        self._start_line()
        self.next_tokens_are_prompt = True
        self.on_finalized_text(rest, stream_end=True)

    def _decoded(self) -> str:
        return self.tokenizer.decode(self.token_cache, **self.decode_kwargs)

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Do something with text that can no longer change: here, print it."""
        print(text, flush=True, end="\n" if stream_end else "")


class TextIteratorStreamer(TextStreamer):
    """Keeps text for whoever iterates over it while `generate` runs in another thread.

    Args:
        tokenizer: decodes the tokens.
        skip_prompt: leave the prompt out.
        timeout: seconds to wait for text before `queue.Empty` is raised; None waits for ever, also when
            `generate` has failed in its thread.
        decode_kwargs: arguments of `tokenizer.decode`.
    """

    def __init__(
        self, tokenizer: Any, skip_prompt: bool = False, timeout: float | None = None, **decode_kwargs: Any
    ) -> None:
        super().__init__(tokenizer, skip_prompt, **decode_kwargs)
        self.text_queue: Queue[str | None] = Queue()
        self.stop_signal = None
        self.timeout = timeout

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Put text into the queue, and the mark of the end after the last."""
        self.text_queue.put(text, timeout=self.timeout)
        if stream_end:
            self.text_queue.put(self.stop_signal, timeout=self.timeout)

    def __iter__(self) -> TextIteratorStreamer:
        return self

    def __next__(self) -> str:
        value = self.text_queue.get(timeout=self.timeout)
        if value is None:
            raise StopIteration
        return value


def _is_ideograph(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _IDEOGRAPHS)
