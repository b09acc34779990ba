"""Whatever happens while a checkpoint is written, the run can go on, and nothing that was saved is lost."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from nanoformers.training import Trainer, TrainerCallback, TrainerState, TrainingArguments
from torch import nn

SCRIPT = Path(__file__).with_name("killed_run.py")


def run_script(*arguments: str) -> int:
    """Run the script, and return the number that it printed last."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return int(done.stdout.splitlines()[-1])


@pytest.mark.slow
class TestKilled:
    """The script compares: weights, optimizer, schedule, random numbers, logs, what callbacks counted."""

    def test_twenty_times_at_random_moments(self, tmp_path: Path):
        assert run_script(str(tmp_path), "120", "20") == 20

    def test_before_every_change_of_the_disk(self, tmp_path: Path):
        """Three checkpoints, the third of which makes the first go."""
        assert run_script(str(tmp_path), "6", "each") > 30


class Net(nn.Module):
    """Weights of 40 KB; what the optimizer keeps of them has 80 KB."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(100, 100)

    def forward(self, row: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": self.layer(row).pow(2).mean()}


class At(TrainerCallback):
    """Calls something at the end of a step, before its checkpoint is written."""

    def __init__(self, step: int, call: Callable[[TrainerState], None]) -> None:
        self.step = step
        self.call = call

    def on_step_end(self, args: Any, state: TrainerState, control: Any, **kwargs: Any) -> None:
        if state.global_step == self.step:
            self.call(state)


def trainer(folder: Path, *callbacks: TrainerCallback, **changes: Any) -> Trainer:
    values = {"max_steps": 4, "save_steps": 1, "disable_tqdm": True, "use_cpu": True, **changes}
    rows = [{"row": row} for row in torch.randn(16, 100, generator=torch.Generator().manual_seed(0))]
    return Trainer(
        Net(), TrainingArguments(str(folder), **values), train_dataset=rows, callbacks=[*callbacks]
    )


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


class TestFullDisk:
    @pytest.fixture
    def limit(self) -> Iterator[Callable[[int], None]]:
        """Let no file grow beyond a number of bytes, until the test is over."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    @pytest.mark.parametrize(
        ("size", "log"),
        [(20_000, ""), (60_000, ""), (100_000, "x" * 200_000)],
        ids=["weights", "optimizer", "trainer_state.json"],
    )
    def test_one_error_and_nothing_lost(
        self, size: int, log: str, limit: Callable[[int], None], tmp_path: Path
    ):
        def fill(state: TrainerState) -> None:
            state.log_history.append({"step": 3, "text": log})
            limit(size)

        with pytest.raises(OSError, match=r"Could not write checkpoint-3 .*checkpoint-1, checkpoint-2 in it"):
            trainer(tmp_path, At(3, fill)).train()
        assert names(tmp_path) == ["checkpoint-1", "checkpoint-2"]
        limit(resource.RLIM_INFINITY)
        assert trainer(tmp_path).train(resume_from_checkpoint=True).global_step == 4

    def test_a_disk_that_is_really_full(self, tmp_path: Path):
        folder = tmp_path / "small"
        folder.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)], capture_output=True
        )
        if mounted.returncode:
            pytest.skip("a small disk cannot be mounted here")
        try:
            with pytest.raises(OSError, match=r"Could not write checkpoint-3 .*No space left on device"):
                trainer(folder).train()
            assert names(folder) == ["checkpoint-1", "checkpoint-2"]
            subprocess.run(["mount", "-o", "remount,size=4m", str(folder)], check=True)
            assert trainer(folder).train(resume_from_checkpoint=True).global_step == 4
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


class TestReadOnlyFolder:
    @pytest.fixture
    def folder(self) -> Iterator[Path]:
        """A folder that everybody can reach (pytest's own cannot be)."""
        with tempfile.TemporaryDirectory() as name:
            Path(name).chmod(0o755)
            yield Path(name)

    def test_one_error_and_nothing_lost(self, folder: Path):
        """In a process of its own: the superuser may write anywhere, and has to become somebody else."""
        code = f"""
import os, sys
sys.path.insert(0, {str(SCRIPT.parent)!r})
from pathlib import Path
from test_crashes import At, trainer

def close(state):
    os.chmod({str(folder)!r}, 0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)

try:
    trainer(Path({str(folder)!r}), At(2, close)).train()
except OSError as error:
    print(error)
"""
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env={**os.environ}
        )
        folder.chmod(0o755)
        message = done.stdout.splitlines()[-1]
        assert "Could not write checkpoint-2" in message, done.stderr
        assert "Permission denied" in message
        assert "checkpoint-1 in it" in message
        assert names(folder) == ["checkpoint-1"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
    def test_is_found_out_before_the_training(self, tmp_path: Path):
        tmp_path.chmod(0o555)
        run = trainer(tmp_path)
        with pytest.raises(OSError, match="is read-only for you"):
            run.train()
        assert run.state.global_step == 0

    def test_a_file_where_the_folder_should_be(self, tmp_path: Path):
        (tmp_path / "out").write_text("a file")
        with pytest.raises(OSError, match="out"):
            trainer(tmp_path / "out").train()


class TestOtherErrors:
    def test_an_error_of_the_model_is_not_called_one_of_the_disk(self, tmp_path: Path):
        class Broken(Trainer):
            def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
                raise KeyError("a mistake of mine")

        args = TrainingArguments(str(tmp_path), max_steps=1, save_steps=1, disable_tqdm=True, use_cpu=True)
        rows = [{"row": torch.randn(100)} for _ in range(4)]
        with pytest.raises(KeyError, match="a mistake of mine"):
            Broken(Net(), args, train_dataset=rows).train()
        assert names(tmp_path) == []
