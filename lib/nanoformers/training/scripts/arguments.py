"""The arguments that every example script takes besides those of training."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, Action, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ..argument_parser import HfArg, HfArgumentParser

__all__ = ["DataArguments", "ModelArguments", "parse_arguments"]


@dataclass
class ModelArguments:
    """Which checkpoint to start from."""

    _argument_group_name: ClassVar[str] = "the model"

    model_name_or_path: str = HfArg(
        help="Checkpoint to start from: a folder, or a name on the hub (t5-small)."
    )
    config_name: str | None = HfArg(default=None, help="Configuration, if it is not the checkpoint's.")
    tokenizer_name: str | None = HfArg(default=None, help="Tokenizer, if it is not the checkpoint's.")
    cache_dir: str | None = HfArg(default=None, help="Where downloads are kept, if not in the usual cache.")
    use_fast_tokenizer: bool = HfArg(default=True, help="Take the fast tokenizer, where there is one.")
    model_revision: str = HfArg(default="main", help="Branch, tag or commit of the checkpoint (v1.0).")
    token: str | None = HfArg(default=None, help="Token of the hub; by default the one of the login.")
    trust_remote_code: bool = HfArg(
        default=False, help="Run code that comes with the checkpoint: read it first."
    )

    @property
    def hub(self) -> dict[str, Any]:
        """What `from_pretrained` wants to know of the hub."""
        return {
            "cache_dir": self.cache_dir,
            "revision": self.model_revision,
            "token": self.token,
            "trust_remote_code": self.trust_remote_code,
        }

    def load_config(self, **settings: Any) -> Any:
        """Return the configuration, with these settings (`num_labels=3`)."""
        from ...auto import AutoConfig

        return AutoConfig.from_pretrained(self.config_name or self.model_name_or_path, **self.hub, **settings)

    def load_tokenizer(self, **settings: Any) -> Any:
        """Return the tokenizer, with these settings (`add_prefix_space=True`)."""
        from ...auto import AutoTokenizer

        name = self.tokenizer_name or self.model_name_or_path
        return AutoTokenizer.from_pretrained(name, use_fast=self.use_fast_tokenizer, **self.hub, **settings)


@dataclass
class DataArguments:
    """Which data to take, and how much of them.

    Raises:
        ValueError: no data are named, or a file is of a kind that the script does not read.
        FileNotFoundError: there is no such file.
    """

    _argument_group_name: ClassVar[str] = "the data"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".json", ".jsonl")
    """The files that the script reads; `.json` and `.jsonl` are JSON lines, or one JSON list of rows."""

    dataset_name: str | None = HfArg(
        default=None, help="Data set on the hub (cnn_dailymail), or a folder of one."
    )
    dataset_config_name: str | None = HfArg(
        default=None,
        aliases=["--dataset_config"],
        help="Configuration of the data set, where it has several (3.0.0).",
    )
    train_file: str | None = HfArg(
        default=None, help="Instead of a data set: a file to train on (train.csv)."
    )
    validation_file: str | None = HfArg(default=None, help="A file to evaluate on (validation.jsonl).")
    test_file: str | None = HfArg(default=None, help="A file to predict on (test.json).")
    max_train_samples: int | None = HfArg(
        default=None, help="Train on no more examples: for a quick test (50)."
    )
    max_eval_samples: int | None = HfArg(default=None, help="Evaluate on no more examples (50).")
    max_predict_samples: int | None = HfArg(default=None, help="Predict on no more examples (50).")
    preprocessing_num_workers: int | None = HfArg(default=None, help="Processes that prepare the data (4).")
    overwrite_cache: bool = HfArg(default=False, help="Prepare the data again, even if that was done before.")

    def __post_init__(self) -> None:
        if not self.files and self.dataset_name is None:
            raise ValueError(
                "Need either a dataset name or a training, validation, or test file. "
                "Pass --dataset_name, or --train_file and --validation_file."
            )
        if self.files and self.dataset_name is not None:
            raise ValueError(
                f"Both --dataset_name {self.dataset_name} and --{next(iter(self.files))}_file were given; "
                "take one of them."
            )
        for split, file in self.files.items():
            if Path(file).suffix not in self.suffixes:
                kinds = " or a ".join(dict.fromkeys(suffix[1:].removesuffix("l") for suffix in self.suffixes))
                raise ValueError(
                    f"`{split}_file` should be a {kinds} file, not {file}: "
                    f"its name has to end in {', '.join(self.suffixes)}."
                )
            if "://" not in file and not Path(file).is_file():
                raise FileNotFoundError(f"--{split}_file: there is no file {file}.")
        for split in ("train", "eval", "predict"):
            limit = getattr(self, f"max_{split}_samples")
            if limit is not None and limit < 1:
                raise ValueError(f"--max_{split}_samples is a number of examples, 1 or more, not {limit}.")
        kinds_of_files = {self.builder(file) for file in self.files.values()}
        if len(kinds_of_files) > 1:
            raise ValueError(
                "All files should be of one kind; these are not: " + ", ".join(self.files.values()) + "."
            )

    @property
    def files(self) -> dict[str, str]:
        """{split: file} of the files that were given."""
        given = {"train": self.train_file, "validation": self.validation_file, "test": self.test_file}
        return {split: file for split, file in given.items() if file is not None}

    @staticmethod
    def builder(file: str) -> str:
        """Return how `load_dataset` calls files of this kind."""
        return {".csv": "csv", ".txt": "text"}.get(Path(file).suffix, "json")

    def at_most(self, split: str) -> int | None:
        """Return how many examples of a split are wanted, None for all."""
        limits = {"train": self.max_train_samples, "validation": self.max_eval_samples}
        return limits.get(split, self.max_predict_samples)


class _Help(RawDescriptionHelpFormatter):
    """Help that keeps the lines of the description, and tells the defaults that say something."""

    def _get_help_string(self, action: Action) -> str | None:
        if action.help is None or action.default in (None, False, "", SUPPRESS) or action.required:
            return action.help
        return f"{action.help} (default: %(default)s)"


def parse_arguments(*kinds: Any, description: str | None = None, argv: Sequence[str] | None = None) -> Any:
    """Read the command line into one object of each dataclass.

    `run_x.py arguments.json` (or `.yaml`) reads them from that file instead.

    Args:
        kinds: dataclasses, such as ModelArguments, DataArguments and TrainingArguments.
        description: what `--help` says first.
        argv: the words after the script's name; by default those of this process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    usage = "%(prog)s --model_name_or_path ... --output_dir ...   (or: %(prog)s arguments.json)"
    parser = HfArgumentParser(kinds, usage=usage, description=description, formatter_class=_Help)
    if len(words) == 1 and words[0].endswith(".json"):
        return parser.parse_json_file(words[0])
    if len(words) == 1 and words[0].endswith((".yaml", ".yml")):
        return parser.parse_yaml_file(words[0])
    return parser.parse_args_into_dataclasses(words)
