"""One case of one library in a process of its own: `python -m benchmarks.worker CASE LIBRARY`.

It prepares, writes "ready", and then runs one round for every line that it reads, answering with its figure.
"""

from __future__ import annotations

import contextlib
import sys

from .cases import CASES


def main(case: str, library: str) -> None:
    """Serve rounds until standard input ends."""
    with contextlib.redirect_stdout(sys.stderr):  # what the libraries print must not mix with the answers
        run = CASES[case].prepare(library)
    print("ready", flush=True)
    for _ in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            measured = run()
        print(measured, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
