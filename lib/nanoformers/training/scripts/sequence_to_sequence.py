"""What the scripts that turn text into text share: summarization and translation."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..argument_parser import HfArg
from .arguments import DataArguments
from .reading import preprocess

if TYPE_CHECKING:
    from datasets import DatasetDict

    from ...data import DataCollatorForSeq2Seq
    from ..arguments import TrainingArguments
    from ..seq2seq import Seq2SeqTrainingArguments

__all__ = [
    "IGNORED",
    "TextToTextArguments",
    "complete",
    "mean_length",
    "texts_of",
    "tokenize_pairs",
    "tokenize_splits",
]

logger = logging.getLogger(__name__)

IGNORED = -100
"""Labels that the loss leaves out."""


@dataclass
class TextToTextArguments(DataArguments):
    """How long texts may be, and how they are generated."""

    source_prefix: str | None = HfArg(
        default=None, help='What stands before every source text; T5 needs one ("summarize: ").'
    )
    max_source_length: int = HfArg(default=1024, help="Tokens of a source text; longer ones are cut.")
    max_target_length: int = HfArg(default=128, help="Tokens of a target text; longer ones are cut.")
    val_max_target_length: int | None = HfArg(
        default=None, help="The same in evaluation and prediction, for generation too (max_target_length)."
    )
    num_beams: int | None = HfArg(default=None, help="Beams of generation in evaluation and prediction (4).")
    pad_to_max_length: bool = HfArg(default=False, help="Pad all to the full lengths: for a TPU.")
    ignore_pad_token_for_loss: bool = HfArg(default=True, help="Leave padding out of the loss.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.val_max_target_length is None:
            self.val_max_target_length = self.max_target_length

    def settle_generation(self, training_args: Seq2SeqTrainingArguments) -> None:
        """Let a Seq2SeqTrainer generate as these arguments say, wherever its own do not say it."""
        if training_args.generation_max_length is None:
            training_args.generation_max_length = self.val_max_target_length
        if self.num_beams is not None:
            training_args.generation_num_beams = self.num_beams

    def collator(self, tokenizer: Any, model: Any, *, in_eights: bool) -> DataCollatorForSeq2Seq:
        """Return what makes batches of features.

        Args:
            tokenizer: of the checkpoint.
            model: the model.
            in_eights: pad to a multiple of 8 tokens, which suits half precision on a GPU.
        """
        from ...data import DataCollatorForSeq2Seq

        return DataCollatorForSeq2Seq(
            tokenizer,
            model=model,
            label_pad_token_id=IGNORED if self.ignore_pad_token_for_loss else tokenizer.pad_token_id,
            pad_to_multiple_of=8 if in_eights else None,
        )

    def check(self, model: Any, name: str) -> None:
        """Warn of a T5 without a prefix.

        Args:
            model: the model.
            name: of the checkpoint.

        Raises:
            ValueError: the model does not know with which token a target begins.
        """
        if model.config.decoder_start_token_id is None:
            raise ValueError("Make sure that `config.decoder_start_token_id` is correctly defined")
        if self.source_prefix is None and model.config.model_type == "t5":
            logger.warning(
                f"You're running a t5 model but didn't provide a source prefix, which {name} may expect "
                "to tell one task from another, e.g. with `--source_prefix 'summarize: '`"
            )


def tokenize_splits(
    data: DatasetDict,
    pairs: Callable[[dict[str, list[Any]]], tuple[list[Any], list[Any] | None]],
    tokenizer: Any,
    data_args: TextToTextArguments,
    training_args: TrainingArguments,
) -> DatasetDict:
    """Return the features of all splits, see `tokenize_pairs`.

    Pairs of which one text is missing (None or empty) are left out, but for the test split, where each
    prediction stands for a row: there the missing text is an empty one.

    Args:
        data: the splits.
        pairs: returns (texts to read, texts to write or None) of a batch {column: list}.
        tokenizer: of the checkpoint.
        data_args: prefix, lengths and padding.
        training_args: which process this is.
    """

    def features_of(rows: dict[str, list[Any]], split: str) -> dict[str, Any]:
        sources, targets = pairs(rows)
        longest = data_args.max_target_length if split == "train" else data_args.val_max_target_length
        if split == "test":
            sources = [source or "" for source in sources]
            targets = targets and [target or "" for target in targets]
        else:
            sources, targets = complete(sources, targets or [])
        return tokenize_pairs(tokenizer, sources, targets, data_args, longest)

    return type(data)(
        {
            split: preprocess(rows, partial(features_of, split=split), data_args, training_args)
            for split, rows in data.items()
        }
    )


def complete(sources: list[Any], targets: list[Any]) -> tuple[list[str], list[str]]:
    """Return the texts to read and to write of those pairs that have both."""
    pairs = [(source, target) for source, target in zip(sources, targets, strict=True) if source and target]
    return [source for source, _ in pairs], [target for _, target in pairs]


def tokenize_pairs(
    tokenizer: Any,
    sources: list[str],
    targets: list[str] | None,
    data_args: TextToTextArguments,
    max_target_length: int | None,
) -> dict[str, Any]:
    """Return the features of pairs of texts: `input_ids`, `attention_mask` and `labels`, as ragged lists.

    Args:
        tokenizer: of the checkpoint.
        sources: texts to read.
        targets: texts to write; None where nobody knows them, and then there are no labels.
        data_args: prefix, lengths and padding.
        max_target_length: tokens of a target text.
    """
    prefix = data_args.source_prefix or ""
    padding = "max_length" if data_args.pad_to_max_length else False
    features = tokenizer(
        [prefix + source for source in sources],
        max_length=data_args.max_source_length,
        padding=padding,
        truncation=True,
    )
    if targets is None:
        return dict(features)
    labels = tokenizer(
        text_target=targets,
        max_length=max_target_length,
        padding=padding,
        truncation=True,
    )["input_ids"]
    if padding and data_args.ignore_pad_token_for_loss:
        pad = tokenizer.pad_token_id
        labels = [[IGNORED if token == pad else token for token in row] for row in labels]
    return {**features, "labels": labels}


def mean_length(tokens: Any, tokenizer: Any) -> float:
    """Return how many tokens the rows of an array have on average, padding not counted."""
    counted = (tokens != tokenizer.pad_token_id) & (tokens != IGNORED)
    return round(float(counted.sum(axis=1).mean()), 4)


def texts_of(tokenizer: Any, *tokens: Any) -> list[list[str]]:
    """Return the texts of each array of tokens, padded with -100 or not, without special tokens."""
    arrays = (np.where(np.asarray(rows) == IGNORED, tokenizer.pad_token_id, rows) for rows in tokens)
    decoded = (tokenizer.batch_decode(rows, skip_special_tokens=True) for rows in arrays)
    return [[text.strip() for text in texts] for texts in decoded]
