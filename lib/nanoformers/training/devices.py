"""Where this process trains: its device, and its number among all processes.

Several processes are found by what a launcher (`torchrun`, `accelerate launch`, `srun`, `mpirun`) leaves in
the environment, or by a group of `torch.distributed` that is there already; accelerate then makes, or joins,
the group.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = ["Place", "find_place", "uses_cpu"]


@dataclass(frozen=True)
class Place:
    """The device of a process, and which of how many processes it is.

    Attributes:
        device: where the model and its inputs are.
        n_gpu: GPUs that this process uses: 0 on a CPU; more than 1 where one process feeds several.
        process_index: from 0, over all machines.
        local_process_index: from 0, on this machine.
        num_processes: on all machines.
        state: accelerate's `PartialState`, where there are several processes.
    """

    device: torch.device
    n_gpu: int
    process_index: int = 0
    local_process_index: int = 0
    num_processes: int = 1
    state: Any = None


def uses_cpu(args: TrainingArguments) -> bool:
    """Return whether the arguments, or the environment, ask for the CPU, or there is nothing else."""
    asked = os.environ.get("ACCELERATE_USE_CPU", "").lower() in {"1", "true", "yes"}
    return args.use_cpu or asked or not torch.accelerator.is_available()


# What those that start programs on clusters call number, count and number on the machine of a process.
_STARTERS = (
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
    ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_LOCAL_RANK"),
)


def _translate_environment() -> None:
    """Set what torch reads (RANK, ...) from what `srun` or `mpirun` set.

    Only where MASTER_ADDR says that the processes belong together: a cluster starts independent ones too.
    """
    variables = os.environ
    if "RANK" in variables or "MASTER_ADDR" not in variables:
        return
    for names in _STARTERS:
        if all(name in variables for name in names):
            for name, own in zip(("RANK", "WORLD_SIZE", "LOCAL_RANK"), names, strict=True):
                variables[name] = variables[own]
            return


def _is_one_of_several() -> bool:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_world_size() > 1
    _translate_environment()
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ


def find_place(args: TrainingArguments) -> Place:
    """Return where this process trains; joins the group of processes if there are several."""
    on_cpu = uses_cpu(args)
    if _is_one_of_several():
        from accelerate import PartialState

        state = PartialState(
            cpu=on_cpu, backend=args.ddp_backend, timeout=timedelta(seconds=args.ddp_timeout)
        )
        return Place(
            torch.device("cpu") if on_cpu else state.device,
            0 if on_cpu else 1,
            state.process_index,
            state.local_process_index,
            state.num_processes,
            state,
        )
    if on_cpu:
        return Place(torch.device("cpu"), 0)
    accelerator = torch.accelerator.current_accelerator()
    assert accelerator is not None  # as uses_cpu found
    if accelerator.type != "cuda":
        return Place(accelerator, 1)
    return Place(torch.device("cuda:0"), torch.cuda.device_count())
