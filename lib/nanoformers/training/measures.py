"""How fast training was, how much memory it took, and how metrics are shown and stored.

Mirrors `log_metrics`, `save_metrics`, `save_state` of the documentation page `main_classes/trainer`.
"""

from __future__ import annotations

import contextlib
import datetime
import gc
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..utils.files import write_text

if TYPE_CHECKING:
    from .parts.attributes import TrainerAttributes

__all__ = [
    "TrainerMemoryTracker",
    "log_metrics",
    "metrics_format",
    "plain_numbers",
    "save_metrics",
    "save_state",
    "speed_metrics",
]


def speed_metrics(
    split: str,
    start_time: float,
    num_samples: float | None = None,
    num_steps: float | None = None,
    num_tokens: float | None = None,
) -> dict[str, float]:
    """Return runtime in seconds, and examples, steps and tokens a second, since `start_time`.

    Args:
        split: "train", "eval", ...: how the names begin.
        start_time: what `time.time()` was.
        num_samples: examples since then; None leaves the measure out.
        num_steps: steps since then, likewise.
        num_tokens: tokens since then, likewise.
    """
    runtime = time.time() - start_time
    measures = {f"{split}_runtime": round(runtime, 4)}
    for name, amount in (("samples", num_samples), ("steps", num_steps), ("tokens", num_tokens)):
        if amount is not None and runtime > 0:
            measures[f"{split}_{name}_per_second"] = round(amount / runtime, 3)
    return measures


def plain_numbers(metrics: Any) -> Any:
    """Turn numbers of numpy and torch, also inside lists and dictionaries, into Python's."""
    if isinstance(metrics, (list, tuple)):
        return type(metrics)(plain_numbers(item) for item in metrics)
    if isinstance(metrics, dict):
        return {name: plain_numbers(value) for name, value in metrics.items()}
    if isinstance(metrics, np.generic) or (isinstance(metrics, torch.Tensor) and metrics.numel() == 1):
        return metrics.item()
    return metrics


def metrics_format(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return metrics as people read them: memory in MB, times as h:mm:ss, floats with four digits."""
    return {name: _readable(name, value) for name, value in metrics.items()}


def _readable(name: str, value: Any) -> Any:
    if "_mem_" in name:
        return f"{value >> 20}MB"
    if "_runtime" in name:
        hundredths = int(abs(value - int(value)) * 100)
        return f"{datetime.timedelta(seconds=int(value))}.{hundredths:02d}"
    if name == "total_flos":
        return f"{int(value) >> 30}GF"
    return round(value, 4) if isinstance(value, float) else value


def log_metrics(trainer: TrainerAttributes, split: str, metrics: dict[str, Any]) -> None:
    """Print metrics as a table, on the main process.

    Args:
        trainer: the Trainer, whose method this is.
        split: "train", "eval", "test": the title.
        metrics: what `train`, `evaluate` or `predict` gave. With `skip_memory_metrics=False` there are
            `<stage>_mem_cpu_alloc_delta` (what the process holds more than before the stage, in bytes) and
            `..._peaked_delta` (what it held besides for a while); `gpu` likewise. Their sum was needed.
    """
    if not trainer.is_world_process_zero():
        return
    shown = metrics_format(metrics)
    names = max(map(len, shown), default=0)
    values = max((len(str(value)) for value in shown.values()), default=0)
    print(f"***** {split} metrics *****")
    for name in sorted(shown):
        print(f"  {name: <{names}} = {shown[name]!s:>{values}}")


def save_metrics(
    trainer: TrainerAttributes, split: str, metrics: dict[str, Any], combined: bool = True
) -> None:
    """Write metrics to `<split>_results.json` in the output folder, on the main process.

    Args:
        trainer: the Trainer, whose method this is.
        split: "train", "eval", "test", "all".
        metrics: what `train`, `evaluate` or `predict` gave.
        combined: add them to `all_results.json` too.
    """
    if not trainer.is_world_process_zero():
        return
    folder = Path(trainer.args.output_dir or ".")
    _write(folder / f"{split}_results.json", metrics)
    if combined:
        path = folder / "all_results.json"
        earlier = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        _write(path, earlier | metrics)


def _write(path: Path, metrics: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(plain_numbers(metrics), indent=4, sort_keys=True))


def save_state(trainer: TrainerAttributes) -> None:
    """Write `trainer_state.json` into the output folder, on the main process."""
    if trainer.is_world_process_zero():
        trainer.state.save_to_json(Path(trainer.args.output_dir or ".") / "trainer_state.json")


class TrainerMemoryTracker:
    """Measures the memory that stages of a Trainer take: "init", "train", "eval", "test".

    On the CPU it is the resident memory of the process, whose peak a thread watches; on a GPU it is what
    torch has allocated. A stage inside another one (evaluation inside training) counts for the outer one.

    Args:
        skip_memory_metrics: measure nothing.

    Raises:
        ImportError: psutil, which measures, is not installed.
    """

    def __init__(self, skip_memory_metrics: bool = False) -> None:
        self.skip_memory_metrics = skip_memory_metrics
        self.current: str | None = None
        self._waiting: dict[str, float] = {}  # what "init" took, told with the first stage after it
        if skip_memory_metrics:
            return
        try:
            import psutil
        except ImportError as error:
            raise ImportError(
                "skip_memory_metrics=False needs psutil, which measures memory: run `pip install psutil`."
            ) from error
        self._process = psutil.Process()

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[dict[str, float]]:
        """Measure what happens inside the context; the dictionary that it gives is filled at its end."""
        measured: dict[str, float] = {}
        if self.skip_memory_metrics or self.current is not None:
            yield measured
            return
        self.current = name
        gc.collect()
        before, gpu_before = self._used(), self._gpu_used(reset=True)
        watch = _PeakWatch(self._used)
        try:
            yield measured
        finally:
            self.current = None
            peak = watch.stop()
            gc.collect()
            after, gpu_after = self._used(), self._gpu_used()
            taken: dict[str, float] = {
                f"{name}_mem_cpu_alloc_delta": after - before,
                f"{name}_mem_cpu_peaked_delta": max(0, peak - after),
            }
            if gpu_before is not None and gpu_after is not None:
                taken[f"{name}_mem_gpu_alloc_delta"] = gpu_after - gpu_before
                taken[f"{name}_mem_gpu_peaked_delta"] = max(0, torch.cuda.max_memory_allocated() - gpu_after)
            if name == "init":
                taken["before_init_mem_cpu"] = before
                if gpu_before is not None:
                    taken["before_init_mem_gpu"] = gpu_before
                self._waiting = taken
            else:
                measured.update(self._waiting | taken)
                self._waiting = {}

    def _used(self) -> int:
        return self._process.memory_info().rss

    @staticmethod
    def _gpu_used(reset: bool = False) -> int | None:
        if not torch.cuda.is_available():
            return None
        torch.cuda.empty_cache()
        if reset:
            torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()


class _PeakWatch:
    """Looks at the memory in use a thousand times a second, in a thread."""

    def __init__(self, used: Any) -> None:
        self._used = used
        self._peak = used()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.001):
            self._peak = max(self._peak, self._used())

    def stop(self) -> int:
        """Return the greatest memory seen, in bytes."""
        self._over.set()
        self._thread.join()
        return max(self._peak, self._used())
