"""`chalkgrad fmt`: texts in their canonical form."""

from __future__ import annotations

import sys
from argparse import Namespace
from difflib import unified_diff
from pathlib import Path

import dsl
from magics.cli.ending import warn
from magics.console import FAILURES
from magics.errors import message
from magics.sources import STDIN, source


def run(options: Namespace) -> int:
    """Rewrite what is not canonical, or tell of it; status 1 for what is told or is wrong."""
    return max(_format(file, options) for file in options.files)


def _format(file: str, options: Namespace) -> int:
    try:
        text, name = source(file)
        formatted = dsl.format(text, name)
    except FAILURES as error:
        warn(message(error, {}))
        return 1
    if options.diff:
        sys.stdout.writelines(_difference(text, formatted, name))
    elif options.check and text != formatted:
        warn(f"{name} would change")
    if options.check or options.diff:
        return int(text != formatted)
    if file == STDIN:
        sys.stdout.write(formatted)
    elif text != formatted:
        Path(file).write_text(formatted, encoding="utf-8", newline="\n")
        warn(f"{name} formatted")
    return 0


def _difference(text: str, formatted: str, name: str) -> list[str]:
    old, new = text.splitlines(keepends=True), formatted.splitlines(keepends=True)
    return [line.rstrip("\n") + "\n" for line in unified_diff(old, new, name, f"{name} formatted")]
