"""The command `chalkgrad`: what it understands, and a file for what each sub-command does.

A sub-command imports what it needs when it runs: help is quick.
"""

from __future__ import annotations

from collections.abc import Sequence

from magics.cli.ending import ended
from magics.cli.options import parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command, or the prompt where none is named; the exit status."""
    return ended(parser().parse_args(arguments))
