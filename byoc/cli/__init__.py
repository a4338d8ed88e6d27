"""The ``byoc`` command. Each verb is thin: it calls one function of the library and shows what came of it.

Starting is fast because nothing heavy is imported before a verb needs it.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line; the entry point of the installed ``byoc`` script."""
    from byoc.cli.app import run

    run()
