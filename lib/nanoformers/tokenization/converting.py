"""From a tokenizer in pure Python to the `tokenizers.Tokenizer` that does the same, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

if TYPE_CHECKING:
    from .fast import PreTrainedTokenizerFast
    from .slow import PreTrainedTokenizer

__all__ = ["convert_slow_tokenizer", "fast_counterpart", "slow_files"]


def convert_slow_tokenizer(transformer_tokenizer: PreTrainedTokenizer) -> Tokenizer:
    """Return what a fast tokenizer wraps, made from a slow tokenizer.

    The vocabulary, the splitting and the special tokens around a text are the slow tokenizer's; tokens added
    to it later are not in the result (`PreTrainedTokenizerFast` adds them by name).

    Args:
        transformer_tokenizer: the tokenizer in pure Python.

    Raises:
        ValueError: its class does not say how it is converted.
    """
    return transformer_tokenizer.fast_backend()


def fast_counterpart(slow_class: type) -> type[PreTrainedTokenizerFast] | None:
    """Return the fast class whose `slow_tokenizer_class` this is; None when there is none."""
    from .fast import PreTrainedTokenizerFast

    waiting: list[type[PreTrainedTokenizerFast]] = [PreTrainedTokenizerFast]
    while waiting:
        candidate = waiting.pop()
        if candidate.__dict__.get("slow_tokenizer_class") is slow_class:
            return candidate
        waiting += candidate.__subclasses__()
    return None


@contextmanager
def slow_files(slow_class: type[Any], tokenizer_file: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    """Make a tokenizer.json into what a slow class takes; the files are there for the time of a `with`.

    Args:
        slow_class: the class in Python, which has a fast counterpart.
        tokenizer_file: path of tokenizer.json.
        arguments: of the class.

    Yields:
        Arguments of the slow class: the path of each vocabulary file, and the added tokens.

    Raises:
        ValueError: the file holds a tokenizer of another kind.
    """
    fast_class = fast_counterpart(slow_class)
    assert fast_class is not None
    fast = fast_class(tokenizer_file=tokenizer_file, **arguments)
    with TemporaryDirectory() as folder:
        fast.save_vocabulary(folder)
        paths = {name: str(Path(folder) / file) for name, file in slow_class.vocab_files_names.items()}
        yield {**paths, "added_tokens_decoder": fast.added_tokens_decoder}
