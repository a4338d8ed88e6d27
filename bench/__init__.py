"""Speed and memory, shown and never asserted: ``make bench`` writes ``docs/benchmarks.md``."""
