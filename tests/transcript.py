"""Transcripts: programs with what a screen answers; specification, tutorial and test at once.

A transcript is a `.graph` file, or the blocks marked `graph` in a `.md` file. Each paragraph is a
cell; the lines behind `> ` below it are the answer. Cells see the names of earlier ones; a
heading (`## …`) starts anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from magics.console import Console

_PARTS = re.compile(r"^#+ [^\n]*$|(?<=^```graph\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"##+ ")


def programs(text: str) -> Iterator[str]:
    """The code of each cell, without answers."""
    for paragraph in text.strip("\n").split("\n\n"):
        code = [row for row in paragraph.split("\n") if not row.startswith(">")]
        if not all(row.startswith("#") for row in code):
            yield "\n".join(code)


class Transcript:
    """A file on its way through a console."""

    def __init__(self) -> None:
        self.console = Console()
        self.cells = 0

    def renewed(self, path: Path) -> str:
        """The text of the file with the answers of today."""
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".graph":
            return self._cells(text)
        return _PARTS.sub(lambda match: self._cells(match[0]), text)

    def _cells(self, text: str) -> str:
        inside = text.strip("\n")
        cells = [self._cell(each) for each in inside.split("\n\n")]
        return text.replace(inside, "\n\n".join(cells))

    def _cell(self, paragraph: str) -> str:
        if _HEADING.match(paragraph):
            self.console = Console()
        code = [row for row in paragraph.split("\n") if not row.startswith(">")]
        if all(row.startswith("#") for row in code):
            return "\n".join(code)
        self.cells += 1
        answer = self.console.enter("\n".join(code))
        return "\n".join([*code, *(f"> {row}".rstrip() for row in answer.splitlines())])
