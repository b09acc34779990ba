"""Tokenizers in pure Python.

Mirrors `PreTrainedTokenizer` of the documentation page `main_classes/tokenizer`. A subclass defines
`vocab_size`, `get_vocab`, `_tokenize`, `_convert_token_to_id`, `_convert_id_to_token`, and, as needed,
`convert_tokens_to_string`, `build_inputs_with_special_tokens` and `save_vocabulary`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from tokenizers import AddedToken, Tokenizer

from ..utils import logging
from .base import PreTrainedTokenizerBase
from .calling import EncodingOptions
from .encoding import BatchEncoding

__all__ = ["PreTrainedTokenizer"]

logger = logging.get_logger(__name__)


class PreTrainedTokenizer(PreTrainedTokenizerBase):
    """Base class of all tokenizers in pure Python.

    A text is first searched for added tokens, which are never split; what lies between them goes to
    `_tokenize` of the subclass.

    Args:
        kwargs: see `PreTrainedTokenizerBase`.
    """

    def __init__(self, **kwargs: Any) -> None:
        self._added_tokens_decoder: dict[int, AddedToken] = {}
        self._added_tokens_encoder: dict[str, int] = {}
        self._finders: dict[bool, re.Pattern[str]] = {}
        for index, token in kwargs.pop("added_tokens_decoder", {}).items():
            self._added_tokens_decoder[index] = token
            self._added_tokens_encoder[token.content] = index
        super().__init__(**kwargs)
        self._add_tokens(
            [t for t in self.all_special_tokens_extended if str(t) not in self._added_tokens_encoder],
            special_tokens=True,
        )

    # Hooks

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        """Split text that has no added tokens in it."""
        raise NotImplementedError(f"{type(self).__name__} does not define _tokenize().")

    def _convert_token_to_id(self, token: str) -> int | None:
        raise NotImplementedError(f"{type(self).__name__} does not define _convert_token_to_id().")

    def _convert_id_to_token(self, index: int) -> str | None:
        raise NotImplementedError(f"{type(self).__name__} does not define _convert_id_to_token().")

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Change a text before it is split (for a subclass to define).

        Returns:
            The text, and the arguments in `kwargs` that this method did not use.
        """
        return text, kwargs

    def fast_backend(self) -> Tokenizer:
        """Return the `tokenizers.Tokenizer` that splits texts as this tokenizer does (for a subclass).

        Raises:
            ValueError: this class does not say how it is converted.
        """
        raise ValueError(
            f"{type(self).__name__} does not say how it is converted to a fast tokenizer: define its "
            "`fast_backend`, or load a tokenizer.json."
        )

    # Vocabulary

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """{text: id} of the added tokens, in the order of their ids."""
        return dict(sorted(self._added_tokens_encoder.items(), key=lambda item: item[1]))

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """{id: AddedToken} of the added tokens, in the order of their ids."""
        return dict(sorted(self._added_tokens_decoder.items()))

    def get_added_vocab(self) -> dict[str, int]:
        """Return {text: id} of the added tokens."""
        return self.added_tokens_encoder

    def _add_tokens(self, new_tokens: list[str | AddedToken], special_tokens: bool = False) -> int:
        vocab = self.get_vocab()
        size = len(vocab)
        next_id = size
        lower_case = getattr(self, "do_lower_case", False)
        for token in new_tokens:
            if str(token) == "" or str(token) in self._added_tokens_encoder:
                continue
            if isinstance(token, str):
                special = special_tokens or token in self.all_special_tokens
                token = AddedToken(token, normalized=not special, special=special)
            elif special_tokens:
                token.special = True
            if lower_case and token.normalized and not token.special:
                token.content = token.content.lower()
            if token.content in self._added_tokens_encoder:
                continue
            index = vocab.get(token.content)
            if index is None:
                index = next_id
                next_id += 1
                vocab[token.content] = index
            if token.special and token.content not in self.all_special_tokens:
                self._additional_special_tokens.append(token)
            self._added_tokens_decoder[index] = token
            self._added_tokens_encoder[token.content] = index
        self._finders.clear()
        return next_id - size

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """Return the id of a token, or the ids of a list of tokens (the unknown token's for unknown ones)."""
        if tokens is None:
            return None
        if isinstance(tokens, str):
            return self._id_of(tokens)
        return [self._id_of(token) for token in tokens]

    def _id_of(self, token: str) -> int | None:
        index = self._added_tokens_encoder.get(token)
        return self._convert_token_to_id(token) if index is None else index

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """Return the token of an id, or the tokens of a list of ids, perhaps without special ones."""
        if isinstance(ids, int):
            return self._token_of(ids)
        special = set(self.all_special_ids) if skip_special_tokens else ()
        return [self._token_of(int(index)) for index in ids if int(index) not in special]

    def _token_of(self, index: int) -> str | None:
        token = self._added_tokens_decoder.get(index)
        return self._convert_id_to_token(index) if token is None else token.content

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """Return how many special tokens are put around a text (or a pair)."""
        return len(self.build_inputs_with_special_tokens([], [] if pair else None))

    # Splitting

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        """Split a text into tokens, as text; unknown pieces become the unknown token.

        Args:
            text: the text.
            pair: for fast tokenizers; slow ones split the text only.
            add_special_tokens: for fast tokenizers.
            kwargs: passed to `prepare_for_tokenization`; `split_special_tokens` replaces the attribute of
                that name.
        """
        split_special_tokens = kwargs.pop("split_special_tokens", self.split_special_tokens)
        text, unused = self.prepare_for_tokenization(text, **kwargs)
        if unused:
            logger.warning(f"Keyword arguments {unused} not recognized.")
        finder = self._finders.get(split_special_tokens) or self._make_finder(split_special_tokens)
        pieces = finder.split(text)  # text, added token, text, ..., text
        if len(pieces) == 1:
            return self._tokenize(text)
        tokens: list[str] = []
        for number, piece in enumerate(pieces):
            if number % 2:
                found = piece.strip()
                tokens.append(piece if piece in self._added_tokens_encoder else self._spelled(piece, found))
            elif piece:
                tokens.extend(self._tokenize(piece))
        return tokens

    def _spelled(self, piece: str, stripped: str) -> str:
        """Return the added token that was found as `piece`: with spaces around it, or in other case."""
        encoder = self._added_tokens_encoder
        for candidate in (stripped, piece.lower(), stripped.lower()):
            if candidate in encoder:
                return candidate
        return stripped

    def _make_finder(self, split_special_tokens: bool) -> re.Pattern[str]:
        """Compile an expression with one group that finds added tokens; longer ones are preferred."""
        lower_case = getattr(self, "do_lower_case", False)

        def surroundings(token: AddedToken) -> tuple[str, str]:
            """Return what stands before and behind a token in the expression."""
            any_case = lower_case and token.normalized and not token.special
            before = (r"\s*" if token.lstrip else "") + (r"(?<!\w)" if token.single_word else "")
            behind = (r"(?!\w)" if token.single_word else "") + (r"\s*" if token.rstrip else "")
            return before + ("(?i:" if any_case else "(?:"), ")" + behind

        tokens = [t for t in self._added_tokens_decoder.values() if not (t.special and split_special_tokens)]
        tokens.sort(key=lambda token: len(token.content), reverse=True)
        alternatives = []  # those with the same surroundings together: a hundred sentinels are one of them
        for (before, behind), alike in itertools.groupby(tokens, surroundings):
            alternatives.append(before + "|".join(re.escape(token.content) for token in alike) + behind)
        finder = re.compile(f"({'|'.join(alternatives)})" if alternatives else r"(?!)")
        self._finders[split_special_tokens] = finder
        return finder

    # Encoding

    def _ids(self, text: Any, options: EncodingOptions) -> list[int]:
        """Return the ids of a text, of its words, or of a list of tokens or ids."""
        if isinstance(text, str):
            return self.convert_tokens_to_ids(self.tokenize(text, **options.others))
        if isinstance(text, (list, tuple)) and (not text or isinstance(text[0], str)):
            if options.is_split_into_words:
                words = (self.tokenize(word, is_split_into_words=True, **options.others) for word in text)
                return self.convert_tokens_to_ids([token for word in words for token in word])
            return self.convert_tokens_to_ids(list(text))
        if isinstance(text, (list, tuple)) and isinstance(text[0], int):
            return list(text)
        raise ValueError(
            f"Input {text!r} is not valid. It should be a str, a list or tuple of str (words or tokens), or "
            "a list or tuple of int (ids)."
        )

    def _encode_one(self, text: Any, pair: Any, options: EncodingOptions) -> BatchEncoding:
        self._refuse_offsets(options)
        ids = self._ids(text, options)
        pair_ids = None if pair is None else self._ids(pair, options)
        member = self._prepare(ids, pair_ids, options)
        return self._finish([member], options, single=True, prepend_batch_axis=True)

    def _encode_batch(self, batch: Sequence[Any], options: EncodingOptions) -> BatchEncoding:
        self._refuse_offsets(options)
        members = []
        for item in batch:
            text, pair = self._text_and_pair(item, options.is_split_into_words)
            ids = self._ids(text, options)
            pair_ids = None if pair is None else self._ids(pair, options)
            members.append(self._prepare(ids, pair_ids, options))
        return self._finish(members, options, single=False)

    @staticmethod
    def _text_and_pair(item: Any, words: bool) -> tuple[Any, Any]:
        """Tell a text from a pair of texts: with words, a pair is a pair of lists."""
        if not isinstance(item, (list, tuple)):
            return item, None
        if (
            len(item) == 2
            and (not words or isinstance(item[0], (list, tuple)))
            and not isinstance(item[0], int)
        ):
            return item[0], item[1]
        return item, None

    def _refuse_offsets(self, options: EncodingOptions) -> None:
        if options.return_offsets_mapping:
            raise NotImplementedError(
                "return_offset_mapping is not available when using Python tokenizers. To use this feature, "
                "change your tokenizer to one deriving from PreTrainedTokenizerFast."
            )

    # Decoding

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens with spaces."""
        return " ".join(tokens)

    def _decode(
        self,
        token_ids: list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        spaces_between_special_tokens: bool = True,
        **kwargs: Any,
    ) -> str:
        tokens = self.convert_ids_to_tokens(token_ids, skip_special_tokens=skip_special_tokens)
        vocab_size = self.vocab_size
        apart = self._added_tokens_encoder.keys() - set(self.all_special_tokens)
        apart |= {t for t in self.additional_special_tokens if self.convert_tokens_to_ids(t) >= vocab_size}
        texts: list[str] = []
        run: list[str] = []  # tokens that are joined together; added ones stand apart
        for token in tokens:
            if token in apart:
                if run and (joined := self.convert_tokens_to_string(run)):
                    texts.append(joined)
                run = []
                texts.append(token)
            else:
                run.append(token)
        if run:
            texts.append(self.convert_tokens_to_string(run))
        text = (" " if spaces_between_special_tokens else "").join(texts)
        clean_up = (
            self.clean_up_tokenization_spaces
            if clean_up_tokenization_spaces is None
            else clean_up_tokenization_spaces
        )
        return self.clean_up_tokenization(text) if clean_up else text
