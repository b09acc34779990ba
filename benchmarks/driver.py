"""Runs the cases: both libraries alive at once, a round of one, a round of the other, and so on.

What disturbs the machine for a while disturbs both, so their ratio holds where their seconds do not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import IO

from .cases import CASES, OURS, REFERENCE

Results = dict[str, dict[str, list[float]]]


class WorkerError(RuntimeError):
    """A worker process ended before it answered; the message has the end of what it wrote."""


class Worker:
    """A process that runs the rounds of one case with one library."""

    def __init__(self, case: str, library: str, environment: dict[str, str], log: IO[str]) -> None:
        self.name = f"{case} with {library}"
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", case, library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )

    def read(self) -> str:
        """Return the next line that the worker writes."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise WorkerError(f"{self.name} failed:\n{self._log.read()[-2000:]}")
        return line

    def round(self) -> float:
        """Run one round and return its figure."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return float(self.read())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


@contextmanager
def workers(case: str, environment: dict[str, str]) -> Iterator[dict[str, Worker]]:
    """Start one worker for each library of a case, one after the other, and wait until they are ready."""
    with ExitStack() as stack:
        started: dict[str, Worker] = {}
        for library in (OURS, REFERENCE):
            log = stack.enter_context(tempfile.TemporaryFile("w+"))
            started[library] = Worker(case, library, environment, log)
            stack.callback(started[library].close)
            started[library].read()
        yield started


def measure(
    names: Iterable[str], rounds: int, threads: int, sentences: list[str], progress: Callable[[str], None]
) -> Results:
    """Run the cases.

    Args:
        names: keys of `CASES`.
        rounds: how often each library runs each case.
        threads: number of torch threads (the tokenizers' too).
        sentences: texts for the cases that need some.
        progress: told before each case.

    Returns:
        case -> library -> the figures of the rounds, in order.
    """
    results: Results = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sentences.json"
        path.write_text(json.dumps(sentences), encoding="utf-8")
        environment = {
            **os.environ,
            "BENCHMARK_SENTENCES": str(path),
            "OMP_NUM_THREADS": str(threads),
            "RAYON_NUM_THREADS": str(threads),
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "TRANSFORMERS_VERBOSITY": "error",
        }
        for name in names:
            progress(CASES[name].title.strip())
            with workers(name, environment) as started:
                figures: dict[str, list[float]] = {library: [] for library in started}
                for number in range(rounds):
                    order = list(started.items())
                    for library, worker in order if number % 2 == 0 else reversed(order):
                        figures[library].append(worker.round())
            results[name] = figures
    return results


def summary(results: Results) -> list[dict[str, object]]:
    """Return one row a case: medians, their ratio (reference over ours), and all figures."""
    rows: list[dict[str, object]] = []
    for name, figures in results.items():
        medians = {library: median(values) for library, values in figures.items()}
        row: dict[str, object] = {
            "case": name,
            "title": CASES[name].title,
            "unit": CASES[name].unit,
            "rounds": figures,
        }
        row["median"] = medians
        row["ratio"] = medians[REFERENCE] / medians[OURS]
        rows.append(row)
    return rows
