"""What the scripts that train language models share: models from scratch, blocks of text, perplexity."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..argument_parser import HfArg
from .arguments import DataArguments, ModelArguments

if TYPE_CHECKING:
    from datasets import DatasetDict

__all__ = [
    "TextArguments",
    "WriterArguments",
    "block_size",
    "blocks_of",
    "check_blocks",
    "correct_tokens",
    "likeliest",
    "perplexity",
]

logger = logging.getLogger(__name__)


@dataclass
class WriterArguments(ModelArguments):
    """Which checkpoint to go on from; or, without one, which architecture to train from scratch.

    Raises:
        ValueError: neither was given, or settings for a new model together with a checkpoint.
    """

    model_name_or_path: str | None = HfArg(  # type: ignore[assignment]
        default=None, help="Checkpoint to go on from (gpt2); leave it out to train a new model."
    )
    model_type: str | None = HfArg(
        default=None, help="Architecture of a new model (gpt2), with --tokenizer_name."
    )
    config_overrides: str | None = HfArg(
        default=None, help="Settings of a new model that are not the defaults (n_embd=10,n_head=2)."
    )
    torch_dtype: str | None = HfArg(
        default=None,
        aliases=["--dtype"],
        help="Type of the loaded weights: auto, bfloat16, float16, float32.",
    )

    def __post_init__(self) -> None:
        old = self.model_name_or_path or self.config_name
        if self.config_overrides is not None and old:
            raise ValueError(
                "--config_overrides can't be used in combination with --config_name or --model_name_or_path"
            )
        if not old and self.model_type is None:
            raise ValueError(
                "Pass --model_name_or_path, or for a new model --model_type and --tokenizer_name."
            )
        if not (self.model_name_or_path or self.tokenizer_name):
            raise ValueError(
                "You are instantiating a new tokenizer from scratch. This is not supported by this script. "
                "You can do it from another script, save it, and load it from here, using --tokenizer_name."
            )

    def load_config(self, **settings: Any) -> Any:
        """Return the checkpoint's configuration, or that of a new model with the overrides."""
        from ...auto import AutoConfig

        if self.model_name_or_path or self.config_name:
            return super().load_config(**settings)
        assert self.model_type is not None
        config = AutoConfig.for_model(self.model_type, **settings)
        logger.warning("You are instantiating a new config instance from scratch.")
        if self.config_overrides is not None:
            config.update_from_string(self.config_overrides)
        return config

    def load_model(self, kind: Any, config: Any, tokenizer: Any) -> Any:
        """Return the checkpoint's model, or a new one, with an embedding for every token of the tokenizer.

        Args:
            kind: AutoModelForCausalLM or AutoModelForMaskedLM.
            config: what `load_config` gave.
            tokenizer: what `load_tokenizer` gave.
        """
        if self.model_name_or_path:
            dtype = {} if self.torch_dtype is None else {"torch_dtype": self.torch_dtype}
            model = kind.from_pretrained(self.model_name_or_path, config=config, **dtype, **self.hub)
        else:
            model = kind.from_config(config)
            logger.info(f"Training new model from scratch - {model.num_parameters() / 1e6:.2f}M parameters")
        if len(tokenizer) > model.get_input_embeddings().weight.shape[0]:
            model.resize_token_embeddings(len(tokenizer))
        return model


@dataclass
class TextArguments(DataArguments):
    """Which texts, and how many of them are kept for evaluation.

    Raises:
        ValueError: all of them are kept for it, or more.
    """

    suffixes = (".csv", ".json", ".jsonl", ".txt")

    text_column: str | None = HfArg(default=None, help="Column of the text (text, or the first one).")
    validation_split_percentage: int = HfArg(
        default=5, help="Share of the training texts for evaluation, in percent, if there are no others."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.validation_split_percentage < 100:
            raise ValueError(
                "--validation_split_percentage is from 0 to 99, and some texts remain to train on; it is "
                f"{self.validation_split_percentage}."
            )

    def column_of(self, data: Any) -> str:
        """Return the column of the text."""
        from .reading import column

        first = next(iter(data.values())).column_names[0]
        return column(data, "--text_column", self.text_column, "text", first)


def block_size(wanted: int | None, flag: str, tokenizer: Any, config: Any) -> int:
    """Return the tokens of a block: as many as wanted (by default 1,024), and no more than the model takes.

    Args:
        wanted: value of the flag.
        flag: such as "--block_size".
        tokenizer: says how many it is meant for.
        config: says how many positions the model has.

    Raises:
        ValueError: less than one was wanted.
    """
    if wanted is not None and wanted < 1:
        raise ValueError(f"{flag} is a number of tokens, 1 or more, not {wanted}.")
    longest = min(tokenizer.model_max_length, getattr(config, "max_position_embeddings", 1024))
    return min(wanted or 1024, longest)


def check_blocks(data: DatasetDict, size: int, flag: str) -> None:
    """Refuse splits that have not a single block.

    Raises:
        ValueError: there is one.
    """
    for split, blocks in data.items():
        if len(blocks) == 0:
            raise ValueError(
                f"All texts of the {split} split together have fewer tokens than one block of {size}: take "
                f"more text, or smaller blocks ({flag})."
            )


def blocks_of(rows: dict[str, list[list[int]]], size: int) -> dict[str, list[list[int]]]:
    """Put lists of tokens one after the other and cut them into blocks of equal size.

    What remains at the end, less than a block, is left out.
    """
    joined = {name: list(chain.from_iterable(lists)) for name, lists in rows.items()}
    total = len(next(iter(joined.values()))) // size * size
    return {name: [row[at : at + size] for at in range(0, total, size)] for name, row in joined.items()}


def perplexity(metrics: dict[str, Any]) -> dict[str, float]:
    """Return {"perplexity": e to the loss} of metrics with a loss."""
    loss = next(value for name, value in metrics.items() if name.endswith("_loss"))
    return {"perplexity": math.exp(loss) if loss < 700 else math.inf}


def likeliest(logits: Any) -> Any:
    """Return the likeliest token at each place: scores of the whole vocabulary would fill the memory."""
    return (logits[0] if isinstance(logits, tuple) else logits).argmax(dim=-1)


def correct_tokens(predicted: Any, labels: Any) -> dict[str, float]:
    """Return {"accuracy": share of the tokens with a label (not -100) that were predicted}."""
    counted = labels != -100
    return {"accuracy": float((predicted[counted] == labels[counted]).mean())}
