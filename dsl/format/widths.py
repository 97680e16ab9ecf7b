"""Long lines: broken where they hold together most loosely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors import display_width
from .lines import Line
from .margin import Margin
from .words import Role, Word, is_parted

WIDEST = 100


def pieces(line: Line, margin: Margin) -> Iterator[tuple[int, Sequence[Word]]]:
    """The lines that a line becomes, each with its indent."""
    if line.depth is not None:
        margin.begin(line.depth, line.opens)
    start = 0
    while start < len(line.words):
        indent = margin.indent(line.words, start)
        end = _end(line.words, start, WIDEST - indent)
        yield indent, line.words[start:end]
        margin.read(line.words[start:end], indent)
        start = end


def _end(words: Sequence[Word], start: int, width: int) -> int:
    """Where the line that starts there ends: behind the last word, or at the loosest place."""
    fitting: list[tuple[tuple[int, int], int]] = []
    for looseness, end, taken in _places(words, start):
        if taken > width and fitting:
            break
        if end == len(words):
            return end
        fitting.append((looseness, end))
    loosest = min(looseness for looseness, _ in fitting)
    return max(end for looseness, end in fitting if looseness == loosest)


def _places(words: Sequence[Word], start: int) -> Iterator[tuple[tuple[int, int], int, int]]:
    """Where a line may end: (brackets around, rank), before which word, the width so far.

    Right behind a bracket that opens is the last place to be chosen, however few are around it.
    """
    depth, width = 0, 0
    for at in range(start + 1, len(words)):
        last, word = words[at - 1], words[at]
        width += display_width(last.text)
        behind = last.role in (Role.OPEN, Role.INDEX)
        depth += behind - (last.role is Role.CLOSE)
        if word.rank is not None:
            yield (len(words) if behind else depth, word.rank), at, width
        width += is_parted(last, word)
    yield (0, 0), len(words), width + display_width(words[-1].text)
