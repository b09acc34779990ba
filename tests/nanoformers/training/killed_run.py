"""Train in child processes that are killed, resuming each time; a script for test_crashes.py.

It takes a folder, the steps of the training, and when it is killed: "20" is twenty times at random moments,
"each" is before one change of the disk after the other. In the folder, `whole` is trained without a break and
`killed` with them; `whole.pt` and `killed.pt` say how they ended. Its last line is the number of kills.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from nanoformers.training import EarlyStoppingCallback, Trainer, TrainingArguments, get_last_checkpoint
from nanoformers.training.rng import rng_states
from torch import nn


class Net(nn.Module):
    """A classifier of rows (4) with dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(4, 6)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(6, 2)

    def forward(self, row: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = self.head(self.dropout(torch.relu(self.hidden(row))))
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def train(folder: Path, steps: int) -> None:
    """Train to the end, from the last checkpoint if there is one, and write down how it ended."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    rows = [{"row": row, "labels": int(row.sum() > 0)} for row in torch.randn(50, 4, generator=generator)]
    args = TrainingArguments(
        str(folder),
        max_steps=steps,
        per_device_train_batch_size=4,
        save_steps=2,
        eval_strategy="steps",
        eval_steps=2,
        logging_steps=3,
        save_total_limit=2,
        metric_for_best_model="loss",
        load_best_model_at_end=True,
        learning_rate=0.01,
        disable_tqdm=True,
        log_level="error",
        use_cpu=True,
    )
    stopping = EarlyStoppingCallback(early_stopping_patience=1000)
    trainer = Trainer(Net(), args, train_dataset=rows, eval_dataset=rows[:8], callbacks=[stopping])
    last = get_last_checkpoint(folder)
    trainer.train(resume_from_checkpoint=last is not None)
    ended: dict[str, Any] = {
        "weights": dict(trainer.model.state_dict()),
        "optimizer": trainer.optimizer.state_dict(),
        "schedule": trainer.lr_scheduler.state_dict(),
        "step": trainer.state.global_step,
        "best": (trainer.state.best_metric, trainer.state.best_global_step),
        "history": [
            {name: value for name, value in entry.items() if "runtime" not in name and "second" not in name}
            for entry in trainer.state.log_history
        ],
        "patience": stopping.early_stopping_patience_counter,
        "rng": rng_states(),
    }
    torch.save(ended, folder.with_suffix(".pt"))


def die_before(change: int, folder: Path) -> None:
    """Have this process killed before its nth change of the disk in a folder (1 is the first)."""
    events = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link"}
    changes = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal changes
        if event not in events or (event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        if event == "os.remove" or str(arguments[0]).startswith(str(folder)):  # rmtree has relative names
            changes += 1
            if changes == change:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def start(folder: Path, steps: int, change: int = 0) -> int:
    """Train in a child process, which has all imports already; return its number."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        if change:
            die_before(change, folder)
        train(folder, steps)
        status = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def wait(child: int) -> bool:
    """Wait for a child; False when it was killed.

    Raises:
        RuntimeError: it failed by itself.
    """
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    if os.WEXITSTATUS(status):
        raise RuntimeError("The training failed.")
    return True


def kill_at_random(folder: Path, steps: int, kills: int, seconds: float) -> int:
    """Kill as many trainings, each within the given time, and let the last one end."""
    moments = random.Random(int(time.time() * 1000))
    killed = 0
    while killed < kills:
        child = start(folder, steps)
        time.sleep(moments.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        killed += not wait(child)
    wait(start(folder, steps))
    check(folder)
    return killed


def kill_before_each_change(folder: Path, steps: int) -> int:
    """Kill trainings from the start, one before its first change of the disk, one before its second, ..."""
    change = 1
    while not wait(start(folder, steps, change)):
        wait(start(folder, steps))
        check(folder)
        shutil.rmtree(folder)
        folder.mkdir()
        change += 1
    return change - 1


def check(folder: Path) -> None:
    """Compare how a training ended with how it ended without a break.

    Raises:
        RuntimeError: it is not the same, or something is left behind.
    """
    ended = torch.load(folder.with_suffix(".pt"), weights_only=True)
    whole = torch.load(folder.with_name("whole.pt"), weights_only=True)
    left = [entry.name for entry in folder.iterdir() if entry.name.startswith("tmp-")]
    if not is_equal(ended, whole) or left:
        different = [name for name in whole if not is_equal(ended[name], whole[name])]
        raise RuntimeError(f"Other than without a break: {different}; left behind: {left}.")


def is_equal(first: Any, second: Any) -> bool:
    """Compare nested values, tensors bit by bit."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(is_equal(first[name], second[name]) for name in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(is_equal, first, second))
    return bool(first == second)


def main(folder: Path, steps: int, kills: str) -> None:
    for name in ("whole", "killed", "first"):
        (folder / name).mkdir()
    train(folder / "first", 2)  # so that children need not import anything
    began = time.monotonic()
    wait(start(folder / "whole", steps))
    whole = time.monotonic() - began
    if kills == "each":
        print(kill_before_each_change(folder / "killed", steps))
    else:
        print(kill_at_random(folder / "killed", steps, int(kills), 2.5 * whole / int(kills)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
