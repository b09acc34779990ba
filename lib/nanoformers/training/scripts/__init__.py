"""What the example scripts share, so that each of them is its arguments, its preprocessing and its metrics.

Mirrors the documentation page `run_scripts`. The scripts are under `examples/pytorch/`; as what they share is
here, a copy of one runs wherever the library is installed. In the order of a script: `arguments.py` (what the
command line asks), `start.py` (log, seed, the newest checkpoint), `reading.py` (files and data sets of the
hub), `stages.py` (train, evaluate, predict, share); `sequence_to_sequence.py` for those that generate text.
"""

from __future__ import annotations

from .arguments import DataArguments, ModelArguments, parse_arguments
from .labels import Labels
from .metrics import load_metric
from .reading import check_columns, chosen_splits, column, column_if_any, load_splits, preprocess, rows_of
from .stages import evaluate, predict, share, train, write_predictions
from .start import start

__all__ = [
    "DataArguments",
    "Labels",
    "ModelArguments",
    "check_columns",
    "chosen_splits",
    "column",
    "column_if_any",
    "evaluate",
    "load_metric",
    "load_splits",
    "parse_arguments",
    "predict",
    "preprocess",
    "rows_of",
    "share",
    "start",
    "train",
    "write_predictions",
]
