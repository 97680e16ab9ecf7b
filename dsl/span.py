"""A span is a place in a text as typed: a source, a start and an end (offsets, end exclusive)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, eq=False, repr=False)
class Source:
    """A named text as typed, except that line ends are LF and the BOM is gone.

    Neither changes a line number or a column that an editor shows.
    """

    name: str
    text: str

    @staticmethod
    def of(text: str, name: str = "cell") -> Source:
        """The source of raw text: CRLF and CR become LF, a leading BOM is dropped."""
        return Source(name, text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """The offset at which each line begins."""
        ends = (i + 1 for i, char in enumerate(self.text) if char == "\n")
        return (0, *ends)

    def position(self, offset: int) -> tuple[int, int]:
        """The line and the column of an offset, both counted from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (counted from 1), without its line end."""
        start = self.line_starts[number - 1]
        return self.text[start:].partition("\n")[0]

    def span(self, start: int, end: int) -> Span:
        """The span of `text[start:end]`."""
        return Span(self, start, end)

    def __repr__(self) -> str:
        return f"Source({self.name!r})"


@dataclass(frozen=True)
class Span:
    """A half-open range of a source.

    >>> Source.of("y = x²").span(4, 6).text
    'x²'
    """

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """What was typed there."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        """The line of the first character, counted from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column of the first character, counted from 1."""
        return self.source.position(self.start)[1]

    @property
    def label(self) -> str:
        """`cell:3:13`, the form that editors make a link."""
        return f"{self.source.name}:{self.line}:{self.column}"

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of a later one in the same source."""
        return Span(self.source, self.start, other.end)

    def __repr__(self) -> str:
        return f"<{self.label} {self.text!r}>"
