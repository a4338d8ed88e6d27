"""The ``byoc`` command. Each verb is thin: it calls one function of the library and shows what came of it.

Starting is fast because nothing heavy is imported before a verb needs it.
"""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Run the command line; the entry point of the installed ``byoc`` script."""
    from byoc.cli.app import run

    for stream in (sys.stdout, sys.stderr):
        show_all(stream)
    run()


def show_all(stream: object) -> None:
    """Let a stream show what its encoding has no sign for as a number: containers write what they like."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
