"""Run the examples of README files as doctests; prints {folder name: {"ran", "failed", "report"}} as JSON."""

from __future__ import annotations

import doctest
import json
import re
import sys
from pathlib import Path


def run_examples(readme: Path) -> dict[str, object]:
    """Run the Python blocks of one file, one after the other in the same namespace."""
    blocks = re.findall(
        r"^```python\n(.*?)^```", readme.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, readme.parent.name, str(readme), 0)
    report: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    return {"ran": result.attempted, "failed": result.failed, "report": "".join(report)}


if __name__ == "__main__":
    print(json.dumps({Path(name).parent.name: run_examples(Path(name)) for name in sys.argv[1:]}))
