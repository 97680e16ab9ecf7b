"""The top-level statements of a text, found without parsing, so that each is parsed by itself.

A statement starts at every line that is not indented and not inside a pair of brackets. A bracket
that is never closed holds nothing back: the next unindented line starts anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CODE_LINE = re.compile(r"^([ \t]*)[^\s#].*$", re.MULTILINE)
_BRACKET = re.compile(r'"[^"\n]*"?|#[^\n]*|[()\[\]]')
_PAIRS = {")": "(", "]": "["}


@dataclass(frozen=True)
class Chunk:
    """The lines of one statement: `text[start:end]`, from the line's start to the code's end."""

    start: int
    end: int
    indent: int


def chunks(text: str) -> list[Chunk]:
    """The statements of a text, in order."""
    found: list[Chunk] = []
    pairs, inside_until = iter(sorted(_pairs(text))), 0
    pair = next(pairs, None)
    for line in _CODE_LINE.finditer(text):
        start, end, indent = line.start(), line.end(), len(line[1])
        while pair and pair[0] < start:
            inside_until = max(inside_until, pair[1])
            pair = next(pairs, None)
        if not found or (indent <= found[0].indent and start > inside_until):
            found.append(Chunk(start, end, indent))
        else:
            found[-1] = Chunk(found[-1].start, end, found[-1].indent)
    return found


def _pairs(text: str) -> Iterator[tuple[int, int]]:
    """The offsets of brackets that belong together."""
    waiting: list[tuple[str, int]] = []
    for match in _BRACKET.finditer(text):
        char = match[0]
        if char in "([":
            waiting.append((char, match.start()))
        elif char in _PAIRS and waiting and waiting[-1][0] == _PAIRS[char]:
            yield waiting.pop()[1], match.start()
