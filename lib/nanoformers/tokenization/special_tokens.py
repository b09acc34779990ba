"""Special and added tokens: their names, their properties, and their form in JSON files.

Mirrors `SpecialTokensMixin` of the documentation page `internal/tokenization_utils`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokenizers import AddedToken

from ..utils import logging

__all__ = ["NAMES", "SpecialTokensMixin", "tokens_from_json", "tokens_to_json"]

logger = logging.get_logger(__name__)

SINGLE_NAMES = (
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
)
NAMES = (*SINGLE_NAMES, "additional_special_tokens")

Token = str | AddedToken


class _SpecialToken:
    """The property `xxx_token`: its text, or None and a logged error when it is not set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.__doc__ = f"The {name.replace('_', ' ')} as text; None, with a logged error, when it is not set."

    def __get__(self, tokenizer: SpecialTokensMixin | None, owner: type) -> Any:
        if tokenizer is None:
            return self
        token = tokenizer.__dict__.get(f"_{self.name}")
        if token is None:
            if tokenizer.verbose:
                logger.error(f"Using {self.name}, but it is not set yet.")
            return None
        return str(token)

    def __set__(self, tokenizer: SpecialTokensMixin, value: Token | None) -> None:
        if value is not None and not isinstance(value, (str, AddedToken)):
            raise ValueError(
                f"Cannot set a non-string value as the {self.name}: got {value!r} of type "
                f"{type(value).__name__}, a str, an AddedToken or None is needed."
            )
        tokenizer.__dict__[f"_{self.name}"] = value


class _SpecialTokenId:
    """The property `xxx_token_id`: the id of the token of that name, or None when it is not set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.token_name = name.removesuffix("_id")
        self.__doc__ = f"The id of the {self.token_name.replace('_', ' ')}, or None when it is not set."

    def __get__(self, tokenizer: SpecialTokensMixin | None, owner: type) -> Any:
        if tokenizer is None:
            return self
        token = tokenizer.__dict__.get(f"_{self.token_name}")
        return None if token is None else tokenizer.convert_tokens_to_ids(str(token))

    def __set__(self, tokenizer: SpecialTokensMixin, value: int | None) -> None:
        token = None if value is None else tokenizer.convert_ids_to_tokens(value)
        setattr(tokenizer, self.token_name, token)


class SpecialTokensMixin:
    """Gives a tokenizer its special tokens, each with two properties that can be set: `xxx_token(_id)`.

    Args:
        verbose: whether reading a token that is not set logs an error.
        bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token: str or `AddedToken`.
        additional_special_tokens: list of str or `AddedToken`.

    Raises:
        ValueError: a special token that is neither text nor an `AddedToken`.
    """

    bos_token = _SpecialToken()
    eos_token = _SpecialToken()
    unk_token = _SpecialToken()
    sep_token = _SpecialToken()
    pad_token = _SpecialToken()
    cls_token = _SpecialToken()
    mask_token = _SpecialToken()

    bos_token_id = _SpecialTokenId()
    eos_token_id = _SpecialTokenId()
    unk_token_id = _SpecialTokenId()
    sep_token_id = _SpecialTokenId()
    pad_token_id = _SpecialTokenId()
    cls_token_id = _SpecialTokenId()
    mask_token_id = _SpecialTokenId()

    def __init__(self, verbose: bool = True, **kwargs: Any) -> None:
        for name in SINGLE_NAMES:
            self.__dict__[f"_{name}"] = None
        self._additional_special_tokens: list[Token] = []
        self._pad_token_type_id = 0
        self.verbose = verbose
        for name in NAMES:
            if kwargs.get(name) is not None:
                setattr(self, name, kwargs[name])

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """Return the id of a token, or the ids of a list of tokens."""
        raise AttributeError("a tokenizer class defines convert_tokens_to_ids")

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """Return the token of an id, or the tokens of a list of ids."""
        raise AttributeError("a tokenizer class defines convert_ids_to_tokens")

    @property
    def pad_token_type_id(self) -> int:
        """The `token_type_ids` of padding."""
        return self._pad_token_type_id

    @property
    def additional_special_tokens(self) -> list[str]:
        """The special tokens that have no name of their own."""
        return [str(token) for token in self._additional_special_tokens]

    @additional_special_tokens.setter
    def additional_special_tokens(self, value: Sequence[Token] | None) -> None:
        if isinstance(value, (str, AddedToken)) or not all(
            isinstance(token, (str, AddedToken)) for token in value or ()
        ):
            raise ValueError(
                f"additional_special_tokens has to be a list of str or AddedToken, got {value!r}."
            )
        self._additional_special_tokens = list(value or ())

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        """The ids of `additional_special_tokens`."""
        return self.convert_tokens_to_ids(self.additional_special_tokens)

    @additional_special_tokens_ids.setter
    def additional_special_tokens_ids(self, values: list[int]) -> None:
        self._additional_special_tokens = [self.convert_ids_to_tokens(value) for value in values]

    @property
    def special_tokens_map_extended(self) -> dict[str, Token | list[Token]]:
        """{name: token}, of the special tokens that are set; an `AddedToken` stays what it is."""
        return {name: value for name in NAMES if (value := getattr(self, f"_{name}"))}

    @property
    def special_tokens_map(self) -> dict[str, str | list[str]]:
        """{name: text}, of the special tokens that are set."""
        return {
            name: [str(token) for token in value] if isinstance(value, list) else str(value)
            for name, value in self.special_tokens_map_extended.items()
        }

    @property
    def all_special_tokens_extended(self) -> list[Token]:
        """Every special token once, in the order of their names; an `AddedToken` stays what it is."""
        tokens: dict[str, Token] = {}
        for value in self.special_tokens_map_extended.values():
            for token in value if isinstance(value, list) else [value]:
                tokens.setdefault(str(token), token)
        return list(tokens.values())

    @property
    def all_special_tokens(self) -> list[str]:
        """The text of every special token, once."""
        return [str(token) for token in self.all_special_tokens_extended]

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of `all_special_tokens`."""
        return self.convert_tokens_to_ids(self.all_special_tokens)

    def sanitize_special_tokens(self) -> int:
        """Add the special tokens that the vocabulary lacks; return how many that was."""
        logger.warning_once(
            "`sanitize_special_tokens` is deprecated: special tokens are added when they are set."
        )
        return self.add_tokens(self.all_special_tokens_extended, special_tokens=True)

    def add_special_tokens(
        self,
        special_tokens_dict: dict[str, Token | Sequence[Token]],
        replace_additional_special_tokens: bool = True,
    ) -> int:
        """Set special tokens by name, and add those to the vocabulary that it lacks.

        After this, resize the embeddings: `model.resize_token_embeddings(len(tokenizer))`.

        Args:
            special_tokens_dict: {name: token}, of the seven `xxx_token` names and `additional_special_tokens`
                (a list).
            replace_additional_special_tokens: whether a given list of additional ones replaces the present
                one; otherwise it is appended. Replaced tokens stay in the vocabulary.

        Returns:
            How many tokens the vocabulary has grown by.

        Raises:
            ValueError: an unknown name, or a token that is neither str nor `AddedToken`.
        """
        to_add: list[Token] = []
        for name, value in special_tokens_dict.items():
            if name not in NAMES:
                raise ValueError(f"Key {name} is not a special token. The names are: {', '.join(NAMES)}.")
            if name == "additional_special_tokens":
                if isinstance(value, (str, AddedToken)) or not all(
                    isinstance(token, (str, AddedToken)) for token in value
                ):
                    raise ValueError(
                        f"Tokens {value!r} for key {name} should all be str or AddedToken instances"
                    )
                tokens = [_as_special(token) for token in value]
                present = [] if replace_additional_special_tokens else list(self._additional_special_tokens)
                known = {str(token) for token in present}
                self._additional_special_tokens = present + [t for t in tokens if str(t) not in known]
                to_add += tokens
            else:
                if not isinstance(value, (str, AddedToken)):
                    raise ValueError(
                        f"Token {value!r} for key {name} should be a str or an AddedToken instance"
                    )
                token = _as_special(value)
                setattr(self, name, token)
                to_add.append(token)
        return self.add_tokens(to_add, special_tokens=True)

    def add_tokens(self, new_tokens: Token | Sequence[Token], special_tokens: bool = False) -> int:
        """Add tokens to the vocabulary, after its last id; those that it has are left as they are.

        Added tokens are found in the text before it is split, so they are never split themselves. After this,
        resize the embeddings: `model.resize_token_embeddings(len(tokenizer))`.

        Args:
            new_tokens: one or several, str or `AddedToken` (which can strip spaces around itself, match only
                whole words, and so on).
            special_tokens: whether they are special: `skip_special_tokens=True` leaves them out of decoded
                text, and text is searched for them before it is normalised (lower-cased, say).

        Returns:
            How many tokens the vocabulary has grown by.
        """
        if not new_tokens:
            return 0
        tokens = [new_tokens] if isinstance(new_tokens, (str, AddedToken)) else list(new_tokens)
        for token in tokens:
            if not isinstance(token, (str, AddedToken)):
                raise TypeError(f"Token {token!r} is not a str or AddedToken but a {type(token).__name__}.")
        return self._add_tokens(tokens, special_tokens=special_tokens)

    def _add_tokens(self, new_tokens: list[Token], special_tokens: bool = False) -> int:
        raise AttributeError("a tokenizer class defines _add_tokens")


def _as_special(token: Token) -> AddedToken:
    """Return `token` as an `AddedToken` that is found in raw text and left out by `skip_special_tokens`."""
    if isinstance(token, AddedToken):
        token.special = True
        return token
    return AddedToken(token, normalized=False, special=True)


def tokens_to_json(value: Any, *, with_type: bool = True) -> Any:
    """Return `value` with every `AddedToken` inside it as a dictionary.

    Args:
        value: a token, or lists and dictionaries of them.
        with_type: whether the dictionaries say that they are tokens (`"__type": "AddedToken"`).
    """
    if isinstance(value, AddedToken):
        fields = {
            "content": value.content,
            "lstrip": value.lstrip,
            "normalized": value.normalized,
            "rstrip": value.rstrip,
            "single_word": value.single_word,
        }
        return {"__type": "AddedToken", **fields, "special": value.special} if with_type else fields
    if isinstance(value, dict):
        return {key: tokens_to_json(item, with_type=with_type) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [tokens_to_json(item, with_type=with_type) for item in value]
    return value


def tokens_from_json(value: Any) -> Any:
    """Return `value` with `AddedToken`s for the dictionaries that `tokens_to_json` made of them."""
    if isinstance(value, dict):
        if value.get("__type") == "AddedToken":
            return AddedToken(**{key: item for key, item in value.items() if key != "__type"})
        return {key: tokens_from_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [tokens_from_json(item) for item in value]
    return value
