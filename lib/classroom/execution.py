"""One notebook, executed in a process of its own: how long it took, how much memory, what went wrong."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil

from classroom import paths
from classroom.notebooks import tags_of

_SAMPLE_SECONDS = 0.1
_MEMORY_BUDGET = int(1.5 * 1024**3)
_INJECTED = {"injected-parameters", "papermill-error-cell-tag"}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Outcome:
    """What came of executing one notebook.

    Attributes:
        notebook: the source.
        executed: the executed copy (it exists unless the kernel could not start).
        seconds: wall time, with the start of the kernel.
        peak_bytes: largest resident memory of the kernel and the processes it started. Pages that several
            of them share, such as those of PyTorch's libraries, count once on Linux, and elsewhere in each.
        error: None when every cell ran; else the last error in one line.
    """

    notebook: Path
    executed: Path
    seconds: float
    peak_bytes: int
    error: str | None

    @property
    def ok(self) -> bool:
        """Whether every cell ran."""
        return self.error is None


def execute(
    notebook: Path,
    executed: Path,
    *,
    parameters: Sequence[tuple[str, str]] = (),
    threads: int = 1,
    timeout: float = 600,
    variables: Mapping[str, str] | None = None,
) -> Outcome:
    """Execute `notebook` with papermill into the copy `executed`.

    The kernel works in the notebook's folder, as in Jupyter, with an empty client cache of its own, so that
    the result depends neither on other notebooks nor on what ran before.

    Args:
        notebook: the source; it is not changed.
        executed: where the executed copy goes.
        parameters: names and values for the cell tagged `parameters`.
        threads: number of threads for the arithmetic.
        timeout: seconds after which the notebook counts as failed.
        variables: environment variables for the kernel beside those of `kernel_environment`, or in place of
            them.
    """
    executed.parent.mkdir(parents=True, exist_ok=True)
    executed.unlink(missing_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="classroom-"))
    command = [sys.executable, "-m", "papermill", str(notebook), str(executed), "--cwd", str(notebook.parent)]
    command += ["--kernel", "python3", "--no-progress-bar", "--log-level", "ERROR"]
    for name, value in parameters:
        command += ["-p", name, value]
    began = time.monotonic()
    try:
        with (scratch / "log").open("w+", encoding="utf-8", errors="replace") as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**kernel_environment(scratch, threads), **(variables or {})},
            )
            peak, timed_out = _watch(process, began + timeout)
            log.seek(0)
            said = log.read()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    error = None
    if timed_out:
        error = f"stopped after {timeout:.0f} s"
    elif process.returncode != 0:
        error = (
            _last_error(executed) or _last_line(said) or f"papermill ended with status {process.returncode}"
        )
    return Outcome(notebook, executed, time.monotonic() - began, peak, error)


def kernel_environment(scratch: Path, threads: int) -> dict[str, str]:
    """Return the environment for a kernel: this one, the course's home, a fresh cache, few threads."""
    return {
        **os.environ,
        **thread_limits(threads),
        "CLASSROOM_HOME": str(paths.home()),
        "CLASSROOM_CACHE": str(scratch / "cache"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def thread_limits(threads: int) -> dict[str, str]:
    """Return the variables that limit the arithmetic libraries to `threads` threads."""
    return dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))


def _watch(process: subprocess.Popen[bytes], deadline: float) -> tuple[int, bool]:
    """Wait for `process`; return the peak memory of what it started, and whether it ran out of time."""
    peak = 0
    try:
        while process.poll() is None:
            peak = max(peak, _memory_below(process.pid))
            if time.monotonic() > deadline:
                return peak, True
            time.sleep(_SAMPLE_SECONDS)
        return peak, False
    finally:
        if process.poll() is None:
            _end(process)


def _memory_below(pid: int) -> int:
    """Resident bytes of all processes that `pid` started, directly or not."""
    total = 0
    try:
        for child in psutil.Process(pid).children(recursive=True):
            try:
                total += _resident(child)
            except psutil.Error:
                continue
    except psutil.Error:
        return total
    return total


def _resident(process: psutil.Process) -> int:
    """Resident bytes of a process; of pages that it shares with others, its part where the system tells."""
    if sys.platform.startswith("linux"):
        return int(process.memory_full_info().pss)
    return int(process.memory_info().rss)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End `process` and everything below it."""
    try:
        tree = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    except psutil.Error:
        return
    for member in tree:
        try:
            member.kill()
        except psutil.Error:
            continue
    process.wait()


def _last_error(executed: Path) -> str | None:
    """The error output of an executed copy, in one line with the number of its cell."""
    if not executed.is_file():
        return None
    cells = [
        cell for cell in nbformat.read(executed, as_version=4).cells if not _INJECTED & set(tags_of(cell))
    ]
    for number, cell in enumerate(cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                message = _COLOURS.sub("", output.evalue).strip().splitlines()
                return f"cell {number}: {output.ename}: {message[0] if message else ''}".rstrip(": ")
    return None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in _COLOURS.sub("", text).splitlines() if line.strip()]
    return lines[-1] if lines else ""


def executed_path(notebook: Path, folder: Path) -> Path:
    """Where the executed copy of `notebook` belongs under `folder`: the same part, the same name."""
    return folder / notebook.parent.name / notebook.name


def default_jobs(count: int) -> int:
    """How many notebooks to execute at once: one a core, fewer where the memory does not suffice."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    by_memory = int(psutil.virtual_memory().available // _MEMORY_BUDGET)
    return max(1, min(cores, by_memory, count))
