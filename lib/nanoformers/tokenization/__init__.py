"""Tokenizers: text to model inputs and back.

Read in this order: `encoding` (what a tokenizer returns), `calling` and `decoding` (what one does with it),
`base` (what all have in common), `slow` (pure Python) and `fast` (Rust), `converting` (from one to the
other); `preparing` truncates and pads, `strategies` holds the choices, `special_tokens`, `files` and
`loading` do what their names say. `byte_level` and `sentence_pieces` are what several architectures share.
"""

from tokenizers import AddedToken

from .base import PreTrainedTokenizerBase
from .encoding import BatchEncoding, CharSpan, TokenSpan
from .fast import PreTrainedTokenizerFast
from .files import ADDED_TOKENS_FILE, FULL_TOKENIZER_FILE, SPECIAL_TOKENS_MAP_FILE, TOKENIZER_CONFIG_FILE
from .slow import PreTrainedTokenizer
from .special_tokens import SpecialTokensMixin
from .strategies import PaddingStrategy, TensorType, TruncationStrategy

__all__ = [
    "ADDED_TOKENS_FILE",
    "FULL_TOKENIZER_FILE",
    "SPECIAL_TOKENS_MAP_FILE",
    "TOKENIZER_CONFIG_FILE",
    "AddedToken",
    "BatchEncoding",
    "CharSpan",
    "PaddingStrategy",
    "PreTrainedTokenizer",
    "PreTrainedTokenizerBase",
    "PreTrainedTokenizerFast",
    "SpecialTokensMixin",
    "TensorType",
    "TokenSpan",
    "TruncationStrategy",
]
