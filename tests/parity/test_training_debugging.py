"""Reports of `DebugUnderflowOverflow` and arguments of `HfArgumentParser` against the reference library's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Optional

import pytest
import torch
from nanoformers import HfArgumentParser
from nanoformers.training.debugging import DebugUnderflowOverflow
from torch import nn
from transformers import HfArgumentParser as TheirParser
from transformers.debug_utils import DebugUnderflowOverflow as Theirs


@pytest.mark.parametrize("kwargs", [{}, {"max_frames_to_save": 2}, {"trace_batch_nums": [0, 2]}], ids=str)
@pytest.mark.parametrize("scale", [1.0, 1e20])
def test_the_same_report(capsys, kwargs, scale):
    reports = []
    for debugger in (DebugUnderflowOverflow, Theirs):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Sequential(nn.Linear(4, 2), nn.ReLU()))
        debugger(model, **kwargs)
        raised = False
        for batch in range(3):
            try:
                model(torch.ones(2, 3) * (scale**2 if batch == 1 else 1.0))
            except ValueError:
                raised = True
                break
        reports.append((raised, capsys.readouterr().out))
    assert reports[0] == reports[1]


@dataclass
class Settings:
    name: str
    size: int = 3
    loud: bool = False
    quiet: bool = True
    maybe: Optional[bool] = None  # noqa: UP045
    words: list[str] = field(default_factory=lambda: ["a", "b"])
    mode: Literal["fast", "slow", 7] = "fast"
    limit: Optional[int] = None  # noqa: UP045
    title: str | None = None
    list_of_ints: list[int] = field(default_factory=list, metadata={"aliases": "-n", "help": "Some."})


LINES = [
    "--name x",
    "--name x --size 4 --loud --no_quiet --maybe 1 --words c d --mode 7 --limit 5 --title T",
    "--name x --no-quiet --list-of-ints 1 2 --loud false",
    "--name x --quiet 0 -n 4",
    "--size 4",
    "--name x --mode still",
]


@pytest.mark.parametrize("line", LINES)
def test_the_same_arguments(line):
    results = []
    for parser in (HfArgumentParser, TheirParser):
        try:
            results.append(parser(Settings).parse_args_into_dataclasses(line.split()))
        except SystemExit as error:
            results.append(error.code)
    assert results[0] == results[1]


def test_the_same_help():
    ours, theirs = (
        parser(Settings, prog="train").format_help() for parser in (HfArgumentParser, TheirParser)
    )
    assert ours == theirs
