"""Turning ids back into text."""

from __future__ import annotations

from typing import Any

from .tensors import to_python

__all__ = ["Decoding"]


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
        """
        token_ids = to_python(token_ids)
        if isinstance(token_ids, int):
            token_ids = [token_ids]
        return self._decode(token_ids, skip_special_tokens, clean_up_tokenization_spaces, **kwargs)

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
