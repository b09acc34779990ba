"""From a question and a long text to windows that a model can read.

Mirrors `squad_convert_examples_to_features` of the documentation page `main_classes/processors`. The text is
tokenized word by word; windows over it begin every `doc_stride` tokens, and each is read with the question.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from ...tokenization import PaddingStrategy
from ...utils import logging
from .squad_example import SquadExample

if TYPE_CHECKING:
    from ...tokenization import BatchEncoding, PreTrainedTokenizerBase

__all__ = [
    "SquadFeatures",
    "squad_convert_example_to_features",
    "squad_convert_examples_to_features",
]

logger = logging.get_logger(__name__)

_FIRST_ID = 1_000_000_000
_WITH_PREFIX_SPACE = ("Roberta", "Longformer", "Bart")


@dataclass
class SquadFeatures:
    """One window of one example.

    Args:
        input_ids: ids of question, window and special tokens, padded; s of them.
        attention_mask: (s,) 1 for tokens and 0 for padding.
        token_type_ids: (s,) which of the two texts a token belongs to.
        cls_index: place of the CLS token, which stands for "no answer".
        p_mask: (s,) 0 for the tokens that may be part of an answer and 1 for others.
        example_index: number of the example.
        unique_id: identifies the window.
        paragraph_len: how many tokens of the text the window has.
        token_is_max_context: for each of their places, whether no other window shows more around the token.
        tokens: the tokens that are no padding.
        token_to_orig_map: for each place of a token of the text, the number of its word.
        start_position: place of the answer's first token; `cls_index` when it is not in the window.
        end_position: place of its last token.
        is_impossible: whether the window has no answer.
        qas_id: identifies the example in its file.
        encoding: what a fast tokenizer knows of the window; None here.
    """

    input_ids: list[int]
    attention_mask: list[int]
    token_type_ids: list[int]
    cls_index: int
    p_mask: list[int]
    example_index: int
    unique_id: int
    paragraph_len: int
    token_is_max_context: dict[int, bool]
    tokens: list[str]
    token_to_orig_map: dict[int, int]
    start_position: int
    end_position: int
    is_impossible: bool
    qas_id: str | None = None
    encoding: BatchEncoding | None = None


def squad_convert_examples_to_features(
    examples: Sequence[SquadExample],
    tokenizer: PreTrainedTokenizerBase,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
    is_training: bool,
    padding_strategy: str | PaddingStrategy = "max_length",
    return_dataset: str | bool = False,
    threads: int = 1,
    tqdm_enabled: bool = True,
) -> Any:
    """Return the windows of examples.

    Args:
        examples: from a processor.
        tokenizer: one with a CLS token.
        max_seq_length: tokens of a window with its question.
        doc_stride: after how many tokens the next window begins.
        max_query_length: longer questions are cut.
        is_training: whether windows get the place of the answer. Examples whose answer is not in their text
            are left out then, with a warning.
        padding_strategy: as in calling the tokenizer.
        return_dataset: "pt" to return a `TensorDataset` too: ids, masks, types, then in training start and
            end positions, CLS places, `p_mask` and impossibility, otherwise the numbers of the windows, CLS
            places and `p_mask`.
        threads: how many processes share the work.
        tqdm_enabled: whether to show a bar.

    Returns:
        A list of `SquadFeatures`, or (list, data set).

    Raises:
        ValueError: the windows are too short for the question or the stride, the tokenizer has no CLS token,
            or another kind of data set is asked for.
    """
    if return_dataset not in (False, None, "pt"):
        raise ValueError(f"return_dataset={return_dataset!r}: allowed are False and 'pt'.")
    convert = partial(
        squad_convert_example_to_features,
        tokenizer=tokenizer,
        max_seq_length=max_seq_length,
        doc_stride=doc_stride,
        max_query_length=max_query_length,
        padding_strategy=padding_strategy,
        is_training=is_training,
    )
    bar = partial(
        tqdm, total=len(examples), desc="convert squad examples to features", disable=not tqdm_enabled
    )
    threads = min(threads, os.cpu_count() or 1)
    if threads > 1:
        with multiprocessing.Pool(threads) as pool:
            windows = list(bar(pool.imap(convert, examples, chunksize=32)))
    else:
        windows = [convert(example) for example in bar(examples)]
    features: list[SquadFeatures] = []
    kept = (of_one for of_one in windows if of_one)
    for example_index, of_one in enumerate(kept):
        for feature in of_one:
            feature.example_index = example_index
            feature.unique_id = _FIRST_ID + len(features)
            features.append(feature)
    return (features, _tensor_dataset(features, is_training)) if return_dataset else features


def squad_convert_example_to_features(
    example: SquadExample,
    tokenizer: PreTrainedTokenizerBase,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
    padding_strategy: str | PaddingStrategy,
    is_training: bool,
) -> list[SquadFeatures]:
    """Return the windows of one example; see `squad_convert_examples_to_features`."""
    with_answer = is_training and not example.is_impossible
    if with_answer and not _answer_is_there(example):
        return []
    pieces, word_of, first_piece = _pieces_of(example.doc_tokens, tokenizer)
    answer = _answer_pieces(example, pieces, first_piece, tokenizer) if with_answer else None

    question = tokenizer.encode(
        example.question_text, add_special_tokens=False, truncation=True, max_length=max_query_length
    )
    size = max_seq_length - len(question) - tokenizer.num_special_tokens_to_add(pair=True)
    if not 0 < doc_stride <= max(size, 0):
        raise ValueError(
            f"max_seq_length={max_seq_length} leaves {max(size, 0)} tokens of text beside a question of "
            f"{len(question)} tokens; doc_stride={doc_stride} has to be from 1 to that number."
        )
    ids = tokenizer.convert_tokens_to_ids(pieces)
    starts = _starts(len(ids), size, doc_stride)
    lengths = [min(len(ids) - start, size) for start in starts]
    features = []
    for number, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        feature, offset = _window(
            tokenizer, question, ids[start : start + length], max_seq_length, padding_strategy
        )
        feature.qas_id = example.qas_id
        feature.token_to_orig_map = {offset + i: word_of[start + i] for i in range(length)}
        feature.token_is_max_context = {
            offset + i: _best_window(starts, lengths, start + i) == number for i in range(length)
        }
        feature.is_impossible = example.is_impossible
        if answer is not None:
            first, last = answer
            if start <= first and last < start + length:
                feature.start_position, feature.end_position = first - start + offset, last - start + offset
            else:
                feature.start_position = feature.end_position = feature.cls_index
                feature.is_impossible = True
        features.append(feature)
    return features


def _answer_is_there(example: SquadExample) -> bool:
    """Whether the words at the answer's place hold the answer, white space aside."""
    there = " ".join(example.doc_tokens[example.start_position : example.end_position + 1])
    answer = " ".join((example.answer_text or "").split())
    if answer in there:
        return True
    logger.warning("Could not find answer: '%s' vs. '%s'", there, answer)
    return False


def _pieces_of(
    words: list[str], tokenizer: PreTrainedTokenizerBase
) -> tuple[list[str], list[int], list[int]]:
    """Return the tokens of all words, the number of each token's word, and each word's first token."""
    kwargs: dict[str, Any] = {}
    if type(tokenizer).__name__.startswith(_WITH_PREFIX_SPACE):
        kwargs["add_prefix_space"] = True
    tokenize = lru_cache(maxsize=None)(lambda word: tokenizer.tokenize(word, **kwargs))
    pieces: list[str] = []
    word_of: list[int] = []
    first_piece: list[int] = []
    for number, word in enumerate(words):
        first_piece.append(len(pieces))
        pieces += tokenize(word)
        word_of += [number] * (len(pieces) - len(word_of))
    return pieces, word_of, first_piece


def _answer_pieces(
    example: SquadExample, pieces: list[str], first_piece: list[int], tokenizer: PreTrainedTokenizerBase
) -> tuple[int, int]:
    """Return the first and last token of the answer: of its words, or within them if that fits exactly."""
    first = first_piece[example.start_position]
    after = example.end_position + 1
    last = (first_piece[after] if after < len(first_piece) else len(pieces)) - 1
    answer = tokenizer.tokenize(example.answer_text or "")
    text = " ".join(answer)
    for start in range(first, last + 1):
        for end in range(last, start - 1, -1):
            if " ".join(pieces[start : end + 1]) == text:
                return start, end
    return first, last


def _starts(count: int, size: int, stride: int) -> list[int]:
    """Return where windows of `size` begin, up to the first that reaches the end of `count` tokens."""
    starts = []
    for start in range(0, count, stride):
        starts.append(start)
        if start + size >= count:
            break
    return starts


def _best_window(starts: list[int], lengths: list[int], position: int) -> int:
    """Return the window that shows most around a token: on its shorter side, then in all."""
    scores = {
        number: min(position - start, start + length - 1 - position) + 0.01 * length
        for number, (start, length) in enumerate(zip(starts, lengths, strict=True))
        if start <= position < start + length
    }
    return max(scores, key=scores.__getitem__)


def _window(
    tokenizer: PreTrainedTokenizerBase,
    question: list[int],
    text: list[int],
    max_seq_length: int,
    padding_strategy: str | PaddingStrategy,
) -> tuple[SquadFeatures, int]:
    """Return the features of one window, its answer left open, and the place of its first token of text."""
    text_is_second = tokenizer.padding_side == "right"
    first, second = (question, text) if text_is_second else (text, question)
    ids = tokenizer.build_inputs_with_special_tokens(first, second)
    special = tokenizer.get_special_tokens_mask(first, second)
    if text_is_second:
        offset = len(special) - special[::-1].index(0) - len(text)
    else:
        offset = special.index(0)
    inputs = tokenizer.pad(
        {
            "input_ids": ids,
            "token_type_ids": tokenizer.create_token_type_ids_from_sequences(first, second),
        },
        padding=padding_strategy,
        max_length=max_seq_length,
        return_attention_mask=True,
        verbose=False,
    )
    padded = inputs["input_ids"]
    if tokenizer.cls_token_id is None or tokenizer.cls_token_id not in padded:
        raise ValueError(f"{type(tokenizer).__name__} has no CLS token, which stands for no answer here.")
    offset += 0 if text_is_second else len(padded) - len(ids)
    cls_index = padded.index(tokenizer.cls_token_id)
    closed = np.ones(len(padded), dtype=np.int64)
    closed[offset : offset + len(text)] = 0
    closed[np.isin(padded, tokenizer.all_special_ids)] = 1
    closed[cls_index] = 0
    feature = SquadFeatures(
        input_ids=padded,
        attention_mask=inputs["attention_mask"],
        token_type_ids=inputs["token_type_ids"],
        cls_index=cls_index,
        p_mask=closed.tolist(),
        example_index=0,
        unique_id=0,
        paragraph_len=len(text),
        token_is_max_context={},
        tokens=tokenizer.convert_ids_to_tokens(ids),
        token_to_orig_map={},
        start_position=0,
        end_position=0,
        is_impossible=False,
    )
    return feature, offset


def _tensor_dataset(features: list[SquadFeatures], is_training: bool) -> Any:
    import torch

    def column(name: str, dtype: Any = np.int64) -> Any:
        return torch.from_numpy(np.array([getattr(feature, name) for feature in features], dtype=dtype))

    inputs = [column(name) for name in ("input_ids", "attention_mask", "token_type_ids")]
    cls_index, p_mask = column("cls_index"), column("p_mask", np.float32)
    if not is_training:
        return torch.utils.data.TensorDataset(*inputs, torch.arange(len(features)), cls_index, p_mask)
    places = [column("start_position"), column("end_position")]
    return torch.utils.data.TensorDataset(
        *inputs, *places, cls_index, p_mask, column("is_impossible", np.float32)
    )
