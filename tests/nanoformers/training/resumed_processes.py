"""Train in several processes, then go on from checkpoints, and compare; a script for test_resuming.py."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from nanoformers.training import Trainer
from test_resuming import Net, Shaken, arguments, assert_equal, noisy_collator, trained


def make(folder: Path) -> Trainer:
    args = arguments(folder, save_steps=2, ddp_find_unused_parameters=False)
    return Trainer(Net(), args, data_collator=noisy_collator, train_dataset=Shaken(44))


def main(folder: Path) -> None:
    whole = trained(make, folder / "whole")
    for name in ("checkpoint-2", "checkpoint-8", "checkpoint-12"):
        if torch.distributed.get_rank() == 0:
            shutil.copytree(folder / "whole" / name, folder / f"from-{name}" / name)
        torch.distributed.barrier()
        assert_equal(trained(make, folder / f"from-{name}", checkpoint=True), whole, name)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
