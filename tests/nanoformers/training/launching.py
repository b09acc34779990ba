"""Real processes for tests: started by torchrun, or as a cluster starts them; what they found comes back."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("processes.py")
TIMEOUT = 200  # seconds; far above what they take


def environment(**changes):
    """Return the environment of such a process: one thread, no GPU, nothing left of another launch."""
    unwanted = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    inherited = {name: value for name, value in os.environ.items() if name not in unwanted}
    return inherited | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "TQDM_DISABLE": "1"} | changes


def run_part(part, folder, processes=2, program=PROGRAM):
    """Run one part of processes.py under torchrun; returns what each process found."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    return _run([*torchrun, str(program), part, str(folder)], part, folder, processes)


def run_part_in_a_notebook(part, folder):
    """Run one part in two processes that `notebook_launcher` starts."""
    return _run([str(PROGRAM), part, str(folder), "--notebook"], part, folder, 2)


def _run(command, part, folder, processes):
    done = subprocess.run(
        [sys.executable, *command],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return read(part, folder, processes)


def run_part_by_cluster(part, folder, processes=2):
    """Run one part as `srun` does: without a launcher of torch, variables of SLURM say who is who."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), part, str(folder)],
            env=environment(
                MASTER_ADDR="127.0.0.1",
                MASTER_PORT=str(port),
                SLURM_PROCID=str(rank),
                SLURM_LOCALID=str(rank),
                SLURM_STEP_NUM_TASKS=str(processes),
            ),
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        for rank in range(processes)
    ]
    try:
        for process in started:
            _, errors = process.communicate(timeout=TIMEOUT)
            assert process.returncode == 0, errors[-4000:]
    finally:
        for process in started:
            process.kill()
    return read(part, folder, processes)


def read(part, folder, processes):
    return [json.loads((folder / f"{part}-{rank}.json").read_text()) for rank in range(processes)]
