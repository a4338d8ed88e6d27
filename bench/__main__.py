"""Measure everything and write ``docs/benchmarks.md``."""

from __future__ import annotations

import sys
from collections import Counter

from bench.growth import Growth, growth
from bench.looking import Look, looks
from bench.makespan import SCALE, Makespan, makespan
from bench.measure import Timing, machine
from bench.runs import cli_start, lives, revision_calls
from bench.world import ROOT


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _runs_table(start: Timing, timings: dict[str, Timing]) -> list[str]:
    rows = ["| what | the run | the whole process |", "| --- | --- | --- |"]
    rows.append(f"| CLI start (`byoc --help`) | | {start.text} |")
    return rows + [f"| {title} | {timing.inside_text} | {timing.text} |" for title, timing in timings.items()]


def _calls(actions: list[str]) -> str:
    return ", ".join(f"{count} `{action}`" for action, count in Counter(actions).items())


def _growth_table(found: list[Growth]) -> list[str]:
    rows = [
        "| inline deployments | resources | seconds | ms per resource | peak memory, MiB |",
        "| --- | --- | --- | --- | --- |",
    ]
    return rows + [
        f"| {item.deployments} | {item.resources} | {item.seconds:.2f} | {1000 * item.seconds / item.resources:.1f} "
        f"| {item.peak_mib:.0f} |"
        for item in found
    ]


def _looks_table(found: list[Look]) -> list[str]:
    rows = [
        "| stacks | accounts | AWS requests | seconds | of it CPU | peak memory, MiB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    return rows + [
        f"| {item.stacks} | {item.accounts} | {item.calls} | {item.seconds:.1f} | {item.cpu_seconds:.1f} "
        f"| {item.peak_mib:.0f} |"
        for item in found
    ]


def _makespan_text(found: Makespan) -> list[str]:
    return [
        f"| taken | {found.taken:.0f} s |",
        f"| longest unavoidable chain | {found.chain:.0f} s |",
        f"| ratio | {found.ratio:.3f} |",
        f"| one after another | {found.one_by_one:.0f} s |",
    ]


def main() -> None:
    """Run the whole bench; takes some minutes."""
    _say("CLI start ...")
    start = cli_start()
    _say("account and deployment, three times ...")
    timings = lives()
    _say("revision ...")
    image_calls, environment_calls = revision_calls()
    _say("typical AWS times ...")
    typical = makespan()
    _say("1 to 300 inline deployments ...")
    grown = growth()
    _say("status of 1 to 200 stacks ...")
    looked = looks()
    lines = [
        "# Benchmarks",
        "",
        f"Measured by `make bench` on: {machine()}. Figures of a shared machine: read ratios, not single times.",
        "",
        "## Runs on the embedded AWS",
        "",
        "Each is a process of its own, from the command line to its last byte: it starts Python, reads and decrypts "
        "the config, runs the program and makes every AWS call over loopback. Seconds: median (least to most).",
        "",
        *_runs_table(start, timings),
        "",
        "## What a revision changes",
        "",
        f"- another image: {_calls(image_calls)}",
        f"- another environment variable: {_calls(environment_calls)}",
        "",
        "The deregistration is the clean-up of the task definition that was replaced, after the service has moved.",
        "",
        "## How long AWS keeps one waiting",
        "",
        f"The development deployment, with AWS's typical times (`bench/makespan.py`, run at 1/{SCALE} of them):",
        "",
        "| figure | value |",
        "| --- | --- |",
        *_makespan_text(typical),
        "",
        "## Growth",
        "",
        "A preview of one account stack with inline deployments: the whole program, without waiting for AWS.",
        "",
        *_growth_table(grown),
        "",
        "## Looking at many stacks",
        "",
        "One `byoc status --json`, a process of its own. Each stack has a passphrase salt of its own, as stacks have: "
        "deriving its key takes a core for a fifth of a second, which is most of the time.",
        "",
        *_looks_table(looked),
        "",
    ]
    path = ROOT / "docs" / "benchmarks.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
