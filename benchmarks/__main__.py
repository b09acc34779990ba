"""`python -m benchmarks` measures everything, prints a table and writes build/benchmarks.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .cases import CASES, OURS, REFERENCE
from .driver import measure, summary
from .sentences import python_manual_sentences, sentences

ROOT = Path(__file__).resolve().parent.parent


def parsed(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help=f"some of: {', '.join(CASES)} (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each library for each case (3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads (all cores)")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "build" / "benchmarks.json", help="the JSON file"
    )
    parser.add_argument("--text", choices=("rated", "manual"), default="rated", help="which sentences to use")
    found = parser.parse_args(arguments)
    unknown = [name for name in found.cases if name not in CASES]
    if unknown:
        parser.error(f"unknown case {', '.join(unknown)}; there are {', '.join(CASES)}")
    return found


def figure(value: float, unit: str) -> str:
    """Return a median as people read it; a few milliseconds in milliseconds."""
    if unit == "MiB":
        return f"{value:.0f} MiB"
    return f"{value:.3f} s" if value >= 0.01 else f"{value * 1000:.2f} ms"


def table(rows: list[dict]) -> Table:
    """Lay the medians and ratios out."""
    shown = Table(caption="medians; ratio = reference / ours: above 1, ours is faster or smaller")
    shown.add_column("measured", no_wrap=True)
    for heading in (OURS, REFERENCE, "ratio"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        figures = [figure(row["median"][library], row["unit"]) for library in (OURS, REFERENCE)]
        shown.add_row(row["title"], *figures, f"{row['ratio']:.2f}")
    return shown


def main(arguments: list[str]) -> None:
    """Measure, print, write."""
    options = parsed(arguments)
    console = Console()
    texts = {"rated": sentences, "manual": python_manual_sentences}[options.text](
        20_000 if options.text == "rated" else 2000
    )
    with console.status("starting") as status:
        results = measure(
            options.cases or CASES, options.rounds, options.threads, texts, lambda title: status.update(title)
        )
    rows = summary(results)
    console.print(table(rows))
    report = {
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "threads": options.threads,
        "text": options.text,
        "versions": {name: version(name) for name in (OURS, REFERENCE, "torch", "tokenizers")},
        "cases": rows,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    beside = options.output.with_suffix(".tmp")
    beside.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    beside.replace(options.output)
    console.print(f"written: {options.output}")


if __name__ == "__main__":
    main(sys.argv[1:])
