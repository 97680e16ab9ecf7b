"""Where a cursor is: in a `%%graph` cell, in its options, in a `%graph` line, or elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_HEAD = re.compile(r"(?:#[^\n]*\n|[ \t]*\n)*[ \t]*%%graph(?!\w)(?P<options>[^\n]*)")
_LINE = re.compile(r"\s*(?:[\w,][\w,\s]*=\s*)?%graph(?!\w)")


@dataclass(frozen=True)
class Place:
    """What stands there, and the cursor in it.

    cell   the text below `%%graph`, or a comment above it
    head   what follows `%%graph` in its line
    line   what follows `%graph`
    """

    kind: Literal["cell", "head", "line"]
    text: str
    cursor: int


def is_cell(text: str) -> bool:
    r"""Whether a text is a `%%graph` cell; comments may stand above.

    >>> is_cell("# the loss\n%%graph\ny = 1"), is_cell("%%graphics")
    (True, False)
    """
    return _HEAD.match(text) is not None


def head(text: str) -> int:
    """The length of what stands before the language: the line of `%%graph`, comments above it."""
    found = _HEAD.match(text)
    return found.end() if found else 0


def place(text: str, cursor: int) -> Place | None:
    r"""The place of a cursor; None where it is not in a text of ours.

    >>> place("%%graph\ny = 1", 9)
    Place(kind='cell', text='y = 1', cursor=1)
    >>> place("x = %graph run y", 16)
    Place(kind='line', text=' run y', cursor=6)
    >>> place("graph(x)", 3)
    """
    if found := _HEAD.match(text):
        start, end = found.span("options")
        if cursor > end:
            return Place("cell", text[end + 1 :], cursor - end - 1)
        if cursor >= start:
            return Place("head", found["options"], cursor - start)
        return None
    start = text.rfind("\n", 0, cursor) + 1
    line = _LINE.match(text, start, cursor)
    if line is None:
        return None
    end = text.find("\n", cursor)
    return Place("line", text[line.end() : None if end < 0 else end], cursor - line.end())
