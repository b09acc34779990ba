"""Side-by-side measurements against the reference library: `python -m benchmarks`."""
