"""Run several scripts one after the other in one process, which saves the imports; used by test_scripts.py.

The first argument is a JSON file with {name: words of the command line}; what each printed, and the error
that ended it, go to <name>.json beside it.
"""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
from pathlib import Path


def main() -> None:
    asked = Path(sys.argv[1])
    for name, words in json.loads(asked.read_text()).items():
        printed, error = io.StringIO(), ""
        sys.argv = words
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                runpy.run_path(words[0], run_name="__main__")
            except SystemExit as stopped:
                error = f"SystemExit: {stopped.code}"
            except Exception as raised:
                error = f"{type(raised).__name__}: {raised}"
        (asked.parent / f"{name}.json").write_text(
            json.dumps({"printed": printed.getvalue(), "error": error})
        )


if __name__ == "__main__":
    main()
