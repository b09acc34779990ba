"""Exercises of notebook 15: several processes with accelerate."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable

from classroom.exercises import Wrong, exercise

ADDRESS, PORT = "10.0.0.1", "29500"


@exercise(
    "15.1",
    "Which rows does a process get in a step?",
    hints=[
        "The batches are dealt out in turn, like cards: process 0, process 1, ..., process 0 again.",
        "How many batches come before the one of this process in this step?",
        "start = (step * processes + process) * batch_size, and then batch_size rows.",
    ],
)
def rows_of_a_process(answer: Callable[[int, int, int, int], list[int]]) -> str:
    """A function of process, step, number of processes and batch size, tried on several."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for process, step, processes, batch_size in ((0, 0, 2, 8), (1, 0, 2, 8), (1, 3, 2, 8), (2, 1, 4, 3)):
        found = list(answer(process, step, processes, batch_size))
        start = (step * processes + process) * batch_size
        if found == list(range(start, start + batch_size)):
            continue
        case = f"process {process} of {processes} in step {step}, with batches of {batch_size}"
        if len(found) != batch_size:
            raise Wrong(f"For {case} this gives {len(found)} rows.")
        single = step * processes * batch_size + process  # row by row
        if found == [single + processes * index for index in range(batch_size)]:
            raise Wrong("Single rows are not dealt out, whole batches are.")
        if found[0] == step * batch_size:
            raise Wrong(f"For {case}: that is what a single process would get; the others have their share.")
        raise Wrong(f"For {case} the rows begin at {start}, and here at {found[0]}.")
    return "A step of all processes together is one large batch, cut into equal pieces."


@exercise(
    "15.2",
    "How many steps does the optimizer take?",
    hints=[
        "All processes together use processes * batch_size rows at a time.",
        "Round up twice: the last batch need not be full, and the last step need not have all its batches.",
        "epochs * ceil(ceil(rows / (batch_size * processes)) / accumulation)",
    ],
)
def steps_of_the_optimizer(answer: Callable[[int, int, int, int, int], int]) -> str:
    """A function of rows, batch size, processes, accumulation and epochs, tried on several."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    for rows, batch_size, processes, accumulation, epochs in (
        (512, 16, 1, 1, 2),
        (512, 8, 2, 1, 2),
        (500, 8, 2, 1, 1),
        (512, 8, 4, 2, 3),
        (400, 8, 2, 3, 2),
    ):
        batches = math.ceil(rows / (batch_size * processes))
        expected = epochs * math.ceil(batches / accumulation)
        found = answer(rows, batch_size, processes, accumulation, epochs)
        if found == expected:
            continue
        case = (
            f"{rows} rows, batches of {batch_size}, {processes} process(es), {accumulation} batch(es) a "
            f"step, {epochs} epoch(s)"
        )
        if found == epochs * math.ceil(math.ceil(rows / batch_size) / accumulation):
            raise Wrong(f"{case}: the processes share the rows, so each has fewer batches.")
        if found == epochs * batches:
            raise Wrong(f"{case}: several batches make one step.")
        if found == math.ceil(epochs * batches / accumulation):
            raise Wrong(f"{case}: an epoch ends with a step of its own, even if batches are missing.")
        raise Wrong(f"{case}: that makes {expected} steps, not {found}.")
    return "This is the number that a schedule needs to end at zero."


@exercise(
    "15.3",
    "What do you type on the second machine?",
    hints=[
        "`torchrun` on each machine; only one number differs between the two commands.",
        "`--nnodes`, `--nproc_per_node`, `--node_rank`, `--master_addr`, `--master_port`; ranks begin at 0.",
        "torchrun --nnodes 2 --nproc_per_node 4 --node_rank ... "
        f"--master_addr {ADDRESS} --master_port {PORT} train.py",
    ],
)
def second_machine(answer: str) -> str:
    """A command line, read as torchrun reads it."""
    if not isinstance(answer, str):
        raise Wrong("Give the command line as a string.")
    words = shlex.split(answer)
    if words[:1] != ["torchrun"] and words[1:3] != ["-m", "torch.distributed.run"]:
        raise Wrong("Begin with `torchrun` (or `python -m torch.distributed.run`).")
    options, program = _options(words[1:] if words[0] == "torchrun" else words[3:])
    if program != "train.py":
        raise Wrong(f"After the options comes train.py; here it is {program or 'nothing'}.")
    wanted = {
        "nnodes": ("2", "there are two machines"),
        "nproc_per_node": ("4", "each machine runs four processes (not eight: that is all together)"),
        "node_rank": ("1", "machines count from 0, and this is the second"),
        "master_addr": (ADDRESS, "all meet at the address of the first machine"),
        "master_port": (PORT, "all meet at the same port"),
    }
    for name, (value, reason) in wanted.items():
        if options.get(name) != value:
            found = "is missing" if name not in options else f"is {options[name]}"
            raise Wrong(f"--{name} {found}: {reason}.")
    return "On the first machine the same line says --node_rank 0; both wait until the other has come."


def _options(words: list[str]) -> tuple[dict[str, str], str | None]:
    """Return the options before the program's name, with underscores, and that name."""
    options: dict[str, str] = {}
    position = 0
    while position < len(words) and words[position].startswith("--"):
        name, equals, value = words[position].removeprefix("--").partition("=")
        if not equals:
            position += 1
            value = words[position] if position < len(words) else ""
        options[name.replace("-", "_")] = value
        position += 1
    return options, words[position] if position < len(words) else None
