"""Turning ids back into text."""

from __future__ import annotations

from typing import Any

from .tensors import to_python

__all__ = ["Decoding"]


def _better_told(error: Exception, token_ids: Any) -> Exception:
    """Return an exception that tells what is wrong with the ids, or `error` if nothing is."""
    if not isinstance(token_ids, (list, tuple)):
        return TypeError(f"Ids are an int, or a list, array or tensor of int, and not {token_ids!r}.")
    for index in token_ids:
        if isinstance(index, (list, tuple)):
            return TypeError("These are the ids of several texts, which `batch_decode` takes.")
        if not hasattr(index, "__index__"):
            return TypeError(f"Ids are int, and {index!r} among them is none.")
        if index < 0:
            return OverflowError(
                f"The id {index} stands for no token. If it marks what a loss ignores, put "
                "`tokenizer.pad_token_id` in its place first."
            )
    return error


class Decoding:
    """The part of a tokenizer that decodes; a subclass knows how tokens are joined."""

    def _decode(
        self,
        token_ids: list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> str:
        raise NotImplementedError(f"{type(self).__name__} does not define _decode().")

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens to a text."""
        raise NotImplementedError(f"{type(self).__name__} does not define convert_tokens_to_string().")

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> str:
        """Turn ids back into text.

        Args:
            token_ids: an id, or a list, array or tensor of one dimension.
            skip_special_tokens: whether to leave special tokens out.
            clean_up_tokenization_spaces: whether to remove spaces before punctuation and in contractions;
                by default what the tokenizer's attribute of that name says.
            kwargs: `spaces_between_special_tokens=True` (slow): whether added tokens get spaces around them.

        Raises:
            OverflowError: an id is negative (fast; the slow ones take it for unknown).
            TypeError: these are no ids, or those of several texts.
        """
        token_ids = to_python(token_ids)
        if isinstance(token_ids, int):
            token_ids = [token_ids]
        try:
            return self._decode(token_ids, skip_special_tokens, clean_up_tokenization_spaces, **kwargs)
        except (TypeError, ValueError, OverflowError) as error:
            raise _better_told(error, token_ids) from error

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Turn a batch of ids (lists, or an array or tensor of two dimensions) into texts; see `decode`."""
        return [
            self.decode(ids, skip_special_tokens, clean_up_tokenization_spaces, **kwargs)
            for ids in to_python(sequences)
        ]

    @staticmethod
    def clean_up_tokenization(out_string: str) -> str:
        """Remove the spaces that tokenization left before punctuation and in English contractions."""
        for mark in (" .", " ?", " !", " ,"):
            out_string = out_string.replace(mark, mark[1:])
        out_string = out_string.replace(" ' ", "'")
        for ending in (" n't", " 'm", " 's", " 've", " 're"):
            out_string = out_string.replace(ending, ending[1:])
        return out_string
